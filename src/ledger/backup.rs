//! Backups: a copy of a state directory, taken while a server may be using it.
//!
//! Promises that the copy is consistent: its ledger is from one moment and at least as new as its anchor, the editions were copied after
//! the ledger that refers to them, and all of it was checked from the copy's own files before success is reported. The ledger's writer is
//! never kept waiting. The copy holds the ledger's key and sealed rows, so only its owner may read it. It does not know what was spent
//! later, and it says so: it bears the marks of a copy from its first file on (`ledger::copies`), keeps the anchor's place, and opens only
//! for `verify` and for another backup until `recover` has put it back into use.

mod copy;
#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
mod error;

use super::error::OpenError;
use super::fault::{AnswerFault, EntryFault};
use super::files::LEDGER_FILE;
use super::signing::KEY_FILE;
use super::{Repricer, copies, verify};
use crate::engine::seal::hold_editions;
use crate::kernel::budget::entry::{Act, Entry};
use crate::kernel::privacy::certificate::CertifiedMeasurement;
use crate::ledger::error::unusable;
use crate::ledger::sqlite::database::Database;
use crate::query::terms::edition::{EDITIONS, EditionError, Manifest, of_table};
use copy::NewCopy;
use std::io;
use std::path::Path;

pub use self::error::BackupError;

/// Figures about a finished backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// Number of entries in the copied ledger.
    pub entries: u64,
    /// Number of stored answers in the copied ledger.
    pub releases: u64,
    /// Number of copied editions that the ledger refers to, each checked against its commitment.
    pub editions: u64,
    /// The last entry that the copied anchor knows.
    pub anchor_seq: u64,
    /// Size of all files, in bytes.
    pub bytes: u64,
}

/// Copies a state directory with its anchor into the directory `to`, which is created with mode 700 if it does not exist. `anchor` says
/// where the anchor is; `None` takes it from where the ledger last had it, or, for a copy, takes the anchor that was copied with it. All
/// files get mode 600 and are on disk when this returns. Prices are not checked; `verify` does that, on a copy as on any ledger.
///
/// # Errors
/// [`BackupError`]; then `to` is left as it was.
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
    // Mark it first, so that whatever a crash leaves of a copy does not open.
    copy.mark(state)?;
    copy.take_small(state, &anchor)?;
    // An edition that the copied ledger names must not be superseded and removed before it is copied.
    let _held = hold_editions(state).map_err(|error| unusable(&state.join(EDITIONS), &error))?;
    // Copy the anchor before the ledger: every line of the anchor was in the ledger first.
    copy.take_anchor(&anchor)?;
    copy.take_ledger(&ledger)?;
    // Copy the editions after the ledger: every edition existed before the ledger referred to it.
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

/// The editions that a ledger refers to, each with its commitment.
#[derive(Default)]
struct Sealed(Vec<(String, String)>);

impl Sealed {
    /// Checks the editions that were copied against their commitments; returns their number.
    fn check_copied(&self, copy: &Path) -> Result<u64, EditionError> {
        let copied = self.0.iter().filter(|(edition, _)| Manifest::dir(copy, edition).is_dir());
        let mut count = 0;
        for (edition, commitment) in copied {
            let manifest = Manifest::open_whole(copy, edition, commitment)?;
            for (table, commitment) in &manifest.tables {
                Manifest::open_whole(copy, &of_table(edition, table), commitment)?;
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Learns of the editions and does not check prices.
impl Repricer for Sealed {
    fn learn(&mut self, entry: &Entry) {
        if let Act::EditionSealed { edition, commitment, .. } = &entry.act {
            self.0.push((edition.clone(), commitment.clone()));
        }
    }

    fn check(&self, _: &Entry) -> Result<(), EntryFault> {
        Ok(())
    }

    fn check_release(&self, _: &str, _: &[CertifiedMeasurement], _: u32, _: &[u8]) -> Result<(), AnswerFault> {
        Ok(())
    }
}
