//! Where a row is in its source, in the terms of someone who opens the file.
//!
//! Promises positions only: a place never contains a value of a row.

use std::fmt;
use std::sync::Arc;

/// The places of the rows of one batch.
#[derive(Debug, Clone)]
pub struct RowPlaces {
    /// The file, if the source has several.
    file: Option<Arc<str>>,
    /// The number of the batch's first row within its file, counted from 1.
    first: u64,
    rows: usize,
    marks: Marks,
}

/// What is known about the place of a row besides its number.
#[derive(Debug, Clone)]
pub(super) enum Marks {
    /// Nothing more is known.
    Rows,
    /// The number of the line in which each row begins, counted from 1.
    Lines(Vec<u64>),
    /// The number of the last row of each row group, counted from 1.
    RowGroups(Arc<[u64]>),
    /// The name of the sheet, and the number of each row in it.
    Sheet(Arc<str>, Vec<u64>),
}

impl RowPlaces {
    pub(super) fn new(first: u64, rows: usize, marks: Marks) -> Self {
        Self { file: None, first, rows, marks }
    }

    pub(super) fn within(self, file: Option<Arc<str>>) -> Self {
        Self { file, ..self }
    }

    /// The number of rows in the batch.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of the batch's first row within its file, counted from 1 without the header.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The place of one row of the batch; `row` is counted from 0.
    #[must_use]
    pub fn place(&self, row: usize) -> RowPlace {
        let number = self.first + row as u64;
        let spot = match &self.marks {
            Marks::Rows => Spot::Row(number),
            Marks::Lines(lines) => Spot::Line(lines.get(row).copied().unwrap_or_default()),
            Marks::RowGroups(ends) => {
                Spot::RowOfGroup { row: number, group: ends.partition_point(|end| *end < number) as u64 + 1 }
            }
            Marks::Sheet(sheet, rows) => {
                Spot::RowOfSheet { row: rows.get(row).copied().unwrap_or_default(), sheet: sheet.clone() }
            }
        };
        RowPlace { file: self.file.clone(), spot }
    }
}

/// The place of a row or of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace {
    /// The file, if the source has several.
    pub file: Option<Arc<str>>,
    /// The position within the file.
    pub spot: Spot,
}

/// A position within one file. All numbers are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// The number of a line in a text file, counting the header.
    Line(u64),
    /// The number of a row, not counting the header.
    Row(u64),
    /// A row of a Parquet file, with its row group.
    RowOfGroup {
        /// The number of the row within the whole file.
        row: u64,
        /// The number of its row group.
        group: u64,
    },
    /// A row of a spreadsheet, as the spreadsheet numbers it.
    RowOfSheet {
        /// The number of the row, counting the header.
        row: u64,
        /// The name of the sheet.
        sheet: Arc<str>,
    },
}

impl RowPlace {
    pub(super) fn line(line: u64) -> Self {
        Self { file: None, spot: Spot::Line(line) }
    }

    pub(super) fn row(row: u64) -> Self {
        Self { file: None, spot: Spot::Row(row) }
    }
}

impl fmt::Display for RowPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(out, "{file}, ")?;
        }
        match &self.spot {
            Spot::Line(line) => write!(out, "line {line}"),
            Spot::Row(row) => write!(out, "row {row}"),
            Spot::RowOfGroup { row, group } => write!(out, "row {row} (row group {group})"),
            Spot::RowOfSheet { row, sheet } => write!(out, "sheet \"{sheet}\", row {row}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_as_the_file_counts() {
        let file: Arc<str> = "visits/part-1.csv".into();
        for (places, row, said) in [
            (RowPlaces::new(65_537, 9, Marks::Rows), 2, "row 65539"),
            (RowPlaces::new(1, 2, Marks::Lines(vec![2, 5])), 1, "line 5"),
            (RowPlaces::new(1, 2, Marks::Lines(vec![2, 5])).within(Some(file)), 0, "visits/part-1.csv, line 2"),
            (RowPlaces::new(1, 9, Marks::RowGroups([4, 9].into())), 3, "row 4 (row group 1)"),
            (RowPlaces::new(1, 9, Marks::RowGroups([4, 9].into())), 4, "row 5 (row group 2)"),
            (RowPlaces::new(1, 1, Marks::Sheet("x".into(), vec![17])), 0, "sheet \"x\", row 17"),
        ] {
            assert_eq!(places.place(row).to_string(), said);
        }
    }
}
