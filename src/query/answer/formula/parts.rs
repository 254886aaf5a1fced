//! The parts of formulas: what is inside of one, and the properties that follow from it.

use super::{CentredSum, Formula, GroupWindow, Products};
use crate::query::syntax::ArithmeticOperator;

impl Formula {
    /// Applies `to` to the index of every measurement.
    pub fn renumber(&mut self, to: &dyn Fn(usize) -> usize) {
        let centred = |one: &mut CentredSum| {
            one.sum = to(one.sum);
            one.count = one.count.map(to);
        };
        match self {
            Self::Number(_) | Self::Key(_) | Self::Grouping(_) | Self::Missing => {}
            Self::Count(count) => *count = to(*count),
            Self::Sum(one) => centred(one),
            Self::Mean(one, count) => {
                centred(one);
                *count = to(*count);
            }
            Self::Spread(_, squares) => {
                squares.count = to(squares.count);
                [&mut squares.sum, &mut squares.squares].into_iter().for_each(centred);
            }
            Self::Pair(_, products) => {
                products.count = to(products.count);
                let Products { y, x, products, .. } = products.as_mut();
                [&mut y.0, &mut y.1, &mut x.0, &mut x.1, products].into_iter().for_each(centred);
            }
            Self::Quantile(quantile) => quantile.levels.iter_mut().for_each(|level| *level = to(*level)),
            Self::Run(run) => run.vector = to(run.vector),
            Self::Negative(_)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::Round(..)
            | Self::Arithmetic(..)
            | Self::NullIf(..)
            | Self::Call(..)
            | Self::Case(..)
            | Self::Window(_) => self.parts_mut().into_iter().for_each(|part| part.renumber(to)),
        }
    }

    /// Cost of evaluating the formula and writing it out: the number of operations, with those of the terms inside it.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Number(_)
            | Self::Count(_)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Run(_)
            | Self::Key(_)
            | Self::Grouping(_)
            | Self::Missing => 1,
            Self::Spread(_, squares) => 1 + squares.of.weight(),
            Self::Pair(_, products) => 1 + products.of.0.weight() + products.of.1.weight(),
            Self::Quantile(quantile) => 1 + quantile.levels.len() as u64,
            Self::Negative(_)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::Round(..)
            | Self::Arithmetic(..)
            | Self::NullIf(..)
            | Self::Call(..)
            | Self::Case(..)
            | Self::Window(_) => 1 + self.parts().into_iter().map(Self::weight).sum::<u64>(),
        }
    }

    /// Whether the formula is a weighted sum of measurements and constants.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        match self {
            Self::Number(_) | Self::Count(_) | Self::Sum(_) | Self::Key(_) | Self::Grouping(_) => true,
            Self::Window(window) => window.is_linear(),
            Self::Negative(of) => of.is_linear(),
            Self::Arithmetic(left, ArithmeticOperator::Plus | ArithmeticOperator::Minus, right) => {
                left.is_linear() && right.is_linear()
            }
            Self::Arithmetic(left, ArithmeticOperator::Times, right) => {
                (left.is_number() && right.is_linear()) || (left.is_linear() && right.is_number())
            }
            Self::Arithmetic(left, ArithmeticOperator::Over, right) => left.is_linear() && right.is_number(),
            Self::Mean(..)
            | Self::Quantile(_)
            | Self::Run(_)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::Round(..)
            | Self::Call(..)
            | Self::Case(..)
            | Self::Missing
            | Self::NullIf(..) => false,
        }
    }

    /// Whether the formula contains a quantile, a running sum or a rank, which read several cells and whose noise no derivative describes.
    #[must_use]
    pub fn has_several(&self) -> bool {
        match self {
            Self::Quantile(_) | Self::Run(_) => true,
            Self::Window(window) if window.is_rank() => true,
            other => other.parts().into_iter().any(Self::has_several),
        }
    }

    /// Whether the formula contains a running sum.
    #[must_use]
    pub fn has_run(&self) -> bool {
        matches!(self, Self::Run(_)) || self.parts().into_iter().any(Self::has_run)
    }

    /// Whether the formula contains a window over the groups.
    #[must_use]
    pub fn has_window(&self) -> bool {
        matches!(self, Self::Window(_)) || self.parts().into_iter().any(Self::has_window)
    }

    /// Whether the formula is the same whatever the noise: it contains no measurement.
    #[must_use]
    pub fn is_number(&self) -> bool {
        match self {
            Self::Number(_) | Self::Key(_) | Self::Grouping(_) | Self::Missing => true,
            Self::Negative(_)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::Round(..)
            | Self::Arithmetic(..)
            | Self::NullIf(..)
            | Self::Call(..)
            | Self::Case(..) => self.parts().into_iter().all(Self::is_number),
            Self::Count(_)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Run(_)
            | Self::Window(_)
            | Self::Quantile(_) => false,
        }
    }

    /// All windows in the formula.
    #[must_use]
    pub fn windows(&self) -> Vec<&GroupWindow> {
        match self {
            Self::Window(window) => vec![window],
            other => other.parts().into_iter().flat_map(Self::windows).collect(),
        }
    }

    /// The formulas directly inside of this one, with those in its conditions.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => vec![of],
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => vec![left, right],
            Self::Call(_, parts) => parts.iter().collect(),
            Self::Case(arms, otherwise) => {
                let mut parts = Vec::new();
                for (when, then) in arms {
                    parts.extend(when.formulas());
                    parts.push(then);
                }
                parts.push(otherwise);
                parts
            }
            Self::Window(window) => window.formulas(),
            Self::Number(_)
            | Self::Count(_)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Quantile(_)
            | Self::Run(_)
            | Self::Key(_)
            | Self::Grouping(_)
            | Self::Missing => Vec::new(),
        }
    }

    /// The formulas directly inside of this one, with those in its conditions, in the order of [`Self::parts`].
    pub fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => vec![of],
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => vec![left, right],
            Self::Call(_, parts) => parts.iter_mut().collect(),
            Self::Case(arms, otherwise) => {
                let mut parts = Vec::new();
                for (when, then) in arms {
                    parts.extend(when.formulas_mut());
                    parts.push(then);
                }
                parts.push(otherwise);
                parts
            }
            Self::Window(window) => window.formulas_mut(),
            Self::Number(_)
            | Self::Count(_)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Quantile(_)
            | Self::Run(_)
            | Self::Key(_)
            | Self::Grouping(_)
            | Self::Missing => Vec::new(),
        }
    }
}
