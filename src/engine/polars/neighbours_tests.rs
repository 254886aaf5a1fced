//! Property tests of what sensitivities and extents rest on, over random tables: removing one unit moves no exact vector further than
//! declared, and no vector exceeds what a table with so many rows can reach.

use std::path::Path;

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, ParquetWriter};
use proptest::prelude::*;

use super::table::Loaded;
use crate::engine::PolarsEngine;
use crate::engine::port::{Engine, Host};
use crate::engine::seal::seal_with_key;
use crate::engine::seal::source::SourceSpec;
use crate::kernel::vault::private::Private;
use crate::query::computation::Measure;
use crate::query::parse::parse;
use crate::query::plan::{Plan, plan};
use crate::query::terms::policy::Policy;

const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.parquet"
privacy_unit = "who"
max_rows_per_unit = 3
max_rows = 1_000_000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "fixed"
type = "category"
values = ["a", "b"]
per_unit = true
nullable = true
[[column]]
name = "free"
type = "category"
values = ["u", "v", "w"]
nullable = true
[[column]]
name = "flag"
type = "boolean"
nullable = true
[[column]]
name = "whole"
type = "integer"
min = "-1000"
max = "3000"
nullable = true
[[column]]
name = "real"
type = "decimal"
min = "-1.5"
max = "10"
step = "0.5"
nullable = true
[[column]]
name = "day"
type = "date"
min = 2020-01-01
max = 2020-12-31
nullable = true
[[join]]
name = "u"
source = "u.parquet"
[[join.column]]
name = "weight"
type = "integer"
min = "-20"
max = "50"
nullable = true
[[join.column]]
name = "height"
type = "integer"
min = "1000"
max = "1025"
"#;

const AGGREGATES: &str = "COUNT(*) AS n, COUNT(whole) AS nw, COUNT(real) AS nr, COUNT(DISTINCT who) AS d, \
                          SUM(whole) AS sw, SUM(real) AS sr, AVG(whole) AS aw, AVG(real) AS ar";
/// Further aggregates, in plans of their own: filters, expressions, squares and products.
const MORE: &str = "COUNT(*) FILTER (WHERE whole > real * 2) AS n, COUNT(DISTINCT who) FILTER (WHERE flag) AS d, \
                    SUM(ABS(whole - 1000) / 4.0) AS s, AVG(CASE WHEN free = 'u' THEN real ELSE -2 END) AS a, \
                    VAR_SAMP(real) FILTER (WHERE whole IS NOT NULL) AS v, CORR(whole, real) AS c, \
                    MEDIAN(real) AS md, PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY whole + 1) AS p9, \
                    SUM(CASE WHEN flag THEN 1 ELSE -900 END) AS k, SUM(LEAST(whole, real, 7) * COALESCE(real, 3.5)) AS l, \
                    SUM(GREATEST(ROUND(real), whole) + EXTRACT(MONTH FROM day) - (DATE '2020-06-01' - day)) AS g";
const SHAPES: [(&str, &str); 12] = [
    ("", ""),
    ("", "free"),
    ("", "fixed"),
    ("WHERE whole > 0 OR real IS NULL", "free, flag"),
    ("WHERE NOT (free = 'u') AND flag", "fixed, free"),
    ("WHERE real BETWEEN 0.25 AND 1e3 AND free IN ('u', 'w')", "flag"),
    ("WHERE whole <> 7 AND NOT (flag IS NULL)", "fixed, flag, free"),
    ("WHERE whole / 7 <> 3", "WIDTH_BUCKET(whole, 0, 1000, 5), DATE_TRUNC('quarter', day)"),
    (
        "WHERE day >= DATE '2020-03-01'",
        "DATE_TRUNC('month', day), CASE WHEN real > 2 THEN 'high' WHEN flag THEN 'flag' END",
    ),
    ("WHERE ABS(real) < 3 OR whole * real > 50", "EXTRACT(dow FROM day), (whole > 100)"),
    ("WHERE GREATEST(whole, real) > 2", "(fixed = 'a'), EXTRACT(year FROM day)"),
    ("WHERE whole BETWEEN 5 AND 9", "whole"),
];

/// One row: unit, fixed, free, flag, whole, real, day.
pub(super) type Row = (i64, Option<u8>, Option<u8>, Option<bool>, Option<i64>, Option<f64>, Option<i32>);

pub(super) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let whole = prop_oneof![4 => -1200..3300_i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => Just(7)];
    let real = prop_oneof![
        6 => -3.0..12.0_f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY),
        1 => Just(-0.0), 1 => Just(f64::MIN_POSITIVE / 8.0), 1 => Just(f64::MAX)
    ];
    let row = (
        0..5_i64,
        prop::option::of(0..3_u8),
        prop::option::of(0..4_u8),
        prop::option::of(any::<bool>()),
        prop::option::of(whole),
        prop::option::of(real),
        prop::option::of(18_200..18_700_i32),
    );
    prop::collection::vec(row, 0..24)
}

fn write(path: &Path, rows: &[Row]) {
    let label = |letters: &'static [&'static str], code: Option<u8>| code.map(|code| letters[usize::from(code)]);
    let days = Column::new("day".into(), rows.iter().map(|row| row.6).collect::<Vec<_>>());
    let columns = vec![
        Column::new("who".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
        Column::new("fixed".into(), rows.iter().map(|row| label(&["a", "b", "unlisted"], row.1)).collect::<Vec<_>>()),
        Column::new("free".into(), rows.iter().map(|row| label(&["u", "v", "w", "x"], row.2)).collect::<Vec<_>>()),
        Column::new("flag".into(), rows.iter().map(|row| row.3).collect::<Vec<_>>()),
        Column::new("whole".into(), rows.iter().map(|row| row.4).collect::<Vec<_>>()),
        Column::new("real".into(), rows.iter().map(|row| row.5).collect::<Vec<_>>()).into_column(),
        days.cast(&DataType::Date).expect("days"),
    ];
    let mut frame = DataFrame::new(rows.len(), columns).expect("columns of one length");
    ParquetWriter::new(std::fs::File::create(path).expect("a file")).finish(&mut frame).expect("Parquet");
}

/// A table with one row per unit, made from the unit's own rows; some units have no row, and some have two.
fn write_units(path: &Path, rows: &[Row]) {
    let own = rows.iter().enumerate().filter(|(at, row)| {
        let is_first = !rows[..*at].iter().any(|before| before.0 == row.0);
        (is_first || row.3 == Some(true)) && row.1.is_some()
    });
    let own: Vec<&Row> = own.map(|(_, row)| row).collect();
    let columns = vec![
        Column::new("who".into(), own.iter().map(|row| row.0).collect::<Vec<_>>()),
        Column::new("weight".into(), own.iter().map(|row| row.4.map(|whole| whole % 60)).collect::<Vec<_>>()),
        Column::new("height".into(), own.iter().map(|row| 1_000 + row.0 * 5).collect::<Vec<_>>()),
    ];
    let mut frame = DataFrame::new(own.len(), columns).expect("columns of one length");
    ParquetWriter::new(std::fs::File::create(path).expect("a file")).finish(&mut frame).expect("Parquet");
}

/// The exact vectors of every plan over the sealed rows.
fn vectors(rows: &[Row], plans: &[Plan]) -> Vec<Vec<Vec<i64>>> {
    let (_dir, engine, edition) = loaded(rows, |_| {});
    let evaluate = |plan: &Plan| engine.evaluate(&edition, &plan.computation).expect("a total computation");
    plans.iter().map(|plan| evaluate(plan).open_in_test().vectors).collect()
}

/// An engine over a sealed table of these rows, which `change` has changed, with the table's edition.
pub(super) fn loaded(rows: &[Row], change: impl FnOnce(&mut Loaded)) -> (tempfile::TempDir, PolarsEngine, String) {
    let dir = tempfile::tempdir().expect("a folder");
    write(&dir.path().join("t.parquet"), rows);
    let mut policy = Policy::parse(POLICY).expect("a policy");
    policy.source = SourceSpec::file(&dir.path().join("t.parquet"));
    write_units(&dir.path().join("u.parquet"), rows);
    policy.joined = vec![SourceSpec::file(&dir.path().join("u.parquet"))];
    let (manifest, _) = seal_with_key(&policy, dir.path(), &[7; 32], &|_| {}).expect("a sealed table");
    let mut engine = PolarsEngine::new();
    engine.load(dir.path(), &manifest).expect("a loaded table");
    change(engine.tables.get_mut(&manifest.edition).expect("the table"));
    (dir, engine, manifest.edition)
}

const CAPACITY: &str = "max_rows = 1_000_000";

/// The policy with another declared capacity.
fn holding(rows: usize) -> String {
    assert!(POLICY.contains(CAPACITY));
    POLICY.replace(CAPACITY, &format!("max_rows = {rows}"))
}

/// The policy with the Gaussian accountant, for measurements that exist only with its noise.
fn gaussian(rows: usize) -> Policy {
    let cap = "accountant = \"pure\"\ncap = { epsilon = \"1\" }";
    assert!(POLICY.contains(cap));
    Policy::parse(&holding(rows).replace(cap, "cap = { epsilon = \"1\", delta = \"1e-6\" }")).expect("a policy")
}

/// The plans over a table with at most this many rows.
pub(super) fn plans(rows: usize) -> Vec<Plan> {
    let capacity = rows;
    let policy = Policy::parse(&holding(capacity)).expect("a policy");
    let mut plans = Vec::new();
    for (condition, keys) in SHAPES {
        let group = if keys.is_empty() { String::new() } else { format!("GROUP BY {keys}") };
        for aggregates in [AGGREGATES, MORE] {
            let sql = format!("SELECT {aggregates} FROM t {condition} {group}");
            let query = parse(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            for rows in 1..=3 {
                let plan = plan(&query, &policy.terms, Some(rows)).unwrap_or_else(|error| panic!("{sql}: {error}"));
                plans.push(plan);
            }
        }
    }
    for groups in ["ROLLUP (free, flag)", "CUBE (fixed, free)", "GROUPING SETS ((fixed), (free, flag), ())"] {
        let sql = format!(
            "SELECT COUNT(*) AS n, SUM(whole) AS s, AVG(real) AS a, COUNT(DISTINCT who) AS d FROM t GROUP BY {groups}"
        );
        let query = parse(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        plans.push(plan(&query, &policy.terms, None).unwrap_or_else(|error| panic!("{sql}: {error}")));
    }
    for join in ["JOIN u USING (who)", "LEFT JOIN u USING (who)"] {
        for table in [
            format!("t {join}"),
            format!(
                "(SELECT who, weight, height, SUM(GREATEST(whole, height)) AS whole, BOOL_OR(flag) AS flag FROM t {join} GROUP BY who, weight, height) AS p"
            ),
        ] {
            let sql = format!(
                "SELECT weight > 7 AS heavy, COUNT(*) AS n, SUM(weight * 2) AS s, AVG(whole) AS a, COUNT(DISTINCT who) AS d, \
                 SUM(GREATEST(height, whole)) AS g, AVG(LEAST(height, weight, whole)) AS l, COUNT(height) AS h FROM {table} \
                 WHERE flag OR weight < 40 GROUP BY weight > 7"
            );
            let query = parse(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            for rows in 1..=3 {
                plans.push(plan(&query, &policy.terms, Some(rows)).unwrap_or_else(|error| panic!("{sql}: {error}")));
            }
        }
    }
    for (keys, running) in [
        ("EXTRACT(month FROM day)", "SUM(COUNT(*)) OVER (ORDER BY EXTRACT(month FROM day)) AS r, COUNT(*) AS n"),
        ("free, whole", "SUM(COUNT(real) FILTER (WHERE flag)) OVER (PARTITION BY free ORDER BY whole) AS r"),
    ] {
        let sql = format!("SELECT {running} FROM t WHERE whole BETWEEN 3 AND 40 GROUP BY {keys}");
        let query = parse(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let gaussian = gaussian(capacity);
        for rows in 1..=3 {
            plans.push(plan(&query, &gaussian.terms, Some(rows)).unwrap_or_else(|error| panic!("{sql}: {error}")));
        }
    }
    for inner in ["", "WHERE whole > real OR flag"] {
        for (condition, keys) in
            [("", ""), ("WHERE n > 1", "fixed"), ("WHERE total < 5000 AND last - first > 10", "any_u, n")]
        {
            let group = if keys.is_empty() { String::new() } else { format!("GROUP BY {keys}") };
            let sql = format!(
                "SELECT COUNT(*) AS c, SUM(total) AS s, AVG(m) AS a, VAR_SAMP(n) AS v, SUM(last - first) AS d, COUNT(DISTINCT who) AS w, \
                 SUM(top) FILTER (WHERE any_u) AS t FROM (SELECT who, fixed, COUNT(*) AS n, SUM(whole * 2) AS total, \
                 AVG(real) AS m, MIN(day) AS first, MAX(day) AS last, BOOL_OR(free = 'u') AS any_u, \
                 (ARRAY_AGG(whole ORDER BY day DESC))[1] AS top FROM t {inner} GROUP BY who, fixed) AS u {condition} {group}"
            );
            let query = parse(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            for rows in 1..=3 {
                plans.push(plan(&query, &policy.terms, Some(rows)).unwrap_or_else(|error| panic!("{sql}: {error}")));
            }
        }
    }
    plans
}

/// Number of rows that are kept by sealing: at most three per unit.
fn kept(rows: &[Row]) -> usize {
    (0..5).map(|who| rows.iter().filter(|row| row.0 == who).count().min(3)).sum()
}

fn check(rows: &[Row], gone: i64) -> Result<(), TestCaseError> {
    // As many rows as there are, or as many as one unit may have.
    let plans = plans(kept(rows).max(3));
    let (alone, without): (Vec<Row>, Vec<Row>) = rows.iter().copied().partition(|row| row.0 == gone);
    let (all, fewer, own) = (vectors(rows, &plans), vectors(&without, &plans), vectors(&alone, &plans));
    for (plan, (one, (other, own))) in plans.iter().zip(all.iter().zip(fewer.iter().zip(&own))) {
        for (index, (a, b)) in one.iter().zip(other).enumerate() {
            let sought = &plan.sought[index];
            prop_assert!(sought.extent.holds(a), "{a:?} goes beyond {:?} of {:?}", sought.extent, plan.computation);
            // Evaluation is unit-local: two disjoint sets of units give together what they give apart.
            let apart: Vec<i64> = b.iter().zip(&own[index]).map(|(b, own)| b + own).collect();
            prop_assert_eq!(a, &apart, "{:?} of {:?}", plan.computation.measures[index], plan.computation);
            prop_assert_eq!(a.len() as u64, sought.cells);
            let moved = a.iter().zip(b).map(|(a, b)| u128::from(a.abs_diff(*b)));
            let (l1, l2) = moved.fold((0, 0), |(l1, l2), by| (l1 + by, l2 + by * by));
            let measure = &plan.computation.measures[index];
            prop_assert!(
                l1 <= u128::from(sought.sensitivity.l1()),
                "{measure:?} moved {l1} in l1: {:?}",
                plan.computation
            );
            prop_assert!(l2 <= sought.sensitivity.l2_squared(), "{measure:?} moved {l2} in l2 squared");
        }
    }
    Ok(())
}

/// Number of random tables; each is evaluated by every plan. `PROPTEST_CASES` overrides it.
fn cases() -> u32 {
    const CASES: u32 = 40;
    let usual = ProptestConfig::default().cases;
    if usual == 256 { CASES } else { usual }
}

#[test]
fn the_plans_are_many() {
    // With 120 tables, 100,000 pairs of exact vectors are compared.
    let vectors: usize = plans(9).iter().map(|plan| plan.computation.measures.len()).sum();
    assert!(120 * vectors >= 100_000, "{vectors} vectors a table");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn removing_a_unit_moves_no_vector_further_than_declared(rows in rows(), gone in 0..5_i64) {
        check(&rows, gone)?;
    }
}

/// Workers evaluate ranges of blocks, whose vectors the server adds up.
#[test]
fn vectors_of_parts_add_up_to_those_of_the_table() {
    let rows: Vec<Row> = (0..40_i64)
        .map(|at| {
            let (fixed, free) = ((at % 15 / 5) as u8, (at % 7 % 3) as u8);
            (
                at % 15,
                (fixed < 2).then_some(fixed),
                Some(free),
                Some(at % 3 == 0),
                Some(at * 31 % 900),
                Some(4.5),
                Some(18_300),
            )
        })
        .collect();
    let (dir, engine, edition) = loaded(&rows, |table| table.cut(4).expect("a sealed table"));
    let table = &engine.tables[&edition];
    let blocks = table.blocks();
    assert!(blocks > 5, "{blocks} blocks");
    for plan in plans(40) {
        let exact = |blocks| Private::new(table.exact(&plan.computation, blocks).expect("a total computation"));
        let parts = [0..1, 1..4, 4..4, 4..blocks].map(exact).into_iter();
        let sum = parts.reduce(|sum, part| sum.joined(part, |_| false).expect("equal shapes")).expect("parts");
        let whole = exact(0..blocks).open_in_test().vectors;
        assert!(plan.computation.filter.is_some() || whole.iter().flatten().any(|cell| *cell != 0));
        assert_eq!(sum.open_in_test().vectors, whole, "{:?}", plan.computation);
    }
    assert!(table.exact(&plans(40)[0].computation, 0..blocks + 1).is_err(), "there are no such blocks");
    drop(dir);
}

/// A block of many windows gives what as many small blocks give.
#[test]
fn it_does_not_matter_where_blocks_are_cut() {
    let rows: Vec<Row> = (0..17_500_i64)
        .map(|at| {
            let fixed = (at / 3 % 3 < 2).then_some((at / 3 % 3) as u8);
            let (free, flag) = ((at * at % 7 % 4) as u8, (at % 5 > 0).then_some(at % 3 == 0));
            let (whole, real) =
                ((at % 11 > 0).then_some(at * 31 % 3_900 - 900), (at % 13 > 0).then_some((at % 25) as f64 / 2.0 - 1.5));
            (at / 3, fixed, Some(free), flag, whole, real, (at % 17 > 0).then_some(18_262 + (at * 7 % 366) as i32))
        })
        .collect();
    let (dir, mut engine, edition) = loaded(&rows, |_| {});
    let plans = plans(rows.len());
    let evaluate = |engine: &PolarsEngine| -> Vec<_> {
        let one = |plan: &Plan| engine.evaluate(&edition, &plan.computation).expect("a total computation");
        plans.iter().map(|plan| one(plan).open_in_test().vectors).collect()
    };
    assert_eq!(engine.tables[&edition].blocks(), 1);
    let whole = evaluate(&engine);
    engine.tables.get_mut(&edition).expect("the table").cut(1_000).expect("a sealed table");
    assert!(engine.tables[&edition].blocks() > 15);
    for (plan, (whole, parts)) in plans.iter().zip(whole.iter().zip(evaluate(&engine))) {
        assert_eq!(*whole, parts, "{:?}", plan.computation);
    }
    drop(dir);
}

#[test]
fn a_unit_with_a_thousand_rows_moves_no_more_than_one_with_few() {
    let many = (0..1000_i64).map(|at| {
        (
            1,
            Some((at % 2) as u8),
            Some((at % 4) as u8),
            Some(at % 3 == 0),
            Some(i64::MAX - at),
            Some(f64::INFINITY),
            Some(18_300),
        )
    });
    let rows: Vec<Row> = many.chain([(2, None, Some(1), None, Some(i64::MIN), Some(f64::NAN), None)]).collect();
    check(&rows, 1).expect("within the declared sensitivity");
    check(&rows, 2).expect("within the declared sensitivity");
}

/// The declared sensitivities are reached, so smaller ones would be wrong.
#[test]
fn the_declared_sensitivities_are_reached() {
    let rows: Vec<Row> =
        (0..3).map(|at| (1, Some(0), Some(at), Some(true), Some(i64::MAX), Some(f64::INFINITY), None)).collect();
    let plans = plans(9);
    let reached = |plan: &Plan, index: usize| {
        let vector = &vectors(&rows, std::slice::from_ref(plan))[0][index];
        vector.iter().map(|cell| u128::from(cell.unsigned_abs())).sum::<u128>()
    };
    // The last of the first three plans has no condition, no key and three rows per unit.
    for (index, sought) in plans[2].sought.iter().enumerate() {
        assert_eq!(
            reached(&plans[2], index),
            u128::from(sought.sensitivity.l1()),
            "{:?}",
            plans[2].computation.measures[index]
        );
    }
    let by_free = &plans[8];
    let units = by_free.computation.measures.len() - 1;
    assert_eq!(reached(by_free, units), 3);
    assert_eq!(by_free.sought[units].sensitivity.l2_squared(), 3);
}

/// The extents are reached by rows at one end of their range, and those for one row less do not hold.
#[test]
fn the_declared_extents_are_reached() {
    let row = |who| (who, Some(0), Some(0), Some(true), Some(i64::MAX), Some(f64::INFINITY), None);
    let rows: Vec<Row> = [1, 1, 1, 2].map(row).into();
    let (all, fewer) = (plans(4), plans(3));
    // The last of the first three plans has no condition, no key and three rows per unit.
    let vectors = vectors(&rows, std::slice::from_ref(&all[2])).swap_remove(0);
    for (index, vector) in vectors.iter().enumerate() {
        let measure = &all[2].computation.measures[index];
        assert!(all[2].sought[index].extent.holds(vector), "{measure:?}");
        let is_units = matches!(measure, Measure::Units | Measure::UnitsWhere { .. });
        assert_eq!(fewer[2].sought[index].extent.holds(vector), is_units, "{measure:?}");
    }
}

/// Running sums tolerate a unit whose rows all fall into the first group.
#[test]
fn the_declared_sensitivity_of_running_sums_is_reached() {
    let first_of_january = 18_262;
    let rows: Vec<Row> =
        (0..3).map(|_| (1, Some(0), Some(0), Some(true), Some(3), Some(1.0), Some(first_of_january))).collect();
    let sql = "SELECT EXTRACT(month FROM day) AS m, SUM(COUNT(*)) OVER (ORDER BY EXTRACT(month FROM day)) AS r \
               FROM t GROUP BY EXTRACT(month FROM day)";
    for count in 1..=3 {
        let plan = plan(&parse(sql).expect("SQL"), &gaussian(9).terms, Some(count)).expect("a plan");
        let vector = &vectors(&rows, std::slice::from_ref(&plan))[0][0];
        let moved = vector.iter().map(|value| u128::from(value.unsigned_abs()));
        let (l1, l2) = moved.fold((0, 0), |(l1, l2), by| (l1 + by, l2 + by * by));
        let sensitivity = plan.sought[0].sensitivity;
        assert_eq!((l1, l2), (u128::from(sensitivity.l1()), sensitivity.l2_squared()));
    }
}

/// A unit without a row in a left-joined table: plan and engine derive the same bounds and centres.
#[test]
fn what_a_left_join_leaves_missing_moves_no_further() {
    let rows: Vec<Row> = (0..3).map(|_| (1, None, None, Some(true), Some(-1_000), None, None)).collect();
    check(&rows, 1).expect("within the declared sensitivity");
}
