//! The store: the ledger and the releases in one SQLite file, with its key and its anchor.
//!
//! Promises what the ledger's port asks for: durable before a method returns, append-only, one writer, one process. A ledger is checked as
//! a whole before it is opened: every entry's bytes, hash and place in the chain, the signed head, and the anchor; and it must not be a
//! copy made by `tacit backup`, which does not know what was spent since. It knows no polars and no HTTP. SQL text stays portable, so that
//! a PostgreSQL store can use the same.

mod signing;
mod anchor;
mod place;
mod copies;
mod rights;
mod recovery;
mod fault;
mod verify;
pub mod answer_bytes;
pub mod backup;
pub mod replan;
pub mod sqlite;
mod error;
mod files;

use crate::kernel::budget::charge::{ChargeDecision, ChargeRequest, ServeRequest};
use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::{EvaluationOutcome, Ledger, LedgerFault, Rule};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::writer::{Journal, LedgerWriter, WriterCommand, WriterOrder, WriterReply};
use crate::ledger::sqlite::database::Database;
pub use crate::ledger::sqlite::journal::WriteLock;
pub use crate::ledger::sqlite::open::Wrap;
pub use fault::{AnswerFault, EntryFault};
pub use recovery::{Recovery, recover};
pub use rights::OUTBOX;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
pub use verify::{Finding, Repricer, Verified, verify};

pub use self::error::OpenError;
pub use self::files::LEDGER_FILE;

/// Maximum number of orders that are decided and committed at once.
const BATCH_ORDERS_MAX: usize = 512;

/// The ledger in an SQLite file, with a thread that is its only writer.
pub struct SqliteLedger {
    book: Arc<RwLock<LedgerState>>,
    orders: Mutex<Option<Sender<WriterOrder>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    reader: Mutex<Database>,
    is_sound: Arc<AtomicBool>,
    write_lock: WriteLock,
    // The lock is held until the ledger is dropped.
    _lock: File,
}

impl SqliteLedger {
    /// Opens or creates the ledger of a state directory. Answers that a crash cut off are burned.
    ///
    /// # Errors
    /// [`OpenError`] says why the ledger is not opened.
    pub fn open(state: &Path, now_ms: u64) -> Result<Self, OpenError> {
        Self::open_anchored(state, None, now_ms)
    }

    /// Opens or creates a ledger like [`SqliteLedger::open`]; `anchor` overrides the anchor's place, `None` keeps the recorded one.
    ///
    /// # Errors
    /// [`OpenError`] says why the ledger is not opened.
    pub fn open_anchored(state: &Path, anchor: Option<&Path>, now_ms: u64) -> Result<Self, OpenError> {
        Self::open_wrapped(state, anchor, &|journal| journal, now_ms)
    }

    /// Opens or creates a ledger like [`SqliteLedger::open_anchored`], with a wrapper around its journal, such as a slower disk for
    /// measurements.
    ///
    /// # Errors
    /// [`OpenError`] says why the ledger is not opened.
    pub fn open_wrapped(state: &Path, anchor: Option<&Path>, wrap: Wrap<'_>, now_ms: u64) -> Result<Self, OpenError> {
        let crate::ledger::sqlite::open::Opened { writer, lock, write_lock } =
            crate::ledger::sqlite::open::open(state, anchor, wrap, now_ms)?;
        let reader = Database::open(&state.join(LEDGER_FILE))?;
        let (book, is_sound) = (writer.book(), writer.soundness());
        let (orders, received) = channel();
        let writer = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write(writer, &received))
            .map_err(|error| crate::ledger::error::unusable(state, &error))?;
        Ok(Self {
            book,
            orders: Mutex::new(Some(orders)),
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(reader),
            is_sound,
            write_lock,
            _lock: lock,
        })
    }

    /// The lock to hold while anything but the ledger writes to the ledger's file.
    #[must_use]
    pub fn write_lock(&self) -> WriteLock {
        self.write_lock.clone()
    }

    fn order(&self, job: WriterCommand, at_ms: u64) -> Result<WriterReply, LedgerFault> {
        let (reply, receive) = sync_channel(1);
        let reply = Box::new(move |done| {
            // The caller may be gone.
            let _ = reply.send(done);
        });
        {
            let orders = self.orders.lock().map_err(|_| LedgerFault::Closed)?;
            let sender = orders.as_ref().ok_or(LedgerFault::Closed)?;
            sender.send(WriterOrder { job, at_ms, reply }).map_err(|_| LedgerFault::Closed)?;
        }
        receive.recv().map_err(|_| LedgerFault::Closed)?
    }

    fn reader(&self) -> std::sync::MutexGuard<'_, Database> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the writer's thread: the orders that arrived meanwhile become one commit, alternating between charges and everything else. A commit
/// of charges needs no anchor line, because no answer leaves with it. So many answers share one line, and no order waits for more than two
/// commits.
fn write<J: Journal>(mut writer: LedgerWriter<J>, orders: &Receiver<WriterOrder>) {
    let (mut waiting, mut charges_next) = (Vec::new(), true);
    loop {
        if waiting.is_empty() {
            let Ok(first) = orders.recv() else { break };
            waiting.push(first);
        }
        waiting.extend(orders.try_iter().take(BATCH_ORDERS_MAX));
        let (charges, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|order| is_charge(&order.job));
        let (now, later) = match (charges_next, charges.is_empty(), others.is_empty()) {
            (true, false, _) | (false, _, true) => (charges, others),
            (true, true, _) | (false, _, false) => (others, charges),
        };
        charges_next = !charges_next;
        waiting = later;
        writer.perform(now);
    }
}

fn is_charge(job: &WriterCommand) -> bool {
    matches!(job, WriterCommand::Charge(_, None))
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        if let Ok(mut orders) = self.orders.lock() {
            orders.take();
        }
        if let Some(writer) = self.writer.lock().ok().and_then(|mut writer| writer.take()) {
            let _ = writer.join();
        }
    }
}

/// Extracts the decision from what the writer did.
///
/// # Errors
/// [`LedgerFault::Closed`] if the writer did something else.
pub fn decided(done: WriterReply) -> Result<ChargeDecision, LedgerFault> {
    match done {
        WriterReply::Decided(decision) => Ok(*decision),
        WriterReply::Recorded | WriterReply::Missed | WriterReply::Acted(_) => Err(LedgerFault::Closed),
    }
}

/// Checks that an outcome was recorded.
///
/// # Errors
/// [`LedgerFault::Store`] if the answer had already ended otherwise.
pub fn recorded(done: &WriterReply) -> Result<(), LedgerFault> {
    match done {
        WriterReply::Recorded => Ok(()),
        WriterReply::Missed | WriterReply::Decided(_) | WriterReply::Acted(_) => Err(LedgerFault::Store),
    }
}

/// Extracts the result of a steward's act from what the writer did.
///
/// # Errors
/// [`LedgerFault::Closed`] if the writer did something else.
pub fn acted(done: WriterReply) -> Result<Option<Entry>, LedgerFault> {
    match done {
        WriterReply::Acted(acted) => Ok(acted.map(|entry| *entry)),
        WriterReply::Recorded | WriterReply::Missed | WriterReply::Decided(_) => Err(LedgerFault::Closed),
    }
}

impl Ledger for SqliteLedger {
    fn charge(&self, request: ChargeRequest, body: Option<Vec<u8>>) -> Result<ChargeDecision, LedgerFault> {
        let at_ms = request.at_ms;
        decided(self.order(WriterCommand::Charge(Box::new(request), body), at_ms)?)
    }

    fn record(&self, outcome: EvaluationOutcome, at_ms: u64) -> Result<(), LedgerFault> {
        recorded(&self.order(WriterCommand::Record(outcome), at_ms)?)
    }

    fn serve(&self, request: ServeRequest) -> Result<ChargeDecision, LedgerFault> {
        let at_ms = request.at_ms;
        decided(self.order(WriterCommand::Serve(Box::new(request)), at_ms)?)
    }

    fn act(&self, rule: Rule, at_ms: u64) -> Result<Option<Entry>, LedgerFault> {
        acted(self.order(WriterCommand::Act(rule), at_ms)?)
    }

    fn is_sound(&self) -> bool {
        self.is_sound.load(Ordering::Acquire)
    }

    fn read(&self, reader: &mut dyn FnMut(&LedgerState)) {
        // If the writer panicked, the state is as of the last entry it applied, which is still correct to read.
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        reader(&book);
    }

    fn release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault> {
        self.reader().release(id).map_err(|error| store_fault(&error))
    }

    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault> {
        self.reader().entries(after, limit).map_err(|error| store_fault(&error))
    }
}

/// Logs the store's error code, once, and returns our own error.
fn store_fault(error: &rusqlite::Error) -> LedgerFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the ledger's store failed");
    LedgerFault::Store
}
