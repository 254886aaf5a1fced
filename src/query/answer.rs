//! Answers: turns the noisy integers of a release into the table that people read.
//!
//! Promises post-processing only: this module sees a stored release and the layout of the question, never exact values. Estimates are never
//! clipped. Every estimate comes with its interval; where there is no estimate, the answer says why. Intervals end at the limits that
//! public bounds imply; an estimate that noise has carried beyond those limits is shown as it is, with a note.

mod labels;
mod layout;
mod rows;
mod small;
mod sorting;
mod words;
pub mod formula;
pub mod interval;
pub mod quantile;
pub mod grouping_sets;

pub use self::labels::{KeyLabels, Label};
pub use self::layout::{Layout, Output, OutputValue, Sort};
pub(super) use self::rows::steps;
pub use self::small::{Counted, Part, Small};

use self::rows::{Row, rows_of, sum_terms};
use crate::kernel::privacy::amounts::unscaled;
use crate::kernel::privacy::certificate::{Certified, NORMAL_975};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::Noisy;

/// Suffix of the column that holds an output's standard error.
const STD_ERROR: &str = "_std_error";

/// The value of one cell of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value: SQL's NULL.
    Missing,
    /// Text of a group key: a category, or the first day of a period.
    Text(String),
    /// Truth value of a boolean group key.
    Boolean(bool),
    /// Exact decimal number, stored as a multiple of 10⁻⁹.
    Decimal(i128),
    /// Floating-point number: means, formulas and standard errors.
    Float(f64),
}

/// Description of one selected column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnInfo {
    /// Name of the column, as selected.
    pub name: String,
    /// Kind of value in the column, with its standard error where all rows share one.
    pub kind: ColumnKind,
    /// Least and greatest value that one row can contribute to the sum or the mean, as decimal text; `None` for other columns.
    pub bounds: Option<(String, String)>,
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
            Self::Key | Self::BooleanKey | Self::IntegerKey => "key",
            Self::Count(_) => "count",
            Self::Sum(_) => "sum",
            Self::Mean => "mean",
            Self::Formula => "formula",
        }
    }

    /// Standard error of the column, if all rows share one.
    #[must_use]
    pub fn std_error(self) -> Option<f64> {
        match self {
            Self::Count(error) | Self::Sum(error) => Some(error).filter(|error| error.is_finite()),
            Self::Key | Self::BooleanKey | Self::IntegerKey | Self::Mean | Self::Formula => None,
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

/// Describes the columns of an answer and their accuracy from the certified noise laws alone, before anything is drawn.
#[must_use]
pub fn columns(layout: &Layout, laws: &[NoiseLaw]) -> Vec<ColumnInfo> {
    let laws = &layout.laws(laws);
    let kind = |value: &OutputValue| match value {
        OutputValue::Key { index } if matches!(layout.keys[*index].first(), Some(Label::Boolean(_))) => {
            ColumnKind::BooleanKey
        }
        OutputValue::Key { index } if matches!(layout.keys[*index].first(), Some(Label::Integer(_))) => {
            ColumnKind::IntegerKey
        }
        OutputValue::Key { .. } => ColumnKind::Key,
        OutputValue::Grouping { .. } => ColumnKind::IntegerKey,
        // With several groupings, every row has its own standard error.
        OutputValue::Count { .. } if layout.sets.is_some() => ColumnKind::Count(f64::NAN),
        OutputValue::Sum { .. } if layout.sets.is_some() => ColumnKind::Sum(f64::NAN),
        OutputValue::Count { count } => ColumnKind::Count(laws[*count].std_error()),
        OutputValue::Sum { sum, count, grid } => {
            ColumnKind::Sum(interval::std_error(&sum_terms(laws, *sum, *count, grid)) * grid.step_value())
        }
        OutputValue::Mean { .. } => ColumnKind::Mean,
        OutputValue::Formula { .. } => ColumnKind::Formula,
    };
    let info = |output: &Output| ColumnInfo {
        name: output.name.clone(),
        kind: kind(&output.value),
        bounds: output.value.bounds(),
    };
    layout.outputs.iter().map(info).collect()
}

/// Noise laws of the measurements of a certificate or a release, in their order.
#[must_use]
pub fn laws(measurements: &[Certified]) -> Vec<NoiseLaw> {
    measurements.iter().map(|one| one.law).collect()
}

/// Builds the table of an answer from its noisy vectors, one for each measurement.
#[must_use]
pub fn tabulate(layout: &Layout, vectors: &[Noisy]) -> Table {
    let laws: Vec<_> = vectors.iter().map(|one| one.law).collect();
    let sizes: Vec<usize> = layout.keys.iter().map(|labels| labels.len()).collect();
    let mut rows: Vec<Row> = Vec::new();
    match &layout.sets {
        None => {
            let all: Vec<usize> = (0..sizes.len()).collect();
            rows_of(layout, vectors, &all, &mut rows);
        }
        Some(sets) => {
            for (at, shown) in sets.shown.iter().enumerate() {
                rows_of(layout, &sets.vectors(at, vectors, &sizes), shown, &mut rows);
            }
        }
    }
    sorting::sort(&mut rows, &layout.order);
    if let Some(limit) = layout.limit {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let columns = columns(layout, &laws);
    let has_sets = layout.sets.is_some();
    let of = |(output, column): (&Output, &ColumnInfo)| {
        let error = |name: &String| name.ends_with(STD_ERROR) && output.value.formula().is_some();
        let kind = |name: &String| if error(name) { ColumnKind::Formula } else { column.kind };
        names(output, has_sets).iter().map(kind).collect::<Vec<_>>()
    };
    let kinds: Vec<_> = layout.outputs.iter().zip(&columns).flat_map(of).collect();
    let names: Vec<_> = layout.outputs.iter().flat_map(|output| names(output, has_sets)).collect();
    let mut table = Table { plain: names.len(), names, kinds, columns, rows: Vec::with_capacity(rows.len()) };
    words::append(&mut table, rows);
    table
}

/// Suffixes of the columns that an output takes. With several groupings every row has its own standard error, so counts and sums get a
/// column for it, too.
fn suffixes(output: &Output, has_sets: bool) -> &'static [&'static str] {
    match &output.value {
        OutputValue::Key { .. } | OutputValue::Grouping { .. } => &[""],
        OutputValue::Count { .. } | OutputValue::Sum { .. } if !has_sets => &["", "_low", "_high"],
        OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. }
        | OutputValue::Formula { .. } => &["", "_low", "_high", STD_ERROR],
    }
}

/// Names of the columns that an output takes.
fn names(output: &Output, has_sets: bool) -> Vec<String> {
    suffixes(output, has_sets).iter().map(|suffix| format!("{}{suffix}", output.name)).collect()
}

impl Cell {
    /// The value as plain text; `None` if it is missing.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.clone()),
            Self::Boolean(truth) => Some(truth.to_string()),
            Self::Decimal(value) => Some(unscaled(*value, 9)),
            Self::Float(value) => Some(value.to_string()),
        }
    }
}
