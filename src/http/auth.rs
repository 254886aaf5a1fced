//! Authentication: bearer tokens and roles.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::App;
use super::problem::Problem;
use super::visitor::visitor;
use crate::kernel::budget::people::{Person, Role};

/// The holder of a valid token, whatever their role.
pub struct Anyone(pub Person);

/// A steward, by their token.
pub struct Steward(pub Person);

/// A researcher, by their token.
pub struct Researcher(pub Person);

/// A researcher or a steward, by their token.
pub struct Reader(pub Person);

/// The largest length of a token, in bytes.
const TOKEN_BYTES_MAX: usize = 256;

fn bearer(parts: &Parts, service: &App) -> Result<Person, Problem> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Problem::unauthenticated()) };
    let text = value.to_str().map_err(|_| Problem::unauthenticated())?;
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(Problem::unauthenticated()),
    };
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return Err(Problem::unauthenticated());
    }
    service.bearer(token).map_err(|refused| Problem::token_refused(&refused))
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

/// The person, provided that they have one of these roles.
pub fn with_role(person: Person, roles: &[Role]) -> Result<Person, Problem> {
    if roles.contains(&person.role) {
        return Ok(person);
    }
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    Err(Problem::forbidden(format!("your role is {}; this is for a {}", person.role, names.join(" or "))))
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
