//! /v1/requests: researchers ask for budget, and stewards decide.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::http::auth::{Reader, Researcher, Steward};
use crate::http::body::{Sent, epsilon};
use crate::http::params::{PageParams, Segment, page};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::people::Role;
use crate::query::error::shown;
use crate::service::Service;
use crate::service::stewarding::requests::{self, Decision, RequestView};

/// A request for budget.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedBody {
    dataset: String,
    /// The new total that is asked for, as a decimal string: above the present allocation, and at most the dataset's cap.
    epsilon: String,
    /// The reason for the request; kept in the ledger.
    reason: String,
}

/// A steward's decision on a request.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    granted: bool,
    /// The new total, as a decimal string, if it differs from what was asked for.
    epsilon: Option<String>,
    /// The reason for the decision; kept in the ledger, and shown to the requester.
    reason: String,
}

/// Lists requests, newest first: one's own, or all of them for a steward. `after` is the number of the last request on the previous page.
#[utoipa::path(
    get, path = "/v1/requests", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<RequestView>), (status = 400, body = Problem))
)]
pub async fn list(State(service): State<App>, Reader(person): Reader, params: PageParams) -> Result<Response, Problem> {
    let name = person.name.clone();
    let list = move |service: &Service| {
        let own = match person.role {
            Role::Steward => None,
            Role::Researcher | Role::Viewer => Some(person.name.as_str()),
        };
        let requests = requests::requests(service.ledger(), own);
        page(requests, |request| request.number.to_string(), |request| request, "/v1/requests", &params)
    };
    aside::built(&service, &name, list).await?
}

/// Asks for an allocation with a new total.
#[utoipa::path(
    post, path = "/v1/requests", request_body = RequestedBody, security(("token" = [])),
    responses((status = 201, body = RequestView), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn file(
    State(service): State<App>,
    Researcher(person): Researcher,
    Sent(RequestedBody { dataset, epsilon: total, reason }): Sent<RequestedBody>,
) -> Result<(StatusCode, Json<RequestView>), Problem> {
    let (who, epsilon) = (person.name, epsilon(&total)?);
    let filing =
        service.clone().steward(move |ledger, now| requests::file(ledger, &who, &dataset, epsilon, &reason, now));
    let number = filing.await?;
    Ok((StatusCode::CREATED, shown_request(&service, number)?))
}

/// Grants or declines a request. A decision is final.
#[utoipa::path(
    post, path = "/v1/requests/{number}/decide", params(("number" = u64, Path)), request_body = DecisionBody,
    security(("token" = [])),
    responses(
        (status = 200, body = RequestView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
pub async fn decide(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(number): Segment,
    Sent(body): Sent<DecisionBody>,
) -> Result<Json<RequestView>, Problem> {
    let unknown = || Problem::not_found(format!("there is no request {}", shown(&number)));
    let number: u64 = number.parse().map_err(|_| unknown())?;
    let (decision, reason) = body.decision()?;
    let by = person.name;
    service.clone().steward(move |ledger, now| requests::decide(ledger, number, decision, &reason, &by, now)).await?;
    shown_request(&service, number)
}

fn shown_request(service: &App, number: u64) -> Result<Json<RequestView>, Problem> {
    let request = requests::request(service.ledger(), number);
    request.map(Json).ok_or_else(|| Problem::not_found("the request is gone"))
}

impl DecisionBody {
    fn decision(self) -> Result<(Decision, String), Problem> {
        let total = self.epsilon.as_deref().map(epsilon).transpose()?;
        match (self.granted, total) {
            (true, epsilon) => Ok((Decision::Grant { epsilon }, self.reason)),
            (false, None) => Ok((Decision::Decline, self.reason)),
            (false, Some(_)) => {
                Err(Problem::invalid_request("the field \"epsilon\" does not apply to a declined request"))
            }
        }
    }
}
