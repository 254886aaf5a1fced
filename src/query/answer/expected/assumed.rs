//! Assumed values: what the measurements of a group would be, if it had so many rows.
//!
//! Where the asker knows noisy values of a measurement, they are taken as they are. Where they know the values of a column in other groups,
//! a group is taken to be like them. Else a column is as the steward has stated. Where nothing is known, the error is made least wrong
//! whatever the truth is:
//!
//! * **Means.** The error of S/N with noise of a standard errors on S and b on N is √(a² + θ²b²)/n, where |θ| ≤ R is unknown. θ =
//!   [`TYPICAL_MEAN`](super::supposed::TYPICAL_MEAN)·R puts it in the middle: it is wrong by at most a factor of 2^(1/4) = 1.19 where a = Rb.
//! * **Shares.** A part has [`TYPICAL_PART`] of its group's rows: √(1 + p²) is wrong by at most 1.22 for any p.
//! * **Spreads, slopes, correlations and percentiles** err by as much as the values are spread, which nobody knows beforehand. A column is
//!   taken to fill a tenth of its declared range, near its lower end, as costs and laboratory values do. This can be far off; a quote says
//!   that it is assumed.
//!
//! A draw ([`super::draws`]) differs from what is expected by the noise of the answer, by the noise of the answers that values are known
//! from, and by how much groups differ from each other and from what was stated or guessed ([`ValuesFrom::differs`]).

use super::draws::{Draw, Purpose};
use super::shape::{ColumnShape, TYPICAL_PART, ValuesFrom};
use super::supposed::{SoughtStatistic, Supposed, SupposedDeparture, all_of, statistics};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::query::answer::formula::{CentredSum, Formula, Products, Quantile, Squares};
use crate::query::computation::Measure;
use crate::query::term::{Operation, Term};

/// How far the log-odds of the part that a filter leaves typically are from those of [`TYPICAL_PART`].
const PARTS_DIFFER: f64 = 2.0;
/// The correlation of two columns.
const TYPICAL_CORRELATION: f64 = 0.3;

/// What is known of one measurement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownMeasure {
    /// Its noisy values in the cells of the question, a histogram's bin by bin; `None` if they are not known.
    pub cells: Option<KnownValues>,
    /// Its average over a row of other groups, for a sum over a row that has a value; `None` if it is not known.
    pub per_row: Option<KnownValues>,
}

/// Noisy values that the asker holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownValues {
    /// The values, in steps of the measurement.
    pub values: Vec<f64>,
    /// The largest standard error of a value.
    pub std_error: f64,
}

/// What an output refers to by an index: a measurement, with the law that its values have in the grouping that is expected.
pub(super) struct ReferredMeasure {
    pub(super) measure: usize,
    pub(super) law: NoiseLaw,
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

/// What the expected value of a measurement follows from, with the standard error of what is known.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Knowledge {
    /// Its own noisy values.
    Own(f64),
    /// Its average over a row of other groups.
    Alike(f64),
    /// Bounds, and what is known of the column.
    Nothing,
}

/// The values of one cell, by the index that outputs refer to.
pub(super) struct AssumedValues<'a> {
    all: &'a [&'a Measure],
    groups: &'a AssumedGroups<'a>,
    measured: &'a [ReferredMeasure],
    cell: usize,
    /// Number of rows in the group.
    rows: f64,
    draw: Draw<'a>,
    /// The values: one for most measurements, one for each bin of a histogram.
    pub(super) values: Vec<Vec<f64>>,
    /// What each value follows from.
    known: Vec<Knowledge>,
}

impl<'a> AssumedValues<'a> {
    /// The values of a cell, as far as they follow from what is known and from the number of rows.
    pub(super) fn new(
        all: &'a [&'a Measure],
        groups: &'a AssumedGroups<'a>,
        measured: &'a [ReferredMeasure],
        (cell, rows): (usize, f64),
        draw: Draw<'a>,
    ) -> Self {
        let one = |at: &ReferredMeasure| {
            let (known, measure) = (groups.known.get(at.measure), all[at.measure]);
            let width = width(measure);
            let own = known.and_then(|known| known.cells.as_ref());
            let cells = own.and_then(|own| Some((own.values.get(cell * width..(cell + 1) * width)?, own.std_error)));
            if let Some((values, error)) = cells {
                return (values.to_vec(), Knowledge::Own(error));
            }
            if let Some(alike) = known.and_then(|known| known.per_row.as_ref()) {
                return (
                    alike.values.iter().map(|each| each * rows).collect(),
                    Knowledge::Alike(alike.std_error * rows),
                );
            }
            let part = part(draw.normal(Purpose::Mean, cell, at.measure));
            (bare(measure, rows, part, groups.shape), Knowledge::Nothing)
        };
        let (values, known) = measured.iter().map(one).unzip();
        Self { all, groups, measured, cell, rows, draw, values, known }
    }

    /// Supposes values for what a formula is computed from, where they are not known.
    pub(super) fn suppose(&mut self, formula: &Formula) {
        statistics(formula, &mut |of| match of {
            SoughtStatistic::Sum(one, count) => self.sum(one, count),
            SoughtStatistic::Spread(squares) => self.squares(squares),
            SoughtStatistic::Pair(products) => self.products(products),
            SoughtStatistic::Quantile(quantile) => self.quantile(quantile),
        });
    }

    /// Adds the draw's noise to the values.
    pub(super) fn add_noise(&mut self) {
        if self.draw.is_expected() {
            return;
        }
        for (index, values) in self.values.iter_mut().enumerate() {
            let (known, law) = (self.known[index], &self.measured[index].law);
            for (bin, value) in values.iter_mut().enumerate() {
                let place = (index << 20) | bin;
                let earlier = self.draw.normal(Purpose::Earlier, self.cell, place);
                *value += match known {
                    // Two points of one noise path differ by noise of the difference of their variances.
                    Knowledge::Own(error) => earlier * (error.powi(2) - law.std_error().powi(2)).abs().sqrt(),
                    Knowledge::Alike(error) => earlier * error + self.draw.noise(law, self.cell, place),
                    Knowledge::Nothing => self.draw.noise(law, self.cell, place),
                };
            }
        }
    }

    /// What a formula's error rests on, as far as it depends on how values are spread; `None` if it does not.
    pub(super) fn values_from(&self, formula: &Formula) -> Option<ValuesFrom> {
        let shape = |of: &Term| {
            let shape = (self.groups.shape)(of).filter(|shape| shape.deviation.is_some());
            shape.map_or(ValuesFrom::Bounds, |shape| shape.from)
        };
        let knows = |sums: &[&CentredSum]| sums.iter().all(|one| self.known[one.sum] != Knowledge::Nothing);
        let mut found: Option<ValuesFrom> = None;
        statistics(formula, &mut |of| {
            let one = match of {
                SoughtStatistic::Sum(..) => return,
                SoughtStatistic::Spread(squares) if knows(&[&squares.sum, &squares.squares]) => ValuesFrom::Answers,
                SoughtStatistic::Spread(squares) => shape(&squares.of),
                SoughtStatistic::Pair(products) if knows(&all_of(products)) => ValuesFrom::Answers,
                SoughtStatistic::Pair(products) => shape(&products.of.0).max(shape(&products.of.1)),
                SoughtStatistic::Quantile(quantile) if self.knows_own(&quantile.levels) => ValuesFrom::Answers,
                SoughtStatistic::Quantile(quantile) => {
                    quantile.levels.first().and_then(|level| self.column(*level)).map_or(ValuesFrom::Bounds, shape)
                }
            };
            found = Some(found.map_or(one, |found| found.max(one)));
        });
        found
    }

    /// Whether the values of all of these are known in this very group.
    fn knows_own(&self, indices: &[usize]) -> bool {
        indices.iter().all(|index| matches!(self.known[*index], Knowledge::Own(_)))
    }

    /// Whether averages of all of these are known from other groups.
    fn knows_alike(&self, sums: &[&CentredSum]) -> bool {
        sums.iter().all(|one| matches!(self.known[one.sum], Knowledge::Alike(_)))
    }

    fn first(&self, index: usize) -> f64 {
        self.values.get(index).and_then(|one| one.first()).copied().unwrap_or(self.rows)
    }

    /// The number that a measurement is of.
    fn column(&self, index: usize) -> Option<&'a Term> {
        match self.all.get(self.measured.get(index)?.measure)?.base() {
            Measure::Sum { column } | Measure::Bins { column, .. } => Some(column),
            Measure::Rows
            | Measure::NonNull { .. }
            | Measure::Units
            | Measure::UnitsWhere { .. }
            | Measure::PrefixSums { .. }
            | Measure::Over { .. } => None,
        }
    }

    /// How far this draw is from what is expected of the column that a measurement is of.
    fn departure(&self, index: usize) -> SupposedDeparture {
        let one = |purpose: Purpose| self.draw.normal(purpose, self.cell, index);
        SupposedDeparture { spread: one(Purpose::Spread), mean: one(Purpose::Mean) }
    }

    fn sum(&mut self, one: &CentredSum, count: Option<usize>) {
        let rows = count.map_or(self.rows, |count| self.first(count));
        self.values[one.sum] = match self.known[one.sum] {
            Knowledge::Own(_) => return,
            Knowledge::Alike(_) => vec![self.per_row(one) * rows],
            Knowledge::Nothing => {
                let shape = self.column(one.sum).and_then(self.groups.shape);
                let supposed = Supposed::of(shape, &one.grid, self.departure(one.sum));
                vec![rows * (supposed.mean / one.grid.step_value() - one.grid.centre() as f64)]
            }
        };
    }

    /// The average of a sum over a row of other groups, in steps about the centre of its grid; 0 if it is not known.
    fn per_row(&self, one: &CentredSum) -> f64 {
        let known = self.groups.known.get(self.measured[one.sum].measure).and_then(|known| known.per_row.as_ref());
        known.and_then(|known| known.values.first()).copied().unwrap_or(0.0)
    }

    /// The average over a row of other groups, in the number's own unit.
    fn average(&self, one: &CentredSum) -> f64 {
        let centre = one.count.map_or(0.0, |_| one.grid.centre() as f64);
        (self.per_row(one) + centre) * one.grid.step_value()
    }

    /// Sets a sum to `total` in the column's own unit, over `rows` rows.
    fn set(&mut self, one: &CentredSum, total: f64, rows: f64) {
        let about = one.count.map_or(0.0, |_| one.grid.centre() as f64 * rows);
        self.values[one.sum] = vec![total / one.grid.step_value() - about];
    }

    /// Sets the sums of a number and of its square, from its mean and standard deviation.
    fn set_moments(&mut self, (sum, squares): (&CentredSum, &CentredSum), of: &Supposed, rows: f64) {
        self.set(sum, rows * of.mean, rows);
        self.set(squares, rows * (of.mean * of.mean + of.deviation * of.deviation), rows);
    }

    /// Mean and standard deviation of a number about the middle of its range, whose sum and sum of squares these are. Averages of other
    /// groups are taken only if all that the statistic needs are known.
    fn about_middle(&self, (sum, squares): (&CentredSum, &CentredSum), of: (&Term, f64), is_alike: bool) -> Supposed {
        let departure = self.departure(sum.sum);
        let mean = self.average(sum);
        let variance = self.average(squares) - mean * mean;
        let averages = ColumnShape {
            mean,
            deviation: Some(variance.sqrt()),
            distribution: None,
            present: 1.0,
            from: ValuesFrom::Answers,
        };
        let averages = Some(averages).filter(|_| is_alike && variance > 0.0);
        let shape = averages.or_else(|| Some((self.groups.shape)(of.0)?.shifted(-of.1)));
        Supposed::of(shape, &sum.grid, departure)
    }

    fn squares(&mut self, squares: &Squares) {
        let Squares { count, sum, squares, of } = squares;
        if self.knows_own(&[sum.sum, squares.sum]) {
            return;
        }
        let is_alike = self.knows_alike(&[sum, squares]);
        let supposed = self.about_middle((sum, squares), (of, self.middle(of, sum)), is_alike);
        self.set_moments((sum, squares), &supposed, self.first(*count));
    }

    /// The middle of a number's range, by which its sum is shifted: 0 if the number itself is summed.
    fn middle(&self, of: &Term, sum: &CentredSum) -> f64 {
        let Some(Term::Made(made)) = self.column(sum.sum).filter(|column| *column != of) else { return 0.0 };
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

    fn products(&mut self, all: &Products) {
        let Products { count, y, x, products, centres, of } = all;
        if self.knows_own(&all_of(all).map(|one| one.sum)) {
            return;
        }
        let (rows, is_alike) = (self.first(*count), self.knows_alike(&all_of(all)));
        let of_y = self.about_middle((&y.0, &y.1), (&of.0, centres.0.to_f64()), is_alike);
        let of_x = self.about_middle((&x.0, &x.1), (&of.1, centres.1.to_f64()), is_alike);
        let deviations = |(one, squares): &(CentredSum, CentredSum)| {
            let mean = self.average(one);
            (self.average(squares) - mean * mean).max(0.0).sqrt()
        };
        let known =
            (self.average(products) - self.average(&y.0) * self.average(&x.0)) / (deviations(y) * deviations(x));
        let correlation = Some(known).filter(|known| is_alike && known.is_finite()).unwrap_or(TYPICAL_CORRELATION);
        let together = of_y.mean * of_x.mean + correlation.clamp(-1.0, 1.0) * of_y.deviation * of_x.deviation;
        self.set_moments((&y.0, &y.1), &of_y, rows);
        self.set_moments((&x.0, &x.1), &of_x, rows);
        self.set(products, rows * together, rows);
    }

    fn quantile(&mut self, quantile: &Quantile) {
        if self.knows_own(&quantile.levels) {
            return;
        }
        let Some(first) = quantile.levels.first().copied() else { return };
        let shape = self.column(first).and_then(self.groups.shape);
        let rows = self.rows * shape.as_ref().map_or(1.0, |shape| shape.present);
        let supposed = Supposed::of(shape, &quantile.grid, self.departure(first));
        let step = quantile.grid.step_value();
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
            let edges: Vec<f64> = (0..=*bins).map(below).collect();
            self.values[*level] = edges.windows(2).map(|edge| rows * (edge[1] - edge[0])).collect();
        }
    }
}

/// Number of values of a measurement in a group.
pub(super) fn width(measure: &Measure) -> usize {
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

/// The part of a group's rows that a filter leaves, which departs from what is typical in its log-odds.
fn part(departure: f64) -> f64 {
    let odds = TYPICAL_PART / (1.0 - TYPICAL_PART) * (PARTS_DIFFER * departure).exp();
    odds / (1.0 + odds)
}

/// The values of a measurement in a group of `rows` rows, from their number and from how many of them have a value. A filter leaves this
/// part of them.
fn bare(measure: &Measure, rows: f64, part: f64, shape: &dyn Fn(&Term) -> Option<ColumnShape>) -> Vec<f64> {
    match measure.base() {
        Measure::NonNull { column } if column.is_part() => vec![part * rows],
        Measure::NonNull { column } => vec![rows * shape(column).map_or(1.0, |shape| shape.present)],
        Measure::UnitsWhere { .. } => vec![part * rows],
        Measure::Rows | Measure::Units => vec![rows],
        Measure::Sum { .. } | Measure::PrefixSums { .. } | Measure::Over { .. } => vec![0.0],
        Measure::Bins { count, .. } => vec![rows / f64::from(*count); *count as usize],
    }
}
