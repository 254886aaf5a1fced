//! Parser of functions of days, as PostgreSQL and other tools spell them.

use sqlparser::ast::{self, BinaryOperator, DateTimeField, Expr, Spanned, Value, ValueWithSpan};

use super::days;
use super::expressions::{arguments, expression, wrong_count};
use super::intervals::{added, difference, elapsed, is_interval, later, unit, whole};
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{ArithmeticOperator, Expression, LiteralValue, Scalar};
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::spans::Span;

/// The functions of days, for "did you mean".
pub(super) const FUNCTIONS: [&str; 15] = [
    "age",
    "date_part",
    "to_char",
    "to_date",
    "make_date",
    "datediff",
    "dateadd",
    "date_add",
    "date_sub",
    "year",
    "quarter",
    "month",
    "day",
    "last_day",
    "date",
];

/// A part of a day's date by the names that databases have for it; `None` for those that mean different things.
fn part(word: &str) -> Option<DatePart> {
    Some(match word {
        "year" | "years" | "yyyy" | "yy" => DatePart::Year,
        "quarter" | "quarters" | "qq" => DatePart::Quarter,
        "month" | "months" | "mm" => DatePart::Month,
        "day" | "days" | "dd" | "dayofmonth" => DatePart::Day,
        "dow" => DatePart::Dow,
        "isodow" => DatePart::Isodow,
        "doy" | "dayofyear" => DatePart::Doy,
        "week" | "weeks" | "isoweek" | "iso_week" | "weekofyear" => DatePart::Week,
        "isoyear" => DatePart::Isoyear,
        "decade" | "decades" => DatePart::Decade,
        "century" | "centuries" => DatePart::Century,
        _ => return None,
    })
}

/// Parses `EXTRACT(field FROM a)`.
pub(super) fn extract(
    field: &DateTimeField,
    of: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let word = match field {
        DateTimeField::Custom(ident) => ident.value.to_lowercase(),
        other => other.to_string().to_lowercase(),
    };
    extracted(&word, "EXTRACT", of, at, depth, budget)
}

fn extracted(
    word: &str,
    function: &str,
    of: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    if let Some((to, from)) = age(of)? {
        let span = match word {
            "year" | "years" => Span::AgeYears,
            "month" | "months" => Span::AgeMonths,
            _ => {
                return Err(unsupported(at, format!("the {} of an AGE is not supported", shown(word)))
                    .hint("write EXTRACT(YEAR FROM AGE(a, b)) for complete years, or a - b for days"));
            }
        };
        return elapsed(span, from, to, depth, budget);
    }
    let is_difference = matches!(of, Expr::BinaryOp { left, op: BinaryOperator::Minus, right }
        if !is_interval(right) && !is_number(right) && !is_interval(left));
    if word == "day" && is_difference {
        return Err(unsupported(at, "the difference of two days is a number of days already").hint("write a - b"));
    }
    let part = match part(word) {
        Some(part) => part,
        None if word == "epoch" => {
            return Err(unsupported(at, "EPOCH is not supported: dates have no seconds").hint(
                "write (a - b) * 86400 for the seconds between two days, and b = DATE '1970-01-01' for those of one",
            ));
        }
        None => {
            return Err(unsupported(at, format!("{function} ({}) is not supported", shown(word)))
                .hint(format!("supported are {}", parts())));
        }
    };
    Ok(Scalar::Extract(part, Box::new(expression(of, depth + 1, budget)?)))
}

fn parts() -> String {
    use strum::VariantArray;

    DatePart::VARIANTS.iter().map(|part| part.word()).collect::<Vec<_>>().join(", ")
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(ValueWithSpan { value: Value::Number(..), .. }))
}

/// The operands of `AGE(a, b)`; `None` for any other expression.
fn age(expr: &Expr) -> Result<Option<(&Expr, &Expr)>, QueryError> {
    match expr {
        Expr::Nested(inner) => age(inner),
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("age") => {
            let at = start(call.name.span());
            match &arguments(call, at)?[..] {
                [one, other] => Ok(Some((one, other))),
                [_] => Err(unsupported(at, "AGE wants two days here").hint("write AGE(CURRENT_DATE, column)")),
                other => Err(wrong_count("age", other.len(), "two", at)),
            }
        }
        _ => Ok(None),
    }
}

/// Parses a call by its name; `None` if it is not a function of days.
pub(super) fn function(
    word: &str,
    of: &ast::Function,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Option<Scalar>, QueryError> {
    let is_known = FUNCTIONS.contains(&word) || OTHERS.contains(&word);
    if !is_known {
        return Ok(None);
    }
    let operands = arguments(of, at)?;
    let mut value = |expr: &Expr| expression(expr, depth + 1, budget);
    let part_of = |part: DatePart, value: Expression| Scalar::Extract(part, Box::new(value));
    Ok(Some(match (word, &operands[..]) {
        (
            "year" | "quarter" | "month" | "day" | "isoyear" | "dayofmonth" | "dayofyear" | "weekofyear" | "isoweek",
            [of],
        ) => {
            let part = part(word).ok_or_else(|| unsupported(at, "this part of a day is not known"))?;
            part_of(part, value(of)?)
        }
        // Monday is 0, and Sunday is 1.
        ("weekday", [of]) => plus(part_of(DatePart::Isodow, value(of)?), "-1", at),
        ("dayofweek", [of]) => plus(part_of(DatePart::Dow, value(of)?), "1", at),
        ("monthname", [of]) => Scalar::Call(Call::Format("FMMonth".to_owned()), vec![value(of)?]),
        ("dayname", [of]) => Scalar::Call(Call::Format("FMDay".to_owned()), vec![value(of)?]),
        ("week", [_]) => {
            return Err(unsupported(at, "WEEK counts weeks differently in each database")
                .hint("write EXTRACT(WEEK FROM column) for the weeks of ISO 8601"));
        }
        ("date_part" | "datepart", [field, of]) => return part_by_name(word, field, of, at, depth, budget).map(Some),
        ("to_char", [of, format]) => days::format_of(value(of)?, format)?,
        ("to_date" | "to_timestamp", [text, format]) => days::day_of_text(text, format, at)?,
        ("make_date" | "datefromparts" | "date", [year, month, day]) => days::made(word, [*year, *month, *day], at)?,
        ("date", [Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. })]) => {
            days::constant_day(text, at)?
        }
        ("date", [of]) => Scalar::Call(Call::Day, vec![value(of)?]),
        ("last_day" | "eomonth", [of]) => {
            let first = Scalar::Truncate(Period::Month, Box::new(value(of)?));
            Scalar::Call(Call::Later { months: 1, days: -1 }, vec![Expression { value: first, at }])
        }
        ("add_months", [of, count]) => {
            let count = whole(count).ok_or_else(|| unsupported(at, "ADD_MONTHS wants a whole number of months"))?;
            later(of, (count, 0), at, depth, budget)?
        }
        ("dateadd" | "date_add" | "date_sub" | "timestampadd", _) => added(word, &operands, at, depth, budget)?,
        ("datediff" | "date_diff" | "timestampdiff", _) => difference(word, &operands, at, depth, budget)?,
        ("age", _) => {
            return Err(unsupported(at, "an AGE is years, months and days, which are no number")
                .hint("write EXTRACT(YEAR FROM AGE(a, b)) for complete years, or a - b for days"));
        }
        (word, other) => {
            let wanted = match word {
                "date_part" | "datepart" | "to_char" | "to_date" | "to_timestamp" | "add_months" => "two",
                "make_date" | "datefromparts" => "three",
                _ => "one",
            };
            return Err(wrong_count(word, other.len(), wanted, at));
        }
    }))
}

/// Parses `DATE_PART('year', a)` and `DATEPART(year, a)`.
fn part_by_name(
    word: &str,
    field: &Expr,
    of: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let word = word.to_uppercase();
    match unit(field).as_deref() {
        Some(field @ ("week" | "weekday" | "dw" | "ww" | "wk")) if word == "DATEPART" => {
            Err(unsupported(at, format!("DATEPART({field}, …) depends on settings of its database")).hint(
                "write EXTRACT(WEEK FROM column) for the weeks of ISO 8601, EXTRACT(ISODOW FROM column) for weekdays",
            ))
        }
        Some(field) => extracted(field, &word, of, at, depth, budget),
        None => Err(unsupported(at, format!("{word} wants a part")).hint("write DATE_PART('year', column)")),
    }
}

/// Names of functions that other databases have.
const OTHERS: [&str; 18] = [
    "isoyear",
    "dayofmonth",
    "dayofyear",
    "weekofyear",
    "isoweek",
    "weekday",
    "dayofweek",
    "monthname",
    "dayname",
    "week",
    "datepart",
    "to_timestamp",
    "datefromparts",
    "eomonth",
    "add_months",
    "timestampadd",
    "date_diff",
    "timestampdiff",
];

fn plus(of: Scalar, number: &str, at: Position) -> Scalar {
    let constant = Scalar::Constant(LiteralValue::Number(number.to_owned()));
    let expression = |value: Scalar| Box::new(Expression { value, at });
    Scalar::Arithmetic(expression(of), ArithmeticOperator::Plus, expression(constant))
}
