//! Parser of conditions: comparisons and their connectives.

use sqlparser::ast::{
    BinaryOperator, DataType, DollarQuotedString, Expr, Query, Spanned, TypedString, UnaryOperator, Value,
    ValueWithSpan,
};

use super::expressions::expression;
use super::limits::{Budget, DEPTH_MAX, too_deep};
use super::nodes::{start, unsupported};
use super::numeric;
use super::rows::{existing, rows};
use super::scope::Allowed;
use super::{symmetric, truths, words};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{Comparison, Condition, Expression, Literal, LiteralValue, Scalar};
use crate::query::term::literals::midnight;

/// Parses the condition of a WHERE.
pub(super) fn of_where(expr: &Expr, budget: &mut Budget) -> Result<Condition, QueryError> {
    let outside = std::mem::replace(&mut budget.scope.is_where, true);
    let parsed = condition(expr, 0, budget)?;
    budget.scope.is_where = outside;
    Ok(parsed)
}

pub(super) fn condition(expr: &Expr, depth: usize, budget: &mut Budget) -> Result<Condition, QueryError> {
    if depth >= DEPTH_MAX {
        return Err(too_deep());
    }
    budget.node()?;
    let at = start(expr.span());
    match expr {
        Expr::Nested(inner) => condition(inner, depth + 1, budget),
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
            let sides = sides(expr, op).into_iter().map(|side| condition(side, depth + 1, budget));
            let sides = sides.collect::<Result<Vec<_>, _>>()?;
            Ok(if *op == BinaryOperator::And { Condition::All(sides) } else { Condition::Any(sides) })
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(negated(condition(expr, depth + 1, budget)?, true)),
        expr if words::is_pattern(expr) => Ok(match expression(expr, depth, budget)? {
            Expression { value: Scalar::Truth(condition), .. } => *condition,
            other => Condition::Is(other),
        }),
        Expr::BinaryOp { left, op, right } => {
            let comparison = comparison(op, at)?;
            if numeric::is_null(left) || numeric::is_null(right) {
                return Err(never(comparison, at));
            }
            let left = expression(left, depth, budget)?;
            Ok(Condition::Compare(left, comparison, expression(right, depth, budget)?))
        }
        Expr::Between { expr, negated: not, low, high } => {
            let mut side = |expr: &Expr| expression(expr, depth, budget);
            let (low, is_symmetric) = symmetric::lower(low);
            let (of, low, high) = (side(expr)?, side(low)?, side(high)?);
            let turned = is_symmetric.then(|| Condition::Between(of.clone(), high.clone(), low.clone()));
            let between = Condition::Between(of, low, high);
            let between = match turned {
                Some(turned) => Condition::Any(vec![between, turned]),
                None => between,
            };
            Ok(negated(between, *not))
        }
        Expr::InList { expr, list, negated: not } => Ok(negated(truths::listed(expr, list, depth, budget)?, *not)),
        Expr::IsNull(expr) => Ok(Condition::IsNull(expression(expr, depth, budget)?)),
        Expr::IsNotNull(expr) => Ok(negated(Condition::IsNull(expression(expr, depth, budget)?), true)),
        Expr::InSubquery { expr, subquery, negated: not } => among(expr, subquery, *not, depth, budget),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, is_some: _ }
            if let Some(query) = subquery(right) =>
        {
            among(left, query, false, depth, budget)
        }
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } if let Some(query) = subquery(right) => {
            among(left, query, true, depth, budget)
        }
        Expr::Exists { subquery, negated: not } => {
            let rows = budget.inside(depth, |budget| existing(subquery, budget))?;
            Ok(negated(Condition::Exists(Box::new(rows)), *not))
        }
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) | Expr::Cast { .. } => {
            Ok(Condition::Is(expression(expr, depth, budget)?))
        }
        Expr::Function(_) | Expr::CompoundFieldAccess { .. } if budget.scope.allowed != Allowed::Row => {
            Ok(Condition::Is(expression(expr, depth, budget)?))
        }
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } if subquery(right).is_some() => {
            Err(unsupported(at, "of ANY and ALL with a query there are = ANY and <> ALL alone"))
        }
        other => truths::test(other, depth, budget),
    }
}

/// The error for a comparison with NULL.
fn never(comparison: Comparison, at: Position) -> QueryError {
    let error = unsupported(at, "a comparison with NULL is never true");
    match comparison {
        Comparison::Equal => error.hint("write … IS NULL to ask whether it is missing"),
        Comparison::NotEqual => error.hint("write … IS NOT NULL to ask whether it is there"),
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => error,
    }
}

/// Parses `a IN (SELECT …)`.
fn among(of: &Expr, query: &Query, not: bool, depth: usize, budget: &mut Budget) -> Result<Condition, QueryError> {
    let of = expression(of, depth, budget)?;
    let rows = budget.inside(depth, |budget| rows(query, budget))?;
    Ok(negated(Condition::InRows(of, Box::new(rows)), not))
}

/// The query in parentheses.
fn subquery(expr: &Expr) -> Option<&Query> {
    match expr {
        Expr::Subquery(query) => Some(query),
        Expr::Nested(inner) => subquery(inner),
        _ => None,
    }
}

/// Whether an expression is a condition, with the values true, false and unknown.
pub(super) fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_condition(inner),
        Expr::BinaryOp { op, .. } => {
            matches!(op, BinaryOperator::And | BinaryOperator::Or)
                || comparison(op, Position { line: 0, column: 0 }).is_ok()
        }
        Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not,
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } if subquery(right).is_some() => true,
        Expr::Between { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Exists { .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_) => true,
        other => truths::is_test(other),
    }
}

/// The operands of a chain of one connective, collected without recursion along the chain.
pub(super) fn sides<'a>(expr: &'a Expr, connective: &BinaryOperator) -> Vec<&'a Expr> {
    let (mut rest, mut sides) = (expr, Vec::new());
    while let Expr::BinaryOp { left, op, right } = rest {
        if op != connective {
            break;
        }
        sides.push(right.as_ref());
        rest = left;
    }
    sides.push(rest);
    sides.reverse();
    sides
}

fn negated(condition: Condition, not: bool) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}

pub(super) fn comparison(op: &BinaryOperator, at: Position) -> Result<Comparison, QueryError> {
    match op {
        BinaryOperator::Eq => Ok(Comparison::Equal),
        BinaryOperator::NotEq => Ok(Comparison::NotEqual),
        BinaryOperator::Lt => Ok(Comparison::Less),
        BinaryOperator::LtEq => Ok(Comparison::LessOrEqual),
        BinaryOperator::Gt => Ok(Comparison::Greater),
        BinaryOperator::GtEq => Ok(Comparison::GreaterOrEqual),
        other => {
            let message = format!("the operator \"{other}\" is not supported in a condition");
            Err(unsupported(at, message).hint("supported are = <> < <= > >="))
        }
    }
}

pub(super) fn literal(expr: &Expr) -> Result<Literal, QueryError> {
    let at = start(expr.span());
    let value = match expr {
        Expr::Value(ValueWithSpan { value, .. }) => constant(value, at)?,
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => return literal(expr),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) => {
                LiteralValue::Number(format!("-{text}"))
            }
            _ => return Err(unsupported(at, "a constant is wanted here")),
        },
        Expr::TypedString(TypedString { data_type: DataType::Date, value, uses_odbc_syntax: false }) => {
            match &value.value {
                Value::SingleQuotedString(text) => LiteralValue::Date(text.clone()),
                _ => return Err(unsupported(at, "DATE wants a quoted day, like DATE '2024-02-29'")),
            }
        }
        Expr::Nested(inner) => return literal(inner),
        Expr::TypedString(TypedString { data_type: DataType::Timestamp(..), value, uses_odbc_syntax: false }) => {
            match &value.value {
                Value::SingleQuotedString(text) => LiteralValue::Date(midnight(text).to_owned()),
                _ => {
                    return Err(unsupported(
                        at,
                        "TIMESTAMP wants a quoted moment, like TIMESTAMP '2024-02-29 00:00:00'",
                    ));
                }
            }
        }
        Expr::Cast { expr, data_type, .. } => {
            let to = numeric::cast_type(data_type, at)?;
            match numeric::constant(expr, to) {
                Some(value) => value,
                None => return Err(unsupported(at, "a constant is wanted here, and this cast is none")),
            }
        }
        Expr::Identifier(ident) => {
            let message = format!("\"{}\" stands where a constant is wanted", shown(&ident.value));
            return Err(unsupported(at, message).hint("text is written in single quotes: 'north'"));
        }
        _ => {
            return Err(unsupported(
                at,
                "a constant is wanted here: a number, 'text', TRUE, FALSE or DATE '2024-02-29'",
            ));
        }
    };
    Ok(Literal { value, at })
}

fn constant(value: &Value, at: Position) -> Result<LiteralValue, QueryError> {
    match value {
        Value::Number(text, false) => Ok(LiteralValue::Number(text.clone())),
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text)
        | Value::DollarQuotedString(DollarQuotedString { value: text, tag: _ }) => Ok(LiteralValue::Text(text.clone())),
        Value::Boolean(truth) => Ok(LiteralValue::Boolean(*truth)),
        Value::Null => Err(unsupported(at, "NULL stands where a value is wanted")),
        Value::DoubleQuotedString(_) => {
            Err(unsupported(at, "double quotes name columns; text is written in single quotes"))
        }
        Value::Placeholder(_) => Err(unsupported(at, "placeholders are not supported; write the value itself")),
        _ => Err(unsupported(at, "this kind of constant is not supported; write a number or 'text'")),
    }
}
