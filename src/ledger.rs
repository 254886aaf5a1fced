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
mod repricer;
mod verify;
pub mod answer_bytes;
pub mod backup;
pub mod replan;
pub mod sqlite;
mod error;
mod files;

use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::LedgerFault;
use crate::kernel::budget::orders::LedgerStore;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::writer::{Journal, LedgerWriter, WriterCommand, WriterOrder, WriterReply};
use crate::ledger::sqlite::database::Database;
pub use crate::ledger::sqlite::journal::WriteLock;
pub use crate::ledger::sqlite::open::LedgerOptions;
use crate::ledger::sqlite::open::OpenedLedger;
pub use fault::{AnswerFault, EntryFault};
pub use recovery::{Recovery, recover};
pub use repricer::{LedgerFinding, MadeOf, Repricer};
pub use rights::{OUTBOX, UPLOADS};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
pub use verify::{Verified, verify};

pub use self::error::OpenError;
pub use self::files::{LEDGER_FILE, LINK_KEY_FILE};

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
        Self::open_with(state, LedgerOptions::default(), now_ms)
    }

    /// Opens or creates a ledger like [`SqliteLedger::open`], with options.
    ///
    /// # Errors
    /// [`OpenError`] says why the ledger is not opened.
    pub fn open_with(state: &Path, options: LedgerOptions<'_>, now_ms: u64) -> Result<Self, OpenError> {
        let OpenedLedger { writer, lock, write_lock } = sqlite::open::open(state, options, now_ms)?;
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

impl LedgerStore for SqliteLedger {
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

    fn book(&self) -> &RwLock<LedgerState> {
        &self.book
    }

    fn soundness(&self) -> &AtomicBool {
        &self.is_sound
    }

    fn stored_release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault> {
        self.reader().release(id).map_err(|error| store_fault(&error))
    }

    fn stored_entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault> {
        self.reader().entries(after, limit).map_err(|error| store_fault(&error))
    }
}

/// Logs the store's error code, once, and returns our own error.
fn store_fault(error: &rusqlite::Error) -> LedgerFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the ledger's store failed");
    LedgerFault::Store
}
