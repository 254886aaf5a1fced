//! Health checks and the OpenAPI document.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::http::App;
use crate::http::problem::Problem;

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

/// Serves the OpenAPI 3.1 document.
pub async fn openapi(document: Arc<str>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.to_string())
}
