//! Parser of functions of days, as PostgreSQL and other tools spell them.

use sqlparser::ast::{self, BinaryOperator, DateTimeField, Expr, Interval, Spanned, Value, ValueWithSpan};

use super::conditions::literal;
use super::expressions::{arguments, expression, wrong_count};
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{ArithmeticOperator, Expression, LiteralValue, Scalar};
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::formats::DayFormat;
use crate::query::term::spans::Span;
use crate::query::terms::domain::date_days;

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

fn elapsed(span: Span, from: &Expr, to: &Expr, depth: usize, budget: &mut Budget) -> Result<Scalar, QueryError> {
    let (from, to) = (expression(from, depth + 1, budget)?, expression(to, depth + 1, budget)?);
    Ok(Scalar::Call(Call::Elapsed(span), vec![from, to]))
}

/// Whether an expression is `INTERVAL …`.
pub(super) fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_interval(inner),
        other => matches!(other, Expr::Interval(_)),
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
    let (months, days) = interval(by)?;
    later(of, (sign * months, sign * days), at, depth, budget)
}

fn later(
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
    let Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } = match expr {
        Expr::Nested(inner) => return interval(inner),
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
    // "1 year 2 months", also "1y" and "-3 days"; the count and its word may stand together.
    let mut words = text.split_whitespace().flat_map(|word| {
        let end = word.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(word.len());
        [&word[..end], &word[end..]].into_iter().filter(|part| !part.is_empty())
    });
    let (mut months, mut days, mut is_some) = (0_i64, 0_i64, false);
    while let Some(count) = words.next() {
        let word = words.next().ok_or_else(wrong)?;
        let count = count.parse().map_err(|_| wrong())?;
        let (more, further) = length(count, &word.to_lowercase()).ok_or_else(wrong)?;
        months = months.checked_add(more).ok_or_else(wrong)?;
        days = days.checked_add(further).ok_or_else(wrong)?;
        is_some = true;
    }
    if is_some { Ok((months, days)) } else { Err(wrong()) }
}

/// Months and days of so many years, months, weeks or days.
fn length(count: i64, word: &str) -> Option<(i64, i64)> {
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
fn unit(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.to_lowercase()),
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text.to_lowercase()),
        _ => None,
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
        ("date_part", [field, of]) => match unit(field) {
            Some(field) => return extracted(&field, "DATE_PART", of, at, depth, budget).map(Some),
            None => return Err(unsupported(at, "DATE_PART wants a part").hint("write DATE_PART('year', column)")),
        },
        ("datepart", [field, of]) => match unit(field).as_deref() {
            Some(field @ ("week" | "weekday" | "dw" | "ww" | "wk")) => {
                return Err(unsupported(at, format!("DATEPART({field}, …) depends on settings of its database")).hint(
                    "write EXTRACT(WEEK FROM column) for the weeks of ISO 8601, EXTRACT(ISODOW FROM column) for weekdays",
                ));
            }
            Some(field) => return extracted(field, "DATEPART", of, at, depth, budget).map(Some),
            None => return Err(unsupported(at, "DATEPART wants a part").hint("write DATEPART(year, column)")),
        },
        ("to_char", [of, format]) => format_of(value(of)?, format)?,
        ("to_date" | "to_timestamp", [text, format]) => day_of_text(text, format, at)?,
        ("make_date" | "datefromparts" | "date", [year, month, day]) => {
            let whole = |part: &Expr| match literal(part) {
                Ok(found) => match found.value {
                    LiteralValue::Number(text) => text.parse::<u32>().ok(),
                    LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
                },
                Err(_) => None,
            };
            match (whole(year), whole(month), whole(day)) {
                (Some(year), Some(month), Some(day)) => constant_day(&format!("{year:04}-{month:02}-{day:02}"), at)?,
                _ => {
                    return Err(unsupported(at, format!("{} wants three whole numbers", word.to_uppercase()))
                        .hint("write MAKE_DATE(2024, 2, 29)"));
                }
            }
        }
        ("date", [Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. })]) => {
            constant_day(text, at)?
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

fn whole(expr: &Expr) -> Option<i64> {
    match literal(expr).ok()?.value {
        LiteralValue::Number(text) => text.parse().ok(),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    }
}

fn format_of(of: Expression, format: &Expr) -> Result<Scalar, QueryError> {
    let at = start(format.span());
    let LiteralValue::Text(format) = literal(format)?.value else {
        return Err(unsupported(at, "TO_CHAR wants a format").hint("write TO_CHAR(column, 'YYYY-MM')"));
    };
    if let Err(rest) = DayFormat::parse(&format) {
        return Err(unsupported(at, format!("TO_CHAR does not know the pattern at \"{}\"", shown(rest))).hint(
            "of days it knows YYYY, IYYY, Q, MM, Mon, Month, IW, WW, DD, DDD, D, ID, Dy, Day, FM and \"text\" in quotes",
        ));
    }
    Ok(Scalar::Call(Call::Format(format), vec![of]))
}

/// A constant day, checked here because its parts are written apart.
fn constant_day(text: &str, at: Position) -> Result<Scalar, QueryError> {
    // A time behind the day is midnight in most texts that programs write.
    let day = text.strip_suffix(" 00:00:00").or(text.strip_suffix("T00:00:00")).unwrap_or(text);
    if date_days(day).is_none() {
        let message = format!("'{}' is no day", shown(text));
        return Err(unsupported(at, message).hint("write one like DATE '2024-02-29'"));
    }
    Ok(Scalar::Constant(LiteralValue::Date(day.to_owned())))
}

/// Parses `TO_DATE('31.12.2024', 'DD.MM.YYYY')`.
fn day_of_text(text: &Expr, format: &Expr, at: Position) -> Result<Scalar, QueryError> {
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

/// Parses `DATEADD(day, 30, a)`, `DATE_ADD(a, INTERVAL 30 DAY)` and their kin.
fn added(
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
fn difference(
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
