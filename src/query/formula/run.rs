//! Running sums over the groups of an ordered key.

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Absent, Ends, Formula, Measured, Shown};
use crate::privacy::roots::Roots;
use crate::query::interval;
use crate::query::syntax::Operator;

/// A running sum of counts, or one of the counts that it is a sum of.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
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
    pub(super) fn ends(&self, at: Measured<'_>) -> Result<Ends, Absent> {
        at.shown(self.vector)?;
        let place = at.cell / self.stride.max(1) % self.groups.max(1);
        let (cells, law) = (at.all.get(self.vector).ok_or(Absent::NoValue)?, at.laws[self.vector]);
        let back = |back: usize| cells[at.cell - back * self.stride];
        if self.is_rooted {
            let roots = Roots::of(self.groups);
            let (weights, squares) = roots.weights(self.is_step);
            let value = weights[..=place].iter().enumerate().map(|(at, weight)| weight * back(at)).sum();
            // One term of the same variance: the noise is Gaussian, and so is any sum of it.
            let terms = [(squares[place].sqrt(), law)];
            return Ok(ends(value, interval::half_width(&terms), interval::std_error(&terms)));
        }
        let count = if self.is_step { 1 } else { place + 1 };
        let width = interval::half_width_of_equal(law, count);
        let error = law.std_error() * (count as f64).sqrt();
        Ok(ends((0..count).map(back).sum(), width, error))
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

impl Formula {
    /// The running sums in it, as often as they stand there.
    #[must_use]
    pub fn runs(&self) -> Vec<&Run> {
        match self {
            Self::Run(run) => vec![run],
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.runs(),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => [left.runs(), right.runs()].concat(),
            Self::Number(_)
            | Self::Count(_)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Quantile(_) => Vec::new(),
        }
    }

    /// Lets counts be what a running sum is made of, where `step_of` knows one: where numbers alone move and stretch them, which keeps their
    /// intervals; and, for what is no more than compared, everywhere.
    pub fn step(&mut self, step_of: &impl Fn(usize) -> Option<Run>, everywhere: bool) {
        match self {
            Self::Count(count) => {
                if let Some(step) = step_of(*count) {
                    *self = Self::Run(Box::new(step));
                }
            }
            Self::Negative(of) | Self::Round(of, _) => of.step(step_of, everywhere),
            Self::Arithmetic(left, operator, right) => {
                let is_moved = right.is_number() || (left.is_number() && *operator != Operator::Over);
                if everywhere || is_moved {
                    left.step(step_of, everywhere);
                    right.step(step_of, everywhere);
                }
            }
            Self::Absolute(of) | Self::Root(of) if everywhere => of.step(step_of, everywhere),
            Self::NullIf(left, right) if everywhere => {
                left.step(step_of, everywhere);
                right.step(step_of, everywhere);
            }
            Self::Number(_)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::NullIf(..)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Quantile(_)
            | Self::Run(_) => {}
        }
    }
}

impl Shown {
    /// The running sums in it, as often as they stand there.
    #[must_use]
    pub fn runs(&self) -> Vec<&Run> {
        match self {
            Self::Compare(left, _, right) => [left.runs(), right.runs()].concat(),
            Self::Missing(of) => of.runs(),
            Self::Not(inner) => inner.runs(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::runs).collect(),
        }
    }

    /// Lets counts be what running sums are made of, where `step_of` knows one.
    pub fn step(&mut self, step_of: &impl Fn(usize) -> Option<Run>) {
        match self {
            Self::Compare(left, _, right) => [left, right].into_iter().for_each(|side| side.step(step_of, true)),
            Self::Missing(of) => of.step(step_of, true),
            Self::Not(inner) => inner.step(step_of),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.step(step_of)),
        }
    }
}
