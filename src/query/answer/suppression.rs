//! Suppression of small counts: which counts are hidden, and what is hidden with them.
//!
//! Promises that everything derived from a hidden count is hidden with it, wherever it appears: estimates, intervals, errors, conditions
//! and the order of rows. It adds no protection to that of the noise: a total beside a hidden count still includes the rows counted there.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::query::answer::formula::{CellValues, Formula, RunningSum};

/// The counts that decide what is hidden. A group whose own count is small is hidden as a whole; a value computed from a part of a group is
/// hidden if that part's count is small.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Suppression {
    /// Smallest count that is shown; smaller ones are hidden.
    pub below: u32,
    /// Counts of whole groups, by the index that outputs use for them.
    pub counts: Vec<usize>,
    /// Counts of whole groups that are the summands of running sums.
    pub steps: Vec<RunningSum>,
    /// Counts of parts of groups, such as those under a FILTER.
    pub parts: Vec<PartSuppression>,
}

/// The count of a part of a group, with the measurements that are hidden if it is small.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct PartSuppression {
    /// Where the count is read from.
    pub counted: CountSource,
    /// Indices of the measurements over the same part of the group.
    pub of: Vec<usize>,
}

/// Source of a noisy count.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum CountSource {
    /// A count that is measured itself, by the index of its measurement.
    Measured(usize) = 0,
    /// The summand of a running sum at the group.
    Step(Box<RunningSum>) = 1,
    /// The total over all bins of a histogram.
    Bins {
        /// Index of the histogram's measurement.
        vector: usize,
        /// Number of bins for each group.
        bins: u32,
    } = 2,
}

impl CountSource {
    fn value(&self, at: CellValues<'_>) -> f64 {
        let number = match self {
            Self::Measured(count) => at.values.get(*count).copied(),
            Self::Step(step) => Formula::Run(step.clone()).value(at).ok(),
            Self::Bins { vector, bins } => {
                let bins = *bins as usize;
                let cells = at.all.get(*vector).and_then(|all| all.get(at.cell * bins..(at.cell + 1) * bins));
                cells.map(|cells| cells.iter().sum())
            }
        };
        // A count that cannot be read hides nothing.
        number.unwrap_or(f64::INFINITY)
    }
}

impl Suppression {
    /// Whether each measurement is hidden in a group with these noisy values.
    #[must_use]
    pub fn hidden(&self, at: CellValues<'_>) -> Vec<bool> {
        let at = CellValues { hidden: &[], ..at };
        let is_small = |counted: &CountSource| counted.value(at) < f64::from(self.below);
        let counts = self.counts.iter().map(|count| CountSource::Measured(*count));
        let steps = self.steps.iter().map(|step| CountSource::Step(Box::new(step.clone())));
        let is_whole = counts.chain(steps).any(|counted| is_small(&counted));
        let mut hidden = vec![is_whole; at.all.len()];
        if !is_whole {
            let of = self.parts.iter().filter(|part| is_small(&part.counted)).flat_map(|part| &part.of);
            of.for_each(|measurement| hidden[*measurement] = true);
        }
        hidden
    }
}
