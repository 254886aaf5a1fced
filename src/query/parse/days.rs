//! Parser of constant days that are written with a function, and of formats of days.

use sqlparser::ast::{Expr, Spanned};

use super::conditions::literal;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{Expression, LiteralValue, Scalar};
use crate::query::term::formats::DayFormat;
use crate::query::terms::domain::date_days;

/// A constant day, checked here because its parts are written apart.
pub(super) fn constant_day(text: &str, at: Position) -> Result<Scalar, QueryError> {
    // A time behind the day is midnight in most texts that programs write.
    let day = text.strip_suffix(" 00:00:00").or(text.strip_suffix("T00:00:00")).unwrap_or(text);
    if date_days(day).is_none() {
        let message = format!("'{}' is no day", shown(text));
        return Err(unsupported(at, message).hint("write one like DATE '2024-02-29'"));
    }
    Ok(Scalar::Constant(LiteralValue::Date(day.to_owned())))
}

/// Parses `TO_DATE('31.12.2024', 'DD.MM.YYYY')`.
pub(super) fn day_of_text(text: &Expr, format: &Expr, at: Position) -> Result<Scalar, QueryError> {
    let wrong = || {
        unsupported(at, "TO_DATE is of a constant text, with a format of YYYY, MM and DD")
            .hint("write TO_DATE('2024-02-29', 'YYYY-MM-DD'), or DATE '2024-02-29'")
    };
    let texts = (literal(text).map_err(|_| wrong())?.value, literal(format).map_err(|_| wrong())?.value);
    let (LiteralValue::Text(text), LiteralValue::Text(format)) = texts else { return Err(wrong()) };
    let format = format.to_uppercase();
    let digits = |pattern: &str| {
        let place = format.find(pattern)?;
        text.get(place..place + pattern.len()).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (Some(year), Some(month), Some(day)) = (digits("YYYY"), digits("MM"), digits("DD")) else {
        return Err(wrong());
    };
    let same = format.len() == text.len()
        && format
            .bytes()
            .zip(text.bytes())
            .all(|(pattern, letter)| matches!(pattern, b'Y' | b'M' | b'D') || pattern == letter);
    let plain = format.replacen("YYYY", "", 1).replacen("MM", "", 1).replacen("DD", "", 1);
    if !same || plain.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(wrong());
    }
    constant_day(&format!("{year}-{month}-{day}"), at)
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

/// The day of a year, a month and a day of the month, which are constants.
pub(super) fn made(word: &str, parts: [&Expr; 3], at: Position) -> Result<Scalar, QueryError> {
    let whole = |part: &Expr| match literal(part).ok()?.value {
        LiteralValue::Number(text) => text.parse::<u32>().ok(),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    match parts.map(whole) {
        [Some(year), Some(month), Some(day)] => constant_day(&format!("{year:04}-{month:02}-{day:02}"), at),
        _ => Err(unsupported(at, format!("{} wants three whole numbers", word.to_uppercase()))
            .hint("write MAKE_DATE(2024, 2, 29)")),
    }
}
