//! The state of all handlers.

use std::sync::Arc;

use crate::service::Service;

/// The service that all handlers share.
pub type App = Arc<Service>;
