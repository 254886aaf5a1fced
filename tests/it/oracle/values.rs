//! The value of a term for one row.

use dashu::base::{Abs, Signed};
use dashu::integer::UBig;
use dashu::rational::RBig;
use jiff::ToSpan;
use tacit::query::term::formats::DayFormat;
use tacit::query::term::lower::Side;
use tacit::query::term::patterns::Pattern;
use tacit::query::term::real::RealFunction;
use tacit::query::term::{Constant, Operation, Term};

use super::{Oracle, Row, Value, bucket, day, exact, number, numeric, part, rounded, truncated, words};

impl Oracle<'_> {
    /// The value of a term for one row, by SQL's rules.
    pub fn value(&self, term: &Term, row: &Row) -> Option<Value> {
        let of = |term: &Term| self.value(term, row);
        let made = match term {
            Term::Column(index) => return row.values[*index].clone(),
            Term::Made(made) => &**made,
        };
        Some(match made {
            Operation::Constant(constant) => numeric(exact(*constant), constant.decimals == 0),
            Operation::Day(number) => Value::Day(day(&RBig::from(*number))),
            Operation::Plus(parts) => self.sum(parts, row)?,
            Operation::Negative(inner) => {
                let (value, whole) = number(&of(inner)?);
                numeric(-value, whole)
            }
            Operation::Times(parts) => {
                let parts = parts.iter().map(of).collect::<Option<Vec<_>>>()?;
                let product = parts.iter().fold((RBig::ONE, true), |(product, whole), part| {
                    let (value, is_whole) = number(part);
                    (product * value, whole && is_whole)
                });
                numeric(product.0, product.1)
            }
            Operation::Over(inner, divisor) => quotient(number(&of(inner)?), *divisor),
            Operation::Absolute(inner) => {
                let (value, whole) = number(&of(inner)?);
                numeric(value.abs(), whole)
            }
            Operation::Least(parts) => self.extreme(parts, row, true)?,
            Operation::Greatest(parts) => self.extreme(parts, row, false)?,
            Operation::Rounded(inner, decimals) => rounded(number(&of(inner)?).0, *decimals),
            Operation::Filled(inner, with) => self.typed(term, of(inner).or_else(|| of(with))?),
            Operation::Case(whens, otherwise) => {
                let chosen = whens.iter().find(|(when, _)| self.truth(when, row) == Some(true));
                let chosen = chosen.map(|(_, then)| then).or(otherwise.as_ref())?;
                self.typed(term, of(chosen)?)
            }
            Operation::Choice { whens, otherwise, labels } => {
                let chosen = whens.iter().find(|(when, _)| self.truth(when, row) == Some(true));
                Value::Text(labels[chosen.map(|(_, code)| *code).or(*otherwise)? as usize].clone())
            }
            Operation::Truth(filter) => Value::Truth(self.truth(filter, row)?),
            Operation::Truncated(inner, period) => match of(inner)? {
                Value::Day(day) => Value::Day(truncated(day, *period)),
                other => panic!("{other:?} is no day"),
            },
            Operation::Extracted(inner, which) => match of(inner)? {
                Value::Day(day) => Value::Decimal(RBig::from(part(day, *which))),
                other => panic!("{other:?} is no day"),
            },
            Operation::Integer(_)
            | Operation::Decimal(_)
            | Operation::Cut(..)
            | Operation::Remainder(..)
            | Operation::Sign(_)
            | Operation::Real(..)
            | Operation::Coalesced(_)
            | Operation::Bucket { .. }
            | Operation::Text(_)
            | Operation::Worded(..)
            | Operation::Apart(..)
            | Operation::Formatted(..)
            | Operation::Later(..)
            | Operation::Elapsed(..)
            | Operation::Read(..)
            | Operation::Made { .. }
            | Operation::Matched(..) => return self.later_value(term, made, row),
        })
    }

    /// The value of an operation that is newer than the first edition of plans.
    fn later_value(&self, term: &Term, made: &Operation, row: &Row) -> Option<Value> {
        let of = |term: &Term| self.value(term, row);
        Some(match made {
            Operation::Integer(inner) => match of(inner)? {
                Value::Truth(truth) => Value::Whole(RBig::from(i64::from(truth))),
                other => Value::Whole(number(&rounded(number(&other).0, 0)).0),
            },
            Operation::Decimal(inner) => match of(inner)? {
                Value::Truth(truth) => Value::Decimal(RBig::from(i64::from(truth))),
                other => Value::Decimal(number(&other).0),
            },
            Operation::Cut(inner, side, decimals) => cut(number(&of(inner)?).0, *side, *decimals),
            Operation::Remainder(inner, by) => {
                let (value, whole) = number(&of(inner)?);
                let times = RBig::from((value.clone() / exact(*by)).trunc());
                numeric(value - times * exact(*by), whole && by.decimals == 0)
            }
            Operation::Sign(inner) => {
                let value = number(&of(inner)?).0;
                Value::Decimal(RBig::from(i64::from(!value.is_zero()) * if value.is_negative() { -1 } else { 1 }))
            }
            Operation::Real(function, inner) => {
                let value = number(&of(inner)?).0.to_f64().value();
                real(*function, value)?
            }
            Operation::Coalesced(parts) => self.typed(term, parts.iter().find_map(of)?),
            Operation::Bucket { of: inner, low, high, count } => {
                bucket(number(&of(inner)?).0, exact(*low), exact(*high), i64::from(*count))
            }
            Operation::Text(text) => Value::Text(text.clone()),
            Operation::Worded(function, parts) => words::worded(*function, &parts.iter().map(of).collect::<Vec<_>>())?,
            Operation::Apart(one, other) => Value::Whole(RBig::from(i64::from(of(one)? != of(other)?))),
            Operation::Formatted(inner, format) => {
                let format = DayFormat::parse(format).expect("a format");
                Value::Text(format.text(i64::try_from(number(&of(inner)?).0.floor()).expect("a day")))
            }
            Operation::Later(inner, months) => match of(inner)? {
                Value::Day(day) => Value::Day(day + months.months()),
                other => panic!("{other:?} is no day"),
            },
            Operation::Elapsed(span, [from, to]) => match (of(from)?, of(to)?) {
                (Value::Day(from), Value::Day(to)) => Value::Whole(RBig::from(words::elapsed(*span, from, to))),
                other => panic!("{other:?} are no days"),
            },
            Operation::Read(inner, format) => words::read(&of(inner)?, format),
            Operation::Made { year, month, day } => words::made([of(year)?, of(month)?, of(day)?]),
            Operation::Matched(inner, kind, pattern) => match of(inner)? {
                Value::Text(text) => Value::Truth(Pattern::parse(*kind, pattern).expect("a pattern").matches(&text)),
                other => panic!("{other:?} is no text"),
            },
            Operation::Constant(_)
            | Operation::Day(_)
            | Operation::Plus(_)
            | Operation::Negative(_)
            | Operation::Times(_)
            | Operation::Over(..)
            | Operation::Absolute(_)
            | Operation::Least(_)
            | Operation::Greatest(_)
            | Operation::Rounded(..)
            | Operation::Filled(..)
            | Operation::Case(..)
            | Operation::Choice { .. }
            | Operation::Truth(_)
            | Operation::Truncated(..)
            | Operation::Extracted(..) => panic!("{made:?} is not among these"),
        })
    }
}

fn real(function: RealFunction, value: f64) -> Option<Value> {
    let real = match function {
        RealFunction::Root => value.sqrt(),
        RealFunction::Exponential => value.exp(),
        RealFunction::Natural => value.ln(),
        RealFunction::Logarithm(base) => value.ln() / base.to_f64().ln(),
        RealFunction::Power(exponent) => value.powf(exponent.to_f64()),
    };
    if !real.is_finite() {
        return None;
    }
    Some(Value::Decimal(RBig::from((real * 1e4).round() as i64) / RBig::from(10_000)))
}

fn quotient((value, whole): (RBig, bool), divisor: Constant) -> Value {
    let quotient = value / exact(divisor);
    if whole && divisor.decimals == 0 { Value::Whole(RBig::from(quotient.trunc())) } else { Value::Decimal(quotient) }
}

fn cut(value: RBig, side: Side, decimals: u32) -> Value {
    let power = RBig::from(UBig::from(10_u8).pow(decimals as usize));
    let value = value * &power;
    let steps = match side {
        Side::Down => value.floor(),
        Side::Up => value.ceil(),
        Side::Zero => value.trunc(),
    };
    Value::Decimal(RBig::from(steps) / power)
}
