//! Assumed values: what the measurements of a group would be, if it had so many rows.
//!
//! Where the asker knows noisy values of a measurement, they are taken as they are. Where they know the values of a column in other groups,
//! a group is taken to be like them. Where nothing is known, the error is made least wrong whatever the truth is:
//!
//! * **Means.** The error of S/N with noise of a standard errors on S and b on N is √(a² + θ²b²)/n, where |θ| ≤ R is unknown. θ =
//!   [`TYPICAL_MEAN`]·R puts it in the middle: it is wrong by at most a factor of 2^(1/4) = 1.19 where a = Rb.
//! * **Shares.** A part has [`TYPICAL_PART`] of its group's rows: √(1 + p²) is wrong by at most 1.22 for any p.
//! * **Spreads, slopes, correlations and percentiles** err by as much as the values are spread, which nobody knows beforehand. A column is
//!   taken to fill a tenth of its declared range, near its lower end, as costs and laboratory values do. This can be far off; a quote says
//!   that it is assumed.

use crate::query::answer::formula::{CentredSum, Formula, Products, Quantile, Squares};
use crate::query::computation::Measure;
use crate::query::term::{Operation, Term};
use crate::query::terms::domain::Grid;

/// The distance of a mean from the middle of its range, as a part of half the range: √(√2 − 1).
const TYPICAL_MEAN: f64 = 0.643_594_252_905_582_6;
/// The part of a group's rows that a filter leaves.
const TYPICAL_PART: f64 = 0.6;
/// The standard deviation of a column, as a part of the distance between its mean and the nearer end of its range.
const TYPICAL_SPREAD: f64 = 0.56;
/// The correlation of two columns.
const TYPICAL_CORRELATION: f64 = 0.3;

/// What is known of one measurement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownMeasure {
    /// Its noisy values in the cells of the question, a histogram's bin by bin; `None` if they are not known.
    pub cells: Option<Vec<f64>>,
    /// Its average over a row of other groups, a histogram's bin by bin; `None` if it is not known.
    pub per_row: Option<Vec<f64>>,
}

/// The distribution of a column's values.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueHistogram {
    /// Lower end of the first bin, in the column's own unit.
    pub low: f64,
    /// Width of a bin.
    pub width: f64,
    /// The part of the rows that lie below the upper end of each bin; it ends with 1.
    pub below: Vec<f64>,
}

/// What is known of a column's values, in its own unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnShape {
    /// Mean of the column's values, in the column's own unit.
    pub mean: f64,
    /// The standard deviation; `None` if it is not known.
    pub deviation: Option<f64>,
    /// The distribution; `None` if it is not known.
    pub histogram: Option<ValueHistogram>,
}

/// The groups of an answer as they are assumed: how many rows they have, and what is known of them.
pub struct AssumedGroups<'a> {
    /// Number of rows of each group, in the order of the cells; a single number if all groups are taken to be alike.
    pub rows: Vec<f64>,
    /// What is known of each measurement, parallel to the computation's.
    pub known: Vec<KnownMeasure>,
    /// What is known of the values of a number; `None` if nothing is.
    pub shape: &'a dyn Fn(&Term) -> Option<ColumnShape>,
}

/// Mean and standard deviation of a column, and its distribution if that is known.
struct Supposed {
    mean: f64,
    deviation: f64,
    histogram: Option<ValueHistogram>,
}

impl ValueHistogram {
    /// The part of the rows below a value, by linear interpolation within a bin.
    fn below(&self, value: f64) -> f64 {
        let place = (value - self.low) / self.width;
        if place <= 0.0 {
            return 0.0;
        }
        let bin = place.floor() as usize;
        let Some(upper) = self.below.get(bin) else { return 1.0 };
        let lower = if bin == 0 { 0.0 } else { self.below[bin - 1] };
        lower + (upper - lower) * (place - bin as f64)
    }

    /// Mean and standard deviation, with each bin's rows in its middle.
    #[must_use]
    pub fn moments(&self) -> (f64, f64) {
        let (mut before, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for (bin, below) in self.below.iter().enumerate() {
            let (part, middle) = (below - before, self.low + (bin as f64 + 0.5) * self.width);
            mean += part * middle;
            squares += part * middle * middle;
            before = *below;
        }
        (mean, (squares - mean * mean).max(0.0).sqrt())
    }
}

impl Supposed {
    fn of(known: Option<ColumnShape>, grid: &Grid) -> Self {
        let (low, high) = grid.bounds();
        let radius = grid.radius() as f64 * grid.step_value();
        let typical = |mean: f64| TYPICAL_SPREAD * (mean - low).min(high - mean).max(0.02 * (high - low));
        match known {
            None => {
                // Towards the lower end, unless the centre is that end, as it is for 0 and 1.
                let (centre, away) = (grid.centre() as f64 * grid.step_value(), TYPICAL_MEAN * radius);
                let mean = if centre - away < low { (centre + away).min(high) } else { centre - away };
                Self { mean, deviation: typical(mean), histogram: None }
            }
            Some(ColumnShape { mean, deviation, histogram }) => {
                let mean = mean.clamp(low, high);
                Self { mean, deviation: deviation.unwrap_or_else(|| typical(mean)), histogram }
            }
        }
    }

    /// The part of the rows below a value. Without a known distribution, it is that of a logistic law, which is close to a normal one.
    fn below(&self, value: f64) -> f64 {
        match &self.histogram {
            Some(histogram) => histogram.below(value),
            None => (1.0 + (-1.702 * (value - self.mean) / self.deviation.max(f64::MIN_POSITIVE)).exp()).recip(),
        }
    }
}

/// The values of one cell, by the index that outputs refer to.
pub(super) struct AssumedValues<'a> {
    all: &'a [&'a Measure],
    groups: &'a AssumedGroups<'a>,
    measures: &'a [usize],
    /// Number of rows in the group.
    rows: f64,
    /// The values: one for most measurements, one for each bin of a histogram.
    pub(super) values: Vec<Vec<f64>>,
    /// Whether each value follows from what is known, and not from bounds alone.
    is_known: Vec<bool>,
}

impl<'a> AssumedValues<'a> {
    /// The values of a cell, as far as they follow from what is known and from the number of rows.
    pub(super) fn new(
        all: &'a [&'a Measure],
        groups: &'a AssumedGroups<'a>,
        measures: &'a [usize],
        cell: usize,
        rows: f64,
    ) -> Self {
        let known = |measure: &usize| {
            let known = groups.known.get(*measure)?;
            let width = width(all[*measure]);
            let own = known.cells.as_ref().and_then(|cells| cells.get(cell * width..(cell + 1) * width));
            let alike = || known.per_row.as_ref().map(|each| each.iter().map(|each| each * rows).collect());
            own.map(<[f64]>::to_vec).or_else(alike)
        };
        let found: Vec<Option<Vec<f64>>> = measures.iter().map(known).collect();
        let is_known = found.iter().map(Option::is_some).collect();
        let values =
            found.into_iter().zip(measures).map(|(found, measure)| found.unwrap_or_else(|| bare(all[*measure], rows)));
        let values = values.collect();
        Self { all, groups, measures, rows, values, is_known }
    }

    /// Supposes values for what a formula is computed from, where they are not known.
    pub(super) fn suppose(&mut self, formula: &Formula) {
        match formula {
            Formula::Sum(one) => self.sum(one, one.count),
            Formula::Mean(one, count) => self.sum(one, Some(*count)),
            Formula::Spread(_, squares) => self.squares(squares),
            Formula::Pair(_, products) => self.products(products),
            Formula::Quantile(quantile) => self.quantile(quantile),
            Formula::Window(window) => window.formulas().into_iter().for_each(|of| self.suppose(of)),
            Formula::Number(_)
            | Formula::Count(_)
            | Formula::Run(_)
            | Formula::Key(_)
            | Formula::Grouping(_)
            | Formula::Missing
            | Formula::Negative(_)
            | Formula::Arithmetic(..)
            | Formula::Absolute(_)
            | Formula::Root(_)
            | Formula::Round(..)
            | Formula::NullIf(..)
            | Formula::Call(..)
            | Formula::Case(..) => formula.parts().into_iter().for_each(|part| self.suppose(part)),
        }
    }

    /// Whether a formula's error depends on a spread of values of which nothing is known.
    pub(super) fn guesses(&self, formula: &Formula) -> bool {
        let is_unknown = |one: &CentredSum| !self.is_known[one.sum];
        let is_unseen = |of: &Term| (self.groups.shape)(of).and_then(|shape| shape.deviation).is_none();
        match formula {
            Formula::Spread(_, squares) => {
                (is_unknown(&squares.sum) || is_unknown(&squares.squares)) && is_unseen(&squares.of)
            }
            Formula::Pair(_, products) => {
                let all = [&products.y.0, &products.y.1, &products.x.0, &products.x.1, &products.products];
                all.into_iter().any(is_unknown) && (is_unseen(&products.of.0) || is_unseen(&products.of.1))
            }
            Formula::Quantile(quantile) => {
                let shape = quantile.levels.first().and_then(|level| self.shape(*level));
                let is_known = quantile.levels.iter().all(|level| self.is_known[*level]);
                !is_known && shape.and_then(|shape| shape.deviation).is_none()
            }
            Formula::Window(window) => window.formulas().into_iter().any(|of| self.guesses(of)),
            Formula::Number(_)
            | Formula::Count(_)
            | Formula::Sum(_)
            | Formula::Mean(..)
            | Formula::Run(_)
            | Formula::Key(_)
            | Formula::Grouping(_)
            | Formula::Missing
            | Formula::Negative(_)
            | Formula::Arithmetic(..)
            | Formula::Absolute(_)
            | Formula::Root(_)
            | Formula::Round(..)
            | Formula::NullIf(..)
            | Formula::Call(..)
            | Formula::Case(..) => formula.parts().into_iter().any(|part| self.guesses(part)),
        }
    }

    fn first(&self, index: usize) -> f64 {
        self.values.get(index).and_then(|one| one.first()).copied().unwrap_or(self.rows)
    }

    /// What is known of the values that a measurement is of.
    fn shape(&self, index: usize) -> Option<ColumnShape> {
        let measure = self.all.get(*self.measures.get(index)?)?;
        match measure.base() {
            Measure::Sum { column } | Measure::Bins { column, .. } => (self.groups.shape)(column),
            Measure::Rows
            | Measure::NonNull { .. }
            | Measure::Units
            | Measure::UnitsWhere { .. }
            | Measure::PrefixSums { .. }
            | Measure::Over { .. } => None,
        }
    }

    fn sum(&mut self, one: &CentredSum, count: Option<usize>) {
        if self.is_known[one.sum] {
            return;
        }
        let supposed = Supposed::of(self.shape(one.sum), &one.grid);
        let rows = count.map_or(self.rows, |count| self.first(count));
        let about = supposed.mean / one.grid.step_value() - one.grid.centre() as f64;
        self.values[one.sum] = vec![rows * about];
    }

    /// Sets a sum to `total` in the column's own unit, over `rows` rows.
    fn set(&mut self, one: &CentredSum, total: f64, rows: f64) {
        let about = one.count.map_or(0.0, |_| one.grid.centre() as f64 * rows);
        self.values[one.sum] = vec![total / one.grid.step_value() - about];
    }

    /// Mean and standard deviation of a number about the middle of its range, which `sum` is the sum of.
    fn about_middle(&self, of: &Term, sum: &CentredSum, middle: f64) -> (f64, f64) {
        let grid = &sum.grid;
        match (self.groups.shape)(of) {
            None => {
                let supposed = Supposed::of(None, grid);
                (supposed.mean, supposed.deviation)
            }
            Some(shape) => {
                let deviation = shape.deviation;
                let shifted = ColumnShape { mean: shape.mean - middle, deviation, histogram: None };
                let supposed = Supposed::of(Some(shifted), grid);
                (supposed.mean, supposed.deviation)
            }
        }
    }

    fn squares(&mut self, squares: &Squares) {
        let Squares { count, sum, squares, of } = squares;
        if self.is_known[sum.sum] && self.is_known[squares.sum] {
            return;
        }
        let rows = self.first(*count);
        let (mean, deviation) = self.about_middle(of, sum, self.middle(of, sum));
        self.set(sum, rows * mean, rows);
        self.set(squares, rows * (mean * mean + deviation * deviation), rows);
    }

    /// The middle of a number's range, by which its sum is shifted: 0 if the number itself is summed.
    fn middle(&self, of: &Term, sum: &CentredSum) -> f64 {
        let column = self.measures.get(sum.sum).and_then(|measure| match self.all[*measure].base() {
            Measure::Sum { column } => Some(column),
            Measure::Rows
            | Measure::NonNull { .. }
            | Measure::Units
            | Measure::UnitsWhere { .. }
            | Measure::Bins { .. }
            | Measure::PrefixSums { .. }
            | Measure::Over { .. } => None,
        });
        let Some(Term::Made(made)) = column.filter(|column| *column != of) else { return 0.0 };
        // x − c is the sum of x and −c.
        let constant = |part: &Term| match part {
            Term::Made(made) => match &**made {
                Operation::Constant(constant) => Some(-constant.to_f64()),
                _ => None,
            },
            Term::Column(_) => None,
        };
        match &**made {
            Operation::Plus(parts) => parts.iter().find_map(constant).unwrap_or(0.0),
            _ => 0.0,
        }
    }

    fn products(&mut self, products: &Products) {
        let Products { count, y, x, products, centres, of } = products;
        let all = [&y.0, &y.1, &x.0, &x.1, products];
        if all.iter().all(|one| self.is_known[one.sum]) {
            return;
        }
        let rows = self.first(*count);
        let (y_mean, y_deviation) = self.about_middle(&of.0, &y.0, centres.0.to_f64());
        let (x_mean, x_deviation) = self.about_middle(&of.1, &x.0, centres.1.to_f64());
        self.set(&y.0, rows * y_mean, rows);
        self.set(&y.1, rows * (y_mean * y_mean + y_deviation * y_deviation), rows);
        self.set(&x.0, rows * x_mean, rows);
        self.set(&x.1, rows * (x_mean * x_mean + x_deviation * x_deviation), rows);
        let together = y_mean * x_mean + TYPICAL_CORRELATION * y_deviation * x_deviation;
        self.set(products, rows * together, rows);
    }

    fn quantile(&mut self, quantile: &Quantile) {
        if quantile.levels.iter().all(|level| self.is_known[*level]) {
            return;
        }
        let shape = quantile.levels.first().and_then(|level| self.shape(*level));
        let (supposed, step) = (Supposed::of(shape, &quantile.grid), quantile.grid.step_value());
        for (level, bins) in quantile.levels.iter().zip(&quantile.bins) {
            let leaves = f64::from(quantile.branches).powi(quantile.levels.len() as i32) / f64::from(*bins);
            let width = quantile.width as f64 * leaves;
            let below = |bin: u32| {
                // Values lie on the grid, each in the middle of its step.
                let edge = quantile.low as f64 + f64::from(bin) * width - 0.5;
                if bin == 0 {
                    0.0
                } else if bin == *bins {
                    1.0
                } else {
                    supposed.below(edge * step)
                }
            };
            self.values[*level] = (0..*bins).map(|bin| self.rows * (below(bin + 1) - below(bin))).collect();
        }
    }
}

/// Number of values of a measurement in a group.
fn width(measure: &Measure) -> usize {
    match measure.base() {
        Measure::Bins { count, .. } => *count as usize,
        Measure::Rows
        | Measure::NonNull { .. }
        | Measure::Sum { .. }
        | Measure::Units
        | Measure::UnitsWhere { .. }
        | Measure::PrefixSums { .. }
        | Measure::Over { .. } => 1,
    }
}

/// The values of a measurement in a group of `rows` rows, from their number alone.
fn bare(measure: &Measure, rows: f64) -> Vec<f64> {
    match measure.base() {
        Measure::NonNull { column } if column.is_part() => vec![TYPICAL_PART * rows],
        Measure::UnitsWhere { .. } => vec![TYPICAL_PART * rows],
        Measure::Rows | Measure::NonNull { .. } | Measure::Units => vec![rows],
        Measure::Sum { .. } | Measure::PrefixSums { .. } | Measure::Over { .. } => vec![0.0],
        Measure::Bins { count, .. } => vec![rows / f64::from(*count); *count as usize],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_tell_their_moments_and_what_lies_below() {
        let uniform =
            ValueHistogram { low: 10.0, width: 1.0, below: (1..=10).map(|bin| f64::from(bin) / 10.0).collect() };
        let (mean, deviation) = uniform.moments();
        assert!((mean - 15.0).abs() < 1e-9 && (deviation - 2.872_281_3).abs() < 1e-6, "{mean} {deviation}");
        for (value, below) in [(9.0, 0.0), (10.0, 0.0), (12.5, 0.25), (20.0, 1.0), (31.0, 1.0)] {
            assert!((uniform.below(value) - below).abs() < 1e-9, "{value}");
        }
    }

    /// Whatever the mean is, the assumed one is wrong about the error of a mean by at most a factor of 1.19, and any other place by more.
    #[test]
    fn the_typical_mean_is_least_wrong() {
        let error = |place: f64| (1.0 + place * place).sqrt();
        let worst = |assumed: f64| {
            let all = (0..=100).map(|step| error(f64::from(step) / 100.0) / error(assumed));
            all.map(|ratio: f64| ratio.max(ratio.recip())).fold(0.0, f64::max)
        };
        assert!(worst(TYPICAL_MEAN) < 1.190, "{}", worst(TYPICAL_MEAN));
        assert!(worst(0.5) > 1.25 && worst(0.8) > 1.25);
        assert!(worst(TYPICAL_PART) < 1.22);
    }
}
