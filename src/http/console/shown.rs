//! What every page of the console is made of: its frame and headers, who may see it, and what is shown instead if it is refused.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::places::to_sign_in;
use crate::http::api::statistics::name_of;
use crate::http::auth::with_role;
use crate::http::console::pages::sign_in;
use crate::http::problem::Problem;
use crate::http::visitor::{self, Visitor};
use crate::http::{App, aside as list, pad};
use crate::kernel::budget::people::{Person, Role};
use crate::render::frame::{Frame, page, refreshing_page};
use crate::service::Service;
use crate::service::asking::pad::Pad;

pub use super::places::{address, see};

/// The Content-Security-Policy of every page: it loads and sends to this server alone, and nothing is inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page that is not shown, rendered as a page that says why.
pub struct Failed(Visitor, Box<Problem>);

/// A page, or why it is not shown.
pub type Shown = Result<Response, Failed>;

impl Visitor {
    /// Renders a page of the console in its frame.
    pub fn page(&self, title: &str, path: &str, body: &maud::Markup) -> Response {
        let frame = Frame { title, person: self.person.as_ref(), csrf: &self.csrf, path, has_editor: false };
        html(page(&frame, body))
    }

    /// Renders a page of the console that browsers without scripts fetch again every few seconds.
    pub fn page_that_refreshes(&self, title: &str, path: &str, body: &maud::Markup) -> Response {
        let frame = Frame { title, person: self.person.as_ref(), csrf: &self.csrf, path, has_editor: false };
        html(refreshing_page(&frame, body))
    }

    /// Renders a page of the console that loads the editor, too.
    pub fn page_with_editor(&self, title: &str, path: &str, body: &maud::Markup) -> Response {
        let frame = Frame { title, person: self.person.as_ref(), csrf: &self.csrf, path, has_editor: true };
        html(page(&frame, body))
    }

    /// The person who visits, provided that they have one of these roles.
    pub fn only(&self, roles: &[Role]) -> Result<Person, Failed> {
        let person = self.person.clone().ok_or_else(Problem::unauthenticated);
        person.and_then(|person| with_role(person, roles)).map_err(|problem| self.fail(problem))
    }

    /// The page that says why this visitor is not shown what they asked for.
    pub fn fail(&self, problem: impl Into<Problem>) -> Failed {
        Failed(self.clone(), Box::new(problem.into()))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(visitor, problem) = self;
        let status = problem.status();
        if status == StatusCode::UNAUTHORIZED && visitor.person.is_none() {
            return pad::marked_any(Some(Pad::OFF), to_sign_in(&visitor));
        }
        let body = sign_in::failure(problem.title(), problem.detail(), problem.shown_hint());
        let mut response = visitor.page(problem.title(), "", &body);
        *response.status_mut() = status;
        response
    }
}

/// The parameters of a page's address. A page that cannot read them says so in our words.
pub struct AddressParams<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for AddressParams<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Failed> {
        if let Ok(Query(params)) = Query::<T>::from_request_parts(parts, service).await {
            return Ok(Self(params));
        }
        let visitor = visitor::visitor(parts, service);
        let detail = "the address has a parameter twice, or one that is no whole number where a number is wanted";
        Err(visitor.fail(Problem::invalid_request(detail)))
    }
}

/// Builds a page off the async threads, in its visitor's turn.
pub async fn aside(
    service: &App,
    visitor: Visitor,
    build: impl FnOnce(&Service, &Visitor) -> Result<Response, Problem> + Send + 'static,
) -> Shown {
    let waiting = visitor.clone();
    let who = name_of(waiting.person.as_ref());
    let built = list::built(service, who, move |service| build(service, &visitor)).await;
    built.map_err(Problem::from).and_then(|page| page).map_err(|problem| waiting.fail(problem))
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

/// A part of a page, to be inserted into a page that is already shown.
pub fn fragment(markup: &maud::Markup) -> Response {
    html(markup.0.clone())
}
