//! Grouping by text without a public list.
//!
//! Promises a plan that measures the units of each group beside whatever else is asked, so that only groups with enough of them are shown.

use super::{Computation, Measure, TextKey};
use crate::dataset::domain::Domain;
use crate::dataset::policy::{Terms, Unit};
use crate::privacy::certificate::Hiding;
use crate::privacy::threshold::Threshold;
use crate::query::error::{Code, QueryError, shown};
use crate::query::syntax::{Expression, ItemValue, Name, Query, Scalar};

/// The key, where one of those that are grouped by is text.
///
/// # Errors
/// [`Code::UnsupportedSql`] where it is not the only one, where nothing is aggregated, or where the policy sets no δ aside.
pub(super) fn key(
    query: &Query,
    grouped: &[Expression],
    terms: &Terms,
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
            "group by a column with a public domain, or ask the steward for threshold_delta",
        );
    }
    let has_sets = query.sets.is_some() || query.items.iter().any(|item| matches!(item.value, ItemValue::Grouping(_)));
    if grouped.iter().any(|other| other.value != Scalar::Column(name.clone())) || has_sets {
        return refused("it is grouped by alone", "write COUNT(*) FILTER (WHERE …) for parts of its groups");
    }
    let is_key = |value: &ItemValue| matches!(value, ItemValue::Key(_) | ItemValue::Grouping(_) | ItemValue::Wildcard);
    if query.items.iter().all(|item| is_key(&item.value)) {
        return refused("which groups it has is no free list", "select COUNT(*) with it");
    }
    let groups_per_unit = groups_per_unit.min(rows_per_unit);
    // What is missing is a group of its own.
    let groups_max = values_max + u32::from(terms.columns[column].nullable);
    Ok(Some(TextKey { column, groups_per_unit, groups_max }))
}

/// A column of text by its name: its place, its different values and the groups of a unit at the most.
fn text(name: &Name, terms: &Terms) -> Option<(usize, u32, u32)> {
    let (index, column) = terms.column(&name.text)?;
    match column.domain {
        Domain::Text { values_max, groups_per_unit } => Some((index, values_max, groups_per_unit)),
        Domain::Category(_) | Domain::Boolean | Domain::Number(_) | Domain::Date { .. } => None,
    }
}

/// What counts the units of a group; where every row is a unit, its rows.
pub(super) fn units(terms: &Terms) -> Measure {
    if terms.unit == Unit::Row { Measure::Rows } else { Measure::Units }
}

/// Which groups are hidden.
pub(super) fn hiding(computation: &Computation, terms: &Terms) -> Option<Hiding> {
    let (text, aside) = (computation.text.as_ref()?, terms.threshold?);
    let units = computation.measures.binary_search(&units(terms)).ok()?;
    let threshold = Threshold { groups_per_unit: text.groups_per_unit, delta: aside.per_query };
    Some(Hiding { units, threshold })
}
