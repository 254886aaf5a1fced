//! Operations on programs, with their bounds.

use dashu::base::Abs;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;

use super::{Function, Kind, Lowered, Step, TermFault, common_unit, constant, exact, fit, lower};
use crate::dataset::policy::Terms;
use crate::query::filter::Filter;
use crate::query::term::{Constant, Made, Term};

fn alike(parts: Vec<Lowered>) -> Result<Vec<Lowered>, TermFault> {
    let unit = common_unit(&parts);
    parts.into_iter().map(|part| part.in_units_of(&unit)).collect()
}

fn number_kind(parts: &[Lowered]) -> Kind {
    if parts.iter().all(|part| part.kind == Kind::Integer) { Kind::Integer } else { Kind::Decimal }
}

/// A sum; days are counted with their sign, for a day less a day is a number of days.
pub(super) fn sum(terms: &[Term], parts: Vec<Lowered>) -> Result<Lowered, TermFault> {
    let is_less = |term: &Term| matches!(term, Term::Made(made) if matches!(**made, Made::Negative(_)));
    let sign = |term: &Term| if is_less(term) { -1 } else { 1 };
    let dates = terms.iter().zip(&parts).filter(|(_, part)| part.kind == Kind::Date);
    let days: i32 = dates.map(|(term, _)| sign(term)).sum();
    let has_days = parts.iter().any(|part| part.kind == Kind::Date);
    for part in &parts {
        part.wanted(part.is_number() || part.kind == Kind::Date, "+ or -", "numbers, or dates and whole days")?;
        part.wanted(!has_days || part.kind != Kind::Decimal, "+ or - with a date", "whole days")?;
    }
    let kind = match (has_days, days) {
        (false, _) => number_kind(&parts),
        (true, 0) => Kind::Integer,
        (true, 1) => Kind::Date,
        (true, _) => {
            return Err(TermFault::Kind {
                operation: "+ or -",
                wanted: "one date more than it takes away, or as many",
                found: "sum of dates",
            });
        }
    };
    let parts = alike(parts)?;
    let total = |end: fn(&Lowered) -> i64| fit(parts.iter().map(|part| i128::from(end(part))).sum());
    let (low, high) = (total(|part| part.low)?, total(|part| part.high)?);
    // Nor does any sum of some of them go beyond.
    let size = |part: &Lowered| i128::from(part.low.unsigned_abs().max(part.high.unsigned_abs()));
    fit(parts.iter().map(size).sum())?;
    let (nullable, per_unit) = (parts.iter().any(|part| part.nullable), parts.iter().all(|part| part.per_unit));
    let unit = parts.first().map_or(RBig::ONE, |part| part.unit.clone());
    let step = Step::Plus(parts.into_iter().map(|part| (part.step, 1)).collect());
    Ok(Lowered { step, kind, unit, low, high, nullable, per_unit })
}

pub(super) fn negative(part: Lowered) -> Result<Lowered, TermFault> {
    part.wanted(part.is_number() || part.kind == Kind::Date, "-", "a number or a date")?;
    let (low, high) = (-part.high, -part.low);
    Ok(Lowered { step: Step::Plus(vec![(part.step, -1)]), low, high, ..part })
}

/// A product; that of a term with itself is not below 0.
pub(super) fn product(terms: &[Term], parts: Vec<Lowered>) -> Result<Lowered, TermFault> {
    for part in &parts {
        part.wanted(part.is_number(), "*", "numbers")?;
    }
    let (kind, nullable) = (number_kind(&parts), parts.iter().any(|part| part.nullable));
    let per_unit = parts.iter().all(|part| part.per_unit);
    let (mut low, mut high, mut unit) = (1_i64, 1_i64, RBig::ONE);
    for part in &parts {
        let corners = [(low, part.low), (low, part.high), (high, part.low), (high, part.high)];
        let corners = corners.map(|(a, b)| i128::from(a) * i128::from(b));
        low = fit(corners.into_iter().min().unwrap_or(0))?;
        high = fit(corners.into_iter().max().unwrap_or(0))?;
        unit *= part.unit.clone();
    }
    if terms.len() == 2 && terms[0] == terms[1] {
        low = if parts[0].low <= 0 && parts[0].high >= 0 { 0 } else { low.max(0) };
    }
    let step = Step::Times(parts.into_iter().map(|part| part.step).collect());
    Ok(Lowered { step, kind, unit, low, high, nullable, per_unit })
}

pub(super) fn quotient(part: Lowered, divisor: Constant) -> Result<Lowered, TermFault> {
    part.wanted(part.is_number(), "/", "a number")?;
    if divisor.digits == 0 {
        return Err(TermFault::Zero);
    }
    if part.kind == Kind::Integer && divisor.decimals == 0 {
        let part = part.in_units_of(&RBig::ONE)?;
        let ends = [part.low / divisor.digits, part.high / divisor.digits];
        let step = Step::Apply(Function::Cut(divisor.digits), Box::new(part.step));
        return Ok(Lowered { step, low: ends[0].min(ends[1]), high: ends[0].max(ends[1]), ..part });
    }
    let divided = if divisor.digits < 0 { negative(part)? } else { part };
    let unit = divided.unit.clone() / exact(divisor).abs();
    Ok(Lowered { unit, kind: Kind::Decimal, ..divided })
}

pub(super) fn absolute(part: Lowered) -> Result<Lowered, TermFault> {
    part.wanted(part.is_number(), "ABS", "a number")?;
    let spans = part.low <= 0 && part.high >= 0;
    let (a, b) = (part.low.abs(), part.high.abs());
    let low = if spans { 0 } else { a.min(b) };
    let step = Step::Apply(Function::Absolute, Box::new(part.step));
    Ok(Lowered { step, low, high: a.max(b), ..part })
}

pub(super) fn extreme(parts: Vec<Lowered>, least: bool) -> Result<Lowered, TermFault> {
    let is_dates = parts.first().is_some_and(|part| part.kind == Kind::Date);
    for part in &parts {
        part.wanted(
            if is_dates { part.kind == Kind::Date } else { part.is_number() },
            "LEAST and GREATEST",
            "numbers, or dates alone",
        )?;
    }
    let kind = if is_dates { Kind::Date } else { number_kind(&parts) };
    let parts = alike(parts)?;
    // One that is missing does not count, so the bound of the others holds where it is.
    let over = |end: fn(&Lowered) -> i64, least: bool| {
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
    let unit = parts.first().map_or(RBig::ONE, |part| part.unit.clone());
    let steps = parts.into_iter().map(|part| part.step).collect();
    let step = if least { Step::Least(steps) } else { Step::Greatest(steps) };
    Ok(Lowered { step, kind, unit, low, high, nullable, per_unit })
}

pub(super) fn rounded(part: Lowered, decimals: u32) -> Result<Lowered, TermFault> {
    part.wanted(part.is_number(), "ROUND", "a number")?;
    let unit = RBig::from_parts(IBig::ONE, UBig::from(10_u8).pow(decimals as usize));
    let ratio = &part.unit / &unit;
    let kind = Kind::Decimal;
    if ratio.is_int() {
        return Ok(Lowered { kind, ..part });
    }
    let numerator = i64::try_from(ratio.numerator().clone()).map_err(|_| TermFault::TooWide)?;
    let denominator = i64::try_from(IBig::from(ratio.denominator().clone())).map_err(|_| TermFault::TooWide)?;
    fit(i128::from(part.low) * i128::from(numerator))?;
    fit(i128::from(part.high) * i128::from(numerator))?;
    let function = Function::Rounded { numerator, denominator };
    let (low, high) = (function.apply(part.low), function.apply(part.high));
    Ok(Lowered { step: Step::Apply(function, Box::new(part.step)), kind, unit, low, high, ..part })
}

pub(super) fn filled(part: Lowered, with: Lowered) -> Result<Lowered, TermFault> {
    let same = part.is_number() == with.is_number() && (part.kind == Kind::Date) == (with.kind == Kind::Date);
    with.wanted(
        same && (part.is_number() || part.kind == Kind::Date),
        "COALESCE",
        "a number or a date, and a constant like it",
    )?;
    let kind = if part.is_number() { number_kind(&[part.clone(), with.clone()]) } else { part.kind.clone() };
    let parts = alike(vec![part, with])?;
    let (low, high) = (parts[0].low.min(parts[1].low), parts[0].high.max(parts[1].high));
    let (unit, per_unit, value) = (parts[0].unit.clone(), parts[0].per_unit, parts[1].low);
    let step = parts.into_iter().next().map_or(Step::Constant(value), |part| part.step);
    Ok(Lowered { step: Step::Filled(Box::new(step), value), kind, unit, low, high, nullable: false, per_unit })
}

pub(super) fn case(whens: &[(Filter, Term)], otherwise: Option<&Term>, terms: &Terms) -> Result<Lowered, TermFault> {
    let values = whens.iter().map(|(_, term)| term).chain(otherwise);
    let values = values.map(|term| lower(term, terms)).collect::<Result<Vec<_>, _>>()?;
    let is_dates = values.first().is_some_and(|value| value.kind == Kind::Date);
    for value in &values {
        let is = if is_dates { value.kind == Kind::Date } else { value.is_number() };
        value.wanted(is, "CASE", "numbers alone, dates alone or texts alone")?;
    }
    let kind = if is_dates { Kind::Date } else { number_kind(&values) };
    let values = alike(values)?;
    let low = values.iter().map(|value| value.low).min().unwrap_or(0);
    let high = values.iter().map(|value| value.high).max().unwrap_or(0);
    let nullable = otherwise.is_none() || values.iter().any(|value| value.nullable);
    let per_unit =
        values.iter().all(|value| value.per_unit) && whens.iter().all(|(filter, _)| filter.is_per_unit(terms));
    let unit = values.first().map_or(RBig::ONE, |value| value.unit.clone());
    let mut steps = values.into_iter().map(|value| value.step);
    let arms = whens.iter().map(|(filter, _)| filter.clone()).zip(steps.by_ref()).collect();
    let step = Step::Case(arms, steps.next().map(Box::new));
    Ok(Lowered { step, kind, unit, low, high, nullable, per_unit })
}

pub(super) fn choice(whens: &[(Filter, u32)], otherwise: Option<u32>, labels: &[String], terms: &Terms) -> Lowered {
    let constant_of = |code: u32| Step::Constant(i64::from(code));
    let arms = whens.iter().map(|(filter, code)| (filter.clone(), constant_of(*code))).collect();
    Lowered {
        step: Step::Case(arms, otherwise.map(|code| Box::new(constant_of(code)))),
        kind: Kind::Category(labels.to_vec()),
        low: 0,
        high: (labels.len() as i64 - 1).max(0),
        nullable: otherwise.is_none(),
        per_unit: whens.iter().all(|(filter, _)| filter.is_per_unit(terms)),
        ..constant(0, RBig::ONE)
    }
}

pub(super) fn of_date(
    part: Lowered,
    operation: &'static str,
    function: Function,
    kind: Kind,
    value: impl Fn(i64) -> i64,
) -> Result<Lowered, TermFault> {
    part.wanted(part.kind == Kind::Date, operation, "a date")?;
    let (low, high) = (value(part.low), value(part.high));
    Ok(Lowered { step: Step::Apply(function, Box::new(part.step)), kind, low, high, ..part })
}

/// Edge i of n lies at low + (high − low)·i/n; a value is at or above it from the least integer on that is.
pub(super) fn bucket(part: Lowered, low: Constant, high: Constant, count: u32) -> Result<Lowered, TermFault> {
    part.wanted(part.is_number(), "WIDTH_BUCKET", "a number")?;
    let (low, high) = (exact(low), exact(high));
    let edge = |at: u32| {
        let place = &low + (&high - &low) * RBig::from(at) / RBig::from(count);
        i64::try_from((place / &part.unit).ceil()).map_err(|_| TermFault::TooWide)
    };
    let edges = (0..=count).map(edge).collect::<Result<Vec<_>, _>>()?;
    let function = Function::Bucket(edges);
    let (low, high) = (function.apply(part.low), function.apply(part.high));
    let step = Step::Apply(function, Box::new(part.step));
    Ok(Lowered { step, kind: Kind::Integer, unit: RBig::ONE, low, high, ..part })
}
