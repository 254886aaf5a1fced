//! Padding: answers leave at fixed moments if a dataset is padded.
//!
//! Promises that every response waits until its moment, including errors and refusals, counted from the moment when the whole request was
//! read. The moment is that of the question, if the request was about one ([`crate::service::asking::pad`]). Not delayed are refused tokens
//! and the routes that need no token: health checks, the OpenAPI document, signing in, and what is published.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;
use crate::service::asking::pad::Pad;

/// Attaches its pad to an answer or a refusal.
pub fn marked(pad: Option<Pad>, answer: Result<Response, Problem>) -> Response {
    marked_any(pad, answer.into_response())
}

/// Attaches its pad to a response.
pub fn marked_any(pad: Option<Pad>, mut response: Response) -> Response {
    if let Some(pad) = pad {
        response.extensions_mut().insert(pad);
    }
    response
}

/// Delays every answer until its moment.
pub async fn hold(State(service): State<App>, mut request: Request, next: Next) -> Response {
    let Some(departure) = service.departure() else { return next.run(request).await };
    request.extensions_mut().insert(departure.clone());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        return response;
    }
    let pad = response.extensions_mut().remove::<Pad>();
    departure.reached(pad).await;
    response
}
