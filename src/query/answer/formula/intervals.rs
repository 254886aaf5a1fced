//! The interval of a formula, by the method that fits its form.

use super::absence::both;
use super::condition::chosen;
use super::estimate::{IntervalEstimate, round};
use super::{AbsenceReason, CellValues, Dual, Formula, Quantile, Spread, scalar};
use crate::kernel::privacy::certificate::NORMAL_975;
use crate::query::answer::quantile::{HistogramTree, Levels};
use crate::query::syntax::ArithmeticOperator;

impl Formula {
    /// The estimate with its 95 % interval.
    ///
    /// # Errors
    /// Why there is no estimate.
    pub fn ends(&self, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
        let ends = match self {
            Self::Root(of) => {
                // The square roots of the ends hold the truth as often as the ends do.
                let inner = of.ends(at)?;
                self.around(at, inner.low.max(0.0).sqrt(), inner.high.max(0.0).sqrt())
            }
            Self::Spread(spread @ (Spread::StddevSamp | Spread::StddevPop), squares) => {
                let of = if *spread == Spread::StddevSamp { Spread::VarSamp } else { Spread::VarPop };
                Self::Root(Box::new(Self::Spread(of, squares.clone()))).ends(at)
            }
            Self::Pair(pair, products) => match products.quotient(*pair, at) {
                Some((above, below)) => {
                    let (above, below) = both(above, below)?;
                    ratio(&above, &below, at)
                }
                None => self.delta(at),
            },
            Self::Quantile(quantile) => quantile.ends(at),
            Self::Arithmetic(left, operator, right) if let Some((one, other)) = quantiles(left, right) => {
                apart(one, *operator, other, at)
            }
            Self::Run(run) => run.ends(at),
            Self::Round(of, decimals) => {
                let inner = of.ends(at)?;
                let power = 10_f64.powi(decimals.cast_signed());
                let (low, high) = ((inner.low * power).floor() / power, (inner.high * power).ceil() / power);
                Ok(IntervalEstimate { value: round(inner.value, *decimals), low, high, ..inner })
            }
            Self::Negative(of) => {
                let inner = of.ends(at)?;
                Ok(IntervalEstimate { value: -inner.value, low: -inner.high, high: -inner.low, ..inner })
            }
            Self::NullIf(of, _) => self.dual(at).and_then(|_| of.ends(at)),
            Self::Mean(one, count) => mean(one, *count, at),
            Self::Arithmetic(left, ArithmeticOperator::Over, right)
                if left.is_linear() && right.is_linear() && !right.is_number() =>
            {
                quotient(left, right, at)
            }
            Self::Arithmetic(left, operator, right) if left.is_number() != right.is_number() => {
                scaled(left, *operator, right, at).or_else(|_| self.delta(at))
            }
            Self::Call(function, parts) => match scalar::ends(*function, parts, at) {
                Ok(Some(ends)) => Ok(ends),
                Ok(None) => self.delta(at),
                Err(reason) => Err(reason),
            },
            Self::Case(arms, otherwise) => chosen(arms, otherwise, at)?.ends(at),
            Self::Window(window) => match at.window(window)?.ends(window, at)? {
                Some(ends) => Ok(ends),
                None => self.delta(at),
            },
            Self::Number(_)
            | Self::Count(_)
            | Self::Sum(_)
            | Self::Spread(..)
            | Self::Arithmetic(..)
            | Self::Key(_)
            | Self::Grouping(_)
            | Self::Missing
            | Self::Absolute(_) => self.delta(at),
        };
        // An end without a bound is infinite.
        let is_known = |ends: &IntervalEstimate| ends.value.is_finite() && !ends.low.is_nan() && !ends.high.is_nan();
        ends.and_then(|ends| if is_known(&ends) { Ok(ends) } else { Err(AbsenceReason::NoValue) })
    }

    fn around(&self, at: CellValues<'_>, low: f64, high: f64) -> Result<IntervalEstimate, AbsenceReason> {
        let dual = self.dual(at)?;
        Ok(IntervalEstimate { value: dual.value, low, high, std_error: dual.std_error(at) })
    }

    /// value ± the half-width of its first-order noise; exact for linear formulas.
    fn delta(&self, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
        let dual = self.dual(at)?;
        let width = dual.half_width(at);
        Ok(IntervalEstimate {
            value: dual.value,
            low: dual.value - width,
            high: dual.value + width,
            std_error: dual.std_error(at),
        })
    }
}

/// A mean: the sum of distances from the grid's centre over the count, and the centre.
fn mean(one: &super::CentredSum, count: usize, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
    let sum = Formula::Sum(super::CentredSum { count: None, ..*one });
    let about = one.grid.centre() as f64 * one.grid.step_value();
    let inner = quotient(&sum, &Formula::Count(count), at)?;
    Ok(IntervalEstimate { value: inner.value + about, low: inner.low + about, high: inner.high + about, ..inner })
}

impl Quantile {
    /// The quantile of one group's tree, with its interval.
    pub(super) fn ends(&self, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
        self.ends_within(NORMAL_975, at)
    }

    /// The quantile with an interval whose ends are so many standard errors of their ranks away.
    fn ends_within(&self, z: f64, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
        self.levels.iter().try_for_each(|level| at.shown(*level))?;
        let depth = u32::try_from(self.levels.len()).map_err(|_| AbsenceReason::NoValue)?;
        let tree = HistogramTree { branches: self.branches, depth, width: self.width };
        let counts = self.levels.iter().zip(&self.bins).map(|(level, bins)| {
            let bins = *bins as usize;
            let cells = at.cell * bins..(at.cell + 1) * bins;
            at.all[*level][cells].to_vec()
        });
        let laws = self.levels.iter().map(|level| at.laws[*level]).collect();
        let distribution = Levels { counts: counts.collect(), laws, tree: &tree }.distribution();
        let fraction: f64 = self.fraction.parse().map_err(|_| AbsenceReason::NoValue)?;
        let found = distribution.quantile(fraction, z).ok_or(AbsenceReason::LostInNoise)?;
        // A leaf holds whole steps, from its first to its last.
        let place = |leaf: f64| (self.low as f64 + leaf * self.width as f64).min(self.grid.high as f64);
        let unit = self.grid.step_value();
        let (low, high) = (place(found.low) * unit, (place(found.high) - 1.0).max(place(found.low)) * unit);
        let value = (place(found.at) - 0.5).clamp(low / unit, high / unit) * unit;
        let high = if place(found.high) >= self.grid.high as f64 { self.grid.high as f64 * unit } else { high };
        Ok(IntervalEstimate { value, low, high, std_error: (high - low) / (2.0 * NORMAL_975) })
    }
}

/// The quantile of the normal distribution for 98.75 %: an interval that many standard errors to each side fails in 2.5 % of cases.
const NORMAL_9875: f64 = 2.241_402_727_604_947;

/// Two quantiles; `None` if one of both is anything else.
fn quantiles<'a>(left: &'a Formula, right: &'a Formula) -> Option<(&'a Quantile, &'a Quantile)> {
    match (left, right) {
        (Formula::Quantile(one), Formula::Quantile(other)) => Some((one, other)),
        _ => None,
    }
}

/// The sum or the difference of two quantiles. Each has an interval that fails in 2.5 % of cases, so that both hold in at least 95 %,
/// however their noise is related (C. E. Bonferroni, 1936); and where both hold, the sum of the ends holds the sum.
fn apart(
    one: &Quantile,
    operator: ArithmeticOperator,
    other: &Quantile,
    at: CellValues<'_>,
) -> Result<IntervalEstimate, AbsenceReason> {
    let one = one.ends_within(NORMAL_9875, at)?;
    let other = other.ends_within(NORMAL_9875, at)?;
    let (value, low, high) = match operator {
        ArithmeticOperator::Minus => (one.value - other.value, one.low - other.high, one.high - other.low),
        ArithmeticOperator::Plus => (one.value + other.value, one.low + other.low, one.high + other.high),
        // Planning leaves no other.
        ArithmeticOperator::Times | ArithmeticOperator::Over => return Err(AbsenceReason::NoValue),
    };
    Ok(IntervalEstimate { value, low, high, std_error: (high - low) / (2.0 * NORMAL_975) })
}

/// The interval of a formula that is shifted or scaled by a constant; the ends move with the estimate.
fn scaled(
    left: &Formula,
    operator: ArithmeticOperator,
    right: &Formula,
    at: CellValues<'_>,
) -> Result<IntervalEstimate, AbsenceReason> {
    let (number, of) = if left.is_number() { (left.value(at)?, right) } else { (right.value(at)?, left) };
    let stretched = |inner: IntervalEstimate, by: f64| {
        let (a, b) = (inner.low * by, inner.high * by);
        IntervalEstimate {
            value: inner.value * by,
            low: a.min(b),
            high: a.max(b),
            std_error: inner.std_error * by.abs(),
        }
    };
    let moved = |inner: IntervalEstimate, by: f64| IntervalEstimate {
        value: inner.value + by,
        low: inner.low + by,
        high: inner.high + by,
        ..inner
    };
    match (operator, left.is_number()) {
        (ArithmeticOperator::Plus, _) => Ok(moved(of.ends(at)?, number)),
        (ArithmeticOperator::Minus, false) => Ok(moved(of.ends(at)?, -number)),
        (ArithmeticOperator::Minus, true) => Ok(moved(stretched(of.ends(at)?, -1.0), number)),
        (ArithmeticOperator::Times, _) => Ok(stretched(of.ends(at)?, number)),
        (ArithmeticOperator::Over, false) if number != 0.0 => Ok(stretched(of.ends(at)?, number.recip())),
        (ArithmeticOperator::Over, _) => Err(AbsenceReason::NoValue),
    }
}

fn quotient(above: &Formula, below: &Formula, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
    let (above, below) = both(above.dual(at), below.dual(at))?;
    ratio(&above, &below, at)
}

/// Fieller's interval of A/B with variances a, b and covariance c: the roots θ of (A − θB)² = z²(a − 2θc + θ²b), provided that B is further
/// than z√b from 0. z is 1.96 for normal noise; for other laws it is the corresponding quantile of their sum.
fn ratio(above: &Dual, below: &Dual, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
    let value = above.over(below, at)?;
    let std_error = value.std_error(at);
    let z = if std_error > 0.0 { value.half_width(at) / std_error } else { NORMAL_975 };
    let (a, b, c) = (above.covariance(above, at), below.covariance(below, at), above.covariance(below, at));
    let (square, middle) = (below.value * below.value - z * z * b, above.value * below.value - z * z * c);
    if square <= 0.0 {
        return Err(AbsenceReason::LostInNoise);
    }
    let rest = above.value * above.value - z * z * a;
    let reach = (middle * middle - square * rest).max(0.0).sqrt();
    Ok(IntervalEstimate {
        value: value.value,
        low: (middle - reach) / square,
        high: (middle + reach) / square,
        std_error,
    })
}
