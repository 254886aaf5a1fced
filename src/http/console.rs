//! The console's routes: pages for people, over the same service as the API.
//!
//! Every page has its roles, every form carries a secret that only its own session knows, no page may load anything from
//! elsewhere or send anything there, and everything works without scripts.

mod ask;
mod ledger;
mod budgets;
mod gallery;
mod manual;
mod people;
mod public;
mod session;
mod transparency;
pub mod pages;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::problem::Problem;
use super::{App, aside as list, pad};
use crate::http::api::statistics::name_of;
use crate::http::console::pages::sign_in;
use crate::kernel::budget::people::{Person, Role};
use crate::render::frame::{Frame, page};
use crate::service::Service;
use crate::service::asking::pad::Pad;

pub use session::{Sessions, person};

/// The Content-Security-Policy of every page: it loads and sends to this server alone, and nothing is inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page and every form, with the roles that may use it; an empty list means everybody.
pub const PAGES: [(&str, &str, &[Role]); 36] = [
    ("GET", "/", &[]),
    ("GET", "/sign-in", &[]),
    ("POST", "/sign-in", &[]),
    ("POST", "/sign-out", Role::ALL),
    ("GET", "/assets/{name}", &[]),
    ("GET", "/s/{name}", &[]),
    ("GET", "/transparency", &[]),
    ("GET", "/transparency/{name}", &[]),
    ("GET", "/manual", &[]),
    ("GET", "/manual/{topic}", &[]),
    ("GET", "/statistics", &[]),
    ("GET", "/statistics/{name}/draw", &[Role::Steward]),
    ("POST", "/statistics/{name}/publish", &[Role::Steward]),
    ("POST", "/statistics/{name}/refresh", &[Role::Steward]),
    ("GET", "/datasets", Role::ALL),
    ("GET", "/datasets/{name}", Role::ALL),
    ("POST", "/datasets/{name}/freeze", &[Role::Steward]),
    ("POST", "/datasets/{name}/unfreeze", &[Role::Steward]),
    ("GET", "/ask", &[Role::Researcher]),
    ("POST", "/ask", &[Role::Researcher]),
    ("POST", "/ask/price", &[Role::Researcher]),
    ("POST", "/ask/level", &[Role::Researcher]),
    ("GET", "/history", &[Role::Researcher]),
    ("GET", "/history/{id}", &[Role::Researcher]),
    ("GET", "/accounts", &[Role::Researcher, Role::Steward]),
    ("POST", "/grants", &[Role::Steward]),
    ("GET", "/what-if", &[Role::Steward]),
    ("GET", "/requests", &[Role::Steward]),
    ("POST", "/requests", &[Role::Researcher]),
    ("POST", "/requests/{number}/decide", &[Role::Steward]),
    ("GET", "/people", &[Role::Steward]),
    ("POST", "/people", &[Role::Steward]),
    ("POST", "/people/{name}/revoke", &[Role::Steward]),
    ("POST", "/people/{name}/datasets", &[Role::Steward]),
    ("GET", "/ledger", &[Role::Steward]),
    ("GET", "/ledger/export.jsonl", &[Role::Steward]),
];

/// The routes of those [`PAGES`] that need a person. Their responses are padded.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-out", post(session::sign_out))
        .route("/statistics/{name}/draw", get(gallery::draw))
        .route("/statistics/{name}/publish", post(gallery::publish))
        .route("/statistics/{name}/refresh", post(gallery::refresh))
        .route("/datasets", get(crate::http::console::public::datasets))
        .route("/datasets/{name}", get(crate::http::console::public::dataset))
        .route("/datasets/{name}/freeze", post(budgets::freeze))
        .route("/datasets/{name}/unfreeze", post(budgets::unfreeze))
        .route("/ask", get(crate::http::console::ask::form).post(crate::http::console::ask::submit))
        .route("/ask/price", post(crate::http::console::ask::price))
        .route("/ask/level", post(crate::http::console::ask::level))
        .route("/history", get(crate::http::console::ask::history))
        .route("/history/{id}", get(crate::http::console::ask::answer))
        .route("/accounts", get(budgets::accounts))
        .route("/grants", post(budgets::grant))
        .route("/what-if", get(budgets::what_if))
        .route("/requests", get(budgets::requests).post(budgets::request))
        .route("/requests/{number}/decide", post(budgets::decide))
        .route("/people", get(people::list).post(people::add))
        .route("/people/{name}/revoke", post(people::revoke))
        .route("/people/{name}/datasets", post(people::set_datasets))
        .route("/ledger", get(crate::http::console::ledger::ledger))
        .route("/ledger/export.jsonl", get(crate::http::console::ledger::export))
}

/// The routes of those [`PAGES`] that everybody may use.
pub fn open_routes() -> Router<App> {
    Router::new()
        .route("/", get(crate::http::console::public::home))
        .route("/sign-in", get(crate::http::console::public::sign_in).post(session::sign_in))
        .route("/assets/{name}", get(crate::http::console::public::asset))
        .route("/s/{name}", get(crate::http::console::public::statistic))
        .route("/transparency", get(transparency::all))
        .route("/transparency/{name}", get(transparency::one))
        .route("/manual", get(manual::all))
        .route("/manual/{topic}", get(manual::one))
        .route("/statistics", get(gallery::statistics))
}

/// The visitor of a page, signed in or not.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The person who is signed in; `None` if nobody is.
    pub person: Option<Person>,
    /// The secret that the visitor's forms carry; empty if nobody is signed in.
    pub csrf: String,
    /// The request carries an expired or revoked session cookie.
    pub has_ended: bool,
}

/// A page that is not shown, rendered as a page that says why.
pub struct Failed(Visitor, Box<Problem>);

type Shown = Result<Response, Failed>;

impl Visitor {
    /// Renders a page of the console in its frame.
    fn page(&self, title: &str, path: &str, body: &maud::Markup) -> Response {
        let frame = Frame { title, person: self.person.as_ref(), csrf: &self.csrf, path };
        html(page(&frame, body))
    }

    /// The person who visits, provided that they have one of these roles.
    fn only(&self, roles: &[Role]) -> Result<Person, Failed> {
        match &self.person {
            None => Err(self.fail(Problem::unauthenticated())),
            Some(person) if roles.contains(&person.role) => Ok(person.clone()),
            Some(person) => {
                let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
                let detail = format!("your role is {}; this is for a {}", person.role, names.join(" or "));
                Err(self.fail(Problem::forbidden(detail)))
            }
        }
    }

    fn fail(&self, problem: impl Into<Problem>) -> Failed {
        Failed(self.clone(), Box::new(problem.into()))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(visitor, problem) = self;
        let status = problem.status();
        if status == StatusCode::UNAUTHORIZED && visitor.person.is_none() {
            let to_sign_in = see(if visitor.has_ended { "/sign-in?ended=1" } else { "/sign-in" });
            return pad::marked_any(Some(Pad::OFF), to_sign_in);
        }
        let body = sign_in::failure(problem.title(), problem.detail(), problem.shown_hint());
        let mut response = visitor.page(problem.title(), "", &body);
        *response.status_mut() = status;
        response
    }
}

/// Builds a page off the async threads, in its visitor's turn.
async fn aside(
    service: &App,
    visitor: Visitor,
    build: impl FnOnce(&Service, &Visitor) -> Shown + Send + 'static,
) -> Shown {
    let waiting = visitor.clone();
    let who = name_of(waiting.person.as_ref());
    let built = list::built(service, who, move |service| build(service, &visitor)).await;
    built.unwrap_or_else(|error| Err(waiting.fail(error)))
}

/// A page with the headers that every page has.
fn html(text: String) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (fixed.map(|(name, value)| (name, HeaderValue::from_static(value))), text).into_response()
}

/// Redirects to another page after a form, so that reloading does not send the form again.
fn see(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// A part of a page, to be inserted into a page that is already shown.
fn fragment(markup: &maud::Markup) -> Response {
    html(markup.0.clone())
}
