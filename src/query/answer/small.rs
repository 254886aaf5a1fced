//! Small counts: which of them are not shown, and what is made of them.
//!
//! Promises that whatever is made of a hidden count is hidden with it, wherever it stands: estimates, intervals, errors, conditions and
//! the order of rows. It protects nobody more than the noise does: a total beside a hidden count still counts what it counts.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::query::formula::{Formula, Measured, Run};

/// Counts that are too small to be shown. A group whose own count is small is hidden whole, what is made of a part of a group by that
/// part's count.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Small {
    /// The least count that is shown.
    pub below: u32,
    /// Counts of whole groups, by the number that outputs have for them.
    pub counts: Vec<usize>,
    /// Counts of whole groups that are what running sums are made of.
    pub steps: Vec<Run>,
    /// Counts of parts of groups.
    pub parts: Vec<Part>,
}

/// A count of a part of a group.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Part {
    /// What counts.
    pub counted: Counted,
    /// The measurements that are of what it counts.
    pub of: Vec<usize>,
}

/// What a noisy count is read from.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Counted {
    /// A measurement.
    Measured(usize) = 0,
    /// The step of a running sum.
    Step(Box<Run>) = 1,
    /// All bins of a histogram together.
    Bins {
        /// The measurement.
        vector: usize,
        /// Bins of a group.
        bins: u32,
    } = 2,
}

impl Counted {
    fn value(&self, at: Measured<'_>) -> f64 {
        let number = match self {
            Self::Measured(count) => at.values.get(*count).copied(),
            Self::Step(step) => Formula::Run(step.clone()).value(at).ok(),
            Self::Bins { vector, bins } => {
                let bins = *bins as usize;
                let cells = at.all.get(*vector).and_then(|all| all.get(at.cell * bins..(at.cell + 1) * bins));
                cells.map(|cells| cells.iter().sum())
            }
        };
        // What cannot be counted is no reason to hide anything.
        number.unwrap_or(f64::INFINITY)
    }
}

impl Small {
    /// Which measurements nothing is shown of in a group with these noisy values.
    #[must_use]
    pub fn hidden(&self, at: Measured<'_>) -> Vec<bool> {
        let at = Measured { hidden: &[], ..at };
        let is_small = |counted: &Counted| counted.value(at) < f64::from(self.below);
        let counts = self.counts.iter().map(|count| Counted::Measured(*count));
        let steps = self.steps.iter().map(|step| Counted::Step(Box::new(step.clone())));
        let is_whole = counts.chain(steps).any(|counted| is_small(&counted));
        let mut hidden = vec![is_whole; at.all.len()];
        if !is_whole {
            let of = self.parts.iter().filter(|part| is_small(&part.counted)).flat_map(|part| &part.of);
            of.for_each(|measurement| hidden[*measurement] = true);
        }
        hidden
    }
}
