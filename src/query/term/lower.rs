//! From terms to integer programs, with their bounds.
//!
//! Promises that a program's value, times its unit, is the term's value exactly, and that over every row of a conforming table each
//! of its intermediate values lies within the bounds that interval arithmetic gives, which fit 62 bits: no operation can overflow.
//! Bounds come from the declared domains alone. A program looks at one row: it has no other input.

mod function;
mod operations;

use dashu::base::Gcd;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use std::sync::Arc;

pub use self::function::Function;
use self::operations::{
    absolute, bucket, case, choice, extreme, filled, negative, of_date, product, quotient, rounded, sum,
};
use super::known::Known;
use super::{Constant, Made, Term};
use crate::query::filter::Filter;
use crate::query::terms::domain::{Column, Domain, Grid};
use crate::query::terms::labels::Labels;
use crate::query::terms::policy::Terms;

/// An integer program of one row. A missing value makes everything missing but what says otherwise. Its parts are shared: a copy costs
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The stored integer of a declared column.
    Stored(usize),
    /// A constant.
    Constant(i64),
    /// Each times its factor, summed up.
    Plus(Arc<[(Step, i64)]>),
    /// The product.
    Times(Arc<[Step]>),
    /// The least of those that are not missing.
    Least(Arc<[Step]>),
    /// The greatest of those that are not missing.
    Greatest(Arc<[Step]>),
    /// A constant in the place of a missing value.
    Filled(Arc<Step>, i64),
    /// The first whose condition is true; missing where there is none.
    Case(Arc<[(Filter, Step)]>, Option<Arc<Step>>),
    /// 1 where a condition is true, 0 where it is false, missing where it is neither.
    Truth(Filter),
    /// A function of one integer.
    Apply(Function, Arc<Step>),
}

/// What kind of value a program computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A number that SQL takes for an integer.
    Integer,
    /// Any other number.
    Decimal,
    /// A day, in days from 1970-01-01.
    Date,
    /// One of these labels, by its index.
    Category(Labels),
    /// 0 or 1.
    Boolean,
}

/// A program with what is known of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowered {
    /// The program.
    pub step: Step,
    /// What kind of value.
    pub kind: Kind,
    /// The value of 1, for numbers.
    pub unit: RBig,
    /// The least value, in units.
    pub low: i64,
    /// The greatest value, in units.
    pub high: i64,
    /// Whether it may be missing.
    pub nullable: bool,
    /// Whether all rows of a unit have the same.
    pub per_unit: bool,
}

/// Why a term is none: facts for whoever knows the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermFault {
    /// Its values would not fit.
    #[error("its values may be too large: bounds and decimals together go beyond 62 bits; round or clamp first")]
    TooWide,
    /// An operand is of another kind than the operation takes.
    #[error("{operation} wants {wanted}, and this is a {found}")]
    Kind {
        /// The operation.
        operation: &'static str,
        /// What it takes.
        wanted: &'static str,
        /// What it was given.
        found: &'static str,
    },
    /// Its values are on no decimal grid.
    #[error("its values have more than nine decimals; round them first: ROUND(…, 4), or divide the aggregate")]
    Grid,
    /// Text without a public list.
    #[error("it is text without a public list, which is grouped by alone")]
    Text,
    /// Division by nothing.
    #[error("it divides by 0")]
    Zero,
}

const LIMIT: i128 = 1 << 62;

/// A value that fits.
fn fit(value: i128) -> Result<i64, TermFault> {
    i64::try_from(value).ok().filter(|value| i128::from(*value).abs() < LIMIT).ok_or(TermFault::TooWide)
}

fn nano() -> RBig {
    RBig::from_parts(IBig::ONE, UBig::from(1_000_000_000_u64))
}

/// The program of a term and its bounds.
///
/// # Errors
/// [`TermFault`] where it is of no kind, or its bounds do not fit.
pub fn lower(term: &Term, terms: &Terms) -> Result<Lowered, TermFault> {
    Known::of(terms).lower(term).map(|lowered| (*lowered).clone())
}

/// A declared column, of which only values between two bounds are left, in its units.
#[must_use]
pub fn narrowed(index: usize, terms: &Terms, (low, high): (i64, i64)) -> Lowered {
    let whole = declared(index, &terms.columns[index]);
    Lowered { low: low.max(whole.low), high: high.min(whole.high), ..whole }
}

pub(super) fn declared(index: usize, column: &Column) -> Lowered {
    let stored = Step::Stored(index);
    let (step, kind, unit, low, high) = match &column.domain {
        Domain::Number(grid) => {
            let kind = if grid.integer { Kind::Integer } else { Kind::Decimal };
            let unit = RBig::from(grid.step) * nano();
            let step = Step::Plus([(stored, 1), (Step::Constant(grid.centre()), 1)].into());
            (step, kind, unit, grid.low, grid.high)
        }
        Domain::Date { min, max } => (stored, Kind::Date, RBig::ONE, i64::from(*min), i64::from(*max)),
        Domain::Category(values) => {
            (stored, Kind::Category(values.clone()), RBig::ONE, 0, (values.len() as i64 - 1).max(0))
        }
        // Text is no term: whoever asks for a program was refused before.
        Domain::Boolean | Domain::Text { .. } => (stored, Kind::Boolean, RBig::ONE, 0, 1),
    };
    Lowered { step, kind, unit, low, high, nullable: column.nullable, per_unit: column.per_unit }
}

pub(super) fn made_of(made: &Made, known: &Known<'_>) -> Result<Lowered, TermFault> {
    let of = |term: &Term| known.lower(term).map(|lowered| (*lowered).clone());
    let all = |parts: &[Term]| parts.iter().map(of).collect::<Result<Vec<_>, _>>();
    match made {
        Made::Constant(constant) => number(*constant),
        Made::Day(day) => Ok(Lowered { kind: Kind::Date, ..constant(i64::from(*day), RBig::ONE) }),
        Made::Plus(parts) => sum(parts, all(parts)?),
        Made::Negative(inner) => negative(of(inner)?),
        Made::Times(parts) => product(parts, all(parts)?),
        Made::Over(inner, divisor) => quotient(of(inner)?, *divisor),
        Made::Absolute(inner) => absolute(of(inner)?),
        Made::Least(parts) => extreme(all(parts)?, true),
        Made::Greatest(parts) => extreme(all(parts)?, false),
        Made::Rounded(inner, decimals) => rounded(of(inner)?, *decimals),
        Made::Filled(inner, with) => filled(of(inner)?, of(with)?),
        Made::Case(whens, otherwise) => case(whens, otherwise.as_ref(), known),
        Made::Choice { whens, otherwise, labels } => Ok(choice(whens, *otherwise, labels, known)),
        Made::Truth(filter) => {
            let (nullable, per_unit) = filter.facts(known);
            let step = Step::Truth(filter.clone());
            Ok(Lowered { kind: Kind::Boolean, low: 0, high: 1, nullable, per_unit, step, ..constant(0, RBig::ONE) })
        }
        Made::Truncated(inner, period) => {
            let function = Function::Truncated(*period);
            of_date(of(inner)?, "DATE_TRUNC", function, Kind::Date, |day| period.first(period.ordinal(day)))
        }
        Made::Extracted(inner, part) => {
            let inner = of(inner)?;
            let (low, high) = part.range(inner.low, inner.high);
            let extracted = of_date(inner, "EXTRACT", Function::Extracted(*part), Kind::Decimal, |day| part.of(day))?;
            Ok(Lowered { low, high, ..extracted })
        }
        Made::Bucket { of: inner, low, high, count } => {
            known.steps().spend(u64::from(*count));
            bucket(of(inner)?, *low, *high, *count)
        }
    }
}

fn constant(value: i64, unit: RBig) -> Lowered {
    let step = Step::Constant(value);
    Lowered { step, kind: Kind::Decimal, unit, low: value, high: value, nullable: false, per_unit: true }
}

fn number(number: Constant) -> Result<Lowered, TermFault> {
    fit(number.digits.into())?;
    let kind = if number.decimals == 0 { Kind::Integer } else { Kind::Decimal };
    let unit = RBig::from_parts(IBig::ONE, UBig::from(10_u8).pow(number.decimals as usize));
    Ok(Lowered { kind, ..constant(number.digits, unit) })
}

/// The exact value of a constant.
#[must_use]
pub fn exact(number: Constant) -> RBig {
    RBig::from_parts(IBig::from(number.digits), UBig::from(10_u8).pow(number.decimals as usize))
}

impl Lowered {
    /// Whether it is a number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Integer | Kind::Decimal)
    }

    /// The word for its kind.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.kind {
            Kind::Integer => "integer",
            Kind::Decimal => "decimal",
            Kind::Date => "date",
            Kind::Category(_) => "category",
            Kind::Boolean => "boolean",
        }
    }

    /// What its values can be, as a column's; numbers must be on a grid of at most nine decimals.
    ///
    /// # Errors
    /// [`TermFault::Grid`].
    pub fn domain(&self) -> Result<Domain, TermFault> {
        Ok(match &self.kind {
            Kind::Integer | Kind::Decimal => {
                let step = &self.unit / nano();
                let step =
                    i64::try_from(step.numerator().clone()).ok().filter(|_| step.is_int()).ok_or(TermFault::Grid)?;
                // A grid has two ends; one value more is none that occurs.
                let (low, high) = if self.low == self.high { (self.low - 1, self.high) } else { (self.low, self.high) };
                Domain::Number(Grid { integer: self.kind == Kind::Integer, step, low, high })
            }
            Kind::Date => {
                let day = |value: i64| i32::try_from(value).map_err(|_| TermFault::TooWide);
                Domain::Date { min: day(self.low)?, max: day(self.high)? }
            }
            Kind::Category(labels) => Domain::Category(labels.clone()),
            Kind::Boolean => Domain::Boolean,
        })
    }

    /// The program of what is stored of it: numbers about the centre of their grid.
    ///
    /// # Errors
    /// [`TermFault::Grid`].
    pub fn stored(self) -> Result<Step, TermFault> {
        Ok(match self.domain()? {
            Domain::Number(grid) if grid.centre() != 0 => {
                Step::Plus([(self.step, 1), (Step::Constant(-grid.centre()), 1)].into())
            }
            Domain::Number(_) | Domain::Date { .. } | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => {
                self.step
            }
        })
    }

    fn wanted(&self, is: bool, operation: &'static str, wanted: &'static str) -> Result<(), TermFault> {
        if is { Ok(()) } else { Err(TermFault::Kind { operation, wanted, found: self.word() }) }
    }

    /// The same values in a unit that divides its own.
    fn in_units_of(self, unit: &RBig) -> Result<Self, TermFault> {
        if self.unit == *unit {
            return Ok(self);
        }
        let factor = &self.unit / unit;
        let factor = i64::try_from(factor.numerator().clone()).map_err(|_| TermFault::TooWide)?;
        let by = |value: i64| fit(i128::from(value) * i128::from(factor));
        let (low, high) = (by(self.low)?, by(self.high)?);
        let step = match self.step {
            Step::Constant(value) => Step::Constant(by(value)?),
            other => Step::Plus([(other, factor)].into()),
        };
        Ok(Self { step, unit: unit.clone(), low, high, ..self })
    }
}

/// The greatest unit that divides all of them.
fn common_unit(parts: &[Lowered]) -> RBig {
    let gcd = |a: RBig, b: &RBig| {
        let (above, below) =
            (a.numerator() * IBig::from(b.denominator().clone()), b.numerator() * IBig::from(a.denominator().clone()));
        let divisor = a.denominator() * b.denominator();
        RBig::from_parts(IBig::from(above.gcd(&below)), divisor)
    };
    let mut units = parts.iter().map(|part| &part.unit);
    let first = units.next().cloned().unwrap_or(RBig::ONE);
    units.fold(first, |so_far, unit| if so_far == *unit { so_far } else { gcd(so_far, unit) })
}
