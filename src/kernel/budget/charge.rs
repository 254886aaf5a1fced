//! The request to charge, and its three outcomes: a receipt, a stored release, a refusal.

use super::entry::{AccountMark, Digest, DrawId, KeyUse, Kind, Legs};
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::{Certificate, Subject};

/// Where one answer stands. [`State::may_become`] is the whole machine; the book refuses an entry that takes another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A certificate exists; nothing is charged. → RESERVED when the writer admits it, or nothing at all: a refusal, a hang-up.
    Priced,
    /// Admitted in the writer's memory, not yet on disk. → EXECUTING when its commit is durable; → VOIDED when the commit fails, or
    /// the process ends before it: no data was touched and no receipt exists, so the account is as if nobody had asked.
    Reserved,
    /// The charge is durable and its receipt exists: data may be touched. → SEALED when the release is durable; → BURNED on any
    /// failure, and for whatever the start of a server finds here: two draws would be two looks.
    Executing,
    /// The release is durable. → RELEASED when the ledger's head stands in the anchor, too.
    Sealed,
    /// The answer may leave, now and whenever it is asked for again. The end.
    Released,
    /// Never charged. The end.
    Voided,
    /// Charged, no answer. The end; asking again is a new charge.
    Burned,
}

impl State {
    /// Whether an answer goes from this state to the next in one step.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Priced, Self::Reserved)
                | (Self::Reserved, Self::Executing | Self::Voided)
                | (Self::Executing, Self::Sealed | Self::Burned)
                | (Self::Sealed, Self::Released)
        )
    }
}

/// A wish to charge.
#[derive(Debug, Clone)]
pub struct ChargeRequest {
    /// The random id that the release will have.
    pub release: String,
    /// Whose account pays.
    pub researcher: String,
    /// The price and the noise of what is drawn anew; of nothing, where the answer is computed from stored vectors alone.
    pub certificate: Certificate,
    /// Digests of the measurements that are drawn anew, in the certificate's order.
    pub drawn: Vec<Digest>,
    /// The stored vectors that the answer is computed from, too.
    pub uses: Vec<DrawId>,
    /// What each measurement of the answer is worth.
    pub worth: Vec<Price>,
    /// Digest of the canonical plan without its accuracy.
    pub view: Digest,
    /// The canonical SQL.
    pub sql: String,
    /// Rows of a unit that count.
    pub rows_per_unit: u32,
    /// The declared purpose.
    pub purpose: Option<String>,
    /// The idempotency key it was asked under.
    pub key: Option<KeyUse>,
    /// Milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// A wish to be served a stored answer.
#[derive(Debug, Clone)]
pub struct ServeRequest {
    /// The answer.
    pub release: String,
    /// Who asks, and pays for what of it is new to them.
    pub researcher: String,
    /// How the question lays it out, in the service's words; nothing where it is laid out as it was stored.
    pub question: Option<String>,
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
/// use tacit::kernel::budget::charge::{Receipt, Standing};
/// use tacit::kernel::privacy::certificate::Certificate;
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
    /// What each account paid.
    pub legs: Legs,
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
    #[error("a price of {} units does not fit into the {} left of the {}'s account", asked.units(), left.units(), of.name())]
    Exhausted {
        /// The price.
        asked: Price,
        /// What is left: the least of the accounts on the way to the root.
        left: Price,
        /// The account that does not hold it, the lowest of them.
        of: Kind,
    },
    /// The dataset has drawn as many noisy cells as its guarantee was proved for.
    #[error("the dataset has drawn its {limit} noisy cells")]
    CellsExhausted {
        /// The most cells in a dataset's life.
        limit: u64,
    },
    /// What the dataset sets aside of δ for thresholds does not hold another one.
    #[error("a threshold of delta {asked} does not fit into the {left} left of what the dataset sets aside")]
    ThresholdExhausted {
        /// δ of the threshold.
        asked: Delta,
        /// What is left.
        left: Delta,
    },
    /// Nothing is drawn from the dataset until its steward acts.
    #[error("the dataset is frozen after {incidents} incidents")]
    Frozen {
        /// Incidents since a steward last looked.
        incidents: u32,
    },
    /// A stored vector that the answer was to use is not there.
    #[error("a stored vector is not there")]
    Gone,
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another request")]
    KeyConflict,
    /// The answer under this key failed after it was charged.
    #[error("the answer under this key failed after its charge")]
    Unanswered,
}
