//! Formulas: outputs computed from several measurements, after the noise.
//!
//! Promises post-processing only, and a sound interval by a named method:
//!
//! * **Linear** formulas (sums, differences, multiples of counts and sums) have the exact law of a weighted sum of independent noise.
//! * **Quotients** of two linear formulas, slopes and correlations have Fieller's interval (E. C. Fieller, J. R. Stat. Soc. B 16, 1954), with
//!   the covariance of numerator and denominator.
//! * **Everything else** (variances, covariances, products) has the interval of the delta method: value ± z·√Σ(∂f/∂mᵢ)²σᵢ², with the
//!   derivatives found by forward differentiation. The interval of a square root has the square roots of the inner interval's ends.
//!
//! * **Functions of one noisy value** (FLOOR, LN, EXP, POWER with a constant, GREATEST with constants, …) map the ends of its interval; see
//!   `scalar`. GREATEST and LEAST of several noisy values have the greatest, or the least, of the lower and of the upper ends.
//! * **CASE and COALESCE** have the interval of the branch that the estimates choose: it is the interval of that branch's value, and does
//!   not tell that noise could have chosen another branch.
//! * **Windows over the groups** ([`window`]) are sums and differences of cells, whose noise is independent: they have the exact law, and
//!   everything computed with them follows as above. Ranks have no interval.
//!
//! If a denominator is lost in its own noise, there is no estimate, and the only interval is the one that public bounds allow ([`Range`]).
//!
//! **Squares.** With S = Σ(x − c) and Q = Σ(x − c)² about any constant c, the variance over n rows is Q/n − (S/n)². As c cancels, it is
//! chosen in the middle of the range, where one unit moves both sums least. The same holds for products of two variables.

mod absence;
mod dual;
mod intervals;
mod estimate;
mod cell_values;
mod moments;
mod range;
mod run;
mod steps;
mod parts;
mod scalar;
mod condition;
mod survival;
pub mod window;
pub mod words;

use borsh::{BorshDeserialize, BorshSerialize};

pub use self::absence::AbsenceReason;
pub use self::cell_values::CellValues;
pub use self::condition::HavingCondition;
pub use self::estimate::IntervalEstimate;
pub use self::range::Range;
pub use self::run::RunningSum;
pub use self::window::{GroupWindow, WindowOrder};
pub use self::words::Words;

use self::absence::both;
use self::dual::Dual;
use self::estimate::round;
use crate::query::answer::Label;
use crate::query::syntax::{ArithmeticOperator, Pair, ScalarFunction, Spread};
use crate::query::term::{Constant, Term};
use crate::query::terms::domain::Grid;

/// One output as a function of measurements; numbers in it are indices of measurements.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Formula {
    /// A constant, as decimal text.
    Number(String) = 0,
    /// A count N, by the index of its measurement.
    Count(usize) = 1,
    /// A sum S about the centre c of its grid: S + c·N.
    Sum(CentredSum) = 2,
    /// A mean c + S/N: the sum, and the index of the count N.
    Mean(CentredSum, usize) = 3,
    /// A variance or a standard deviation.
    Spread(Spread, Box<Squares>) = 4,
    /// A covariance, a correlation, or the slope or intercept of a regression.
    Pair(Pair, Box<Products>) = 5,
    /// A quantile, read from a tree of histograms.
    Quantile(Box<Quantile>) = 6,
    /// A running sum over the groups of an ordered key.
    Run(Box<RunningSum>) = 7,
    /// The negative −x of a formula.
    Negative(Box<Formula>) = 8,
    /// Addition, subtraction, multiplication or division of two formulas.
    Arithmetic(Box<Formula>, ArithmeticOperator, Box<Formula>) = 9,
    /// The absolute value of a formula.
    Absolute(Box<Formula>) = 10,
    /// The square root; missing below 0.
    Root(Box<Formula>) = 11,
    /// A value rounded to this many decimals, halves away from 0.
    Round(Box<Formula>, u32) = 12,
    /// SQL's NULLIF: the first formula, or missing if both are equal.
    NullIf(Box<Formula>, Box<Formula>) = 13,
    /// A function of numbers.
    Call(ScalarFunction, Vec<Formula>) = 14,
    /// SQL's CASE: the formula of the first condition that is true, otherwise the last one.
    Case(Vec<(HavingCondition, Formula)>, Box<Formula>) = 15,
    /// The value of a group key of whole numbers, by its index.
    Key(usize) = 16,
    /// SQL's `GROUPING` of the key with this index: 1 if the row is a total over it, 0 otherwise.
    Grouping(usize) = 17,
    /// A window over the groups.
    Window(Box<GroupWindow>) = 18,
    /// NULL.
    Missing = 19,
}

/// A sum of stored integers, which are taken about the centre of their grid.
#[derive(Debug, Clone, Copy, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct CentredSum {
    /// Index of the measurement S, in steps of the grid.
    pub sum: usize,
    /// Index of the measurement N; `None` if the centre is 0.
    pub count: Option<usize>,
    /// Grid of the values that are summed, with its centre.
    pub grid: Grid,
}

/// The measurements behind a variance, and the variable itself.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Squares {
    /// Index of the measurement N, the count of rows.
    pub count: usize,
    /// The sum Σ(x − c).
    pub sum: CentredSum,
    /// The sum of squares Σ(x − c)².
    pub squares: CentredSum,
    /// The variable x, for writing the formula out as SQL.
    pub of: Term,
}

/// The measurements behind a covariance; only rows in which both variables are present count.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Products {
    /// Index of the measurement N, the count of rows.
    pub count: usize,
    /// The sums Σ(y − c) and Σ(y − c)².
    pub y: (CentredSum, CentredSum),
    /// The sums Σ(x − c') and Σ(x − c')².
    pub x: (CentredSum, CentredSum),
    /// The sum of products Σ(y − c)(x − c').
    pub products: CentredSum,
    /// The centres c of y and c' of x.
    pub centres: (Constant, Constant),
    /// The variables y and x, for writing the formula out as SQL.
    pub of: (Term, Term),
}

/// A quantile, read from a tree of histograms.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Quantile {
    /// The fraction q, as the query wrote it.
    pub fraction: String,
    /// Indices of the measurements of the tree's levels, the coarsest first.
    pub levels: Vec<usize>,
    /// Number of bins of each level, parallel to `levels`.
    pub bins: Vec<u32>,
    /// Number of children of each node.
    pub branches: u32,
    /// Lower end of the range, in steps of the grid.
    pub low: i64,
    /// Width of a leaf, in steps of the grid.
    pub width: i64,
    /// Grid of the values whose quantile is asked for.
    pub grid: Grid,
}

impl Formula {
    /// The value with its derivative by each measurement.
    pub(in crate::query::answer) fn dual(&self, at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
        match self {
            Self::Number(text) => text.parse().map(Dual::constant).map_err(|_| AbsenceReason::NoValue),
            Self::Count(count) => Dual::measured(*count, at),
            Self::Sum(one) => one.dual(at),
            Self::Mean(one, count) => {
                let step = one.grid.step_value();
                let mean = Dual::measured(one.sum, at)?.over(&Dual::measured(*count, at)?, at)?;
                Ok(mean.times(&Dual::constant(step)).plus(&Dual::constant(one.grid.centre() as f64 * step)))
            }
            Self::Spread(spread, squares) => squares.dual(*spread, at),
            Self::Pair(pair, products) => products.dual(*pair, at),
            // Derivatives do not describe this noise. The value stands alone, or is shifted and scaled by constants, and `ends` handles
            // both.
            Self::Quantile(quantile) => quantile.ends(at).map(|ends| Dual::constant(ends.value)),
            Self::Run(run) => run.ends(at).map(|ends| Dual::constant(ends.value)),
            Self::Negative(of) => Ok(of.dual(at)?.times(&Dual::constant(-1.0))),
            Self::Arithmetic(left, operator, right) => {
                let (left, right) = both(left.dual(at), right.divisor(*operator, at))?;
                match operator {
                    ArithmeticOperator::Plus => Ok(left.plus(&right)),
                    ArithmeticOperator::Minus => Ok(left.plus(&right.times(&Dual::constant(-1.0)))),
                    ArithmeticOperator::Times => Ok(left.times(&right)),
                    ArithmeticOperator::Over => left.over(&right, at),
                }
            }
            Self::Absolute(of) => {
                let of = of.dual(at)?;
                let sign = if of.value < 0.0 { -1.0 } else { 1.0 };
                Ok(of.times(&Dual::constant(sign)))
            }
            Self::Root(of) => of.dual(at)?.root(),
            Self::Round(of, decimals) => {
                let of = of.dual(at)?;
                Ok(Dual { value: round(of.value, *decimals), ..of })
            }
            Self::Call(function, parts) => scalar::dual(*function, parts, at),
            Self::Case(arms, otherwise) => condition::chosen(arms, otherwise, at)?.dual(at),
            Self::Key(key) => match at.label(*key) {
                Some(Label::Integer(value)) => Ok(Dual::constant(*value as f64)),
                Some(Label::Decimal(nanos)) => Ok(Dual::constant(*nanos as f64 / 1e9)),
                Some(Label::Boolean(_) | Label::Text(_) | Label::Date(_) | Label::Missing) | None => {
                    Err(AbsenceReason::NoValue)
                }
            },
            Self::Grouping(key) => {
                let is_total = at.label(*key).is_none();
                Ok(Dual::constant(if is_total { 1.0 } else { 0.0 }))
            }
            Self::Window(window) => at.window(window)?.dual(window, at.cell),
            Self::Missing => Err(AbsenceReason::NoValue),
            Self::NullIf(left, right) => {
                // Evaluate each side once: otherwise nested NULLIFs would double the work at every level.
                let (of, other) = both(left.dual(at), right.dual(at))?;
                #[expect(clippy::float_cmp, reason = "SQL's NULLIF asks whether two values are the same")]
                let is_same = left.shown(of.value)? == right.shown(other.value)?;
                if is_same { Err(AbsenceReason::NoValue) } else { Ok(of) }
            }
        }
    }

    /// The right-hand side of an operator. A noisy count that happens to be 0 is a denominator lost in noise, even if NULLIF turns it into
    /// NULL.
    fn divisor(&self, operator: ArithmeticOperator, at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
        let of = self.dual(at);
        match (&of, operator, self) {
            (Err(AbsenceReason::NoValue), ArithmeticOperator::Over, Self::NullIf(left, _)) if !left.is_number() => {
                Err(AbsenceReason::LostInNoise)
            }
            _ => of,
        }
    }

    /// The estimate, without its interval.
    ///
    /// # Errors
    /// Why there is no estimate.
    pub fn value(&self, at: CellValues<'_>) -> Result<f64, AbsenceReason> {
        let value = self.dual(at)?.value;
        if value.is_finite() { Ok(value) } else { Err(AbsenceReason::NoValue) }
    }
}

impl Formula {
    /// An estimate as it is shown: a count or a sum by itself is rounded to whole steps, halves up.
    pub(in crate::query::answer) fn shown(&self, value: f64) -> Result<f64, AbsenceReason> {
        if !value.is_finite() {
            return Err(AbsenceReason::NoValue);
        }
        Ok(match self {
            Self::Count(_) => (value + 0.5).floor(),
            Self::Sum(one) => (value / one.grid.step_value() + 0.5).floor() * one.grid.step_value(),
            Self::Number(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Quantile(_)
            | Self::Run(_)
            | Self::Negative(_)
            | Self::Arithmetic(..)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::Round(..)
            | Self::NullIf(..)
            | Self::Call(..)
            | Self::Case(..)
            | Self::Key(_)
            | Self::Grouping(_)
            | Self::Window(_)
            | Self::Missing => value,
        })
    }
}

impl CentredSum {
    fn dual(&self, at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
        let sum = Dual::measured(self.sum, at)?;
        let whole = match self.count {
            None => sum,
            Some(count) => sum.plus(&Dual::measured(count, at)?.times(&Dual::constant(self.grid.centre() as f64))),
        };
        Ok(whole.times(&Dual::constant(self.grid.step_value())))
    }
}
