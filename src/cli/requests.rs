//! `tacit request`, `requests` and `decide`: researchers ask a server for budget; stewards decide there, or on a state directory
//! while no server runs on it.

use clap::Args;
use serde_json::json;

use super::place::{PlaceOptions, tell};
use super::{CommandFailure, ServerOptions, input};
use crate::service::stewarding::requests::{Decision, RequestView};
use crate::terminal::{TextColumn, TextTable, say, say_table};

#[derive(Args)]
pub(super) struct RequestOptions {
    /// The name of the dataset.
    dataset: String,
    /// The new total that you ask for.
    #[arg(long)]
    epsilon: String,
    /// The reason for the request, which is kept in the ledger.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct RequestsOptions {
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Args)]
pub(super) struct DecideOptions {
    /// The number of the request; tacit requests lists them.
    number: u64,
    /// Set the allocation to what was asked for.
    #[arg(long, required_unless_present = "decline", conflicts_with = "decline")]
    grant: bool,
    /// Decline the request; the allocation stays as it is.
    #[arg(long, conflicts_with = "epsilon")]
    decline: bool,
    /// Grant this new total instead of the one asked for.
    #[arg(long)]
    epsilon: Option<String>,
    /// The reason for the decision. It is kept in the ledger and shown to whoever asked.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    place: PlaceOptions,
}

pub(super) fn request(options: &RequestOptions) -> Result<(), CommandFailure> {
    let RequestOptions { dataset, epsilon, reason, server, json } = options;
    let body = json!({"dataset": dataset, "epsilon": epsilon, "reason": reason});
    let filed = server.client().post("/v1/requests", &body)?;
    tell(*json, &filed, || {
        say(format!("request {} asks for epsilon {epsilon} of {dataset}; a steward decides", filed["number"]));
    })
}

pub(super) fn requests(options: &RequestsOptions) -> Result<(), CommandFailure> {
    let place = &options.place;
    let listed = place.steward()?.requests()?;
    tell(place.json, &listed, || {
        let columns = vec![
            TextColumn::number("number"),
            TextColumn::word("at").optional(2),
            TextColumn::word("who"),
            TextColumn::word("dataset"),
            TextColumn::number("epsilon"),
            TextColumn::word("status"),
            TextColumn::text("reason"),
            TextColumn::text("decision").optional(1),
        ];
        say_table(&TextTable::new(columns, listed.iter().cloned().map(request_row)));
    })
}

fn request_row(request: RequestView) -> Vec<String> {
    let RequestView { number, researcher, dataset, epsilon, reason, at, status, decision_reason } = request;
    let (epsilon, status) = (epsilon.to_string(), status.name().to_owned());
    vec![number.to_string(), at, researcher, dataset, epsilon, status, reason, decision_reason.unwrap_or_default()]
}

pub(super) fn decide(options: &DecideOptions) -> Result<(), CommandFailure> {
    let DecideOptions { number, grant, decline, epsilon, reason, place } = options;
    debug_assert!(grant != decline, "exactly one of them is given");
    let epsilon = epsilon.as_deref().map(input::epsilon).transpose()?;
    let decision = if *grant { Decision::Grant { epsilon } } else { Decision::Decline };
    let decided = place.steward()?.decide(*number, decision, reason)?;
    tell(place.json, &decided, || {
        let RequestView { researcher, dataset, status, .. } = &decided;
        say(format!("request {number} of {researcher} on {dataset} is {}", status.name()));
    })
}
