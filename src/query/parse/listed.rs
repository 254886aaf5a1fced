//! Parser of rows that the question writes itself: `VALUES`, `GENERATE_SERIES` and `UNNEST` of an array in FROM.
//!
//! Promises that a series is written out, as PostgreSQL does it: each value is the one before it and the step, until the last value is
//! passed.

use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr, Parens, TableAlias};

use super::conditions::literal;
use super::intervals::{interval, is_interval};
use super::limits::{Budget, IN_ITEMS_MAX};
use super::lists::items;
use super::nodes::{is_null, name, unsupported};
use super::sources::column_names;
use crate::kernel::privacy::amounts::unscaled;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{FromItem, ListedColumn, ListedRows, Literal, LiteralValue, Name, Rows};
use crate::query::term::Constant;
use crate::query::term::spans::later;
use crate::query::terms::domain::{DECIMALS, date_days, date_text};

/// Parses the rows of VALUES.
pub(super) fn values(values: &ast::Values, at: Position, budget: &mut Budget) -> Result<Rows, QueryError> {
    let width = values.rows.first().map_or(0, |row| row.content.len());
    let cells = values.rows.iter().map(|row| row.content.len()).sum();
    check_length(cells, at)?;
    budget.items(cells)?;
    if values.rows.iter().any(|row| row.content.len() != width) {
        return Err(unsupported(at, "the rows of VALUES have the same number of values"));
    }
    let cell = |row: &Parens<Vec<Expr>>, place: usize| match &row.content[place] {
        null if is_null(null) => Ok(None),
        one => literal(one).map(Some),
    };
    let column = |place: usize| {
        let cells = values.rows.iter().map(|row| cell(row, place)).collect::<Result<Vec<_>, _>>()?;
        self::column(&cells, at)
    };
    let columns = (0..width).map(column).collect::<Result<_, _>>()?;
    let names = (1..=width).map(|place| format!("column{place}")).collect();
    Ok(Rows::Listed { listed: ListedRows { rows: values.rows.len() as u64, columns }, names, at })
}

/// Parses `GENERATE_SERIES(…)` and `UNNEST(ARRAY[…])` with what stands behind them; `None` for any other function.
pub(super) fn function(
    word: &str,
    args: &[FunctionArg],
    alias: Option<&TableAlias>,
    at: Position,
    budget: &mut Budget,
) -> Result<Option<FromItem>, QueryError> {
    let plain = |arg: &'_ FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let Some(args) = args.iter().map(plain).collect::<Option<Vec<Expr>>>() else { return Ok(None) };
    let word = word.to_lowercase();
    let cells = match (word.as_str(), &args[..]) {
        ("generate_series", [first, last]) => series(first, last, None, at)?,
        ("generate_series", [first, last, step]) => series(first, last, Some(step), at)?,
        ("unnest", [list]) => {
            items(list, at).map_err(|_| no_array(at))?.iter().map(literal).collect::<Result<Vec<_>, _>>()?
        }
        _ => return Ok(None),
    };
    check_length(cells.len(), at)?;
    budget.items(cells.len())?;
    let rows = cells.len() as u64;
    let column = column(&cells.into_iter().map(Some).collect::<Vec<_>>(), at)?;
    let listed = ListedRows { rows, columns: vec![column] };
    // A function's only column has the name of its alias, unless a list names it.
    let own = alias.map_or(word, |alias| name(&alias.name).text);
    let columns = alias.map(column_names).transpose()?.unwrap_or_default();
    let alias = alias.map_or_else(|| Name { of: None, text: own.clone(), at }, |alias| name(&alias.name));
    let rows = Box::new(Rows::Listed { listed, names: vec![own], at });
    Ok(Some(FromItem::Derived { rows, alias: Some(alias), columns }))
}

fn no_array(at: Position) -> QueryError {
    unsupported(at, "UNNEST in FROM wants an array of constants").hint("write UNNEST(ARRAY['a', 'b']) AS t")
}

fn check_length(cells: usize, at: Position) -> Result<(), QueryError> {
    if cells <= IN_ITEMS_MAX {
        return Ok(());
    }
    // A series is not written out further than this.
    Err(unsupported(at, format!("a list in FROM has more than {IN_ITEMS_MAX} values")))
}

/// The numbers, or the days, from a first to a last one.
fn series(first: &Expr, last: &Expr, step: Option<&Expr>, at: Position) -> Result<Vec<Literal>, QueryError> {
    let (first, last) = (literal(first)?, literal(last)?);
    let day = |literal: &Literal| match &literal.value {
        LiteralValue::Date(text) | LiteralValue::Text(text) => date_days(text),
        LiteralValue::Number(_) | LiteralValue::Boolean(_) => None,
    };
    let values = match (day(&first), day(&last), step) {
        (Some(first), Some(last), Some(step)) if is_interval(step) => days(first, last, interval(step)?, at)?,
        (Some(_), Some(_), _) => {
            return Err(
                unsupported(at, "a series of days wants a step").hint("write GENERATE_SERIES(a, b, INTERVAL …)")
            );
        }
        _ => {
            let step = step.map_or(Ok(10_i128.pow(DECIMALS)), |step| number(&literal(step)?))?;
            numbers(number(&first)?, number(&last)?, step, at)?
        }
    };
    Ok(values.into_iter().map(|value| Literal { value, at }).collect())
}

fn no_step(at: Position) -> QueryError {
    unsupported(at, "a series moves one way: its step is not 0, and its months and days have the same sign")
}

fn numbers(first: i128, last: i128, step: i128, at: Position) -> Result<Vec<LiteralValue>, QueryError> {
    if step == 0 {
        return Err(no_step(at));
    }
    let is_in = |value: &i128| if step > 0 { *value <= last } else { *value >= last };
    let all = std::iter::successors(Some(first), |value| value.checked_add(step)).take_while(is_in);
    Ok(all.take(IN_ITEMS_MAX + 1).map(|value| LiteralValue::Number(unscaled(value, DECIMALS))).collect())
}

fn days(first: i32, last: i32, (months, days): (i64, i64), at: Position) -> Result<Vec<LiteralValue>, QueryError> {
    let far = i32::try_from(months).map_err(|_| unsupported(at, "the step of a series is too long"))?;
    let is_rising = (months, days) > (0, 0) && months >= 0 && days >= 0;
    let is_falling = (months, days) < (0, 0) && months <= 0 && days <= 0;
    if !is_rising && !is_falling {
        return Err(no_step(at));
    }
    let is_in = |day: &i32| if is_rising { *day <= last } else { *day >= last };
    let next = |day: &i32| i32::try_from(later(i64::from(*day), far).checked_add(days)?).ok();
    let all = std::iter::successors(Some(first), next).take_while(is_in);
    Ok(all.take(IN_ITEMS_MAX + 1).map(|day| LiteralValue::Date(date_text(day))).collect())
}

/// A number in multiples of 1e-9.
fn number(literal: &Literal) -> Result<i128, QueryError> {
    let found = match &literal.value {
        LiteralValue::Number(text) => Constant::parse(text).and_then(|Constant { digits, decimals }| {
            i128::from(digits).checked_mul(10_i128.pow(DECIMALS.checked_sub(decimals)?))
        }),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    };
    found.ok_or_else(|| unsupported(literal.at, format!("a number of at most {DECIMALS} decimals is wanted here")))
}

/// The column that some constants make, which are all of one kind.
fn column(cells: &[Option<Literal>], at: Position) -> Result<ListedColumn, QueryError> {
    let Some(first) = cells.iter().flatten().next() else {
        return Err(unsupported(at, "a list in FROM has a value that is not NULL in each of its columns"));
    };
    let mixed = |literal: &Literal| {
        unsupported(literal.at, "the values of a column are all numbers, texts, days or truth values")
    };
    let each = |cell: &Option<Literal>| cell.clone();
    Ok(match &first.value {
        LiteralValue::Number(_) => ListedColumn::Numbers(
            cells.iter().map(each).map(|cell| cell.map(|one| number(&one)).transpose()).collect::<Result<_, _>>()?,
        ),
        LiteralValue::Date(_) => {
            let day = |literal: Literal| match &literal.value {
                LiteralValue::Date(text) | LiteralValue::Text(text) => date_days(text).ok_or_else(|| {
                    unsupported(literal.at, format!("\"{}\" is no day", shown(text)))
                        .hint("a day is written as DATE '2024-02-29'")
                }),
                LiteralValue::Number(_) | LiteralValue::Boolean(_) => Err(mixed(&literal)),
            };
            ListedColumn::Days(cells.iter().map(each).map(|cell| cell.map(day).transpose()).collect::<Result<_, _>>()?)
        }
        LiteralValue::Text(_) => {
            let text = |literal: Literal| match &literal.value {
                LiteralValue::Text(text) => Ok(text.clone()),
                _ => Err(mixed(&literal)),
            };
            ListedColumn::Texts(
                cells.iter().map(each).map(|cell| cell.map(text).transpose()).collect::<Result<_, _>>()?,
            )
        }
        LiteralValue::Boolean(_) => {
            let truth = |literal: Literal| match &literal.value {
                LiteralValue::Boolean(truth) => Ok(*truth),
                _ => Err(mixed(&literal)),
            };
            ListedColumn::Truths(
                cells.iter().map(each).map(|cell| cell.map(truth).transpose()).collect::<Result<_, _>>()?,
            )
        }
    })
}
