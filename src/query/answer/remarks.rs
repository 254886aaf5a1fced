//! Remarks on values: why one is missing, and that noise has carried one out of the possible range.
//!
//! Promises columns after all others, and only for outputs that have a remark in some row: `<name>_null` with `hidden`, `lost-in-noise` or
//! `no-value` for estimates and `total` for keys, and `<name>_note` with `outside-bounds`.

use super::cell::Cell;
use super::row::{AnswerRow, Remark};
use super::table::{ColumnKind, NOTE, NULL, Table};

impl Remark {
    fn suffix(self) -> &'static str {
        match self {
            Self::Absent(_) | Self::Total => NULL,
            Self::Outside => NOTE,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Absent(reason) => reason.word(),
            Self::Total => "total",
            Self::Outside => "outside-bounds",
        }
    }
}

/// Moves the rows into a table and adds columns for the remarks on them. If a selected output already has such a name, the column is left
/// out.
pub(super) fn append(table: &mut Table, rows: Vec<AnswerRow>) {
    let mut columns: Vec<(usize, &'static str)> = Vec::new();
    for (output, column) in table.columns.iter().enumerate() {
        for suffix in [NULL, NOTE] {
            let name = format!("{}{suffix}", column.name);
            let is_said = |row: &AnswerRow| row.said[output].is_some_and(|said| said.suffix() == suffix);
            if rows.iter().any(is_said) && !table.names.contains(&name) {
                table.names.push(name);
                table.kinds.push(ColumnKind::Key);
                columns.push((output, suffix));
            }
        }
    }
    table.rows = rows
        .into_iter()
        .map(|mut row| {
            let said = columns.iter().map(|(output, suffix)| row.said[*output].filter(|said| said.suffix() == *suffix));
            let words = said.map(|said| said.map_or(Cell::Missing, |said| Cell::Text(said.word().to_owned())));
            let words: Vec<_> = words.collect();
            row.cells.extend(words);
            row.cells
        })
        .collect();
}
