//! Counters of how often questions are parsed and planned.

use std::sync::atomic::AtomicU64;

/// How often a service has read questions since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadingCounts {
    /// Number of texts of questions that were parsed.
    pub parses: u64,
    /// Number of questions that were planned.
    pub plans: u64,
    /// Number of canonical texts that were parsed and planned again, to verify them.
    pub checks: u64,
}

/// The counters behind [`ReadingCounts`].
#[derive(Debug, Default)]
pub(crate) struct ReadingCounters {
    pub(super) parses: AtomicU64,
    pub(super) plans: AtomicU64,
    pub(super) checks: AtomicU64,
}
