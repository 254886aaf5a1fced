//! Running sums over the groups of an ordered key.

use borsh::{BorshDeserialize, BorshSerialize};

use super::absence::AbsenceReason;
use super::cell_values::CellValues;
use super::estimate::IntervalEstimate;
use crate::kernel::privacy::prefix_sums::PrefixSums;
use crate::query::answer::interval;

/// A running sum of counts, or one of its summands.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct RunningSum {
    /// Index of the measurement.
    pub vector: usize,
    /// Number of groups of the key that the sum runs over.
    pub groups: usize,
    /// Number of cells from one of these groups to the next.
    pub stride: usize,
    /// Whether the measurement holds the weighted sums of [`crate::kernel::privacy::prefix_sums`] instead of the counts themselves.
    pub is_rooted: bool,
    /// Whether this is the count of the group alone instead of the sum up to it.
    pub is_step: bool,
}

impl RunningSum {
    /// The estimate with its interval. Its noise is a weighted sum of independent noise, whose law is known.
    pub(super) fn ends(&self, at: CellValues<'_>) -> Result<IntervalEstimate, AbsenceReason> {
        at.shown(self.vector)?;
        let place = at.cell / self.stride.max(1) % self.groups.max(1);
        let (cells, law) = (at.all.get(self.vector).ok_or(AbsenceReason::NoValue)?, at.laws[self.vector]);
        let back = |back: usize| cells[at.cell - back * self.stride];
        if self.is_rooted {
            let roots = PrefixSums::of(self.groups);
            let (weights, squares) = roots.weights(self.is_step);
            let value = weights[..=place].iter().enumerate().map(|(at, weight)| weight * back(at)).sum();
            // The noise is Gaussian, and so is its weighted sum: one term of the same variance describes it.
            let terms = [(squares[place].sqrt(), law)];
            return Ok(ends(value, interval::half_width(&terms), interval::std_error(&terms)));
        }
        let count = if self.is_step { 1 } else { place + 1 };
        let width = interval::half_width_of_equal(law, count);
        let error = law.std_error() * (count as f64).sqrt();
        Ok(ends((0..count).map(back).sum(), width, error))
    }

    /// Largest variance over the groups, in multiples of the measurement's own variance.
    #[must_use]
    pub fn worst_variance(&self) -> f64 {
        match (self.is_rooted, self.is_step) {
            (true, is_step) => PrefixSums::of(self.groups).weights(is_step).1.last().copied().unwrap_or(1.0),
            (false, true) => 1.0,
            (false, false) => self.groups as f64,
        }
    }
}

fn ends(value: f64, width: f64, std_error: f64) -> IntervalEstimate {
    IntervalEstimate { value, low: value - width, high: value + width, std_error }
}
