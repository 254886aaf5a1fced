//! Opening a state directory: everything that must hold before a ledger may be written.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::database::{Database, fault};
use super::journal::{self, SqliteJournal, WriteLock};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::writer::{Journal, LedgerWriter};
use crate::ledger::anchor::Anchor;
use crate::ledger::error::OpenError;
use crate::ledger::error::{anchor_unusable, damaged, unusable, unwritable};
use crate::ledger::files::LEDGER_FILE;
use crate::ledger::files::LOCK_FILE;
use crate::ledger::place::{AnchorPlaces, CheckedLedger, last_place};
use crate::ledger::signing::{KEY_FILE, Signer};
use crate::ledger::{copies, rights};

/// Wraps the journal of a ledger into another one, such as one that fails on purpose.
pub type JournalWrapper<'a> = &'a dyn Fn(Box<dyn Journal>) -> Box<dyn Journal>;

/// How a ledger is opened.
#[derive(Clone, Copy, Default)]
pub struct LedgerOptions<'a> {
    /// Where the anchor is from now on; `None` leaves it where it was.
    pub anchor: Option<&'a Path>,
    /// A wrapper around the journal, such as a slower disk for measurements.
    pub wrap: Option<JournalWrapper<'a>>,
}

impl<'a> LedgerOptions<'a> {
    /// No wrapper, and the anchor at `anchor`, or where it was.
    #[must_use]
    pub fn anchored(anchor: Option<&'a Path>) -> Self {
        Self { anchor, wrap: None }
    }
}

/// A writer, with the lock that keeps other processes out.
pub(in crate::ledger) struct OpenedLedger {
    pub(in crate::ledger) writer: LedgerWriter<Box<dyn Journal>>,
    pub(in crate::ledger) lock: File,
    pub(in crate::ledger) write_lock: WriteLock,
}

/// Opens or creates the ledger of a state directory, after checking all of it.
pub(in crate::ledger) fn open(
    state: &Path,
    options: LedgerOptions<'_>,
    now_ms: u64,
) -> Result<OpenedLedger, OpenError> {
    copies::refuse_marked(state)?;
    create_private_dir(state).map_err(|error| unusable(state, &error))?;
    let lock = lock(state)?;
    rights::tighten(state);
    let path = state.join(LEDGER_FILE);
    let is_new = !path.exists() && !last_place(state)?.exists();
    let signer = signer(state, is_new)?;
    let database = Database::open(&path)?;
    copies::refuse_stamped(state, &database)?;
    let places = AnchorPlaces::of(state, options.anchor, &database)?;
    let book = fold(&path, &database)?;
    journal::check_head(&database, &signer, &book)?;
    let checked = CheckedLedger { database: &database, signer: &signer, book: &book };
    checked.vouched(&places)?;
    check_releases(&path, &database, &book)?;
    let place = places.chosen();
    let anchor = Anchor::open(&place).map_err(|error| anchor_unusable(&place, &error))?;
    let write_lock = WriteLock::default();
    let journal: Box<dyn Journal> = Box::new(SqliteJournal { database, anchor, signer, lock: write_lock.clone() });
    let journal = if let Some(wrap) = options.wrap { wrap(journal) } else { journal };
    let writer = LedgerWriter::over(journal, book, now_ms);
    let writer = writer.map_err(|_| unwritable(&path))?;
    // The new anchor has its first line by now, so no crash can leave the ledger without an anchor.
    let stamp = places.remember(&place)?;
    if stamp != places.stamp {
        let stamped = Database::open(&path)?.stamp(stamp);
        stamped.map_err(|error| fault(&path.display().to_string(), &error))?;
    }
    Ok(OpenedLedger { writer, lock, write_lock })
}

pub(in crate::ledger) fn fold(path: &Path, database: &Database) -> Result<LedgerState, OpenError> {
    match journal::fold(database, &|_| Ok(())) {
        Err(_) => Err(damaged(path, "its pages cannot be read")),
        Ok(Err(bad)) => Err(damaged(path, &format!("entry {}: {}", bad.seq, bad.why))),
        Ok(Ok(mut book)) => {
            book.make_durable();
            Ok(book)
        }
    }
}

fn signer(state: &Path, is_new: bool) -> Result<Signer, OpenError> {
    let path = state.join(KEY_FILE);
    match Signer::read(state).map_err(|error| unusable(&path, &error))? {
        Some(signer) => Ok(signer),
        None if is_new => Signer::create(state).map_err(|error| unusable(&path, &error)),
        None => Err(OpenError::KeyMissing { path: path.display().to_string() }),
    }
}

/// Checks that there are as many stored answers as digests in the chain.
fn check_releases(path: &Path, database: &Database, book: &LedgerState) -> Result<(), OpenError> {
    let expected = book.releases().iter().filter(|card| card.digest.is_some()).count() as u64;
    match database.count_releases() {
        Ok(found) if found == expected => Ok(()),
        Ok(found) => Err(damaged(path, &format!("it has {found} stored answers of {expected}"))),
        Err(_) => Err(damaged(path, "its pages cannot be read")),
    }
}

fn create_private_dir(state: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(state)
}

pub(in crate::ledger) fn lock(state: &Path) -> Result<File, OpenError> {
    let path: PathBuf = state.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Held { path: state.display().to_string() }),
        Err(fs::TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}
