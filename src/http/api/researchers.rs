//! /v1/researchers: people and their tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::http::auth::Steward;
use crate::http::body::Sent;
use crate::http::params::{PageParams, Segment, page};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::{Role, UnknownRole};
use crate::kernel::budget::state::LedgerState;
use crate::query::error::shown;
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::{people, roles, tokens};

/// A person with an account on the server.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PersonBody {
    name: String,
    role: &'static str,
    /// Whether they hold a token that was not revoked and has not expired.
    active: bool,
    /// For viewers, the datasets whose statistics they see; absent if none were named, so that they see all.
    #[serde(skip_serializing_if = "Option::is_none")]
    datasets: Option<Vec<String>>,
}

/// A new person with their token, which is shown only once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewPersonBody {
    name: String,
    role: &'static str,
    token: String,
    /// From when on the token is refused, in UTC; absent if it does not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// For viewers, the datasets whose statistics they see; absent if none were named, so that they see all.
    #[serde(skip_serializing_if = "Option::is_none")]
    datasets: Option<Vec<String>>,
}

/// The person to add.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddBody {
    name: String,
    /// `researcher` (the default), `viewer` or `steward`.
    role: Option<String>,
    /// For viewers, the datasets whose statistics they see in addition to public ones; all datasets by default.
    datasets: Option<Vec<String>>,
    /// When the token expires: a day like `2027-01-31`, at whose end in UTC it does, or a moment like `2027-01-31T18:00:00Z`. Never by
    /// default.
    expires: Option<String>,
}

/// The datasets that a viewer may see.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetsBody {
    /// The datasets whose statistics the viewer sees in addition to public ones.
    datasets: Vec<String>,
}

/// The role that a person has from now on.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBody {
    /// `researcher`, `viewer` or `steward`.
    role: String,
    /// For viewers, the datasets whose statistics they see in addition to public ones. By default those that they were given before, or hold
    /// an allocation of.
    datasets: Option<Vec<String>>,
}

/// Lists people. `after` is the last name on the previous page.
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
        let now_ms = service.now_ms();
        let of = |book: &LedgerState| book.people().map(|(name, role, _)| body(book, (name, role), now_ms)).collect();
        let people: Vec<_> = read(service.ledger(), of);
        page(people, |person| person.name.clone(), |person| person, "/v1/researchers", &params)
    };
    aside::built(&service, &person.name, list).await?
}

fn body(book: &LedgerState, (name, role): (&String, Role), now_ms: u64) -> PersonBody {
    let active = book.may_come_in(name, now_ms);
    let datasets = book.viewing(name).map(|datasets| datasets.iter().cloned().collect());
    PersonBody { name: name.clone(), role: role.name(), active, datasets }
}

/// Adds a person. Their token is shown only once.
#[utoipa::path(
    post, path = "/v1/researchers", request_body = AddBody, security(("token" = [])),
    responses((status = 201, body = NewPersonBody), (status = 409, body = Problem))
)]
pub async fn add(
    State(service): State<App>,
    Steward(person): Steward,
    Sent(AddBody { name, role, datasets, expires }): Sent<AddBody>,
) -> Result<(StatusCode, Json<NewPersonBody>), Problem> {
    let role = role_of(role.as_deref())?;
    if role != Role::Viewer && datasets.is_some() {
        return Err(Problem::invalid_request(format!(
            "datasets are given to viewers, and \"{role}\" is the role here"
        )));
    }
    let expires_ms = super::tokens::expires(expires.as_deref())?;
    let (added, seen, by) = (name.clone(), datasets.clone(), person.name);
    let adding = service.steward(move |ledger, now| match (expires_ms, seen) {
        (Some(at), seen) => tokens::add_until(ledger, (&added, role, seen.as_deref()), at, &by, now),
        (None, Some(datasets)) => people::add_viewer(ledger, &added, &datasets, &by, now),
        (None, None) => people::add_person(ledger, &added, role, &by, now),
    });
    let token = adding.await?.text().to_owned();
    let (role, expires) = (role.name(), expires_ms.map(timestamp));
    Ok((StatusCode::CREATED, Json(NewPersonBody { name, role, token, expires, datasets })))
}

fn role_of(text: Option<&str>) -> Result<Role, Problem> {
    let role = text.unwrap_or("researcher").parse();
    role.map_err(|fault: UnknownRole| Problem::invalid_request(format!("role: {fault}")))
}

/// Sets the datasets whose statistics a viewer sees.
#[utoipa::path(
    put, path = "/v1/researchers/{name}/datasets", params(("name" = String, Path)), request_body = DatasetsBody,
    security(("token" = [])),
    responses((status = 200, body = PersonBody), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn set_datasets(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
    Sent(DatasetsBody { datasets }): Sent<DatasetsBody>,
) -> Result<Json<PersonBody>, Problem> {
    let (viewer, by) = (name.clone(), person.name);
    let act = move |ledger: &dyn Ledger, now| people::set_viewing(ledger, &viewer, &datasets, &by, now);
    service.clone().steward(act).await?;
    person_shown(&service, &name)
}

/// A person as they are now.
fn person_shown(service: &Service, name: &str) -> Result<Json<PersonBody>, Problem> {
    let now_ms = service.now_ms();
    let found = read(service.ledger(), |book| {
        let (role, _) = book.person(name)?;
        Some(body(book, (&name.to_owned(), role), now_ms))
    });
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is nobody named \"{}\"", shown(name))))
}

/// Changes a person's role, from now on and in the sessions that they have.
///
/// Tokens, allocations, what was spent, open requests and answers stay as they are; questions that are being answered are finished. The last
/// steward who may come in remains one.
#[utoipa::path(
    put, path = "/v1/researchers/{name}/role", params(("name" = String, Path)), request_body = RoleBody,
    security(("token" = [])),
    responses((status = 200, body = PersonBody), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn set_role(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
    Sent(RoleBody { role, datasets }): Sent<RoleBody>,
) -> Result<Json<PersonBody>, Problem> {
    let (role, whose, by) = (role_of(Some(&role))?, name.clone(), person.name);
    let act = move |ledger: &dyn Ledger, now| roles::set_role(ledger, &whose, role, datasets.as_deref(), &by, now);
    service.clone().steward(act).await?;
    person_shown(&service, &name)
}

/// Revokes all tokens of a person.
#[utoipa::path(
    delete, path = "/v1/researchers/{name}/token", params(("name" = String, Path)), security(("token" = [])),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn revoke(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
) -> Result<StatusCode, Problem> {
    service.steward(move |ledger, now| people::revoke_token(ledger, &name, &person.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
