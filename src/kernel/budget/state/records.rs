//! Records of published statistics and of requests for budget.

use crate::kernel::budget::entry::{Digest, KeyUse};
use crate::kernel::privacy::amounts::{Epsilon, Price};

/// The state of one published statistic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatisticRecord {
    /// The answer that it shows; `None` until the first one is published.
    pub shown: Option<ShownRelease>,
    /// When it was last due and skipped, in milliseconds since 1970 in UTC, and why; `None` once it was drawn again.
    pub skipped: Option<(u64, String)>,
    /// The steward's latest confirmation; `None` if nobody confirmed it, as in ledgers older than confirmations.
    pub confirmed: Option<Confirmation>,
    /// Number of the entry that last changed any of this.
    pub changed: u64,
}

impl StatisticRecord {
    /// Whether a draw of this query at this price was agreed to: by a steward, or because it was already drawn before there were
    /// confirmations.
    #[must_use]
    pub fn agrees_to(&self, question: &Digest, price: Price) -> bool {
        match self.confirmed.as_ref().filter(|confirmed| confirmed.question == *question) {
            Some(confirmed) => price <= confirmed.amount,
            None => self.shows(question),
        }
    }

    /// Whether the answer that it shows is one to this query.
    #[must_use]
    pub fn shows(&self, question: &Digest) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.key.body == *question)
    }
}

/// The stored answer that a statistic shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRelease {
    /// The idempotency key under which it was asked for; its `body` is the digest of the query and its accuracy.
    pub key: KeyUse,
    /// Release id of the stored answer.
    pub release: String,
    /// Id of the edition that the answer is computed from.
    pub edition: String,
    /// When it was published, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// What readers see of the statistic, as JSON text of the service; `None` if it was drawn before there were confirmations.
    pub face: Option<String>,
}

/// A steward's agreement that a statistic may be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Digest of the query and its accuracy.
    pub question: Digest,
    /// The most that one draw may cost, as an amount.
    pub amount: Price,
    /// The most that one draw may cost, as an ε.
    pub epsilon: Epsilon,
    /// What readers see of the statistic, as JSON text of the service.
    pub face: String,
    /// Name of the steward who confirmed it.
    pub by: String,
    /// When it was confirmed, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// A researcher's request for more budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// Name of the researcher who asks.
    pub researcher: String,
    /// Name of the dataset that the allocation is of.
    pub dataset: String,
    /// The new total that is asked for.
    pub epsilon: Epsilon,
    /// The researcher's reason, as they wrote it.
    pub reason: String,
    /// When it was made, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// Whether it was granted, and the steward's reason; `None` while it is open.
    pub decision: Option<(bool, String)>,
}
