//! Health checks, the state of a server, and the OpenAPI document.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::http::auth::Anyone;
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::service::Service;
use crate::service::stewarding::accounts::timestamp;

/// Says that the process runs.
#[utoipa::path(get, path = "/livez", responses((status = 200, description = "It runs")))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Says whether questions are answered: 200 if so, 503 if the ledger cannot be read back after a failure or a dataset has no worker.
///
/// The listener opens only once the ledger and every edition are open.
#[utoipa::path(
    get, path = "/readyz",
    responses((status = 200, description = "It answers"), (status = 503, body = Problem))
)]
pub async fn readyz(State(service): State<App>) -> Result<&'static str, Problem> {
    if service.is_ready() {
        return Ok("ok\n");
    }
    Err(Problem::overloaded(
        "the ledger cannot be read back, or a dataset cannot be evaluated: no worker of it is up, or its table is damaged; the log says which",
    ))
}

/// The state of a server, and who asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StatusBody {
    /// The version that runs.
    pub version: String,
    /// Whether questions are answered.
    pub ready: bool,
    /// The name of the person whose token it is.
    pub name: String,
    /// Their role.
    pub role: String,
    /// The ledger; for stewards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub ledger: Option<LedgerStatus>,
}

/// The state of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerStatus {
    /// The number of its entries.
    pub entries: u64,
    /// When the last one was written, in UTC, as RFC 3339 text; null if there is none.
    pub last_at: Option<String>,
    /// The number of requests for budget that are not decided yet.
    pub requests_open: u64,
    /// The number of answers that were charged and have not ended.
    pub executing: u64,
}

/// Shows the state of the server, and whose token it is.
#[utoipa::path(
    get, path = "/v1/status", security(("token" = [])),
    responses((status = 200, body = StatusBody), (status = 503, body = Problem))
)]
pub async fn status(State(service): State<App>, Anyone(person): Anyone) -> Result<Response, Problem> {
    let name = person.name.clone();
    aside::built(&service, &name, move |service| status_for(service, person)).await?
}

fn status_for(service: &Service, person: Person) -> Result<Response, Problem> {
    let ledger = (person.role == Role::Steward).then(|| ledger_status(service)).transpose()?;
    let body = StatusBody {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ready: service.is_ready(),
        name: person.name,
        role: person.role.name().to_owned(),
        ledger,
    };
    Ok(Json(body).into_response())
}

fn ledger_status(service: &Service) -> Result<LedgerStatus, Problem> {
    let (entries, requests_open, executing) = read(service.ledger(), |book| {
        let open = book.requests().filter(|(_, card)| card.decision.is_none()).count();
        (book.head().0, open as u64, book.executing().count() as u64)
    });
    let last = service.ledger().entries(entries.saturating_sub(1), 1);
    let last = last.map_err(|_| Problem::overloaded("the ledger could not be read"))?;
    let last_at = last.first().map(|entry| timestamp(entry.at_ms));
    Ok(LedgerStatus { entries, last_at, requests_open, executing })
}

/// Serves the OpenAPI 3.1 document.
pub async fn openapi(document: Arc<str>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.to_string())
}
