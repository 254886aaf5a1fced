//! The report of a sealing, which lies beside its table.
//!
//! Promises nothing to anybody but the steward: it holds exact numbers of rows.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dataset::edition::Manifest;
use crate::dataset::encode::ColumnCounts;

/// The report's file in the folder of an edition.
const REPORT: &str = "report.json";

/// What sealing did, for the steward's eyes alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Rows in the source.
    pub rows_read: u64,
    /// Rows of units that withdrew consent.
    pub rows_excluded: u64,
    /// Ids in the list of those who withdrew that no row has.
    pub ids_unmatched: u64,
    /// Rows beyond the declared rows per unit.
    pub rows_cut: u64,
    /// Rows in the edition.
    pub rows_kept: u64,
    /// Units in the edition.
    pub units: u64,
    /// What was changed, by column.
    pub columns: Vec<(String, ColumnCounts)>,
    /// Rows without one in a table that they are joined with, by table.
    pub unjoined: Vec<(String, u64)>,
}

impl Report {
    /// Writes it into the folder of an edition.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let file = fs::File::options().create_new(true).write(true).mode(0o600).open(dir.join(REPORT))?;
        serde_json::to_writer(&file, self)?;
        file.sync_all()
    }

    /// The report of an edition; nothing where it has none that can be read, as editions of older versions have none.
    #[must_use]
    pub fn read(state: &Path, edition: &str) -> Option<Self> {
        let bytes = fs::read(Manifest::dir(state, edition).join(REPORT)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}
