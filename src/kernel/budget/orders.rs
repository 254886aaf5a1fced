//! The ledger's port over its one writer, for every store alike.
//!
//! Promises that each method of [`Ledger`] sends the writer the order of its name and takes no other reply for an answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::charge::{ChargeDecision, ChargeRequest, ServeRequest};
use super::entry::Entry;
use super::ledger::{EvaluationOutcome, Ledger, LedgerFault, Rule};
use super::state::LedgerState;
use super::writer::{WriterCommand, WriterReply};

/// A store whose ledger has a [`LedgerWriter`](super::writer::LedgerWriter).
pub trait LedgerStore: Send + Sync {
    /// Hands an order to the writer and waits for its reply.
    ///
    /// # Errors
    /// [`LedgerFault`]; nothing changed.
    fn order(&self, command: WriterCommand, at_ms: u64) -> Result<WriterReply, LedgerFault>;

    /// The state that the writer has made durable.
    fn book(&self) -> &RwLock<LedgerState>;

    /// Whether that state equals what the store holds, as the writer knows it.
    fn soundness(&self) -> &AtomicBool;

    /// The encoded release of this id; `None` if no such answer is stored.
    ///
    /// # Errors
    /// [`LedgerFault`] if the store cannot be read.
    fn stored_release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault>;

    /// The entries after number `after`, oldest first, at most `limit` of them.
    ///
    /// # Errors
    /// [`LedgerFault`] if the store cannot be read.
    fn stored_entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault>;
}

impl<S: LedgerStore> Ledger for S {
    fn charge(&self, request: ChargeRequest, body: Option<Vec<u8>>) -> Result<ChargeDecision, LedgerFault> {
        let at_ms = request.at_ms;
        decided(self.order(WriterCommand::Charge(Box::new(request), body), at_ms)?)
    }

    fn record(&self, outcome: EvaluationOutcome, at_ms: u64) -> Result<(), LedgerFault> {
        match self.order(WriterCommand::Record(outcome), at_ms)? {
            WriterReply::Recorded => Ok(()),
            // The answer had already ended otherwise.
            WriterReply::Missed | WriterReply::Decided(_) | WriterReply::Acted(_) => Err(LedgerFault::Store),
        }
    }

    fn serve(&self, request: ServeRequest) -> Result<ChargeDecision, LedgerFault> {
        let at_ms = request.at_ms;
        decided(self.order(WriterCommand::Serve(Box::new(request)), at_ms)?)
    }

    fn act(&self, rule: Rule, at_ms: u64) -> Result<Option<Entry>, LedgerFault> {
        match self.order(WriterCommand::Act(rule), at_ms)? {
            WriterReply::Acted(acted) => Ok(acted.map(|entry| *entry)),
            WriterReply::Recorded | WriterReply::Missed | WriterReply::Decided(_) => Err(LedgerFault::Closed),
        }
    }

    fn is_sound(&self) -> bool {
        self.soundness().load(Ordering::Acquire)
    }

    fn read(&self, reader: &mut dyn FnMut(&LedgerState)) {
        // If the writer panicked, the state is as of the last entry it applied, which is still correct to read.
        let book = self.book().read().unwrap_or_else(PoisonError::into_inner);
        reader(&book);
    }

    fn release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault> {
        self.stored_release(id)
    }

    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault> {
        self.stored_entries(after, limit)
    }
}

fn decided(reply: WriterReply) -> Result<ChargeDecision, LedgerFault> {
    match reply {
        WriterReply::Decided(decision) => Ok(*decision),
        WriterReply::Recorded | WriterReply::Missed | WriterReply::Acted(_) => Err(LedgerFault::Closed),
    }
}
