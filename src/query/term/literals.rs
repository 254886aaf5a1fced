//! Literals: constants of a question as exact numbers, days and places among stored integers.

use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;

use super::{Constant, Made, Term};
use crate::dataset::domain::{Domain, date_days};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::filter::{Filter, NEVER, stored_bounds};
use crate::query::syntax::{Comparison, Literal, LiteralValue};

/// Digits and exponent of a numeric literal stay within this.
const LITERAL_DIGITS_MAX: usize = 400;

/// A constant that can be computed with.
pub(super) fn constant(value: &LiteralValue, at: Position) -> Result<Term, QueryError> {
    match value {
        LiteralValue::Number(_) => {
            decimal(&Literal { value: value.clone(), at }).map(|constant| Term::of(Made::Constant(constant)))
        }
        LiteralValue::Date(text) => match date_days(text) {
            Some(day) => Ok(Term::of(Made::Day(day))),
            None => {
                let message = format!("{} is no day; write one like DATE '2024-02-29'", literal_text(value));
                Err(QueryError::at(Code::OutOfDomain, at, message))
            }
        },
        LiteralValue::Text(_) | LiteralValue::Boolean(_) => {
            let message = format!("{} cannot be computed with", literal_text(value));
            Err(QueryError::at(Code::UnsupportedSql, at, message)
                .hint("compute with numbers, and with days like DATE '2024-02-29'"))
        }
    }
}

/// A number that can be computed with.
pub(super) fn decimal(literal: &Literal) -> Result<Constant, QueryError> {
    let read = match &literal.value {
        LiteralValue::Number(text) => Constant::parse(text),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    read.ok_or_else(|| {
        let message = format!("{} cannot be computed with", literal_text(&literal.value));
        QueryError::at(Code::UnsupportedSql, literal.at, message)
            .hint("accepted is a plain number with at most 18 digits, nine of them behind the point")
    })
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

/// The stored integers that compare so with an exact place among them.
pub(super) fn range(column: Term, domain: &Domain, comparison: Comparison, place: &RBig) -> Filter {
    let (least, greatest) = stored_bounds(domain);
    let near = |value: IBig| {
        let value = value.max(IBig::from(least) - IBig::ONE).min(IBig::from(greatest) + IBig::ONE);
        // Unwrap safety: it was brought within one of two bounds that are below 2⁶² in size.
        i64::try_from(value).expect("a bound lies near the domain")
    };
    let (above, below) = (near(place.ceil()), near(place.floor()));
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

/// A decimal literal as an exact fraction.
pub(super) fn exact(text: &str) -> Option<RBig> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.len() <= LITERAL_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    let written = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !plain || written.is_empty() || !written.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Beyond these powers of ten a number is above or below every value, or between 0 and every step, all the same.
    let beyond = 2 * LITERAL_DIGITS_MAX as i64;
    let far = if exponent.starts_with('-') { -beyond } else { beyond };
    let power = exponent.parse().unwrap_or(far).clamp(-beyond, beyond) - i64::try_from(fraction.len()).ok()?;
    let magnitude = UBig::from_str_radix(&digits, 10).ok()?;
    let signed = if negative { -IBig::from(magnitude) } else { IBig::from(magnitude) };
    let ten = UBig::from(10_u8).pow(power.unsigned_abs() as usize);
    Some(if power >= 0 { RBig::from(signed * IBig::from(ten)) } else { RBig::from_parts(signed, ten) })
}
