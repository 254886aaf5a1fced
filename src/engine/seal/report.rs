//! The report of a sealing, which is stored beside its table.
//!
//! Promises nothing to anybody except the steward: it holds exact numbers of rows.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::seal::encode::ColumnCounts;
use crate::engine::seal::source::Read;
use crate::query::terms::edition::Manifest;

/// The name of the report's file in the folder of an edition.
const REPORT: &str = "report.json";

/// The report of a sealing, for the steward's eyes alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The number of rows in the source.
    pub rows_read: u64,
    /// The number of rows of units that withdrew consent.
    pub rows_excluded: u64,
    /// The number of ids in the list of those who withdrew that occur in no row.
    pub ids_unmatched: u64,
    /// The number of rows that were cut because their unit has more than the declared number.
    pub rows_cut: u64,
    /// The number of rows in the edition.
    pub rows_kept: u64,
    /// The number of units in the edition.
    pub units: u64,
    /// What was changed, by the name of the column; of several tables, by `table.column`.
    pub columns: Vec<(String, ColumnCounts)>,
    /// For each joined table, the number of rows whose unit has no row there.
    pub unjoined: Vec<(String, u64)>,
    /// For each joined table, the number of units with more than one row there, which were merged into one.
    #[serde(default)]
    pub doubled: Vec<(String, u64)>,
    /// The number of ids that are the same number as another id of the same
    /// source, written differently, like 12 and 012. They are different units.
    #[serde(default)]
    pub ids_spelled_twice: u64,
    /// For each joined table, the number of ids that were found there only by their numeric value.
    #[serde(default)]
    pub joined_by_value: Vec<(String, u64)>,
    /// What was read of each source, the dataset's own first.
    #[serde(default)]
    pub sources: Vec<SourceFacts>,
    /// What happened to each of several tables, whose sums are above; empty for a dataset with a single table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableReport>,
    /// With several tables, the number of units whose id is written differently in some of them, like 12 and 12.0, and was matched by its
    /// numeric value.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub units_by_value: u64,
}

/// What happened to one of several tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableReport {
    /// The table's name.
    pub name: String,
    /// The number of rows in the source.
    pub rows_read: u64,
    /// The number of rows of units that withdrew consent.
    pub rows_excluded: u64,
    /// The number of rows that were cut because their unit has more than the declared number.
    pub rows_cut: u64,
    /// The number of rows in the edition.
    pub rows_kept: u64,
    /// The number of units with a row in the table.
    pub units: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What was read of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// The source's path, or that it is a query.
    pub name: String,
    /// The number of rows in the source.
    pub rows: u64,
    /// The size of its files as they are stored, in bytes.
    pub bytes: u64,
    /// The number of empty lines, which do not count as rows.
    pub blank_lines: u64,
    /// The number of values that contain line breaks.
    pub multiline_values: u64,
    /// The BLAKE3 digest of its files' bytes, in hexadecimal.
    pub digest: Option<String>,
}

impl SourceFacts {
    fn note(&self) -> String {
        let mut note = format!("{}: {} rows", self.name, self.rows);
        for (count, what) in [
            (self.bytes, "bytes"),
            (self.blank_lines, "blank lines, which do not count as rows"),
            (self.multiline_values, "values with line breaks"),
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
    /// Writes the report into the folder of an edition.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let file = fs::File::options().create_new(true).write(true).mode(0o600).open(dir.join(REPORT))?;
        serde_json::to_writer(&file, self)?;
        file.sync_all()
    }

    /// What a steward should look at, as sentences: what could be read in several ways, was resolved, or was left out.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.sources.iter().map(SourceFacts::note).collect();
        let mut say = |count: u64, note: &dyn Fn(u64) -> String| notes.extend((count > 0).then(|| note(count)));
        say(self.ids_unmatched, &|ids| format!("ids of people who withdrew that occur in no row: {ids}"));
        say(self.ids_spelled_twice, &|ids| {
            format!(
                "ids that are the same number as another id, written differently (like 12 and 012), and count as different units: {ids}"
            )
        });
        for (name, units) in &self.doubled {
            say(*units, &|units| format!("units with several rows in \"{name}\", which were merged into one: {units}"));
        }
        for (name, ids) in &self.joined_by_value {
            say(*ids, &|ids| format!("ids found in \"{name}\" only by their numeric value (like 12 and 012): {ids}"));
        }
        say(self.units_by_value, &|units| {
            format!("units whose id is matched between tables only by its numeric value (like 12 and 12.0): {units}")
        });
        for (name, counts) in self.columns.iter().filter(|(name, _)| !name.is_empty()) {
            notes.extend(counts.notes().into_iter().map(|note| format!("{name}: {note}")));
        }
        notes
    }

    /// Reads the report of an edition; `None` if there is no readable one, as in editions of older versions.
    #[must_use]
    pub fn read(state: &Path, edition: &str) -> Option<Self> {
        let bytes = fs::read(Manifest::dir(state, edition).join(REPORT)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}
