//! The shapes of a dataset with a single table that need no relation: its rows, and one row for each unit made of them.
//!
//! Promises that a question which can be planned in these shapes is: they are what questions were identified by before there were
//! relations, and they are evaluated without copying a row.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::query::computation::relation::Relation;
use crate::query::computation::{PerUnitColumn, PerUnitTable};
use crate::query::error::{Code, QueryError};
use crate::query::filter::Filter;
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{Condition, Expression, Query, Scalar};
use crate::query::term::Term;
use crate::query::term::context::{Names, TermContext};

use super::scope::{Meaning, NamedRows, VisibleColumn};
use super::{Binder, BoundQuestion, BoundRows};

/// Largest number of columns of a table with one row per unit that a question uses.
const COLUMNS_MAX: usize = 16;

/// The question in one of these shapes; `None` if it takes a relation.
pub(super) fn simple(
    binder: &Binder<'_>,
    scope: &NamedRows,
    query: &Query,
) -> Result<Option<BoundQuestion>, QueryError> {
    if !binder.terms.tables.is_empty() {
        return Ok(None);
    }
    match &scope.relation {
        Relation::Table { table: 0, rows_per_unit } if is_whole(binder, *rows_per_unit) && is_known(binder, scope) => {
            let terms = binder.terms.joined(&scope.joins).into_owned();
            let rows = BoundRows::Table { joins: scope.joins.clone() };
            let (filter, names) = (scope.filter.clone(), Rc::new(scope.names()));
            Ok(Some(BoundQuestion { query: query.clone(), filter, terms, names, rows }))
        }
        Relation::Group { of, keys, columns } => match of.as_ref() {
            Relation::Table { table: 0, rows_per_unit } if is_whole(binder, *rows_per_unit) => {
                per_unit(binder, scope, query, (None, keys, columns))
            }
            Relation::Filter { of, filter } => match of.as_ref() {
                Relation::Table { table: 0, rows_per_unit } if is_whole(binder, *rows_per_unit) => {
                    per_unit(binder, scope, query, (Some(filter), keys, columns))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether all rows are used that the question may use.
fn is_whole(binder: &Binder<'_>, rows_per_unit: u32) -> bool {
    rows_per_unit == binder.rows_per_unit.unwrap_or(u32::MAX).min(binder.terms.max_rows_per_unit)
}

/// Whether every visible column is one of the table or of the tables that it is joined with.
fn is_known(binder: &Binder<'_>, scope: &NamedRows) -> bool {
    let own = binder.terms.own().len();
    let is_joined =
        |index: usize| scope.joins.iter().any(|(place, _)| binder.terms.joins[*place].places().contains(&index));
    scope.columns.iter().all(|column| match column.term {
        Term::Column(index) => index < own || is_joined(index),
        Term::Made(_) => true,
    })
}

type Group<'g> = (Option<&'g Filter>, &'g [Term], &'g [PerUnitColumn]);

fn per_unit(
    binder: &Binder<'_>,
    scope: &NamedRows,
    query: &Query,
    (filter, keys, columns): Group<'_>,
) -> Result<Option<BoundQuestion>, QueryError> {
    let base = binder.terms.joined(&scope.joins);
    let known = TermContext::within(&base, &binder.steps);
    let mut all: Vec<PerUnitColumn> = Vec::with_capacity(keys.len() + columns.len());
    for key in keys {
        match key {
            Term::Column(index) if base.columns[*index].per_unit => all.push(PerUnitColumn::Own(*index)),
            Term::Column(_) | Term::Made(_) => return Ok(None),
        }
    }
    all.extend(columns.iter().cloned());
    // Only what is named counts, so that the same measurement is equal whatever else the query selects.
    let mut used = Used { scope, places: BTreeSet::new() };
    query.clone().rewrite(&mut used)?;
    let mut places = used.places;
    scope.filter.iter().for_each(|filter| filter.declared(&mut places));
    let mut sorted: Vec<(&PerUnitColumn, usize)> = places.iter().map(|place| (&all[*place], *place)).collect();
    sorted.sort();
    let mut own: Vec<PerUnitColumn> = Vec::with_capacity(sorted.len());
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    for (column, place) in sorted {
        if own.last() != Some(column) {
            own.push(column.clone());
        }
        moved.insert(place, own.len() - 1);
    }
    if own.len() > COLUMNS_MAX {
        let message = format!("{} columns of the query inside are used; accepted are at most {COLUMNS_MAX}", own.len());
        return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message));
    }
    let to = |index: usize| moved.get(&index).copied().unwrap_or_default();
    let names = column_names(scope, own.len(), &moved);
    let units = PerUnitTable { filter: filter.cloned(), columns: own };
    let rows = binder.rows_per_unit.unwrap_or(u32::MAX).min(base.max_rows_per_unit);
    let seen = units.seen(&known, rows, &names);
    let seen = seen.map_err(|fault| QueryError::at(Code::UnsupportedSql, query.dataset.at, fault.to_string()))?;
    let is_used = |term: &Term| {
        let mut read = BTreeSet::new();
        term.declared(&mut read);
        read.iter().all(|place| moved.contains_key(place))
    };
    let columns: Vec<VisibleColumn> = scope
        .columns
        .iter()
        .filter(|column| is_used(&column.term))
        .map(|column| VisibleColumn { term: column.term.renumbered(&to), ..column.clone() })
        .collect();
    let names: Names = NamedRows { columns, ..scope.clone() }.names();
    let filter = scope.filter.as_ref().map(|filter| {
        let filter = filter.renumbered(&to);
        filter.simplest(&TermContext::within(&seen, &binder.steps))
    });
    let rows = BoundRows::PerUnit { units, joins: scope.joins.clone() };
    Ok(Some(BoundQuestion { query: query.clone(), filter, terms: seen, names: Rc::new(names), rows }))
}

/// Names of the columns of a table with one row per unit: those that they are visible by.
fn column_names(scope: &NamedRows, count: usize, moved: &BTreeMap<usize, usize>) -> Vec<String> {
    let mut names: Vec<String> = vec![String::new(); count];
    for column in scope.columns.iter().filter(|column| !column.name.starts_with('\u{1}')) {
        if let Term::Column(index) = column.term
            && let Some(place) = moved.get(&index)
            && names[*place].is_empty()
            && !names.contains(&column.name)
        {
            names[*place].clone_from(&column.name);
        }
    }
    for place in 0..count {
        let mut number = place;
        while names[place].is_empty() {
            let name = format!("u{number}");
            if !names.contains(&name) {
                names[place] = name;
            }
            number += count;
        }
    }
    names
}

/// Looks for the columns that a question names.
struct Used<'a> {
    scope: &'a NamedRows,
    places: BTreeSet<usize>,
}

impl Rewriter for Used<'_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        if let Scalar::Column(name) = &expression.value
            && let Some(Meaning::Column(term)) = self.scope.meaning(name)?
        {
            term.declared(&mut self.places);
        }
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}
