//! The current time. This is the only module that reads the system's clock; everywhere else, time is an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of the current time; tests inject their own.
pub trait Clock: Send + Sync {
    /// The current time in milliseconds since 1970-01-01 00:00 UTC.
    fn now_ms(&self) -> u64;
}

/// The operating system's clock, used in production.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
