//! The journal on disk: the SQLite file, its signed head, and the anchor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::database::{Database, HeadRow};
use super::stream::{Bad, each_checked};
use crate::kernel::budget::entry::Entry;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::budget::writer::{AnchorMark, CommitBatch, Journal, JournalFault};
use crate::ledger::anchor::Anchor;
use crate::ledger::error::OpenError;
use crate::ledger::fault::EntryFault;
use crate::ledger::signing::Signer;

/// The SQLite file and the anchor, as the ledger's writer uses them.
pub(in crate::ledger) struct SqliteJournal {
    pub(in crate::ledger) database: Database,
    pub(in crate::ledger) anchor: Anchor,
    pub(in crate::ledger) signer: Signer,
    pub(super) lock: WriteLock,
}

/// A lock that is held while the ledger's file is written. SQLite lets one connection write at a time, and a commit fails if it finds the
/// file locked for too long. So anything else that writes to the file, in the process that holds the ledger, takes turns with the
/// ledger's commits.
#[derive(Clone, Default)]
pub struct WriteLock(Arc<Mutex<()>>);

impl WriteLock {
    /// Waits until nobody else writes.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        // A thread that panicked while it wrote has rolled back its transaction.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody writes now.
    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.0.try_lock().is_err()
    }
}

/// Folds all entries into a ledger state; each must match its hash, pass `check` and follow the one before.
pub(in crate::ledger) fn fold(
    database: &Database,
    check: &(dyn Fn(&Entry) -> Result<(), EntryFault> + Sync),
) -> Result<Result<LedgerState, Bad>, rusqlite::Error> {
    let mut book = LedgerState::new();
    let taken = each_checked(database, check, |entry, hash| {
        book.apply(entry, hash).map_err(|wrong| Bad { seq: wrong.seq, why: wrong.why.into() })
    })?;
    Ok(taken.map(|()| book))
}

/// Checks that the signed head is the last entry of the folded state.
pub(in crate::ledger) fn check_head(database: &Database, signer: &Signer, book: &LedgerState) -> Result<(), OpenError> {
    let (seq, hash) = book.head();
    let damaged = |why: String| OpenError::Damaged { path: crate::ledger::files::LEDGER_FILE.to_owned(), why };
    let head = database.head().map_err(|_| damaged("its head cannot be read".to_owned()))?;
    match head {
        None if seq == 0 => Ok(()),
        None => Err(damaged("its signed head is missing".to_owned())),
        Some(head) if head.seq != seq || head.hash != hash => {
            Err(damaged(format!("its signed head is entry {}, and its last entry is {seq}", head.seq)))
        }
        Some(head) if !signer.has_signed_head(seq, &hash, &head.signature) => {
            Err(damaged(format!("the signature of its head, entry {seq}, is not of this ledger's key")))
        }
        Some(_) => Ok(()),
    }
}

impl Journal for SqliteJournal {
    fn fold(&mut self) -> Result<LedgerState, JournalFault> {
        match fold(&self.database, &|_| Ok(())) {
            Ok(Ok(book)) => Ok(book),
            Ok(Err(Bad { seq, why })) => {
                tracing::error!(seq, %why, "the ledger does not fold");
                Err(JournalFault)
            }
            Err(error) => Err(fault(&error)),
        }
    }

    fn commit(&mut self, batch: &CommitBatch) -> Result<(), JournalFault> {
        let _held = self.lock.hold();
        commit(&self.database, &self.signer, batch)
    }

    fn anchor(&mut self, mark: &AnchorMark) -> Result<(), JournalFault> {
        self.anchor.append(mark, &self.signer).map_err(|error| {
            tracing::error!(kind = ?error.kind(), "the anchor cannot be written");
            JournalFault
        })
    }

    fn wants_whole(&self) -> bool {
        self.anchor.is_long()
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.database.checkpoint();
    }
}

/// Writes a batch together with the signature of its last entry.
pub(in crate::ledger) fn commit(database: &Database, signer: &Signer, batch: &CommitBatch) -> Result<(), JournalFault> {
    let Some(last) = batch.entries.last() else { return Ok(()) };
    let signature = signer.sign_head(last.seq, &last.hash).to_vec();
    let head = HeadRow { seq: last.seq, hash: last.hash.to_vec(), signature };
    database.commit(batch, &head).map_err(|error| fault(&error))
}

/// Logs the store's error code, once.
fn fault(error: &rusqlite::Error) -> JournalFault {
    tracing::error!(code = ?error.sqlite_error_code(), "the ledger's store failed");
    JournalFault
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::budget::writer::EncodedEntry;

    /// A commit that waits because another connection writes holds the lock meanwhile, so other writers of the process wait for it.
    #[test]
    fn the_lock_is_held_while_a_batch_is_committed() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.db");
        let open = || Database::open(&path).unwrap_or_else(|error| panic!("{error}"));
        let (database, other, lock) = (open(), open(), WriteLock::default());
        let anchor = Anchor::open(&dir.path().join("anchor.log")).expect("an anchor");
        let signer = Signer::create(dir.path()).expect("a key");
        let mut journal = SqliteJournal { database, anchor, signer, lock: lock.clone() };
        let entry = EncodedEntry { seq: 1, at_ms: 0, kind: "charged", bytes: vec![0], hash: [1; 32] };
        let batch = CommitBatch { entries: vec![entry], releases: Vec::new() };
        other.connection.execute_batch("BEGIN IMMEDIATE").expect("a writer beside it");
        std::thread::scope(|scope| {
            let commit = scope.spawn(|| journal.commit(&batch).is_ok());
            let mut seen = false;
            while !seen && !commit.is_finished() {
                seen = lock.is_held();
                std::thread::yield_now();
            }
            other.connection.execute_batch("ROLLBACK").expect("nobody beside it");
            assert!(seen, "it waited for the file, or gave up, without the lock");
            assert!(commit.join().expect("a commit"));
        });
        assert!(!lock.is_held());
    }
}
