//! Parser of the bounds between which an aggregate clamps its values.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr};

use super::conditions::literal;
use super::nodes::unsupported;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{AggregateFunction, Expression, Literal, Scalar};

/// Separates `contribution_bounds => (low, high)`, if present, from the other arguments.
#[expect(clippy::type_complexity, reason = "two things of one argument list")]
pub(super) fn contribution_bounds(
    args: &[FunctionArg],
    at: Position,
) -> Result<(Vec<FunctionArg>, Option<(Literal, Literal)>), QueryError> {
    let mut plain = Vec::with_capacity(args.len());
    let mut bounds = None;
    for arg in args {
        let (name, value) = match arg {
            FunctionArg::Named { name, arg, .. } => (name.value.clone(), arg),
            FunctionArg::ExprNamed { name, arg, .. } => (name.to_string(), arg),
            FunctionArg::Unnamed(_) => {
                plain.push(arg.clone());
                continue;
            }
        };
        let pair = match value {
            FunctionArgExpr::Expr(Expr::Tuple(pair)) => &pair[..],
            _ => &[],
        };
        let (true, [low, high], None) = (name.eq_ignore_ascii_case("contribution_bounds"), pair, &bounds) else {
            let is_known = name.eq_ignore_ascii_case("contribution_bounds");
            let error = unsupported(
                at,
                match is_known {
                    true => "contribution_bounds are two numbers, and stand once".to_owned(),
                    false => format!("an argument \"{}\" is not known", shown(&name)),
                },
            );
            return Err(if is_known { error.hint("write contribution_bounds => (low, high)") } else { error });
        };
        bounds = Some((literal(low)?, literal(high)?));
    }
    Ok((plain, bounds))
}

/// Clamps the argument of a sum, a mean or a spread between two bounds.
pub(super) fn clamped(
    function: AggregateFunction,
    (low, high): (Literal, Literal),
    at: Position,
) -> Result<AggregateFunction, QueryError> {
    let within = |of: Expression| Expression { at: of.at, value: Scalar::Clamped(Box::new(of), low, high) };
    Ok(match function {
        AggregateFunction::Sum(of) => AggregateFunction::Sum(within(of)),
        AggregateFunction::Avg(of) => AggregateFunction::Avg(within(of)),
        AggregateFunction::Spread(spread, of) => AggregateFunction::Spread(spread, within(of)),
        other => {
            let message = format!("{} has no contribution_bounds", other.word().to_uppercase());
            return Err(unsupported(at, message).hint("leave contribution_bounds out"));
        }
    })
}
