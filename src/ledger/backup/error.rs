//! Why a backup was not made.

use crate::ledger::LedgerFinding;
use crate::ledger::error::OpenError;
use crate::query::terms::edition::EditionError;

/// Why there is no backup. Whatever had been copied is removed again.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target directory is not empty.
    #[error("{path}: is not empty; accepted is a folder that is not there yet, or is empty")]
    Occupied {
        /// Path of the target directory.
        path: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite could not copy the ledger.
    #[error("{path}: cannot be copied: {why}")]
    Uncopied {
        /// Path of the ledger.
        path: String,
        /// What prevented it.
        why: &'static str,
    },
    /// The copy fails verification, and so does the ledger that it was made from.
    #[error("{path}: its copy is not whole: {finding}; end the server and run: tacit ledger verify --state {path}")]
    NotWhole {
        /// Path of the state directory that was copied.
        path: String,
        /// What verification found.
        finding: LedgerFinding,
    },
    /// A copied edition is not what was sealed.
    #[error(transparent)]
    Edition(#[from] EditionError),
}
