//! Casts, rounding to one side, remainders and functions of real numbers on programs, with the bounds of their results.

use std::sync::Arc;

use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;

use super::operations::{alike, number_kind, rounded};
use super::{IntegerFunction, Program, Side, Step, TermFault, ValueKind, constant, fit, number};
use crate::query::filter::Filter;
use crate::query::term::real::{DECIMALS, RealFunction};
use crate::query::term::{Constant, Term};
use crate::query::terms::domain::Domain;

/// A cast to a whole number: rounded, halves away from 0; true is 1 and false is 0.
pub(super) fn integer(part: Program) -> Result<Program, TermFault> {
    let is_truth = part.kind == ValueKind::Boolean;
    part.wanted(is_truth || part.is_number(), "a cast to INTEGER", "a number or a condition")?;
    let whole = if is_truth { part } else { rounded(part, 0)? };
    Ok(Program { kind: ValueKind::Integer, ..whole })
}

/// A cast to a decimal, which is divided as decimals are.
pub(super) fn decimal(part: Program) -> Result<Program, TermFault> {
    let is_truth = part.kind == ValueKind::Boolean;
    part.wanted(is_truth || part.is_number(), "a cast to NUMERIC", "a number or a condition")?;
    Ok(Program { kind: ValueKind::Decimal, ..part })
}

/// A number rounded to one side, to this many decimals.
pub(super) fn cut(part: Program, side: Side, decimals: u32) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), side.word(), "a number")?;
    let scale = RBig::from_parts(IBig::ONE, UBig::from(10_u8).pow(decimals as usize));
    let ratio = &part.scale / &scale;
    if ratio.is_int() {
        return Ok(Program { kind: ValueKind::Decimal, ..part });
    }
    let (numerator, denominator) = small(&ratio)?;
    fit(i128::from(part.low) * i128::from(numerator))?;
    fit(i128::from(part.high) * i128::from(numerator))?;
    let function = IntegerFunction::Toward { side, numerator, denominator };
    let (low, high) = (function.apply(part.low), function.apply(part.high));
    let step = Step::Apply(function, Arc::new(part.step));
    Ok(Program { step, kind: ValueKind::Decimal, scale, low, high, ..part })
}

/// The remainder of a division by a constant, with the sign of the dividend.
pub(super) fn remainder(part: Program, divisor: Constant) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "MOD", "a number")?;
    if divisor.digits == 0 {
        return Err(TermFault::Zero);
    }
    let parts = [part, number(divisor)?];
    let kind = number_kind(&parts);
    let mut parts = alike(parts.into())?.into_iter();
    let (Some(part), Some(divisor)) = (parts.next(), parts.next()) else { return Err(TermFault::Grid) };
    let most = divisor.low.saturating_abs() - 1;
    let (low, high) = (part.low.clamp(-most, 0), part.high.clamp(0, most));
    let step = Step::Apply(IntegerFunction::Remainder(divisor.low), Arc::new(part.step));
    Ok(Program { step, kind, low, high, ..part })
}

/// The sign of a number: −1, 0 or 1.
pub(super) fn sign(part: Program) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "SIGN", "a number")?;
    let (low, high) = (part.low.signum(), part.high.signum());
    let step = Step::Apply(IntegerFunction::Sign, Arc::new(part.step));
    Ok(Program { step, kind: ValueKind::Decimal, scale: RBig::ONE, low, high, ..part })
}

/// A function of a real number; missing where it is not defined.
pub(super) fn real(function: RealFunction, of: &Term, part: Program) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "a function of a real number", "a number")?;
    let (numerator, denominator) = small(&part.scale)?;
    let applied = IntegerFunction::Real { function, numerator, denominator };
    let first = function.first().unwrap_or(part.low).max(part.low);
    let scale = RBig::from_parts(IBig::ONE, UBig::from(10_u8).pow(DECIMALS as usize));
    // Every function is monotone.
    let ends = if first > part.high { (0, 0) } else { (applied.apply(first), applied.apply(part.high)) };
    let (low, high) = (ends.0.min(ends.1), ends.0.max(ends.1));
    let is_defined = first == part.low;
    if low <= -(i64::MAX >> 1) || high >= i64::MAX >> 1 {
        return Err(TermFault::TooWide);
    }
    let step = Step::Apply(applied, Arc::new(part.step.clone()));
    let step = if is_defined {
        step
    } else {
        let centre = match part.domain()? {
            Domain::Number(grid) => grid.centre(),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => 0,
        };
        let is_in = Filter::Range { column: of.clone(), low: first - centre, high: part.high.max(first) - centre };
        Step::Case([(is_in, step)].into(), None)
    };
    let nullable = part.nullable || !is_defined;
    Ok(Program { step, kind: ValueKind::Decimal, scale, low, high, nullable, ..part })
}

/// SQL's COALESCE of several values: the first that is not missing.
pub(super) fn coalesced(terms: &[Term], parts: Vec<Program>) -> Result<Program, TermFault> {
    let is_dates = parts.first().is_some_and(|part| part.kind == ValueKind::Date);
    for part in &parts {
        let is = if is_dates { part.kind == ValueKind::Date } else { part.is_number() };
        part.wanted(is, "COALESCE", "numbers alone or dates alone")?;
        // A term in an IS NULL test must have a value that can be stored.
        part.domain()?;
    }
    let kind = if is_dates { ValueKind::Date } else { number_kind(&parts) };
    let parts = alike(parts)?;
    let low = parts.iter().map(|part| part.low).min().unwrap_or(0);
    let high = parts.iter().map(|part| part.high).max().unwrap_or(0);
    let (nullable, per_unit) = (parts.iter().all(|part| part.nullable), parts.iter().all(|part| part.per_unit));
    let scale = parts.first().map_or(RBig::ONE, |part| part.scale.clone());
    let mut steps: Vec<Step> = parts.into_iter().map(|part| part.step).collect();
    let last = steps.pop().map(Arc::new);
    let is_there = |term: &Term| Filter::Not(Box::new(Filter::Missing { column: term.clone() }));
    let arms = terms.iter().map(is_there).zip(steps).collect();
    Ok(Program { step: Step::Case(arms, last), kind, scale, low, high, nullable, per_unit })
}

/// The missing value: `NULL` as a result of CASE.
pub(super) fn missing() -> Program {
    Program { step: Step::Case([].into(), None), kind: ValueKind::Integer, nullable: true, ..constant(0, RBig::ONE) }
}

impl Program {
    /// Whether the value is always missing, because it was written as `NULL`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.step, Step::Case(arms, None) if arms.is_empty())
    }

    /// Whether the values have a decimal grid, be it of more than nine decimals.
    #[must_use]
    pub fn is_on_decimals(&self) -> bool {
        let mut below = IBig::from(self.scale.denominator().clone());
        for factor in [2, 5] {
            while (&below % IBig::from(factor)) == IBig::ZERO {
                below /= IBig::from(factor);
            }
        }
        below == IBig::ONE
    }
}

fn small(ratio: &RBig) -> Result<(i64, i64), TermFault> {
    let numerator = i64::try_from(ratio.numerator().clone()).map_err(|_| TermFault::TooWide)?;
    let denominator = i64::try_from(IBig::from(ratio.denominator().clone())).map_err(|_| TermFault::TooWide)?;
    Ok((numerator, denominator))
}
