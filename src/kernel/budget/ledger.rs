//! The port to a durable ledger: the trait that the service uses and that the stores implement.
//!
//! Promises that whatever a method has returned is on disk; implementations keep that promise. The port carries plain data; it knows no SQL
//! and no files.

use std::sync::mpsc::sync_channel;

use super::charge::{ChargeDecision, ChargeRequest, ServeRequest};
use super::entry::{Act, Cause, Entry};
use crate::kernel::budget::state::LedgerState;

/// Why the ledger could not carry out an order; no data was touched for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    /// The store failed; its own error text stays in the log.
    #[error("the ledger could not be written")]
    Store,
    /// A stored answer cannot be decoded, or its digest differs from the recorded one.
    #[error("a stored answer cannot be read")]
    Unreadable,
    /// The entry is on disk but the anchor could not be written, so the answer may not leave yet.
    #[error("the ledger's anchor could not be written")]
    Unanchored,
    /// The ledger's writer has stopped.
    #[error("the ledger is closed")]
    Closed,
}

/// How the evaluation of a charged answer ended.
#[derive(Debug, Clone)]
pub enum EvaluationOutcome {
    /// An answer was made, and is to be stored.
    Released {
        /// Id of the release that the charge reserved.
        release: String,
        /// The encoded answer; it holds noisy values only.
        body: Vec<u8>,
    },
    /// There is no answer; the charge stands.
    Burned {
        /// Id of the release that the charge reserved.
        release: String,
        /// Why there is no answer.
        cause: Cause,
    },
}

impl EvaluationOutcome {
    /// Id of the release that ended.
    #[must_use]
    pub fn release(&self) -> &str {
        let (Self::Released { release, .. } | Self::Burned { release, .. }) = self;
        release
    }
}

/// A rule that the ledger's one writer evaluates on the current state: it makes a steward's act, or `None` if nothing is to be appended.
pub type Rule = Box<dyn FnOnce(&LedgerState) -> Option<Act> + Send>;

/// A durable, append-only record with one writer. All methods block; only [`Ledger::read`] may be called on an async thread.
pub trait Ledger: Send + Sync {
    /// Charges a request durably, finds what is already stored under its idempotency key, or refuses. With `body`, nothing is drawn: the
    /// answer was computed from stored vectors, and is stored in the same commit.
    ///
    /// # Errors
    /// [`LedgerFault`]; nothing was charged.
    fn charge(&self, request: ChargeRequest, body: Option<Vec<u8>>) -> Result<ChargeDecision, LedgerFault>;

    /// Records durably how a charged answer ended.
    ///
    /// # Errors
    /// [`LedgerFault`]; the charge stands.
    fn record(&self, outcome: EvaluationOutcome, at_ms: u64) -> Result<(), LedgerFault>;

    /// Records that a stored answer is served to somebody who pays for the draws that are new to them, or that it is served under a new
    /// idempotency key.
    ///
    /// # Errors
    /// [`LedgerFault`]; nothing was charged.
    fn serve(&self, request: ServeRequest) -> Result<ChargeDecision, LedgerFault>;

    /// Appends the steward's act that `rule` makes from the current state. If the rule makes none, returns `None` and changes nothing.
    /// [`decide`] and [`act`] also return what the rule found out.
    ///
    /// # Errors
    /// [`LedgerFault`]; nothing changed.
    fn act(&self, rule: Rule, at_ms: u64) -> Result<Option<Entry>, LedgerFault>;

    /// Whether the state in memory equals what the store holds. If not, nothing is charged until the store can be read again.
    fn is_sound(&self) -> bool;

    /// Calls `reader` once with the current state. Blocks no longer than one decision takes.
    fn read(&self, reader: &mut dyn FnMut(&LedgerState));

    /// Returns the encoded release of this id; `None` if no such answer is stored.
    ///
    /// # Errors
    /// [`LedgerFault`] if the store cannot be read.
    fn release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault>;

    /// Returns the entries after number `after`, oldest first, at most `limit` of them.
    ///
    /// # Errors
    /// [`LedgerFault`] if the store cannot be read.
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault>;
}

/// Returns what `reader` computes from the ledger's current state.
pub fn read<T>(ledger: &dyn Ledger, reader: impl FnOnce(&LedgerState) -> T) -> T {
    let (mut reader, mut seen) = (Some(reader), None);
    ledger.read(&mut |book| {
        if let Some(reader) = reader.take() {
            seen = Some(reader(book));
        }
    });
    // Unwrap safety: a ledger calls the reader exactly once, by the port's contract.
    seen.expect("a ledger shows its book")
}

/// Appends the act that `rule` makes from the current state, if it makes one, and returns its entry with what else the rule made.
///
/// # Errors
/// [`LedgerFault`]; nothing changed.
pub fn decide<T: Send + 'static>(
    ledger: &dyn Ledger,
    rule: impl FnOnce(&LedgerState) -> (Option<Act>, T) + Send + 'static,
    at_ms: u64,
) -> Result<(Option<Entry>, T), LedgerFault> {
    let (tell, told) = sync_channel(1);
    let rule = move |book: &LedgerState| {
        let (act, made) = rule(book);
        // The receiver outlives the rule, and the channel has room for the one message.
        let _ = tell.send(made);
        act
    };
    let entry = ledger.act(Box::new(rule), at_ms)?;
    // A writer that replied has evaluated the rule.
    told.try_recv().map(|made| (entry, made)).map_err(|_| LedgerFault::Closed)
}

/// Appends the act that `rule` makes from the current state. The inner error is the rule's refusal; then nothing changed.
///
/// # Errors
/// [`LedgerFault`]; nothing changed.
pub fn act<E: Send + 'static>(
    ledger: &dyn Ledger,
    rule: impl FnOnce(&LedgerState) -> Result<Act, E> + Send + 'static,
    at_ms: u64,
) -> Result<Result<Entry, E>, LedgerFault> {
    let split = move |book: &LedgerState| match rule(book) {
        Ok(act) => (Some(act), None),
        Err(refusal) => (None, Some(refusal)),
    };
    match decide(ledger, split, at_ms)? {
        (_, Some(refusal)) => Ok(Err(refusal)),
        (Some(entry), None) => Ok(Ok(entry)),
        (None, None) => Err(LedgerFault::Closed),
    }
}
