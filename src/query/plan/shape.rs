//! The shape of a question: its grouping keys, and that it asks for aggregates only.

use std::collections::BTreeSet;

use crate::query::computation::PlanKey;
use crate::query::computation::relation::Relation;
use crate::query::error::{Code, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::{Expression, Item, ItemValue, Key, Name, Query, Scalar};
use crate::query::term::Term;
use crate::query::term::checker;
use crate::query::term::coding::{self, CategoryLists};
use crate::query::term::context::TermContext;
use crate::query::terms::policy::Terms;

/// The expressions of the grouping keys. An ordinal stands for the selected item, and so does an alias that is not a column's name.
pub(super) fn grouped(query: &Query, terms: &TermContext<'_>) -> Result<Vec<Expression>, QueryError> {
    let has_aggregate = query.items.iter().any(|item| matches!(item.value, ItemValue::Output(_)));
    // Without GROUP BY, SELECT DISTINCT lists keys; with it, it merges rows that are equal.
    if query.distinct && !has_aggregate && query.keys.is_empty() {
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
        match &item.value {
            ItemValue::Wildcard => {
                let message = "* asks for rows; only aggregates are answered";
                return Err(QueryError::at(Code::NotAnAggregate, item.at, message));
            }
            // What is computed from keys alone has one value in each group.
            ItemValue::Key(key) if !keys.contains(key) && !is_of_keys(key, keys) => match &key.value {
                Scalar::Column(name) => {
                    let error = ungrouped(name, query);
                    return Err(error);
                }
                _ => {
                    let message = "this item is neither aggregated nor grouped by";
                    return Err(QueryError::at(Code::NotAnAggregate, item.at, message));
                }
            },
            ItemValue::Grouping(key) if !keys.contains(key) => {
                return Err(QueryError::at(Code::NotAnAggregate, item.at, "GROUPING takes a grouping key"));
            }
            ItemValue::Key(_) | ItemValue::Output(_) | ItemValue::Grouping(_) => {}
        }
    }
    Ok(())
}

/// The error for a selected column that is no key: the values of all rows are told by how many rows have each of them.
fn ungrouped(name: &Name, query: &Query) -> QueryError {
    let column = shown(&name.text);
    let error =
        QueryError::at(Code::NotAnAggregate, name.at, format!("\"{column}\" is neither aggregated nor grouped by"));
    let is_key = |item: &Item| matches!(item.value, ItemValue::Key(_));
    match (query.keys.is_empty(), query.items.iter().all(is_key)) {
        (true, true) if query.items.len() == 1 => error.hint(format!(
            "write {column}, COUNT(*) … GROUP BY {column} for the number of rows with each of its values"
        )),
        (true, true) => error,
        (true, false) => error.hint(format!("write GROUP BY {column} for one row of each of its values")),
        (false, _) => error.hint(format!("write GROUP BY …, {column} for one row of each of its values, too")),
    }
}

/// Checks what shows before names are looked up: that rows are not asked for, neither by `*` nor by columns without GROUP BY.
pub(super) fn check_unbound(query: &Query) -> Result<(), QueryError> {
    let has_rows = query.items.iter().any(|item| matches!(item.value, ItemValue::Wildcard));
    if has_rows || (query.keys.is_empty() && !query.distinct) { check(query, &[]) } else { Ok(()) }
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
    rows: Option<(&Relation, &Terms)>,
) -> Result<Vec<PlanKey>, QueryError> {
    let mut keys = Vec::with_capacity(grouped.len());
    for expression in grouped {
        let term = checker::expression(expression, known)?;
        let key = match rows {
            None => coding::key(&term, known, filter, CategoryLists::Whole),
            Some(rows) => {
                let narrowing = narrowing(&term, filter, rows, known);
                coding::key(&term, known, narrowing.as_ref(), CategoryLists::Narrowed)
            }
        };
        keys.push(key.map_err(|fault| {
            let error = QueryError::at(Code::TooManyGroups, expression.at, fault.message);
            QueryError { hint: fault.hint.map(str::to_owned), ..error }
        })?);
    }
    keys.sort_by(|one, other| one.column.cmp(&other.column));
    keys.dedup();
    Ok(keys)
}

/// The condition together with what public tables say of the columns in a key, unless the condition itself lists their values.
fn narrowing(
    term: &Term,
    filter: Option<&Filter>,
    (relation, dataset): (&Relation, &Terms),
    known: &TermContext<'_>,
) -> Option<Filter> {
    let parts = match filter {
        None => &[],
        Some(Filter::All(parts)) => &parts[..],
        Some(one) => std::slice::from_ref(one),
    };
    let mut columns = BTreeSet::new();
    term.declared(&mut columns);
    let is_listed = |index: usize| {
        parts.iter().any(|part| matches!(part, Filter::Values { column: Term::Column(of), .. } if *of == index))
    };
    let facts = columns.into_iter().filter(|index| !is_listed(*index));
    let facts: Vec<Filter> = facts.flat_map(|index| super::public::facts(relation, dataset, index, known)).collect();
    match facts.is_empty() {
        true => filter.cloned(),
        false => Some(Filter::All(parts.iter().cloned().chain(facts).collect())),
    }
}
