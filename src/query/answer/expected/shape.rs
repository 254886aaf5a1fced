//! The values of a column: their mean, how far they are spread, and what part of them lies below a value.
//!
//! Promises that a shape comes from what the asker has paid for or from what the steward has stated, and says which.

use super::draws::normal_below;
use crate::query::terms::domain::Grid;
use crate::query::terms::stated::StatedValues;

/// log of the typical factor between what is known of all rows from answers and what is true of a group.
const GROUPS_DIFFER: f64 = 0.12;
/// log of the typical factor between what is stated of all rows and what is true of a group.
const STATED_DIFFERS: f64 = 0.25;
/// log of the typical factor between a guess from the declared bounds and what is true.
const GUESS_DIFFERS: f64 = 1.0;
/// The z of the upper quartile of the standard normal law.
const QUARTILE: f64 = 0.674_489_750_196_081_7;
const NANO: f64 = 1e-9;
/// The part of a group's rows that a filter leaves.
pub(super) const TYPICAL_PART: f64 = 0.6;

/// What the values of a column are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValuesFrom {
    /// Noisy answers that the asker holds.
    Answers,
    /// The steward's public statement about the column.
    Stated,
    /// Nothing but the declared bounds, so that it is a guess.
    Bounds,
}

impl ValuesFrom {
    /// The word for it in quotes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Stated => "typical",
            Self::Bounds => "bounds",
        }
    }

    /// log of the factor by which the spread of a group's values typically differs from the one expected.
    pub(super) fn differs(self) -> f64 {
        match self {
            Self::Answers => GROUPS_DIFFER,
            Self::Stated => STATED_DIFFERS,
            Self::Bounds => GUESS_DIFFERS,
        }
    }
}

/// The distribution of a column's values, in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueHistogram {
    /// Lower end of the first bin, in the column's own unit.
    pub low: f64,
    /// Width of a bin.
    pub width: f64,
    /// The part of the rows that lie below the upper end of each bin; it ends with 1.
    pub below: Vec<f64>,
}

/// The law through three quartiles: lognormal with a shifted origin, which leans to the side where the quartiles are further apart, and
/// normal if they are equally far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuartileLaw {
    /// The value that half of all values lie below.
    middle: f64,
    /// The distance e^μ of the median from the origin of the lognormal law; the standard deviation if the law is normal.
    scale: f64,
    /// σ of the logarithm; negative if the law leans to lower values, 0 if it is normal.
    skew: f64,
}

/// How the values of a column are distributed.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueDistribution {
    /// Parts of the rows in bins.
    Histogram(ValueHistogram),
    /// A law through stated quartiles.
    Quartiles(QuartileLaw),
}

/// What is known of a column's values, in its own unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnShape {
    /// Mean of the column's values, in the column's own unit.
    pub mean: f64,
    /// The standard deviation; `None` if it is not known.
    pub deviation: Option<f64>,
    /// The distribution; `None` if it is not known.
    pub distribution: Option<ValueDistribution>,
    /// The part of the rows that have a value.
    pub present: f64,
    /// What all of this is known from.
    pub from: ValuesFrom,
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

    /// The middle of the first bin with half of the rows below its upper end.
    fn middle(&self) -> f64 {
        let bin = self.below.iter().position(|below| *below >= 0.5).unwrap_or(self.below.len() / 2);
        self.low + (bin as f64 + 0.5) * self.width
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

impl QuartileLaw {
    /// The law through these quartiles, which are in ascending order and differ.
    #[must_use]
    pub fn through([low, middle, high]: [f64; 3]) -> Self {
        let (left, right) = (middle - low, high - middle);
        let skew = (right / left).ln() / QUARTILE;
        if skew.abs() < 1e-3 {
            return Self { middle, scale: (high - low) / (2.0 * QUARTILE), skew: 0.0 };
        }
        // The wider side is e^(σ·z) − 1 of the scale.
        let (wider, ratio) = if skew > 0.0 { (right, right / left) } else { (left, left / right) };
        Self { middle, scale: wider / (ratio - 1.0), skew }
    }

    fn below(&self, value: f64) -> f64 {
        let away = (value - self.middle) / self.scale;
        if self.skew == 0.0 {
            return normal_below(away);
        }
        let (leaning, sigma) = (self.skew.signum() * away, self.skew.abs());
        let z = if leaning <= -1.0 { f64::NEG_INFINITY } else { leaning.ln_1p() / sigma };
        normal_below(self.skew.signum() * z)
    }

    /// Mean and standard deviation of the law with its values cut to these bounds.
    fn moments(&self, (low, high): (f64, f64)) -> (f64, f64) {
        let value = |z: f64| {
            let away = match self.skew {
                0.0 => z,
                skew => skew.signum() * ((skew * z).exp() - 1.0),
            };
            (self.middle + self.scale * away).clamp(low, high)
        };
        // Each z with its weight, e^(−z²/2).
        let steps = (-60..=60).map(|step| f64::from(step) / 15.0);
        let all: Vec<(f64, f64)> = steps.map(|z| (value(z), (-z * z / 2.0).exp())).collect();
        let weight: f64 = all.iter().map(|(_, weight)| weight).sum();
        let mean = all.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight;
        let variance = all.iter().map(|(value, weight)| (value - mean).powi(2) * weight).sum::<f64>() / weight;
        (mean, variance.sqrt())
    }
}

impl ValueDistribution {
    /// The part of the rows below a value.
    pub(super) fn below(&self, value: f64) -> f64 {
        match self {
            Self::Histogram(histogram) => histogram.below(value),
            Self::Quartiles(law) => law.below(value),
        }
    }

    /// A value with about half of the rows below it.
    pub(super) fn middle(&self) -> f64 {
        match self {
            Self::Histogram(histogram) => histogram.middle(),
            Self::Quartiles(law) => law.middle,
        }
    }
}

impl ColumnShape {
    /// The shape that a statement describes of a column on this grid; `None` if it says nothing of how the values lie.
    #[must_use]
    pub fn stated(values: &StatedValues, grid: &Grid) -> Option<Self> {
        let number = |nanos: i128| nanos as f64 * NANO;
        let half = grid.step_value() / 2.0;
        // Values lie in the middle of their steps, so quartiles are never at the same place.
        let law = values
            .quartiles
            .map(|[low, middle, high]| QuartileLaw::through([number(low) - half, number(middle), number(high) + half]));
        let of_law = law.map(|law| law.moments(grid.bounds()));
        let moments = values.moments.map(|[mean, deviation]| (number(mean), number(deviation)));
        let (mean, deviation) = moments.or(of_law)?;
        Some(Self {
            mean,
            deviation: Some(deviation),
            distribution: law.map(ValueDistribution::Quartiles),
            present: 1.0 - values.missing.map_or(0.0, number),
            from: ValuesFrom::Stated,
        })
    }

    /// Whether the mean lies within the bounds of a grid.
    #[must_use]
    pub fn fits(&self, grid: &Grid) -> bool {
        let (low, high) = grid.bounds();
        (low..=high).contains(&self.mean)
    }

    /// The shape of the values in the rows that a condition leaves, which are taken to be like all rows.
    #[must_use]
    pub fn of_part(self) -> Self {
        Self { present: self.present * TYPICAL_PART, ..self }
    }

    /// The shape of the values plus a constant.
    #[must_use]
    pub fn shifted(self, by: f64) -> Self {
        let distribution = self.distribution.map(|distribution| match distribution {
            ValueDistribution::Histogram(of) => ValueDistribution::Histogram(ValueHistogram { low: of.low + by, ..of }),
            ValueDistribution::Quartiles(of) => {
                ValueDistribution::Quartiles(QuartileLaw { middle: of.middle + by, ..of })
            }
        });
        Self { mean: self.mean + by, distribution, ..self }
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
        assert!((uniform.middle() - 14.5).abs() < 1e-9);
    }

    /// A law has its quartiles where they were stated, whichever way it leans, and a lognormal law is found again.
    #[test]
    fn laws_go_through_their_quartiles() {
        let check = |quartiles: [f64; 3]| {
            let law = QuartileLaw::through(quartiles);
            for (value, below) in quartiles.into_iter().zip([0.25, 0.5, 0.75]) {
                assert!((law.below(value) - below).abs() < 1e-6, "{quartiles:?}: {}", law.below(value));
            }
        };
        check([45.0, 80.0, 140.0]);
        check([60.0, 120.0, 150.0]);
        check([5.3, 5.9, 6.5]);
        let lognormal = [-QUARTILE, 0.0, QUARTILE].map(|z| (4.0 + 0.8 * z).exp());
        let (mean, deviation) = QuartileLaw::through(lognormal).moments((0.0, 1e9));
        let exact = (4.32_f64).exp();
        assert!((mean / exact - 1.0).abs() < 0.01, "{mean} {exact}");
        assert!((deviation / (exact * (0.64_f64.exp() - 1.0).sqrt()) - 1.0).abs() < 0.05, "{deviation}");
    }
}
