//! Parser of truth tests and of comparisons as programs write them.

use sqlparser::ast::{Array, BinaryOperator, Expr, Spanned, UnaryOperator, Value, ValueWithSpan};

use super::conditions::{condition, literal};
use super::expressions::expression;
use super::limits::{Budget, IN_ITEMS_MAX};
use super::nodes::{start, unsupported};
use super::words;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{Comparison, Condition, Expression, Scalar};

/// Whether an expression is a truth test, or a comparison in one of the forms below.
pub(super) fn is_test(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. }
    )
}

/// Parses a condition in one of the forms of this file, or any expression that may be a truth value.
pub(super) fn test(expr: &Expr, depth: usize, budget: &mut Budget) -> Result<Condition, QueryError> {
    let at = start(expr.span());
    let mut of = |inner: &Expr| condition(inner, depth + 1, budget);
    Ok(match expr {
        Expr::IsTrue(inner) => is_true(of(inner)?, at),
        Expr::IsNotTrue(inner) => not(is_true(of(inner)?, at)),
        Expr::IsFalse(inner) => is_true(not(of(inner)?), at),
        Expr::IsNotFalse(inner) => not(is_true(not(of(inner)?), at)),
        Expr::IsUnknown(inner) => is_unknown(of(inner)?, at),
        Expr::IsNotUnknown(inner) => not(is_unknown(of(inner)?, at)),
        Expr::IsDistinctFrom(one, other) => not(alike(one, other, depth, budget)?),
        Expr::IsNotDistinctFrom(one, other) => alike(one, other, depth, budget)?,
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, is_some: _ } => {
            listed(left, items(right, at)?, depth, budget)?
        }
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => {
            not(listed(left, items(right, at)?, depth, budget)?)
        }
        Expr::AnyOp { .. } | Expr::AllOp { .. } => {
            return Err(unsupported(at, "ANY is taken with = and ALL with <>")
                .hint("write = ANY(ARRAY[…]), <> ALL(ARRAY[…]), or comparisons with AND and OR"));
        }
        Expr::Tuple(_) => {
            return Err(unsupported(at, "a condition is of single values, not of rows of values")
                .hint("write (a = … AND b = …) OR …"));
        }
        Expr::Value(ValueWithSpan { value: Value::Null, .. }) => {
            return Err(unsupported(at, "NULL as a condition is never true").hint("write FALSE"));
        }
        Expr::Value(_)
        | Expr::Function(_)
        | Expr::Case { .. }
        | Expr::Cast { .. }
        | Expr::CompoundIdentifier(_)
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. } => Condition::Is(expression(expr, depth, budget)?),
        other => {
            let message = format!("the condition \"{}\" is not supported", shown(&other.to_string()));
            return Err(unsupported(at, message)
                .hint("supported are = <> < <= > >= BETWEEN IN LIKE ~ IS NULL IS TRUE IS DISTINCT FROM AND OR NOT"));
        }
    })
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// A condition that is neither true nor false.
fn is_unknown(condition: Condition, at: Position) -> Condition {
    match condition {
        Condition::Is(of) => Condition::IsNull(of),
        other => Condition::IsNull(Expression { value: Scalar::Truth(Box::new(other)), at }),
    }
}

/// A condition that is true, and false where it is unknown.
fn is_true(condition: Condition, at: Position) -> Condition {
    let known = not(is_unknown(positive(condition.clone()), at));
    Condition::All(vec![condition, known])
}

/// The condition below a NOT, which is unknown for the same rows.
fn positive(condition: Condition) -> Condition {
    match condition {
        Condition::Not(inner) => positive(*inner),
        other => other,
    }
}

/// Two values that are equal or both missing.
fn alike(one: &Expr, other: &Expr, depth: usize, budget: &mut Budget) -> Result<Condition, QueryError> {
    let is_null = |expr: &Expr| matches!(expr, Expr::Value(ValueWithSpan { value: Value::Null, .. }));
    if is_null(one) || is_null(other) {
        let rest = if is_null(one) { other } else { one };
        return Ok(Condition::IsNull(expression(rest, depth, budget)?));
    }
    let (one, other) = (expression(one, depth, budget)?, expression(other, depth, budget)?);
    let present = |of: &Expression| not(Condition::IsNull(of.clone()));
    let missing = Condition::All(vec![Condition::IsNull(one.clone()), Condition::IsNull(other.clone())]);
    let (here, there) = (present(&one), present(&other));
    let equal = Condition::All(vec![Condition::Compare(one, Comparison::Equal, other), here, there]);
    Ok(Condition::Any(vec![equal, missing]))
}

/// The items of `ANY(ARRAY[…])`.
fn items(expr: &Expr, at: Position) -> Result<&[Expr], QueryError> {
    match expr {
        Expr::Array(Array { elem, named: _ }) => Ok(elem),
        Expr::Nested(inner) => items(inner, at),
        Expr::Tuple(items) => Ok(items),
        Expr::Cast { expr, .. } => items(expr, at),
        _ => Err(unsupported(at, "ANY and ALL want an array of constants").hint("write = ANY(ARRAY['a', 'b'])")),
    }
}

/// Parses `a IN (…)`. An item that has to be worked out is compared by itself.
pub(super) fn listed(expr: &Expr, list: &[Expr], depth: usize, budget: &mut Budget) -> Result<Condition, QueryError> {
    let at = start(expr.span());
    if list.len() > IN_ITEMS_MAX {
        let message = format!("IN has {} items; accepted are at most {IN_ITEMS_MAX}", list.len());
        return Err(unsupported(at, message));
    }
    if let Expr::Tuple(_) = expr {
        return Err(unsupported(at, "a condition is of single values, not of rows of values")
            .hint("write (a = … AND b = …) OR …"));
    }
    budget.items(list.len())?;
    let of = expression(expr, depth, budget)?;
    let (mut literals, mut others) = (Vec::with_capacity(list.len()), Vec::new());
    for item in list {
        if is_worked_out(item) {
            let item = expression(item, depth, budget)?;
            others.push(Condition::Compare(of.clone(), Comparison::Equal, item));
        } else {
            literals.push(literal(item)?);
        }
    }
    if others.is_empty() {
        return Ok(Condition::In(of, literals));
    }
    if !literals.is_empty() {
        others.push(Condition::In(of, literals));
    }
    Ok(Condition::Any(others))
}

/// Whether an item of a list is more than a constant or a name.
fn is_worked_out(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_worked_out(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
            !matches!(expr.as_ref(), Expr::Value(ValueWithSpan { value: Value::Number(..), .. }))
        }
        Expr::BinaryOp { .. } | Expr::Function(_) | Expr::Cast { .. } => true,
        other => words::is_word(other),
    }
}
