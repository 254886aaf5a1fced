//! The columns of an answer in files: CSV, Arrow, Parquet and workbooks.
//!
//! Promises that names and types of columns depend on the question alone, never on the noise: an estimate always has `_low`, `_high` and
//! `_std_error`, also if all rows share one, and it has `_null` or `_note` if some answer to the same question could have such a remark.

use super::reading;
use crate::query::answer::{Cell, ColumnInfo, ColumnKind, NULL, Table};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnPart {
    /// Labels of groups.
    Key,
    /// Estimates.
    Value,
    /// Ends of intervals.
    End,
    /// Standard errors.
    Error,
    /// Codes of remarks.
    Remark,
}

/// Where the cells of a column are.
#[derive(Debug, Clone, Copy)]
enum CellPlace {
    Place(usize),
    Shared(f64),
    Nowhere,
}

/// A column of a file.
#[derive(Debug, Clone)]
pub struct FileColumn {
    /// The column's name.
    pub name: String,
    /// The kind of its cells, which determines its type.
    pub kind: ColumnKind,
    /// Which part of an output the column holds: labels, values, ends of intervals, errors or remarks.
    pub part: ColumnPart,
    source: CellPlace,
    /// Where the value and the ends of the interval are that the column is about.
    about: Option<[usize; 3]>,
    /// Where the code is that says why the value is missing.
    null: Option<usize>,
}

/// How cells are written as text. By default empty cells stay empty, and numbers have all digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TextStyle {
    /// Whether words stand where there is no value: `total`, `hidden`, `lost in noise` and `no value`.
    pub words: bool,
    /// Whether numbers are rounded to the digits that their intervals leave.
    pub rounded: bool,
}

/// The columns of a table in a file, in order: keys and estimates as they were selected, then remarks.
#[must_use]
pub fn columns(table: &Table) -> Vec<FileColumn> {
    let (values, remarks) = table.names.split_at(table.plain.min(table.names.len()));
    let remark = |name: &str| remarks.iter().position(|known| known == name).map(|at| values.len() + at);
    let (mut all, mut at) = (Vec::new(), 0);
    for column in &table.columns {
        at += add(table, column, at, remark(&format!("{}{NULL}", column.name)), &mut all);
    }
    for column in &table.columns {
        for suffix in column.remarks {
            let name = format!("{}{suffix}", column.name);
            if !all.iter().any(|one: &FileColumn| one.name == name) {
                let source = remark(&name).map_or(CellPlace::Nowhere, CellPlace::Place);
                all.push(FileColumn::new(name, ColumnKind::Key, ColumnPart::Remark, source));
            }
        }
    }
    all
}

/// Adds the columns of one output, which begins at a place, and returns the number of its cells in a row.
fn add(table: &Table, column: &ColumnInfo, at: usize, null: Option<usize>, all: &mut Vec<FileColumn>) -> usize {
    let of = |place: usize, part: ColumnPart| {
        let name = table.names.get(place).cloned().unwrap_or_default();
        let kind = table.kinds.get(place).copied().unwrap_or(column.kind);
        FileColumn { null, ..FileColumn::new(name, kind, part, CellPlace::Place(place)) }
    };
    if column.kind.is_key() {
        all.push(of(at, ColumnPart::Key));
        return 1;
    }
    let about = Some([at, at + 1, at + 2]);
    let parts = [ColumnPart::Value, ColumnPart::End, ColumnPart::End];
    all.extend((at..).zip(parts).map(|(place, part)| FileColumn { about, ..of(place, part) }));
    match column.kind.std_error() {
        None => {
            all.push(FileColumn { about, ..of(at + 3, ColumnPart::Error) });
            4
        }
        Some(error) => {
            let name = format!("{}_std_error", column.name);
            if !table.names.contains(&name) {
                all.push(FileColumn::new(
                    name,
                    ColumnKind::Formula,
                    ColumnPart::Error,
                    CellPlace::Shared(nine_digits(error)),
                ));
            }
            3
        }
    }
}

impl FileColumn {
    fn new(name: String, kind: ColumnKind, part: ColumnPart, source: CellPlace) -> Self {
        Self { name, kind, part, source, about: None, null: None }
    }

    /// The column's cell in a row.
    #[must_use]
    pub fn cell(&self, row: &[Cell]) -> Cell {
        match self.source {
            CellPlace::Place(place) => row.get(place).cloned().unwrap_or(Cell::Missing),
            CellPlace::Shared(error) => Cell::Float(error),
            CellPlace::Nowhere => Cell::Missing,
        }
    }

    /// The half-width of the interval that the column is about, in a row.
    #[must_use]
    pub fn half_width(&self, row: &[Cell]) -> Option<f64> {
        let [value, low, high] = self.about?.map(|place| row.get(place).and_then(float));
        reading::half_width(value, low, high)
    }

    /// The words in place of a cell that has no value; `None` if it has one, or no reason is known.
    #[must_use]
    pub fn words(&self, row: &[Cell]) -> Option<&'static str> {
        match (self.part, self.cell(row)) {
            (ColumnPart::Key, Cell::Total) => reading::why("total"),
            (ColumnPart::Key | ColumnPart::Value, Cell::Missing) => {
                let code = row.get(self.null?)?.text()?;
                reading::why(&code)
            }
            (ColumnPart::Key | ColumnPart::Value | ColumnPart::End | ColumnPart::Error | ColumnPart::Remark, _) => None,
        }
    }

    /// The column's cell in a row as text for programs, in a style; empty if there is no value.
    #[must_use]
    pub fn text(&self, row: &[Cell], style: TextStyle) -> String {
        if style.words
            && let Some(words) = self.words(row)
        {
            return words.to_owned();
        }
        let cell = self.cell(row);
        match (self.part, float(&cell)) {
            (ColumnPart::Value | ColumnPart::End, Some(value)) if style.rounded => {
                reading::plain(value, self.half_width(row))
            }
            (ColumnPart::Error, Some(error)) if style.rounded => reading::plain_error(error),
            (
                ColumnPart::Key | ColumnPart::Value | ColumnPart::End | ColumnPart::Error | ColumnPart::Remark,
                Some(_) | None,
            ) => cell.text().unwrap_or_default(),
        }
    }
}

/// A standard error in nine significant digits, as JSON has it.
fn nine_digits(error: f64) -> f64 {
    format!("{error:.8e}").parse().unwrap_or(error)
}

/// A cell as a number; `None` if it is none.
#[must_use]
pub fn float(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Decimal(value) => Some(*value as f64 / 1e9),
        Cell::Float(value) => Some(*value),
        Cell::Missing | Cell::Total | Cell::Text(_) | Cell::Date(_) | Cell::Boolean(_) => None,
    }
}
