//! Rows: each group's estimates with their intervals, before sorting and LIMIT.

use std::collections::HashMap;

use dashu::base::Signed;
use dashu::integer::IBig;

use super::{Cell, Label, Layout, OutputValue, names, sorting};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::Noisy;
use crate::query::answer::formula::{Absent, Ends, Measured, Range};
use crate::query::answer::interval;
use crate::query::plan::codes;
use crate::query::terms::domain::Grid;

/// One row before it is flattened: its cells, and for each output its sort value and its remark, if any.
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) sorts: Vec<sorting::SortValue>,
    pub(super) said: Vec<Option<Said>>,
}

/// Remark on an estimate that readers of the answer are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The estimate is missing, for this reason.
    Absent(Absent),
    /// Noise has carried the estimate out of the range of possible values, at whose limits its interval ends.
    Outside,
}

/// Appends the rows of one grouping by the keys `shown`.
pub(super) fn rows_of(layout: &Layout, vectors: &[Noisy], shown: &[usize], rows: &mut Vec<Row>) {
    let laws: Vec<_> = vectors.iter().map(|one| one.law).collect();
    let cells = shown.iter().map(|key| layout.keys[*key].len()).product();
    let mut widths = HashMap::new();
    // Convert each cell to a float once, as running sums and percentiles read many cells for each group.
    let all: Vec<Vec<f64>> =
        vectors.iter().map(|one| (0..one.cells.len()).map(|cell| steps(one, cell)).collect()).collect();
    for cell in 0..cells {
        let values: Vec<f64> = all.iter().map(|one| one[cell]).collect();
        let at = Measured { values: &values, laws: &laws, all: &all, cell, hidden: &[] };
        let hidden = layout.small.as_ref().map_or_else(Vec::new, |small| small.hidden(at));
        let at = Measured { hidden: &hidden, ..at };
        if layout.having.as_ref().is_none_or(|having| having.truth(at) == Some(true)) {
            rows.push(row(layout, vectors, at, shown, &mut widths));
        }
    }
}

fn row(
    layout: &Layout,
    vectors: &[Noisy],
    at: Measured<'_>,
    shown: &[usize],
    widths: &mut HashMap<usize, i128>,
) -> Row {
    let (laws, cell, has_sets) = (at.laws, at.cell, layout.sets.is_some());
    let mut places = vec![None; layout.keys.len()];
    let codes = codes(shown.iter().map(|key| layout.keys[*key].len() as u64), cell as u64);
    shown.iter().zip(codes).for_each(|(key, code)| places[*key] = usize::try_from(code).ok());
    let mut row = Row { cells: Vec::new(), sorts: Vec::new(), said: Vec::new() };
    for (index, output) in layout.outputs.iter().enumerate() {
        if output.value.made_of().iter().any(|measurement| at.shown(*measurement).is_err()) {
            row.push_absent(Absent::Hidden, Range::WHOLE, names(output, has_sets).len());
            continue;
        }
        match &output.value {
            OutputValue::Key { index } => {
                let label = places[*index].map_or(&Label::Missing, |code| &layout.keys[*index][code]);
                row.push_key(label, places[*index].unwrap_or_default());
            }
            OutputValue::Grouping { index } => {
                row.push_key(&Label::Integer(i64::from(places[*index].is_none())), 0);
            }
            OutputValue::Count { count } => {
                let count = *count;
                let value = coarse(&vectors[count], cell);
                let width = *widths.entry(index).or_insert_with(|| whole_width(&[(1.0, laws[count])]));
                row.push_estimate(value, width, 1_000_000_000);
                if has_sets {
                    row.push_error(laws[count].std_error());
                }
            }
            OutputValue::Sum { sum, count, grid } => {
                let value = total(vectors, *sum, *count, grid, cell);
                let width = *widths.entry(index).or_insert_with(|| whole_width(&sum_terms(laws, *sum, *count, grid)));
                row.push_estimate(value, width, grid.step.into());
                if has_sets {
                    row.push_error(interval::std_error(&sum_terms(laws, *sum, *count, grid)) * grid.step_value());
                }
            }
            OutputValue::Mean { sum, count, grid } => {
                let (s, n) = (at.values[*sum], at.values[*count]);
                let centre = grid.centre() as f64;
                let domain = (grid.low as f64 - centre, grid.high as f64 - centre);
                let (low, high) = grid.bounds();
                let mean = interval::mean(s, laws[*sum], n, laws[*count], domain);
                row.push_formula(of_mean(&mean, grid), Range::new(low, high));
            }
            OutputValue::Formula { formula, range } => row.push_formula(formula.ends(at), *range),
        }
    }
    row
}

fn of_mean(mean: &interval::Mean, grid: &Grid) -> Result<Ends, Absent> {
    let number = |steps: f64| (steps + grid.centre() as f64) * grid.step_value();
    let (estimate, error) = mean.estimate.ok_or(Absent::LostInNoise)?;
    let std_error = error * grid.step_value();
    Ok(Ends { value: number(estimate), low: number(mean.low), high: number(mean.high), std_error })
}

impl Row {
    fn push_key(&mut self, label: &Label, code: usize) {
        self.sorts.push(sorting::SortValue::of_key(label, code));
        self.cells.push(label.cell());
        self.said.push(None);
    }

    /// Appends an estimate on a grid; `unit` is the size of a step in 1e-9. The interval holds every grid point within the noise plus half
    /// a step.
    fn push_estimate(&mut self, value: i128, width: i128, unit: i128) {
        self.sorts.push(sorting::SortValue::Number(value as f64));
        self.cells.extend(
            [value, value.saturating_sub(width), value.saturating_add(width)]
                .map(|steps| Cell::Decimal(steps.saturating_mul(unit))),
        );
        self.said.push(None);
    }

    fn push_error(&mut self, error: f64) {
        self.cells.push(Cell::Float(rounded(error, error)));
    }

    /// Appends an estimate with its standard error and its interval, which is cut to the possible values.
    fn push_formula(&mut self, ends: Result<Ends, Absent>, range: Range) {
        let ends = match ends {
            Ok(ends) => ends,
            // An estimate lost in noise can still be anything that is possible.
            Err(Absent::LostInNoise) => return self.push_absent(Absent::LostInNoise, range, FORMULA_CELLS),
            Err(reason) => return self.push_absent(reason, Range::WHOLE, FORMULA_CELLS),
        };
        let shown = |value: f64| rounded(value, ends.std_error);
        let cut = range.cut(ends);
        let (low, high) = (range.nearest(shown(cut.low)), range.nearest(shown(cut.high)));
        // Estimates are never clipped, but rounding must not carry one out of its range.
        let value = shown(ends.value);
        let value = if range.holds_about(ends.value) { range.nearest(value) } else { value };
        self.sorts.push(sorting::SortValue::Number(value));
        self.cells.extend([value, low, high, shown(ends.std_error)].map(Cell::Float));
        self.said.push((!range.holds(value)).then_some(Said::Outside));
    }

    /// Appends a missing estimate in `cells` cells; its interval is the range of possible values.
    fn push_absent(&mut self, reason: Absent, range: Range, cells: usize) {
        let bound = |end: Option<f64>| {
            // Declared bounds are decimals, but the bounds of a square root need not be.
            let decimal = |end: f64| (end * 1e9).round() as i128;
            match end {
                None => Cell::Missing,
                Some(end) if (decimal(end) as f64 / 1e9).total_cmp(&end).is_eq() => Cell::Decimal(decimal(end)),
                Some(end) => Cell::Float(end),
            }
        };
        self.sorts.push(sorting::SortValue::Missing);
        self.cells.extend([Cell::Missing, bound(range.low), bound(range.high)]);
        self.cells.extend(std::iter::repeat_n(Cell::Missing, cells.saturating_sub(3)));
        self.said.push(Some(Said::Absent(reason)));
    }
}

/// Cells of a formula: the value, the two ends of its interval and its standard error.
const FORMULA_CELLS: usize = 4;

pub(super) fn sum_terms(laws: &[NoiseLaw], sum: usize, count: Option<usize>, grid: &Grid) -> Vec<(f64, NoiseLaw)> {
    let about = count.map(|count| (grid.centre() as f64, laws[count]));
    std::iter::once((1.0, laws[sum])).chain(about).collect()
}

/// ⌊zσ + ½⌋ steps, so that the interval covers a value on the grid after the noise and half a step of rounding.
fn whole_width(terms: &[(f64, NoiseLaw)]) -> i128 {
    (interval::half_width(terms) + 0.5).floor() as i128
}

/// Rounds a noisy integer from its fine grid to whole steps, halves up.
fn coarse(noisy: &Noisy, cell: usize) -> i128 {
    to_i128(round_shift(&noisy.cells[cell], noisy.law.fine_bits as usize))
}

/// Computes S + c·N on the finer of the two grids, then rounds to whole steps.
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

/// Clamps to ±2⁹⁶ steps; no noise law within any budget reaches that.
fn to_i128(value: IBig) -> i128 {
    let bound = 1_i128 << 96;
    i128::try_from(&value).map_or(if value.is_negative() { -bound } else { bound }, |value| value.clamp(-bound, bound))
}

/// The noisy integer of a cell as a float, in steps.
pub(in crate::query) fn steps(noisy: &Noisy, cell: usize) -> f64 {
    noisy.cells[cell].to_f64().value() / 2_f64.powi(noisy.law.fine_bits.cast_signed())
}

/// Rounds a value to two digits beyond the first significant digit of its error.
fn rounded(value: f64, error: f64) -> f64 {
    if !(error > 0.0 && error.is_finite()) {
        return value;
    }
    let digits = (2.0 - error.log10().floor()).clamp(0.0, 15.0) as i32;
    let power = 10_f64.powi(digits);
    (value * power).round() / power
}
