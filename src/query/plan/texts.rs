//! Grouping by a text column, whose groups have no public list.
//!
//! Promises a plan that measures the units of each group in addition to whatever else is asked, so that only groups with enough units are
//! shown.

use crate::kernel::privacy::certificate::GroupThreshold;
use crate::kernel::privacy::threshold::Threshold;
use crate::query::answer::grouping_sets::{GroupingSets, MeasuredTable, MeasuredTables};
use crate::query::computation::{Computation, Measure, TextKey};
use crate::query::error::{Code, QueryError, shown};
use crate::query::syntax::{Expression, ItemValue, Name, Query, Scalar};
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::{Terms, Unit};

/// The text column that the question groups by; `None` if it groups by public keys.
///
/// # Errors
/// [`Code::UnsupportedSql`] if there are other keys, if nothing is aggregated, or if the policy sets no δ aside for showing such groups.
pub(super) fn key(
    query: &Query,
    grouped: &[Expression],
    terms: &TermContext<'_>,
    rows_per_unit: u32,
) -> Result<Option<TextKey>, QueryError> {
    let of_text = |expression: &Expression| match &expression.value {
        Scalar::Column(name) => text(name, terms).map(|found| (name.clone(), found)),
        _ => None,
    };
    let Some((name, (column, values_max, groups_per_unit))) = grouped.iter().find_map(of_text) else { return Ok(None) };
    let refused = |message: &str, hint: &str| {
        let message = format!("\"{}\" is text without a public list, and {message}", shown(&name.text));
        Err(QueryError::at(Code::UnsupportedSql, name.at, message).hint(hint))
    };
    if terms.threshold.is_none() {
        return refused(
            "the policy sets no delta aside to show groups of it",
            "the steward sets it with threshold_delta in the policy",
        );
    }
    // The only other grouping allowed is a total over all groups.
    let is_total = |sets: &Vec<Vec<usize>>| sets.len() == 2 && sets.contains(&vec![0]) && sets.contains(&Vec::new());
    let has_others = grouped.len() > 1 || query.sets.as_ref().is_some_and(|sets| !is_total(sets));
    let has_grouping = query.items.iter().any(|item| matches!(item.value, ItemValue::Grouping(_)));
    if has_others || (has_grouping && query.sets.is_none()) {
        return refused(
            "it is grouped by alone, or with a total: ROLLUP",
            "write COUNT(*) FILTER (WHERE …) for parts of its groups",
        );
    }
    let is_key = |value: &ItemValue| matches!(value, ItemValue::Key(_) | ItemValue::Grouping(_) | ItemValue::Wildcard);
    if query.items.iter().all(|item| is_key(&item.value)) {
        return refused("its groups cannot be listed by themselves", "write COUNT(*) beside it");
    }
    let groups_per_unit = groups_per_unit.min(rows_per_unit);
    // Missing values form a group of their own.
    let groups_max = values_max + u32::from(terms.columns[column].nullable);
    Ok(Some(TextKey { column, groups_per_unit, groups_max }))
}

/// The error for a key of text over rows that are not those of a table.
pub(super) fn of_relation(query: &Query) -> QueryError {
    let message = "text without a public list is grouped by over the rows of the dataset's table alone";
    QueryError::at(Code::UnsupportedSql, query.dataset.at, message)
}

/// Looks up a text column by its name: its index, the largest number of its distinct values, and the largest number of groups of one unit.
fn text(name: &Name, terms: &TermContext<'_>) -> Option<(usize, u32, u32)> {
    let Term::Column(index) = terms.named(name)? else { return None };
    match terms.columns[index].domain {
        Domain::Text { values_max, groups_per_unit } => Some((index, values_max, groups_per_unit)),
        Domain::Category(_) | Domain::Boolean | Domain::Number(_) | Domain::Date { .. } => None,
    }
}

/// The measurement that counts the units of a group; if every row is a unit, that is the number of rows.
pub(super) fn units(terms: &Terms) -> Measure {
    if terms.unit == Unit::Row { Measure::Rows } else { Measure::Units }
}

/// Determines which groups are hidden, for a computation with a text key.
pub(super) fn hiding(computation: &Computation, terms: &Terms) -> Option<GroupThreshold> {
    let (text, aside) = (computation.text.as_ref()?, terms.threshold?);
    let units = computation.measures.binary_search(&units(terms)).ok()?;
    let threshold = Threshold { groups_per_unit: text.groups_per_unit, delta: aside.per_query };
    let totals = computation.measures.iter().enumerate().filter(|(_, one)| matches!(one, Measure::Over { .. }));
    let totals = totals.fold(0, |totals, (place, _)| totals | 1 << place);
    Some(GroupThreshold { units, threshold, totals })
}

/// The measurements of the groups and of their totals. Each total is measured by itself over all rows, at its own price, so that a hidden
/// group is never part of a sum of hidden groups. The difference between a total and the shown groups consists of the hidden groups, and of
/// the rows that units have beyond their first groups.
///
/// # Errors
/// [`Code::TooManyGroups`] if there are more measurements than a certificate can distinguish.
pub(super) fn expanded(
    shown: Vec<Vec<usize>>,
    of_groups: &[Measure],
    bases: &[Measure],
    query: &Query,
) -> Result<(Vec<Measure>, GroupingSets), QueryError> {
    let total = |base: &Measure| Measure::Over { keys: Vec::new(), measure: Box::new(base.clone()) };
    let mut measures: Vec<Measure> = of_groups.iter().cloned().chain(bases.iter().map(total)).collect();
    measures.sort_unstable();
    if measures.len() > u64::BITS as usize {
        let message = format!("{} measurements of groups and totals; accepted are at most 64", measures.len());
        return Err(
            QueryError::at(Code::TooManyGroups, query.dataset.at, message).hint("ask for fewer aggregates at a time")
        );
    }
    // Unwrap safety: the measurement of every table is in the list.
    let place = |measure: &Measure| measures.binary_search(measure).expect("a measurement that is needed");
    let tables = |base: &Measure| {
        let of_groups = MeasuredTable { keys: vec![0], vector: place(base) };
        vec![of_groups, MeasuredTable { keys: Vec::new(), vector: place(&total(base)) }]
    };
    let measured =
        bases.iter().map(|base| MeasuredTables { adds_up: false, tables: tables(base), sources: Vec::new() }).collect();
    Ok((measures, GroupingSets { shown, measured }))
}
