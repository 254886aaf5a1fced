//! Suppositions: the mean and the spread of a column from what is known of it, and what in a formula depends on them.

use super::shape::{ColumnShape, ValueDistribution, ValuesFrom};
use crate::query::answer::formula::{CentredSum, Formula, Products, Quantile, Squares};
use crate::query::terms::domain::Grid;

/// The distance of a mean from the middle of its range, as a part of half the range: √(√2 − 1).
pub(super) const TYPICAL_MEAN: f64 = 0.643_594_252_905_582_6;
/// The standard deviation of a column, as a part of the distance between its mean and the nearer end of its range.
const TYPICAL_SPREAD: f64 = 0.56;
/// How far means typically are from the one that is guessed, as a part of half the range.
const GUESSED_MEANS_DIFFER: f64 = 0.4;
/// How far the means of groups typically are from that of all rows, in standard deviations of the values.
const MEANS_DIFFER: f64 = 0.2;

/// Mean and standard deviation of a column, and its distribution if that is known.
pub(super) struct Supposed {
    pub(super) mean: f64,
    pub(super) deviation: f64,
    /// The distribution, with the factor and the distance that a draw moves it by.
    distribution: Option<(ValueDistribution, f64, f64)>,
}

/// How far a draw is from what is expected of a column, in units of what is typical.
#[derive(Debug, Clone, Copy)]
pub(super) struct SupposedDeparture {
    /// How much wider or narrower than typical the values are spread.
    pub(super) spread: f64,
    /// How far the mean lies from the typical one.
    pub(super) mean: f64,
}

impl Supposed {
    pub(super) fn of(known: Option<ColumnShape>, grid: &Grid, departure: SupposedDeparture) -> Self {
        let (low, high) = grid.bounds();
        let radius = grid.radius() as f64 * grid.step_value();
        let typical = |mean: f64| TYPICAL_SPREAD * (mean - low).min(high - mean).max(0.02 * (high - low));
        let stretch = |from: ValuesFrom| (from.differs() * departure.spread).exp();
        match known {
            None => {
                // Towards the lower end, unless the centre is that end, as it is for 0 and 1.
                let place = (TYPICAL_MEAN + GUESSED_MEANS_DIFFER * departure.mean).clamp(0.0, 1.0);
                let (centre, away) = (grid.centre() as f64 * grid.step_value(), place * radius);
                let mean = if centre - away < low { (centre + away).min(high) } else { centre - away };
                let deviation = (typical(mean) * stretch(ValuesFrom::Bounds)).min(radius);
                Self { mean, deviation, distribution: None }
            }
            Some(ColumnShape { mean, deviation, distribution, from, .. }) => {
                let deviation = deviation.unwrap_or_else(|| typical(mean.clamp(low, high)));
                let moved = MEANS_DIFFER * departure.mean * deviation;
                let distribution = distribution.map(|distribution| (distribution, stretch(from), moved));
                let deviation = (deviation * stretch(from)).min(radius);
                Self { mean: (mean + moved).clamp(low, high), deviation, distribution }
            }
        }
    }

    /// The part of the rows below a value. Without a known distribution, it is that of a logistic law, which is close to a normal one.
    pub(super) fn below(&self, value: f64) -> f64 {
        match &self.distribution {
            Some((distribution, stretch, moved)) => {
                let middle = distribution.middle();
                distribution.below(middle + (value - moved - middle) / stretch)
            }
            None => (1.0 + (-1.702 * (value - self.mean) / self.deviation.max(f64::MIN_POSITIVE)).exp()).recip(),
        }
    }
}

/// A formula that depends on how the values of a column lie.
pub(super) enum SoughtStatistic<'a> {
    Sum(&'a CentredSum, Option<usize>),
    Spread(&'a Squares),
    Pair(&'a Products),
    Quantile(&'a Quantile),
}

/// Calls `take` with everything in a formula that depends on how the values of a column lie.
pub(super) fn statistics<'a>(formula: &'a Formula, take: &mut dyn FnMut(SoughtStatistic<'a>)) {
    match formula {
        Formula::Sum(one) => take(SoughtStatistic::Sum(one, one.count)),
        Formula::Mean(one, count) => take(SoughtStatistic::Sum(one, Some(*count))),
        Formula::Spread(_, squares) => take(SoughtStatistic::Spread(squares)),
        Formula::Pair(_, products) => take(SoughtStatistic::Pair(products)),
        Formula::Quantile(quantile) => take(SoughtStatistic::Quantile(quantile)),
        other => other.parts().into_iter().for_each(|part| statistics(part, take)),
    }
}

/// The sums behind a covariance.
pub(super) fn all_of(products: &Products) -> [&CentredSum; 5] {
    [&products.y.0, &products.y.1, &products.x.0, &products.x.1, &products.products]
}

#[cfg(test)]
mod tests {
    use super::super::shape::TYPICAL_PART;
    use super::*;

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
