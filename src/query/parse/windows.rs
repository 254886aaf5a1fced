//! Parser of window functions over rows, with their windows.
//!
//! Promises that a function's window is written out, also where it is named in `WINDOW`; that a frame stands only where it means something; and
//! that a default of LAG and LEAD becomes a CASE that means the same.

use sqlparser::ast::{
    self, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    NamedWindowDefinition, NamedWindowExpr, NullTreatment, Spanned, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};

use super::conditions::literal;
use super::expressions::{expression, whole, wrong_count};
use super::foreign::nearest_function;
use super::limits::Budget;
use super::nodes::{absent, is_null, name, start, unsupported};
use super::outputs::aggregate;
use super::rows::sort_key;
use super::scope::{Allowed, NamedWindow, Pane};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{
    Aggregate, AggregateFunction, Comparison, Condition, Expression, LiteralValue, Scalar, WindowBound, WindowCall,
    WindowExpression, WindowFrame,
};

/// Largest number of rows that LAG, LEAD and NTH_VALUE look away.
const ROWS_AWAY_MAX: u32 = 4_096;
/// The functions that are no aggregates.
const FUNCTIONS: [&str; 9] =
    ["row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"];
const AGGREGATES: [&str; 8] = ["count", "sum", "avg", "min", "max", "bool_or", "bool_and", "every"];
const SUPPORTED: &str = "supported are ROW_NUMBER, RANK, DENSE_RANK, NTILE, LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE, and COUNT, SUM, AVG, MIN, MAX, BOOL_OR and BOOL_AND";

/// Whether a function name in lower case is that of a function which wants a window.
pub(super) fn is_window(word: &str) -> bool {
    FUNCTIONS.contains(&word)
}

/// Parses a window function; `over` is what stands behind OVER.
pub(super) fn window(
    call: &ast::Function,
    over: &WindowType,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let at = start(call.name.span());
    if budget.scope.allowed != Allowed::Windows {
        return Err(unsupported(at, "a window function stands where a value of one row is wanted")
            .hint("write it in a query inside: SELECT … FROM (SELECT …, LAG(a) OVER (…) AS b FROM …) AS t"));
    }
    budget.allowing(Allowed::Aggregates, |budget| {
        let pane = pane(over, at, budget)?;
        let word = call.name.to_string().to_lowercase();
        if AGGREGATES.contains(&word.as_str()) {
            let plain = ast::Function { over: None, ..call.clone() };
            let of = aggregate(&plain, budget)?;
            if matches!(of.function, AggregateFunction::CountDistinct(_)) {
                return Err(unsupported(at, "DISTINCT is not possible over a window, as in PostgreSQL"));
            }
            return Ok(pane.of(WindowCall::Aggregate(Box::new(of)), at));
        }
        if !FUNCTIONS.contains(&word.as_str()) {
            let message = format!("the window function \"{}\" is not supported", shown(&word));
            let error = unsupported(at, message);
            return Err(match nearest_function(&word, FUNCTIONS.into_iter().chain(AGGREGATES)) {
                Some(near) => error.hint(format!("did you mean {}?", near.to_uppercase())),
                None => error.hint(SUPPORTED),
            });
        }
        function(call, &word, pane, depth, budget)
    })
}

impl Pane {
    fn of(self, function: WindowCall, at: Position) -> Scalar {
        let Self { partition, order, frame } = self;
        Scalar::Window(Box::new(WindowExpression { function, partition, order, frame, at }))
    }
}

fn function(
    call: &ast::Function,
    word: &str,
    pane: Pane,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let at = start(call.name.span());
    let arguments = arguments(call, at)?;
    let mut of = |expr: &Expr| expression(expr, depth + 1, budget);
    // The frame means nothing to functions that look at rows by their order.
    let ordered = |pane: Pane| Pane { frame: None, ..pane };
    Ok(match (word, &arguments[..]) {
        ("row_number", []) => ordered(pane).of(WindowCall::RowNumber, at),
        ("rank", []) => ordered(pane).of(WindowCall::Rank, at),
        ("dense_rank", []) => ordered(pane).of(WindowCall::DenseRank, at),
        ("ntile", [parts]) => match whole(parts, ROWS_AWAY_MAX, "parts")? {
            0 => return Err(unsupported(start(parts.span()), "NTILE makes 1 part or more")),
            parts => ordered(pane).of(WindowCall::Ntile(parts), at),
        },
        ("lag" | "lead", [one, rest @ ..]) if rest.len() <= 2 => {
            let value = of(one)?;
            let away = rest.first().map_or(Ok(1), |away| whole(away, ROWS_AWAY_MAX, "rows"))?;
            let default = rest.get(1).filter(|default| !is_null(default)).map(|default| of(default)).transpose()?;
            let is_lag = word == "lag";
            let pane = ordered(pane);
            let call = if is_lag { WindowCall::Lag(value, away) } else { WindowCall::Lead(value, away) };
            match default {
                None => pane.of(call, at),
                Some(default) => {
                    let missing = missing(pane.clone(), is_lag, away, at);
                    let found = Expression { value: pane.of(call, at), at };
                    Scalar::Case(vec![(missing, default)], Some(Box::new(found)))
                }
            }
        }
        ("first_value", [one]) => pane.of(WindowCall::Nth(of(one)?, 1), at),
        ("last_value", [one]) => pane.of(WindowCall::Last(of(one)?), at),
        ("nth_value", [one, place]) => {
            let value = of(one)?;
            match whole(place, ROWS_AWAY_MAX, "rows")? {
                0 => return Err(unsupported(start(place.span()), "NTH_VALUE counts rows from 1")),
                place => pane.of(WindowCall::Nth(value, place), at),
            }
        }
        (word, other) => {
            let wanted = match word {
                "lag" | "lead" => "one to three",
                "first_value" | "last_value" | "ntile" => "one",
                "nth_value" => "two",
                _ => "none",
            };
            return Err(wrong_count(word, other.len(), wanted, at));
        }
    })
}

/// Whether there is no row so many rows before, or after: `ROW_NUMBER() <= n`, or at most n rows from the current one to the end.
fn missing(pane: Pane, is_lag: bool, away: u32, at: Position) -> Condition {
    let count = if is_lag {
        pane.of(WindowCall::RowNumber, at)
    } else {
        let rest = WindowFrame { by_rows: true, start: WindowBound::Current, end: WindowBound::Last };
        let count = Aggregate { function: AggregateFunction::CountRows, filter: None, at };
        Pane { frame: Some(rest), ..pane }.of(WindowCall::Aggregate(Box::new(count)), at)
    };
    let away = Scalar::Constant(LiteralValue::Number(away.to_string()));
    Condition::Compare(Expression { value: count, at }, Comparison::LessOrEqual, Expression { value: away, at })
}

/// The arguments of a window function that has nothing else attached.
fn arguments(call: &ast::Function, at: Position) -> Result<Vec<&Expr>, QueryError> {
    let ast::Function { name: _, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over: _ } =
        call;
    let FunctionArguments::List(list) = args else {
        return Err(unsupported(at, "a window function wants arguments in parentheses"));
    };
    let in_list = list.clauses.iter().map(|clause| match clause {
        FunctionArgumentClause::IgnoreOrRespectNulls(nulls) => Ok(*nulls),
        _ => Err(unsupported(at, "a clause inside a window function is not supported")),
    });
    for nulls in null_treatment.iter().map(|nulls| Ok(*nulls)).chain(in_list) {
        match nulls? {
            NullTreatment::RespectNulls => {}
            NullTreatment::IgnoreNulls => {
                return Err(unsupported(at, "IGNORE NULLS is not supported, as in PostgreSQL before 19"));
            }
        }
    }
    absent(filter.is_some(), at, "FILTER of a window function that is no aggregate")?;
    absent(list.duplicate_treatment == Some(DuplicateTreatment::Distinct), at, "DISTINCT in a window function")?;
    let plain = !uses_odbc_syntax && matches!(parameters, FunctionArguments::None) && within_group.is_empty();
    absent(!plain, at, "anything beside the arguments of a window function")?;
    let plain = |arg| match arg {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Ok(expr),
        _ => Err(unsupported(at, "a window function takes plain arguments")),
    };
    list.args.iter().map(plain).collect()
}

/// Parses the windows of `WINDOW`; later ones may be built on earlier ones.
pub(super) fn definitions(
    named: &[NamedWindowDefinition],
    budget: &mut Budget,
) -> Result<Vec<NamedWindow>, QueryError> {
    let outside = std::mem::take(&mut budget.scope.windows);
    for NamedWindowDefinition(ident, definition) in named {
        let name = name(ident);
        let at = name.at;
        if budget.scope.windows.iter().any(|known| known.name == name) {
            return Err(unsupported(at, format!("WINDOW names \"{}\" twice", shown(&name.text))));
        }
        let (window, size) = budget.definition(|budget| {
            budget.allowing(Allowed::Aggregates, |budget| match definition {
                NamedWindowExpr::NamedWindow(other) => known(other, budget),
                NamedWindowExpr::WindowSpec(spec) => self::spec(spec, at, budget),
            })
        })?;
        budget.scope.windows.push(NamedWindow { name, window, size });
    }
    Ok(std::mem::replace(&mut budget.scope.windows, outside))
}

fn pane(over: &WindowType, at: Position, budget: &mut Budget) -> Result<Pane, QueryError> {
    match over {
        WindowType::NamedWindow(ident) => known(ident, budget),
        WindowType::WindowSpec(spec) => self::spec(spec, at, budget),
    }
}

/// A window by its name.
fn known(ident: &ast::Ident, budget: &mut Budget) -> Result<Pane, QueryError> {
    let wanted = name(ident);
    let Some(found) = budget.scope.windows.iter().find(|known| known.name == wanted) else {
        return Err(unsupported(wanted.at, format!("there is no window \"{}\"", shown(&wanted.text)))
            .hint("write OVER (PARTITION BY …), or name it: WINDOW w AS (PARTITION BY …)"));
    };
    let (pane, size) = (found.window.clone(), found.size);
    budget.uses(size)?;
    Ok(pane)
}

fn spec(spec: &WindowSpec, at: Position, budget: &mut Budget) -> Result<Pane, QueryError> {
    budget.node()?;
    let WindowSpec { window_name, partition_by, order_by, window_frame } = spec;
    let base = window_name.as_ref().map(|ident| known(ident, budget)).transpose()?;
    let is_named = base.is_some();
    let Pane { partition: mut within, order: mut sorted, frame: framed } = base.unwrap_or_default();
    let is_changed =
        is_named && (!partition_by.is_empty() || framed.is_some() || !sorted.is_empty() && !order_by.is_empty());
    if is_changed {
        return Err(unsupported(at, "a window built on a named one cannot change what that one says")
            .hint("write the whole window out"));
    }
    within.extend(partition_by.iter().map(|key| expression(key, 0, budget)).collect::<Result<Vec<_>, _>>()?);
    sorted.extend(order_by.iter().map(|key| sort_key(key, budget)).collect::<Result<Vec<_>, _>>()?);
    let frame = window_frame.as_ref().map(|frame| self::frame(frame, sorted.len(), at)).transpose()?;
    Ok(Pane { partition: within, order: sorted, frame })
}

fn frame(frame: &ast::WindowFrame, sort_keys: usize, at: Position) -> Result<WindowFrame, QueryError> {
    let ast::WindowFrame { units, start_bound, end_bound } = frame;
    let by_rows = match units {
        WindowFrameUnits::Rows => true,
        WindowFrameUnits::Range => false,
        WindowFrameUnits::Groups => {
            return Err(unsupported(at, "frames by GROUPS are not supported")
                .hint("ROWS counts rows, RANGE differences of the sort key"));
        }
    };
    let start = bound(start_bound, by_rows, at)?;
    let end = end_bound.as_ref().map_or(Ok(WindowBound::Current), |end| bound(end, by_rows, at))?;
    let is_apart = |bound: &WindowBound| matches!(bound, WindowBound::Before(_) | WindowBound::After(_));
    if !by_rows && (is_apart(&start) || is_apart(&end)) && sort_keys != 1 {
        let message = format!("RANGE with a distance wants one key in ORDER BY; there are {sort_keys}");
        return Err(unsupported(at, message));
    }
    if place(&start) > place(&end) || start == WindowBound::Last || end == WindowBound::First {
        return Err(unsupported(at, "the frame ends before it begins"));
    }
    Ok(WindowFrame { by_rows, start, end })
}

/// Order of the kinds of bounds.
fn place(bound: &WindowBound) -> u8 {
    match bound {
        WindowBound::First => 0,
        WindowBound::Before(_) => 1,
        WindowBound::Current => 2,
        WindowBound::After(_) => 3,
        WindowBound::Last => 4,
    }
}

fn bound(bound: &WindowFrameBound, by_rows: bool, at: Position) -> Result<WindowBound, QueryError> {
    Ok(match bound {
        WindowFrameBound::CurrentRow => WindowBound::Current,
        WindowFrameBound::Preceding(None) => WindowBound::First,
        WindowFrameBound::Following(None) => WindowBound::Last,
        WindowFrameBound::Preceding(Some(expr)) => WindowBound::Before(distance(expr, by_rows, at)?),
        WindowFrameBound::Following(Some(expr)) => WindowBound::After(distance(expr, by_rows, at)?),
    })
}

/// How far away a bound is: a number of rows, or a difference, which may be an interval of days.
fn distance(expr: &Expr, by_rows: bool, at: Position) -> Result<u64, QueryError> {
    let found = match expr {
        Expr::Interval(interval) if !by_rows => days(interval),
        Expr::Nested(inner) => return distance(inner, by_rows, at),
        other => match literal(other)?.value {
            LiteralValue::Number(text) => text.parse().ok(),
            LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
        },
    };
    found.ok_or_else(|| {
        let wanted =
            if by_rows { "a whole number of rows" } else { "a whole number, or days as in INTERVAL '30 days'" };
        unsupported(at, format!("the distance in a frame is {wanted}"))
    })
}

/// The days of an interval of days or weeks, which alone have always the same length.
fn days(interval: &ast::Interval) -> Option<u64> {
    let ast::Interval { value, leading_field, leading_precision, last_field, fractional_seconds_precision } = interval;
    if leading_precision.is_some() || last_field.is_some() || fractional_seconds_precision.is_some() {
        return None;
    }
    let written = match literal(value).ok()?.value {
        LiteralValue::Number(text) | LiteralValue::Text(text) => text.to_lowercase(),
        LiteralValue::Date(_) | LiteralValue::Boolean(_) => return None,
    };
    let field = leading_field.as_ref().map(|field| field.to_string().to_lowercase());
    let words: Vec<&str> = written.split_whitespace().chain(field.as_deref()).collect();
    let [count, unit] = &words[..] else { return None };
    let length = match *unit {
        "d" | "day" | "days" => 1,
        "w" | "week" | "weeks" => 7,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(length)
}
