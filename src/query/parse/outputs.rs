//! Parser of expressions evaluated after the noise: aggregates, arithmetic with them, and conditions on both.

use sqlparser::ast::{
    BinaryOperator, CastKind, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, OrderByExpr, OrderBySort, Spanned, UnaryOperator, Value, ValueWithSpan, WindowSpec, WindowType,
};
use strum::{EnumMessage, VariantArray};

use super::after::{call, case, cast, cut, has_aggregate, is_of_columns, key, label};
use super::bounds::{clamped, contribution_bounds};
use super::chosen::{chosen, first, percentile};
use super::conditional::{conditional, or_null, present};
use super::conditions::{condition, is_condition, literal};
use super::expressions::{arguments, decimals, expression, operator, wrong_count};
use super::foreign::nearest_function;
use super::group_windows::window;
use super::having::having;
use super::limits::{Budget, DEPTH_MAX, too_deep};
use super::nodes::{absent, name, qualified, start, unsupported};
use super::regression;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, Condition, Literal, LiteralValue, OutputExpression, Pair,
    ScalarFunction, Spread,
};
use crate::query::term::Constant;

const PLAIN: [&str; 3] = ["count", "sum", "avg"];
/// Aggregates over one unit's rows, which are accepted only in a subquery.
const OF_UNITS: [&str; 8] = ["min", "max", "bool_or", "bool_and", "every", "array_agg", "percentile_disc", "mode"];
/// What may be computed after the noise.
const AFTER: &str = "after the noise are + - * / %, CASE, COALESCE, NULLIF, GREATEST, LEAST, ABS, SIGN, ROUND, FLOOR, CEIL, TRUNC, SQRT, POWER, EXP, LN, LOG and windows over the groups";
const QUANTILES: [&str; 2] = ["median", "percentile_cont"];

/// Whether a function name in lower case is that of an aggregate.
pub(super) fn is_aggregate(word: &str) -> bool {
    words().any(|known| known == word) || regression::is_one(word) || OF_UNITS.contains(&word)
}

/// Names of the supported aggregates, for "did you mean".
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    let spreads = Spread::VARIANTS.iter().flat_map(|spread| spread.get_serializations()).copied();
    PLAIN.into_iter().chain(spreads).chain(Pair::VARIANTS.iter().map(Into::into)).chain(QUANTILES)
}

/// Parses an expression over aggregates; with `named`, it may also name other outputs.
pub(super) fn output(
    expr: &Expr,
    depth: usize,
    named: bool,
    budget: &mut Budget,
) -> Result<OutputExpression, QueryError> {
    if depth >= DEPTH_MAX {
        return Err(too_deep());
    }
    budget.node()?;
    let at = start(expr.span());
    if let Some(label) = label(expr)? {
        return Ok(label);
    }
    // With names of outputs, only what cannot hold one is a key by its form.
    if !named
        && is_of_columns(expr)
        && let Ok(key) = key(expr, depth, budget)
    {
        return Ok(key);
    }
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } => {
            output(inner, depth + 1, named, budget)
        }
        Expr::Value(ValueWithSpan { value: Value::Number(..), .. }) => literal(expr).map(OutputExpression::Number),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            Ok(OutputExpression::Negative(Box::new(output(expr, depth + 1, named, budget)?)))
        }
        Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
            case(operand.as_deref(), conditions, else_result.as_deref(), depth, named, budget)
        }
        Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None, .. } => {
            cast(expr, data_type, at, depth, named, budget)
        }
        Expr::Floor { expr, field } => cut(ScalarFunction::Floor, expr, field, depth, named, budget),
        Expr::Ceil { expr, field } => cut(ScalarFunction::Ceil, expr, field, depth, named, budget),
        Expr::Subquery(query) => super::totals::total(query, at, budget),
        Expr::BinaryOp { left, op: op @ (BinaryOperator::Modulo | BinaryOperator::PGExp), right } => {
            let function = if *op == BinaryOperator::Modulo { ScalarFunction::Mod } else { ScalarFunction::Power };
            let parts = [left, right].into_iter().map(|part| output(part, depth + 1, named, budget));
            Ok(OutputExpression::Call(function, parts.collect::<Result<_, _>>()?))
        }
        Expr::Identifier(ident) if named => Ok(OutputExpression::Named(name(ident))),
        Expr::CompoundIdentifier(parts) if named => Ok(OutputExpression::Named(qualified(parts, at)?)),
        other if is_condition(other) => {
            having(other, depth, named, budget).map(|having| OutputExpression::Truth(Box::new(having)))
        }
        Expr::BinaryOp { left, op, right } => {
            let operator = operator(op, at)?;
            let left = Box::new(output(left, depth + 1, named, budget)?);
            Ok(OutputExpression::Arithmetic(left, operator, Box::new(output(right, depth + 1, named, budget)?)))
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            first(root, access_chain, at, budget).map(|aggregate| OutputExpression::Aggregate(Box::new(aggregate)))
        }
        Expr::Function(call) => called(call, expr, depth, named, budget),
        other if is_of_columns(other) => key(other, depth, budget),
        other => {
            let message = format!("\"{}\" is not supported beside an aggregate", shown(&other.to_string()));
            Err(unsupported(at, message).hint(AFTER))
        }
    }
}

/// Parses a call of a function over aggregates: an aggregate, a window, or a function after the noise.
fn called(
    call: &sqlparser::ast::Function,
    expr: &Expr,
    depth: usize,
    named: bool,
    budget: &mut Budget,
) -> Result<OutputExpression, QueryError> {
    let at = start(expr.span());
    let word = call.name.to_string().to_lowercase();
    if let Some(window) = &call.over {
        return match running(call, window, budget)? {
            Some(running) => Ok(running),
            None => self::window(call, window, budget),
        };
    }
    if let Some(found) = regression::output(&word, call, budget)? {
        return Ok(found);
    }
    if let Some((number, rows)) = constant_sum(&word, call) {
        let (number, rows) = (literal(number)?, aggregate(&rows, budget)?);
        let rows = Box::new(OutputExpression::Aggregate(Box::new(rows)));
        let negated = match &number.value {
            LiteralValue::Number(text) => text.strip_prefix('-').map(str::to_owned),
            LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
        };
        let is_negative = negated.is_some();
        let number = negated.map_or(number.clone(), |text| Literal { value: LiteralValue::Number(text), ..number });
        let number = Box::new(OutputExpression::Number(number));
        let product = OutputExpression::Arithmetic(number, ArithmeticOperator::Times, rows);
        return Ok(if is_negative { OutputExpression::Negative(Box::new(product)) } else { product });
    }
    if is_aggregate(&word) {
        return aggregate(call, budget).map(|aggregate| OutputExpression::Aggregate(Box::new(aggregate)));
    }
    if word == "grouping" {
        return match &arguments(call, at)?[..] {
            [one] => Ok(OutputExpression::Grouping(Box::new(expression(one, 0, budget)?))),
            other => Err(wrong_count("grouping", other.len(), "one", at)),
        };
    }
    if named
        && is_of_columns(expr)
        && let Ok(key) = key(expr, depth, budget)
    {
        return Ok(key);
    }
    let arguments = arguments(call, at)?;
    if let Some(call) = self::call(&word, &arguments, at, depth, named, budget)? {
        return Ok(call);
    }
    let mut of = |expr: &Expr| output(expr, depth + 1, named, budget).map(Box::new);
    match (word.as_str(), &arguments[..]) {
        ("abs", [one]) => Ok(OutputExpression::Absolute(of(one)?)),
        ("sqrt", [one]) => Ok(OutputExpression::Root(of(one)?)),
        ("round", [one]) => Ok(OutputExpression::Round(of(one)?, 0)),
        ("round", [one, places]) => Ok(OutputExpression::Round(of(one)?, decimals(places)?)),
        ("nullif", [one, other]) => Ok(OutputExpression::NullIf(of(one)?, of(other)?)),
        ("abs" | "sqrt" | "round" | "nullif", other) => Err(wrong_count(&word, other.len(), "one or two", at)),
        _ => Err(unknown_function(&word, at)),
    }
}

/// `SUM(2)` as the number and the COUNT(*) that it is multiplied with; `None` for any other call.
fn constant_sum<'a>(word: &str, call: &'a sqlparser::ast::Function) -> Option<(&'a Expr, sqlparser::ast::Function)> {
    let FunctionArguments::List(list) = &call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(number))] = &list.args[..] else { return None };
    let is_number = |expr: &Expr| match expr {
        Expr::Value(value) => matches!(value.value, Value::Number(..)) && !is_one(&value.value),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            matches!(expr.as_ref(), Expr::Value(ValueWithSpan { value: Value::Number(..), .. }))
        }
        _ => false,
    };
    let is_plain = word == "sum" && list.duplicate_treatment.is_none() && is_number(number);
    let mut rows = call.clone();
    rows.name = ObjectName::from(vec![Ident::new("count")]);
    if let FunctionArguments::List(list) = &mut rows.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)];
    }
    is_plain.then_some((number, rows))
}

/// Parses an aggregate with its filter.
pub(super) fn aggregate(call: &sqlparser::ast::Function, budget: &mut Budget) -> Result<Aggregate, QueryError> {
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
    let at = start(object.span());
    let word = object.to_string().to_lowercase();
    absent(over.is_some(), at, "OVER: a window inside of an aggregate")?;
    let is_chosen = matches!(word.as_str(), "percentile_disc" | "mode");
    let is_percentile = word == "percentile_cont" || is_chosen;
    let plain = !uses_odbc_syntax
        && matches!(parameters, FunctionArguments::None)
        && (is_percentile || within_group.is_empty())
        && null_treatment.is_none();
    absent(!plain, at, "anything beside the arguments of an aggregate")?;
    let FunctionArguments::List(list) = args else {
        return Err(unsupported(at, format!("{} wants one argument in parentheses", word.to_uppercase())));
    };
    if word == "array_agg" {
        return Err(unsupported(at, "an array would list the values of single rows"));
    }
    absent(!list.clauses.is_empty(), at, "a clause inside an aggregate")?;
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let (args, bounds) = contribution_bounds(&list.args, at)?;
    if let Some((function, present)) = regression::aggregate(&word, &args, budget)? {
        let filter = filter.as_ref().map(|expr| condition(expr, 0, budget)).transpose()?;
        let filter = Some(Condition::All(filter.into_iter().chain(present).collect()));
        return Ok(Aggregate { function, filter, at });
    }
    let function = if is_chosen && !distinct {
        chosen(&word, &args, within_group, at, budget)?
    } else if is_percentile && !distinct {
        percentile(&args, within_group, at, budget)?
    } else {
        self::function(&word, &args, distinct, at, budget)?
    };
    let function = match bounds {
        Some(bounds) => clamped(function, bounds, at)?,
        None => function,
    };
    let filter = filter.as_ref().map(|expr| condition(expr, 0, budget)).transpose()?;
    let (function, filter) = conditional(function, filter);
    Ok(Aggregate { function, filter, at })
}

/// Parses a running sum of counts, which is measured as such; `None` for any other window.
fn running(
    call: &sqlparser::ast::Function,
    window: &WindowType,
    budget: &mut Budget,
) -> Result<Option<OutputExpression>, QueryError> {
    let WindowType::WindowSpec(WindowSpec { window_name: None, partition_by, order_by, window_frame: None }) = window
    else {
        return Ok(None);
    };
    let [OrderByExpr { expr: by, options, with_fill: None }] = &order_by[..] else { return Ok(None) };
    let is_rising = matches!(options.sort, None | Some(OrderBySort::Asc)) && options.nulls_first != Some(true);
    let FunctionArguments::List(list) = &call.args else { return Ok(None) };
    let is_sum = call.name.to_string().eq_ignore_ascii_case("sum")
        && call.filter.is_none()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    let (true, true, [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(inner)))]) =
        (is_sum, is_rising && !has_aggregate(by), &list.args[..])
    else {
        return Ok(None);
    };
    if !inner.name.to_string().eq_ignore_ascii_case("count") || inner.over.is_some() {
        return Ok(None);
    }
    let of = Box::new(aggregate(inner, budget)?);
    if !matches!(of.function, AggregateFunction::CountRows | AggregateFunction::Count(_)) {
        return Ok(None);
    }
    let by = Box::new(expression(by, 0, budget)?);
    let within = partition_by.iter().map(|key| expression(key, 0, budget)).collect::<Result<_, _>>()?;
    Ok(Some(OutputExpression::Running { of, by, within }))
}

/// The argument of `GROUPING(a)`; `None` for any other expression.
pub(super) fn grouping(expr: &Expr) -> Result<Option<&Expr>, QueryError> {
    match expr {
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("grouping") => {
            let at = start(call.name.span());
            match &arguments(call, at)?[..] {
                [one] => Ok(Some(*one)),
                other => Err(wrong_count("grouping", other.len(), "one", at)),
            }
        }
        _ => Ok(None),
    }
}

/// The fractions of `PERCENTILE_CONT(ARRAY[…]) …`, which stands for several outputs, and the call without them.
pub(super) fn fractions(expr: &Expr) -> Option<(&[Expr], sqlparser::ast::Function)> {
    let Expr::Function(call) = expr else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    match &list.args[..] {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Array(array)))]
            if call.name.to_string().eq_ignore_ascii_case("percentile_cont") =>
        {
            let mut of = call.clone();
            if let FunctionArguments::List(list) = &mut of.args {
                list.args.clear();
            }
            Some((&array.elem, of))
        }
        _ => None,
    }
}

/// The output for one fraction of such a list, with the suffix of its name: `_25` for 0.25, `_97_5` for 0.975.
pub(super) fn of_fraction(
    call: &sqlparser::ast::Function,
    fraction: &Expr,
    budget: &mut Budget,
) -> Result<(String, OutputExpression), QueryError> {
    let mut one = call.clone();
    if let FunctionArguments::List(list) = &mut one.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(fraction.clone()))];
    }
    let one = Expr::Function(one);
    let output = output(&one, 0, false, budget)?;
    let percent = match &literal(fraction)?.value {
        LiteralValue::Number(text) => Constant::parse(text).map_or(0.0, Constant::to_f64) * 100.0,
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => 0.0,
    };
    let percent = (percent * 1e6).round() / 1e6;
    Ok((format!("_{}", percent.to_string().replace('.', "_")), output))
}

fn function(
    word: &str,
    args: &[FunctionArg],
    distinct: bool,
    at: Position,
    budget: &mut Budget,
) -> Result<AggregateFunction, QueryError> {
    let mut of = |expr: &Expr| expression(expr, 0, budget);
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(arg) => Some(arg.clone()),
        FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => None,
    };
    let plain: Option<Vec<_>> = args.iter().map(plain).collect();
    let plain = plain.ok_or_else(|| unsupported(at, "arguments of an aggregate have no names"))?;
    if let Ok(pair) = word.parse() {
        return match &plain[..] {
            [FunctionArgExpr::Expr(y), FunctionArgExpr::Expr(x)] if !distinct => {
                Ok(AggregateFunction::Pair(pair, of(y)?, of(x)?))
            }
            other => Err(wrong_count(word, other.len(), "two: the dependent and the independent variable", at)),
        };
    }
    // As DuckDB and ClickHouse write it.
    if let ("count", [], false) = (word, &plain[..], distinct) {
        return Ok(AggregateFunction::CountRows);
    }
    let [argument] = &plain[..] else {
        return Err(wrong_count(word, plain.len(), "one", at));
    };
    if let ("bool_or" | "bool_and" | "every", FunctionArgExpr::Expr(expr), false) = (word, argument, distinct) {
        let truth = condition(expr, 0, budget)?;
        return Ok(if word == "bool_or" { AggregateFunction::Any(truth) } else { AggregateFunction::Every(truth) });
    }
    let mut of = |expr: &Expr| expression(expr, 0, budget);
    if let (Ok(spread), FunctionArgExpr::Expr(expr), false) = (word.parse(), argument, distinct) {
        return Ok(AggregateFunction::Spread(spread, of(expr)?));
    }
    match (word, argument, distinct) {
        ("median", FunctionArgExpr::Expr(expr), false) => {
            Ok(AggregateFunction::Percentile(Literal { value: LiteralValue::Number("0.5".to_owned()), at }, of(expr)?))
        }
        ("min", FunctionArgExpr::Expr(expr), false) => Ok(AggregateFunction::Min(of(expr)?)),
        ("max", FunctionArgExpr::Expr(expr), false) => Ok(AggregateFunction::Max(of(expr)?)),
        ("count", FunctionArgExpr::Wildcard, false) => Ok(AggregateFunction::CountRows),
        // A constant is in every row.
        ("count", FunctionArgExpr::Expr(Expr::Value(value)), false) if is_constant(&value.value) => {
            Ok(AggregateFunction::CountRows)
        }
        ("sum", FunctionArgExpr::Expr(Expr::Value(value)), false) if is_one(&value.value) => {
            Ok(AggregateFunction::CountRows)
        }
        ("count", FunctionArgExpr::Expr(expr), false) if let Some(truth) = or_null(expr) => {
            Ok(AggregateFunction::Count(present(condition(truth, 0, budget)?, at)))
        }
        ("count", FunctionArgExpr::Expr(expr), false) => Ok(AggregateFunction::Count(of(expr)?)),
        ("count", FunctionArgExpr::Expr(expr), true) => Ok(AggregateFunction::CountDistinct(of(expr)?)),
        ("sum", FunctionArgExpr::Expr(expr), false) => Ok(AggregateFunction::Sum(of(expr)?)),
        ("avg", FunctionArgExpr::Expr(expr), false) => Ok(AggregateFunction::Avg(of(expr)?)),
        (word, _, true) => {
            let message = format!(
                "{}(DISTINCT …) is not supported: one row can decide whether a value occurs",
                word.to_uppercase()
            );
            Err(unsupported(at, message))
        }
        (word, _, false) => Err(unsupported(at, format!("{} takes one value", word.to_uppercase()))),
    }
}

/// Whether a value is a constant that is not missing.
fn is_constant(value: &Value) -> bool {
    matches!(value, Value::Number(..) | Value::SingleQuotedString(_) | Value::Boolean(_))
}

fn is_one(value: &Value) -> bool {
    matches!(value, Value::Number(text, _) if text == "1")
}

fn unknown_function(word: &str, at: Position) -> QueryError {
    let error = unsupported(at, format!("the function \"{}\" is not supported", shown(word)));
    match nearest_function(word, words()) {
        Some(near) => error.hint(format!("did you mean {}?", near.to_uppercase())),
        None => error.hint("supported are COUNT, SUM, AVG, MEDIAN, PERCENTILE_CONT, VAR_, STDDEV_ and COVAR_ with SAMP or POP, CORR, REGR_SLOPE and REGR_INTERCEPT, and with them + - * / %, CASE, COALESCE, NULLIF, GREATEST, LEAST, ABS, SIGN, ROUND, FLOOR, CEIL, TRUNC, SQRT, POWER, EXP, LN and LOG"),
    }
}
