//! Authentication: tokens, signed links, and roles.
//!
//! Promises that a token counts as a bearer token with every method, and as the password of Basic authentication for reading alone: browsers
//! send a password again by themselves, so it must not let anybody act.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::App;
use super::formats::parameter;
use super::links::PARAMETER;
use super::problem::Problem;
use super::visitor::{shared, visitor};
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::people::{Person, Role};
use crate::service::stewarding::people::Token;

/// The holder of a valid token, whatever their role.
pub struct Anyone(pub Person);

/// A steward, by their token.
pub struct Steward(pub Person);

/// A researcher, by their token.
pub struct Researcher(pub Person);

/// A researcher or a steward, by their token.
pub struct Reader(pub Person);

/// The holder of a valid token, with its digest.
pub struct TokenBearer(pub Person, pub Digest);

/// The largest length of a token, in bytes.
const TOKEN_BYTES_MAX: usize = 256;

fn bearer(parts: &Parts, service: &App) -> Result<Person, Problem> {
    let token = token(parts).ok_or_else(Problem::unauthenticated)?;
    service.bearer(&token).map_err(|refused| Problem::token_refused(&refused))
}

/// The token that a request carries.
fn token(parts: &Parts) -> Option<String> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let token = match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => rest.trim().to_owned(),
        scheme if scheme.eq_ignore_ascii_case("basic") && reads => password(rest.trim())?,
        _ => return None,
    };
    (1..=TOKEN_BYTES_MAX).contains(&token.len()).then_some(token)
}

/// The password of Basic authentication (RFC 7617). The name is whatever the caller's program asks for: the token says who they are.
fn password(credentials: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.trim().to_owned())
}

/// Anyone with a token or a session of the console, or nobody. An invalid token is refused nevertheless.
pub struct Reading(pub Option<Person>);

impl FromRequestParts<App> for Reading {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        match parts.headers.contains_key(header::AUTHORIZATION) {
            true => bearer(parts, service).map(|person| Self(Some(person))),
            // A page's links are followed with its session, which allows reading only.
            false => Ok(Self(visitor(parts, service).person)),
        }
    }
}

/// Who reads something by its address: by a token, by a signed link to it, or by a session of the console.
#[derive(Default)]
pub struct ByAddress {
    /// The person who reads, or who made the link; `None` for somebody who shows none of these.
    pub person: Option<Person>,
    /// Whether it is read by a link.
    pub by_link: bool,
}

impl FromRequestParts<App> for ByAddress {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let link = parameter(&parts.uri, PARAMETER).filter(|_| !parts.headers.contains_key(header::AUTHORIZATION));
        match link {
            None => {
                Reading::from_request_parts(parts, service).await.map(|Reading(person)| Self { person, by_link: false })
            }
            Some(link) => {
                let (path, now_ms) = (subject(parts.uri.path()), service.now_ms());
                let link = shared(parts).and_then(|shared| shared.links.open(path, &link, now_ms));
                let maker = link.and_then(|link| service.maker(&link.maker));
                let person = Some(maker.ok_or_else(Problem::link_ended)?);
                Ok(Self { person, by_link: true })
            }
        }
    }
}

impl ByAddress {
    /// Whether the request itself shows what lets it in, and not a cookie that a browser adds to whatever page sends it.
    pub fn is_open(&self, headers: &HeaderMap) -> bool {
        self.by_link || headers.contains_key(header::AUTHORIZATION)
    }
}

/// What a path is about, whatever the form: the path without an ending.
pub fn subject(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

impl FromRequestParts<App> for TokenBearer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
        let person = bearer(parts, service)?;
        let token = token(parts).ok_or_else(Problem::unauthenticated)?;
        Ok(Self(person, Token::digest(&token)))
    }
}

/// The person, provided that they have one of these roles.
pub fn with_role(person: Person, roles: &[Role]) -> Result<Person, Problem> {
    if roles.contains(&person.role) {
        return Ok(person);
    }
    Err(Problem::for_others(person.role, roles))
}

macro_rules! asks_as {
    ($extractor:ident, $roles:expr) => {
        impl FromRequestParts<App> for $extractor {
            type Rejection = Problem;
            async fn from_request_parts(parts: &mut Parts, service: &App) -> Result<Self, Problem> {
                bearer(parts, service).and_then(|person| with_role(person, $roles)).map(Self)
            }
        }
    };
}

asks_as!(Anyone, Role::ALL);
asks_as!(Steward, &[Role::Steward]);
asks_as!(Researcher, &[Role::Researcher]);
asks_as!(Reader, &[Role::Researcher, Role::Steward]);
