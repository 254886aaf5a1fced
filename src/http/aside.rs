//! Lists and pages, built aside.
//!
//! Promises that whatever has a size that grows is built off the threads that accept requests, in its reader's turn, and that its bytes
//! count in a room until they are read.

use axum::response::Response;

use super::App;
use super::pieces::held_response;
use crate::service::asking::rooms::LIST_BYTES;
use crate::service::{Service, ServiceError};

/// Builds a response aside for `who`; nobody in particular is `""`.
///
/// # Errors
/// [`ServiceError::Overloaded`] where too many wait; within, those of `build`.
pub async fn built<E: Send + 'static>(
    service: &App,
    who: &str,
    build: impl FnOnce(&Service) -> Result<Response, E> + Send + 'static,
) -> Result<Result<Response, E>, ServiceError> {
    let room = service.room(who, LIST_BYTES).await?;
    let response = service.rendering(who, build).await?;
    Ok(response.map(|response| held_response(response, room)))
}
