//! Requests to charge, and the possible outcomes: a receipt, a stored release, or a refusal.

use super::entry::{AccountKind, AccountMark, Digest, DrawId, KeyUse, Postings};
use super::steps::PathStep;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::{Certificate, Subject};

/// The state of one answer. [`AnswerState::may_become`] is the whole state machine; the ledger's fold refuses an entry that makes any other
/// transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerState {
    /// A certificate exists and nothing is charged. → RESERVED when the writer admits it; a refused or abandoned request ends here.
    Priced,
    /// Admitted in the writer's memory, not yet on disk. → EXECUTING when its commit is durable; → VOIDED when the commit fails or the
    /// process ends before it. Then no data was touched and no receipt exists, so the account is as if nobody had asked.
    Reserved,
    /// The charge is durable and its receipt exists: data may be touched. → SEALED when the release is durable; → BURNED on any failure,
    /// and for every answer that a starting server finds in this state, because drawing again would look at the data twice.
    Executing,
    /// The release is durable. → RELEASED when the anchor holds the ledger's head, too.
    Sealed,
    /// The answer may leave, now and whenever it is asked for again. Final.
    Released,
    /// Never charged. Final.
    Voided,
    /// Charged, without an answer. Final; asking again is a new charge.
    Burned,
}

impl AnswerState {
    /// Returns whether an answer may go from this state to `next` in one step.
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

/// A request to charge for one answer.
#[derive(Debug, Clone)]
pub struct ChargeRequest {
    /// The random id that the release will have.
    pub release: String,
    /// Name of the researcher whose account pays.
    pub researcher: String,
    /// Price and noise of the measurements that are drawn anew; empty if the answer is computed from stored vectors alone.
    pub certificate: Certificate,
    /// Digests of the measurements that are drawn anew, in the certificate's order.
    pub drawn: Vec<Digest>,
    /// Stored vectors that the answer is also computed from.
    pub uses: Vec<DrawId>,
    /// The points of noise paths that the answer is made of; `None` if it is paid for draw by draw.
    pub steps: Option<Vec<PathStep>>,
    /// The price at which each measurement of the answer has the accuracy it has; at least what was asked for.
    pub worth: Vec<Price>,
    /// Digest of the canonical plan, without its accuracy.
    pub view: Digest,
    /// The query as canonical SQL.
    pub sql: String,
    /// Number of rows that count per unit.
    pub rows_per_unit: u32,
    /// The purpose that the researcher declared.
    pub purpose: Option<String>,
    /// The idempotency key that the request was sent under.
    pub key: Option<KeyUse>,
    /// Time of the request, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// A request to be served a stored answer.
#[derive(Debug, Clone)]
pub struct ServeRequest {
    /// Id of the stored answer.
    pub release: String,
    /// Name of the researcher who asks, and who pays for the draws that are new to them.
    pub researcher: String,
    /// What the query is and how it lays the answer out, as text of the service; `None` for the layout it was stored with.
    pub question: Option<String>,
    /// The idempotency key that the request was sent under.
    pub key: Option<KeyUse>,
    /// Time of the request, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// The ledger's decision on a request to charge or to be served.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made for each question and consumed at once")]
pub enum ChargeDecision {
    /// The charge is durable; data may be touched.
    Charged(Receipt),
    /// Nothing needs to be drawn: this answer is stored and may be served.
    Stored(Standing),
    /// Not admitted; nothing changed.
    Refused(Refusal),
}

/// The proof of a durable charge, consumed by the release it paid for. Only a ledger makes one:
///
/// ```compile_fail,E0624
/// use tacit::kernel::budget::charge::{Receipt, Standing};
/// use tacit::kernel::privacy::certificate::Certificate;
/// fn forged(certificate: Certificate, standing: Standing) -> Receipt {
///     Receipt::of_durable_charge(certificate, Vec::new(), standing)
/// }
/// ```
#[must_use = "a charge that releases nothing is money burnt"]
#[derive(Debug)]
pub struct Receipt {
    release: String,
    certificate: Certificate,
    steps: Vec<PathStep>,
    standing: Standing,
}

impl Receipt {
    /// Makes a receipt. Only ledgers may call it, after the charge is on disk.
    pub(crate) fn of_durable_charge(certificate: Certificate, steps: Vec<PathStep>, standing: Standing) -> Self {
        Self { release: standing.release.clone(), certificate, steps, standing }
    }

    /// The points of noise paths that the answer is made of.
    #[must_use]
    pub fn steps(&self) -> &[PathStep] {
        &self.steps
    }

    /// Id of the release that was paid for.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Price and noise laws that were paid for.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The edition of a dataset that the receipt is valid for.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        self.certificate.subject()
    }

    /// The release, and the researcher's account right after the charge.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }
}

/// A release, together with the state of the account of the researcher it is served to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Id of the release that is served.
    pub release: String,
    /// The researcher's account when the answer was charged or served.
    pub account: AccountMark,
    /// What each account paid for it.
    pub legs: Postings,
    /// Whether the answer was served without drawing anything.
    pub replayed: bool,
    /// How a replayed query lays the answer out, as JSON text of the service; `None` for the layout of the query that was paid for.
    pub question: Option<String>,
}

/// Why a charge was not admitted. A refusal is an answer, not a failure, and it costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The researcher has no account of this dataset.
    #[error("no account")]
    NoAccount,
    /// The price is above the limit for one query.
    #[error("a price of {} units is over the query limit of {}", asked.quanta(), limit.quanta())]
    OverQueryLimit {
        /// Price that the researcher would pay.
        asked: Price,
        /// The most that one query may cost.
        limit: Price,
    },
    /// The price does not fit into one of the accounts that it would be posted to.
    #[error("a price of {} units does not fit into the {} left of the {}'s account", asked.quanta(), left.quanta(), of.name())]
    Exhausted {
        /// Price that would be posted to that account.
        asked: Price,
        /// What is left: the least over the accounts from the researcher's to the dataset's.
        left: Price,
        /// Kind of the lowest account that cannot hold the price.
        of: AccountKind,
    },
    /// The dataset has drawn as many noisy cells as its guarantee was proved for.
    #[error("the dataset has drawn its {limit} noisy cells")]
    CellsExhausted {
        /// Maximum number of cells over a dataset's life.
        limit: u64,
    },
    /// The δ that the dataset sets aside for thresholds does not suffice for another one.
    #[error("a threshold of delta {asked} does not fit into the {left} left of what the dataset sets aside")]
    ThresholdExhausted {
        /// δ of the threshold that was asked for.
        asked: Delta,
        /// δ that is left for thresholds.
        left: Delta,
    },
    /// The dataset is frozen: nothing is drawn from it until its steward unfreezes it.
    #[error("the dataset is frozen after {incidents} incidents")]
    Frozen {
        /// Number of incidents since a steward last unfroze the dataset.
        incidents: u32,
    },
    /// A stored vector that the answer was to be computed from is not available, or the path of a view has changed since the answer was
    /// planned.
    #[error("a stored vector is not there")]
    Gone,
    /// The idempotency key was used before with a different request body.
    #[error("the idempotency key was used with another request")]
    KeyConflict,
    /// The answer under this idempotency key failed after it was charged.
    #[error("the answer under this key failed after its charge")]
    Unanswered,
}
