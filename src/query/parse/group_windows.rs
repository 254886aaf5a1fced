//! Parser of windows over the groups of an answer.

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, OrderByExpr, OrderBySort, Spanned, Value,
    ValueWithSpan, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use super::after::{has_aggregate, plain};
use super::conditions::literal;
use super::expressions::expression;
use super::limits::Budget;
use super::nodes::{absent, start, unsupported};
use super::outputs::output;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{
    GroupFunction, GroupOrder, GroupWindowCall, LiteralValue, OutputExpression, WindowBound, WindowFrame,
};

/// Parses a window over groups.
pub(super) fn window(
    call: &ast::Function,
    window: &WindowType,
    budget: &mut Budget,
) -> Result<OutputExpression, QueryError> {
    let at = start(call.name.span());
    let word = call.name.to_string().to_lowercase();
    let WindowType::WindowSpec(WindowSpec { window_name: None, partition_by, order_by, window_frame }) = window else {
        return Err(unsupported(at, "a window has no name here").hint("write OVER (PARTITION BY … ORDER BY …)"));
    };
    let Some(function) = word.parse::<GroupFunction>().ok().filter(|function| *function != GroupFunction::Total) else {
        return Err(unsupported(at, format!("the window function \"{}\" is not supported", shown(&word)))
            .hint("supported are SUM, AVG, MIN, MAX, COUNT, LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE, ROW_NUMBER, RANK, DENSE_RANK, NTILE, PERCENT_RANK, CUME_DIST, KAPLAN_MEIER and CUMULATIVE_INCIDENCE"));
    };
    let is_plain = call.filter.is_none()
        && call.null_treatment.is_none()
        && call.within_group.is_empty()
        && !call.uses_odbc_syntax
        && matches!(call.parameters, FunctionArguments::None);
    absent(!is_plain, at, "anything beside the arguments of a window function")?;
    let (of, step) = arguments(call, function, at, budget)?;
    let mut order = Vec::with_capacity(order_by.len());
    for OrderByExpr { expr, options, with_fill } in order_by {
        absent(with_fill.is_some(), at, "WITH FILL")?;
        let descending = match &options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(OrderBySort::Using(_)) => return Err(unsupported(at, "ORDER BY … USING is not supported")),
        };
        let by = if has_aggregate(expr) {
            output(expr, 0, false, budget)?
        } else {
            OutputExpression::Key(Box::new(expression(expr, 0, budget)?))
        };
        order.push(GroupOrder { by, descending, nulls_first: options.nulls_first.unwrap_or(descending) });
    }
    let within = partition_by.iter().map(|key| expression(key, 0, budget)).collect::<Result<_, _>>()?;
    let frame = window_frame.as_ref().map(|frame| self::frame(frame, at)).transpose()?;
    let is_curve = matches!(function, GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence);
    if is_curve && (order.len() != 1 || order[0].descending || frame.is_some()) {
        return Err(unsupported(at, "a survival curve runs along one key, its time")
            .hint("write KAPLAN_MEIER(events, exits) OVER (PARTITION BY group ORDER BY time)"));
    }
    Ok(OutputExpression::Window(Box::new(GroupWindowCall { function, of, step, within, order, frame, at })))
}

/// The estimates that a window function takes, and its n.
fn arguments(
    call: &ast::Function,
    function: GroupFunction,
    at: Position,
    budget: &mut Budget,
) -> Result<(Vec<OutputExpression>, u32), QueryError> {
    let word = function.word().to_uppercase();
    if let (GroupFunction::Count, FunctionArguments::List(list)) = (function, &call.args)
        && matches!(&list.args[..], [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)])
    {
        return Ok((Vec::new(), 1));
    }
    let Some(args) = plain(call) else {
        return Err(unsupported(at, format!("{word} takes plain arguments over a window"))
            .hint(format!("write {word}(COUNT(*)) OVER (…)")));
    };
    let wrong = |wanted: &str| super::expressions::wrong_count(&word, args.len(), wanted, at);
    let mut of = |expr: &Expr| output(expr, 0, false, budget);
    Ok(match (function, &args[..]) {
        (GroupFunction::Ntile, [n]) => match whole(n)? {
            0 => return Err(unsupported(start(n.span()), "NTILE makes 1 part or more")),
            n => (Vec::new(), n),
        },
        (GroupFunction::Ntile, _) => return Err(wrong("one")),
        (
            GroupFunction::RowNumber
            | GroupFunction::Rank
            | GroupFunction::DenseRank
            | GroupFunction::PercentRank
            | GroupFunction::CumeDist,
            list,
        ) => match list {
            [] => (Vec::new(), 1),
            _ => return Err(wrong("none")),
        },
        (GroupFunction::Lag | GroupFunction::Lead, [one]) => (vec![of(one)?], 1),
        (GroupFunction::Lag | GroupFunction::Lead, [one, n]) => (vec![of(one)?], whole(n)?),
        (GroupFunction::Lag | GroupFunction::Lead, [one, n, other]) => (vec![of(one)?, of(other)?], whole(n)?),
        (GroupFunction::Lag | GroupFunction::Lead, _) => return Err(wrong("one to three")),
        (GroupFunction::NthValue, [one, n]) => (vec![of(one)?], whole(n)?),
        (GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence, [events, exits]) => {
            (vec![of(events)?, of(exits)?], 1)
        }
        (GroupFunction::NthValue | GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence, _) => {
            return Err(wrong("two"));
        }
        (
            GroupFunction::Sum
            | GroupFunction::Avg
            | GroupFunction::Min
            | GroupFunction::Max
            | GroupFunction::Count
            | GroupFunction::FirstValue
            | GroupFunction::LastValue
            | GroupFunction::Total,
            [one],
        ) => (vec![of(one)?], 1),
        (
            GroupFunction::Sum
            | GroupFunction::Avg
            | GroupFunction::Min
            | GroupFunction::Max
            | GroupFunction::Count
            | GroupFunction::FirstValue
            | GroupFunction::LastValue
            | GroupFunction::Total,
            _,
        ) => return Err(wrong("one")),
    })
}

fn whole(expr: &Expr) -> Result<u32, QueryError> {
    let literal = literal(expr)?;
    let found = match &literal.value {
        LiteralValue::Number(text) => text.parse().ok(),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    found.ok_or_else(|| unsupported(literal.at, "a whole number from 0 is wanted here"))
}

/// Parses the frame of a window.
fn frame(frame: &ast::WindowFrame, at: Position) -> Result<WindowFrame, QueryError> {
    let by_rows = match frame.units {
        WindowFrameUnits::Rows => true,
        WindowFrameUnits::Range => false,
        WindowFrameUnits::Groups => return Err(unsupported(at, "GROUPS is not supported").hint("write ROWS or RANGE")),
    };
    let bound = |bound: &WindowFrameBound| -> Result<WindowBound, QueryError> {
        let distance = |expr: &Expr| match expr {
            Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) => text
                .parse::<u64>()
                .map_err(|_| unsupported(at, "a frame is so many whole rows long").hint("write ROWS 2 PRECEDING")),
            _ => Err(unsupported(at, "a frame is so many whole rows long").hint("write ROWS 2 PRECEDING")),
        };
        Ok(match bound {
            WindowFrameBound::CurrentRow => WindowBound::Current,
            WindowFrameBound::Preceding(None) => WindowBound::First,
            WindowFrameBound::Following(None) => WindowBound::Last,
            WindowFrameBound::Preceding(Some(by)) => WindowBound::Before(distance(by)?),
            WindowFrameBound::Following(Some(by)) => WindowBound::After(distance(by)?),
        })
    };
    let start = bound(&frame.start_bound)?;
    let end = frame.end_bound.as_ref().map(bound).transpose()?.unwrap_or(WindowBound::Current);
    if start == WindowBound::Last || end == WindowBound::First {
        return Err(unsupported(at, "a frame starts before it ends"));
    }
    Ok(WindowFrame { by_rows, start, end })
}
