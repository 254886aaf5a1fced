//! The answer: from noisy integers to the table that people read.
//!
//! Promises post-processing alone: it sees a stored release and the layout of the question, never exact values. Estimates are
//! never clipped; every estimate stands with its interval.

mod sorting;

use std::collections::HashMap;

use dashu::base::Signed;
use dashu::integer::IBig;
use serde::{Deserialize, Serialize};

use super::formula::{Centred, Ends, Formula, Measured, Shown};
use super::interval;
use super::plan::codes;
use crate::dataset::domain::Grid;
use crate::privacy::certificate::{Certified, NORMAL_975};
use crate::privacy::mechanism::NoiseLaw;
use crate::privacy::units::unscaled;
use crate::vault::release::Noisy;

/// How measurements become columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Labels of each key's groups, in the order of the computation's keys.
    pub keys: Vec<Vec<Label>>,
    /// The columns, as selected.
    pub outputs: Vec<Output>,
    /// Which rows are shown; all of them where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub having: Option<Shown>,
    /// How rows are sorted; by the keys where empty.
    pub order: Vec<Sort>,
    /// How many rows are shown.
    pub limit: Option<u64>,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A category, or the first day of a period.
    Text(String),
    /// Missing values.
    Missing,
}

/// One selected output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What it is made of; numbers are indices of measurements.
    pub value: OutputValue,
}

/// What an output is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputValue {
    /// A key.
    Key {
        /// Index of the key.
        index: usize,
    },
    /// A count.
    Count {
        /// The measurement.
        count: usize,
    },
    /// S + c·N in steps of the grid.
    Sum {
        /// S.
        sum: usize,
        /// N, where c is not 0.
        count: Option<usize>,
        /// The grid, with its centre c.
        grid: Grid,
    },
    /// c + S/N in steps of the grid.
    Mean {
        /// S.
        sum: usize,
        /// N.
        count: usize,
        /// The grid, with its centre c.
        grid: Grid,
    },
    /// Anything else that is made of measurements.
    Formula {
        /// How.
        formula: Formula,
    },
}

impl OutputValue {
    /// What it is made of, as a formula; nothing for a key.
    #[must_use]
    pub fn formula(&self) -> Option<Formula> {
        match self {
            Self::Key { .. } => None,
            Self::Count { count } => Some(Formula::Count(*count)),
            Self::Sum { sum, count, grid } => Some(Formula::Sum(Centred { sum: *sum, count: *count, grid: *grid })),
            Self::Mean { sum, count, grid } => {
                let about = (grid.centre() != 0).then_some(*count);
                Some(Formula::Mean(Centred { sum: *sum, count: about, grid: *grid }, *count))
            }
            Self::Formula { formula } => Some(formula.clone()),
        }
    }

    /// Least and greatest of what is summed or averaged; nothing for anything else.
    #[must_use]
    pub fn bounds(&self) -> Option<(String, String)> {
        match self {
            Self::Sum { grid, .. } | Self::Mean { grid, .. } => {
                Some((grid.text(grid.low.into()), grid.text(grid.high.into())))
            }
            Self::Key { .. } | Self::Count { .. } | Self::Formula { .. } => None,
        }
    }

    /// Applies `to` to the index of every measurement.
    pub(super) fn renumber(&mut self, to: &impl Fn(usize) -> usize) {
        match self {
            Self::Key { .. } => {}
            Self::Count { count } => *count = to(*count),
            Self::Sum { sum, count, .. } => {
                *sum = to(*sum);
                *count = count.map(to);
            }
            Self::Mean { sum, count, .. } => {
                *sum = to(*sum);
                *count = to(*count);
            }
            Self::Formula { formula } => formula.renumber(to),
        }
    }
}

/// One sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// Index of the output.
    pub output: usize,
    /// From high to low.
    pub descending: bool,
    /// Missing values first.
    pub nulls_first: bool,
}

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
    /// A count with its standard error.
    Count(f64),
    /// A sum with its standard error.
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
            Self::Count(error) | Self::Sum(error) => Some(error),
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
    /// Names of all cells in a row: the selected ones with their `_low`, `_high` and `_std_error`.
    pub names: Vec<String>,
    /// What each of them holds.
    pub kinds: Vec<ColumnKind>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// One row before it is flattened: for each output its cells and its sort value.
struct Row {
    cells: Vec<Cell>,
    sorts: Vec<sorting::SortValue>,
}

/// What the columns will be, and how exact, from the certified laws alone.
#[must_use]
pub fn columns(layout: &Layout, laws: &[NoiseLaw]) -> Vec<ColumnInfo> {
    let kind = |value: &OutputValue| match value {
        OutputValue::Key { index } if layout.keys[*index].contains(&Label::Boolean(true)) => ColumnKind::BooleanKey,
        OutputValue::Key { index } if matches!(layout.keys[*index].first(), Some(Label::Integer(_))) => {
            ColumnKind::IntegerKey
        }
        OutputValue::Key { .. } => ColumnKind::Key,
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

fn sum_terms(laws: &[NoiseLaw], sum: usize, count: Option<usize>, grid: &Grid) -> Vec<(f64, NoiseLaw)> {
    let about = count.map(|count| (grid.centre() as f64, laws[count]));
    std::iter::once((1.0, laws[sum])).chain(about).collect()
}

/// Makes the table of an answer: its noisy vectors, one a measurement.
#[must_use]
pub fn tabulate(layout: &Layout, vectors: &[Noisy]) -> Table {
    let laws: Vec<_> = vectors.iter().map(|one| one.law).collect();
    let cells = layout.keys.iter().map(Vec::len).product();
    let mut widths = HashMap::new();
    let mut rows = Vec::with_capacity(cells);
    for cell in 0..cells {
        let values: Vec<f64> = vectors.iter().map(|one| steps(one, cell)).collect();
        let at = Measured { values: &values, laws: &laws, vectors, cell };
        if layout.having.as_ref().is_none_or(|having| having.truth(at) == Some(true)) {
            rows.push(row(layout, vectors, at, cell, &mut widths));
        }
    }
    sorting::sort(&mut rows, &layout.order);
    if let Some(limit) = layout.limit {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let columns = columns(layout, &laws);
    let kinds = layout.outputs.iter().zip(&columns).flat_map(|(output, column)| vec![column.kind; names(output).len()]);
    Table {
        names: layout.outputs.iter().flat_map(names).collect(),
        kinds: kinds.collect(),
        columns,
        rows: rows.into_iter().map(|row| row.cells).collect(),
    }
}

fn names(output: &Output) -> Vec<String> {
    let name = &output.name;
    match &output.value {
        OutputValue::Key { .. } => vec![name.clone()],
        OutputValue::Count { .. } | OutputValue::Sum { .. } => {
            vec![name.clone(), format!("{name}_low"), format!("{name}_high")]
        }
        OutputValue::Mean { .. } | OutputValue::Formula { .. } => {
            vec![name.clone(), format!("{name}_low"), format!("{name}_high"), format!("{name}_std_error")]
        }
    }
}

fn row(layout: &Layout, vectors: &[Noisy], at: Measured<'_>, cell: usize, widths: &mut HashMap<usize, i128>) -> Row {
    let laws = at.laws;
    let codes = codes(layout.keys.iter().map(|labels| labels.len() as u64), cell as u64);
    let mut row = Row { cells: Vec::new(), sorts: Vec::new() };
    for (index, output) in layout.outputs.iter().enumerate() {
        match &output.value {
            OutputValue::Key { index } => {
                let index = *index;
                let code = codes[index] as usize;
                let label = &layout.keys[index][code];
                row.sorts.push(sorting::SortValue::of_key(label, code));
                row.cells.push(label.cell());
            }
            OutputValue::Count { count } => {
                let count = *count;
                let value = coarse(&vectors[count], cell);
                let width = *widths.entry(index).or_insert_with(|| whole_width(&[(1.0, laws[count])]));
                row.push_estimate(value, width, 1_000_000_000);
            }
            OutputValue::Sum { sum, count, grid } => {
                let value = total(vectors, *sum, *count, grid, cell);
                let width = *widths.entry(index).or_insert_with(|| whole_width(&sum_terms(laws, *sum, *count, grid)));
                row.push_estimate(value, width, grid.step.into());
            }
            OutputValue::Mean { sum, count, grid } => {
                let (s, n) = (at.values[*sum], at.values[*count]);
                let centre = grid.centre() as f64;
                let domain = (grid.low as f64 - centre, grid.high as f64 - centre);
                row.push_mean(&interval::mean(s, laws[*sum], n, laws[*count], domain), grid);
            }
            OutputValue::Formula { formula } => row.push_formula(formula.ends(at)),
        }
    }
    row
}

impl Row {
    /// An estimate on a grid, `unit` in 1e-9 a step: the interval holds every grid point within the noise and half a step.
    fn push_estimate(&mut self, value: i128, width: i128, unit: i128) {
        self.sorts.push(sorting::SortValue::Number(value as f64));
        self.cells.extend(
            [value, value.saturating_sub(width), value.saturating_add(width)]
                .map(|steps| Cell::Decimal(steps.saturating_mul(unit))),
        );
    }

    /// An estimate with its ends and its standard error; nothing at all where there is no estimate.
    fn push_formula(&mut self, ends: Option<Ends>) {
        match ends {
            Some(Ends { value, low, high, std_error }) => {
                let value = rounded(value, std_error);
                self.sorts.push(sorting::SortValue::Number(value));
                let ends = [value, rounded(low, std_error), rounded(high, std_error), rounded(std_error, std_error)];
                self.cells.extend(ends.map(Cell::Float));
            }
            None => {
                self.sorts.push(sorting::SortValue::Missing);
                self.cells.extend([Cell::Missing, Cell::Missing, Cell::Missing, Cell::Missing]);
            }
        }
    }

    fn push_mean(&mut self, mean: &interval::Mean, grid: &Grid) {
        let shown = |steps: f64, error: f64| {
            let value = (steps + grid.centre() as f64) * grid.step_value();
            rounded(value, error * grid.step_value())
        };
        match mean.estimate {
            Some((estimate, error)) => {
                let value = shown(estimate, error);
                self.sorts.push(sorting::SortValue::Number(value));
                let ends = [value, shown(mean.low, error), shown(mean.high, error)];
                self.cells.extend(ends.map(Cell::Float));
                let error = error * grid.step_value();
                self.cells.push(Cell::Float(rounded(error, error)));
            }
            None => {
                self.sorts.push(sorting::SortValue::Missing);
                let bound = |steps: i64| Cell::Decimal(i128::from(steps) * i128::from(grid.step));
                self.cells.extend([Cell::Missing, bound(grid.low), bound(grid.high), Cell::Missing]);
            }
        }
    }
}

impl Label {
    /// The value in a table.
    #[must_use]
    pub fn cell(&self) -> Cell {
        match self {
            Self::Boolean(truth) => Cell::Boolean(*truth),
            Self::Integer(value) => Cell::Decimal(i128::from(*value) * 1_000_000_000),
            Self::Text(text) => Cell::Text(text.clone()),
            Self::Missing => Cell::Missing,
        }
    }
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

/// ⌊zσ + ½⌋ steps, so that a value on the grid is covered by the noise and half a step of rounding.
fn whole_width(terms: &[(f64, NoiseLaw)]) -> i128 {
    (interval::half_width(terms) + 0.5).floor() as i128
}

/// A noisy integer rounded from its fine grid to whole steps, halves up.
fn coarse(noisy: &Noisy, cell: usize) -> i128 {
    to_i128(round_shift(&noisy.cells[cell], noisy.law.fine_bits as usize))
}

/// S + c·N on the finer of the two grids, then rounded to whole steps.
fn total(vectors: &[Noisy], sum: usize, count: Option<usize>, grid: &Grid, cell: usize) -> i128 {
    let s = &vectors[sum];
    let Some(n) = count.map(|count| &vectors[count]) else { return coarse(s, cell) };
    let (s_bits, n_bits) = (s.law.fine_bits as usize, n.law.fine_bits as usize);
    let bits = s_bits.max(n_bits);
    let whole = (&s.cells[cell] << (bits - s_bits)) + ((&n.cells[cell] * IBig::from(grid.centre())) << (bits - n_bits));
    to_i128(round_shift(&whole, bits))
}

fn round_shift(value: &IBig, bits: usize) -> IBig {
    match bits {
        0 => value.clone(),
        _ => (value + (IBig::ONE << (bits - 1))) >> bits,
    }
}

/// Noise beyond 2⁹⁶ steps is shown as that; no law within any budget reaches it.
fn to_i128(value: IBig) -> i128 {
    let bound = 1_i128 << 96;
    i128::try_from(&value).map_or(if value.is_negative() { -bound } else { bound }, |value| value.clamp(-bound, bound))
}

/// A noisy integer in steps, as a float.
pub(super) fn steps(noisy: &Noisy, cell: usize) -> f64 {
    noisy.cells[cell].to_f64().value() / 2_f64.powi(noisy.law.fine_bits.cast_signed())
}

/// Rounded to two digits beyond the first of its error.
fn rounded(value: f64, error: f64) -> f64 {
    if !(error > 0.0 && error.is_finite()) {
        return value;
    }
    let digits = (2.0 - error.log10().floor()).clamp(0.0, 15.0) as i32;
    let power = 10_f64.powi(digits);
    (value * power).round() / power
}
