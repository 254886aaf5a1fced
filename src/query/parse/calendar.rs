//! Parser of functions of days, as PostgreSQL and other tools spell them.

use sqlparser::ast::{self, DateTimeField, Expr, Spanned, Value, ValueWithSpan};

use super::ages::{is_difference, is_of_moments};
use super::expressions::{arguments, expression, wrong_count};
use super::intervals::{added, difference, elapsed, later, unit, whole};
use super::limits::Budget;
use super::nodes::{start, unsupported};
use super::{days, periods};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{ArithmeticOperator, CastType, Expression, LiteralValue, Numeric, Scalar};
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::spans::Span;

/// The functions of days, for "did you mean".
pub(super) const FUNCTIONS: [&str; 17] = [
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
    "date_trunc",
    "date_bin",
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
        "millennium" | "millenniums" | "millennia" => DatePart::Millennium,
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
    let is_difference = is_difference(of);
    match word {
        "day" | "days" if is_difference && is_of_moments(of) => {
            return Ok(as_decimal(expression(of, depth + 1, budget)?));
        }
        "day" if is_difference => {
            return Err(unsupported(at, "the difference of two days is a number of days already").hint("write a - b"));
        }
        "epoch" | "julian" | "hour" | "hours" | "minute" | "minutes" | "second" | "seconds" | "millisecond"
        | "milliseconds" | "microsecond" | "microseconds" => {
            let of = expression(of, depth + 1, budget)?;
            return Ok(as_decimal(of_moment(word, of, is_difference, at)));
        }
        _ => {}
    }
    let part = match part(word) {
        Some(part) => part,
        None => {
            return Err(unsupported(at, format!("{function} ({}) is not supported", shown(word)))
                .hint(format!("supported are {}", parts())));
        }
    };
    Ok(Scalar::Extract(part, Box::new(expression(of, depth + 1, budget)?)))
}

/// The seconds or the days since a first day, and the time of the day, which is 0.
fn of_moment(word: &str, of: Expression, is_difference: bool, at: Position) -> Expression {
    let put = |value: Scalar| Expression { value, at };
    let number = |text: &str| put(Scalar::Constant(LiteralValue::Number(text.to_owned())));
    let joined = |one: Expression, operator: ArithmeticOperator, other: Expression| {
        put(Scalar::Arithmetic(Box::new(one), operator, Box::new(other)))
    };
    let first = put(Scalar::Constant(LiteralValue::Date("1970-01-01".to_owned())));
    let days = if is_difference { of } else { joined(of, ArithmeticOperator::Minus, first) };
    match word {
        "epoch" => joined(days, ArithmeticOperator::Times, number("86400")),
        "julian" => joined(days, ArithmeticOperator::Plus, number("2440588")),
        _ => put(Scalar::Numeric(Numeric::Remainder, vec![days, number("1")])),
    }
}

/// A number that is divided as decimals are, as EXTRACT gives it.
fn as_decimal(of: Expression) -> Scalar {
    Scalar::Numeric(Numeric::Cast(CastType::Decimal(None)), vec![of])
}

fn parts() -> String {
    use strum::VariantArray;

    DatePart::VARIANTS.iter().map(|part| part.word()).chain(["epoch", "julian"]).collect::<Vec<_>>().join(", ")
}

/// The operands of `AGE(a, b)`; `None` for any other expression.
pub(super) fn age(expr: &Expr) -> Result<Option<(&Expr, &Expr)>, QueryError> {
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
    let is_known = FUNCTIONS.contains(&word) || OTHERS.contains(&word) || periods::FUNCTIONS.contains(&word);
    if !is_known {
        return Ok(None);
    }
    let operands = arguments(of, at)?;
    if periods::FUNCTIONS.contains(&word) {
        return periods::function(word, &operands, at, depth, budget);
    }
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
        ("to_date" | "to_timestamp", [text, format]) => {
            days::day_of_text(text, format, word == "to_timestamp", at, depth, budget)?
        }
        ("make_date" | "datefromparts" | "date", [year, month, day]) => {
            days::made([*year, *month, *day], at, depth, budget)?
        }
        ("date" | "to_date", [Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. })]) => {
            days::constant_day(text, at)?
        }
        ("date" | "to_date", [of]) => Scalar::Call(Call::Day, vec![value(of)?]),
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
