//! Answers leave at their moment, where a dataset is padded.
//!
//! Promises that every answer after authentication waits, errors and refusals included, counted from when the whole request was
//! read: a caller who sends a body slowly moves the answer with it, and learns nothing of when the work was done. Health, the
//! document and refused tokens are not held.

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

/// When a request was read, as far as it is.
#[derive(Clone)]
pub struct Read(Arc<Mutex<Instant>>);

impl Read {
    /// The body is read now.
    pub fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks an answer or a refusal with its moment.
pub fn marked(pad: Option<Pad>, answer: Result<Response, Problem>) -> Response {
    marked_any(pad, answer.into_response())
}

/// Marks a response with its moment.
pub fn marked_any(pad: Option<Pad>, mut response: Response) -> Response {
    if let Some(pad) = pad {
        response.extensions_mut().insert(pad);
    }
    response
}

/// Holds every answer back until its moment.
pub async fn hold(State(service): State<App>, mut request: Request, next: Next) -> Response {
    // What is published is read without a look at anything private.
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

/// A random part of what a pad's chance may add; nothing where the system has no chance left.
fn jitter(pad: Pad) -> Duration {
    let bits = random::bytes::<4>().map_or(0, u32::from_le_bytes);
    pad.jitter_max().mul_f64(f64::from(bits) / f64::from(u32::MAX))
}
