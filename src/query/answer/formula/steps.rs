//! The running sums within formulas and conditions, and their summands.

use super::{Formula, HavingCondition, RunningSum};
use crate::query::syntax::ArithmeticOperator;

impl Formula {
    /// All running sums in the formula, repeated as often as they occur.
    #[must_use]
    pub fn runs(&self) -> Vec<&RunningSum> {
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

    /// Replaces counts by the summands of a running sum, if `step_of` knows one. This happens only where constants alone shift and scale
    /// the count, which preserves its interval; with `everywhere`, which suits values that are only compared, every count is replaced.
    pub fn step(&mut self, step_of: &impl Fn(usize) -> Option<RunningSum>, everywhere: bool) {
        match self {
            Self::Count(count) => {
                if let Some(step) = step_of(*count) {
                    *self = Self::Run(Box::new(step));
                }
            }
            Self::Negative(of) | Self::Round(of, _) => of.step(step_of, everywhere),
            Self::Arithmetic(left, operator, right) => {
                let is_moved = right.is_number() || (left.is_number() && *operator != ArithmeticOperator::Over);
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

impl HavingCondition {
    /// All running sums in the condition, repeated as often as they occur.
    #[must_use]
    pub fn runs(&self) -> Vec<&RunningSum> {
        match self {
            Self::Compare(left, _, right) => [left.runs(), right.runs()].concat(),
            Self::Missing(of) => of.runs(),
            Self::Not(inner) => inner.runs(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::runs).collect(),
        }
    }

    /// Replaces counts by the summands of running sums, if `step_of` knows one.
    pub fn step(&mut self, step_of: &impl Fn(usize) -> Option<RunningSum>) {
        match self {
            Self::Compare(left, _, right) => [left, right].into_iter().for_each(|side| side.step(step_of, true)),
            Self::Missing(of) => of.step(step_of, true),
            Self::Not(inner) => inner.step(step_of),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.step(step_of)),
        }
    }
}
