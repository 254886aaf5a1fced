//! Parser of ages and distances that are compared with an interval.
//!
//! Promises PostgreSQL's order of intervals, in which a month has 30 days: an age of so many complete months and days is compared as the
//! number of days that this makes.

use sqlparser::ast::{BinaryOperator, DataType, Expr, Spanned, TypedString};

use super::calendar::age;
use super::conditions::comparison;
use super::expressions::expression;
use super::intervals::{interval, is_interval};
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{ArithmeticOperator, Comparison, Condition, Expression, LiteralValue, Scalar};
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::spans::Span;

const DAYS_PER_MONTH: i64 = 30;

/// The comparison of an age or a distance with an interval.
pub(super) fn compared(
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Condition, QueryError> {
    let how = comparison(op, at)?;
    match (is_interval(left), is_interval(right)) {
        (false, _) => with_interval(left, how, right, at, depth, budget),
        (true, _) => with_interval(right, how.mirrored(), left, at, depth, budget),
    }
}

/// The condition that an age or a distance compares in this way with an interval.
pub(super) fn with_interval(
    of: &Expr,
    how: Comparison,
    by: &Expr,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Condition, QueryError> {
    let days = |budget: &mut Budget, expr: &Expr| expression(expr, depth + 1, budget);
    let ages = age(of)?;
    if ages.is_none() && !is_difference(of) {
        return Err(unsupported(at, "an interval is compared with an AGE, or with the difference of two days")
            .hint("write AGE(a, b) >= INTERVAL '1 year', or a - b >= 365"));
    }
    let (months, further) = interval(by)?;
    let wanted = months.saturating_mul(DAYS_PER_MONTH).saturating_add(further);
    match ages {
        Some(_) if wanted <= 0 => Err(unsupported(start(by.span()), "an age is compared with an interval above 0")
            .hint("compare the days themselves: a < b")),
        Some((to, from)) => Ok(aged(days(budget, to)?, days(budget, from)?, how, wanted, at)),
        None => Ok(Condition::Compare(days(budget, of)?, how, number(wanted, at))),
    }
}

/// Whether an expression takes a day from a day.
pub(super) fn is_difference(expr: &Expr) -> bool {
    let is_number =
        |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(value.value, sqlparser::ast::Value::Number(..)));
    match expr {
        Expr::Nested(inner) => is_difference(inner),
        Expr::BinaryOp { left, op: BinaryOperator::Minus, right } => {
            !is_interval(right) && !is_number(right) && !is_interval(left)
        }
        _ => false,
    }
}

/// Whether a side of a difference is written as a moment, so that the difference is an interval in PostgreSQL.
pub(super) fn is_of_moments(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_of_moments(inner),
        Expr::BinaryOp { left, right, .. } => is_of_moments(left) || is_of_moments(right),
        Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => {
            matches!(data_type, DataType::Timestamp(..) | DataType::Datetime(_))
        }
        _ => false,
    }
}

/// AGE(to, from) as complete months and days, compared with a number of days above 0.
fn aged(to: Expression, from: Expression, how: Comparison, wanted: i64, at: Position) -> Condition {
    let put = |value: Scalar| Expression { value, at };
    let joined = |one: Expression, operator: ArithmeticOperator, other: Expression| {
        put(Scalar::Arithmetic(Box::new(one), operator, Box::new(other)))
    };
    let of_month = |day: &Expression| put(Scalar::Extract(DatePart::Day, Box::new(day.clone())));
    let elapsed = |span: Span| put(Scalar::Call(Call::Elapsed(span), vec![from.clone(), to.clone()]));
    let first = put(Scalar::Truncate(Period::Month, Box::new(from.clone())));
    let last = put(Scalar::Call(Call::Later { months: 1, days: -1 }, vec![first]));
    // A month that is not complete lends the days of the earlier day's month.
    let is_lent = Condition::Compare(of_month(&to), Comparison::Less, of_month(&from));
    let lent = put(Scalar::Case(vec![(is_lent, of_month(&last))], Some(Box::new(number(0, at)))));
    let days =
        joined(joined(of_month(&to), ArithmeticOperator::Minus, of_month(&from)), ArithmeticOperator::Plus, lent);
    let months = joined(elapsed(Span::AgeMonths), ArithmeticOperator::Times, number(DAYS_PER_MONTH, at));
    let years = joined(elapsed(Span::AgeYears), ArithmeticOperator::Times, number(12 * DAYS_PER_MONTH, at));
    let total = joined(joined(years, ArithmeticOperator::Plus, months), ArithmeticOperator::Plus, days);
    let later = Condition::Compare(to, Comparison::GreaterOrEqual, from);
    let compare = |how: Comparison| {
        Condition::All(vec![later.clone(), Condition::Compare(total.clone(), how, number(wanted, at))])
    };
    // An age below 0 is less than every interval above 0.
    match how {
        Comparison::Greater | Comparison::GreaterOrEqual | Comparison::Equal => compare(how),
        Comparison::Less => Condition::Not(Box::new(compare(Comparison::GreaterOrEqual))),
        Comparison::LessOrEqual => Condition::Not(Box::new(compare(Comparison::Greater))),
        Comparison::NotEqual => Condition::Not(Box::new(compare(Comparison::Equal))),
    }
}

fn number(value: i64, at: Position) -> Expression {
    Expression { value: Scalar::Constant(LiteralValue::Number(value.to_string())), at }
}
