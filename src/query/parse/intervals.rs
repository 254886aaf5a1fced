//! Parser of intervals, of days so far away, and of distances between days.

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Interval, Spanned,
    UnaryOperator, Value, ValueWithSpan,
};

use super::conditions::literal;
use super::expressions::expression;
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{ArithmeticOperator, Expression, LiteralValue, Scalar};
use crate::query::term::spans::Span;

/// Whether an expression is `INTERVAL …`.
pub(super) fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_interval(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_interval(expr),
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } => is_interval(left) || is_interval(right),
        Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right } => {
            is_interval(left) && is_interval(right)
        }
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => is_quoted(expr),
        Expr::Function(call) => call.name.to_string().eq_ignore_ascii_case("make_interval"),
        other => matches!(other, Expr::Interval(_)),
    }
}

fn is_quoted(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(_), .. }))
}

/// An interval times something, as the interval and its factor; the factor is `None` for a single interval.
fn factor(expr: &Expr) -> (&Expr, Option<&Expr>) {
    match expr {
        Expr::Nested(inner) => factor(inner),
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } if is_interval(right) => (right, Some(left)),
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } if is_interval(left) => (left, Some(right)),
        other => (other, None),
    }
}

/// Parses a day plus or minus an interval.
pub(super) fn moved(
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let (of, by, sign) = match (op, is_interval(left)) {
        (BinaryOperator::Plus, true) => (right, left, 1),
        (BinaryOperator::Plus, false) => (left, right, 1),
        (BinaryOperator::Minus, false) => (left, right, -1),
        _ => {
            return Err(unsupported(at, "an interval is added to a day or taken from one")
                .hint("write column + INTERVAL '1 year'; the difference of two days is a number of days"));
        }
    };
    if let (each, Some(count)) = factor(by)
        && whole(count).is_none()
    {
        let (0, days) = interval(each)? else {
            return Err(unsupported(at, "a number of months or years that is told by the row is not supported"));
        };
        let put = |value: Scalar| Box::new(Expression { value, at });
        let (of, count) = (expression(of, depth + 1, budget)?, expression(count, depth + 1, budget)?);
        let days = put(Scalar::Constant(LiteralValue::Number((sign * days).to_string())));
        let days = put(Scalar::Arithmetic(Box::new(count), ArithmeticOperator::Times, days));
        return Ok(Scalar::Arithmetic(Box::new(of), ArithmeticOperator::Plus, days));
    }
    let (months, days) = interval(by)?;
    later(of, (sign * months, sign * days), at, depth, budget)
}

pub(super) fn later(
    of: &Expr,
    (months, days): (i64, i64),
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    const MONTHS_MAX: i64 = 120_000;
    const DAYS_MAX: i64 = 4_000_000;
    let fit = |value: i64, max: i64| i32::try_from(value).ok().filter(|_| value.abs() <= max);
    let (Some(months), Some(days)) = (fit(months, MONTHS_MAX), fit(days, DAYS_MAX)) else {
        return Err(unsupported(at, format!("an interval has at most {MONTHS_MAX} months and {DAYS_MAX} days")));
    };
    Ok(Scalar::Call(Call::Later { months, days }, vec![expression(of, depth + 1, budget)?]))
}

/// Months and days of an interval, `INTERVAL '1 year 3 days'` or `INTERVAL 30 DAY`.
pub(super) fn interval(expr: &Expr) -> Result<(i64, i64), QueryError> {
    let at = start(expr.span());
    let wrong = || {
        unsupported(at, "an interval is whole years, months, weeks and days here")
            .hint("write INTERVAL '1 year', INTERVAL '90 days' or INTERVAL '1' MONTH")
    };
    let times = |(months, days): (i64, i64), by: i64| Some((months.checked_mul(by)?, days.checked_mul(by)?));
    let Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } = match expr {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } => return interval(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => {
            return times(interval(inner)?, -1).ok_or_else(wrong);
        }
        Expr::BinaryOp { left, op: op @ (BinaryOperator::Plus | BinaryOperator::Minus), right } => {
            let sign = if *op == BinaryOperator::Minus { -1 } else { 1 };
            let ((months, days), (more, further)) = (interval(left)?, times(interval(right)?, sign).ok_or_else(wrong)?);
            return months.checked_add(more).zip(days.checked_add(further)).ok_or_else(wrong);
        }
        Expr::BinaryOp { op: BinaryOperator::Multiply, .. } => {
            let (each, count) = factor(expr);
            let count = count.and_then(whole).ok_or_else(wrong)?;
            return times(interval(each)?, count).ok_or_else(wrong);
        }
        Expr::Cast { expr: inner, data_type: DataType::Interval { .. }, .. } => match inner.as_ref() {
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => {
                return text_interval(text).ok_or_else(wrong);
            }
            _ => return Err(wrong()),
        },
        Expr::Function(call) => return made(call).ok_or_else(wrong),
        Expr::Interval(interval) => interval,
        _ => return Err(wrong()),
    };
    if leading_precision.is_some() || last_field.is_some() || fractional_seconds_precision.is_some() {
        return Err(wrong());
    }
    let text = match literal(value).map_err(|_| wrong())?.value {
        LiteralValue::Text(text) | LiteralValue::Number(text) => text,
        LiteralValue::Date(_) | LiteralValue::Boolean(_) => return Err(wrong()),
    };
    if let Some(field) = leading_field {
        let count = text.trim().parse().map_err(|_| wrong())?;
        return length(count, &field.to_string().to_lowercase()).ok_or_else(wrong);
    }
    text_interval(&text).ok_or_else(wrong)
}

/// Months and days of `MAKE_INTERVAL(years => 1, days => 3)`, or of its arguments in their order: years, months, weeks, days.
fn made(call: &Function) -> Option<(i64, i64)> {
    const UNITS: [&str; 4] = ["years", "months", "weeks", "days"];
    let FunctionArguments::List(list) = &call.args else { return None };
    let (mut months, mut days) = (0_i64, 0_i64);
    for (place, arg) in list.args.iter().enumerate() {
        let (unit, value) = match arg {
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => (name.value.to_lowercase(), value),
            FunctionArg::ExprNamed { name, arg: FunctionArgExpr::Expr(value), .. } => {
                (name.to_string().to_lowercase(), value)
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => ((*UNITS.get(place)?).to_owned(), value),
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } | FunctionArg::Unnamed(_) => return None,
        };
        let (more, further) = length(whole(value)?, &unit).filter(|_| UNITS.contains(&unit.as_str()))?;
        months = months.checked_add(more)?;
        days = days.checked_add(further)?;
    }
    Some((months, days))
}

/// Months and days of the text of an interval; `None` if it has anything else.
pub(super) fn text_interval(text: &str) -> Option<(i64, i64)> {
    // "1 year 2 months", also "1y" and "-3 days"; the count and its word may stand together.
    let mut words = text.split_whitespace().flat_map(|word| {
        let end = word.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(word.len());
        [&word[..end], &word[end..]].into_iter().filter(|part| !part.is_empty())
    });
    let (mut months, mut days, mut is_some) = (0_i64, 0_i64, false);
    while let Some(count) = words.next() {
        let word = words.next()?;
        let (more, further) = length(count.parse().ok()?, &word.to_lowercase())?;
        months = months.checked_add(more)?;
        days = days.checked_add(further)?;
        is_some = true;
    }
    is_some.then_some((months, days))
}

/// Months and days of so many years, months, weeks or days.
pub(super) fn length(count: i64, word: &str) -> Option<(i64, i64)> {
    let months = |each: i64| count.checked_mul(each).map(|months| (months, 0));
    let days = |each: i64| count.checked_mul(each).map(|days| (0, days));
    match word {
        "decade" | "decades" => months(120),
        "year" | "years" | "y" | "yr" | "yrs" | "yyyy" | "yy" => months(12),
        "quarter" | "quarters" | "qq" => months(3),
        "month" | "months" | "mon" | "mons" | "mm" => months(1),
        "week" | "weeks" | "w" => days(7),
        "day" | "days" | "d" | "dd" => days(1),
        _ => None,
    }
}

/// A word that stands by itself or in quotes, in lower case: the unit of a span.
pub(super) fn unit(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.to_lowercase()),
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text.to_lowercase()),
        _ => None,
    }
}

pub(super) fn whole(expr: &Expr) -> Option<i64> {
    match literal(expr).ok()?.value {
        LiteralValue::Number(text) => text.parse().ok(),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    }
}

/// Parses `DATEADD(day, 30, a)`, `DATE_ADD(a, INTERVAL 30 DAY)` and their kin.
pub(super) fn added(
    word: &str,
    operands: &[&Expr],
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let sign = if word == "date_sub" { -1 } else { 1 };
    let wrong = || {
        unsupported(at, format!("{} wants a unit, a whole number and a day", word.to_uppercase()))
            .hint("write DATEADD(day, 30, column), or column + INTERVAL '30 days'")
    };
    let (of, (months, days)) = match operands {
        [of, by] if is_interval(by) => (of, interval(by)?),
        [by, count, of] => {
            let (unit, count) = unit(by).zip(whole(count)).ok_or_else(wrong)?;
            (of, length(count, &unit).ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    later(of, (sign * months, sign * days), at, depth, budget)
}

/// Parses `DATEDIFF(month, a, b)` and its kin.
pub(super) fn difference(
    word: &str,
    operands: &[&Expr],
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let wrong = || {
        unsupported(at, format!("{} wants a unit and two days", word.to_uppercase()))
            .hint("write DATEDIFF(month, a, b) with year, quarter, month, week or day, or b - a for days")
    };
    let (unit, from, to) = match operands {
        // Without a unit it counts days, from the second to the first one.
        [to, from] if word == "datediff" => ("day".to_owned(), from, to),
        [by @ Expr::Value(_), from, to] => (unit(by).ok_or_else(wrong)?, from, to),
        [by @ Expr::Identifier(_), from, to] if word != "date_diff" => (unit(by).ok_or_else(wrong)?, from, to),
        [to, from, by @ Expr::Identifier(_)] if word == "date_diff" => (unit(by).ok_or_else(wrong)?, from, to),
        _ => return Err(wrong()),
    };
    let is_quoted = matches!(operands, [Expr::Value(_), _, _]);
    let span = match unit.as_str() {
        "day" | "days" | "dd" | "d" => {
            let (from, to) = (expression(from, depth + 1, budget)?, expression(to, depth + 1, budget)?);
            return Ok(Scalar::Arithmetic(Box::new(to), ArithmeticOperator::Minus, Box::new(from)));
        }
        _ if word == "date_diff" && is_quoted => {
            let message = "DATE_DIFF with a unit in quotes counts borders in one database and whole units in another";
            return Err(unsupported(at, message).hint(
                "write DATEDIFF(month, a, b) for the months' borders between, EXTRACT(YEAR FROM AGE(b, a)) for complete years",
            ));
        }
        "year" | "years" | "yyyy" | "yy" if word == "timestampdiff" => Span::AgeYears,
        _ if word == "timestampdiff" => {
            return Err(unsupported(at, "TIMESTAMPDIFF is of years and days here")
                .hint("complete months are EXTRACT(YEAR FROM AGE(b, a)) * 12 + EXTRACT(MONTH FROM AGE(b, a))"));
        }
        "year" | "years" | "yyyy" | "yy" => Span::Year,
        "quarter" | "quarters" | "qq" | "q" => Span::Quarter,
        "month" | "months" | "mm" | "m" => Span::Month,
        "week" | "weeks" | "wk" | "ww" => Span::Week,
        _ => return Err(wrong()),
    };
    elapsed(span, from, to, depth, budget)
}

pub(super) fn elapsed(
    span: Span,
    from: &Expr,
    to: &Expr,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let (from, to) = (expression(from, depth + 1, budget)?, expression(to, depth + 1, budget)?);
    Ok(Scalar::Call(Call::Elapsed(span), vec![from, to]))
}
