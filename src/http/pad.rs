//! Padding: answers leave at fixed moments if a dataset is padded.
//!
//! Promises that every answer after authentication waits, including errors and refusals, counted from the moment when the whole request was
//! read. A caller who sends a body slowly therefore delays the answer by the same time, and does not learn when the work was done. Health
//! checks, the OpenAPI document and refused tokens are not delayed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::App;
use super::problem::Problem;
use crate::kernel::random;
use crate::service::asking::pad::Pad;

/// The time when a request was read, as far as it has been.
#[derive(Clone)]
pub struct Read(Arc<Mutex<Instant>>);

impl Read {
    /// Records that the body has just been read.
    pub fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    // Published statistics are read without touching anything private.
    let is_published = request.method() == Method::GET && request.uri().path().starts_with("/v1/statistics");
    let path = request.uri().path();
    let is_held = (path.starts_with("/v1/") || path.starts_with("/ask")) && !is_published;
    let Some(least) = service.least_pad().filter(|_| is_held) else {
        return next.run(request).await;
    };
    let read = Read(Arc::new(Mutex::new(Instant::now())));
    request.extensions_mut().insert(read.clone());
    let mut response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        return response;
    }
    let pad = response.extensions_mut().remove::<Pad>().unwrap_or(least);
    tokio::time::sleep_until(read.at() + pad.due(read.at().elapsed()) + jitter(pad)).await;
    response
}

/// A random part of the largest delay that a pad may add; 0 if the system has no randomness left.
fn jitter(pad: Pad) -> Duration {
    let bits = random::bytes::<4>().map_or(0, u32::from_le_bytes);
    pad.jitter_max().mul_f64(f64::from(bits) / f64::from(u32::MAX))
}
