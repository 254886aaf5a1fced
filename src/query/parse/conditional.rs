//! Aggregates of a CASE, which are aggregates with a FILTER.

use sqlparser::ast::{BinaryOperator, Expr};

use super::nodes::is_null;
use crate::query::error::Position;
use crate::query::syntax::{AggregateFunction, Condition, Expression, LiteralValue, Scalar};

/// The condition of `condition OR NULL`, which is missing unless the condition is true; `None` for any other expression.
pub(super) fn or_null(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Nested(inner) => or_null(inner),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } if is_null(right) => Some(left),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } if is_null(left) => Some(right),
        _ => None,
    }
}

/// A value that is present where the condition is true.
pub(super) fn present(condition: Condition, at: Position) -> Expression {
    let one = Expression { value: Scalar::Constant(LiteralValue::Number("1".to_owned())), at };
    Expression { value: Scalar::Case(vec![(condition, one)], None), at }
}

/// `COUNT(DISTINCT CASE WHEN … THEN a END)` is `COUNT(DISTINCT a) FILTER (WHERE …)`.
pub(super) fn conditional(
    function: AggregateFunction,
    filter: Option<Condition>,
) -> (AggregateFunction, Option<Condition>) {
    match function {
        AggregateFunction::CountDistinct(Expression { value: Scalar::Case(mut whens, None), at })
            if whens.len() == 1 =>
        {
            // Unwrap safety: there is one.
            let (condition, of) = whens.pop().expect("a condition with its result");
            let filter = match filter {
                Some(filter) => Condition::All(vec![filter, condition]),
                None => condition,
            };
            (AggregateFunction::CountDistinct(Expression { at, ..of }), Some(filter))
        }
        other => (other, filter),
    }
}
