//! Tests of the ring: whose turn it is, what a failure costs, and that pieces add up.

use std::ops::Range;
use std::sync::mpsc;

use super::{Piece, Ring};
use crate::engine::port::EngineFault;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::{Computation, Measure, PlanKey, TextKey};
use crate::query::term::Term;

type Answer = mpsc::Receiver<Result<Private<Exact>, EngineFault>>;

fn counting() -> Computation {
    let (filter, keys, measures) = (None, Vec::new(), vec![Measure::Rows]);
    Computation { rows_per_unit: 1, filter, keys, measures, units: None, text: None, left: Vec::new(), relation: None }
}

fn asked(ring: &mut Ring, computation: Computation) -> Answer {
    let (done, answer) = mpsc::sync_channel(1);
    ring.add(computation, done);
    answer
}

/// A stand-in for a worker, which counts one row in each block.
fn computed(ring: &mut Ring, piece: &Piece) {
    let rows = i64::try_from(piece.blocks.end - piece.blocks.start).expect("few blocks");
    let mut found = Private::new(Exact { vectors: vec![vec![rows]], labels: None });
    while let Some((sum, other)) = ring.add_up(piece, found) {
        found = sum.joined(other, |_| false).expect("equal shapes");
    }
}

fn rows(answer: &Answer) -> Option<i64> {
    answer.try_recv().ok()?.ok().map(|exact| exact.open_in_test().vectors[0][0])
}

fn taken(ring: &mut Ring, blocks: u64) -> (Piece, u64, Range<u64>) {
    let piece = ring.take(blocks).expect("a piece");
    let (query, range) = (piece.query, piece.blocks.clone());
    (piece, query, range)
}

#[test]
fn a_short_query_overtakes_a_long_one() {
    let mut ring = Ring::new(1);
    let long = asked(&mut ring, counting());
    let (first, _, range) = taken(&mut ring, 100);
    assert_eq!(range, 0..8);
    let short = asked(&mut ring, Computation { measures: vec![Measure::Units], ..counting() });
    let order: Vec<u64> = (0..4)
        .map(|_| {
            let (piece, query, _) = taken(&mut ring, 100);
            computed(&mut ring, &piece);
            query
        })
        .collect();
    assert_eq!(order, [0, 1, 0, 1], "queries take turns");
    computed(&mut ring, &first);
    while let Some(piece) = ring.take(100) {
        computed(&mut ring, &piece);
    }
    assert_eq!((rows(&long), rows(&short)), (Some(100), Some(100)));
    assert!(!ring.has_work());
}

#[test]
fn a_small_table_is_one_piece_and_so_is_an_empty_one() {
    for blocks in [0, 1, 8] {
        let mut ring = Ring::new(1);
        let answer = asked(&mut ring, counting());
        let (piece, _, range) = taken(&mut ring, blocks);
        assert_eq!(range, 0..blocks);
        assert!(!ring.has_work());
        computed(&mut ring, &piece);
        assert_eq!(rows(&answer), i64::try_from(blocks).ok());
    }
}

#[test]
fn every_core_takes_part_of_a_table_of_medium_size() {
    let mut ring = Ring::new(4);
    let answer = asked(&mut ring, counting());
    let ranges: Vec<Range<u64>> = (0..4)
        .map(|_| {
            let (piece, _, range) = taken(&mut ring, 12);
            computed(&mut ring, &piece);
            range
        })
        .collect();
    assert_eq!(ranges, [0..3, 3..6, 6..9, 9..12]);
    assert_eq!(rows(&answer), Some(12));
    let _small = asked(&mut ring, counting());
    assert_eq!(taken(&mut ring, 2).2, 0..2, "a small table is one piece");
}

#[test]
fn a_failed_piece_costs_its_query_alone() {
    let mut ring = Ring::new(1);
    let (unlucky, lucky) = (asked(&mut ring, counting()), asked(&mut ring, counting()));
    let (failing, _, _) = taken(&mut ring, 24);
    let (other, _, _) = taken(&mut ring, 24);
    let (late, query, _) = taken(&mut ring, 24);
    assert_eq!(query, 0, "a second piece of the query that fails");
    ring.fail(&failing);
    assert!(matches!(unlucky.try_recv(), Ok(Err(EngineFault))));
    computed(&mut ring, &late);
    computed(&mut ring, &other);
    while let Some(piece) = ring.take(24) {
        assert_eq!(piece.query, 1, "the rest of a failed query is dropped");
        computed(&mut ring, &piece);
    }
    assert_eq!(rows(&lucky), Some(24));
}

#[test]
fn a_piece_that_is_put_back_is_counted_once() {
    let mut ring = Ring::new(1);
    let answer = asked(&mut ring, counting());
    let (piece, _, range) = taken(&mut ring, 12);
    ring.put_back(piece);
    let (again, _, same) = taken(&mut ring, 12);
    assert_eq!(range, same);
    computed(&mut ring, &again);
    let (last, _, range) = taken(&mut ring, 12);
    assert_eq!(range, 8..12);
    ring.put_back(last);
    assert!(ring.has_work() && rows(&answer).is_none());
    let (last, _, _) = taken(&mut ring, 12);
    computed(&mut ring, &last);
    assert_eq!(rows(&answer), Some(12));
}

#[test]
fn pieces_grow_with_vectors_and_with_the_texts_that_may_occur() {
    let mut ring = Ring::new(1);
    let column = Term::Column(0);
    let bins = |count| Measure::Bins { column: column.clone(), low: 0, width: 1, count };
    let key = PlanKey { column: column.clone(), low: 0, codes: 10, nullable: false, values: None };
    let _large = asked(&mut ring, Computation { keys: vec![key], measures: vec![bins(100_000)], ..counting() });
    assert_eq!(taken(&mut ring, 100).2, 0..31, "four rows for each of a million cells");
    ring.clear();
    for (groups_max, end) in [(10, 8), (99_999, 52)] {
        let text = Some(TextKey { column: 0, groups_per_unit: 1, groups_max });
        let _texts = asked(&mut ring, Computation { text, ..counting() });
        assert_eq!(taken(&mut ring, 100).2, 0..end, "{groups_max} texts");
        ring.clear();
    }
}
