//! Parser of row-local expressions: columns, constants, arithmetic and a few functions.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, UnaryOperator, Value,
    ValueWithSpan,
};

use super::chosen::first;
use super::conditions::{condition, is_condition, literal};
use super::foreign::nearest_function;
use super::limits::{Budget, DEPTH_MAX, too_deep};
use super::nodes::{absent, is_null, name, qualified, start, unsupported};
use super::outputs::{aggregate, is_aggregate};
use super::rows::rows;
use super::scope::Allowed;
use super::windows::{is_window, window};
use super::{calendar, intervals, numeric, outputs, words};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{
    ArithmeticOperator, Comparison, Condition, Expression, Literal, LiteralValue, Numeric, Scalar,
};
use crate::query::term::Constant;
use crate::query::term::lower::{Side, exact};

/// Largest number of decimals that a number can be rounded to.
const ROUND_DECIMALS_MAX: u32 = 9;
/// Largest number of buckets of equal width.
const BUCKETS_MAX: u32 = 1_000;
const FUNCTIONS: [&str; 6] = ["abs", "coalesce", "greatest", "least", "round", "width_bucket"];

pub(super) fn expression(expr: &Expr, depth: usize, budget: &mut Budget) -> Result<Expression, QueryError> {
    if depth >= DEPTH_MAX {
        return Err(too_deep());
    }
    let is_free = matches!(
        expr,
        Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::Value(_)
            | Expr::TypedString(_)
            | Expr::UnaryOp { .. }
    );
    if !is_free {
        budget.node()?;
    }
    let at = start(expr.span());
    let value = match expr {
        Expr::Nested(inner) => return expression(inner, depth + 1, budget),
        Expr::Identifier(ident) => Scalar::Column(name(ident)),
        Expr::CompoundIdentifier(parts) => Scalar::Column(qualified(parts, at)?),
        Expr::Subquery(query) => Scalar::Subquery(Box::new(budget.inside(depth, |budget| rows(query, budget))?)),
        Expr::CompoundFieldAccess { root, access_chain } if budget.scope.allowed != Allowed::Row => {
            let first = budget.allowing(Allowed::Row, |budget| first(root, access_chain, at, budget))?;
            Scalar::Aggregate(Box::new(first))
        }
        Expr::Value(_) | Expr::TypedString(_) => Scalar::Constant(literal(expr)?.value),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => return expression(expr, depth + 1, budget),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => match inner.as_ref() {
            Expr::Value(ValueWithSpan { value: Value::Number(..), .. }) => Scalar::Constant(literal(expr)?.value),
            inner => Scalar::Negative(Box::new(expression(inner, depth + 1, budget)?)),
        },
        expr if words::is_word(expr) => words::word(expr, depth, budget)?,
        // A condition of a condition, `a IS NULL IS NULL`, is no deeper expression, so that it counts as a query does.
        expr if is_condition(expr) => {
            Scalar::Truth(Box::new(budget.inside(1, |budget| condition(expr, depth, budget))?))
        }
        Expr::BinaryOp { left, op: BinaryOperator::Modulo, right } => {
            let left = expression(left, depth + 1, budget)?;
            Scalar::Numeric(Numeric::Remainder, vec![left, expression(right, depth + 1, budget)?])
        }
        Expr::BinaryOp { left, op: BinaryOperator::PGExp, right } => {
            let left = expression(left, depth + 1, budget)?;
            Scalar::Numeric(Numeric::Power, vec![left, expression(right, depth + 1, budget)?])
        }
        Expr::Cast { kind, expr, data_type, format: None, .. } => {
            numeric::cast((kind, expr, data_type), at, depth, budget)?
        }
        Expr::Floor { expr, field } => numeric::to_side((Side::Down, expr, field), at, depth, budget)?,
        Expr::Ceil { expr, field } => numeric::to_side((Side::Up, expr, field), at, depth, budget)?,
        Expr::BinaryOp { left, op, right } if intervals::is_interval(left) || intervals::is_interval(right) => {
            intervals::moved(left, op, right, at, depth, budget)?
        }
        Expr::BinaryOp { left, op, right } => {
            let operator = operator(op, at)?;
            let left = Box::new(expression(left, depth + 1, budget)?);
            Scalar::Arithmetic(left, operator, Box::new(expression(right, depth + 1, budget)?))
        }
        Expr::Function(call) => function(call, at, depth, budget)?,
        Expr::Extract { field, syntax: _, expr } => calendar::extract(field, expr, at, depth, budget)?,
        Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
            case(operand.as_deref(), conditions, else_result.as_deref(), at, depth, budget)?
        }
        other => {
            let message = format!("the expression \"{}\" is not supported", shown(&other.to_string()));
            return Err(unsupported(at, message).hint(SUPPORTED));
        }
    };
    Ok(Expression { value, at })
}

/// Parses CASE.
fn case(
    operand: Option<&Expr>,
    conditions: &[CaseWhen],
    else_result: Option<&Expr>,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let arm = |when: &CaseWhen, budget: &mut Budget| {
        let condition = match operand {
            None => condition(&when.condition, depth + 1, budget)?,
            // CASE a WHEN b is CASE WHEN a = b.
            Some(operand) => {
                let of = expression(operand, depth + 1, budget)?;
                Condition::Compare(of, Comparison::Equal, expression(&when.condition, depth + 1, budget)?)
            }
        };
        let result = match is_null(&when.result) {
            true => numeric::null(at),
            false => expression(&when.result, depth + 1, budget)?,
        };
        Ok((condition, result))
    };
    let arms = conditions.iter().map(|when| arm(when, budget)).collect::<Result<_, QueryError>>()?;
    let otherwise = else_result.filter(|expr| !is_null(expr));
    let otherwise = otherwise.map(|expr| expression(expr, depth + 1, budget)).transpose()?;
    Ok(Scalar::Case(arms, otherwise.map(Box::new)))
}

const SUPPORTED: &str = "supported are + - * / %, ABS, FLOOR, CEIL, TRUNC, MOD, SIGN, SQRT, POWER, EXP, LN, LOG, CAST, LEAST, GREATEST, ROUND, COALESCE, NULLIF, CASE WHEN, DATE_TRUNC, EXTRACT, WIDTH_BUCKET and conditions";

pub(super) fn operator(op: &BinaryOperator, at: Position) -> Result<ArithmeticOperator, QueryError> {
    match op {
        BinaryOperator::Plus => Ok(ArithmeticOperator::Plus),
        BinaryOperator::Minus => Ok(ArithmeticOperator::Minus),
        BinaryOperator::Multiply => Ok(ArithmeticOperator::Times),
        BinaryOperator::Divide => Ok(ArithmeticOperator::Over),
        other => {
            Err(unsupported(at, format!("the operator \"{other}\" is not supported")).hint("supported are + - * /"))
        }
    }
}

/// The arguments of a function call that has nothing else attached.
pub(super) fn arguments<'a>(call: &'a sqlparser::ast::Function, at: Position) -> Result<Vec<&'a Expr>, QueryError> {
    let sqlparser::ast::Function {
        name: object,
        uses_odbc_syntax,
        parameters,
        args,
        within_group,
        filter,
        null_treatment,
        over,
    } = call;
    let word = object.to_string().to_uppercase();
    let FunctionArguments::List(list) = args else {
        return Err(unsupported(at, format!("{} wants arguments in parentheses", shown(&word))));
    };
    let plain = !uses_odbc_syntax
        && matches!(parameters, FunctionArguments::None)
        && within_group.is_empty()
        && filter.is_none()
        && null_treatment.is_none()
        && over.is_none()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    absent(!plain, at, "anything beside the arguments of a function")?;
    let plain = |arg: &'a FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        _ => Err(unsupported(at, format!("{} takes plain arguments", shown(&word)))),
    };
    list.args.iter().map(plain).collect()
}

pub(super) fn wrong_count(word: &str, found: usize, wanted: &str, at: Position) -> QueryError {
    unsupported(at, format!("{} has {found} arguments; accepted are {wanted}", word.to_uppercase()))
}

fn function(
    call: &sqlparser::ast::Function,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let word = call.name.to_string().to_lowercase();
    if let Some(over) = &call.over {
        return window(call, over, depth, budget);
    }
    if is_window(&word) {
        return Err(unsupported(at, format!("{} wants a window: OVER (PARTITION BY …)", word.to_uppercase())));
    }
    if is_aggregate(&word) && budget.scope.allowed != Allowed::Row {
        // An aggregate's arguments are of one row.
        let one = budget.allowing(Allowed::Row, |budget| aggregate(call, budget))?;
        return Ok(Scalar::Aggregate(Box::new(one)));
    }
    if is_aggregate(&word) {
        let message = format!("the aggregate {} stands where a value of one row is wanted", word.to_uppercase());
        let error = unsupported(at, message);
        let is_where = budget.scope.is_where;
        return Err(if is_where { error.hint("write HAVING for conditions on aggregates") } else { error });
    }
    if let Some(found) = words::function(&word, call, at, depth, budget)? {
        return Ok(found);
    }
    if let Some(found) = calendar::function(&word, call, at, depth, budget)? {
        return Ok(found);
    }
    if let Some(call) = numeric::function(&word, &arguments(call, at)?, at, depth, budget)? {
        return Ok(call);
    }
    if !FUNCTIONS.contains(&word.as_str()) {
        let error = unsupported(at, format!("the function \"{}\" is not supported", shown(&word)));
        let known = FUNCTIONS.into_iter().chain(words::FUNCTIONS).chain(calendar::FUNCTIONS).chain(numeric::FUNCTIONS);
        return Err(match nearest_function(&word, known.chain(outputs::words())) {
            Some(near) => error.hint(format!("did you mean {}?", near.to_uppercase())),
            None => error.hint(SUPPORTED),
        });
    }
    of_row(&word, &arguments(call, at)?, at, depth, budget)
}

/// Parses a call of one of [`FUNCTIONS`].
fn of_row(
    word: &str,
    arguments: &[&Expr],
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let mut of = |expr: &Expr| expression(expr, depth + 1, budget);
    Ok(match (word, arguments) {
        ("abs", [one]) => Scalar::Absolute(Box::new(of(one)?)),
        ("least", [_, ..]) => Scalar::Least(arguments.iter().map(|one| of(one)).collect::<Result<_, _>>()?),
        ("greatest", [_, ..]) => Scalar::Greatest(arguments.iter().map(|one| of(one)).collect::<Result<_, _>>()?),
        ("round", [one]) => Scalar::Round(Box::new(of(one)?), 0),
        ("round", [one, decimals]) => {
            Scalar::Round(Box::new(of(one)?), whole(decimals, ROUND_DECIMALS_MAX, "decimals")?)
        }
        ("coalesce", [first, rest @ ..]) if !rest.is_empty() => {
            let mut chosen = of(first)?;
            for other in rest {
                let value = Scalar::Coalesce(Box::new(chosen), Box::new(of(other)?));
                chosen = Expression { value, at };
            }
            chosen.value
        }
        ("width_bucket", [one, Expr::Array(list)]) => thresholds(&of(one)?, &list.elem, at)?,
        ("width_bucket", [one, low, high, count]) => {
            let (low, high) = (literal(low)?, literal(high)?);
            let buckets = whole(count, BUCKETS_MAX, "buckets")?;
            if buckets == 0 {
                return Err(unsupported(start(count.span()), format!("0 buckets; accepted are 1 to {BUCKETS_MAX}")));
            }
            Scalar::Bucket(Box::new(of(one)?), low, high, buckets)
        }
        (word, other) => {
            let wanted = match word {
                "coalesce" => "two or more",
                "width_bucket" => "four, or two with an array of thresholds",
                "round" => "one or two",
                _ => "one",
            };
            return Err(wrong_count(word, other.len(), wanted, at));
        }
    })
}

/// `WIDTH_BUCKET(a, ARRAY[…])`: the number of thresholds at or below a value.
fn thresholds(of: &Expression, list: &[Expr], at: Position) -> Result<Scalar, QueryError> {
    let list = list.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
    let is_above = |one: &Literal, other: &Literal| match (&one.value, &other.value) {
        (LiteralValue::Number(one), LiteralValue::Number(other)) => {
            match (Constant::parse(one), Constant::parse(other)) {
                (Some(one), Some(other)) => exact(one) < exact(other),
                _ => false,
            }
        }
        (LiteralValue::Date(one), LiteralValue::Date(other)) => one < other,
        _ => false,
    };
    let is_rising = list.windows(2).all(|pair| matches!(pair, [one, other] if is_above(one, other)));
    if list.is_empty() || !is_rising || list.len() > usize::try_from(BUCKETS_MAX).unwrap_or(usize::MAX) {
        let message =
            format!("WIDTH_BUCKET wants 1 to {BUCKETS_MAX} thresholds, numbers or days, each above the one before");
        return Err(unsupported(at, message).hint("write WIDTH_BUCKET(a, ARRAY[18, 40, 65])"));
    }
    let compared = |how: Comparison, literal: &Literal| {
        let threshold = Expression { value: Scalar::Constant(literal.value.clone()), at: literal.at };
        Condition::Compare(of.clone(), how, threshold)
    };
    let number = |count: usize| Expression { value: Scalar::Constant(LiteralValue::Number(count.to_string())), at };
    let mut arms: Vec<(Condition, Expression)> = (1..=list.len())
        .rev()
        .zip(list.iter().rev())
        .map(|(count, literal)| (compared(Comparison::GreaterOrEqual, literal), number(count)))
        .collect();
    arms.extend(list.first().map(|first| (compared(Comparison::Less, first), number(0))));
    Ok(Scalar::Case(arms, None))
}

pub(super) fn decimals(expr: &Expr) -> Result<u32, QueryError> {
    whole(expr, ROUND_DECIMALS_MAX, "decimals")
}

pub(super) fn whole(expr: &Expr, max: u32, what: &str) -> Result<u32, QueryError> {
    let literal = literal(expr)?;
    let found = match &literal.value {
        LiteralValue::Number(text) => text.parse().ok().filter(|count| *count <= max),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    found.ok_or_else(|| unsupported(literal.at, format!("the number of {what} is a whole number from 0 to {max}")))
}
