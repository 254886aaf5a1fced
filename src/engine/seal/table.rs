//! Writes the sealed table: numbers the units, ranks their rows, and narrows the columns.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use polars::io::ipc::BatchedWriter;
use polars::prelude::*;

use super::Report;
use super::SealError;
use super::cells::present;
use crate::engine::seal::cells::Texts;
use crate::engine::seal::spill::Row;
use crate::files;
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name, new_table_path, text_name};
use crate::query::terms::policy::{Terms, Unit};

/// Writes parts as record batches of one uncompressed Arrow IPC file.
pub(super) struct TableWriter {
    writer: BatchedWriter<File>,
    file: File,
    /// The source, as it is shown to people.
    shown: String,
    by_row: bool,
    units: u32,
    kept: u64,
    cut: u64,
    texts: Texts,
    /// For each text column, the numbers given so far to the texts in the table.
    codes: Vec<HashMap<i64, i64>>,
}

/// The kept rows of one part, column by column.
struct Part {
    units: Vec<u32>,
    ranks: Vec<u16>,
    columns: Vec<Vec<i64>>,
    /// For each text column, each text in the row where it occurs first.
    texts: Vec<Vec<Option<String>>>,
}

impl TableWriter {
    pub(super) fn create(dir: &Path, terms: &Terms, texts: Texts, shown: String) -> Result<Self, SealError> {
        let file = files::create_private(&new_table_path(dir))?;
        let by_row = terms.unit == Unit::Row;
        let empty = frame(Part::of(terms.columns.len()), terms, by_row)?;
        // No column is a dictionary, so the fields' dictionary ids stay at their default.
        let fields = (0..empty.width()).map(|_| Default::default()).collect();
        let writer = IpcWriter::new(file.try_clone()?).batched(empty.schema(), fields).map_err(|_| unwritable())?;
        let codes = vec![HashMap::new(); terms.columns.len()];
        Ok(Self { writer, file, shown, by_row, units: 0, kept: 0, cut: 0, texts, codes })
    }

    /// Takes one part, sorted by unit and order and cut to the rows that units keep.
    pub(super) fn take(&mut self, rows: &[Row], cut: u64, terms: &Terms) -> Result<(), SealError> {
        self.cut += cut;
        let mut part = Part::of(terms.columns.len());
        let mut start = 0;
        while start < rows.len() {
            let same = |row: &&Row| !self.by_row && row.unit == rows[start].unit;
            let count = rows[start..].iter().take_while(same).count().max(1);
            assert!(count <= terms.max_rows_per_unit as usize, "a part comes cut");
            part.push_unit(self.units, &rows[start..start + count], terms);
            self.units = self.units.saturating_add(1);
            start += count;
        }
        self.kept += part.units.len() as u64;
        if self.kept > terms.max_rows {
            return Err(SealError::TooManyRows { path: self.shown.clone(), rows_max: terms.max_rows });
        }
        if part.units.is_empty() {
            return Ok(());
        }
        self.number(&mut part, terms);
        let batch = frame(part, terms, self.by_row)?;
        self.writer.write_batch(&batch).map_err(|_| unwritable())
    }

    /// Numbers the texts of a part in order of appearance, and stores each one in the row where it appears first.
    fn number(&mut self, part: &mut Part, terms: &Terms) {
        let columns =
            terms.columns.iter().enumerate().filter(|(_, column)| matches!(column.domain, Domain::Text { .. }));
        for (index, _) in columns {
            let (codes, texts) = (&mut self.codes[index], &self.texts[index]);
            for value in part.columns[index].iter_mut() {
                let Some(name) = present(*value) else {
                    part.texts[index].push(None);
                    continue;
                };
                // The next number, if the text is new.
                let next = i64::try_from(codes.len()).unwrap_or(i64::MAX);
                *value = *codes.entry(name).or_insert(next);
                part.texts[index].push((*value == next).then(|| texts.get(&name).cloned().unwrap_or_default()));
            }
        }
    }

    pub(super) fn finish(mut self, report: &mut Report) -> Result<(), SealError> {
        self.writer.finish().map_err(|_| unwritable())?;
        self.file.sync_all()?;
        (report.rows_kept, report.rows_cut, report.units) = (self.kept, self.cut, self.units.into());
        Ok(())
    }
}

impl Part {
    fn of(columns: usize) -> Self {
        let texts = vec![Vec::new(); columns];
        Self { units: Vec::new(), ranks: Vec::new(), columns: vec![Vec::new(); columns], texts }
    }

    /// Adds one unit's kept rows. A `per_unit` column holds the same value in all of them, which was settled before.
    fn push_unit(&mut self, unit: u32, rows: &[Row], terms: &Terms) {
        for (rank, row) in (0..).zip(rows) {
            self.units.push(unit);
            self.ranks.push(rank);
            for (index, column) in self.columns.iter_mut().enumerate() {
                let from = if terms.columns[index].per_unit { &rows[0] } else { row };
                column.push(from.values[index]);
            }
        }
    }
}

fn frame(part: Part, terms: &Terms, by_row: bool) -> Result<DataFrame, SealError> {
    let height = part.units.len();
    let mut columns = Vec::with_capacity(part.columns.len() + 2);
    if !by_row {
        columns.push(Column::new(UNIT_COLUMN.into(), part.units));
        columns.push(Column::new(RANK_COLUMN.into(), part.ranks));
    }
    let parts = part.columns.into_iter().zip(part.texts);
    for (index, ((values, texts), column)) in parts.zip(&terms.columns).enumerate() {
        let name = PlSmallStr::from_string(column_name(index));
        let wide: Int64Chunked = values.into_iter().map(present).collect();
        let narrow = wide.with_name(name).into_series().strict_cast(&stored_type(&column.domain));
        columns.push(narrow.map_err(|_| unwritable())?.into_column());
        if matches!(column.domain, Domain::Text { .. }) {
            columns.push(Column::new(text_name(index).into(), texts));
        }
    }
    DataFrame::new(height, columns).map_err(|_| unwritable())
}

/// The narrowest type that holds the domain. Numbers stay wide, because sums are of 64-bit integers.
fn stored_type(domain: &Domain) -> DataType {
    match domain {
        Domain::Boolean => DataType::UInt8,
        Domain::Category(values) if values.len() <= 255 => DataType::UInt8,
        Domain::Category(_) => DataType::UInt16,
        Domain::Date { .. } => DataType::Int32,
        Domain::Text { .. } => DataType::UInt32,
        Domain::Number(_) => DataType::Int64,
    }
}

fn unwritable() -> SealError {
    SealError::from(io::Error::from(io::ErrorKind::Other))
}
