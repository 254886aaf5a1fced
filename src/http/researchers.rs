//! /v1/researchers: people and their tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::auth::Steward;
use super::body::Body;
use super::json::Fields;
use super::params::{PageParams, Segment, page};
use super::problem::Problem;
use super::{App, aside};
use crate::budget::ledger::read;
use crate::budget::people::Role;
use crate::service::{Service, steward};

/// A person.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PersonBody {
    name: String,
    role: &'static str,
    active: bool,
}

/// A new person with their token, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewPersonBody {
    name: String,
    role: &'static str,
    token: String,
}

/// Who is to be added.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct AddBody {
    name: String,
    /// `researcher` (the default), `viewer` or `steward`.
    role: Option<String>,
}

/// Lists people; `after` is a name.
#[utoipa::path(
    get, path = "/v1/researchers", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<PersonBody>), (status = 400, body = Problem))
)]
pub async fn list(
    State(service): State<App>,
    Steward(person): Steward,
    params: PageParams,
) -> Result<Response, Problem> {
    let list = move |service: &Service| {
        let body =
            |(name, role, active): (&String, Role, bool)| PersonBody { name: name.clone(), role: role.name(), active };
        let people: Vec<_> = read(service.ledger(), |book| book.people().map(body).collect());
        page(people, |person| person.name.clone(), |person| person, "/v1/researchers", &params)
    };
    aside::built(&service, &person.name, list).await?
}

/// Adds a person; the token is shown once.
#[utoipa::path(
    post, path = "/v1/researchers", request_body = AddBody, security(("token" = [])),
    responses((status = 201, body = NewPersonBody), (status = 409, body = Problem))
)]
pub async fn add(
    State(service): State<App>,
    Steward(person): Steward,
    Body(body): Body,
) -> Result<(StatusCode, Json<NewPersonBody>), Problem> {
    let mut fields = Fields::read(&body, &["name", "role"])?;
    let name = fields.text("name")?;
    let role = fields.optional_text("role")?.unwrap_or_else(|| "researcher".to_owned());
    let role = role.parse().map_err(|words: String| Problem::invalid_request(format!("role: {words}")))?;
    let (added, by) = (name.clone(), person.name);
    let token = service.steward(move |ledger, now| steward::add_person(ledger, &added, role, &by, now)).await?;
    let body = NewPersonBody { name, role: role.name(), token: token.text().to_owned() };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Ends a person's token.
#[utoipa::path(
    delete, path = "/v1/researchers/{name}/token", params(("name" = String, Path)), security(("token" = [])),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn revoke(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
) -> Result<StatusCode, Problem> {
    service.steward(move |ledger, now| steward::revoke_token(ledger, &name, &person.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
