//! The report of a sealing, which lies beside its table.
//!
//! Promises nothing to anybody but the steward: it holds exact numbers of rows.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::seal::encode::ColumnCounts;
use crate::engine::seal::source::Read;
use crate::query::terms::edition::Manifest;

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
    /// Units with more than one row in a table of one row a unit, by table: their rows became one.
    #[serde(default)]
    pub doubled: Vec<(String, u64)>,
    /// Ids that are the same number as another id of the same source, written differently, like 12 and 012: they are different units.
    #[serde(default)]
    pub ids_spelled_twice: u64,
    /// Ids of the rows that were found in a table only by the number's value, by table.
    #[serde(default)]
    pub joined_by_value: Vec<(String, u64)>,
    /// What was read, the dataset's own source first.
    #[serde(default)]
    pub sources: Vec<SourceFacts>,
}

/// What was read of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// Its path, or that it is a query.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of its files as they are stored.
    pub bytes: u64,
    /// Lines without anything in them, which are no rows.
    pub blank_lines: u64,
    /// Values with line ends in them.
    pub multiline_values: u64,
    /// BLAKE3 of its files' bytes, in hexadecimal.
    pub digest: Option<String>,
}

impl SourceFacts {
    fn note(&self) -> String {
        let mut note = format!("{}: {} rows", self.name, self.rows);
        for (count, what) in [
            (self.bytes, "bytes"),
            (self.blank_lines, "blank lines, which are no rows"),
            (self.multiline_values, "values with line ends in them"),
        ] {
            if count > 0 {
                note.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(digest) = &self.digest {
            note.push_str(&format!(", BLAKE3 {digest:.16}…"));
        }
        note
    }

    pub(super) fn of(name: String, read: &Read) -> Self {
        let Read { rows, bytes, blank_lines, multiline_values, digest, .. } = read.clone();
        Self { name, rows, bytes, blank_lines, multiline_values, digest }
    }
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

    /// What was read in one of several ways, resolved or left out, in sentences: what a steward should look at.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.sources.iter().map(SourceFacts::note).collect();
        let mut say = |count: u64, note: &dyn Fn(u64) -> String| notes.extend((count > 0).then(|| note(count)));
        say(self.ids_unmatched, &|ids| format!("{ids} ids of those who withdrew are in no row"));
        say(self.ids_spelled_twice, &|ids| {
            format!(
                "{ids} ids are the same number as another id, written differently (like 12 and 012): they count as different units"
            )
        });
        for (name, units) in &self.doubled {
            say(*units, &|units| format!("{units} units have more than one row in \"{name}\": their rows became one"));
        }
        for (name, ids) in &self.joined_by_value {
            say(*ids, &|ids| {
                format!("{ids} ids were found in \"{name}\" by the number's value alone (like 12 and 012)")
            });
        }
        for (name, counts) in self.columns.iter().filter(|(name, _)| !name.is_empty()) {
            notes.extend(counts.notes().into_iter().map(|note| format!("{name}: {note}")));
        }
        notes
    }

    /// The report of an edition; nothing where it has none that can be read, as editions of older versions have none.
    #[must_use]
    pub fn read(state: &Path, edition: &str) -> Option<Self> {
        let bytes = fs::read(Manifest::dir(state, edition).join(REPORT)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}
