//! Health and the OpenAPI document.

use std::sync::Arc;

use axum::http::header;
use axum::response::IntoResponse;

/// Says that the process runs.
#[utoipa::path(get, path = "/livez", responses((status = 200, description = "It runs")))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Says that questions are answered. The listener opens only once the ledger and every edition are open.
#[utoipa::path(get, path = "/readyz", responses((status = 200, description = "It answers")))]
pub async fn readyz() -> &'static str {
    "ok\n"
}

/// The OpenAPI 3.1 document.
pub async fn openapi(document: Arc<str>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.to_string())
}
