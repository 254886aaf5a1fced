//! Parser of aggregates that look at values in an order: percentiles, the most frequent value, and elements of arrays.

use sqlparser::ast::{
    AccessExpr, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, OrderByExpr,
    OrderBySort, Subscript,
};

use super::conditions::{condition, literal};
use super::expressions::{expression, whole};
use super::limits::Budget;
use super::nodes::unsupported;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{Aggregate, AggregateFunction, Choice, Chosen, Literal, LiteralValue};
use crate::query::term::Constant;

/// Largest number of the element of an array.
const ELEMENTS_MAX: u32 = 4_096;

/// A fraction from 0 to 1; `None` for anything else.
fn fraction(expr: &Expr) -> Option<Literal> {
    let fraction = literal(expr).ok()?;
    let is_fraction = match &fraction.value {
        LiteralValue::Number(text) => Constant::parse(text).is_some_and(|one| (0.0..=1.0).contains(&one.to_f64())),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => false,
    };
    is_fraction.then_some(fraction)
}

/// Parses `PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY a)`.
pub(super) fn percentile(
    args: &[FunctionArg],
    within: &[OrderByExpr],
    at: Position,
    budget: &mut Budget,
) -> Result<AggregateFunction, QueryError> {
    let wrong = || unsupported(at, "PERCENTILE_CONT wants a fraction from 0 to 1, and one ascending value to order by");
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(written))] = args else { return Err(wrong()) };
    if within.is_empty() {
        let hint = format!("write PERCENTILE_CONT({}) WITHIN GROUP (ORDER BY …)", shown(&written.to_string()));
        return Err(unsupported(at, "PERCENTILE_CONT wants a value to order by").hint(hint));
    }
    let [OrderByExpr { expr: of, options, with_fill: None }] = within else { return Err(wrong()) };
    if options.nulls_first.is_some() || !matches!(options.sort, None | Some(OrderBySort::Asc)) {
        return Err(wrong());
    }
    let fraction = fraction(written).ok_or_else(wrong)?;
    Ok(AggregateFunction::Percentile(fraction, expression(of, 0, budget)?))
}

/// Parses `PERCENTILE_DISC(q) WITHIN GROUP (ORDER BY a)` and `MODE() WITHIN GROUP (ORDER BY a)`.
pub(super) fn chosen(
    word: &str,
    args: &[FunctionArg],
    within: &[OrderByExpr],
    at: Position,
    budget: &mut Budget,
) -> Result<AggregateFunction, QueryError> {
    let wrong = || {
        let wanted = if word == "mode" { "MODE() WITHIN GROUP" } else { "PERCENTILE_DISC(0.5) WITHIN GROUP" };
        unsupported(at, format!("{} has one value to order by", word.to_uppercase()))
            .hint(format!("write {wanted} (ORDER BY a)"))
    };
    let choice = match (word, args) {
        ("mode", []) => Choice::Mode,
        ("percentile_disc", [FunctionArg::Unnamed(FunctionArgExpr::Expr(written))]) => {
            let message = "PERCENTILE_DISC wants a fraction from 0 to 1";
            Choice::Percentile(fraction(written).ok_or_else(|| unsupported(at, message))?)
        }
        _ => return Err(wrong()),
    };
    let [OrderByExpr { expr: of, options, with_fill: None }] = within else { return Err(wrong()) };
    if options.nulls_first.is_some() {
        return Err(wrong());
    }
    let of = expression(of, 0, budget)?;
    let descending = descending(options.sort.as_ref()).ok_or_else(wrong)?;
    let by = of.clone();
    Ok(AggregateFunction::Chosen(Box::new(Chosen { choice, of, by, descending })))
}

/// Whether a sort key descends; `None` if it sorts by an operator.
fn descending(sort: Option<&OrderBySort>) -> Option<bool> {
    match sort {
        None | Some(OrderBySort::Asc) => Some(false),
        Some(OrderBySort::Desc) => Some(true),
        Some(OrderBySort::Using(_)) => None,
    }
}

/// Parses `(ARRAY_AGG(a ORDER BY b))[n]`, the only supported use of brackets.
pub(super) fn first(
    root: &Expr,
    access: &[AccessExpr],
    at: Position,
    budget: &mut Budget,
) -> Result<Aggregate, QueryError> {
    let wrong = || unsupported(at, "of arrays there is (ARRAY_AGG(a ORDER BY b))[n] alone, the n-th value in an order");
    let [AccessExpr::Subscript(Subscript::Index { index })] = access else { return Err(wrong()) };
    let mut inner = root;
    while let Expr::Nested(nested) = inner {
        inner = nested;
    }
    let Expr::Function(call) = inner else { return Err(wrong()) };
    let FunctionArguments::List(list) = &call.args else { return Err(wrong()) };
    let is_plain = call.name.to_string().eq_ignore_ascii_case("array_agg")
        && !call.uses_odbc_syntax
        && matches!(call.parameters, FunctionArguments::None)
        && call.within_group.is_empty()
        && call.null_treatment.is_none()
        && call.over.is_none()
        && list.duplicate_treatment.is_none();
    let (true, [FunctionArg::Unnamed(FunctionArgExpr::Expr(of))], [FunctionArgumentClause::OrderBy(order)]) =
        (is_plain, &list.args[..], &list.clauses[..])
    else {
        return Err(wrong());
    };
    let place = match whole(index, ELEMENTS_MAX, "an element") {
        Ok(0) | Err(_) => return Err(wrong()),
        Ok(place) => place,
    };
    let [OrderByExpr { expr: by, options, with_fill: None }] = &order[..] else { return Err(wrong()) };
    if options.nulls_first.is_some() {
        return Err(wrong());
    }
    let descending = descending(options.sort.as_ref()).ok_or_else(wrong)?;
    let (of, by) = (expression(of, 0, budget)?, expression(by, 0, budget)?);
    let filter = call.filter.as_ref().map(|expr| condition(expr, 0, budget)).transpose()?;
    let function = match place {
        1 => AggregateFunction::First { of, by, descending },
        place => AggregateFunction::Chosen(Box::new(Chosen { choice: Choice::Nth(place), of, by, descending })),
    };
    Ok(Aggregate { function, filter, at })
}
