//! Property tests of groups by unlisted texts, over random tables: each unit is cut to its first groups by itself and affects no other
//! unit.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::{Column, DataFrame, ParquetWriter};
use proptest::prelude::*;

use crate::engine::PolarsEngine;
use crate::engine::port::Host;
use crate::engine::seal::seal_with_key;
use crate::engine::seal::source::SourceSpec;
use crate::kernel::vault::private::Private;
use crate::query::parse::parse;
use crate::query::plan::{Plan, plan};
use crate::query::terms::policy::Policy;

const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.parquet"
privacy_unit = "who"
max_rows_per_unit = 4
max_rows = 23
accountant = "gaussian"
cap = { epsilon = "1", delta = "1e-6" }
threshold_delta = "1e-7"
[[column]]
name = "free"
type = "text"
max_values = 100
max_groups_per_unit = 2
nullable = true
[[column]]
name = "fixed"
type = "text"
max_values = 100
per_unit = true
nullable = true
[[column]]
name = "flag"
type = "boolean"
nullable = true
[[column]]
name = "whole"
type = "integer"
min = "-5"
max = "30"
nullable = true
"#;

const QUESTIONS: [&str; 6] = [
    "SELECT free, COUNT(*) AS n, COUNT(DISTINCT who) AS d, SUM(whole) AS s, AVG(whole) AS a FROM t GROUP BY free",
    "SELECT free, COUNT(*) FILTER (WHERE flag) AS n, COUNT(DISTINCT who) FILTER (WHERE whole > 3) AS d FROM t WHERE whole < 20 GROUP BY free",
    "SELECT fixed, COUNT(whole) AS n, VAR_SAMP(whole) AS v, COUNT(DISTINCT who) AS d FROM t WHERE flag OR whole > 0 GROUP BY fixed",
    "SELECT free, SUM(CASE WHEN flag THEN whole ELSE -9 END) AS s, CORR(whole, whole * 2) AS c FROM t WHERE free IS NOT NULL GROUP BY free",
    "SELECT fixed, COUNT(*) AS n FROM t WHERE NOT (free IS NULL) GROUP BY fixed",
    "SELECT free, COUNT(*) AS n, SUM(whole) AS s, COUNT(DISTINCT who) AS d FROM t GROUP BY ROLLUP (free)",
];

/// One row: unit, free, fixed, flag, whole.
type Row = (i64, Option<u8>, Option<u8>, Option<bool>, Option<i64>);
/// Each measurement's value by text.
type Found = Vec<BTreeMap<Option<String>, i64>>;

fn write(path: &Path, rows: &[Row]) {
    let text = |code: Option<u8>| code.map(|code| ["", " a", "b", "ä\u{1}", "c"][usize::from(code)].to_owned());
    let columns = vec![
        Column::new("who".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
        Column::new("free".into(), rows.iter().map(|row| text(row.1)).collect::<Vec<_>>()),
        Column::new("fixed".into(), rows.iter().map(|row| text(row.2)).collect::<Vec<_>>()),
        Column::new("flag".into(), rows.iter().map(|row| row.3).collect::<Vec<_>>()),
        Column::new("whole".into(), rows.iter().map(|row| row.4).collect::<Vec<_>>()),
    ];
    let mut frame = DataFrame::new(rows.len(), columns).expect("columns of one length");
    ParquetWriter::new(std::fs::File::create(path).expect("a file")).finish(&mut frame).expect("Parquet");
}

fn found(rows: &[Row], plans: &[Plan]) -> Vec<Found> {
    found_in_pieces(rows, plans, usize::MAX)
}

/// What is found if the table is evaluated in pieces of a block each, which end after so many rows.
fn found_in_pieces(rows: &[Row], plans: &[Plan], block_rows: usize) -> Vec<Found> {
    let dir = tempfile::tempdir().expect("a folder");
    write(&dir.path().join("t.parquet"), rows);
    let mut policy = Policy::parse(POLICY).expect("a policy");
    policy.source = SourceSpec::file(&dir.path().join("t.parquet"));
    let (manifest, _) = seal_with_key(&policy, dir.path(), &[7; 32], &|_| {}).expect("a sealed table");
    let mut engine = PolarsEngine::new();
    engine.load(dir.path(), &manifest).expect("a loaded table");
    let table = engine.tables.get_mut(&manifest.edition).expect("the table");
    if block_rows < rows.len() {
        table.cut(block_rows).expect("a sealed table");
    }
    let one = |plan: &Plan| {
        let exact = |blocks| Private::new(table.exact(&plan.computation, blocks).expect("a total computation"));
        let pieces = (0..table.blocks()).map(|block| exact(block..block + 1));
        let is_total = |place| plan.computation.is_total(place);
        let joined = pieces.reduce(|sum, piece| sum.joined(piece, is_total).expect("parts of one table"));
        let exact = joined.unwrap_or_else(|| exact(0..0)).open_in_test();
        let labels = exact.labels.expect("texts");
        assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "in their order, each once: {labels:?}");
        let hiding = plan.hiding.expect("groups that are found");
        assert!((0..exact.vectors.len()).all(|place| hiding.is_total(place) == is_total(place)));
        let of = |(place, vector): (usize, &Vec<i64>)| match hiding.is_total(place) {
            // A total has one cell, which is labelled `None` here.
            true => BTreeMap::from([(None, vector[0])]),
            false => labels.iter().cloned().zip(vector.iter().copied()).collect(),
        };
        exact.vectors.iter().enumerate().map(of).collect()
    };
    plans.iter().map(one).collect()
}

fn plans() -> Vec<Plan> {
    let policy = Policy::parse(POLICY).expect("a policy");
    let of = |sql: &str, rows| plan(&parse(sql).expect("SQL"), &policy.terms, Some(rows)).expect("a plan");
    QUESTIONS.iter().flat_map(|sql| [of(sql, 1), of(sql, 3), of(sql, 4)]).collect()
}

fn check(rows: &[Row], gone: i64) -> Result<(), TestCaseError> {
    let plans = plans();
    let (alone, without): (Vec<Row>, Vec<Row>) = rows.iter().copied().partition(|row| row.0 == gone);
    let (all, fewer, own) = (found(rows, &plans), found(&without, &plans), found(&alone, &plans));
    prop_assert_eq!(&all, &found_in_pieces(rows, &plans, 3), "it does not matter where pieces end");
    for (at, plan) in plans.iter().enumerate() {
        let hiding = plan.hiding.expect("groups that are found");
        prop_assert!(own[at][hiding.units].len() <= hiding.threshold.groups_per_unit as usize);
        for (index, sought) in plan.sought.iter().enumerate() {
            // Two disjoint sets of units give together what they give apart, text by text, and no further text occurs.
            let mut apart = fewer[at][index].clone();
            own[at][index].iter().for_each(|(text, value)| *apart.entry(text.clone()).or_default() += value);
            prop_assert_eq!(&all[at][index], &apart, "{:?}", plan.computation);
            let whole: Vec<i64> = all[at][index].values().copied().collect();
            prop_assert!(sought.extent.holds(&whole), "{whole:?} goes beyond {:?}", sought.extent);
            let moved = own[at][index].values().map(|value| u128::from(value.unsigned_abs()));
            let (l1, l2) = moved.fold((0, 0), |(l1, l2), by| (l1 + by, l2 + by * by));
            prop_assert!(l1 <= u128::from(sought.sensitivity.l1()) && l2 <= sought.sensitivity.l2_squared());
        }
        // A text that only one unit has counts one unit, as the threshold's proof requires.
        prop_assert!(own[at][hiding.units].values().all(|units| *units == 1));
    }
    Ok(())
}

fn cases() -> u32 {
    let usual = ProptestConfig::default().cases;
    if usual == 256 { 60 } else { usual }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_unit_moves_its_own_groups_alone(
        rows in prop::collection::vec(
            (0..5_i64, prop::option::of(0..5_u8), prop::option::of(0..5_u8), prop::option::of(any::<bool>()), prop::option::of(-9..35_i64)),
            0..24,
        ),
        gone in 0..5_i64,
    ) {
        check(&rows, gone)?;
    }
}

/// If all rows of a unit count, the counts are those of its rows. Blanks around a text do not belong to it, and a blank text is null.
#[test]
fn counts_are_those_of_the_rows() {
    let rows: Vec<Row> = [(1, 1), (1, 1), (1, 0), (2, 1), (2, 2), (3, 3)]
        .map(|(who, code)| (who, Some(code), Some(4), Some(true), Some(5)))
        .into();
    let plans = plans();
    let found = found(&rows, &plans[2..3]);
    let counts = &found[0]
        [plans[2].computation.measures.binary_search(&crate::query::computation::Measure::Rows).expect("rows")];
    let text = |text: &str| Some(text.to_owned());
    let expected = BTreeMap::from([(None, 1), (text("a"), 3), (text("b"), 1), (text("ä\u{fffd}"), 1)]);
    assert_eq!(*counts, expected);
}
