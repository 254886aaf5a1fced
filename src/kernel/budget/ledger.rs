//! The port to a durable ledger.
//!
//! Promises are those of its implementations: what a method has returned is on disk. The port carries plain data; it knows no
//! SQL and no files.

use super::charge::{ChargeRequest, Decision, ServeRequest};
use super::entry::{Act, Cause, Entry};
use crate::kernel::budget::state::Book;

/// The ledger could not do it; no data was touched for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    /// The store failed; its own words stay in the log.
    #[error("the ledger could not be written")]
    Store,
    /// A stored answer cannot be read, or is not the one that was stored.
    #[error("a stored answer cannot be read")]
    Unreadable,
    /// It is written, and may not leave before the anchor is, too.
    #[error("the ledger's anchor could not be written")]
    Unanchored,
    /// The writer has ended.
    #[error("the ledger is closed")]
    Closed,
}

/// How an answer ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Its stored answer, encoded.
    Released {
        /// The release's id.
        release: String,
        /// The encoded answer.
        body: Vec<u8>,
    },
    /// Nothing; the charge stands.
    Burned {
        /// The release's id.
        release: String,
        /// Why.
        cause: Cause,
    },
}

impl Outcome {
    /// The release's id.
    #[must_use]
    pub fn release(&self) -> &str {
        let (Self::Released { release, .. } | Self::Burned { release, .. }) = self;
        release
    }
}

/// A rule that a steward's act is checked against, inside the one writer.
pub type Rule = Box<dyn FnOnce(&Book) -> Result<Act, String> + Send>;

/// A durable, append-only record with one writer. All methods block; none may be called on an async thread but [`Ledger::read`].
pub trait Ledger: Send + Sync {
    /// Charges durably, or finds what is stored under the key, or refuses. With `body` nothing is drawn: the answer is computed from
    /// stored vectors, and is stored in the same commit.
    ///
    /// # Errors
    /// [`LedgerFault`]; then nothing was charged.
    fn charge(&self, request: ChargeRequest, body: Option<Vec<u8>>) -> Result<Decision, LedgerFault>;

    /// Records durably how an answer ended.
    ///
    /// # Errors
    /// [`LedgerFault`]; the charge stands.
    fn record(&self, outcome: Outcome, at_ms: u64) -> Result<(), LedgerFault>;

    /// Records that a stored answer is served to somebody who pays for what of it is new to them, or under a new key.
    ///
    /// # Errors
    /// [`LedgerFault`]; then nothing was charged.
    fn serve(&self, request: ServeRequest) -> Result<Decision, LedgerFault>;

    /// Appends a steward's act if `rule` makes one of the book as it is; otherwise returns the rule's words.
    ///
    /// # Errors
    /// [`LedgerFault`]; then nothing changed.
    fn act(&self, rule: Rule, at_ms: u64) -> Result<Result<Entry, String>, LedgerFault>;

    /// Whether the book is what the store holds. Where it is not, nothing is charged until it can be read back.
    fn is_sound(&self) -> bool;

    /// Shows the book as it is now. Does not block for longer than a decision takes.
    fn read(&self, reader: &mut dyn FnMut(&Book));

    /// The encoded release.
    ///
    /// # Errors
    /// [`LedgerFault`] where the store cannot be read.
    fn release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault>;

    /// Entries after number `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`LedgerFault`] where the store cannot be read.
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault>;
}

/// What `reader` makes of the book.
pub fn read<T>(ledger: &dyn Ledger, reader: impl FnOnce(&Book) -> T) -> T {
    let (mut reader, mut seen) = (Some(reader), None);
    ledger.read(&mut |book| {
        if let Some(reader) = reader.take() {
            seen = Some(reader(book));
        }
    });
    // Unwrap safety: a ledger calls the reader once, by the port's contract.
    seen.expect("a ledger shows its book")
}
