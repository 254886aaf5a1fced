//! The table of an answer: its columns, their kinds and its rows.

use super::cell::Cell;
use crate::kernel::privacy::certificate::NORMAL_975;

/// Suffix of the column that says why an output is missing.
pub const NULL: &str = "_null";
/// Suffix of the column with any other remark on an output.
pub const NOTE: &str = "_note";

/// Description of one selected column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnInfo {
    /// Name of the column, as selected.
    pub name: String,
    /// Kind of value in the column, with its standard error where all rows share one.
    pub kind: ColumnKind,
    /// Least and greatest value that one row can contribute to the sum or the mean, as decimal text; `None` for other columns.
    pub bounds: Option<(String, String)>,
    /// Suffixes of the remarks that an answer to this question can have on the column, whether or not this one has any: none, `_null`, or
    /// `_null` and `_note`.
    pub remarks: &'static [&'static str],
}

/// Kind of value that a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColumnKind {
    /// Group key whose groups are categories.
    Key,
    /// Group key of truth values.
    BooleanKey,
    /// Group key of whole numbers.
    IntegerKey,
    /// Group key of decimal numbers.
    DecimalKey,
    /// Group key of days, or of the first days of periods.
    DateKey,
    /// Count with its standard error; NaN if every row has its own.
    Count(f64),
    /// Sum with its standard error, in the column's own scale; NaN if every row has its own.
    Sum(f64),
    /// Mean; every row has its own standard error.
    Mean,
    /// Formula over several measurements; every row has its own standard error.
    Formula,
}

impl ColumnKind {
    /// Word for this kind in answers: `key`, `count`, `sum`, `mean` or `formula`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Key | Self::BooleanKey | Self::IntegerKey | Self::DecimalKey | Self::DateKey => "key",
            Self::Count(_) => "count",
            Self::Sum(_) => "sum",
            Self::Mean => "mean",
            Self::Formula => "formula",
        }
    }

    /// Whether the error of the column depends on how many rows a group has.
    #[must_use]
    pub fn assumes_rows(self) -> bool {
        match self {
            Self::Mean | Self::Formula => true,
            Self::Key
            | Self::BooleanKey
            | Self::IntegerKey
            | Self::DecimalKey
            | Self::DateKey
            | Self::Count(_)
            | Self::Sum(_) => false,
        }
    }

    /// Whether the column names groups; any other column holds estimates.
    #[must_use]
    pub fn is_key(self) -> bool {
        match self {
            Self::Key | Self::BooleanKey | Self::IntegerKey | Self::DecimalKey | Self::DateKey => true,
            Self::Count(_) | Self::Sum(_) | Self::Mean | Self::Formula => false,
        }
    }

    /// Standard error of the column, if all rows share one.
    #[must_use]
    pub fn std_error(self) -> Option<f64> {
        match self {
            Self::Count(error) | Self::Sum(error) => Some(error).filter(|error| error.is_finite()),
            Self::Key | Self::BooleanKey | Self::IntegerKey | Self::DecimalKey | Self::DateKey => None,
            Self::Mean | Self::Formula => None,
        }
    }

    /// Half-width of the 95 % interval, 1.959964 × the standard error, if all rows share one.
    #[must_use]
    pub fn margin(self) -> Option<f64> {
        self.std_error().map(|error| NORMAL_975 * error)
    }
}

/// An answer as a table: flat, named columns and rows of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The selected columns, one for each output.
    pub columns: Vec<ColumnInfo>,
    /// Names of all cells in a row: each selected name followed by its `_low`, `_high` and `_std_error`; then `_null` and `_note` for the
    /// outputs that have such a remark in some row.
    pub names: Vec<String>,
    /// Kind of each cell in a row, parallel to `names`.
    pub kinds: Vec<ColumnKind>,
    /// The rows, each with one cell for each of `names`.
    pub rows: Vec<Vec<Cell>>,
    /// Number of leading cells in a row that hold values; those after them are the remarks `_null` and `_note`.
    pub plain: usize,
}

impl Table {
    /// Why an output is missing in a row, as a code such as `lost-in-noise` or `total`; `None` if it is not.
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
