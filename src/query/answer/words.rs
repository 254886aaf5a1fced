//! Remarks on estimates: why one is missing, and that noise has carried one out of the possible range.
//!
//! Promises columns after all others, and only for outputs that have a remark in some row: `<name>_null` with `hidden`, `lost-in-noise` or
//! `no-value`, and `<name>_note` with `outside-bounds`.

use super::rows::{Row, Said};
use super::{Cell, ColumnKind, Table};

/// Suffix of the column that says why an output is missing.
const NULL: &str = "_null";
/// Suffix of the column with any other remark on an output.
const NOTE: &str = "_note";

impl Said {
    fn suffix(self) -> &'static str {
        match self {
            Self::Absent(_) => NULL,
            Self::Outside => NOTE,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Absent(reason) => reason.word(),
            Self::Outside => "outside-bounds",
        }
    }
}

/// Moves the rows into a table and adds columns for the remarks on them. If a selected output already has such a name, the column is left
/// out.
pub(super) fn append(table: &mut Table, rows: Vec<Row>) {
    let mut columns: Vec<(usize, &'static str)> = Vec::new();
    for (output, column) in table.columns.iter().enumerate() {
        for suffix in [NULL, NOTE] {
            let name = format!("{}{suffix}", column.name);
            let is_said = |row: &Row| row.said[output].is_some_and(|said| said.suffix() == suffix);
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

impl Table {
    /// Why an output is missing in a row; `None` if it is not.
    #[must_use]
    pub fn null<'a>(&self, output: &str, row: &'a [Cell]) -> Option<&'a str> {
        self.word(&format!("{output}{NULL}"), row)
    }

    /// The other remark on an output in a row, such as `outside-bounds`.
    #[must_use]
    pub fn note<'a>(&self, output: &str, row: &'a [Cell]) -> Option<&'a str> {
        self.word(&format!("{output}{NOTE}"), row)
    }

    fn word<'a>(&self, name: &str, row: &'a [Cell]) -> Option<&'a str> {
        let place = self.plain + self.names[self.plain..].iter().position(|known| known == name)?;
        match row.get(place) {
            Some(Cell::Text(word)) => Some(word),
            _ => None,
        }
    }
}
