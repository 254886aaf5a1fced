//! The number of responses so far, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::Response;

/// The classes of status codes, in the order of their first digits.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The number of responses so far, by the class of their status.
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; CLASSES.len()]);

impl Counts {
    /// Counts one response by its status.
    pub fn note(&self, response: &Response) {
        let class = usize::from(response.status().as_u16() / 100).checked_sub(1);
        if let Some(count) = class.and_then(|class| self.0.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The number of responses of each class.
    pub fn by_class(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CLASSES.into_iter().zip(&self.0).map(|(class, count)| (class, count.load(Ordering::Relaxed)))
    }
}
