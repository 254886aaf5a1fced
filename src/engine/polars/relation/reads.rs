//! Which columns of its operands a relation reads, from the top down.
//!
//! Promises that a column which nothing reads is neither computed nor copied, nor read from a table.

use crate::query::computation::relation::Relation;
use crate::query::filter::Filter;
use crate::query::terms::policy::Terms;
use std::collections::{BTreeMap, BTreeSet};

/// The number of columns of a relation over a dataset.
pub(super) fn arity(relation: &Relation, terms: &Terms) -> usize {
    match relation {
        Relation::Table { table, .. } => match terms.tables.is_empty() {
            true => terms.columns.len(),
            false => terms.tables.get(*table as usize).map_or(0, |table| table.columns.len()),
        },
        Relation::Filter { of, .. } | Relation::Semi { of, .. } => arity(of, terms),
        Relation::Map { columns, .. } => columns.len(),
        Relation::Window { of, columns } => arity(of, terms) + columns.len(),
        Relation::Group { keys, columns, .. } => keys.len() + columns.len(),
        Relation::Join { left, right, .. } => arity(left, terms) + arity(right, terms),
        Relation::Public { of, table, .. } => {
            arity(of, terms) + terms.public.get(*table as usize).map_or(0, |table| table.columns.len())
        }
        Relation::Listed { of, listed, .. } => arity(of, terms) + listed.columns.len(),
        Relation::Union { parts } => parts.first().map_or(0, |part| arity(part, terms)),
    }
}

/// For each operand, the columns that are read of it if these are wanted of the relation; of a public table those come last.
pub(super) fn operand_reads(relation: &Relation, wanted: &BTreeSet<usize>, terms: &Terms) -> Vec<BTreeSet<usize>> {
    let with = |filter: Option<&Filter>| {
        let mut read = wanted.clone();
        filter.into_iter().for_each(|filter| filter.declared(&mut read));
        read
    };
    match relation {
        Relation::Table { .. } => Vec::new(),
        Relation::Filter { filter, .. } => vec![with(Some(filter))],
        Relation::Map { columns, .. } => {
            let mut read = BTreeSet::new();
            wanted.iter().filter_map(|index| columns.get(*index)).for_each(|term| term.declared(&mut read));
            vec![read]
        }
        Relation::Window { of, columns } => {
            let (mut read, own) = split(wanted, arity(of, terms));
            own.iter().filter_map(|index| columns.get(*index)).for_each(|column| column.declared(&mut read));
            vec![read]
        }
        Relation::Group { keys, columns, .. } => {
            let mut read = BTreeSet::new();
            keys.iter().for_each(|key| key.declared(&mut read));
            let own = wanted.iter().filter_map(|index| columns.get(index.checked_sub(keys.len())?));
            own.for_each(|column| column.declared(&mut read));
            vec![read]
        }
        Relation::Join { left, on, .. } => {
            let (left, right) = split(&with(on.as_ref()), arity(left, terms));
            vec![left, right]
        }
        Relation::Semi { of, on, .. } => {
            let mut pairs = BTreeSet::new();
            on.iter().for_each(|on| on.declared(&mut pairs));
            let (left, right) = split(&pairs, arity(of, terms));
            vec![wanted.union(&left).copied().collect(), right]
        }
        Relation::Public { of, equal, on, .. } | Relation::Listed { of, equal, on, .. } => {
            let (mut read, public) = split(&with(on.as_ref()), arity(of, terms));
            equal.iter().for_each(|(term, _)| term.declared(&mut read));
            vec![read, public]
        }
        Relation::Union { parts } => parts.iter().map(|_| wanted.clone()).collect(),
    }
}

/// The columns below an index, and the others, counted from it.
pub(super) fn split(columns: &BTreeSet<usize>, at: usize) -> (BTreeSet<usize>, BTreeSet<usize>) {
    (columns.range(..at).copied().collect(), columns.range(at..).map(|index| index - at).collect())
}

/// The columns that are read of each of the dataset's tables, if these are wanted of a relation over it.
pub(in crate::engine) fn reads(
    relation: &Relation,
    wanted: &BTreeSet<usize>,
    terms: &Terms,
) -> BTreeMap<u32, BTreeSet<usize>> {
    fn add(relation: &Relation, wanted: &BTreeSet<usize>, terms: &Terms, found: &mut BTreeMap<u32, BTreeSet<usize>>) {
        if let Relation::Table { table, .. } = relation {
            found.entry(*table).or_default().extend(wanted);
        }
        let reads = operand_reads(relation, wanted, terms);
        relation.operands().into_iter().zip(&reads).for_each(|(of, wanted)| add(of, wanted, terms, found));
    }
    let mut found = BTreeMap::new();
    add(relation, wanted, terms, &mut found);
    found
}
