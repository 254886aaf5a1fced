//! `tacit request`, `requests` and `decide`: researchers ask a server for budget; stewards decide there, or on a state directory
//! while no server runs on it.

use clap::Args;
use serde_json::{Value, json};

use super::people::{Place, open};
use super::{Failure, ServerOptions};
use crate::client::Client;
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::stewarding::people::AT_STATE_DIRECTORY;
use crate::service::stewarding::requests::{self, Decision};
use crate::terminal::{say, table};

/// Items per page: the most that a server sends at once.
const PAGE: usize = 1_000;

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
    place: Place,
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
    place: Place,
}

pub(super) fn request(options: &RequestOptions) -> Result<(), Failure> {
    let RequestOptions { dataset, epsilon, reason, server, json } = options;
    let body = json!({"dataset": dataset, "epsilon": epsilon, "reason": reason});
    let filed = server.client().post("/v1/requests", &body)?;
    if *json {
        say(filed.to_string());
    } else {
        say(format!("request {} asks for epsilon {epsilon} of {dataset}; a steward decides", filed["number"]));
    }
    Ok(())
}

pub(super) fn requests(options: &RequestsOptions) -> Result<(), Failure> {
    let place = &options.place;
    let listed = match &place.state {
        Some(state) => serde_json::to_value(requests::requests(&open(state)?, None)).map_err(Failure::could)?,
        None => all_requests(&place.server.client())?,
    };
    if place.json {
        say(listed.to_string());
        return Ok(());
    }
    let header = ["number", "at", "who", "dataset", "epsilon", "status", "reason", "decision"].map(str::to_owned);
    say(table(&header, &listed.as_array().into_iter().flatten().map(request_row).collect::<Vec<_>>()));
    Ok(())
}

fn request_row(request: &Value) -> Vec<String> {
    let keys = ["at", "researcher", "dataset", "epsilon", "status", "reason", "decision_reason"];
    let mut row = vec![request["number"].to_string()];
    row.extend(keys.map(|key| request[key].as_str().unwrap_or("").to_owned()));
    row
}

/// Fetches every page of the requests.
fn all_requests(client: &Client) -> Result<Value, Failure> {
    let mut requests: Vec<Value> = Vec::new();
    let mut path = format!("/v1/requests?limit={PAGE}");
    loop {
        let page = client.get(&path)?.as_array().cloned().unwrap_or_default();
        let full = page.len() == PAGE;
        requests.extend(page);
        let Some(last) = requests.last().filter(|_| full) else { return Ok(Value::from(requests)) };
        path = format!("/v1/requests?limit={PAGE}&after={}", last["number"]);
    }
}

pub(super) fn decide(options: &DecideOptions) -> Result<(), Failure> {
    let DecideOptions { number, grant, decline, epsilon, reason, place } = options;
    debug_assert!(grant != decline, "exactly one of them is given");
    let decided = match &place.state {
        Some(state) => {
            let epsilon = epsilon.as_deref().map(Epsilon::parse).transpose();
            let epsilon = epsilon.map_err(|fault| Failure::Usage(format!("--epsilon: {fault}")))?;
            let decision = if *grant { Decision::Grant { epsilon } } else { Decision::Decline };
            let ledger = open(state)?;
            requests::decide(&ledger, *number, decision, reason, AT_STATE_DIRECTORY, SystemClock.now_ms())
                .map_err(Failure::from)?;
            serde_json::to_value(requests::request(&ledger, *number)).map_err(Failure::could)?
        }
        None => {
            let body = json!({"granted": grant, "epsilon": epsilon, "reason": reason});
            place.server.client().post(&format!("/v1/requests/{number}/decide"), &body)?
        }
    };
    if place.json {
        say(decided.to_string());
    } else {
        let text = |key: &str| decided[key].as_str().unwrap_or("?").to_owned();
        say(format!("request {number} of {} on {} is {}", text("researcher"), text("dataset"), text("status")));
    }
    Ok(())
}
