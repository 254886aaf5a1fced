//! Path segments and paging parameters, with error messages in our own words.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::problem::Problem;

/// The largest number of items on a page.
const LIMIT_MAX: usize = 1_000;
const LIMIT_DEFAULT: usize = 100;

/// The only variable segment of a path.
pub struct Segment(pub String);

impl FromRequestParts<App> for Segment {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let segment = Path::<String>::from_request_parts(parts, service).await;
        segment.map(|Path(text)| Self(text)).map_err(|_| Problem::invalid_request("the path is not UTF-8"))
    }
}

/// The two variable segments of a path.
pub struct TwoSegments(pub String, pub String);

impl FromRequestParts<App> for TwoSegments {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let segments = Path::<(String, String)>::from_request_parts(parts, service).await;
        let wrong = |_| Problem::invalid_request("the path is not UTF-8");
        segments.map(|Path((first, second))| Self(first, second)).map_err(wrong)
    }
}

/// The parameters that choose a page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The largest number of items to return, from 1 to 1,000; 100 by default.
    limit: Option<String>,
    /// The last item of the previous page; the first page if absent.
    pub after: Option<String>,
}

impl FromRequestParts<App> for PageParams {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let params = Query::<Self>::from_request_parts(parts, service).await;
        let wrong =
            || Problem::invalid_request("the query string is not valid; accepted are limit and after, each once");
        params.map(|Query(params)| params).map_err(|_| wrong())
    }
}

impl PageParams {
    /// The parameters as they stand in an address with others.
    pub fn new(limit: Option<String>, after: Option<String>) -> Self {
        Self { limit, after }
    }

    /// The largest number of items, 100 by default.
    pub fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = &self.limit else { return Ok(LIMIT_DEFAULT) };
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| {
            let shown = crate::query::error::shown(text);
            Problem::invalid_request(format!("limit is \"{shown}\"; accepted is 1 to {LIMIT_MAX}"))
        })
    }
}

/// One page of a list.
pub struct Page<T> {
    /// The items on this page.
    pub items: Vec<T>,
    /// Whether more items follow.
    pub more: bool,
}

impl<T> Page<T> {
    /// Cuts `items` to `limit`. Pass one item more than the limit, so that it is known whether more follow.
    pub fn cut(mut items: Vec<T>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}

/// The response for one page of a list that is in memory, sorted by name. `after` is
/// the last name of the previous page. Only the items shown are turned into bodies.
pub fn page<T, B: serde::Serialize>(
    items: Vec<T>,
    name: impl Fn(&T) -> String,
    body: impl Fn(T) -> B,
    path: &str,
    params: &PageParams,
) -> Result<Response, Problem> {
    let limit = params.limit()?;
    let rest: Vec<T> = match &params.after {
        None => items,
        Some(after) => match items.iter().position(|item| name(item) == *after) {
            Some(place) => items.into_iter().skip(place + 1).collect(),
            None => return Err(Problem::invalid_request("after names nothing in this list")),
        },
    };
    let page = Page::cut(rest, limit);
    let next = page.items.last().filter(|_| page.more).map(name);
    let bodies: Vec<B> = page.items.into_iter().map(body).collect();
    Ok((next_link(path, next.as_deref(), limit), Json(bodies)).into_response())
}

/// The header `Link: <…>; rel="next"`, if there is a next page.
pub fn next_link(
    path: &str,
    after: Option<&str>,
    limit: usize,
) -> axum::response::AppendHeaders<Vec<(HeaderName, HeaderValue)>> {
    let begins = if path.contains('?') { '&' } else { '?' };
    let link = after.map(|after| format!("<{path}{begins}limit={limit}&after={after}>; rel=\"next\""));
    let link = link.and_then(|link| HeaderValue::from_str(&link).ok());
    axum::response::AppendHeaders(link.map(|link| (header::LINK, link)).into_iter().collect())
}
