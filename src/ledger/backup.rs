//! Backups: a copy of a state directory, taken while a server may hold it.
//!
//! Promises that the copy opens: its ledger is one moment's and at least as new as its anchor, the editions were copied after the
//! ledger that speaks of them, and all of it was checked from the copy's own files before anybody is told that there is one. The
//! writer is never kept waiting. The copy holds the ledger's key and sealed rows, so everything in it is its owner's alone. It does
//! not know what was spent later, and it knows that: it bears the marks of a copy from its first file on (`store::copies`), keeps the
//! anchor's place, and opens for `verify` and for another backup alone until `recover` has taken it up.

mod copy;

use std::io;
use std::path::Path;

use super::signing::KEY_FILE;
use super::{Finding, LEDGER_FILE, OpenError, Repricer, copies, verify};
use crate::kernel::budget::entry::{Act, Entry};
use crate::kernel::privacy::certificate::Certified;
use crate::ledger::sqlite::database::Database;
use crate::ledger::sqlite::open::unusable;
use crate::query::terms::edition::{EditionError, Manifest, of_table};
use copy::NewCopy;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// Entries of the ledger.
    pub entries: u64,
    /// Stored answers.
    pub releases: u64,
    /// Editions that the ledger speaks of and that were there, each checked against its commitment.
    pub editions: u64,
    /// How far the copied anchor says that the ledger had come.
    pub anchor_seq: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why there is no copy. What had been copied is taken away again.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something already.
    #[error("{path}: is not empty; accepted is a folder that is not there yet, or is empty")]
    Occupied {
        /// The folder.
        path: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite does not copy the ledger.
    #[error("{path}: cannot be copied: {why}")]
    Uncopied {
        /// The ledger.
        path: String,
        /// What is in the way.
        why: &'static str,
    },
    /// The copy is not what it should be, and so neither is what was copied.
    #[error("{path}: its copy is not whole: {finding}; end the server and run: tacit ledger verify --state {path}")]
    NotWhole {
        /// The state directory.
        path: String,
        /// What was found.
        finding: Finding,
    },
    /// A copied edition is not what was sealed.
    #[error(transparent)]
    Edition(#[from] EditionError),
}

/// Copies a state directory with its anchor, `None` where that is where the ledger last had it, into the folder `to`, which is made
/// with mode 700 where it is not there. A copy is copied with the anchor that it brought along. All files get mode 600 and are on disk when it returns. Prices are not checked: `verify`
/// does, on the copy as on any ledger.
///
/// # Errors
/// [`BackupError`]; then `to` is as it was.
pub fn backup(state: &Path, anchor: Option<&Path>, to: &Path) -> Result<BackedUp, BackupError> {
    let (ledger, key) = (state.join(LEDGER_FILE), state.join(KEY_FILE));
    if !ledger.is_file() {
        return Err(unusable(&ledger, &io::ErrorKind::NotFound.into()).into());
    }
    if std::path::absolute(to)
        .ok()
        .zip(std::path::absolute(state).ok())
        .is_some_and(|(to, state)| to.starts_with(state))
    {
        return Err(unusable(to, &io::ErrorKind::InvalidInput.into()).into());
    }
    if !key.is_file() {
        return Err(OpenError::KeyMissing { path: key.display().to_string() }.into());
    }
    let anchor = copies::anchor_to_read(state, anchor, &Database::open_to_read(&ledger)?)?;
    let mut copy = NewCopy::begin(to)?;
    // First of all, so that what a crash leaves of a copy is none that opens.
    copy.mark(state)?;
    copy.take_small(state, &anchor)?;
    // Before the ledger: every line of the anchor was in the ledger first.
    copy.take_anchor(&anchor)?;
    copy.take_ledger(&ledger)?;
    // After the ledger: every edition was there before the ledger spoke of it.
    copy.take_editions(state)?;
    let done = check(state, &copy)?;
    copy.keep()?;
    Ok(done)
}

/// Checks a copy from its own files.
fn check(state: &Path, copy: &NewCopy) -> Result<BackedUp, BackupError> {
    let mut sealed = Sealed::default();
    let verified = verify(copy.path(), None, &mut sealed)?;
    let verified = verified.map_err(|finding| BackupError::NotWhole { path: state.display().to_string(), finding })?;
    Ok(BackedUp {
        entries: verified.entries,
        releases: verified.releases,
        editions: sealed.check_copied(copy.path())?,
        anchor_seq: verified.anchor_seq,
        bytes: copy.bytes(),
    })
}

/// The editions that a ledger speaks of, with what binds them.
#[derive(Default)]
struct Sealed(Vec<(String, String)>);

impl Sealed {
    /// Checks those that were copied against their commitments; how many those are.
    fn check_copied(&self, copy: &Path) -> Result<u64, EditionError> {
        let copied = self.0.iter().filter(|(edition, _)| Manifest::dir(copy, edition).is_dir());
        let mut count = 0;
        for (edition, commitment) in copied {
            let manifest = Manifest::open(copy, edition, commitment)?;
            for (table, commitment) in &manifest.tables {
                Manifest::open(copy, &of_table(edition, table), commitment)?;
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Learns of the editions and takes prices as they are.
impl Repricer for Sealed {
    fn learn(&mut self, entry: &Entry) {
        if let Act::EditionSealed { edition, commitment, .. } = &entry.act {
            self.0.push((edition.clone(), commitment.clone()));
        }
    }

    fn check(&self, _: &Entry) -> Result<(), &'static str> {
        Ok(())
    }

    fn check_release(&self, _: &str, _: &[Certified], _: &[u8]) -> Result<(), &'static str> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
