//! /v1/statistics: published statistics. Reading them never spends.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::auth::{ByAddress, Reading, Steward};
use crate::http::cache::Rendered;
use crate::http::forms::{self, FileForm, StatisticForm};
use crate::http::params::{PageParams, Segment, page};
use crate::http::problem::Problem;
use crate::http::sent::{Asked, challenged, respond};
use crate::http::shared::Shared;
use crate::http::{App, aside, cors};
use crate::kernel::budget::people::Person;
use crate::query::error::shown;
use crate::service::Service;
use crate::service::access::Sight;
use crate::service::publishing::statistics::Statistic;
use crate::service::stewarding::accounts::timestamp;

/// A statistic in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct StatisticBody {
    name: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    dataset: String,
    /// `never`, `daily`, `weekly`, `monthly` or `on-new-edition`.
    refresh: &'static str,
    public: bool,
    /// `bar`, `line`, `table` or `none`.
    chart: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// The largest price of each draw, as ε.
    epsilon: String,
    /// The release that is shown; null before the first one.
    release: Option<String>,
    released_at: Option<String>,
    /// The time when its next period begins.
    next_refresh: Option<String>,
    /// Whether something newer than what is shown was due and was not drawn, or waits for a steward.
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_reason: Option<String>,
    /// `confirmed`, `new` (never drawn), `changed` (another question than the one that was confirmed) or `dearer` (than what was
    /// confirmed). Nothing is drawn for a statistic that is not confirmed.
    standing: &'static str,
}

impl StatisticBody {
    /// Describes a statistic in its present state.
    pub fn of(service: &Service, statistic: &Statistic) -> Self {
        let state = service.state_of(statistic);
        let (stale_reason, standing) = (state.stale().map(str::to_owned), state.agreement.name());
        let (release, at_ms) = state.shown.unzip();
        Self {
            name: statistic.name.clone(),
            title: state.face.title,
            description: state.face.description,
            dataset: statistic.dataset.clone(),
            refresh: statistic.refresh.name(),
            public: state.face.is_public,
            chart: state.face.shape.name(),
            unit: state.face.unit,
            epsilon: statistic.epsilon.to_string(),
            release,
            released_at: at_ms.map(timestamp),
            next_refresh: state.next_ms.map(timestamp),
            stale: stale_reason.is_some(),
            stale_reason,
            standing,
        }
    }
}

/// Lists the published statistics that the caller may read; without a token, those that are public.
///
/// Stewards also see those that wait for their confirmation.
#[utoipa::path(
    get, path = "/v1/statistics", params(PageParams), security(("token" = []), ()),
    responses((status = 200, body = Vec<StatisticBody>), (status = 400, body = Problem))
)]
pub async fn list(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Reading(person): Reading,
    headers: HeaderMap,
    params: PageParams,
) -> Result<Response, Problem> {
    let (who, is_nobody) = (name_of(person.as_ref()).to_owned(), person.is_none());
    let list = move |service: &Service| {
        let is_seen = |statistic: &&Statistic| service.sight(statistic, person.as_ref()) != Sight::Hidden;
        let seen = service.statistics().filter(is_seen).collect();
        let body = |statistic: &Statistic| StatisticBody::of(service, statistic);
        page(seen, |statistic| statistic.name.clone(), body, "/v1/statistics", &params)
    };
    let mut response = aside::built(&service, &who, list).await??;
    let is_open = is_nobody || headers.contains_key(header::AUTHORIZATION);
    cors::open(&shared.settings, &headers, is_open, response.headers_mut());
    Ok(response)
}

/// Shows one statistic. Its form is chosen by the path's ending, by `format`, or else by `Accept`.
///
/// The endings are `.json`, `.csv`, `.xlsx`, `.arrow`, `.feather`, `.parquet`, `.svg`, `.png`, `.vl.json` and `.txt`, and `format` takes them
/// without the point. `Range` asks for a part, and `HEAD` for the headers. CSV may have words for missing values (`nulls=words`), digits as
/// intervals leave them (`digits=error`) and `#` lines that say where it came from (`about=yes`).
#[utoipa::path(
    get, path = "/v1/statistics/{name}", params(("name" = String, Path), ("format" = Option<String>, Query), ("nulls" = Option<String>, Query), ("digits" = Option<String>, Query), ("about" = Option<String>, Query)), security(("token" = []), ()),
    responses((status = 200, description = "The statistic"), (status = 206, description = "A part of it"), (status = 304), (status = 404, body = Problem), (status = 416, description = "The range lies beyond its end"))
)]
pub async fn one(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    reader: Result<ByAddress, Problem>,
    Segment(name): Segment,
    asked: Asked,
) -> Response {
    let read = match reader {
        Ok(reader) => read(&service, &shared, &reader, &name, &asked).await,
        Err(problem) => Err(problem),
    };
    let mut response = read.unwrap_or_else(|problem| challenged(problem.into_response(), &asked.headers));
    let out = response.headers_mut();
    // This route bypasses the layers that other routes have, because it is read so often.
    out.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    shared.counts.note(&response);
    response
}

async fn read(
    service: &App,
    shared: &Arc<Shared>,
    reader: &ByAddress,
    path: &str,
    asked: &Asked,
) -> Result<Response, Problem> {
    let (name, form) = forms::wanted(path, &asked.headers, &asked.address)?;
    let person = reader.person.as_ref();
    let (rendered, is_public) = rendered(service, shared, person, name, StatisticForm::File(form)).await?;
    let mut response = respond(&rendered, asked, caching(is_public));
    cors::open(&shared.settings, &asked.headers, is_public || reader.is_open(&asked.headers), response.headers_mut());
    Ok(response)
}

/// Who may keep a statistic: for a minute, after which they must ask whether it is still current.
pub fn caching(is_public: bool) -> &'static str {
    if is_public { "public, max-age=60" } else { "private, max-age=60" }
}

/// Draws a new release, charges it to the statistics account, and shows it.
///
/// A statistic that waits for a steward's confirmation is not drawn.
#[utoipa::path(
    post, path = "/v1/statistics/{name}/refresh", params(("name" = String, Path)), security(("token" = [])),
    responses((status = 200, body = StatisticBody), (status = 403, body = Problem), (status = 404, body = Problem))
)]
pub async fn refresh(
    State(service): State<App>,
    _steward: Steward,
    Segment(name): Segment,
) -> Result<Json<StatisticBody>, Problem> {
    service.refresh(&name).await?;
    let statistic = service.statistic(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(StatisticBody::of(&service, statistic)))
}

/// The name of the person in whose turn a statistic is read; `""` for nobody in particular.
pub fn name_of(person: Option<&Person>) -> &str {
    person.map_or("", |person| person.name.as_str())
}

/// The bytes of a statistic that a person may read, and whether everybody may read it.
pub async fn rendered(
    service: &App,
    shared: &Arc<Shared>,
    person: Option<&Person>,
    name: &str,
    form: StatisticForm,
) -> Result<(Arc<Rendered>, bool), Problem> {
    // Nobody is told that a statistic exists which they may not read.
    let refused = || if person.is_some() { unknown(name) } else { Problem::unauthenticated() };
    let statistic = service.statistic(name).ok_or_else(refused)?;
    let (version, is_public) = match service.sight(statistic, person) {
        Sight::Hidden => return Err(refused()),
        Sight::Waiting => return Err(waiting(name)),
        Sight::Nothing => return Err(not_yet(service, statistic, form)),
        Sight::Shown { version, is_public } => (version, is_public),
    };
    if let Some(found) = shared.shelf.found(&statistic.name, version, form) {
        return found.map(|found| (found, is_public)).ok_or_else(|| not_yet(service, statistic, form));
    }
    let who = name_of(person);
    let room = service.room_of_statistic(who, statistic, form.rendering()).await?;
    let (wanted, shelf, taken) = (name.to_owned(), Arc::clone(shared), room.clone());
    let render = move |service: &Service| match service.statistic(&wanted) {
        Some(statistic) => shelf.shelf.render(service, statistic, (version, form), taken),
        None => Ok(None),
    };
    let made = service.rendering_in(&room, who, render).await??;
    made.map(|made| (made, is_public)).ok_or_else(|| not_yet(service, statistic, form))
}

/// The problem for a steward whose confirmation a statistic waits for.
fn waiting(name: &str) -> Problem {
    Problem::not_found("the statistic is not released yet: it waits for a steward to confirm its price").hint(format!(
        "look at it with tacit statistics check, and publish it with tacit statistics publish {name}, or at /statistics/{name}/draw"
    ))
}

/// The problem that there is no such statistic. It is the same if the statistic exists but the caller may not read it.
pub fn unknown(name: &str) -> Problem {
    Problem::not_found(format!("there is no statistic \"{}\" that you may read", shown(name)))
}

fn not_yet(service: &App, statistic: &Statistic, form: StatisticForm) -> Problem {
    let state = service.state_of(statistic);
    match (state.shown, state.skipped) {
        (Some(_), _) => {
            let problem = Problem::not_found(format!("the statistic has nothing to show as {}", form.name()));
            let is_picture = form == StatisticForm::File(FileForm::Png);
            if is_picture { problem.hint("a chart with very many groups is drawn as SVG alone") } else { problem }
        }
        (None, Some((_, why))) => Problem::not_found(format!("the statistic is not released yet: {why}")),
        (None, None) => Problem::not_found("the statistic is not released yet"),
    }
}
