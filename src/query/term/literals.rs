//! Literals: constants of a question as exact numbers, days and positions among stored integers.

use dashu::base::Signed;
use dashu::integer::IBig;
use dashu::rational::RBig;
use std::cmp::Ordering;

use super::{Constant, Operation, Term};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::filter::{Filter, NEVER, stored_bounds};
use crate::query::syntax::{Comparison, Literal, LiteralValue};
use crate::query::terms::domain::{Domain, Grid, date_days};

/// Largest number of digits of a numeric literal; its exponent is clamped to twice this number.
const LITERAL_DIGITS_MAX: usize = 400;

/// A constant as an operand of arithmetic.
pub(super) fn constant(value: &LiteralValue, at: Position) -> Result<Term, QueryError> {
    match value {
        LiteralValue::Number(_) => {
            decimal(&Literal { value: value.clone(), at }).map(|constant| Term::of(Operation::Constant(constant)))
        }
        LiteralValue::Date(text) => match date_days(midnight(text)) {
            Some(day) => Ok(Term::of(Operation::Day(day))),
            None => {
                let message = format!("{} is no day; write one like DATE '2024-02-29'", literal_text(value));
                Err(QueryError::at(Code::OutOfDomain, at, message))
            }
        },
        LiteralValue::Text(_) | LiteralValue::Boolean(_) => {
            let message = format!("{} cannot be computed with", literal_text(value));
            Err(QueryError::at(Code::UnsupportedSql, at, message)
                .hint("supported are numbers, and days like DATE '2024-02-29'"))
        }
    }
}

/// A number as an operand of arithmetic.
pub(in crate::query) fn decimal(literal: &Literal) -> Result<Constant, QueryError> {
    let read = match &literal.value {
        LiteralValue::Number(text) => match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => shifted(mantissa, exponent).and_then(|text| Constant::parse(&text)),
            None => Constant::parse(text),
        },
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    read.ok_or_else(|| {
        let message = format!("{} cannot be computed with", literal_text(&literal.value));
        QueryError::at(Code::UnsupportedSql, literal.at, message)
            .hint("accepted is a plain number with at most 18 digits, nine of them behind the point")
    })
}

/// A number with an exponent as one with a point: `1.5e3` is `1500.0`, as SQL takes it for a decimal one.
fn shifted(mantissa: &str, exponent: &str) -> Option<String> {
    const SHIFT_MAX: i32 = 18;
    let by: i32 = exponent.parse().ok().filter(|by| (-SHIFT_MAX..=SHIFT_MAX).contains(by))?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let zeros = "0".repeat(usize::try_from(SHIFT_MAX).ok()?);
    let digits = format!("{zeros}{whole}{fraction}{zeros}");
    let point = i32::try_from(zeros.len() + whole.len()).ok()? + by;
    let (whole, fraction) = digits.split_at_checked(usize::try_from(point).ok()?)?;
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Some(format!("{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction }))
}

/// A literal as it was written, for messages.
pub(super) fn literal_text(value: &LiteralValue) -> String {
    match value {
        LiteralValue::Number(text) => shown(text),
        LiteralValue::Text(text) => format!("'{}'", shown(text)),
        LiteralValue::Date(text) => format!("DATE '{}'", shown(text)),
        LiteralValue::Boolean(truth) => truth.to_string(),
    }
}

/// Position of a literal among the stored integers of an ordered domain: at one of them, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LiteralPosition {
    /// Greatest integer at or below the literal.
    below: i128,
    /// Least integer at or above the literal.
    above: i128,
}

impl LiteralPosition {
    /// The position of an integer.
    pub(super) fn at(value: i128) -> Self {
        Self { below: value, above: value }
    }

    /// The position of an exact number among the stored integers of a grid.
    pub(super) fn of(value: &RBig, grid: &Grid) -> Self {
        const BEYOND: i128 = 1 << 100;
        let steps = value * RBig::from(1_000_000_000) / RBig::from(grid.step);
        let near = |steps: IBig| i128::try_from(steps).unwrap_or(if value.is_negative() { -BEYOND } else { BEYOND });
        let centre = i128::from(grid.centre());
        Self { below: near(steps.floor()) - centre, above: near(steps.ceil()) - centre }
    }

    /// The integer at this position; `None` between two integers.
    pub(super) fn whole(self) -> Option<i64> {
        i64::try_from(self.below).ok().filter(|_| self.below == self.above)
    }

    /// How two positions compare; `None` if both lie between the same two integers.
    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        let is_exact = self.below == self.above && other.below == other.above;
        match (self.below.cmp(&other.below), is_exact) {
            (order, true) => Some(order),
            (_, false) if self.above <= other.below => Some(Ordering::Less),
            (_, false) if other.above <= self.below => Some(Ordering::Greater),
            (_, false) => None,
        }
    }

    /// Converts a position among multiples of 1e-9 to one among the stored integers of a grid.
    pub(super) fn on(self, grid: &Grid) -> Self {
        let (step, centre) = (i128::from(grid.step), i128::from(grid.centre()));
        let above = self.above.div_euclid(step) + i128::from(self.above.rem_euclid(step) > 0);
        Self { below: self.below.div_euclid(step) - centre, above: above - centre }
    }
}

/// A condition for the stored integers that compare in this way with the literal's position.
pub(super) fn range(column: Term, domain: &Domain, comparison: Comparison, place: LiteralPosition) -> Filter {
    let (least, greatest) = stored_bounds(domain);
    let near = |value: i128| {
        let value = value.clamp(i128::from(least) - 1, i128::from(greatest) + 1);
        // Unwrap safety: the value was clamped to bounds whose size is below 2⁶².
        i64::try_from(value).expect("a bound lies near the domain")
    };
    let (above, below) = (near(place.above), near(place.below));
    let (low, high) = match comparison {
        Comparison::Equal | Comparison::NotEqual => (above, below),
        Comparison::Less => (least, above - 1),
        Comparison::LessOrEqual => (least, below),
        Comparison::Greater => (below + 1, greatest),
        Comparison::GreaterOrEqual => (above, greatest),
    };
    let (low, high) = (low.max(least), high.min(greatest));
    let (low, high) = if low > high { NEVER } else { (low, high) };
    Filter::Range { column, low, high }
}

/// Position of a decimal literal among multiples of 1e-9; `None` if it is not a decimal number.
///
/// The bounds of every grid are below 2⁶² · 2⁶³ < 10³⁸ such multiples, so larger literals are treated as that.
pub(super) fn nanos(text: &str) -> Option<LiteralPosition> {
    const BEYOND: i128 = 10_i128.pow(38);
    const DIGITS_KEPT: i64 = 38;
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let plain = !digits.is_empty() && digits.len() <= LITERAL_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    let written = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !plain || written.is_empty() || !written.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Beyond these powers of ten a number is above or below every value, or between 0 and every step, whatever its digits.
    let beyond = 2 * LITERAL_DIGITS_MAX as i64;
    let far = if exponent.starts_with('-') { -beyond } else { beyond };
    let power = exponent.parse().unwrap_or(far).clamp(-beyond, beyond) - fraction.len() as i64 + 9;
    let digits = digits.trim_start_matches('0');
    // Digits before the point, if counted in 1e-9.
    let kept = digits.len() as i64 + power;
    let size = if digits.is_empty() {
        LiteralPosition::at(0)
    } else if kept > DIGITS_KEPT {
        LiteralPosition::at(BEYOND)
    } else {
        let (before, after) = digits.split_at(usize::try_from(kept).unwrap_or(0).min(digits.len()));
        let zeros = u32::try_from(power).unwrap_or(0);
        let below =
            before.bytes().fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0')) * 10_i128.pow(zeros);
        LiteralPosition { below, above: below + i128::from(after.bytes().any(|digit| digit != b'0')) }
    };
    Some(if negative { LiteralPosition { below: -size.above, above: -size.below } } else { size })
}

/// The day of a text that is a day or its midnight: `2024-01-01 00:00:00` is `2024-01-01`. Any other text is returned as it is.
pub(in crate::query) fn midnight(text: &str) -> &str {
    let Some((day, time)) = text.split_once([' ', 'T']) else { return text };
    let time = time
        .strip_suffix('Z')
        .or_else(|| time.strip_suffix("+00:00"))
        .or_else(|| time.strip_suffix("+00"))
        .unwrap_or(time);
    let is_midnight = match time.strip_prefix("00:00") {
        Some("" | ":00") => true,
        Some(rest) => {
            rest.strip_prefix(":00.").is_some_and(|zeros| !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0'))
        }
        None => false,
    };
    if is_midnight { day } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_lie_where_they_say() {
        let nano = 1_000_000_000_i128;
        for (text, below, above) in [
            ("0", 0, 0),
            ("-0.000", 0, 0),
            ("1", nano, nano),
            ("1.5e0", nano + nano / 2, nano + nano / 2),
            ("-2.5", -2 * nano - nano / 2, -2 * nano - nano / 2),
            ("0.0000000001", 0, 1),
            ("-0.0000000001", -1, 0),
            ("1e-700", 0, 1),
            ("-1e-700", -1, 0),
            ("12.3456789012", 12_345_678_901, 12_345_678_902),
            ("00012e1", 120 * nano, 120 * nano),
            ("123e-9", 123, 123),
            ("1e28", 10_i128.pow(37), 10_i128.pow(37)),
            ("1e29", 10_i128.pow(38), 10_i128.pow(38)),
            ("-1e700", -(10_i128.pow(38)), -(10_i128.pow(38))),
            ("1E+99999999999999999999", 10_i128.pow(38), 10_i128.pow(38)),
        ] {
            assert_eq!(nanos(text), Some(LiteralPosition { below, above }), "{text}");
        }
        for text in ["", "-", ".", "1e", "e5", "1.2.3", "0x1", "1_0", "--1", "+1", "1e5.0", "١"] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    #[test]
    fn exponents_move_the_point() {
        for (text, digits, decimals) in [
            ("1e3", 10_000, 1),
            ("1.5e3", 15_000, 1),
            ("-25e-1", -25, 1),
            (".5E1", 50, 1),
            ("1E-9", 1, 9),
            ("12e+1", 1_200, 1),
        ] {
            let literal = Literal { value: LiteralValue::Number(text.to_owned()), at: Position { line: 1, column: 1 } };
            assert_eq!(decimal(&literal), Ok(Constant { digits, decimals }), "{text}");
        }
        for text in ["1e19", "1e-10", "e3", "1e", "1e2.0"] {
            let literal = Literal { value: LiteralValue::Number(text.to_owned()), at: Position { line: 1, column: 1 } };
            assert!(decimal(&literal).is_err(), "{text}");
        }
    }

    #[test]
    fn a_grid_has_steps_about_its_centre() {
        let grid = Grid::new(false, 0, 500 * 1_000_000_000, 10_000_000).expect("a grid");
        for (text, below, above) in
            [("0", -25_000, -25_000), ("250.01", 1, 1), ("250.005", 0, 1), ("-1e99", i128::MIN, 0)]
        {
            let place = nanos(text).expect("a number").on(&grid);
            if below > i128::MIN {
                assert_eq!(place, LiteralPosition { below, above }, "{text}");
            } else {
                assert!(place.below < -25_000, "{text}");
            }
        }
    }
}
