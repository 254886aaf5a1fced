//! GET /v1/ledger: everything that happened.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::auth::Steward;
use crate::http::params::{Page, PageParams, next_link};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::entry::Entry;
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;

/// One entry, with its time as text and its hash.
#[derive(Serialize)]
struct EntryBody<'a> {
    at: String,
    hash: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Lists the ledger's entries, oldest first. `after` is the `seq` of the last entry on the previous page.
#[utoipa::path(
    get, path = "/v1/ledger", params(PageParams), security(("token" = [])),
    responses((status = 200, description = "Entries"), (status = 400, body = Problem))
)]
pub async fn list(
    State(service): State<App>,
    Steward(person): Steward,
    params: PageParams,
) -> Result<Response, Problem> {
    let limit = params.limit()?;
    let after = params.after.as_deref().unwrap_or("0").parse();
    let after: u64 =
        after.map_err(|_| Problem::invalid_request("after is not the seq of an entry; accepted is a whole number"))?;
    aside::built(&service, &person.name, move |service| shown(service, after, limit)).await?
}

fn shown(service: &Service, after: u64, limit: usize) -> Result<Response, Problem> {
    let entries = service.ledger().entries(after, limit + 1);
    let entries = entries.map_err(|_| Problem::overloaded("the ledger could not be read"))?;
    let page = Page::cut(entries, limit);
    let next = page.items.last().filter(|_| page.more).map(|entry| entry.seq.to_string());
    let bodies: Vec<_> = page
        .items
        .iter()
        .map(|entry| EntryBody {
            at: timestamp(entry.at_ms),
            hash: hex::encode(Entry::hash(&entry.canonical_bytes())),
            entry,
        })
        .collect();
    Ok((next_link("/v1/ledger", next.as_deref(), limit), Json(bodies)).into_response())
}
