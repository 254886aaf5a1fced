//! GET /v1/releases: stored answers, one's own; a steward sees all.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::auth::Reader;
use super::encode::{self, Format, timestamp};
use super::params::{Page, PageParams, Segment, next_link};
use super::problem::Problem;
use crate::budget::book::Progress;
use crate::budget::ledger::read;
use crate::budget::people::{Person, Role};
use crate::service::stored::Summary;

/// One stored answer in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReleaseBody {
    release: String,
    dataset: String,
    edition: String,
    sql: String,
    researcher: String,
    epsilon: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

/// Lists stored answers, oldest first; `after` is a release's id.
#[utoipa::path(
    get, path = "/v1/releases", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<ReleaseBody>), (status = 400, body = Problem))
)]
pub async fn list(State(service): State<App>, Reader(person): Reader, params: PageParams) -> Result<Response, Problem> {
    let limit = params.limit()?;
    let page = Page::cut(ids(&service, &person, params.after.as_deref(), limit + 1)?, limit);
    let (loading, wanted) = (service.clone(), page.items.clone());
    let load = move || wanted.iter().map(|id| loading.stored_summary(id)).collect::<Result<Vec<_>, _>>();
    let stored = tokio::task::spawn_blocking(load).await.map_err(|_| Problem::overloaded("the list was cut off"))??;
    let bodies: Vec<_> = stored.into_iter().map(ReleaseBody::from).collect();
    let next = page.items.last().filter(|_| page.more).map(String::as_str);
    Ok((next_link("/v1/releases", next, limit), Json(bodies)).into_response())
}

/// Ids of the sealed releases that a person may see after release `after`, oldest first.
fn ids(service: &App, person: &Person, after: Option<&str>, limit: usize) -> Result<Vec<String>, Problem> {
    read(service.ledger(), |book| {
        let mine = |researcher: &str| may_see(person, researcher);
        let after = match after {
            None => 0,
            Some(id) => book
                .release(id)
                .filter(|card| mine(&card.researcher))
                .map(|card| card.seq)
                .ok_or_else(|| Problem::invalid_request("after is no release that you may see"))?,
        };
        let sealed = book.releases_after(after).filter(|(_, card)| card.progress == Progress::Sealed);
        Ok(sealed.filter(|(_, card)| mine(&card.researcher)).take(limit).map(|(id, _)| id.clone()).collect())
    })
}

impl From<Summary> for ReleaseBody {
    fn from(stored: Summary) -> Self {
        Self {
            release: stored.release.id,
            dataset: stored.release.subject.dataset,
            edition: stored.release.subject.edition,
            sql: stored.sql,
            researcher: stored.researcher,
            epsilon: stored.epsilon,
            at: timestamp(stored.at_ms),
            purpose: stored.purpose,
        }
    }
}

/// Shows one stored answer; it never changes.
#[utoipa::path(
    get, path = "/v1/releases/{id}", params(("id" = String, Path)), security(("token" = [])),
    responses((status = 200, description = "The stored answer"), (status = 304), (status = 404, body = Problem))
)]
pub async fn one(
    State(service): State<App>,
    Reader(person): Reader,
    Segment(id): Segment,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = Format::negotiate(&headers)?;
    let seen = read(service.ledger(), |book| {
        book.release(&id).is_some_and(|card| card.progress == Progress::Sealed && may_see(&person, &card.researcher))
    });
    if !seen {
        return Err(Problem::not_found("there is no such release that you may see"));
    }
    let etag = format!("\"{id}-{format:?}\"").to_lowercase();
    let response = if is_known(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let load = move || service.stored_answer(&id).map(|stored| encode::stored(&stored, format));
        tokio::task::spawn_blocking(load).await.map_err(|_| Problem::overloaded("the release was cut off"))??
    };
    Ok((immutable(&etag), response).into_response())
}

/// Whether the caller holds what the tag names.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == etag || tag == "*")
}

/// Headers of what never changes, for its owner's own cache.
fn immutable(etag: &str) -> AppendHeaders<Vec<(HeaderName, HeaderValue)>> {
    let tag = HeaderValue::from_str(etag).map(|tag| (header::ETAG, tag)).into_iter();
    let fixed =
        [(header::CACHE_CONTROL, "private, max-age=31536000, immutable"), (header::VARY, "accept, authorization")];
    AppendHeaders(tag.chain(fixed.map(|(name, value)| (name, HeaderValue::from_static(value)))).collect())
}

fn may_see(person: &Person, researcher: &str) -> bool {
    match person.role {
        Role::Steward => true,
        Role::Researcher => person.name == researcher,
        Role::Viewer => false,
    }
}
