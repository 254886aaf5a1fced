//! Running sums over the groups of an ordered key.

use serde::{Deserialize, Serialize};

use super::{Ends, Measured};
use crate::privacy::mechanism::NoiseLaw;
use crate::privacy::roots::Roots;
use crate::query::answer::steps;
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
    /// The weights of the group's own measurement and of those before it, from its own back.
    fn weights(&self, place: usize) -> Vec<f64> {
        let roots = self.is_rooted.then(|| Roots::of(self.groups));
        match (&roots, self.is_step) {
            (Some(roots), true) => roots.steps()[..=place].to_vec(),
            (Some(roots), false) => roots.sums()[..=place].to_vec(),
            (None, true) => vec![1.0],
            (None, false) => vec![1.0; place + 1],
        }
    }

    /// The estimate with its interval: a weighted sum of independent noise, whose law is known.
    pub(super) fn ends(&self, at: Measured<'_>) -> Option<Ends> {
        let place = at.cell / self.stride.max(1) % self.groups.max(1);
        let (weights, noisy) = (self.weights(place), at.vectors.get(self.vector)?);
        let value =
            weights.iter().enumerate().map(|(back, weight)| weight * steps(noisy, at.cell - back * self.stride));
        let (value, law) = (value.sum::<f64>(), at.laws[self.vector]);
        let terms: Vec<(f64, NoiseLaw)> = weights.into_iter().map(|weight| (weight, law)).collect();
        let width = interval::half_width(&terms);
        Some(Ends { value, low: value - width, high: value + width, std_error: interval::std_error(&terms) })
    }

    /// The square of the largest of its standard errors, where the measurement has one of 1.
    #[must_use]
    pub fn worst_variance(&self) -> f64 {
        self.weights(self.groups.saturating_sub(1)).iter().map(|weight| weight * weight).sum()
    }
}
