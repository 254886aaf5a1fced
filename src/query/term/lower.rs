//! Lowering: turns terms into integer programs with bounds.
//!
//! Promises that a program's integer result, times its grid step, is exactly the term's value. Over every row of a conforming table, each
//! intermediate value lies within the bounds that interval arithmetic gives, which fit 62 bits: no operation can overflow. Bounds come from
//! the declared domains alone. A program reads one row and has no other input.

mod calendar;
mod function;
mod numeric;
mod operations;
mod words;

use dashu::base::Gcd;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use std::sync::Arc;

pub use self::function::IntegerFunction;
use self::operations::{
    absolute, bucket, case, choice, extreme, filled, negative, of_date, product, quotient, rounded, sum,
};
pub use super::constant::exact;
use super::context::TermContext;
use super::patterns::PatternFault;
pub use super::side::Side;
use super::{Constant, Operation, Term};
use crate::query::filter::Filter;
use crate::query::terms::domain::{Column, Domain, Grid};
use crate::query::terms::labels::Labels;
use crate::query::terms::policy::Terms;

/// An integer program over one row. If an operand is missing, so is the result, unless the variant says otherwise. Cloning is cheap, as
/// parts are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The stored integer of a declared column.
    Stored(usize),
    /// A constant integer.
    Constant(i64),
    /// The sum of the operands, each times its factor.
    Plus(Arc<[(Step, i64)]>),
    /// The product of the operands.
    Times(Arc<[Step]>),
    /// The least of the operands that are not missing.
    Least(Arc<[Step]>),
    /// The greatest of the operands that are not missing.
    Greatest(Arc<[Step]>),
    /// The operand, or the constant if it is missing.
    Filled(Arc<Step>, i64),
    /// The result of the first true condition, otherwise the last operand, or missing if there is none.
    Case(Arc<[(Filter, Step)]>, Option<Arc<Step>>),
    /// 1 if a condition is true, 0 if it is false, and missing if it is unknown.
    Truth(Filter),
    /// A function of one integer, applied to the operand.
    Apply(IntegerFunction, Arc<Step>),
}

/// Kind of value that a program computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// A number that has SQL's integer type.
    Integer,
    /// Any other number.
    Decimal,
    /// A date, as days from 1970-01-01.
    Date,
    /// A category, as an index into these labels.
    Category(Labels),
    /// A truth value, as 0 or 1.
    Boolean,
}

/// A program with the facts about its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The program that computes the value of a row.
    pub step: Step,
    /// Kind of the value, which decides how the integer is read.
    pub kind: ValueKind,
    /// Grid step of a number: the value that the integer 1 stands for.
    pub scale: RBig,
    /// Least value, as an integer on that grid.
    pub low: i64,
    /// Greatest value, as an integer on that grid.
    pub high: i64,
    /// Whether the value may be missing.
    pub nullable: bool,
    /// Whether the value is the same in all rows of a unit.
    pub per_unit: bool,
}

/// Why a term is invalid: the facts, to which the caller adds the position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermFault {
    /// The values might not fit 62 bits.
    #[error("its values may be too large: bounds and decimals together go beyond 62 bits")]
    TooWide,
    /// An operand has a kind that the operation does not accept.
    #[error("{operation} wants {wanted}, and this is a {found}")]
    Kind {
        /// Name of the operation, in SQL.
        operation: &'static str,
        /// The kinds that the operation accepts.
        wanted: &'static str,
        /// The kind of the operand that was given.
        found: &'static str,
    },
    /// The values do not lie on a decimal grid.
    #[error("its values have more than nine decimals; round them first: ROUND(…, 4), or divide the aggregate")]
    Grid,
    /// The term is text without a public list.
    #[error("it is text without a public list, which is grouped by alone")]
    Text,
    /// A function of texts would have more values than a public list may have.
    #[error("it has more than {0} combinations of values, each of which is worked out beforehand")]
    TooMany(usize),
    /// A function of texts is asked for a place that does not exist.
    #[error("{0}")]
    Place(&'static str),
    /// A pattern of texts cannot be read.
    #[error("its pattern is not taken: {0}")]
    Pattern(PatternFault),
    /// The format of a day is not known.
    #[error("TO_CHAR does not know this pattern of a day")]
    Format,
    /// A text is no day in the format that it is read with.
    #[error("'{0}' is one of its texts, and no day in this format")]
    NoDay(String),
    /// The term divides by 0.
    #[error("it divides by 0")]
    Zero,
}

const LIMIT: i128 = 1 << 62;

/// Converts a value to 64 bits if it is within the limit.
fn fit(value: i128) -> Result<i64, TermFault> {
    i64::try_from(value).ok().filter(|value| i128::from(*value).abs() < LIMIT).ok_or(TermFault::TooWide)
}

fn nano() -> RBig {
    RBig::from_parts(IBig::ONE, UBig::from(1_000_000_000_u64))
}

/// The program of a term, with its bounds.
///
/// # Errors
/// [`TermFault`] if the operands do not fit the operation, or the bounds do not fit.
pub fn lower(term: &Term, terms: &Terms) -> Result<Program, TermFault> {
    TermContext::of(terms).lower(term).map(|lowered| (*lowered).clone())
}

/// A declared column restricted to values between two bounds, which are integers on its grid.
#[must_use]
pub fn narrowed(index: usize, terms: &Terms, (low, high): (i64, i64)) -> Program {
    let whole = declared(index, &terms.columns[index]);
    Program { low: low.max(whole.low), high: high.min(whole.high), ..whole }
}

pub(super) fn declared(index: usize, column: &Column) -> Program {
    let stored = Step::Stored(index);
    let (step, kind, scale, low, high) = match &column.domain {
        Domain::Number(grid) => {
            let kind = if grid.integer { ValueKind::Integer } else { ValueKind::Decimal };
            let scale = RBig::from(grid.step) * nano();
            let step = Step::Plus([(stored, 1), (Step::Constant(grid.centre()), 1)].into());
            (step, kind, scale, grid.low, grid.high)
        }
        Domain::Date { min, max } => (stored, ValueKind::Date, RBig::ONE, i64::from(*min), i64::from(*max)),
        Domain::Category(values) => {
            (stored, ValueKind::Category(values.clone()), RBig::ONE, 0, (values.len() as i64 - 1).max(0))
        }
        // Text is not a term: programs over it are refused before.
        Domain::Boolean | Domain::Text { .. } => (stored, ValueKind::Boolean, RBig::ONE, 0, 1),
    };
    Program { step, kind, scale, low, high, nullable: column.nullable, per_unit: column.per_unit }
}

pub(super) fn made_of(made: &Operation, known: &TermContext<'_>) -> Result<Program, TermFault> {
    let of = |term: &Term| known.lower(term).map(|lowered| (*lowered).clone());
    let all = |parts: &[Term]| parts.iter().map(of).collect::<Result<Vec<_>, _>>();
    match made {
        Operation::Constant(constant) => number(*constant),
        Operation::Day(day) => Ok(Program { kind: ValueKind::Date, ..constant(i64::from(*day), RBig::ONE) }),
        Operation::Plus(parts) => sum(parts, all(parts)?),
        Operation::Negative(inner) => negative(of(inner)?),
        Operation::Times(parts) => product(parts, all(parts)?),
        Operation::Over(inner, divisor) => quotient(of(inner)?, *divisor),
        Operation::Absolute(inner) => absolute(of(inner)?),
        Operation::Least(parts) => extreme(all(parts)?, true),
        Operation::Greatest(parts) => extreme(all(parts)?, false),
        Operation::Rounded(inner, decimals) => rounded(of(inner)?, *decimals),
        Operation::Filled(inner, with) => filled(of(inner)?, of(with)?, known),
        Operation::Case(whens, None) if whens.is_empty() => Ok(numeric::missing()),
        Operation::Case(whens, otherwise) => case(whens, otherwise.as_ref(), known),
        Operation::Choice { whens, otherwise, labels } => Ok(choice(whens, *otherwise, labels, known)),
        Operation::Truth(filter) if filter.as_constant().is_some() => {
            let truth = i64::from(filter.as_constant() == Some(true));
            Ok(Program { kind: ValueKind::Boolean, ..constant(truth, RBig::ONE) })
        }
        Operation::Truth(filter) => {
            let (nullable, per_unit) = filter.facts(known);
            let truth = Program { kind: ValueKind::Boolean, low: 0, high: 1, ..constant(0, RBig::ONE) };
            Ok(Program { nullable, per_unit, step: Step::Truth(filter.clone()), ..truth })
        }
        Operation::Truncated(inner, period) => {
            let function = IntegerFunction::Truncated(*period);
            of_date(of(inner)?, "DATE_TRUNC", function, ValueKind::Date, |day| period.first(period.ordinal(day)))
        }
        Operation::Extracted(inner, part) => {
            let inner = of(inner)?;
            let (low, high) = part.range(inner.low, inner.high);
            let extracted =
                of_date(inner, "EXTRACT", IntegerFunction::Extracted(*part), ValueKind::Decimal, |day| part.of(day))?;
            Ok(Program { low, high, ..extracted })
        }
        Operation::Integer(inner) => numeric::integer(of(inner)?),
        Operation::Decimal(inner) => numeric::decimal(of(inner)?),
        Operation::Cut(inner, side, decimals) => numeric::cut(of(inner)?, *side, *decimals),
        Operation::Remainder(inner, by) => numeric::remainder(of(inner)?, *by),
        Operation::Sign(inner) => numeric::sign(of(inner)?),
        Operation::Real(function, inner) => numeric::real(*function, inner, of(inner)?),
        Operation::Coalesced(parts) => numeric::coalesced(parts, all(parts)?),
        Operation::Bucket { of: inner, low, high, count } => {
            known.steps().spend(u64::from(*count));
            bucket(of(inner)?, *low, *high, *count)
        }
        Operation::Text(text) => {
            let kind = ValueKind::Category([text.clone()].into_iter().collect());
            Ok(Program { kind, ..constant(0, RBig::ONE) })
        }
        Operation::Worded(function, parts) => words::worded(*function, parts, all(parts)?, known),
        Operation::Apart(one, other) => words::apart(of(one)?, of(other)?, known),
        Operation::Formatted(inner, format) => calendar::formatted(of(inner)?, format, known),
        Operation::Later(inner, months) => {
            let function = IntegerFunction::Later(*months);
            let value = |day| function.apply(day);
            of_date(of(inner)?, "+ INTERVAL", function.clone(), ValueKind::Date, value)
        }
        Operation::Matched(inner, kind, pattern) => words::matched(of(inner)?, *kind, pattern, known),
        Operation::Elapsed(span, [from, to]) => calendar::elapsed(*span, of(from)?, of(to)?),
        Operation::Read(inner, format) => calendar::read(of(inner)?, format, known),
        Operation::Made { year, month, day } => calendar::made(of(year)?, of(month)?, of(day)?),
    }
}

fn constant(value: i64, scale: RBig) -> Program {
    let step = Step::Constant(value);
    Program { step, kind: ValueKind::Decimal, scale, low: value, high: value, nullable: false, per_unit: true }
}

fn number(number: Constant) -> Result<Program, TermFault> {
    fit(number.digits.into())?;
    let kind = if number.decimals == 0 { ValueKind::Integer } else { ValueKind::Decimal };
    let scale = RBig::from_parts(IBig::ONE, UBig::from(10_u8).pow(number.decimals as usize));
    Ok(Program { kind, ..constant(number.digits, scale) })
}

impl Program {
    /// Whether the value is a number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.kind, ValueKind::Integer | ValueKind::Decimal)
    }

    /// Word for the kind, in messages.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.kind {
            ValueKind::Integer => "whole number",
            ValueKind::Decimal => "decimal number",
            ValueKind::Date => "date",
            ValueKind::Category(_) => "category",
            ValueKind::Boolean => "boolean",
        }
    }

    /// The domain of the values, as a column would declare it; numbers must lie on a grid of at most nine decimals.
    ///
    /// # Errors
    /// [`TermFault::Grid`] for numbers on any other grid.
    pub fn domain(&self) -> Result<Domain, TermFault> {
        Ok(match &self.kind {
            ValueKind::Integer | ValueKind::Decimal => {
                let step = &self.scale / nano();
                let step =
                    i64::try_from(step.numerator().clone()).ok().filter(|_| step.is_int()).ok_or(TermFault::Grid)?;
                // A grid needs two distinct ends, so one more value is added, which never occurs.
                let (low, high) = if self.low == self.high { (self.low - 1, self.high) } else { (self.low, self.high) };
                Domain::Number(Grid { integer: self.kind == ValueKind::Integer, step, low, high })
            }
            ValueKind::Date => {
                let day = |value: i64| i32::try_from(value).map_err(|_| TermFault::TooWide);
                Domain::Date { min: day(self.low)?, max: day(self.high)? }
            }
            ValueKind::Category(labels) => Domain::Category(labels.clone()),
            ValueKind::Boolean => Domain::Boolean,
        })
    }

    /// The program of the stored form of the value: numbers are stored about the centre of their grid.
    ///
    /// # Errors
    /// [`TermFault::Grid`] for numbers without a decimal grid.
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

    /// Converts the value to a finer grid, whose step divides its own.
    fn on_scale(self, scale: &RBig) -> Result<Self, TermFault> {
        if self.scale == *scale {
            return Ok(self);
        }
        let factor = &self.scale / scale;
        let factor = i64::try_from(factor.numerator().clone()).map_err(|_| TermFault::TooWide)?;
        let by = |value: i64| fit(i128::from(value) * i128::from(factor));
        let (low, high) = (by(self.low)?, by(self.high)?);
        let step = match self.step {
            Step::Constant(value) => Step::Constant(by(value)?),
            other => Step::Plus([(other, factor)].into()),
        };
        Ok(Self { step, scale: scale.clone(), low, high, ..self })
    }
}

/// The largest grid step that divides the steps of all parts.
fn common_scale(parts: &[Program]) -> RBig {
    let gcd = |a: RBig, b: &RBig| {
        let (above, below) =
            (a.numerator() * IBig::from(b.denominator().clone()), b.numerator() * IBig::from(a.denominator().clone()));
        let divisor = a.denominator() * b.denominator();
        RBig::from_parts(IBig::from(above.gcd(&below)), divisor)
    };
    let mut scales = parts.iter().map(|part| &part.scale);
    let first = scales.next().cloned().unwrap_or(RBig::ONE);
    scales.fold(first, |so_far, scale| if so_far == *scale { so_far } else { gcd(so_far, scale) })
}
