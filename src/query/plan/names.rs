//! Names of outputs, and which outputs the table is sorted by.

use std::collections::HashSet;

use crate::query::answer::{Output as Column, OutputValue, SortKey};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::syntax::{
    Expression, GroupFunction, Item, ItemValue, Numeric, OrderBy, OrderItem, OutputExpression, Query, Scalar,
};
use crate::query::term::context::TermContext;
use crate::query::term::lower::Side;

const OUTPUT_CHARS_MAX: usize = 63;
/// Suffixes of the additional columns of an output.
const SUFFIXES: [&str; 3] = ["_low", "_high", "_std_error"];

/// Name of an output: its alias, or the name that PostgreSQL would give it.
pub(super) fn name(item: &Item) -> Result<String, QueryError> {
    let name = match (&item.alias, &item.value) {
        (Some(alias), _) => alias.text.clone(),
        (None, ItemValue::Key(key)) => key_name(key),
        (None, ItemValue::Output(output)) => match (output.function(), output) {
            (Some(function), _) => function.word().to_owned(),
            (None, OutputExpression::Absolute(_)) => "abs".to_owned(),
            (None, OutputExpression::Root(_)) => "sqrt".to_owned(),
            (None, OutputExpression::Round(..)) => "round".to_owned(),
            (None, OutputExpression::NullIf(..)) => "nullif".to_owned(),
            (None, OutputExpression::Running { .. }) => "sum".to_owned(),
            (None, OutputExpression::Call(function, _)) => function.word().to_owned(),
            (None, OutputExpression::Case(..)) => "case".to_owned(),
            (None, OutputExpression::Window(call)) if call.function != GroupFunction::Total => {
                call.function.word().to_owned()
            }
            (None, _) => "?column?".to_owned(),
        },
        (None, ItemValue::Grouping(_)) => "grouping".to_owned(),
        (None, ItemValue::Wildcard) => "?column?".to_owned(),
    };
    let count = name.chars().count();
    if count == 0 || count > OUTPUT_CHARS_MAX {
        let message = format!("an output's name has {count} characters; accepted are 1 to {OUTPUT_CHARS_MAX}");
        return Err(QueryError::at(Code::UnsupportedSql, item.at, message));
    }
    Ok(name)
}

pub(super) fn key_name(key: &Expression) -> String {
    match &key.value {
        Scalar::Column(name) => return name.text.clone(),
        Scalar::Absolute(_) => "abs",
        Scalar::Least(_) => "least",
        Scalar::Greatest(_) => "greatest",
        Scalar::Round(..) => "round",
        Scalar::Coalesce(..) => "coalesce",
        Scalar::Case(..) => "case",
        Scalar::Truncate(..) => "date_trunc",
        Scalar::Extract(..) => "extract",
        Scalar::Bucket(..) => "width_bucket",
        Scalar::Numeric(call, of) => match call {
            // As in PostgreSQL, a cast is named like what it casts.
            Numeric::Cast(_) => return of.first().map_or_else(|| "?column?".to_owned(), key_name),
            Numeric::Cut(Side::Down, _) => "floor",
            Numeric::Cut(Side::Up, _) => "ceil",
            Numeric::Cut(Side::Zero, _) => "trunc",
            Numeric::Remainder => "mod",
            Numeric::Sign => "sign",
            Numeric::Root => "sqrt",
            Numeric::Exponential => "exp",
            Numeric::Natural => "ln",
            Numeric::Logarithm => "log",
            Numeric::Power => "power",
            Numeric::NullIf => "nullif",
            Numeric::Null => "?column?",
        },
        Scalar::Call(call, _) => call.name(),
        Scalar::Aggregate(aggregate) => aggregate.function.word(),
        Scalar::Constant(_)
        | Scalar::Negative(_)
        | Scalar::Arithmetic(..)
        | Scalar::Truth(_)
        | Scalar::Clamped(..)
        | Scalar::Window(_)
        | Scalar::Subquery(_) => "?column?",
    }
    .to_owned()
}

/// Checks that the names of outputs and of their additional columns are all distinct.
pub(super) fn check_names(query: &Query, outputs: &[Column]) -> Result<(), QueryError> {
    let mut taken = HashSet::new();
    for (item, output) in query.items.iter().zip(outputs) {
        for column in columns(output) {
            if !taken.insert(column.clone()) {
                let message = format!("two columns of the answer would be named \"{}\"", shown(&column));
                return Err(QueryError::at(Code::UnsupportedSql, item.at, message)
                    .hint("write AS and another name behind one of them"));
            }
        }
    }
    Ok(())
}

/// The names of the columns that an output has.
pub(super) fn columns(output: &Column) -> impl Iterator<Item = String> {
    let is_key = matches!(output.value, OutputValue::Key { .. } | OutputValue::Grouping { .. } | OutputValue::Words(_));
    let derived = SUFFIXES.iter().filter(move |_| !is_key).map(|suffix| format!("{}{suffix}", output.name));
    std::iter::once(output.name.clone()).chain(derived)
}

/// The selected output that rows are sorted by; `None` if it is not selected.
pub(super) fn sorted_output(order: &OrderItem, query: &Query, outputs: &[Column]) -> Option<usize> {
    let is_column = |item: &Item, name: &str| match &item.value {
        ItemValue::Key(Expression { value: Scalar::Column(column), .. }) => column.text == name,
        ItemValue::Key(_) | ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard => false,
    };
    match &order.by {
        OrderBy::Name(name) => outputs
            .iter()
            .position(|output| output.name == *name)
            .or_else(|| query.items.iter().position(|item| is_column(item, name))),
        OrderBy::Ordinal(n) => usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < outputs.len()),
        OrderBy::Output(wanted) => {
            query.items.iter().position(|item| matches!(&item.value, ItemValue::Output(one) if one == wanted))
        }
        OrderBy::Key(wanted) => {
            query.items.iter().position(|item| matches!(&item.value, ItemValue::Key(one) if one == wanted))
        }
    }
}

/// The sort key for an output.
pub(super) fn sort(order: &OrderItem, output: usize) -> SortKey {
    SortKey { output, descending: order.descending, nulls_first: order.nulls_first }
}

/// The error for a distinct count of anything but units.
pub(super) fn only_units(at: Position, known: &TermContext<'_>) -> QueryError {
    match known.unit_column() {
        Some(unit) => {
            let message = format!(
                "which values occur is told by single people, and of {unit} alone the distinct values are counted"
            );
            QueryError::at(Code::UnsupportedSql, at, message)
        }
        None => {
            let message = "which values occur is told by single rows, each of which is a unit of its own here";
            QueryError::at(Code::UnsupportedSql, at, message)
        }
    }
}
