//! Functions of numbers after the noise: their values, their derivatives and their intervals.
//!
//! Promises that a function of one noisy value has the interval that holds the function's values over the whole interval of that value, so
//! that it holds the truth at least as often; an end that no number bounds is infinite. With several noisy arguments, the interval is that
//! of the delta method, except that GREATEST and LEAST take the greatest or the least of the ends.

use super::Formula;
use super::absence::AbsenceReason;
use super::cell_values::CellValues;
use super::dual::Dual;
use super::estimate::IntervalEstimate;
use crate::query::syntax::ScalarFunction;

/// The value of a function with its derivatives.
///
/// # Errors
/// Why there is no value: an argument is missing, or noise has carried one out of where the function is defined.
pub(super) fn dual(function: ScalarFunction, parts: &[Formula], at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
    match function {
        ScalarFunction::Coalesce => present(parts, at, Formula::dual),
        ScalarFunction::Greatest | ScalarFunction::Least => {
            let better = |one: &Dual, other: &Dual| match function {
                ScalarFunction::Least => one.value < other.value,
                _ => one.value > other.value,
            };
            let all = present_ones(parts, at, Formula::dual)?;
            let best = all.into_iter().reduce(|best, one| if better(&one, &best) { one } else { best });
            best.ok_or(AbsenceReason::NoValue)
        }
        ScalarFunction::Floor
        | ScalarFunction::Ceil
        | ScalarFunction::Trunc
        | ScalarFunction::Ln
        | ScalarFunction::Exp
        | ScalarFunction::Log
        | ScalarFunction::Power
        | ScalarFunction::Sign
        | ScalarFunction::Mod => of_all(function, &duals(parts, at)?),
    }
}

/// The arguments with their derivatives, or the greatest reason why one is missing.
fn duals(parts: &[Formula], at: CellValues<'_>) -> Result<Vec<Dual>, AbsenceReason> {
    let all: Vec<Result<Dual, AbsenceReason>> = parts.iter().map(|part| part.dual(at)).collect();
    match all.iter().filter_map(|one| one.as_ref().err()).max() {
        Some(reason) => Err(*reason),
        None => Ok(all.into_iter().flatten().collect()),
    }
}

fn of_all(function: ScalarFunction, of: &[Dual]) -> Result<Dual, AbsenceReason> {
    let numbers: Vec<f64> = of.iter().map(|one| one.value).collect();
    let lost =
        || of.iter().find(|one| !one.slopes.is_empty()).or(of.first()).map_or(AbsenceReason::NoValue, Dual::lost);
    let value = apply(function, &numbers);
    let slopes = slopes(function, &numbers);
    if !value.is_finite() || of.iter().zip(&slopes).any(|(one, slope)| !one.slopes.is_empty() && !slope.is_finite()) {
        return Err(lost());
    }
    let parts: Vec<Dual> = of.iter().zip(slopes).map(|(one, slope)| one.stretched(0.0, slope)).collect();
    Ok(Dual { value, ..Dual::sum(parts.iter()) })
}

/// The value of a function of plain numbers; NaN where it is not defined.
fn apply(function: ScalarFunction, of: &[f64]) -> f64 {
    let (first, second) = (of.first().copied().unwrap_or(f64::NAN), of.get(1).copied());
    match function {
        ScalarFunction::Floor => first.floor(),
        ScalarFunction::Ceil => first.ceil(),
        ScalarFunction::Trunc => {
            let power = 10_f64.powf(second.unwrap_or(0.0).trunc());
            (first * power).trunc() / power
        }
        ScalarFunction::Ln => first.ln(),
        ScalarFunction::Exp => first.exp(),
        ScalarFunction::Log => match second {
            None => first.log10(),
            Some(of) => of.ln() / first.ln(),
        },
        ScalarFunction::Power => first.powf(second.unwrap_or(f64::NAN)),
        ScalarFunction::Sign if first == 0.0 => 0.0,
        ScalarFunction::Sign => first.signum(),
        ScalarFunction::Mod => first % second.unwrap_or(f64::NAN),
        ScalarFunction::Greatest => of.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ScalarFunction::Least => of.iter().copied().fold(f64::INFINITY, f64::min),
        ScalarFunction::Coalesce => first,
    }
}

/// The derivatives by each argument. A function that rounds keeps the error of its argument, as ROUND does.
fn slopes(function: ScalarFunction, of: &[f64]) -> Vec<f64> {
    let (first, second) = (of.first().copied().unwrap_or(f64::NAN), of.get(1).copied());
    match (function, second) {
        (ScalarFunction::Floor | ScalarFunction::Ceil | ScalarFunction::Trunc, _) => vec![1.0, 0.0],
        (ScalarFunction::Ln, _) => vec![first.recip()],
        (ScalarFunction::Exp, _) => vec![first.exp()],
        (ScalarFunction::Log, None) => vec![(first * std::f64::consts::LN_10).recip()],
        (ScalarFunction::Log, Some(of)) => {
            vec![-of.ln() / (first * first.ln().powi(2)), (of * first.ln()).recip()]
        }
        (ScalarFunction::Power, Some(by)) => {
            let by_base = if by == 0.0 { 0.0 } else { by * first.powf(by - 1.0) };
            vec![by_base, first.powf(by) * first.ln()]
        }
        (ScalarFunction::Mod, Some(by)) => vec![1.0, -(first / by).trunc()],
        (
            ScalarFunction::Sign
            | ScalarFunction::Greatest
            | ScalarFunction::Least
            | ScalarFunction::Coalesce
            | ScalarFunction::Power
            | ScalarFunction::Mod,
            _,
        ) => vec![0.0; of.len()],
    }
}

/// The estimate with its interval; `None` if the delta method is to give it.
pub(super) fn ends(
    function: ScalarFunction,
    parts: &[Formula],
    at: CellValues<'_>,
) -> Result<Option<IntervalEstimate>, AbsenceReason> {
    match function {
        ScalarFunction::Coalesce => return present(parts, at, Formula::ends).map(Some),
        ScalarFunction::Greatest | ScalarFunction::Least => {
            let all = present_ones(parts, at, Formula::ends)?;
            let is_least = function == ScalarFunction::Least;
            return Ok(extreme(all, is_least));
        }
        ScalarFunction::Floor
        | ScalarFunction::Ceil
        | ScalarFunction::Trunc
        | ScalarFunction::Ln
        | ScalarFunction::Exp
        | ScalarFunction::Log
        | ScalarFunction::Power
        | ScalarFunction::Sign
        | ScalarFunction::Mod => {}
    }
    let noisy: Vec<usize> = (0..parts.len()).filter(|place| !parts[*place].is_number()).collect();
    let [place] = noisy[..] else { return Ok(None) };
    let all = duals(parts, at)?;
    let whole = of_all(function, &all)?;
    let inner = parts[place].ends(at)?;
    let numbers: Vec<f64> = all.iter().map(|one| one.value).collect();
    let Some((low, high)) = image(function, place, &numbers, (inner.low, inner.high)) else { return Ok(None) };
    // The slope relates the standard errors, also where derivatives do not describe the noise.
    let slope = slopes(function, &numbers)[place].abs();
    Ok(Some(IntervalEstimate { value: whole.value, low, high, std_error: slope * inner.std_error }))
}

/// The least and the greatest value of a function over an interval of the argument at `place`; `None` if that is not known.
fn image(function: ScalarFunction, place: usize, of: &[f64], (low, high): (f64, f64)) -> Option<(f64, f64)> {
    let value = |end: f64| {
        let mut of = of.to_vec();
        of[place] = end;
        apply(function, &of)
    };
    let monotone = || {
        let (one, other) = (value(low), value(high));
        (!one.is_nan() && !other.is_nan()).then(|| (one.min(other), one.max(other)))
    };
    match (function, place) {
        (ScalarFunction::Floor | ScalarFunction::Ceil | ScalarFunction::Trunc | ScalarFunction::Exp, 0)
        | (ScalarFunction::Sign, 0)
        | (ScalarFunction::Power, 1) => monotone(),
        // Below 0 there is no logarithm, and towards 0 it has no bound.
        (ScalarFunction::Ln, 0) | (ScalarFunction::Log, 0) if of.len() == 1 => {
            let end = |end: f64| if end > 0.0 { value(end) } else { f64::NEG_INFINITY };
            Some((end(low), end(high)))
        }
        (ScalarFunction::Log, 1) => {
            let base = of[0];
            let end = |end: f64| if end > 0.0 { end.ln() / base.ln() } else { f64::NEG_INFINITY / base.ln() };
            let (one, other) = (end(low), end(high));
            Some((one.min(other), one.max(other)))
        }
        (ScalarFunction::Power, 0) => {
            let by = *of.get(1)?;
            let is_whole = by == by.trunc();
            let is_even = is_whole && by % 2.0 == 0.0;
            let (low, high) = if is_whole { (low, high) } else { (low.max(0.0), high.max(0.0)) };
            let (one, other) = (low.powf(by), high.powf(by));
            let holds_zero = low <= 0.0 && high >= 0.0;
            Some(match (holds_zero, by < 0.0) {
                (true, true) if is_even => (one.min(other), f64::INFINITY),
                (true, true) if low < 0.0 => (f64::NEG_INFINITY, f64::INFINITY),
                (true, true) => (other, f64::INFINITY),
                (true, false) if is_even && by != 0.0 => (0.0, one.max(other)),
                (true, false) | (false, _) => (one.min(other), one.max(other)),
            })
        }
        (ScalarFunction::Mod, 0) => {
            let by = of.get(1)?.abs();
            let is_within = (low / by).trunc() == (high / by).trunc() && (low >= 0.0 || high <= 0.0);
            let least = if low < 0.0 { -by } else { 0.0 };
            let greatest = if high > 0.0 { by } else { 0.0 };
            if is_within { monotone() } else { Some((least, greatest)) }
        }
        _ => None,
    }
}

/// The greatest or the least of several estimates, with the greatest or the least of their ends.
pub(super) fn extreme(all: Vec<IntervalEstimate>, is_least: bool) -> Option<IntervalEstimate> {
    let pick = |one: f64, other: f64| if is_least { one.min(other) } else { one.max(other) };
    let is_better = |one: f64, other: f64| if is_least { one < other } else { one > other };
    all.into_iter().reduce(|best, one| IntervalEstimate {
        value: pick(best.value, one.value),
        low: pick(best.low, one.low),
        high: pick(best.high, one.high),
        std_error: if is_better(one.value, best.value) { one.std_error } else { best.std_error },
    })
}

/// The first present value.
fn present<T>(
    parts: &[Formula],
    at: CellValues<'_>,
    of: impl Fn(&Formula, CellValues<'_>) -> Result<T, AbsenceReason>,
) -> Result<T, AbsenceReason> {
    let mut reason = AbsenceReason::NoValue;
    for part in parts {
        match of(part, at) {
            Ok(found) => return Ok(found),
            Err(AbsenceReason::Hidden) => return Err(AbsenceReason::Hidden),
            Err(other) => reason = reason.max(other),
        }
    }
    Err(reason)
}

/// All present values. One that is lost in noise or hidden could be any, so there is no result with it.
fn present_ones<T>(
    parts: &[Formula],
    at: CellValues<'_>,
    of: impl Fn(&Formula, CellValues<'_>) -> Result<T, AbsenceReason>,
) -> Result<Vec<T>, AbsenceReason> {
    let mut all = Vec::with_capacity(parts.len());
    for part in parts {
        match of(part, at) {
            Ok(found) => all.push(found),
            Err(AbsenceReason::NoValue) => {}
            Err(reason) => return Err(reason),
        }
    }
    if all.is_empty() { Err(AbsenceReason::NoValue) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_hold_every_value_between_the_ends() {
        let cases: [(ScalarFunction, usize, &[f64]); 15] = [
            (ScalarFunction::Floor, 0, &[0.0]),
            (ScalarFunction::Ceil, 0, &[0.0]),
            (ScalarFunction::Trunc, 0, &[0.0, 1.0]),
            (ScalarFunction::Ln, 0, &[0.0]),
            (ScalarFunction::Exp, 0, &[0.0]),
            (ScalarFunction::Log, 0, &[0.0]),
            (ScalarFunction::Log, 1, &[0.5, 0.0]),
            (ScalarFunction::Power, 0, &[0.0, 2.0]),
            (ScalarFunction::Power, 0, &[0.0, 3.0]),
            (ScalarFunction::Power, 0, &[0.0, 0.5]),
            (ScalarFunction::Power, 0, &[0.0, -1.0]),
            (ScalarFunction::Power, 0, &[0.0, -2.0]),
            (ScalarFunction::Power, 1, &[0.5, 0.0]),
            (ScalarFunction::Sign, 0, &[0.0]),
            (ScalarFunction::Mod, 0, &[0.0, 3.0]),
        ];
        for (function, place, of) in cases {
            for (low, high) in [(-7.5, -1.25), (-2.0, 3.5), (0.0, 2.0), (1.5, 2.5), (3.25, 9.0)] {
                let (least, greatest) = image(function, place, of, (low, high)).expect("an image");
                for step in 0..=200 {
                    let mut of = of.to_vec();
                    of[place] = low + (high - low) * f64::from(step) / 200.0;
                    let value = apply(function, &of);
                    let holds = value.is_nan() || (least - 1e-9 <= value && value <= greatest + 1e-9);
                    assert!(holds, "{function:?}{of:?} = {value} in {least}..{greatest}");
                }
            }
        }
    }

    #[test]
    fn slopes_are_those_of_small_differences() {
        let cases: [(ScalarFunction, &[f64]); 7] = [
            (ScalarFunction::Ln, &[2.5]),
            (ScalarFunction::Exp, &[1.5]),
            (ScalarFunction::Log, &[7.0]),
            (ScalarFunction::Log, &[3.0, 7.0]),
            (ScalarFunction::Power, &[2.5, 1.5]),
            (ScalarFunction::Power, &[2.5, -2.0]),
            (ScalarFunction::Mod, &[7.5, 2.0]),
        ];
        for (function, of) in cases {
            for (place, slope) in slopes(function, of).into_iter().enumerate() {
                let moved = |by: f64| {
                    let mut of = of.to_vec();
                    of[place] += by;
                    apply(function, &of)
                };
                let found = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!(
                    (found - slope).abs() < 1e-5 * (1.0 + slope.abs()),
                    "{function:?}{of:?} by {place}: {found} {slope}"
                );
            }
        }
    }
}
