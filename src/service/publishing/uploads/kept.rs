//! The place in which a running service keeps what stewards upload.

use std::sync::Arc;

use super::Uploads;
use crate::service::Service;

impl Service {
    /// Keeps what stewards upload in this place.
    #[must_use]
    pub fn uploading(mut self, uploads: Uploads) -> Self {
        self.uploads = Some(Arc::new(uploads));
        self
    }

    /// What stewards uploaded; `None` if the server has no place for it.
    #[must_use]
    pub fn uploads(&self) -> Option<&Uploads> {
        self.uploads.as_deref()
    }
}
