//! The console's routes: pages for people, over the same service as the API.
//!
//! Promises that every page has its roles, that every form carries what only its own session knows, that no page may load or do
//! anything from elsewhere, and that everything works without scripts.

mod asking;
mod books;
mod budgets;
mod gallery;
mod manual;
mod people;
mod reading;
mod session;
mod transparency;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::problem::Problem;
use super::statistics::name_of;
use super::{App, aside as list};
use crate::budget::people::{Person, Role};
use crate::console::frame::{Frame, page};
use crate::console::sign_in;
use crate::service::Service;

pub use session::{Sessions, person};

/// What a page of ours may load and do: only what comes from here, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page and every form, with the roles that may use it; nobody in particular where there are none.
pub const PAGES: [(&str, &str, &[Role]); 36] = [
    ("GET", "/", &[]),
    ("GET", "/sign-in", &[]),
    ("POST", "/sign-in", &[]),
    ("POST", "/sign-out", &Role::ALL),
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
    ("GET", "/datasets", &Role::ALL),
    ("GET", "/datasets/{name}", &Role::ALL),
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

/// The routes of [`PAGES`].
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(reading::home))
        .route("/sign-in", get(reading::sign_in).post(session::sign_in))
        .route("/sign-out", post(session::sign_out))
        .route("/assets/{name}", get(reading::asset))
        .route("/s/{name}", get(reading::statistic))
        .route("/transparency", get(transparency::all))
        .route("/transparency/{name}", get(transparency::one))
        .route("/manual", get(manual::all))
        .route("/manual/{topic}", get(manual::one))
        .route("/statistics", get(gallery::statistics))
        .route("/statistics/{name}/draw", get(gallery::draw))
        .route("/statistics/{name}/publish", post(gallery::publish))
        .route("/statistics/{name}/refresh", post(gallery::refresh))
        .route("/datasets", get(reading::datasets))
        .route("/datasets/{name}", get(reading::dataset))
        .route("/datasets/{name}/freeze", post(budgets::freeze))
        .route("/datasets/{name}/unfreeze", post(budgets::unfreeze))
        .route("/ask", get(asking::form).post(asking::submit))
        .route("/ask/price", post(asking::price))
        .route("/ask/level", post(asking::level))
        .route("/history", get(asking::history))
        .route("/history/{id}", get(asking::answer))
        .route("/accounts", get(budgets::accounts))
        .route("/grants", post(budgets::grant))
        .route("/what-if", get(budgets::what_if))
        .route("/requests", get(budgets::requests).post(budgets::request))
        .route("/requests/{number}/decide", post(budgets::decide))
        .route("/people", get(people::list).post(people::add))
        .route("/people/{name}/revoke", post(people::revoke))
        .route("/people/{name}/datasets", post(people::set_datasets))
        .route("/ledger", get(books::ledger))
        .route("/ledger/export.jsonl", get(books::export))
}

/// Whoever looks at a page, signed in or not.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Who is signed in.
    pub person: Option<Person>,
    /// What their forms carry; empty for nobody.
    pub csrf: String,
    /// Whether there is a cookie of a session that is none any more.
    pub has_ended: bool,
}

/// A page that is not shown, as one that says why.
pub struct Failed(Visitor, Box<Problem>);

type Shown = Result<Response, Failed>;

impl Visitor {
    /// A page of ours.
    fn page(&self, title: &str, path: &str, body: &maud::Markup) -> Response {
        let frame = Frame { title, person: self.person.as_ref(), csrf: &self.csrf, path };
        html(page(&frame, body))
    }

    /// The visitor, where they have one of these roles.
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
            return see(if visitor.has_ended { "/sign-in?ended=1" } else { "/sign-in" });
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

/// "See another page": after a form, so that looking again sends nothing again.
fn see(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// A part of a page, for what is already shown.
fn fragment(markup: &maud::Markup) -> Response {
    html(markup.0.clone())
}
