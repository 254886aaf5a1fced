//! Parser of constant days that are written with a function, and of formats of days.

use sqlparser::ast::{Expr, Spanned};

use super::conditions::literal;
use super::expressions::expression;
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{Expression, Literal, LiteralValue, Scalar};
use crate::query::term::formats::DayFormat;
use crate::query::term::literals::day_text;
use crate::query::term::readings::{Moment, ReadingFormat};
use crate::query::terms::domain::{date_days, date_text};

/// A constant day, checked here because its parts are written apart.
pub(super) fn constant_day(text: &str, at: Position) -> Result<Scalar, QueryError> {
    let day = day_text(text);
    if date_days(&day).is_none() {
        let message = format!("'{}' is no day", shown(text));
        return Err(unsupported(at, message).hint("write one like DATE '2024-02-29'"));
    }
    Ok(Scalar::Constant(LiteralValue::Date(day)))
}

/// Parses `TO_DATE('31.12.2024', 'DD.MM.YYYY')`, of a constant text or of one of the row.
pub(super) fn day_of_text(
    text: &Expr,
    format: &Expr,
    is_moment: bool,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    const SECOND: i64 = 1_000_000;
    let wrong = || {
        unsupported(at, "TO_DATE wants a format of YYYY, MM or Mon, DD and times, in quotes")
            .hint("write TO_DATE('2024-02-29', 'YYYY-MM-DD'), or DATE '2024-02-29'")
    };
    let LiteralValue::Text(format) = literal(format).map_err(|_| wrong())?.value else { return Err(wrong()) };
    let reading = ReadingFormat::parse(&format).ok_or_else(wrong)?;
    let Ok(Literal { value: LiteralValue::Text(text), .. }) = literal(text) else {
        return Ok(Scalar::Call(Call::Read(format), vec![expression(text, depth + 1, budget)?]));
    };
    let Moment { day, micros } = reading.moment(&text).ok_or_else(|| {
        unsupported(at, format!("'{}' is no day in the format '{}'", shown(&text), shown(&format)))
            .hint("write one like DATE '2024-02-29'")
    })?;
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let time = format!(" {:02}:{:02}:{:02}.{fraction:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let time = if micros > 0 && is_moment { time } else { String::new() };
    Ok(Scalar::Constant(LiteralValue::Date(date_text(day) + &time)))
}

pub(super) fn format_of(of: Expression, format: &Expr) -> Result<Scalar, QueryError> {
    let at = start(format.span());
    let LiteralValue::Text(format) = literal(format)?.value else {
        return Err(unsupported(at, "TO_CHAR wants a format").hint("write TO_CHAR(column, 'YYYY-MM')"));
    };
    if let Err(fault) = DayFormat::parse(&format) {
        return Err(unsupported(at, fault).hint(
            "of days it knows YYYY, IYYY, Q, MM, Mon, Month, IW, WW, DD, DDD, D, ID, Dy, Day, FM and \"text\" in quotes",
        ));
    }
    Ok(Scalar::Call(Call::Format(format), vec![of]))
}

/// The day of a year, a month and a day of the month.
pub(super) fn made(parts: [&Expr; 3], at: Position, depth: usize, budget: &mut Budget) -> Result<Scalar, QueryError> {
    let whole = |part: &Expr| match literal(part).ok()?.value {
        LiteralValue::Number(text) => text.parse::<u32>().ok(),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    if let [Some(year), Some(month), Some(day)] = parts.map(whole) {
        return constant_day(&format!("{year:04}-{month:02}-{day:02}"), at);
    }
    let parts = parts.into_iter().map(|part| expression(part, depth + 1, budget));
    Ok(Scalar::Call(Call::Made, parts.collect::<Result<_, _>>()?))
}
