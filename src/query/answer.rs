//! The answer: from noisy integers to the table that people read.
//!
//! Promises post-processing alone: it sees a stored release and the layout of the question, never exact values. Estimates are
//! never clipped; every estimate stands with its interval, and where there is none it is said why. Intervals end where public bounds say that
//! nothing can be; an estimate that noise has carried beyond them stands as it is, and that is said, too.

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

/// What is appended to the name of an output for its standard error.
const STD_ERROR: &str = "_std_error";

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Missing,
    /// A key's text.
    Text(String),
    /// A key's truth value.
    Boolean(bool),
    /// An exact decimal: count of 10^-9.
    Decimal(i128),
    /// A float, for means and their errors.
    Float(f64),
}

/// What one column is.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Least and greatest of what is summed or averaged, as decimal text: what one row can be.
    pub bounds: Option<(String, String)>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColumnKind {
    /// A key of categories.
    Key,
    /// A key of truth values.
    BooleanKey,
    /// A key of whole numbers.
    IntegerKey,
    /// A count with its standard error; NaN where each row has its own.
    Count(f64),
    /// A sum with its standard error; NaN where each row has its own.
    Sum(f64),
    /// A mean; its standard errors stand in the rows.
    Mean,
    /// A formula; its standard errors stand in the rows.
    Formula,
}

impl ColumnKind {
    /// The word for it.
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

    /// The standard error, where all rows have one.
    #[must_use]
    pub fn std_error(self) -> Option<f64> {
        match self {
            Self::Count(error) | Self::Sum(error) => Some(error).filter(|error| error.is_finite()),
            Self::Key | Self::BooleanKey | Self::IntegerKey | Self::Mean | Self::Formula => None,
        }
    }

    /// 1.959964 × the standard error.
    #[must_use]
    pub fn margin(self) -> Option<f64> {
        self.std_error().map(|error| NORMAL_975 * error)
    }
}

/// An answer as a table: flat columns by name, rows of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What was selected.
    pub columns: Vec<ColumnInfo>,
    /// Names of all cells in a row: the selected ones with their `_low`, `_high` and `_std_error`; then `_null` and `_note` of those that
    /// something is said of.
    pub names: Vec<String>,
    /// What each of them holds.
    pub kinds: Vec<ColumnKind>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// How many of the cells in a row are not words about others.
    pub plain: usize,
}

/// What the columns will be, and how exact, from the certified laws alone.
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
        // Of several groupings, each row has its own errors.
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

/// The laws of a certificate or a release.
#[must_use]
pub fn laws(measurements: &[Certified]) -> Vec<NoiseLaw> {
    measurements.iter().map(|one| one.law).collect()
}

/// Makes the table of an answer: its noisy vectors, one a measurement.
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

/// What is appended to an output's name for each of its columns; where there are several groupings, every row has its own standard errors.
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

/// The columns of an output.
fn names(output: &Output, has_sets: bool) -> Vec<String> {
    suffixes(output, has_sets).iter().map(|suffix| format!("{}{suffix}", output.name)).collect()
}

impl Cell {
    /// The value as plain text; nothing where it is missing.
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
