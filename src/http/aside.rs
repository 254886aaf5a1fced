//! Builds lists and pages away from the threads that accept requests.
//!
//! Promises that responses of growing size are built on other threads, in their
//! reader's turn, and that their bytes count in a room until they are read.

use axum::response::Response;

use super::App;
use super::pieces::held_response;
use crate::service::asking::rooms::LIST_BYTES;
use crate::service::{Service, ServiceError};

/// Builds a response on another thread in the turn of `who`; `""` stands for nobody in particular.
///
/// # Errors
/// [`ServiceError::Overloaded`] if too many are waiting. The inner result holds the errors of `build`.
pub async fn built<E: Send + 'static>(
    service: &App,
    who: &str,
    build: impl FnOnce(&Service) -> Result<Response, E> + Send + 'static,
) -> Result<Result<Response, E>, ServiceError> {
    let room = service.room(who, LIST_BYTES).await?;
    let response = service.rendering(who, build).await?;
    Ok(response.map(|response| held_response(response, room)))
}
