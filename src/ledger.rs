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
mod verify;
pub mod backup;
pub mod replan;
pub mod sqlite;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use crate::kernel::budget::charge::{ChargeDecision, ChargeRequest, ServeRequest};
use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::ledger::{EvaluationOutcome, Ledger, LedgerFault, Rule};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::writer::{Journal, LedgerWriter, WriterCommand, WriterOrder, WriterReply};
use crate::ledger::sqlite::database::Database;

pub use crate::ledger::sqlite::journal::WriteLock;
pub use crate::ledger::sqlite::open::Wrap;
pub use recovery::{Recovery, recover};
pub use rights::OUTBOX;
pub use verify::{Finding, Repricer, Verified, verify};

/// Name of the ledger's file in a state directory.
pub const LEDGER_FILE: &str = "ledger.db";
/// Maximum number of orders that are decided and committed at once.
const BATCH_ORDERS_MAX: usize = 512;

/// Why a ledger is not opened. The server does not start without one.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state directory or its lock cannot be used.
    #[error("{path}: cannot be used: {kind}")]
    Unusable {
        /// Path of the file or directory.
        path: String,
        /// The system's error kind.
        kind: io::ErrorKind,
    },
    /// The directory is a copy, and nobody has said what was spent since it was made.
    #[error(
        "{path}: is a copy made by tacit backup and does not know what was spent since; it opens for tacit ledger verify and tacit \
         backup alone. To go on from it, run: tacit ledger recover --state {path} --anchor LATEST --reason \"...\", with the latest \
         anchor; or the same without --anchor: tacit ledger recover --state {path} --reason \"...\", which takes the anchor at {place} if \
         it is there, and burns what is left of every cap if it is not"
    )]
    Copy {
        /// Path of the state directory.
        path: String,
        /// Where the ledger last had its anchor.
        place: String,
    },
    /// Another process holds the ledger.
    #[error("{path}: another process holds this ledger; end it first, or talk to it with --server")]
    Held {
        /// Path of the state directory.
        path: String,
    },
    /// The file is not an SQLite database of ours, or it is damaged.
    #[error("{path}: the ledger is damaged or not one: {why}; restore it from a backup")]
    Damaged {
        /// Path of the file.
        path: String,
        /// What was found to be wrong.
        why: String,
    },
    /// The file is intact but cannot be written now.
    #[error("{path}: cannot be written now: {why}; mend that, and do not restore anything")]
    Unwritable {
        /// Path of the file.
        path: String,
        /// What prevents writing.
        why: String,
    },
    /// A setting that durability depends on does not have the required value.
    #[error("{path}: {pragma} reads back as \"{found}\" and not as \"{wanted}\"; the ledger would not be durable here")]
    Pragma {
        /// Path of the file.
        path: String,
        /// Name of the SQLite pragma.
        pragma: &'static str,
        /// The value that it must have.
        wanted: &'static str,
        /// The value that it has.
        found: String,
    },
    /// The file was written by another version.
    #[error("{path}: has schema version {found}; this program writes {wanted}")]
    Version {
        /// Path of the file.
        path: String,
        /// Schema version of the file.
        found: u32,
        /// Schema version of this program.
        wanted: u32,
    },
    /// The ledger's key is missing.
    #[error("{path}: the ledger's key is missing; restore it, or run: tacit ledger recover")]
    KeyMissing {
        /// Path where the key should be.
        path: String,
    },
    /// The anchor is missing.
    #[error(
        "{path}: the anchor is missing, so nobody can tell whether this ledger is the latest; restore it, name its place, or run: \
         tacit ledger recover, which burns what is left of every cap"
    )]
    AnchorMissing {
        /// Path where the anchor should be.
        path: String,
    },
    /// The anchor was moved away from the ledger, and the file that names its place is missing.
    #[error(
        "{path}: is gone, and it said where the anchor of this ledger is; restore it, or name the anchor in tacit.toml, or run: tacit \
         ledger recover --anchor LATEST, or without --anchor, which burns what is left of every cap"
    )]
    PlaceLost {
        /// Path of the file that named the place.
        path: String,
    },
    /// Another process writes the anchor.
    #[error("{path}: another process holds this anchor; end it first: two ledgers must not go on from one anchor")]
    AnchorHeld {
        /// Path of the anchor.
        path: String,
    },
    /// The anchor is not signed by this ledger's key.
    #[error("{path}: the anchor's lines are not signed by this ledger's key; restore it, or run: tacit ledger recover")]
    AnchorForged {
        /// Path of the anchor.
        path: String,
    },
    /// The anchor is one that was copied by `tacit backup`.
    #[error(
        "{path}: this anchor was copied by tacit backup and does not know what was spent since; name the latest one, or leave it out and \
         run: tacit ledger recover, which burns what is left of every cap where there is no other"
    )]
    AnchorCopied {
        /// Path of the anchor.
        path: String,
    },
    /// The anchor that was named is older than the one that was copied with the copy.
    #[error(
        "{path}: the anchor knows entry {anchor_seq}, and when the copy was made the anchor knew entry {copied_seq}: it is not the latest; \
         name the latest one, or leave it out, and what is left of every cap is burnt"
    )]
    AnchorOlder {
        /// Path of the anchor that was named.
        path: String,
        /// The last entry that the named anchor knows.
        anchor_seq: u64,
        /// The last entry that the copied anchor knows.
        copied_seq: u64,
    },
    /// The anchor that was named does not exist, and the one that vouches for the ledger may be an older copy.
    #[error(
        "{path}: the anchor is missing. If it is to move there, copy {known} to it first. If it was there before and is lost, this ledger \
         is an older copy: take {known} away and run: tacit ledger recover, which burns what is left of every cap"
    )]
    AnchorNotMoved {
        /// Path that was named.
        path: String,
        /// Path of the anchor that exists.
        known: String,
    },
    /// The ledger is older than its anchor.
    #[error(
        "{path}: the anchor knows entry {anchor_seq}, and the ledger ends at {ledger_seq} or went another way: it is an older copy; \
         restore the latest one, or run: tacit ledger recover --anchor {path}, which takes the anchor's balances"
    )]
    SetBack {
        /// Path of the anchor.
        path: String,
        /// The last entry that the anchor knows.
        anchor_seq: u64,
        /// The last entry of the ledger.
        ledger_seq: u64,
    },
    /// The ledger is empty, so nothing in it can be recovered.
    #[error(
        "{path}: the ledger is empty, and an anchor speaks of one that was not; restore a copy of it, however old, and recover that"
    )]
    NothingToRecoverOnto {
        /// Path of the ledger.
        path: String,
    },
    /// The ledger, its key and its anchor agree, so there is nothing to recover.
    #[error("{path}: the ledger and its anchor agree; there is nothing to recover")]
    NothingToRecover {
        /// Path of the ledger.
        path: String,
    },
}

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
            .map_err(|error| crate::ledger::sqlite::open::unusable(state, &error))?;
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
pub fn acted(done: WriterReply) -> Result<Result<Entry, String>, LedgerFault> {
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

    fn act(&self, rule: Rule, at_ms: u64) -> Result<Result<Entry, String>, LedgerFault> {
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
