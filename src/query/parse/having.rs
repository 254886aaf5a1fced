//! Parser of conditions after the noise: those of HAVING, and those of CASE over aggregates.

use sqlparser::ast::{BinaryOperator, Expr, Spanned, UnaryOperator};

use super::after::{is_of_columns, key, label};
use super::conditions::{comparison, sides};
use super::limits::{Budget, DEPTH_MAX, IN_ITEMS_MAX, too_deep};
use super::nodes::{start, unsupported};
use super::outputs::output;
use crate::query::error::{QueryError, shown};
use crate::query::syntax::{Comparison, Having, OutputExpression};

/// Parses a condition; with `named`, it may name other outputs.
pub(super) fn having(expr: &Expr, depth: usize, named: bool, budget: &mut Budget) -> Result<Having, QueryError> {
    if depth >= DEPTH_MAX {
        return Err(too_deep());
    }
    budget.node()?;
    let mut side = |expr: &Expr| output(expr, depth + 1, named, budget);
    let not = |having: Having, is_negated: bool| if is_negated { Having::Not(Box::new(having)) } else { having };
    match expr {
        Expr::Between { expr, negated, low, high } => {
            let (low, high) = (side(low)?, side(high)?);
            let least = Having::Compare(side(expr)?, Comparison::GreaterOrEqual, low);
            let both = Having::All(vec![least, Having::Compare(side(expr)?, Comparison::LessOrEqual, high)]);
            Ok(not(both, *negated))
        }
        Expr::InList { expr, list, negated } => {
            if list.len() > IN_ITEMS_MAX {
                let message = format!("IN has {} items; accepted are at most {IN_ITEMS_MAX}", list.len());
                return Err(unsupported(start(expr.span()), message));
            }
            let of = side(expr)?;
            budget.items(list.len())?;
            let one = |item: &Expr| match label(item)? {
                Some(item) => Ok(Having::Compare(of.clone(), Comparison::Equal, item)),
                None => Ok(Having::Compare(
                    of.clone(),
                    Comparison::Equal,
                    OutputExpression::Number(super::conditions::literal(item)?),
                )),
            };
            let any = list.iter().map(one).collect::<Result<Vec<_>, QueryError>>()?;
            Ok(not(Having::Any(any), *negated))
        }
        Expr::IsNull(expr) => Ok(Having::IsNull(side(expr)?)),
        Expr::IsNotNull(expr) => Ok(Having::Not(Box::new(Having::IsNull(side(expr)?)))),
        Expr::Nested(inner) => having(inner, depth + 1, named, budget),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
            Ok(Having::Not(Box::new(having(expr, depth + 1, named, budget)?)))
        }
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
            let parts = sides(expr, op).into_iter().map(|side| having(side, depth + 1, named, budget));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            Ok(if *op == BinaryOperator::And { Having::All(parts) } else { Having::Any(parts) })
        }
        Expr::BinaryOp { left, op, right } => {
            let comparison = comparison(op, start(expr.span()))?;
            Ok(Having::Compare(side(left)?, comparison, side(right)?))
        }
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => Ok(Having::Is(side(expr)?)),
        other if is_of_columns(other) => key(other, depth, budget).map(Having::Is),
        other => {
            let message = format!("\"{}\" is not supported in HAVING", shown(&other.to_string()));
            Err(unsupported(start(other.span()), message)
                .hint("supported are comparisons of aggregates, keys and outputs"))
        }
    }
}
