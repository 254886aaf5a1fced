//! Formulas: outputs that are made of several measurements, after the noise.
//!
//! Promises post-processing alone, and an honest interval by a method that is named:
//!
//! * **Linear** formulas (sums, differences, multiples of counts and sums) have the exact law of a weighted sum of independent noise.
//! * **Quotients** of two linear formulas, slopes and correlations have Fieller's interval (E. C. Fieller, J. R. Stat. Soc. B 16, 1954), with
//!   the covariance of numerator and denominator.
//! * **Everything else** (variances, covariances, products) has the interval of the delta method: value ± z·√Σ(∂f/∂mᵢ)²σᵢ², the
//!   slopes by forward differentiation. Roots take the root of the ends.
//!
//! Where a denominator is lost in its own noise there is no estimate, and no interval but what public bounds allow ([`Range`]).
//!
//! **Squares.** With S = Σ(x − c) and Q = Σ(x − c)² about any constant c, the variance over n rows is Q/n − (S/n)²: c cancels, so it is
//! chosen in the middle of the range, where one unit moves both sums least. The same holds for products of two variables.

mod absent;
mod dual;
mod ends;
mod moments;
mod range;
mod run;

use borsh::{BorshDeserialize, BorshSerialize};

pub use self::absent::Absent;
pub use self::ends::Ends;
pub use self::range::Range;
pub use self::run::Run;

use self::absent::both;
use self::dual::Dual;
use super::syntax::{Comparison, Operator, Pair, Spread};
use super::term::{Constant, Term};
use crate::dataset::domain::Grid;
use crate::privacy::mechanism::NoiseLaw;

/// One output as a function of measurements; numbers are their indices.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Formula {
    /// A number.
    Number(String) = 0,
    /// A count N.
    Count(usize) = 1,
    /// A sum about its grid's centre c: S + c·N.
    Sum(Centred) = 2,
    /// A mean: c + S/N.
    Mean(Centred, usize) = 3,
    /// A statistic of squares.
    Spread(Spread, Box<Squares>) = 4,
    /// A statistic of products.
    Pair(Pair, Box<Products>) = 5,
    /// A quantile.
    Quantile(Box<Quantile>) = 6,
    /// A running sum.
    Run(Box<Run>) = 7,
    /// The opposite.
    Negative(Box<Formula>) = 8,
    /// Arithmetic.
    Arithmetic(Box<Formula>, Operator, Box<Formula>) = 9,
    /// The absolute value.
    Absolute(Box<Formula>) = 10,
    /// The square root; missing below 0.
    Root(Box<Formula>) = 11,
    /// Rounded to so many decimals, halves away from 0.
    Round(Box<Formula>, u32) = 12,
    /// Missing where the two are equal.
    NullIf(Box<Formula>, Box<Formula>) = 13,
}

/// A sum of stored integers with what they are about.
#[derive(Debug, Clone, Copy, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Centred {
    /// S, in steps of the grid.
    pub sum: usize,
    /// N, where the centre is not 0.
    pub count: Option<usize>,
    /// The grid.
    pub grid: Grid,
}

/// What a variance is made of.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Squares {
    /// N.
    pub count: usize,
    /// Σ(x − c).
    pub sum: Centred,
    /// Σ(x − c)².
    pub squares: Centred,
    /// x, for who writes it out.
    pub of: Term,
}

/// What a covariance is made of; both variables are there in every row that counts.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Products {
    /// N.
    pub count: usize,
    /// Σ(y − c), Σ(y − c)².
    pub y: (Centred, Centred),
    /// Σ(x − c'), Σ(x − c')².
    pub x: (Centred, Centred),
    /// Σ(y − c)(x − c').
    pub products: Centred,
    /// c and c'.
    pub centres: (Constant, Constant),
    /// y and x, for who writes them out.
    pub of: (Term, Term),
}

/// A quantile of a tree of histograms.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Quantile {
    /// q, as it was written.
    pub fraction: String,
    /// The levels of the tree, the coarsest first.
    pub levels: Vec<usize>,
    /// Bins of each level.
    pub bins: Vec<u32>,
    /// Children of a node.
    pub branches: u32,
    /// The lower end of the range, in steps of the grid.
    pub low: i64,
    /// Steps in a leaf.
    pub width: i64,
    /// The grid.
    pub grid: Grid,
}

/// Which rows of a noisy table are shown.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Shown {
    /// Two formulas compared.
    Compare(Formula, Comparison, Formula) = 0,
    /// A formula without an estimate.
    Missing(Formula) = 1,
    /// Not so.
    Not(Box<Shown>) = 2,
    /// All of them.
    All(Vec<Shown>) = 3,
    /// Any of them.
    Any(Vec<Shown>) = 4,
}

/// The noisy values of one cell, in steps, and the laws of their noise.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// One a measurement.
    pub values: &'a [f64],
    /// Their laws.
    pub laws: &'a [NoiseLaw],
    /// All cells of the measurements, in steps.
    pub all: &'a [Vec<f64>],
    /// Which group's they are.
    pub cell: usize,
    /// Whether what is made of a measurement is hidden in this group, one a measurement; empty where nothing is.
    pub hidden: &'a [bool],
}

impl Measured<'_> {
    /// Looks whether what is made of a measurement is shown.
    ///
    /// # Errors
    /// [`Absent::Hidden`] where it is not.
    pub fn shown(&self, measurement: usize) -> Result<(), Absent> {
        if self.hidden.get(measurement) == Some(&true) { Err(Absent::Hidden) } else { Ok(()) }
    }
}

impl Formula {
    /// Applies `to` to the index of every measurement.
    pub fn renumber(&mut self, to: &impl Fn(usize) -> usize) {
        let centred = |one: &mut Centred| {
            one.sum = to(one.sum);
            one.count = one.count.map(to);
        };
        match self {
            Self::Number(_) => {}
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
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.renumber(to),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => {
                left.renumber(to);
                right.renumber(to);
            }
        }
    }

    /// What it takes to look at it as a whole: operations, and what is in the terms that it is written out with.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Number(_) | Self::Count(_) | Self::Sum(_) | Self::Mean(..) | Self::Run(_) => 1,
            Self::Spread(_, squares) => 1 + squares.of.weight(),
            Self::Pair(_, products) => 1 + products.of.0.weight() + products.of.1.weight(),
            Self::Quantile(quantile) => 1 + quantile.levels.len() as u64,
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => 1 + of.weight(),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => 1 + left.weight() + right.weight(),
        }
    }

    /// Whether it is a weighted sum of measurements.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        match self {
            Self::Number(_) | Self::Count(_) | Self::Sum(_) => true,
            Self::Negative(of) => of.is_linear(),
            Self::Arithmetic(left, Operator::Plus | Operator::Minus, right) => left.is_linear() && right.is_linear(),
            Self::Arithmetic(left, Operator::Times, right) => {
                (left.is_number() && right.is_linear()) || (left.is_linear() && right.is_number())
            }
            Self::Arithmetic(left, Operator::Over, right) => left.is_linear() && right.is_number(),
            Self::Mean(..)
            | Self::Quantile(_)
            | Self::Run(_)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Absolute(_)
            | Self::Root(_)
            | Self::Round(..)
            | Self::NullIf(..) => false,
        }
    }

    /// Whether something is in it that is made of several cells: a quantile, a running sum.
    #[must_use]
    pub fn has_several(&self) -> bool {
        match self {
            Self::Quantile(_) | Self::Run(_) => true,
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.has_several(),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => left.has_several() || right.has_several(),
            Self::Number(_) | Self::Count(_) | Self::Sum(_) | Self::Mean(..) | Self::Spread(..) | Self::Pair(..) => {
                false
            }
        }
    }

    /// Whether it has no measurement in it.
    #[must_use]
    pub fn is_number(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.is_number(),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => left.is_number() && right.is_number(),
            Self::Count(_)
            | Self::Sum(_)
            | Self::Mean(..)
            | Self::Spread(..)
            | Self::Pair(..)
            | Self::Run(_)
            | Self::Quantile(_) => false,
        }
    }

    /// The value with its slopes.
    fn dual(&self, at: Measured<'_>) -> Result<Dual, Absent> {
        match self {
            Self::Number(text) => text.parse().map(Dual::constant).map_err(|_| Absent::NoValue),
            Self::Count(count) => Dual::measured(*count, at),
            Self::Sum(one) => one.dual(at),
            Self::Mean(one, count) => {
                let unit = one.grid.step_value();
                let mean = Dual::measured(one.sum, at)?.over(&Dual::measured(*count, at)?, at)?;
                Ok(mean.times(&Dual::constant(unit)).plus(&Dual::constant(one.grid.centre() as f64 * unit)))
            }
            Self::Spread(spread, squares) => squares.dual(*spread, at),
            Self::Pair(pair, products) => products.dual(*pair, at),
            // Its noise is no matter of slopes: it stands alone, or is moved and stretched by numbers.
            Self::Quantile(quantile) => quantile.ends(at).map(|ends| Dual::constant(ends.value)),
            Self::Run(run) => run.ends(at).map(|ends| Dual::constant(ends.value)),
            Self::Negative(of) => Ok(of.dual(at)?.times(&Dual::constant(-1.0))),
            Self::Arithmetic(left, operator, right) => {
                let (left, right) = both(left.dual(at), right.divisor(*operator, at))?;
                match operator {
                    Operator::Plus => Ok(left.plus(&right)),
                    Operator::Minus => Ok(left.plus(&right.times(&Dual::constant(-1.0)))),
                    Operator::Times => Ok(left.times(&right)),
                    Operator::Over => left.over(&right, at),
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
            Self::NullIf(left, right) => {
                // Each side once: NULLIF in NULLIF in NULLIF would double the work with each.
                let (of, other) = both(left.dual(at), right.dual(at))?;
                #[expect(clippy::float_cmp, reason = "SQL's NULLIF asks whether two values are the same")]
                let is_same = left.shown(of.value)? == right.shown(other.value)?;
                if is_same { Err(Absent::NoValue) } else { Ok(of) }
            }
        }
    }

    /// The right side of an operator. A noisy count that is 0 by chance is a denominator that is lost, also where NULLIF takes it away.
    fn divisor(&self, operator: Operator, at: Measured<'_>) -> Result<Dual, Absent> {
        let of = self.dual(at);
        match (&of, operator, self) {
            (Err(Absent::NoValue), Operator::Over, Self::NullIf(left, _)) if !left.is_number() => {
                Err(Absent::LostInNoise)
            }
            _ => of,
        }
    }

    /// The estimate.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(&self, at: Measured<'_>) -> Result<f64, Absent> {
        let value = self.dual(at)?.value;
        if value.is_finite() { Ok(value) } else { Err(Absent::NoValue) }
    }
}

impl Formula {
    /// An estimate of this as it is shown: counts and sums by themselves are whole steps, halves up.
    fn shown(&self, value: f64) -> Result<f64, Absent> {
        match self {
            _ if !value.is_finite() => Err(Absent::NoValue),
            Self::Count(_) => Ok((value + 0.5).floor()),
            Self::Sum(one) => Ok((value / one.grid.step_value() + 0.5).floor() * one.grid.step_value()),
            _ => Ok(value),
        }
    }
}

fn round(value: f64, decimals: u32) -> f64 {
    let power = 10_f64.powi(decimals.cast_signed());
    (value * power).round() / power
}

impl Centred {
    fn dual(&self, at: Measured<'_>) -> Result<Dual, Absent> {
        let sum = Dual::measured(self.sum, at)?;
        let whole = match self.count {
            None => sum,
            Some(count) => sum.plus(&Dual::measured(count, at)?.times(&Dual::constant(self.grid.centre() as f64))),
        };
        Ok(whole.times(&Dual::constant(self.grid.step_value())))
    }
}

impl Shown {
    /// SQL's three truth values of one cell's noisy values.
    #[must_use]
    pub fn truth(&self, at: Measured<'_>) -> Option<bool> {
        match self {
            Self::Compare(left, how, right) => {
                let of = |side: &Formula| side.value(at).and_then(|value| side.shown(value)).ok();
                let (left, right) = (of(left)?, of(right)?);
                let order = left.total_cmp(&right);
                Some(match how {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Self::Missing(of) => Some(of.value(at).is_err()),
            Self::Not(inner) => inner.truth(at).map(|truth| !truth),
            Self::All(parts) => {
                let truths: Vec<_> = parts.iter().map(|part| part.truth(at)).collect();
                if truths.contains(&Some(false)) { Some(false) } else { (!truths.contains(&None)).then_some(true) }
            }
            Self::Any(parts) => {
                let truths: Vec<_> = parts.iter().map(|part| part.truth(at)).collect();
                if truths.contains(&Some(true)) { Some(true) } else { (!truths.contains(&None)).then_some(false) }
            }
        }
    }

    /// Applies `to` to the index of every measurement.
    pub fn renumber(&mut self, to: &impl Fn(usize) -> usize) {
        match self {
            Self::Compare(left, _, right) => {
                left.renumber(to);
                right.renumber(to);
            }
            Self::Missing(of) => of.renumber(to),
            Self::Not(inner) => inner.renumber(to),
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.renumber(to)),
        }
    }
}
