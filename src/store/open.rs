//! Opening a state directory: what must hold before a ledger is written, and how one that was set back is taken up again.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::anchor::{ANCHOR_FILE, Anchor, Depth, Said, sync_dir};
use super::database::Database;
use super::journal::{self, SqliteJournal};
use super::signing::{KEY_FILE, Signer};
use super::{LEDGER_FILE, OpenError};
use crate::budget::book::Book;
use crate::budget::entry::{Act, Balance, Kind};
use crate::budget::keeper::{Batch, Journal, Keeper, Mark, append};

const LOCK_FILE: &str = "ledger.lock";
/// Holds the place of an anchor that is not beside its ledger.
const ANCHOR_PLACE_FILE: &str = "anchor.place";

/// What is put around the journal, for measurements on a slower disk.
pub type Wrap<'a> = &'a dyn Fn(Box<dyn Journal>) -> Box<dyn Journal>;

/// A keeper, with the lock that no other process holds meanwhile.
pub(super) struct Opened {
    pub(super) keeper: Keeper<Box<dyn Journal>>,
    pub(super) lock: File,
}

/// Where the anchor of a state directory is: as asked, as it was last, or beside the ledger.
pub(super) fn anchor_path(state: &Path, asked: Option<&Path>) -> Result<PathBuf, OpenError> {
    let place = state.join(ANCHOR_PLACE_FILE);
    match (asked, fs::read_to_string(&place)) {
        (Some(asked), _) => Ok(asked.to_path_buf()),
        (None, Ok(text)) => Ok(text.trim_end().into()),
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(state.join(ANCHOR_FILE)),
        (None, Err(error)) => Err(unusable(&place, &error)),
    }
}

/// Opens or creates the ledger of a state directory, checked whole.
pub(super) fn open(state: &Path, anchor: Option<&Path>, wrap: Wrap<'_>, now_ms: u64) -> Result<Opened, OpenError> {
    create_private_dir(state).map_err(|error| unusable(state, &error))?;
    let lock = lock(state)?;
    let (asked, known) = (anchor_path(state, anchor)?, anchor_path(state, None)?);
    let path = state.join(LEDGER_FILE);
    let is_new = !path.exists() && !known.exists();
    let signer = signer(state, is_new)?;
    let database = Database::open(&path)?;
    let book = fold(&path, &database)?;
    journal::check_head(&database, &signer, &book)?;
    check_anchors(&known, &asked, &database, &signer, &book)?;
    check_releases(&path, &database, &book)?;
    let anchor = Anchor::open(&asked).map_err(|error| unusable(&asked, &error))?;
    let journal = wrap(Box::new(SqliteJournal { database, anchor, signer }));
    let keeper = Keeper::over(journal, book, now_ms);
    let why = "the ledger or its anchor could not be synced".to_owned();
    let keeper = keeper.map_err(|_| OpenError::Unwritable { path: path.display().to_string(), why })?;
    // The new anchor has its first line by now, so that no crash leaves a ledger without one.
    remember_anchor(state, &asked, &known)?;
    Ok(Opened { keeper, lock })
}

fn fold(path: &Path, database: &Database) -> Result<Book, OpenError> {
    match journal::fold(database) {
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

/// No anchor may contradict the ledger, and one must vouch for it: the one that is known, or, where that is gone, the one that is
/// asked for, if it knows the very head, as one does that was moved after a clean stop.
fn check_anchors(
    known: &Path,
    asked: &Path,
    database: &Database,
    signer: &Signer,
    book: &Book,
) -> Result<(), OpenError> {
    if asked == known {
        return check_anchor(known, database, signer, book).map(|_| ());
    }
    let of_asked = check_anchor(asked, database, signer, book);
    match (check_anchor(known, database, signer, book), of_asked) {
        (Ok(_), Ok(_) | Err(OpenError::AnchorMissing { .. })) => Ok(()),
        (Err(OpenError::AnchorMissing { .. }), Ok(seq)) if seq == book.head().0 => Ok(()),
        (Ok(_), Err(error)) | (Err(error), _) => Err(error),
    }
}

/// As many stored answers as the chain has digests.
fn check_releases(path: &Path, database: &Database, book: &Book) -> Result<(), OpenError> {
    let expected = book.releases().iter().filter(|card| card.digest.is_some()).count() as u64;
    match database.count_releases() {
        Ok(found) if found == expected => Ok(()),
        Ok(found) => Err(damaged(path, &format!("it has {found} stored answers of {expected}"))),
        Err(_) => Err(damaged(path, "its pages cannot be read")),
    }
}

/// How far the anchor says that the ledger had come. The ledger must be at least as far as the anchor says, and have that entry in its chain.
fn check_anchor(path: &Path, database: &Database, signer: &Signer, book: &Book) -> Result<u64, OpenError> {
    let shown = path.display().to_string();
    let (ledger_seq, _) = book.head();
    match Anchor::read(path, Some(signer), Depth::LastLine).map_err(|error| unusable(path, &error))? {
        // Nothing was charged yet: a first opening, or one that a crash cut short.
        Said::Nothing if ledger_seq == 0 => Ok(0),
        Said::Nothing => Err(OpenError::AnchorMissing { path: shown }),
        Said::Forged { .. } => Err(OpenError::AnchorForged { path: shown }),
        Said::Line { seq, .. } if seq > ledger_seq => {
            Err(OpenError::SetBack { path: shown, anchor_seq: seq, ledger_seq })
        }
        Said::Line { seq: 0, .. } => Ok(0),
        Said::Line { seq, head, .. } => match database.hash_of(seq) {
            Ok(Some(hash)) if hash == head => Ok(seq),
            Ok(_) | Err(_) => Err(OpenError::SetBack { path: shown, anchor_seq: seq, ledger_seq }),
        },
    }
}

/// Notes an anchor that is not beside its ledger, so that every later opening finds it.
fn remember_anchor(state: &Path, asked: &Path, known: &Path) -> Result<(), OpenError> {
    if asked == known {
        return Ok(());
    }
    let place = state.join(ANCHOR_PLACE_FILE);
    let absolute = std::path::absolute(asked).unwrap_or_else(|_| asked.to_path_buf());
    let partial = state.join("anchor.place.partial");
    let written = fs::write(&partial, format!("{}\n", absolute.display()))
        .and_then(|()| File::open(&partial)?.sync_all())
        .and_then(|()| fs::rename(&partial, &place))
        .and_then(|()| sync_dir(&place));
    written.map_err(|error| unusable(&place, &error))
}

/// How a ledger was taken up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The number of its last entry before.
    pub ledger_seq: u64,
    /// How far the anchor says that it had come; nothing where there is no anchor that can be believed.
    pub anchor_seq: Option<u64>,
    /// The balances that accounts have at least, now.
    pub balances: Vec<Balance>,
}

/// Takes up a ledger that was set back, or has lost its anchor or its key: balances become those of the anchor, or, where
/// none can be believed, whatever is left of every dataset's cap is burnt. The chain itself must be whole.
///
/// # Errors
/// [`OpenError`], also where there is nothing to recover from.
pub fn recover(
    state: &Path,
    anchor: Option<&Path>,
    reason: &str,
    by: &str,
    now_ms: u64,
) -> Result<Recovery, OpenError> {
    let lock = lock(state)?;
    let (path, known_anchor) = (state.join(LEDGER_FILE), anchor_path(state, None)?);
    let anchor_path = anchor_path(state, anchor)?;
    super::anchor::make_folder(&anchor_path).map_err(|error| unusable(&anchor_path, &error))?;
    let database = Database::open(&path)?;
    let mut book = fold(&path, &database)?;
    let (ledger_seq, _) = book.head();
    let known = Signer::read(state).map_err(|error| unusable(state, &error))?;
    let said = Anchor::read(&anchor_path, known.as_ref(), Depth::EveryLine);
    let said = said.map_err(|error| unusable(&anchor_path, &error))?;
    if ledger_seq == 0 {
        return Err(OpenError::NothingToRecoverOnto { path: path.display().to_string() });
    }
    if let (Some(signer), Said::Line { .. }) = (&known, &said)
        && journal::check_head(&database, signer, &book).is_ok()
        && check_anchor(&anchor_path, &database, signer, &book).is_ok()
    {
        return Err(OpenError::NothingToRecover { path: path.display().to_string() });
    }
    let recovery = match said {
        Said::Line { seq, balances, .. } => Recovery { ledger_seq, anchor_seq: Some(seq), balances },
        Said::Nothing => Recovery { ledger_seq, anchor_seq: None, balances: burnt(&book) },
        // What an unsigned line claims was spent can only be believed to be too little; the remainder is burnt all the same.
        Said::Forged { balances } => {
            let balances = burnt(&book).into_iter().chain(balances).collect();
            Recovery { ledger_seq, anchor_seq: None, balances }
        }
    };
    let signer = match known {
        Some(signer) => signer,
        None => Signer::create(state).map_err(|error| unusable(state, &error))?,
    };
    // The ledger first: until the new anchor stands, the old one refuses it.
    let cannot_write = || damaged(&path, "it cannot be written");
    let (reason, by) = (reason.to_owned(), by.to_owned());
    let act = Act::Recovered { reason, by, anchor_seq: recovery.anchor_seq, balances: recovery.balances.clone() };
    let mut batch = Batch::default();
    append(&mut batch, &mut book, now_ms, act).map_err(|_| cannot_write())?;
    journal::commit(&database, &signer, &batch).map_err(|_| cannot_write())?;
    let (seq, head) = book.head();
    let mark = Mark { seq, head, at_ms: now_ms, balances: book.balances(), is_whole: true };
    Anchor::begin(&anchor_path, &mark, &signer).map_err(|error| unusable(&anchor_path, &error))?;
    remember_anchor(state, &anchor_path, &known_anchor)?;
    database.checkpoint();
    drop(lock);
    Ok(recovery)
}

/// Every dataset's balance at its cap.
fn burnt(book: &Book) -> Vec<Balance> {
    let datasets = book.datasets().map(|(name, whole)| (name, whole, book.account(whole.account)));
    datasets
        .map(|(name, whole, account)| Balance {
            dataset: name.clone(),
            kind: Kind::Dataset,
            name: name.clone(),
            spent: account.amount.max(account.spent),
            cells: whole.cells,
            threshold_delta: whole.cap.threshold_delta,
        })
        .collect()
}

fn create_private_dir(state: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(state)
}

pub(super) fn lock(state: &Path) -> Result<File, OpenError> {
    let path: PathBuf = state.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Held { path: state.display().to_string() }),
        Err(fs::TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}

pub(super) fn unusable(path: &Path, error: &io::Error) -> OpenError {
    OpenError::Unusable { path: path.display().to_string(), kind: error.kind() }
}

fn damaged(path: &Path, why: &str) -> OpenError {
    OpenError::Damaged { path: path.display().to_string(), why: why.to_owned() }
}
