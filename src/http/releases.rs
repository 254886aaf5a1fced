//! GET /v1/releases: stored answers, one's own; a steward sees all.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::auth::Reader;
use super::encode::{self, Format, timestamp};
use super::params::{Page, PageParams, Segment, next_link};
use super::problem::Problem;
use crate::budget::book::Progress;
use crate::budget::ledger::read;
use crate::budget::people::{Person, Role};

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
    let (after, ids) = read(service.ledger(), |book| {
        let after = match &params.after {
            None => Some(0),
            Some(id) => book.release(id).filter(|card| may_see(&person, &card.researcher)).map(|card| card.seq),
        };
        let seen = book
            .releases_after(after.unwrap_or(u64::MAX - 1))
            .filter(|(_, card)| card.progress == Progress::Sealed && may_see(&person, &card.researcher));
        (after, seen.take(limit + 1).map(|(id, _)| id.clone()).collect::<Vec<_>>())
    });
    if after.is_none() {
        return Err(Problem::invalid_request("after is no release that you may see"));
    }
    let loading = service.clone();
    let page = Page::cut(ids, limit);
    let ids = page.items.clone();
    let load = move || ids.iter().map(|id| loading.stored_summary(id)).collect::<Result<Vec<_>, _>>();
    let stored = tokio::task::spawn_blocking(load).await.map_err(|_| Problem::overloaded("the list was cut off"))??;
    let bodies: Vec<_> = stored
        .iter()
        .map(|one| ReleaseBody {
            release: one.release.id.clone(),
            dataset: one.release.subject.dataset.clone(),
            edition: one.release.subject.edition.clone(),
            sql: one.sql.clone(),
            researcher: one.researcher.clone(),
            epsilon: one.accountant.epsilon_spent(one.release.price).to_string(),
            at: timestamp(one.at_ms),
            purpose: one.purpose.clone(),
        })
        .collect();
    let next = page.more.then(|| page.items.last().cloned()).flatten();
    Ok((next_link("/v1/releases", next.as_deref(), limit), Json(bodies)).into_response())
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
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known
        .flat_map(|value| value.split(','))
        .any(|tag| matches!(tag.trim().trim_start_matches("W/"), tag if tag == etag || tag == "*"));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let load = move || service.stored_answer(&id);
        let stored =
            tokio::task::spawn_blocking(load).await.map_err(|_| Problem::overloaded("the release was cut off"))??;
        encode::stored(&stored, format)
    };
    // Unwrap safety: a sealed release's id is plain ASCII.
    response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&etag).expect("an id is plain ASCII"));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, authorization"));
    Ok(response)
}

fn may_see(person: &Person, researcher: &str) -> bool {
    match person.role {
        Role::Steward => true,
        Role::Researcher => person.name == researcher,
        Role::Viewer => false,
    }
}
