//! /v1/researchers/{name}/tokens: the tokens of one person, each with a name and an end.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::http::App;
use crate::http::auth::Steward;
use crate::http::body::Sent;
use crate::http::params::{Segment, TwoSegments};
use crate::http::problem::Problem;
use crate::query::error::shown;
use crate::service::ServiceError;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::tokens::{self, GivenToken, HeldToken, TokenTerms};

/// The token to give.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueBody {
    /// The token's name, unique among those that the person holds.
    name: String,
    /// When it expires: a day like `2027-01-31`, at whose end in UTC it does, or a moment like `2027-01-31T18:00:00Z`. Never by default.
    expires: Option<String>,
}

/// When a token expires, if a body says so.
pub fn expires(text: Option<&str>) -> Result<Option<u64>, Problem> {
    text.map(tokens::expiry_ms).transpose().map_err(|fault| ServiceError::from(fault).into())
}

/// Lists the tokens of a person that were not revoked, oldest first.
#[utoipa::path(
    get, path = "/v1/researchers/{name}/tokens", params(("name" = String, Path)), security(("token" = [])),
    responses((status = 200, body = Vec<HeldToken>), (status = 404, body = Problem))
)]
pub async fn list(
    State(service): State<App>,
    _: Steward,
    Segment(name): Segment,
) -> Result<Json<Vec<HeldToken>>, Problem> {
    let nobody = || Problem::not_found(format!("there is nobody named \"{}\"", shown(&name)));
    let held = service.tokens_of(&name).ok_or_else(nobody)?;
    Ok(Json(held.into_iter().map(HeldToken::from).collect()))
}

/// Gives another token to a person. It is shown only once.
#[utoipa::path(
    post, path = "/v1/researchers/{name}/tokens", params(("name" = String, Path)), request_body = IssueBody,
    security(("token" = [])),
    responses(
        (status = 201, body = GivenToken), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
pub async fn issue(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(researcher): Segment,
    Sent(IssueBody { name, expires: ends }): Sent<IssueBody>,
) -> Result<(StatusCode, Json<GivenToken>), Problem> {
    let terms = TokenTerms { name: name.clone(), expires_ms: expires(ends.as_deref())? };
    let (holder, expires) = (researcher.clone(), terms.expires_ms.map(timestamp));
    let act = service.steward(move |ledger, now| tokens::issue(ledger, &holder, terms, &person.name, now));
    let token = act.await?.text().to_owned();
    Ok((StatusCode::CREATED, Json(GivenToken { researcher, name, token, expires })))
}

/// Revokes one token of a person.
#[utoipa::path(
    delete, path = "/v1/researchers/{name}/tokens/{token}",
    params(("name" = String, Path), ("token" = String, Path, description = "The token's name")), security(("token" = [])),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn revoke(
    State(service): State<App>,
    Steward(person): Steward,
    TwoSegments(name, token): TwoSegments,
) -> Result<StatusCode, Problem> {
    service.steward(move |ledger, now| tokens::revoke_one(ledger, &name, &token, &person.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
