//! The request to charge, and its three outcomes: a receipt, a stored release, a refusal.
//!
//! States of one answer. PRICED: a certificate exists. RESERVED: admitted in memory. EXECUTING: the charge is durable and its receipt
//! exists. SEALED: the release is durable. BURNED: charged, no answer. A crash in EXECUTING becomes BURNED at the next start.

use super::entry::{AccountMark, Digest, KeyUse};
use crate::privacy::certificate::{Certificate, Subject};
use crate::privacy::units::Price;

/// A wish to charge.
#[derive(Debug, Clone)]
pub struct ChargeRequest {
    /// The random id that the release will have.
    pub release: String,
    /// Whose account pays.
    pub researcher: String,
    /// The price and the noise.
    pub certificate: Certificate,
    /// Digest of the canonical plan without its accuracy.
    pub view: Digest,
    /// The canonical SQL.
    pub sql: String,
    /// The declared purpose.
    pub purpose: Option<String>,
    /// The idempotency key it was asked under.
    pub key: Option<KeyUse>,
    /// Milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// What became of it.
#[derive(Debug)]
pub enum Decision {
    /// Paid, durably.
    Charged(Receipt),
    /// Nothing needed to be drawn: this answer is stored.
    Stored(Standing),
    /// Not admitted; nothing changed.
    Refused(Refusal),
}

/// The proof of a durable charge; consumed by the release it paid for. Only a ledger makes one:
///
/// ```compile_fail,E0624
/// use tacit::budget::charge::{Receipt, Standing};
/// use tacit::privacy::certificate::Certificate;
/// fn forged(certificate: Certificate, standing: Standing) -> Receipt {
///     Receipt::of_durable_charge(certificate, standing)
/// }
/// ```
#[must_use = "a charge that releases nothing is money burnt"]
#[derive(Debug)]
pub struct Receipt {
    release: String,
    certificate: Certificate,
    standing: Standing,
}

impl Receipt {
    /// For ledgers alone, after the charge is on disk.
    pub(crate) fn of_durable_charge(certificate: Certificate, standing: Standing) -> Self {
        Self { release: standing.release.clone(), certificate, standing }
    }

    /// The id of the release that was paid for.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.release
    }

    /// What was paid for.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What it is good for.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        self.certificate.subject()
    }

    /// The account right after the charge.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}

/// A release, and the researcher's account it is shown beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The release.
    pub release: String,
    /// The account at the time.
    pub account: AccountMark,
    /// Whether nothing new was drawn.
    pub replayed: bool,
    /// How a replayed question lays the answer out, in the service's words; nothing for the question that was paid for.
    pub question: Option<String>,
}

/// Why a charge was not admitted. A refusal is an answer, not a failure; it costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The researcher holds no account of the dataset.
    #[error("no account")]
    NoAccount,
    /// The price is above what one query may cost.
    #[error("a price of {} units is over the query limit of {}", asked.units(), limit.units())]
    OverQueryLimit {
        /// The price.
        asked: Price,
        /// The limit.
        limit: Price,
    },
    /// The price does not fit into an account.
    #[error("a price of {} units does not fit into the {} left", asked.units(), left.units())]
    Exhausted {
        /// The price.
        asked: Price,
        /// What is left of the smaller leg: of the account or of the dataset's cap.
        left: Price,
    },
    /// The dataset has drawn as many noisy cells as its guarantee was proved for.
    #[error("the dataset has drawn its {limit} noisy cells")]
    CellsExhausted {
        /// The most cells in a dataset's life.
        limit: u64,
    },
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another request")]
    KeyConflict,
    /// The answer under this key failed after it was charged.
    #[error("the answer under this key failed after its charge")]
    Unanswered,
}
