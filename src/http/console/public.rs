//! Pages for reading: assets, published statistics and datasets; and the form for signing in.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{PreEscaped, html};
use serde::Deserialize;

use super::places::{FORM, local, see};
use super::shown::{AddressParams, Shown, aside};
use crate::http::App;
use crate::http::api::datasets::cap;
use crate::http::api::statistics::{caching, rendered};
use crate::http::cache::Rendered;
use crate::http::console::pages::{datasets as pages, sign_in as entrance};
use crate::http::forms::StatisticForm;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::sent::{Asked, respond};
use crate::http::shared::Shared;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::Role;
use crate::render::assets;
use crate::service::Service;

/// Query parameters that say why somebody was sent to sign in, and where they go on.
#[derive(Deserialize)]
pub struct SignInParams {
    ended: Option<String>,
    next: Option<String>,
}

/// GET /sign-in: the form for signing in. Whoever has done so in another tab goes on at once.
pub async fn sign_in(visitor: Visitor, AddressParams(params): AddressParams<SignInParams>) -> Response {
    let next = params.next.as_deref().and_then(local);
    if let (Some(_), Some(next)) = (&visitor.person, next) {
        return see(next);
    }
    let ended = params.ended.map(|why| match why.as_str() {
        FORM => "Your session had ended when you sent the form, so nothing was changed. Sign in, and fill it in again.",
        _ => "Your session has ended. Nothing was changed; sign in again.",
    });
    visitor.page("Sign in", "/sign-in", &entrance::page(ended, next))
}

/// GET /assets/{name}: a static file, which never changes under its versioned address. It is the same for everybody and holds no secret, so
/// it may be compressed; pages are not, because the size of a compressed page would tell of the secrets in it.
pub async fn asset(visitor: Visitor, Segment(name): Segment, headers: HeaderMap) -> Shown {
    let asset = assets::ALL.into_iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| visitor.fail(Problem::not_found("there is no such file")))?;
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    Ok(match asset.compressed().filter(|_| takes_gzip(&headers)) {
        Some(bytes) => (fixed, [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))], bytes).into_response(),
        None => (fixed, asset.bytes).into_response(),
    })
}

/// Whether a browser says that it reads gzip. One that says so with conditions is sent the plain file.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("gzip"))
}

/// Whether a page is asked for to be shown within another one.
fn is_for_frame(headers: &HeaderMap) -> bool {
    let dest = headers.get("sec-fetch-dest").and_then(|dest| dest.to_str().ok());
    dest.is_some_and(|dest| matches!(dest, "iframe" | "frame" | "embed" | "object"))
}

/// GET /s/{name}: a statistic as a page: within the console for who is signed in, with the way to the gallery for everybody else, and by itself
/// within pages of other sites.
pub async fn statistic(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    visitor: Visitor,
    Segment(name): Segment,
    asked: Asked,
) -> Shown {
    let form = match (is_for_frame(&asked.headers), &visitor.person) {
        (true, _) => StatisticForm::Embedded,
        (false, Some(_)) => StatisticForm::Article,
        (false, None) => StatisticForm::Page,
    };
    let rendered = rendered(&service, &shared, visitor.person.as_ref(), &name, form).await;
    let (rendered, is_public) = rendered.map_err(|problem| visitor.fail(problem))?;
    if form == StatisticForm::Article {
        return Ok(in_console(&service, &visitor, &name, &rendered));
    }
    let mut response = respond(&rendered, &asked, caching(is_public));
    let origins = if is_public { shared.settings.origins.join(" ") } else { String::new() };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' {origins}"
    );
    if let Ok(policy) = HeaderValue::from_str(policy.trim()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let vary = "accept, authorization, cookie, origin, sec-fetch-dest";
    response.headers_mut().insert(header::VARY, HeaderValue::from_static(vary));
    Ok(response)
}

/// A statistic in the frame of the console, with the visitor's own navigation.
fn in_console(service: &Service, visitor: &Visitor, name: &str, article: &Rendered) -> Response {
    let title = service.statistic(name).map(|statistic| service.reading_of(statistic).face.title);
    let article = PreEscaped(String::from_utf8_lossy(&article.bytes));
    let body = html! { p { a href="/statistics" { "All statistics" } } (article) };
    visitor.page(title.as_deref().unwrap_or(name), "/statistics", &body)
}

/// GET /datasets: lists the datasets that the visitor may see.
pub async fn datasets(State(service): State<App>, visitor: Visitor) -> Shown {
    let person = visitor.only(Role::ALL)?;
    let show = move |service: &Service, visitor: &Visitor| {
        let seen: Vec<_> = service.datasets_seen_by(&person).collect();
        let body = pages::list(&seen, person.role == Role::Researcher);
        Ok(visitor.page("Datasets", "/datasets", &body))
    };
    aside(&service, visitor, show).await
}

/// GET /datasets/{name}: the page of one dataset.
pub async fn dataset(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    let person = visitor.only(Role::ALL)?;
    let show = move |service: &Service, visitor: &Visitor| {
        let dataset = service.dataset_seen_by(&person, &name).ok_or_else(|| Problem::unknown_dataset(&name))?;
        let report = dataset.report.as_ref().filter(|_| person.role == Role::Steward);
        let body = pages::one(dataset, &cap(service, dataset), report);
        Ok(visitor.page(&dataset.name, "/datasets", &body))
    };
    aside(&service, visitor, show).await
}
