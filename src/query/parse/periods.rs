//! Parser of periods: DATE_TRUNC in the spellings of several databases, and DATE_BIN.

use sqlparser::ast::{Expr, Spanned, Value, ValueWithSpan};
use strum::VariantArray;

use super::expressions::{expression, wrong_count};
use super::intervals::{interval, is_interval, text_interval, unit};
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError};
use crate::query::syntax::{ArithmeticOperator, CastType, Expression, LiteralValue, Numeric, Scalar};
use crate::query::term::calendar::Period;
use crate::query::term::lower::Side;

/// The functions of periods.
pub(super) const FUNCTIONS: [&str; 6] =
    ["date_trunc", "date_bin", "datetrunc", "timestamp_trunc", "datetime_trunc", "trunc"];

/// A period by the names that databases have for it; what is shorter than a day leaves a day as it is.
fn period(word: &str) -> Option<Period> {
    Some(match word {
        "year" | "years" | "yyyy" | "yy" | "y" => Period::Year,
        "quarter" | "quarters" | "qq" | "q" => Period::Quarter,
        "month" | "months" | "mon" | "mm" => Period::Month,
        "week" | "weeks" | "isoweek" | "iso_week" | "iw" => Period::Week,
        "day" | "days" | "dd" | "d" => Period::Day,
        "decade" | "decades" => Period::Decade,
        "century" | "centuries" => Period::Century,
        "millennium" | "millennia" => Period::Millennium,
        "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" | "milliseconds" | "microseconds" => Period::Day,
        _ => return None,
    })
}

fn unknown(word: &str, at: Position) -> QueryError {
    let words: Vec<_> = Period::VARIANTS.iter().map(|period| format!("'{}'", period.word())).collect();
    unsupported(at, format!("{} wants a period it knows", word.to_uppercase()))
        .hint(format!("supported are {}", words.join(", ")))
}

/// Parses a call of one of [`FUNCTIONS`]; `None` for a TRUNC that cuts a number.
pub(super) fn function(
    word: &str,
    operands: &[&Expr],
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Option<Scalar>, QueryError> {
    match (word, operands) {
        ("trunc", operands) => cut(operands, depth, budget),
        ("date_bin", [stride, of, origin]) => binned(stride, of, origin, at, depth, budget).map(Some),
        ("date_bin", other) => Err(wrong_count(word, other.len(), "three", at)),
        (_, [first, second]) => {
            // The name of a period stands first in quotes, or last by itself.
            let is_last = matches!(second, Expr::Identifier(_) | Expr::Function(_))
                && word != "datetrunc"
                && !matches!(first, Expr::Value(_))
                && named(second).is_some_and(|name| period(&name).is_some());
            let (by, of) = if is_last { (second, first) } else { (first, second) };
            let by_at = start(by.span());
            let name = named(by).ok_or_else(|| unknown(word, by_at))?;
            // Weeks begin on Sunday where the period stands last, and as its database is set for DATETRUNC.
            if name == "week" && (is_last || word == "datetrunc") {
                return Err(unsupported(by_at, "WEEK begins on different days in different databases")
                    .hint("write DATE_TRUNC('week', column) for weeks that begin on Monday"));
            }
            let period = period(&name).ok_or_else(|| unknown(word, by_at))?;
            Ok(Some(Scalar::Truncate(period, Box::new(expression(of, depth + 1, budget)?))))
        }
        (word, other) => Err(wrong_count(word, other.len(), "two", at)),
    }
}

/// `TRUNC(a, 'MONTH')`, which cuts a day; `None` for one that cuts a number.
fn cut(operands: &[&Expr], depth: usize, budget: &mut Budget) -> Result<Option<Scalar>, QueryError> {
    let [of, by @ Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. })] = operands else {
        return Ok(None);
    };
    let period = period(&text.to_lowercase()).ok_or_else(|| unknown("trunc", start(by.span())))?;
    Ok(Some(Scalar::Truncate(period, Box::new(expression(of, depth + 1, budget)?))))
}

/// The name of a period: a word by itself or in quotes, or `WEEK(MONDAY)`.
fn named(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Function(_) if expr.to_string().eq_ignore_ascii_case("week(monday)") => Some("isoweek".to_owned()),
        other => unit(other),
    }
}

/// Parses `DATE_BIN(stride, a, origin)`: the origin, and as many strides as fit before a.
fn binned(
    stride: &Expr,
    of: &Expr,
    origin: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let stride_at = start(stride.span());
    let found = match stride {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => text_interval(text),
        other if is_interval(other) => Some(interval(other)?),
        _ => None,
    };
    let days = match found {
        Some((0, days)) if days > 0 => days,
        Some((months, _)) if months != 0 => {
            return Err(unsupported(stride_at, "DATE_BIN has no months or years, which are of different lengths")
                .hint("write DATE_TRUNC('month', column)"));
        }
        Some(_) | None => {
            return Err(unsupported(stride_at, "DATE_BIN wants a number of whole days above 0")
                .hint("write DATE_BIN('7 days', column, DATE '2020-01-01')"));
        }
    };
    let mut side = |expr: &Expr| match expression(expr, depth + 1, budget)? {
        // Text is a moment here.
        Expression { value: Scalar::Constant(LiteralValue::Text(text)), at } => {
            Ok(Expression { value: Scalar::Constant(LiteralValue::Date(text)), at })
        }
        other => Ok(other),
    };
    let (of, origin) = (side(of)?, side(origin)?);
    let put = |value: Scalar| Expression { value, at };
    let number = |text: String| put(Scalar::Constant(LiteralValue::Number(text)));
    let joined = |one: Expression, operator: ArithmeticOperator, other: Expression| {
        put(Scalar::Arithmetic(Box::new(one), operator, Box::new(other)))
    };
    let since = joined(of, ArithmeticOperator::Minus, origin.clone());
    let strides = joined(since, ArithmeticOperator::Over, number(format!("{days}.0")));
    let whole = put(Scalar::Numeric(Numeric::Cut(Side::Down, 0), vec![strides]));
    let whole = put(Scalar::Numeric(Numeric::Cast(CastType::Integer), vec![whole]));
    let moved = joined(whole, ArithmeticOperator::Times, number(days.to_string()));
    Ok(joined(origin, ArithmeticOperator::Plus, moved).value)
}
