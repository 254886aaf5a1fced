//! The visitor of a page, according to the session cookie.
//!
//! Promises that a session is worthless once its token is revoked or has expired.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::app::App;
use super::sessions::{cookie, cookie_name};
use super::shared::Shared;
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::people::Person;

/// The visitor of a page, signed in or not.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The person who is signed in; `None` if nobody is.
    pub person: Option<Person>,
    /// The secret that the visitor's forms carry; empty if nobody is signed in.
    pub csrf: String,
    /// The digest of the token with which they signed in; `None` if nobody is signed in.
    pub token: Option<Digest>,
    /// The request carries an expired or revoked session cookie.
    pub has_ended: bool,
    /// What the visitor asked for.
    pub request: VisitorRequest,
}

/// What a visitor asked for, so that they can go on with it after signing in.
#[derive(Debug, Clone, Default)]
pub struct VisitorRequest {
    /// The path and the query of the address.
    pub address: String,
    /// A form was sent, and not a page asked for.
    pub is_form: bool,
    /// A script asks for a part of a page.
    pub is_for_script: bool,
}

impl VisitorRequest {
    fn of(parts: &Parts) -> Self {
        Self {
            address: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            is_form: !parts.method.is_safe(),
            is_for_script: parts.headers.contains_key("hx-request"),
        }
    }
}

/// What routes share, as the layers left it with the request.
pub fn shared(parts: &Parts) -> Option<Arc<Shared>> {
    parts.extensions.get::<Arc<Shared>>().cloned()
}

/// The visitor who sends a request, according to the session cookie.
pub fn visitor(parts: &Parts, service: &App) -> Visitor {
    let request = VisitorRequest::of(parts);
    let signed_in = request.clone();
    let found = shared(parts).and_then(|shared| {
        let value = cookie(&parts.headers, cookie_name(shared.settings.is_secure))?;
        let session = shared.sessions.open(value, service.now_ms())?;
        let person = service.holder(&session.digest).ok()?;
        let (person, token) = (Some(person), Some(session.digest));
        Some(Visitor { person, csrf: session.csrf, token, has_ended: false, request: signed_in })
    });
    let name = cookie_name(shared(parts).is_some_and(|shared| shared.settings.is_secure));
    let has_ended = cookie(&parts.headers, name).is_some_and(|value| !value.is_empty());
    found.unwrap_or(Visitor { has_ended, request, ..Visitor::default() })
}

impl FromRequestParts<App> for Visitor {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Self::Rejection> {
        Ok(visitor(parts, service))
    }
}
