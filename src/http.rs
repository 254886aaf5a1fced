//! The HTTP interface: the contract with programs outside.
//!
//! Promises that every route states the roles that may use it, that every body and head is bounded in bytes and seconds, and that an error
//! is a problem document made of the caller's own words and public terms. It knows no polars and no SQLite.

mod answer_files;
mod app;
mod aside;
mod auth;
mod body;
mod cite;
mod console;
mod cors;
mod counts;
mod entry_rows;
mod formats;
mod forms;
mod json;
mod linking;
mod links;
mod pad;
mod params;
mod pieces;
pub mod problem;
mod ranges;
mod sent;
mod sessions;
mod shared;
mod sheet;
mod visitor;
mod cache;
pub mod api;

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Extension, Router};
use tower::ServiceExt;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use problem::Problem;
use shared::Shared;

use crate::service::Current;

pub use app::App;
pub use console::{PAGES, PageRoute};
pub use links::LinkKey;
pub use shared::Settings;

#[derive(OpenApi)]
#[openapi(
    info(title = "Tacit", description = "Aggregate statistics of private tables, with differential privacy"),
    modifiers(&Bearer)
)]
struct Api;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// Builds the routes over a service that is reached as `settings` say. If its datasets may be replaced while it runs, each request goes to
/// the service that is current when it arrives, and sees that one to its end.
pub fn router(service: App, settings: Settings) -> Router {
    let shared = Arc::new(Shared::new(settings));
    match service.current() {
        Some(current) => current_routes(&current, shared),
        None => routes(service, shared),
    }
}

/// The routes over the service that is current, and what they share with those over the next one.
struct CurrentRoutes {
    now: RwLock<Router>,
    shared: Arc<Shared>,
}

impl CurrentRoutes {
    fn set(&self, service: App) {
        let router = routes(service, Arc::clone(&self.shared));
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = router;
    }
}

/// The routes of whichever service is current.
fn current_routes(current: &Current, shared: Arc<Shared>) -> Router {
    let routed = Arc::new(CurrentRoutes { now: RwLock::new(Router::new()), shared });
    // What is shared holds the sealings, and these hold the current service, which holds its observers.
    let observing = Arc::downgrade(&routed);
    current.observe(move |service| {
        if let Some(routed) = observing.upgrade() {
            routed.set(service);
        }
    });
    routed.set(current.now());
    Router::new().fallback(move |request: Request| {
        let router = routed.now.read().unwrap_or_else(PoisonError::into_inner).clone();
        router.oneshot(request)
    })
}

/// The routes over one service.
fn routes(service: App, shared: Arc<Shared>) -> Router {
    let (router, mut api) = documented().split_for_parts();
    let (open, of_open) = open().split_for_parts();
    let (published, read) = published().split_for_parts();
    api.merge(of_open);
    api.merge(read);
    // Unwrap safety: the document is plain data.
    let document = serde_json::to_value(api).expect("the document is plain data");
    let document: Arc<str> = crate::http::api::document::completed(document).to_string().into();
    let open = open
        .route("/openapi.json", axum::routing::get(move || crate::http::api::health::openapi(Arc::clone(&document))))
        .route("/v1/statistics", axum::routing::options(cors::preflight))
        .merge(console::open_routes())
        .method_not_allowed_fallback(async || Problem::method_not_allowed());
    router
        .route("/v1/releases", axum::routing::options(cors::preflight))
        .route("/v1/releases/{id}", axum::routing::options(cors::preflight))
        .merge(console::routes())
        .fallback(async || Problem::not_found("there is no such page; GET /openapi.json lists them"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn_with_state(Arc::clone(&service), pad::hold))
        .merge(open)
        .layer(middleware::from_fn(headers))
        .merge(
            published
                .route("/v1/statistics/{name}", axum::routing::options(cors::preflight))
                .method_not_allowed_fallback(async || Problem::method_not_allowed()),
        )
        .layer(Extension(shared))
        .with_state(service)
}

/// Routes that are read so often that they bypass the layers of all others; they keep the promises of those layers themselves.
fn published() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(crate::http::api::statistics::one))
}

/// Routes that need no token and whose responses are not padded: they depend on nothing but what is public or stored already.
fn open() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(crate::http::api::statistics::list))
        .routes(routes!(crate::http::api::samples::show))
        .routes(routes!(crate::http::api::health::livez))
        .routes(routes!(crate::http::api::health::readyz))
}

/// All other routes. Their responses are padded.
fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(crate::http::api::datasets::list))
        .routes(routes!(crate::http::api::datasets::one))
        .routes(routes!(crate::http::api::datasets::freeze))
        .routes(routes!(crate::http::api::datasets::unfreeze))
        .routes(routes!(crate::http::api::quotes::quote))
        .routes(routes!(crate::http::api::queries::query))
        .routes(routes!(crate::http::api::releases::list))
        .routes(routes!(crate::http::api::releases::one))
        .routes(routes!(crate::http::api::links::make))
        .routes(routes!(crate::http::api::accounts::list))
        .routes(routes!(crate::http::api::researchers::list, crate::http::api::researchers::add))
        .routes(routes!(crate::http::api::researchers::revoke))
        .routes(routes!(crate::http::api::researchers::set_datasets))
        .routes(routes!(crate::http::api::researchers::set_role))
        .routes(routes!(crate::http::api::tokens::list, crate::http::api::tokens::issue))
        .routes(routes!(crate::http::api::tokens::revoke))
        .routes(routes!(crate::http::api::grants::grant))
        .routes(routes!(crate::http::api::declared::plan))
        .routes(routes!(crate::http::api::declared::apply))
        .routes(routes!(crate::http::api::ledger::list))
        .routes(routes!(crate::http::api::sealings::start))
        .routes(routes!(crate::http::api::sealings::one, crate::http::api::sealings::cancel))
        .routes(routes!(crate::http::api::statistics::refresh))
        .routes(routes!(crate::http::api::publishing::check))
        .routes(routes!(crate::http::api::publishing::publish))
        .routes(routes!(crate::http::api::requests::list, crate::http::api::requests::file))
        .routes(routes!(crate::http::api::requests::decide))
        .routes(routes!(crate::http::api::metrics::show))
        .routes(routes!(crate::http::api::health::status))
}

/// Sets headers on every response: caches keep nothing unless a handler
/// allows it, and browsers do not guess types. Also counts each response.
async fn headers(Extension(shared): Extension<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    shared.counts.note(&response);
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
