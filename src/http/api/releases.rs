//! GET /v1/releases: lists one's own stored answers; a steward sees all.

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::http::api::response;
use crate::http::auth::Reader;
use crate::http::formats::Wanted;
use crate::http::params::{Page, PageParams, Segment, next_link};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::budget::state::ReleaseRecord;
use crate::query::error::shown;
use crate::service::asking::stored::StoredSummary;
use crate::service::stewarding::accounts::timestamp;
use crate::service::{Service, ServiceError};

/// A stored answer in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReleaseBody {
    release: String,
    dataset: String,
    edition: String,
    /// The question for which the answer was first drawn, as canonical SQL.
    sql: String,
    /// The caller's own question, if they were served an answer to a colleague's with other words.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    researcher: String,
    epsilon: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

/// The parameters of the list of stored answers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReleaseParams {
    /// The largest number of answers to return, from 1 to 1,000; 100 by default.
    limit: Option<String>,
    /// The id of the last answer of the previous page; the first page if absent.
    after: Option<String>,
    /// `oldest` (the default) or `newest`: which answers come first.
    order: Option<String>,
}

impl FromRequestParts<App> for ReleaseParams {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let params = Query::<Self>::from_request_parts(parts, service).await;
        let accepted = "the query string is not valid; accepted are limit, after and order, each once";
        params.map(|Query(params)| params).map_err(|_| Problem::invalid_request(accepted))
    }
}

impl ReleaseParams {
    fn is_newest_first(&self) -> Result<bool, Problem> {
        match self.order.as_deref() {
            None | Some("oldest") => Ok(false),
            Some("newest") => Ok(true),
            Some(other) => {
                let detail = format!("order is \"{}\"; accepted are oldest and newest", shown(other));
                Err(Problem::invalid_request(detail))
            }
        }
    }
}

/// Lists stored answers. `after` is the id of the last release on the previous page.
#[utoipa::path(
    get, path = "/v1/releases", params(ReleaseParams), security(("token" = [])),
    responses((status = 200, body = Vec<ReleaseBody>), (status = 400, body = Problem))
)]
pub async fn list(
    State(service): State<App>,
    Reader(person): Reader,
    params: ReleaseParams,
) -> Result<Response, Problem> {
    let (is_newest, name) = (params.is_newest_first()?, person.name.clone());
    let page = PageParams::new(params.limit, params.after);
    let limit = page.limit()?;
    let list = move |service: &Service| {
        let page = Page::cut(ids(service, &person, page.after.as_deref(), is_newest, limit + 1)?, limit);
        let body = |id: &String| ReleaseBody::of(service, service.stored_summary(id)?, &person);
        let bodies = page.items.iter().map(body).collect::<Result<Vec<_>, ServiceError>>()?;
        let next = page.items.last().filter(|_| page.more).map(String::as_str);
        let path = if is_newest { "/v1/releases?order=newest" } else { "/v1/releases" };
        Ok((next_link(path, next, limit), Json(bodies)).into_response())
    };
    aside::built(&service, &name, list).await?
}

/// The ids of the sealed releases on the page after release `after` that a person may see. For a researcher, they are in the order in which
/// they were served to them.
fn ids(
    service: &Service,
    person: &Person,
    after: Option<&str>,
    is_newest: bool,
    limit: usize,
) -> Result<Vec<String>, Problem> {
    let ids = |seen: &mut dyn Iterator<Item = &ReleaseRecord>| seen.take(limit).map(|card| card.id.clone()).collect();
    let found = read(service.ledger(), |book| match (person.role, is_newest) {
        (Role::Steward, false) => book.servable_after(after).map(|mut seen| ids(&mut seen)),
        (Role::Steward, true) => book.servable_before(after).map(|mut seen| ids(&mut seen)),
        (Role::Researcher | Role::Viewer, false) => {
            book.served_after(&person.name, after).map(|mut seen| ids(&mut seen))
        }
        (Role::Researcher | Role::Viewer, true) => {
            let before = match after {
                Some(id) => book.first_served(&person.name, id)?,
                None => u64::MAX,
            };
            let served = book.served_before(&person.name, before, limit);
            Some(ids(&mut served.into_iter().map(|(_, card)| card)))
        }
    });
    found.ok_or_else(|| Problem::invalid_request("after is not a release that you may see"))
}

impl ReleaseBody {
    /// Researchers see only their own name and purpose, even for an answer that a colleague asked for first. Blocks.
    fn of(service: &Service, stored: StoredSummary, person: &Person) -> Result<Self, ServiceError> {
        let is_seen = person.role == Role::Steward || stored.researcher == person.name;
        let asked = if is_seen { None } else { asked(service, &stored, person)? };
        Ok(Self {
            asked,
            release: stored.release.id,
            dataset: stored.release.subject.dataset,
            edition: stored.release.subject.edition,
            sql: stored.sql,
            researcher: if is_seen { stored.researcher } else { person.name.clone() },
            epsilon: stored.epsilon,
            at: timestamp(stored.at_ms),
            purpose: stored.purpose.filter(|_| is_seen),
        })
    }
}

/// The question of somebody who was served a colleague's answer, if its words differ.
fn asked(service: &Service, stored: &StoredSummary, person: &Person) -> Result<Option<String>, ServiceError> {
    let seq = read(service.ledger(), |book| book.first_served(&person.name, &stored.release.id));
    let served = seq.map(|seq| service.served_by(&person.name, seq)).transpose()?.flatten();
    Ok(served.and_then(|served| served.sql).filter(|sql| *sql != stored.sql))
}

/// Shows one stored answer. It never changes.
///
/// CSV may have words for missing values (`nulls=words`), digits as intervals leave them (`digits=error`) and `#` lines (`about=yes`).
#[utoipa::path(
    get, path = "/v1/releases/{id}", params(("id" = String, Path), ("nulls" = Option<String>, Query), ("digits" = Option<String>, Query), ("about" = Option<String>, Query)), security(("token" = [])),
    responses((status = 200, description = "The stored answer"), (status = 304), (status = 404, body = Problem))
)]
pub async fn one(
    State(service): State<App>,
    Reader(person): Reader,
    Segment(id): Segment,
    address: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = Wanted::negotiate(&headers, &address)?;
    if !service.may_see_release(&person, &id) {
        return Err(Problem::not_found("there is no such release that you may see"));
    }
    let etag = format!("\"{id}-{}\"", wanted.tag());
    let response = match is_known(&headers, &etag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => rendered(&service, person, &id, wanted).await?,
    };
    Ok((immutable(&etag), response).into_response())
}

async fn rendered(service: &App, person: Person, id: &str, wanted: Wanted) -> Result<Response, Problem> {
    let name = person.name.clone();
    let (stored, room) = service.stored_in_room(&name, id, wanted.format.rendering()).await?;
    let encode = move |service: &Service| response::stored(service, &stored, &person, wanted);
    let encoded = service.rendering_in(&room, &name, encode).await??;
    Ok(encoded.response(service, &name, room))
}

/// Whether the caller has the version that the tag names.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == etag || tag == "*")
}

/// Headers of a response that never changes, for the cache of its owner.
fn immutable(etag: &str) -> AppendHeaders<Vec<(HeaderName, HeaderValue)>> {
    let tag = HeaderValue::from_str(etag).map(|tag| (header::ETAG, tag)).into_iter();
    let fixed =
        [(header::CACHE_CONTROL, "private, max-age=31536000, immutable"), (header::VARY, "accept, authorization")];
    AppendHeaders(tag.chain(fixed.map(|(name, value)| (name, HeaderValue::from_static(value)))).collect())
}
