//! GET /v1/releases: lists one's own stored answers; a steward sees all.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::statistics::caching;
use crate::http::api::response;
use crate::http::auth::{ByAddress, Reader, with_role};
use crate::http::formats::Wanted;
use crate::http::forms::{self, FileForm};
use crate::http::params::{Page, PageParams, Segment, next_link};
use crate::http::problem::Problem;
use crate::http::sent::{Asked, challenged, is_known, respond};
use crate::http::shared::Shared;
use crate::http::{App, answer_files, aside, cors};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::budget::state::ReleaseRecord;
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
                let detail =
                    format!("order is \"{}\"; accepted are oldest and newest", crate::query::error::shown(other));
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

/// Shows one stored answer, which never changes. Its form is chosen by the path's ending, by `format`, or else by `Accept`.
///
/// The endings are `.json`, `.csv`, `.xlsx`, `.arrow`, `.feather`, `.parquet`, `.svg`, `.png`, `.vl.json` and `.txt`, and `format` takes them
/// without the point. `Range` asks for a part, and `HEAD` for the headers. CSV may have words for missing values (`nulls=words`), digits as
/// intervals leave them (`digits=error`) and `#` lines (`about=yes`).
#[utoipa::path(
    get, path = "/v1/releases/{id}", params(("id" = String, Path), ("format" = Option<String>, Query), ("nulls" = Option<String>, Query), ("digits" = Option<String>, Query), ("about" = Option<String>, Query)), security(("token" = [])),
    responses((status = 200, description = "The stored answer"), (status = 206, description = "A part of it"), (status = 304), (status = 404, body = Problem), (status = 416, description = "The range lies beyond its end"))
)]
pub async fn one(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    reader: Result<ByAddress, Problem>,
    Segment(name): Segment,
    asked: Asked,
) -> Response {
    let read = match reader {
        Ok(reader) => shown(&service, &shared, reader, &name, &asked).await,
        Err(problem) => Err(problem),
    };
    read.unwrap_or_else(|problem| challenged(problem.into_response(), &asked.headers))
}

async fn shown(
    service: &App,
    shared: &Shared,
    reader: ByAddress,
    path: &str,
    asked: &Asked,
) -> Result<Response, Problem> {
    let (is_open, by_link) = (reader.is_open(&asked.headers), reader.by_link);
    let person = with_role(reader.person.ok_or_else(Problem::unauthenticated)?, &[Role::Researcher, Role::Steward])?;
    let (id, form) = forms::wanted(path, &asked.headers, &asked.address)?;
    if !service.may_see_release(&person, id) {
        return Err(Problem::not_found("there is no such release that you may see"));
    }
    let etag = answer_files::etag(id, form);
    let mut response = match form {
        _ if is_known(&asked.headers, &etag) => StatusCode::NOT_MODIFIED.into_response(),
        // A table that is read once, from its first byte on, is written while it is read.
        FileForm::Answer(wanted) if !asked.needs_whole() => written(service, person, id, wanted).await?,
        form => {
            let file = answer_files::rendered(service, shared, &person, id, form).await?;
            respond(&file, asked, IMMUTABLE)
        }
    };
    let out = response.headers_mut();
    name_it(out, id, &etag);
    // A copy must not outlive the link.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(if by_link { caching(false) } else { IMMUTABLE }));
    cors::open(&shared.settings, &asked.headers, is_open, out);
    Ok(response)
}

/// How long its owner may keep an answer: for good.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

async fn written(service: &App, person: Person, id: &str, wanted: Wanted) -> Result<Response, Problem> {
    let name = person.name.clone();
    let (stored, room) = service.stored_in_room(&name, id, wanted.format.rendering()).await?;
    let encode = move |service: &Service| response::stored(service, &stored, &person, wanted);
    let encoded = service.rendering_in(&room, &name, encode).await??;
    Ok(encoded.response(service, &name, room))
}

/// Adds the headers that every response for an answer has.
fn name_it(out: &mut HeaderMap, id: &str, etag: &str) {
    for (name, value) in [(RELEASE, id), (header::ETAG, etag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    }
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie, origin"));
}

/// The header that names the release of an answer.
const RELEASE: HeaderName = HeaderName::from_static("tacit-release");
