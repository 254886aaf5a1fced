//! The shape of a question: its grouping keys, and that it asks for aggregates only.

use crate::query::computation::PlanKey;
use crate::query::error::{Code, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::{Expression, ItemValue, Key, Query, Scalar};
use crate::query::term::checker;
use crate::query::term::coding;
use crate::query::term::context::TermContext;
use crate::query::terms::policy::Terms;

/// The expressions of the grouping keys. An ordinal stands for the selected item, and so does an alias that is not a column's name.
pub(super) fn grouped(query: &Query, terms: &TermContext<'_>) -> Result<Vec<Expression>, QueryError> {
    let has_aggregate = query.items.iter().any(|item| matches!(item.value, ItemValue::Output(_)));
    if query.distinct {
        if has_aggregate || !query.keys.is_empty() {
            let error = QueryError::at(Code::UnsupportedSql, query.dataset.at, "SELECT DISTINCT lists keys alone");
            return Err(error.hint("leave DISTINCT out: groups are distinct as they are"));
        }
        let key = |item: &crate::query::syntax::Item| match &item.value {
            ItemValue::Key(key) => Some(key.clone()),
            ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard => None,
        };
        return Ok(query.items.iter().filter_map(key).collect());
    }
    let aliased =
        |name: &str| query.items.iter().find(|item| item.alias.as_ref().is_some_and(|alias| alias.text == name));
    let resolve = |key: &Key| match key {
        Key::By(expression) => Ok(match &expression.value {
            Scalar::Column(name) if terms.named(name).is_none() => match aliased(&name.text).map(|item| &item.value) {
                Some(ItemValue::Key(key)) => key.clone(),
                Some(ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard) | None => expression.clone(),
            },
            _ => expression.clone(),
        }),
        Key::Ordinal(ordinal, at) => {
            let item = usize::try_from(*ordinal).ok().and_then(|n| query.items.get(n.checked_sub(1)?));
            match item.map(|item| &item.value) {
                Some(ItemValue::Key(key)) => Ok(key.clone()),
                Some(ItemValue::Output(_) | ItemValue::Grouping(_) | ItemValue::Wildcard) | None => {
                    let message = format!("GROUP BY {ordinal} names no selected column");
                    Err(QueryError::at(Code::UnsupportedSql, *at, message))
                }
            }
        }
    };
    let keys = query.keys.iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
    // A constant is the same in each row, so that grouping by it changes nothing.
    let is_constant = |key: &Expression| query.sets.is_none() && matches!(key.value, Scalar::Constant(_));
    Ok(keys.into_iter().filter(|key| !is_constant(key)).collect())
}

/// Checks that every selected item is an aggregate or a grouping key.
pub(super) fn check(query: &Query, keys: &[Expression]) -> Result<(), QueryError> {
    if query.items.is_empty() {
        return Err(QueryError::whole(Code::NotAnAggregate, "nothing is selected").hint("write SELECT COUNT(*)"));
    }
    for item in &query.items {
        let (message, hint) = match &item.value {
            ItemValue::Wildcard => {
                return Err(QueryError::at(
                    Code::NotAnAggregate,
                    item.at,
                    "* asks for rows; only aggregates are answered",
                ));
            }
            // What is computed from keys alone has one value in each group.
            ItemValue::Key(key) if !keys.contains(key) && !is_of_keys(key, keys) => match &key.value {
                Scalar::Column(name) => {
                    let name = shown(&name.text);
                    let message = format!("\"{name}\" is neither aggregated nor grouped by");
                    (
                        message,
                        format!(
                            "add GROUP BY {name} for one row of each of its values, or write it inside of an aggregate"
                        ),
                    )
                }
                _ => {
                    let message = "this item is neither aggregated nor grouped by";
                    (message.to_owned(), "write it inside of an aggregate, or into GROUP BY, too".to_owned())
                }
            },
            ItemValue::Grouping(key) if !keys.contains(key) => {
                let message = "GROUPING takes a grouping key";
                (message.to_owned(), "write it into GROUP BY, too".to_owned())
            }
            ItemValue::Key(_) | ItemValue::Output(_) | ItemValue::Grouping(_) => continue,
        };
        return Err(QueryError::at(Code::NotAnAggregate, item.at, message).hint(hint));
    }
    Ok(())
}

/// Whether an expression is a constant, or names columns of the keys alone.
fn is_of_keys(key: &Expression, keys: &[Expression]) -> bool {
    let (mut named, mut known) = (Vec::new(), Vec::new());
    key.columns(&mut named);
    keys.iter().for_each(|key| key.columns(&mut known));
    named.iter().all(|name| known.contains(name))
}

/// Number of rows used of each unit: the wanted number, or the policy's maximum.
pub(super) fn rows(wanted: Option<u32>, terms: &Terms) -> Result<u32, QueryError> {
    let max = terms.max_rows_per_unit;
    match wanted {
        None => Ok(max),
        Some(rows) if (1..=max).contains(&rows) => Ok(rows),
        Some(rows) => {
            let message = format!("rows_per_unit is {rows}; accepted is 1 to {max}, the policy's maximum");
            Err(QueryError::whole(Code::InvalidRequest, message))
        }
    }
}

/// The typed keys, in ascending order and without duplicates.
pub(super) fn keys(
    grouped: &[Expression],
    known: &TermContext<'_>,
    filter: Option<&Filter>,
) -> Result<Vec<PlanKey>, QueryError> {
    let mut keys = Vec::with_capacity(grouped.len());
    for expression in grouped {
        let term = checker::expression(expression, known)?;
        let key = coding::key(&term, known, filter);
        keys.push(
            key.map_err(|fault| QueryError::at(Code::UnsupportedSql, expression.at, fault.message).hint(fault.hint))?,
        );
    }
    keys.sort_by(|one, other| one.column.cmp(&other.column));
    keys.dedup();
    Ok(keys)
}
