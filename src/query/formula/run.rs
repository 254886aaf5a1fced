//! Running sums over the groups of an ordered key.

use serde::{Deserialize, Serialize};

use super::{Ends, Measured};
use crate::privacy::roots::Roots;
use crate::query::interval;

/// A running sum of counts, or one of the counts that it is a sum of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The measurement.
    pub vector: usize,
    /// Groups of the key that it runs over.
    pub groups: usize,
    /// Cells from one of them to the next.
    pub stride: usize,
    /// Whether the measurement is that of [`crate::privacy::roots`]; the counts themselves where not.
    pub is_rooted: bool,
    /// Whether it is the count of the group alone.
    pub is_step: bool,
}

impl Run {
    /// The estimate with its interval: a weighted sum of independent noise, whose law is known.
    pub(super) fn ends(&self, at: Measured<'_>) -> Option<Ends> {
        let place = at.cell / self.stride.max(1) % self.groups.max(1);
        let (cells, law) = (at.all.get(self.vector)?, at.laws[self.vector]);
        let back = |back: usize| cells[at.cell - back * self.stride];
        if self.is_rooted {
            let roots = Roots::of(self.groups);
            let (weights, squares) = roots.weights(self.is_step);
            let value = weights[..=place].iter().enumerate().map(|(at, weight)| weight * back(at)).sum();
            // One term of the same variance: the noise is Gaussian, and so is any sum of it.
            let terms = [(squares[place].sqrt(), law)];
            return Some(ends(value, interval::half_width(&terms), interval::std_error(&terms)));
        }
        let count = if self.is_step { 1 } else { place + 1 };
        let width = interval::half_width_of_equal(law, count);
        let error = law.std_error() * (count as f64).sqrt();
        Some(ends((0..count).map(back).sum(), width, error))
    }

    /// The square of the largest of its standard errors, where the measurement has one of 1.
    #[must_use]
    pub fn worst_variance(&self) -> f64 {
        match (self.is_rooted, self.is_step) {
            (true, is_step) => Roots::of(self.groups).weights(is_step).1.last().copied().unwrap_or(1.0),
            (false, true) => 1.0,
            (false, false) => self.groups as f64,
        }
    }
}

fn ends(value: f64, width: f64, std_error: f64) -> Ends {
    Ends { value, low: value - width, high: value + width, std_error }
}
