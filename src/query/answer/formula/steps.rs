//! The running sums within formulas and conditions, and their summands.

use super::{Formula, HavingCondition, RunningSum};
use crate::query::syntax::ArithmeticOperator;

impl Formula {
    /// All running sums in the formula, repeated as often as they occur.
    #[must_use]
    pub fn runs(&self) -> Vec<&RunningSum> {
        match self {
            Self::Run(run) => vec![run],
            other => other.parts().into_iter().flat_map(Self::runs).collect(),
        }
    }

    /// Replaces counts by the summands of a running sum, if `step_of` knows one. This happens only where constants alone shift and scale
    /// the count, which preserves its interval; with `everywhere`, which suits values that are only compared, every count is replaced.
    pub fn step(&mut self, step_of: &dyn Fn(usize) -> Option<RunningSum>, everywhere: bool) {
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
            Self::Absolute(_) | Self::Root(_) | Self::NullIf(..) | Self::Call(..) | Self::Case(..) if everywhere => {
                self.parts_mut().into_iter().for_each(|part| part.step(step_of, everywhere));
            }
            // What is only compared may be replaced anywhere.
            Self::Case(arms, _) => arms.iter_mut().for_each(|(when, _)| when.step(step_of)),
            Self::Number(_)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::NullIf(..)
            | Self::Call(..)
            | Self::Key(_)
            | Self::Grouping(_)
            | Self::Window(_)
            | Self::Missing
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
        self.formulas().into_iter().flat_map(Formula::runs).collect()
    }

    /// Replaces counts by the summands of running sums, if `step_of` knows one.
    pub fn step(&mut self, step_of: &dyn Fn(usize) -> Option<RunningSum>) {
        self.formulas_mut().into_iter().for_each(|of| of.step(step_of, true));
    }
}
