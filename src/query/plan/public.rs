//! What public rows say while a question is planned: which of them a condition chooses, and which values a grouping key can have.
//!
//! Promises what follows from public rows alone. Facts about keys narrow the groups and nothing else: they are no part of what is
//! evaluated.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::query::computation::relation::Relation;
use crate::query::filter::Filter;
use crate::query::term::context::TermContext;
use crate::query::term::{Term, interpret};
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::{PublicTable, Terms};

/// Largest number of different values that are listed.
const LISTED_MAX: usize = 10_000;

/// The rows of a public table for which all conditions are true. Only the rows that the most selective list or range of a column leaves are
/// looked at.
pub(super) fn chosen(table: &PublicTable, conditions: &[Filter], known: &TermContext<'_>) -> Vec<usize> {
    let parts = conditions.iter().flat_map(|part| match part {
        Filter::All(parts) => &parts[..],
        one => std::slice::from_ref(one),
    });
    let found = parts.filter_map(|part| candidates(table, part)).min_by_key(Vec::len);
    let all = || (0..usize::try_from(table.rows).unwrap_or(0)).collect();
    let is_chosen = |row: &usize| {
        let of = |column: usize| table.values.get(column).and_then(|values| values.get(*row).copied().flatten());
        conditions.iter().all(|part| interpret::truth(part, &of, known) == Some(true))
    };
    let mut rows = found.unwrap_or_else(all);
    rows.retain(is_chosen);
    rows
}

/// The rows that one condition on a column leaves; `None` for any other condition.
fn candidates(table: &PublicTable, part: &Filter) -> Option<Vec<usize>> {
    match part {
        Filter::Range { column: Term::Column(column), low, high } => {
            Some(table.order(*column)?.between(*low, *high).collect())
        }
        Filter::Members { column: Term::Column(column), codes } => {
            let order = table.order(*column)?;
            Some(codes.iter().flat_map(|code| order.between((*code).into(), (*code).into())).collect())
        }
        Filter::Values { column: Term::Column(column), values } => {
            let order = table.order(*column)?;
            Some(values.iter().flat_map(|value| order.between(*value, *value)).collect())
        }
        Filter::Range { .. }
        | Filter::Members { .. }
        | Filter::Values { .. }
        | Filter::Missing { .. }
        | Filter::Not(_)
        | Filter::All(_)
        | Filter::Any(_) => None,
    }
}

/// What public tables say of a column of a relation: the values that it can have. Empty if they say nothing, or nothing that its domain
/// does not say.
pub(super) fn facts(relation: &Relation, dataset: &Terms, index: usize, known: &TermContext<'_>) -> Vec<Filter> {
    let mut facts = Vec::new();
    equalities(relation, dataset, index, &mut |table, column, rows| {
        facts.extend(equal(index, (table, column), rows, known));
    });
    facts.extend(origin(relation, dataset, index).and_then(|(table, column)| own(index, &table, column)));
    facts
}

/// That a column of a public table has one of the values that some row has there.
fn own(index: usize, table: &PublicTable, column: usize) -> Option<Filter> {
    match &table.columns.get(column)?.domain {
        Domain::Number(_) | Domain::Date { .. } => {}
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => return None,
    }
    let values: BTreeSet<i64> = table.values.get(column)?.iter().copied().collect::<Option<_>>()?;
    let span = values.first().zip(values.last()).map(|(first, last)| last.abs_diff(*first))?;
    let has_gaps = span >= values.len() as u64;
    (has_gaps && values.len() <= LISTED_MAX)
        .then(|| Filter::Values { column: Term::Column(index), values: values.into_iter().collect() })
}

/// That a category has one of the labels that the chosen rows have in the column which it equals.
fn equal(
    index: usize,
    (table, column): (&PublicTable, usize),
    rows: &[usize],
    known: &TermContext<'_>,
) -> Option<Filter> {
    let Domain::Category(labels) = &known.columns.get(index)?.domain else { return None };
    let (values, domain) = (table.values.get(column)?, &table.columns.get(column)?.domain);
    let code = |value: i64| match domain {
        Domain::Category(own) => labels.code(own.get(usize::try_from(value).ok()?)?),
        Domain::Number(grid) => labels.code(&grid.text(i128::from(value) + i128::from(grid.centre()))),
        Domain::Date { .. } | Domain::Boolean | Domain::Text { .. } => None,
    };
    let different: BTreeSet<i64> = rows.iter().filter_map(|row| values.get(*row).copied().flatten()).collect();
    let codes: BTreeSet<u32> = different.into_iter().filter_map(code).collect();
    Some(Filter::Members { column: Term::Column(index), codes: codes.into_iter().collect() })
}

/// Calls `found` for each inner join in which a column of a relation equals a public column, with the public rows that the join chooses.
fn equalities(
    relation: &Relation,
    dataset: &Terms,
    index: usize,
    found: &mut dyn FnMut(&PublicTable, usize, &[usize]),
) -> Option<()> {
    let mut of_term = |of: &Relation, term: &Term| match term {
        Term::Column(index) => equalities(of, dataset, *index, found),
        Term::Made(_) => None,
    };
    match relation {
        Relation::Table { .. } | Relation::Union { .. } => None,
        Relation::Filter { of, .. } | Relation::Semi { of, .. } | Relation::Window { of, .. } => {
            (index < width(of, dataset)?).then(|| equalities(of, dataset, index, found)).flatten()
        }
        Relation::Map { of, columns } => of_term(of, columns.get(index)?),
        Relation::Group { of, keys, .. } => of_term(of, keys.get(index)?),
        Relation::Join { left, right, is_left, .. } => match index.checked_sub(width(left, dataset)?) {
            None => equalities(left, dataset, index, found),
            Some(place) => (!is_left).then(|| equalities(right, dataset, place, found)).flatten(),
        },
        Relation::Public { of, table, equal, on, is_left } => {
            let offset = width(of, dataset)?;
            let public = dataset.public.get(*table as usize)?;
            if index >= offset {
                return None;
            }
            for (_, column) in equal.iter().filter(|(term, _)| !is_left && *term == Term::Column(index)) {
                let terms = dataset.with(public.columns.clone(), 1, public.rows);
                let conditions = conditions(on.as_ref(), offset);
                found(public, *column as usize, &chosen(public, &conditions, &TermContext::of(&terms)));
            }
            equalities(of, dataset, index, found)
        }
        Relation::Listed { of, .. } => {
            (index < width(of, dataset)?).then(|| equalities(of, dataset, index, found)).flatten()
        }
    }
}

/// The public table's column that a column of a relation is in every row.
fn origin<'a>(relation: &Relation, dataset: &'a Terms, index: usize) -> Option<(Cow<'a, PublicTable>, usize)> {
    let of_term = |of: &Relation, term: &Term| match term {
        Term::Column(index) => origin(of, dataset, *index),
        Term::Made(_) => None,
    };
    match relation {
        Relation::Table { .. } | Relation::Union { .. } => None,
        Relation::Filter { of, .. } | Relation::Semi { of, .. } => origin(of, dataset, index),
        Relation::Window { of, .. } => (index < width(of, dataset)?).then(|| origin(of, dataset, index)).flatten(),
        Relation::Map { of, columns } => of_term(of, columns.get(index)?),
        Relation::Group { of, keys, .. } => of_term(of, keys.get(index)?),
        Relation::Join { left, right, is_left, .. } => match index.checked_sub(width(left, dataset)?) {
            None => origin(left, dataset, index),
            Some(place) => (!is_left).then(|| origin(right, dataset, place)).flatten(),
        },
        Relation::Public { of, table, is_left, .. } => match index.checked_sub(width(of, dataset)?) {
            None => origin(of, dataset, index),
            Some(place) => (!is_left).then_some((Cow::Borrowed(dataset.public.get(*table as usize)?), place)),
        },
        Relation::Listed { of, listed, is_left, .. } => match index.checked_sub(width(of, dataset)?) {
            None => origin(of, dataset, index),
            Some(place) => Some((Cow::Owned(listed.table().filter(|_| !is_left)?), place)),
        },
    }
}

/// The number of columns of a relation.
fn width(relation: &Relation, dataset: &Terms) -> Option<usize> {
    Some(match relation {
        Relation::Table { table, .. } => dataset.table(*table as usize)?.columns.len(),
        Relation::Filter { of, .. } | Relation::Semi { of, .. } => width(of, dataset)?,
        Relation::Window { of, columns } => width(of, dataset)? + columns.len(),
        Relation::Map { columns, .. } => columns.len(),
        Relation::Group { keys, columns, .. } => keys.len() + columns.len(),
        Relation::Join { left, right, .. } => width(left, dataset)? + width(right, dataset)?,
        Relation::Public { of, table, .. } => width(of, dataset)? + dataset.public.get(*table as usize)?.columns.len(),
        Relation::Listed { of, listed, .. } => width(of, dataset)? + listed.columns.len(),
        Relation::Union { parts } => width(parts.first()?, dataset)?,
    })
}

/// The parts of a condition on pairs that are about the public row alone, as conditions on the columns of its table.
pub(super) fn conditions(on: Option<&Filter>, offset: usize) -> Vec<Filter> {
    let parts = match on {
        None => &[],
        Some(Filter::All(parts)) => &parts[..],
        Some(one) => std::slice::from_ref(one),
    };
    let is_public = |part: &&Filter| {
        let mut read = BTreeSet::new();
        part.declared(&mut read);
        read.first().is_some_and(|first| *first >= offset)
    };
    parts.iter().filter(is_public).map(|part| part.renumbered(&|index| index.saturating_sub(offset))).collect()
}
