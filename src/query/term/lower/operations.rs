//! Operations on programs, with the bounds of their results.

use std::sync::Arc;

use dashu::base::{Abs, DivEuclid};
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;

use super::words::united;
use super::{IntegerFunction, Program, Step, TermFault, ValueKind, common_scale, constant, exact, fit};
use crate::query::filter::Filter;
use crate::query::term::context::TermContext;
use crate::query::term::{Constant, Operation, Term};

pub(super) fn alike(parts: Vec<Program>) -> Result<Vec<Program>, TermFault> {
    let scale = common_scale(&parts);
    parts.into_iter().map(|part| part.on_scale(&scale)).collect()
}

pub(super) fn number_kind(parts: &[Program]) -> ValueKind {
    if parts.iter().all(|part| part.kind == ValueKind::Integer) { ValueKind::Integer } else { ValueKind::Decimal }
}

/// A sum. Dates are counted with their sign, because a date less a date is a number of days, to which any number can be added.
pub(super) fn sum(terms: &[Term], parts: Vec<Program>) -> Result<Program, TermFault> {
    let is_less = |term: &Term| matches!(term, Term::Made(made) if matches!(**made, Operation::Negative(_)));
    let sign = |term: &Term| if is_less(term) { -1 } else { 1 };
    let dates = terms.iter().zip(&parts).filter(|(_, part)| part.kind == ValueKind::Date);
    let days: i32 = dates.map(|(term, _)| sign(term)).sum();
    let has_days = parts.iter().any(|part| part.kind == ValueKind::Date);
    for part in &parts {
        part.wanted(part.is_number() || part.kind == ValueKind::Date, "+ or -", "numbers, or dates and whole days")?;
        part.wanted(!has_days || days == 0 || part.kind != ValueKind::Decimal, "+ or - with a date", "whole days")?;
    }
    let kind = match (has_days, days) {
        (false, _) => number_kind(&parts),
        (true, 0) if parts.iter().any(|part| part.kind == ValueKind::Decimal) => ValueKind::Decimal,
        (true, 0) => ValueKind::Integer,
        (true, 1) => ValueKind::Date,
        (true, _) => {
            return Err(TermFault::Kind {
                operation: "+ or -",
                wanted: "one date more than it takes away, or as many",
                found: "sum of dates",
            });
        }
    };
    let parts = alike(parts)?;
    let total = |end: fn(&Program) -> i64| fit(parts.iter().map(|part| i128::from(end(part))).sum());
    let (low, high) = (total(|part| part.low)?, total(|part| part.high)?);
    // No partial sum exceeds the limit, either.
    let size = |part: &Program| i128::from(part.low.unsigned_abs().max(part.high.unsigned_abs()));
    fit(parts.iter().map(size).sum())?;
    let (nullable, per_unit) = (parts.iter().any(|part| part.nullable), parts.iter().all(|part| part.per_unit));
    let scale = parts.first().map_or(RBig::ONE, |part| part.scale.clone());
    let step = Step::Plus(parts.into_iter().map(|part| (part.step, 1)).collect());
    Ok(Program { step, kind, scale, low, high, nullable, per_unit })
}

pub(super) fn negative(part: Program) -> Result<Program, TermFault> {
    part.wanted(part.is_number() || part.kind == ValueKind::Date, "-", "a number or a date")?;
    let (low, high) = (-part.high, -part.low);
    Ok(Program { step: Step::Plus([(part.step, -1)].into()), low, high, ..part })
}

/// A product; the product of a term with itself is not negative.
pub(super) fn product(terms: &[Term], parts: Vec<Program>) -> Result<Program, TermFault> {
    for part in &parts {
        part.wanted(part.is_number(), "*", "numbers")?;
    }
    let (kind, nullable) = (number_kind(&parts), parts.iter().any(|part| part.nullable));
    let per_unit = parts.iter().all(|part| part.per_unit);
    let (mut low, mut high, mut scale) = (1_i64, 1_i64, RBig::ONE);
    for part in &parts {
        let corners = [(low, part.low), (low, part.high), (high, part.low), (high, part.high)];
        let corners = corners.map(|(a, b)| i128::from(a) * i128::from(b));
        low = fit(corners.into_iter().min().unwrap_or(0))?;
        high = fit(corners.into_iter().max().unwrap_or(0))?;
        scale *= part.scale.clone();
    }
    if terms.len() == 2 && terms[0] == terms[1] {
        low = if parts[0].low <= 0 && parts[0].high >= 0 { 0 } else { low.max(0) };
    }
    let step = Step::Times(parts.into_iter().map(|part| part.step).collect());
    Ok(Program { step, kind, scale, low, high, nullable, per_unit })
}

pub(super) fn quotient(part: Program, divisor: Constant) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "/", "a number")?;
    if divisor.digits == 0 {
        return Err(TermFault::Zero);
    }
    if part.kind == ValueKind::Integer && divisor.decimals == 0 {
        let part = part.on_scale(&RBig::ONE)?;
        let ends = [part.low / divisor.digits, part.high / divisor.digits];
        let step = Step::Apply(IntegerFunction::Cut(divisor.digits), Arc::new(part.step));
        return Ok(Program { step, low: ends[0].min(ends[1]), high: ends[0].max(ends[1]), ..part });
    }
    let divided = if divisor.digits < 0 { negative(part)? } else { part };
    let scale = divided.scale.clone() / exact(divisor).abs();
    Ok(Program { scale, kind: ValueKind::Decimal, ..divided })
}

pub(super) fn absolute(part: Program) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "ABS", "a number")?;
    let spans = part.low <= 0 && part.high >= 0;
    let (a, b) = (part.low.abs(), part.high.abs());
    let low = if spans { 0 } else { a.min(b) };
    let step = Step::Apply(IntegerFunction::Absolute, Arc::new(part.step));
    Ok(Program { step, low, high: a.max(b), ..part })
}

pub(super) fn extreme(parts: Vec<Program>, least: bool) -> Result<Program, TermFault> {
    let is_dates = parts.first().is_some_and(|part| part.kind == ValueKind::Date);
    for part in &parts {
        part.wanted(
            if is_dates { part.kind == ValueKind::Date } else { part.is_number() },
            "each of LEAST, GREATEST and OVERLAPS",
            "numbers, or dates alone",
        )?;
    }
    let kind = if is_dates { ValueKind::Date } else { number_kind(&parts) };
    let parts = alike(parts)?;
    // Missing operands are skipped, so only operands that are always present bound the result on this side.
    let over = |end: fn(&Program) -> i64, least: bool| {
        let sure = parts.iter().filter(|part| !part.nullable).map(end);
        let all = parts.iter().map(end);
        if least { sure.min().or(all.max()) } else { sure.max().or(all.min()) }
    };
    let ends = if least {
        (parts.iter().map(|part| part.low).min(), over(|part| part.high, true))
    } else {
        (over(|part| part.low, false), parts.iter().map(|part| part.high).max())
    };
    let (low, high) = (ends.0.unwrap_or(0), ends.1.unwrap_or(0));
    let (nullable, per_unit) = (parts.iter().all(|part| part.nullable), parts.iter().all(|part| part.per_unit));
    let scale = parts.first().map_or(RBig::ONE, |part| part.scale.clone());
    let steps: Arc<[Step]> = parts.into_iter().map(|part| part.step).collect();
    let step = if least { Step::Least(steps) } else { Step::Greatest(steps) };
    Ok(Program { step, kind, scale, low, high, nullable, per_unit })
}

pub(super) fn rounded(part: Program, decimals: u32) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "ROUND", "a number")?;
    let scale = RBig::from_parts(IBig::ONE, UBig::from(10_u8).pow(decimals as usize));
    let ratio = &part.scale / &scale;
    let kind = ValueKind::Decimal;
    if ratio.is_int() {
        return Ok(Program { kind, ..part });
    }
    let numerator = i64::try_from(ratio.numerator().clone()).map_err(|_| TermFault::TooWide)?;
    let denominator = i64::try_from(IBig::from(ratio.denominator().clone())).map_err(|_| TermFault::TooWide)?;
    fit(i128::from(part.low) * i128::from(numerator))?;
    fit(i128::from(part.high) * i128::from(numerator))?;
    let function = IntegerFunction::Rounded { numerator, denominator };
    let (low, high) = (function.apply(part.low), function.apply(part.high));
    Ok(Program { step: Step::Apply(function, Arc::new(part.step)), kind, scale, low, high, ..part })
}

/// A category or a truth value, with a constant in the place of missing ones.
fn filled_text(part: Program, with: Program, known: &TermContext<'_>) -> Result<Program, TermFault> {
    let both = vec![part, with];
    let parts = if both[0].kind == ValueKind::Boolean { both } else { united(both, known).0 };
    let mut parts = parts.into_iter();
    let (Some(part), Some(with)) = (parts.next(), parts.next()) else { return Err(TermFault::TooWide) };
    let (low, high) = (part.low.min(with.low), part.high.max(with.high));
    Ok(Program { step: Step::Filled(Arc::new(part.step), with.low), low, high, nullable: false, ..part })
}

pub(super) fn filled(part: Program, with: Program, known: &TermContext<'_>) -> Result<Program, TermFault> {
    let is_text = matches!((&part.kind, &with.kind), (ValueKind::Category(_), ValueKind::Category(_)));
    if is_text || (part.kind == ValueKind::Boolean && with.kind == ValueKind::Boolean) {
        return filled_text(part, with, known);
    }
    let same = part.is_number() == with.is_number() && (part.kind == ValueKind::Date) == (with.kind == ValueKind::Date);
    with.wanted(
        same && (part.is_number() || part.kind == ValueKind::Date),
        "COALESCE",
        "a number or a date, and a constant like it",
    )?;
    let kind = if part.is_number() { number_kind(&[part.clone(), with.clone()]) } else { part.kind.clone() };
    let parts = alike(vec![part, with])?;
    let (low, high) = (parts[0].low.min(parts[1].low), parts[0].high.max(parts[1].high));
    let (scale, per_unit, value) = (parts[0].scale.clone(), parts[0].per_unit, parts[1].low);
    let step = parts.into_iter().next().map_or(Step::Constant(value), |part| part.step);
    Ok(Program { step: Step::Filled(Arc::new(step), value), kind, scale, low, high, nullable: false, per_unit })
}

/// Brings the values of a CASE to one kind and one grid or list.
fn of_one_kind(values: Vec<Program>, known: &TermContext<'_>) -> Result<(Vec<Program>, ValueKind), TermFault> {
    let first = values.first().map_or(ValueKind::Integer, |value| value.kind.clone());
    for value in &values {
        let is = match &first {
            ValueKind::Integer | ValueKind::Decimal => value.is_number(),
            ValueKind::Category(_) => matches!(value.kind, ValueKind::Category(_)),
            ValueKind::Date | ValueKind::Boolean => value.kind == first,
        };
        value.wanted(is, "CASE", "numbers alone, dates alone, texts alone or truth values alone")?;
    }
    Ok(match first {
        ValueKind::Integer | ValueKind::Decimal => {
            let kind = number_kind(&values);
            (alike(values)?, kind)
        }
        ValueKind::Category(_) => {
            let (values, labels) = united(values, known);
            (values, ValueKind::Category(labels))
        }
        ValueKind::Date | ValueKind::Boolean => (values, first),
    })
}

pub(super) fn case(
    whens: &[(Filter, Term)],
    otherwise: Option<&Term>,
    known: &TermContext<'_>,
) -> Result<Program, TermFault> {
    let values = whens.iter().map(|(_, term)| term).chain(otherwise);
    let values = values.map(|term| known.lower(term).map(|lowered| (*lowered).clone()));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let mut values = values;
    // NULL among the results has the kind and the grid of the others, and adds nothing to their bounds.
    if let Some(first) = values.iter().find(|value| !value.is_null()).cloned() {
        for value in values.iter_mut().filter(|value| value.is_null()) {
            *value = Program { step: value.step.clone(), nullable: true, ..first.clone() };
        }
    }
    let (values, kind) = of_one_kind(values, known)?;
    let low = values.iter().map(|value| value.low).min().unwrap_or(0);
    let high = values.iter().map(|value| value.high).max().unwrap_or(0);
    let nullable = otherwise.is_none() || values.iter().any(|value| value.nullable);
    let per_unit =
        values.iter().all(|value| value.per_unit) && whens.iter().all(|(filter, _)| filter.is_per_unit(known));
    let scale = values.first().map_or(RBig::ONE, |value| value.scale.clone());
    let mut steps = values.into_iter().map(|value| value.step);
    let arms = whens.iter().map(|(filter, _)| filter.clone()).zip(steps.by_ref()).collect();
    let step = Step::Case(arms, steps.next().map(Arc::new));
    Ok(Program { step, kind, scale, low, high, nullable, per_unit })
}

pub(super) fn choice(
    whens: &[(Filter, u32)],
    otherwise: Option<u32>,
    labels: &[String],
    known: &TermContext<'_>,
) -> Program {
    let constant_of = |code: u32| Step::Constant(i64::from(code));
    let arms = whens.iter().map(|(filter, code)| (filter.clone(), constant_of(*code))).collect();
    Program {
        step: Step::Case(arms, otherwise.map(|code| Arc::new(constant_of(code)))),
        kind: ValueKind::Category(labels.iter().cloned().collect()),
        low: 0,
        high: (labels.len() as i64 - 1).max(0),
        nullable: otherwise.is_none(),
        per_unit: whens.iter().all(|(filter, _)| filter.is_per_unit(known)),
        ..constant(0, RBig::ONE)
    }
}

pub(super) fn of_date(
    part: Program,
    operation: &'static str,
    function: IntegerFunction,
    kind: ValueKind,
    value: impl Fn(i64) -> i64,
) -> Result<Program, TermFault> {
    part.wanted(part.kind == ValueKind::Date, operation, "a date")?;
    let (low, high) = (value(part.low), value(part.high));
    Ok(Program { step: Step::Apply(function, Arc::new(part.step)), kind, low, high, ..part })
}

/// WIDTH_BUCKET: edge i of n lies at low + (high − low)·i/n, and a value reaches it from the least integer at or above it.
pub(super) fn bucket(part: Program, low: Constant, high: Constant, count: u32) -> Result<Program, TermFault> {
    part.wanted(part.is_number(), "WIDTH_BUCKET", "a number")?;
    let (low, high) = (exact(low), exact(high));
    let (first, width) = (&low / &part.scale, (&high - &low) / (&part.scale * RBig::from(count)));
    let function = IntegerFunction::Bucket(edges(&first, &width, count).ok_or(TermFault::TooWide)?);
    let (low, high) = (function.apply(part.low), function.apply(part.high));
    let step = Step::Apply(function, Arc::new(part.step));
    Ok(Program { step, kind: ValueKind::Integer, scale: RBig::ONE, low, high, ..part })
}

/// The least integers at or above `first`, `first + width` and so on; `None` if one of them does not fit 64 bits.
fn edges(first: &RBig, width: &RBig, count: u32) -> Option<Arc<[i64]>> {
    let (first_below, width_below) = (IBig::from(first.denominator().clone()), IBig::from(width.denominator().clone()));
    let (start, step) = (first.numerator() * &width_below, width.numerator() * &first_below);
    let below = first_below * width_below;
    let short = |value: &IBig| i128::try_from(value).ok();
    let last = step.clone() * IBig::from(count) + &start;
    if let (Some(start), Some(step), Some(_), Some(below)) = (short(&start), short(&step), short(&last), short(&below))
    {
        let ceiling = |above: i128| above.div_euclid(below) + i128::from(above.rem_euclid(below) > 0);
        return (0..=count).map(|at| i64::try_from(ceiling(start + step * i128::from(at))).ok()).collect();
    }
    let edge = |at: u32| i64::try_from(-(-(&step * IBig::from(at) + &start)).div_euclid(&below)).ok();
    (0..=count).map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fast path and the exact path give the same edges.
    #[test]
    fn edges_are_the_least_integers_at_or_above() {
        let fraction = |above: i64, below: u64| RBig::from_parts(IBig::from(above), UBig::from(below));
        for (first, width) in
            [((0, 1), (7, 3)), ((-17, 4), (1, 1_000)), ((999_999_999, 7), (123_456_789, 1_000)), ((5, 2), (2, 1))]
        {
            let (first, width) = (fraction(first.0, first.1), fraction(width.0, width.1));
            let long: Vec<i64> =
                (0..=50).map(|at| i64::try_from((&first + &width * RBig::from(at)).ceil()).expect("an edge")).collect();
            assert_eq!(edges(&first, &width, 50).expect("they fit")[..], long[..]);
            // The same check for denominators that do not fit 128 bits.
            let tiny = RBig::from_parts(IBig::ONE, UBig::from(3_u8).pow(90));
            let (above, wider) = (&first + &tiny, &width + &tiny);
            let long = (0..=50).map(|at| i64::try_from((&above + &wider * RBig::from(at)).ceil()).expect("an edge"));
            assert_eq!(edges(&above, &wider, 50).expect("they fit")[..], long.collect::<Vec<_>>()[..]);
        }
        let far = fraction(i64::MAX, 1);
        assert_eq!(edges(&far, &far, 2), None, "beyond 64 bits");
    }
}
