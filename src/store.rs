//! The store: the ledger and the releases in one SQLite file.
//!
//! Promises what the ledger's port asks: durable before a method returns, append-only, one writer, one process. It knows no
//! polars and no HTTP. SQL text stays portable: a PostgreSQL store will speak the same.

mod database;
mod writer;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

use crate::budget::book::{Book, Inconsistent};
use crate::budget::charge::{ChargeRequest, Decision, Refusal, Standing};
use crate::budget::entry::{Entry, KeyUse};
use crate::budget::ledger::{Ledger, LedgerFault, Outcome, Rule};
use database::Database;
use writer::{Job, Order};

/// The ledger's file in a state directory.
pub const LEDGER_FILE: &str = "ledger.db";
const LOCK_FILE: &str = "ledger.lock";

/// Why a ledger is not opened. The server does not start without it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state directory or its lock cannot be used.
    #[error("{path}: cannot be used: {kind}")]
    Unusable {
        /// The file.
        path: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// Another process holds it.
    #[error("{path}: another process holds this ledger; end it first, or talk to it with --server")]
    Held {
        /// The state directory.
        path: String,
    },
    /// The file is no SQLite database of ours, or damaged.
    #[error("{path}: the ledger is damaged or not one: {why}; restore it from a backup")]
    Damaged {
        /// The file.
        path: String,
        /// What was found.
        why: String,
    },
    /// A setting that durability depends on does not hold.
    #[error("{path}: {pragma} reads back as \"{found}\" and not as \"{wanted}\"; the ledger would not be durable here")]
    Pragma {
        /// The file.
        path: String,
        /// The setting.
        pragma: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// Written by another version.
    #[error("{path}: has schema version {found}; this program writes {wanted}")]
    Version {
        /// The file.
        path: String,
        /// Its version.
        found: u32,
        /// Ours.
        wanted: u32,
    },
}

/// The SQLite ledger.
pub struct SqliteLedger {
    book: Arc<RwLock<Book>>,
    orders: Mutex<Option<Sender<Order>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    reader: Mutex<Database>,
    sound: Arc<AtomicBool>,
    // Held until the ledger is dropped.
    _lock: File,
}

impl SqliteLedger {
    /// Opens or creates the ledger of a state directory. Answers that were cut off by a crash are burnt.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(state: &Path, now_ms: u64) -> Result<Self, OpenError> {
        create_private_dir(state).map_err(|error| unusable(state, &error))?;
        let lock = lock(state)?;
        let path = state.join(LEDGER_FILE);
        let mut database = Database::open(&path)?;
        let mut book = database.fold().map_err(|fold| damaged(&path, fold))?;
        writer::burn_cut_off(&mut database, &mut book, now_ms).map_err(|_| OpenError::Damaged {
            path: path.display().to_string(),
            why: "it cannot be written".to_owned(),
        })?;
        let reader = Database::open(&path)?;
        let book = Arc::new(RwLock::new(book));
        let (orders, received) = channel();
        let shared = Arc::clone(&book);
        let sound = Arc::new(AtomicBool::new(true));
        let is_sound = Arc::clone(&sound);
        let writer = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer::run(database, &shared, &received, &is_sound))
            .map_err(|error| unusable(state, &error))?;
        Ok(Self {
            book,
            orders: Mutex::new(Some(orders)),
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(reader),
            sound,
            _lock: lock,
        })
    }

    fn order<T>(&self, job: Job, at_ms: u64, answer: impl FnOnce(writer::Done) -> Option<T>) -> Result<T, LedgerFault> {
        let (reply, receive) = std::sync::mpsc::sync_channel(1);
        {
            let orders = self.orders.lock().map_err(|_| LedgerFault::Closed)?;
            let sender = orders.as_ref().ok_or(LedgerFault::Closed)?;
            sender.send(Order { job, at_ms, reply }).map_err(|_| LedgerFault::Closed)?;
        }
        let done = receive.recv().map_err(|_| LedgerFault::Closed)??;
        answer(done).ok_or(LedgerFault::Closed)
    }
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

impl Ledger for SqliteLedger {
    fn charge(&self, request: ChargeRequest) -> Result<Decision, LedgerFault> {
        let at_ms = request.at_ms;
        self.order(Job::Charge(Box::new(request)), at_ms, |done| match done {
            writer::Done::Decided(decision) => Some(*decision),
            writer::Done::Recorded | writer::Done::Replayed(_) | writer::Done::Acted(_) => None,
        })
    }

    fn record(&self, outcome: Outcome, at_ms: u64) -> Result<(), LedgerFault> {
        self.order(Job::Record(outcome), at_ms, |_| Some(()))
    }

    fn replay(
        &self,
        researcher: &str,
        key: KeyUse,
        standing: Standing,
        at_ms: u64,
    ) -> Result<Result<Standing, Refusal>, LedgerFault> {
        let job = Job::Replay { researcher: researcher.to_owned(), key, standing };
        self.order(job, at_ms, |done| match done {
            writer::Done::Replayed(replayed) => Some(replayed),
            writer::Done::Recorded | writer::Done::Decided(_) | writer::Done::Acted(_) => None,
        })
    }

    fn act(&self, rule: Rule, at_ms: u64) -> Result<Result<Entry, String>, LedgerFault> {
        self.order(Job::Act(rule), at_ms, |done| match done {
            writer::Done::Acted(acted) => Some(acted.map(|entry| *entry)),
            writer::Done::Recorded | writer::Done::Decided(_) | writer::Done::Replayed(_) => None,
        })
    }

    fn is_sound(&self) -> bool {
        self.sound.load(Ordering::Acquire)
    }

    fn read(&self, reader: &mut dyn FnMut(&Book)) {
        // A writer that panicked left the book as of the last entry it took; it is still right to read.
        let book = self.book.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        reader(&book);
    }

    fn release(&self, id: &str) -> Result<Option<Vec<u8>>, LedgerFault> {
        let reader = self.reader.lock().map_err(|_| LedgerFault::Closed)?;
        reader.release(id).map_err(|error| store_fault(&error))
    }

    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LedgerFault> {
        let reader = self.reader.lock().map_err(|_| LedgerFault::Closed)?;
        reader.entries(after, limit).map_err(|error| store_fault(&error))
    }
}

/// Logs the store's own words, once, and gives ours.
fn store_fault(error: &rusqlite::Error) -> LedgerFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the ledger's store failed");
    LedgerFault::Store
}

fn create_private_dir(state: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(state)
}

fn lock(state: &Path) -> Result<File, OpenError> {
    let path: PathBuf = state.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Held { path: state.display().to_string() }),
        Err(fs::TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}

fn unusable(path: &Path, error: &io::Error) -> OpenError {
    OpenError::Unusable { path: path.display().to_string(), kind: error.kind() }
}

fn damaged(path: &Path, fold: database::FoldError) -> OpenError {
    let why = match fold {
        database::FoldError::Store(_) => "its pages cannot be read".to_owned(),
        database::FoldError::Bytes { seq } => {
            format!("the bytes of entry {seq} are not an entry, or do not match its hash")
        }
        database::FoldError::Chain(Inconsistent { seq, why }) => format!("entry {seq}: {why}"),
    };
    OpenError::Damaged { path: path.display().to_string(), why }
}
