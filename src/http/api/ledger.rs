//! GET /v1/ledger: everything that happened, or what a search finds of it.

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::http::auth::Steward;
use crate::http::entry_rows::{csv_lines, titles};
use crate::http::params::{Page, PageParams, next_link};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::entry::Entry;
use crate::query::error::shown;
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::entries::{EntrySearch, SearchText, page_after};

/// The parameters that choose entries: those of the console's page, with the page of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LedgerParams {
    /// The largest number of entries to return, from 1 to 1,000; 100 by default.
    limit: Option<String>,
    /// The `seq` of the last entry of the previous page; the first page if absent.
    after: Option<String>,
    /// The name of somebody who acted or whom an act concerns.
    person: Option<String>,
    /// The name of the dataset that an act is about.
    dataset: Option<String>,
    /// The kind of act, like `granted`.
    act: Option<String>,
    /// The first day in UTC, like `2026-03-01`.
    from: Option<String>,
    /// The last day in UTC, like `2026-03-31`.
    to: Option<String>,
    /// `json` or `csv`; the header `Accept` may say so instead. CSV tells each act in words, with its question and its price.
    format: Option<String>,
}

impl FromRequestParts<App> for LedgerParams {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let params = Query::<Self>::from_request_parts(parts, service).await;
        let accepted = "accepted are limit, after, person, dataset, act, from, to and format, each once";
        let wrong = || Problem::invalid_request(format!("the query string is not valid; {accepted}"));
        params.map(|Query(params)| params).map_err(|_| wrong())
    }
}

impl LedgerParams {
    fn search(&self) -> Result<EntrySearch, Problem> {
        let text = |given: &Option<String>| given.clone().unwrap_or_default().trim().to_owned();
        let [act, person, dataset, from, to] = [&self.act, &self.person, &self.dataset, &self.from, &self.to].map(text);
        let sought = SearchText { act: &act, person: &person, dataset: &dataset, from: &from, to: &to, words: "" };
        EntrySearch::read(&sought).map_err(|fault| Problem::invalid_request(fault.to_string()))
    }

    /// The address of the list with this search, without its page.
    fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("person", &self.person),
            ("dataset", &self.dataset),
            ("act", &self.act),
            ("from", &self.from),
            ("to", &self.to),
            ("format", &self.format),
        ];
        query.extend_pairs(fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        match query.finish() {
            search if search.is_empty() => "/v1/ledger".to_owned(),
            search => format!("/v1/ledger?{search}"),
        }
    }

    /// Whether entries are asked for as CSV.
    fn is_csv(&self, headers: &HeaderMap) -> Result<bool, Problem> {
        match self.format.as_deref() {
            Some("csv") => Ok(true),
            Some("json") => Ok(false),
            Some(other) => {
                let detail = format!("format is \"{}\"; accepted are json and csv", shown(other));
                Err(Problem::invalid_request(detail))
            }
            None => accepts_csv(headers),
        }
    }
}

/// Whether `Accept` names CSV before JSON. Without the header it is JSON.
fn accepts_csv(headers: &HeaderMap) -> Result<bool, Problem> {
    let values: Vec<_> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let types = values.iter().flat_map(|value| value.split(','));
    let mut types = types.map(|one| one.split(';').next().unwrap_or("").trim());
    let known = |one: &str| match one {
        "text/csv" | "text/*" => Some(true),
        "application/json" | "application/*" | "*/*" => Some(false),
        _ => None,
    };
    match types.find_map(known) {
        Some(is_csv) => Ok(is_csv),
        None if values.is_empty() => Ok(false),
        None => Err(Problem::not_acceptable()),
    }
}

/// One entry, with its time as text and its hash.
#[derive(Serialize)]
struct EntryBody<'a> {
    at: String,
    hash: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Lists the ledger's entries, oldest first, or those that match a search. `after` is the `seq` of the last entry on the previous page.
#[utoipa::path(
    get, path = "/v1/ledger", params(LedgerParams), security(("token" = [])),
    responses((status = 200, description = "Entries, as JSON or as CSV"), (status = 400, body = Problem))
)]
pub async fn list(
    State(service): State<App>,
    Steward(person): Steward,
    headers: HeaderMap,
    params: LedgerParams,
) -> Result<Response, Problem> {
    let page = PageParams::new(params.limit.clone(), params.after.clone());
    let (limit, is_csv, search) = (page.limit()?, params.is_csv(&headers)?, params.search()?);
    let after = page.after.as_deref().unwrap_or("0").parse();
    let after: u64 =
        after.map_err(|_| Problem::invalid_request("after is not the seq of an entry; accepted is a whole number"))?;
    let address = params.address();
    let list = move |service: &Service| {
        let unread = |_| Problem::overloaded("the ledger could not be read");
        let entries = page_after(service.ledger(), &search, after, limit + 1).map_err(unread)?;
        let page = Page::cut(entries, limit);
        let next = page.items.last().filter(|_| page.more).map(|entry| entry.seq.to_string());
        let body = if is_csv { csv(service, &page.items)? } else { json(&page.items) };
        Ok((next_link(&address, next.as_deref(), limit), body).into_response())
    };
    aside::built(&service, &person.name, list).await?
}

fn csv(service: &Service, entries: &[Entry]) -> Result<Response, Problem> {
    let lines = csv_lines(service, entries, &titles(service), true);
    let lines = lines.map_err(|_| Problem::overloaded("the ledger could not be read"))?;
    Ok(([(header::CONTENT_TYPE, "text/csv")], lines).into_response())
}

fn json(entries: &[Entry]) -> Response {
    let bodies: Vec<_> = entries
        .iter()
        .map(|entry| EntryBody {
            at: timestamp(entry.at_ms),
            hash: hex::encode(Entry::hash(&entry.canonical_bytes())),
            entry,
        })
        .collect();
    Json(bodies).into_response()
}
