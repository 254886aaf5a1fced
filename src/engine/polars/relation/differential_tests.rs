//! The executor against the reference evaluator, over random relations and random datasets; and what the terms of a relation promise.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::RelationProgram;
use super::generator_tests::{Dataset, UnitRows, dataset, relation};
use super::pieces::PieceSize;
use super::reference_tests::{Reference, Row, stored, value};
use crate::engine::polars::stored::{Stored, typed};
use crate::query::computation::relation::Relation;
use crate::query::filter::stored_bounds;
use crate::query::terms::policy::Terms;

/// Number of random relations; `TACIT_RELATIONS` asks for more.
const RELATIONS: usize = 1_500;
const RELATIONS_PER_DATASET: usize = 5;

fn wanted_count() -> usize {
    std::env::var("TACIT_RELATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(RELATIONS)
}

/// The rows that the executor makes, with their units; a column that is not wanted is missing in all rows.
fn executed(
    of: (&Dataset, &[(u32, UnitRows)]),
    relation: &Relation,
    terms: &Terms,
    wanted: &BTreeSet<usize>,
    rng: &mut StdRng,
) -> Vec<(u32, Vec<Option<i64>>)> {
    let loaded = of.0.loaded(rng, of.1);
    let mut program = RelationProgram::of(relation, wanted, &loaded.terms).expect("a program");
    if rng.random_bool(0.7) {
        program.pieces = PieceSize { rows: rng.random_range(1..6), made: rng.random_range(1..20) };
    }
    let mut rows = Vec::new();
    for block in 0..loaded.blocks() {
        let take = |block: &crate::engine::polars::stored::Block<'_>| {
            let units = block.units.expect("units");
            for (row, unit) in units.iter().enumerate() {
                let cell = |index: usize| {
                    let column = block.columns.get(&index).filter(|_| wanted.contains(&index))?;
                    let is_present = column.validity.bytes(row..row + 1).is_none_or(|bytes| bytes == [1]);
                    let values = column.values;
                    is_present.then(|| typed!(values, values => values[row].wide()))
                };
                rows.push((*unit, (0..terms.columns.len()).map(cell).collect()));
            }
        };
        program.each(&loaded, block, take).expect("a total evaluation");
    }
    rows
}

/// What the reference evaluator makes of some units.
fn expected(of: (&Dataset, &[(u32, UnitRows)]), reference: &Reference<'_>) -> Vec<(u32, Vec<Option<i64>>)> {
    let stored_row = |row: &Row| {
        let cells = reference.terms.columns.iter().zip(row);
        cells.map(|(column, cell)| cell.map(|cell| stored(&column.domain, cell))).collect::<Vec<_>>()
    };
    let unit = |(unit, rows): &(u32, UnitRows)| {
        let made = reference.rows(&of.0.values(rows));
        made.iter().map(|row| (*unit, stored_row(row))).collect::<Vec<_>>()
    };
    of.1.iter().flat_map(unit).collect()
}

/// Checks that the rows are within the bounds that the public terms state.
fn check_bounds(rows: &[(u32, Vec<Option<i64>>)], terms: &Terms, relation: &Relation) {
    for of_unit in rows.chunk_by(|one, other| one.0 == other.0) {
        assert!(of_unit.len() <= terms.max_rows_per_unit as usize, "{} rows of {relation:?}", of_unit.len());
        for (index, column) in terms.columns.iter().enumerate() {
            let values: BTreeSet<Option<i64>> = of_unit.iter().map(|(_, row)| row[index]).collect();
            assert!(!column.per_unit || values.len() == 1, "column {index} has {values:?} in a unit of {relation:?}");
            assert!(column.nullable || !values.contains(&None), "column {index} is missing in {relation:?}");
            let (low, high) = stored_bounds(&column.domain);
            for value in values.into_iter().flatten() {
                assert!((low..=high).contains(&value), "{value} in column {index} of {relation:?}, {column:?}");
            }
        }
    }
}

#[test]
fn the_executor_makes_what_the_reference_evaluator_does() {
    let (mut compared, mut seed, mut made, mut kinds) = (0, 0, 0, [0_usize; 10]);
    while compared < wanted_count() {
        seed += 1;
        let mut rng = StdRng::seed_from_u64(seed);
        let dataset = dataset(&mut rng);
        for _ in 0..RELATIONS_PER_DATASET {
            let depth = rng.random_range(0..5);
            let (relation, terms) = relation(&mut rng, &dataset.terms, depth);
            let reference = Reference::of(&relation, &dataset.terms).expect("bounds");
            let all: BTreeSet<usize> = (0..terms.columns.len()).collect();
            let of = (&dataset, &dataset.units[..]);
            let expected = expected(of, &reference);
            let found = executed(of, &relation, &terms, &all, &mut rng);
            assert_eq!(found, expected, "seed {seed}: {relation:?}\nterms {:?}", terms.columns);
            check_bounds(&found, &terms, &relation);
            // Columns that nothing asks for change nothing.
            let some: BTreeSet<usize> = all.iter().copied().filter(|_| rng.random_bool(0.4)).collect();
            let pruned = |(unit, row): &(u32, Vec<Option<i64>>)| {
                let cell = |(index, cell): (usize, &Option<i64>)| cell.filter(|_| some.contains(&index));
                (*unit, row.iter().enumerate().map(cell).collect())
            };
            let few = executed(of, &relation, &terms, &some, &mut rng);
            assert_eq!(few, expected.iter().map(pruned).collect::<Vec<_>>(), "seed {seed}: {some:?} of {relation:?}");
            // f(A ∪ B) = f(A) ∪ f(B) for the units of A and those of B.
            let (a, b): (Vec<_>, Vec<_>) = dataset.units.iter().cloned().partition(|_| rng.random_bool(0.5));
            let [a, b] = [a, b].map(|units| executed((&dataset, &units), &relation, &terms, &all, &mut rng));
            let mut apart = [a, b].concat();
            apart.sort_by_key(|(unit, _)| *unit);
            assert_eq!(apart, found, "seed {seed}: {relation:?}");
            compared += 1;
            made += found.len();
            count(&relation, &mut kinds);
        }
    }
    assert!(made > 3 * compared, "{made} rows in {compared} relations");
    assert!(kinds.iter().all(|kind| *kind > compared / 30), "{kinds:?}");
}

fn count(relation: &Relation, kinds: &mut [usize; 10]) {
    let kind = match relation {
        Relation::Table { .. } => 0,
        Relation::Filter { .. } => 1,
        Relation::Map { .. } => 2,
        Relation::Window { .. } => 3,
        Relation::Group { .. } => 4,
        Relation::Join { .. } => 5,
        Relation::Semi { .. } => 6,
        Relation::Public { .. } => 7,
        Relation::Union { .. } => 8,
        Relation::Listed { .. } => 9,
    };
    kinds[kind] += 1;
    relation.operands().into_iter().for_each(|of| count(of, kinds));
}

#[test]
fn values_are_read_as_they_are_stored() {
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..100 {
        let dataset = dataset(&mut rng);
        let columns = dataset.terms.tables.iter().flat_map(|table| table.columns.iter());
        for domain in columns.map(|column| &column.domain) {
            let (low, high) = stored_bounds(domain);
            assert!((low..=high).all(|own| stored(domain, value(domain, own)) == own));
        }
    }
}
