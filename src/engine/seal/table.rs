//! Writes the sealed table: numbers the units, ranks their rows, and numbers texts.

use std::collections::HashMap;
use std::path::Path;

use super::Report;
use super::SealError;
use super::blocks::BlockWriter;
use super::cells::present;
use crate::engine::seal::cells::Texts;
use crate::engine::seal::encode::NULL;
use crate::engine::seal::spill::Row;
use crate::files;
use crate::kernel::budget::entry::Digest;
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::layout::Blocks;
use crate::query::terms::edition::new_table_path;
use crate::query::terms::policy::{Terms, Unit};

/// Writes parts, one after another, into a new table.
pub(super) struct TableWriter {
    writer: BlockWriter,
    /// The source, as it is shown to people.
    shown: String,
    by_row: bool,
    units: u32,
    kept: u64,
    cut: u64,
    texts: Texts,
    /// For each declared column, what is known of its texts if it has no list.
    numbered: Vec<Option<Numbered>>,
}

/// The texts of a column, numbered in the order in which they first occur.
#[derive(Default)]
struct Numbered {
    codes: HashMap<i64, i64>,
    texts: Vec<String>,
}

impl TableWriter {
    pub(super) fn create(dir: &Path, terms: &Terms, texts: Texts, shown: String) -> Result<Self, SealError> {
        let writer = BlockWriter::new(files::create_private(&new_table_path(dir))?, terms);
        let by_row = terms.unit == Unit::Row;
        let is_text = |domain: &Domain| matches!(domain, Domain::Text { .. });
        let numbered = terms.columns.iter().map(|column| is_text(&column.domain).then(Numbered::default)).collect();
        Ok(Self { writer, shown, by_row, units: 0, kept: 0, cut: 0, texts, numbered })
    }

    /// Takes one part, sorted by unit and order and cut to the rows that units keep.
    pub(super) fn take(&mut self, rows: &[Row], cut: u64, terms: &Terms) -> Result<(), SealError> {
        self.cut += cut;
        self.kept += rows.len() as u64;
        if self.kept > terms.max_rows {
            return Err(SealError::TooManyRows { path: self.shown.clone(), rows_max: terms.max_rows });
        }
        let by_row = self.by_row;
        for unit in rows.chunk_by(|one, next| !by_row && one.unit == next.unit) {
            assert!(unit.len() <= terms.max_rows_per_unit as usize, "a part comes cut");
            self.take_unit(unit, terms)?;
        }
        Ok(())
    }

    /// Adds one unit's kept rows. A `per_unit` column holds the same value in all of them, which was settled before.
    fn take_unit(&mut self, rows: &[Row], terms: &Terms) -> Result<(), SealError> {
        let mut values = Vec::with_capacity(terms.columns.len());
        for (rank, row) in rows.iter().enumerate() {
            values.clear();
            for (index, column) in terms.columns.iter().enumerate() {
                let from = if column.per_unit { &rows[0] } else { row };
                values.push(match &mut self.numbered[index] {
                    Some(numbered) => numbered.code(from.values[index], &self.texts[index]),
                    None => from.values[index],
                });
            }
            self.writer.push(0, (self.units, rank), |index| values[index]);
        }
        self.units = self.units.saturating_add(1);
        Ok(self.writer.end_unit()?)
    }

    /// Completes the table. Returns the digest of its index, and where its blocks are.
    pub(super) fn finish(self, report: &mut Report) -> Result<(Digest, Blocks), SealError> {
        (report.rows_kept, report.rows_cut, report.units) = (self.kept, self.cut, self.units.into());
        let texts: Vec<Vec<String>> = self.numbered.into_iter().flatten().map(|numbered| numbered.texts).collect();
        Ok(self.writer.finish(&texts)?)
    }
}

impl Numbered {
    /// The number of a text, which is the next one if the text is new.
    fn code(&mut self, value: i64, texts: &HashMap<i64, String>) -> i64 {
        let Some(key) = present(value) else { return NULL };
        let next = self.texts.len() as i64;
        let code = *self.codes.entry(key).or_insert(next);
        if code == next {
            self.texts.push(texts.get(&key).cloned().unwrap_or_default());
        }
        code
    }
}
