//! Known bugs of other systems, each as a question that a server with the bug answers wrongly and ours does not.
//!
//! Names of tests say what went wrong elsewhere. Values are exact, as a test double adds no noise.

use std::sync::Arc;

use serde_json::{Value, json};
use tacit::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use tacit::query::parse::parse;
use tacit::query::plan::{Plan, plan};
use tacit::query::terms::policy::{Policy, Terms};

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, block_on, policy, visits};

const HEADER: &str = "patient_id,region,diagnosis,smoker,age,cost,visited\n";

fn exact(csv: &str) -> Lab {
    Lab::new(&policy(PURE), &format!("{HEADER}{csv}"), Arc::new(NoNoise), "100")
}

fn one(lab: &Lab, sql: &str, name: &str) -> Value {
    block_on(lab.sql(sql, "1")).rows()[0][name].clone()
}

fn terms() -> Terms {
    Policy::parse(&policy(PURE)).expect("a policy").terms
}

fn planned(sql: &str) -> Plan {
    plan(&parse(sql).expect("SQL"), &terms(), None).expect("a plan")
}

/// A library bounded the change of a grouped sum by the cap for one group instead of all groups that a unit is in: it claimed ε 1 and lost
/// 2. Our sensitivity covers what all k rows of a unit can change, in whichever groups they are.
#[test]
fn a_groups_cap_is_not_the_largest_change() {
    let grouped = planned("SELECT diagnosis, SUM(cost) AS s FROM visits GROUP BY diagnosis");
    let whole = planned("SELECT SUM(cost) AS s FROM visits");
    let l1 = |plan: &Plan| plan.sought.iter().map(|one| one.sensitivity.l1()).collect::<Vec<_>>();
    assert_eq!(l1(&grouped), l1(&whole));
    assert_eq!(grouped.sought[0].sensitivity, Sensitivity::of(Aggregation::Count, 4).expect("a bound"));
    assert_eq!(grouped.sought[1].sensitivity.l1(), 4 * 25_000);
}

/// A library assumed "no nulls" after an operation that creates nulls, and answered a count of them exactly and for free.
#[test]
fn a_count_that_looks_known_costs_what_it_costs() {
    let lab = exact("a,north,,true,30,1,2023-01-01\nb,north,flu,,40,2,2023-01-01\n");
    for (sql, value) in [
        ("SELECT COUNT(diagnosis) AS n FROM visits", 1),
        ("SELECT COUNT(*) AS n FROM visits WHERE diagnosis IS NULL", 1),
        ("SELECT COUNT(*) AS n FROM visits WHERE age IS NULL", 0),
        ("SELECT COUNT(*) AS n FROM visits WHERE age > 5 AND age < 2", 0),
        ("SELECT COUNT(*) AS n FROM visits WHERE NOT smoker", 0),
    ] {
        let reply = block_on(lab.sql(sql, "0.5")).json();
        assert_eq!((&reply["rows"][0]["n"], &reply["price"]["epsilon"]), (&json!(value), &json!("0.5")), "{sql}");
        assert!(
            reply["columns"][0]["std_error"]
                .as_str()
                .is_some_and(|error| error.parse::<f64>().is_ok_and(|error| error > 1.0))
        );
    }
}

/// A library filled NaN first and clipped afterwards, so that NaN was kept, or became a bound that depended on the order.
#[test]
fn nan_is_missing_and_is_not_clipped() {
    let nullable = policy(PURE).replace("step = \"0.01\"", "step = \"0.01\"\nnullable = true");
    let dir = tempfile::tempdir().expect("a folder");
    let costs = [Some(f64::NAN), Some(10.0), Some(f64::INFINITY), None];
    let nulls = exact_floats(dir, &nullable, &costs);
    for (sql, value) in [
        ("SELECT COUNT(cost) AS n FROM visits", 2.0),
        ("SELECT COUNT(*) AS n FROM visits WHERE cost IS NULL", 2.0),
        ("SELECT SUM(cost) AS n FROM visits", 510.0),
    ] {
        assert_eq!(one(&nulls, sql, "n").as_f64(), Some(value), "{sql}");
    }
}

/// A lab over a Parquet file whose costs are 64-bit or 32-bit floats.
fn exact_floats(dir: tempfile::TempDir, policy: &str, costs: &[Option<f64>]) -> Lab {
    floats(dir, policy, costs, polars::prelude::DataType::Float64)
}

fn floats(dir: tempfile::TempDir, policy: &str, costs: &[Option<f64>], kind: polars::prelude::DataType) -> Lab {
    use polars::prelude::{Column, DataFrame, DataType, ParquetWriter};
    let count = costs.len();
    let texts = |text: &str| vec![text.to_owned(); count];
    let units: Vec<String> = (0..count).map(|unit| format!("p{unit}")).collect();
    let columns = vec![
        Column::new("patient_id".into(), units),
        Column::new("region".into(), texts("north")),
        Column::new("diagnosis".into(), texts("flu")),
        Column::new("smoker".into(), vec![true; count]),
        Column::new("age".into(), vec![30_i64; count]),
        Column::new("cost".into(), costs.to_vec()).cast(&kind).expect("floats"),
        Column::new("visited".into(), vec![19_500_i32; count]).cast(&DataType::Date).expect("dates"),
    ];
    let mut frame = DataFrame::new(count, columns).expect("columns of one length");
    let file = std::fs::File::create(dir.path().join("visits.parquet")).expect("a file");
    ParquetWriter::new(file).finish(&mut frame).expect("Parquet");
    Lab::over(dir, &policy.replace("visits.csv", "visits.parquet"), Arc::new(NoNoise), "100")
}

/// A library accepted an operation that reads other rows as row-local. Our closed syntax has no such operation: every one that SQL has is
/// refused before a charge.
#[test]
fn an_operation_that_looks_at_other_rows_is_no_condition() {
    let lab = exact("a,north,flu,true,30,1,2023-01-01\n");
    let before = lab.head();
    for condition in [
        "age > (SELECT AVG(age) FROM visits)",
        "age = MAX(age)",
        "age > LAG(age) OVER (ORDER BY visited)",
        "ROW_NUMBER() OVER () < 3",
        "RANK() OVER (ORDER BY cost) = 1",
        "age IN (SELECT age FROM visits)",
        "EXISTS (SELECT 1 FROM visits)",
        "age > ALL (SELECT age FROM visits)",
        "age > ANY (SELECT age FROM visits)",
        "cost > NTILE(4) OVER (ORDER BY cost)",
    ] {
        let reply = block_on(lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE {condition}"), "0.1"));
        assert_eq!(reply.code(), "unsupported-sql", "{condition}");
    }
    assert_eq!(lab.head(), before);
}

/// A library bounded 32-bit floats as if they were 64-bit ones, and the rounding of their sums exceeded its bound. Our values are integers
/// on the declared grid before anything is added: both kinds seal to the same grid and sum exactly, in any order.
#[test]
fn floats_of_32_bits_are_summed_as_exactly_as_of_64() {
    let costs: Vec<Option<f64>> = (0..3_000).map(|at| Some(f64::from(at % 400) + 0.25)).collect();
    let due: f64 = costs.iter().flatten().sum();
    for kind in [polars::prelude::DataType::Float32, polars::prelude::DataType::Float64] {
        let lab = floats(tempfile::tempdir().expect("a folder"), &policy(PURE), &costs, kind);
        assert_eq!(one(&lab, "SELECT SUM(cost) AS s FROM visits", "s").as_f64(), Some(due));
    }
}

/// In a library, a date out of range ended the process. Our reader clamps dates outside the declared range, and continues.
#[test]
fn a_date_beyond_any_calendar_ends_nothing() {
    let lab =
        exact("a,north,flu,true,30,1,9999-12-31\nb,north,flu,true,30,1,0001-01-01\nc,north,flu,true,30,1,2023-01-01\n");
    assert_eq!(one(&lab, "SELECT COUNT(*) AS n FROM visits WHERE visited = '2025-12-31'", "n"), json!(1));
    assert_eq!(one(&lab, "SELECT COUNT(*) AS n FROM visits WHERE visited <= DATE '2020-01-01'", "n"), json!(1));
    for date in ["99999-01-01", "2023-02-30", "0000-00-00", "-1-01-01", "2023-01-01T25:00"] {
        let reply = block_on(lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE visited > '{date}'"), "0.1"));
        assert!(reply.status.is_client_error(), "{date}: {}", reply.json());
    }
}

/// A server let a query redefine a key after bounding, so that groups were no longer those that had been bounded. Our keys come from the
/// policy alone; an alias with a column's name does not replace the column.
#[test]
fn a_key_cannot_be_redefined_after_bounding() {
    let lab = exact("a,north,flu,true,30,1,2023-01-01\n");
    let before = lab.head();
    for sql in [
        "SELECT age AS region, COUNT(*) FROM visits GROUP BY region",
        "SELECT diagnosis AS region, COUNT(*) AS n FROM visits GROUP BY age",
        "WITH visits AS (SELECT 1 AS region) SELECT region, COUNT(*) FROM visits GROUP BY region",
    ] {
        let reply = block_on(lab.sql(sql, "0.1"));
        assert!(reply.status.is_client_error(), "{sql}: {}", reply.json());
    }
    assert_eq!(lab.head(), before);
}

/// A library understated the δ of a threshold if a person is in several groups. We count the groups (`texts`), and where a domain is public
/// there is no threshold: every group of it is in the answer, whether anybody is in it or not, and an unlisted value is in no group.
#[test]
fn no_group_appears_or_vanishes_with_a_person() {
    let sql = "SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY region, diagnosis";
    let labs = [exact(""), exact("a,north,flu,true,30,1,2023-01-01\na,north,plague,true,30,1,2023-01-01\n")];
    let keys = labs.map(|lab| {
        let rows = block_on(lab.sql(sql, "1")).rows();
        rows.iter().map(|row| (row["region"].clone(), row["diagnosis"].clone())).collect::<Vec<_>>()
    });
    assert_eq!(keys[0].len(), 4 * 4);
    assert_eq!(keys[0], keys[1]);
}

/// A library clipped noisy counts at the true size of the table, which reveals the size. We never clip estimates.
#[test]
fn a_count_is_not_clipped_at_the_true_size() {
    let csv = format!("{HEADER}a,north,flu,true,30,1,2023-01-01\n");
    let lab = Lab::new(&policy(GAUSSIAN), &csv, Arc::new(tacit::kernel::vault::noise::OpenDp), "4");
    let values: Vec<i64> = (0..40)
        .map(|age| {
            let sql = format!("SELECT COUNT(*) AS n FROM visits WHERE age > {age} OR age <= {age}");
            let sql = if age % 2 == 0 { sql } else { format!("SELECT COUNT(*) AS n FROM visits WHERE cost > {age}") };
            block_on(lab.sql(&sql, "0.05")).rows()[0]["n"].as_i64().expect("a count")
        })
        .collect();
    assert!(values.iter().any(|value| *value > 1) && values.iter().any(|value| *value < 0), "{values:?}");
}

/// A server counted rows where people were asked for.
#[test]
fn distinct_people_are_not_rows() {
    let lab = exact(
        "a,north,flu,true,30,1,2023-01-01\na,north,flu,true,30,1,2023-01-02\na,north,flu,true,30,1,2023-01-03\nb,north,copd,true,30,1,2023-01-01\n",
    );
    assert_eq!(one(&lab, "SELECT COUNT(DISTINCT patient_id) AS n FROM visits", "n"), json!(2));
    assert_eq!(one(&lab, "SELECT COUNT(*) AS n FROM visits", "n"), json!(4));
    let plan = planned("SELECT diagnosis, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY diagnosis");
    assert_eq!(plan.sought[0].sensitivity.l2_squared(), 4, "one in each of four groups, the missing one included");
}

/// A server computed E[x²] − E[x] and called it a variance; another one left out the correction for a sample.
#[test]
fn a_variance_is_not_made_of_the_wrong_moments() {
    let lab = exact(
        "a,north,flu,true,30,1,2023-01-01\nb,north,flu,true,31,4,2023-01-01\nc,north,flu,true,35,10,2023-01-01\nd,north,,true,40,5,2023-01-01\n",
    );
    let (xs, mean) = ([1.0, 4.0, 10.0, 5.0], 5.0);
    let squares: f64 = xs.iter().map(|x: &f64| (x - mean).powi(2)).sum();
    for (aggregate, expected) in [
        ("VAR_SAMP(cost)", squares / 3.0),
        ("VARIANCE(cost)", squares / 3.0),
        ("VAR_POP(cost)", squares / 4.0),
        ("STDDEV(cost)", (squares / 3.0).sqrt()),
        ("STDDEV_POP(cost)", (squares / 4.0).sqrt()),
        ("VAR_POP(cost) FILTER (WHERE diagnosis = 'flu')", 14.0),
    ] {
        let table = block_on(lab.exact_table(&format!("SELECT {aggregate} AS v FROM visits")));
        let value: f64 = table.rows[0][0].text().expect("an estimate").parse().expect("a number");
        assert!((value - expected).abs() < 1e-9 * expected, "{aggregate}: {value} and not {expected}");
    }
}

/// A library added 64-bit values in 32 bits, and its sums overflowed.
#[test]
fn sums_beyond_32_bits_are_exact() {
    let csv = format!(
        "{HEADER}a,north,flu,true,30,999999999.99,2023-01-01\nb,north,flu,true,30,999999999.99,2023-01-01\nc,north,flu,true,30,0,2023-01-01\n"
    );
    let wide = policy(PURE).replace("max = \"500\"", "max = \"1000000000\"");
    let lab = Lab::new(&wide, &csv, Arc::new(NoNoise), "100");
    assert_eq!(one(&lab, "SELECT SUM(cost) AS s FROM visits", "s").as_f64(), Some(1_999_999_999.98));
}

/// A library clipped a copy of the column and summed the original.
#[test]
fn what_is_summed_is_what_was_clamped() {
    let lab = exact(
        "a,north,flu,true,30,99999,2023-01-01\nb,north,flu,true,30,-99999,2023-01-01\nc,north,flu,true,999,7.5,2023-01-01\n",
    );
    assert_eq!(one(&lab, "SELECT SUM(cost) AS s FROM visits", "s"), json!(507.5));
    assert_eq!(one(&lab, "SELECT SUM(age) AS s FROM visits", "s"), json!(30 + 30 + 110));
    assert_eq!(one(&lab, "SELECT COUNT(*) AS n FROM visits WHERE cost > 500 OR cost < 0 OR age > 110", "n"), json!(0));
}

/// A sum over a unit's rows overflowed before it was divided, so that the mean of values within their bounds lay far outside them. A
/// question whose sums could overflow is refused, whatever the rows are.
#[test]
fn a_mean_of_a_unit_s_rows_does_not_wrap() {
    let many = policy(PURE).replace("max_rows_per_unit = 4", "max_rows_per_unit = 300");
    let lab = Lab::new(&many, &visits(20), Arc::new(NoNoise), "100");
    let ask = |by: &str| {
        let sql = format!(
            "SELECT SUM(m) AS s FROM (SELECT patient_id, AVG(age + {by}) AS m FROM visits GROUP BY patient_id) AS p"
        );
        block_on(lab.sql(&sql, "1")).code()
    };
    assert_eq!((ask("1000").as_str(), ask("40000000000000000").as_str()), ("", "unsupported-sql"));
}

/// Terms whose size doubled with each level of nesting, or each operand, kept a worker or a planner busy for ever.
#[test]
fn nested_terms_cost_what_they_say() {
    let lab = Lab::new(&policy(PURE), &visits(50), Arc::new(NoNoise), "100");
    let operands: Vec<String> = (1..60).map(|operand| operand.to_string()).collect();
    let truths = (0..12).fold("age > 30".to_owned(), |inner, _| format!("({inner}) = TRUE"));
    let cases =
        (0..12).fold("age".to_owned(), |inner, at| format!("CASE WHEN {inner} > {at} THEN 20 + {at} ELSE {at} END"));
    for sql in [
        format!("SELECT SUM(LEAST(age, {})) AS s FROM visits", operands.join(", ")),
        format!("SELECT COUNT(*) AS n FROM visits WHERE {truths}"),
        format!("SELECT SUM({cases}) AS s FROM visits"),
    ] {
        assert_eq!(block_on(lab.sql(&sql, "1")).code(), "", "{sql}");
    }
    for sql in [
        "SELECT SUM(2 + 3) FROM visits",
        "SELECT COUNT(*) FROM visits GROUP BY WIDTH_BUCKET(5, 0, 10, 2)",
        "SELECT MEDIAN(2 + 3) FROM visits",
    ] {
        assert_eq!(block_on(lab.sql(sql, "1")).code(), "unsupported-sql", "{sql}");
    }
    let wide = "SELECT COUNT(*) FROM visits WHERE CASE WHEN age > 0 THEN 9223372036854775807 ELSE -9223372036854775807 END < 1e30";
    assert_eq!(block_on(lab.sql(wide, "1")).code(), "unsupported-sql");
}

/// A vector that nobody can change had a sensitivity of 0, for which a planner looked for a noise law for ever.
#[test]
fn what_nobody_can_change_has_noise() {
    let of_none = "SELECT flag, COUNT(DISTINCT patient_id) AS n FROM (SELECT patient_id, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY visited) <= 9 AS flag FROM visits) AS v WHERE NOT flag GROUP BY flag";
    for budget in [GAUSSIAN, PURE] {
        let lab = Lab::new(&policy(budget), &visits(50), Arc::new(NoNoise), "4");
        for sql in [
            "SELECT SUM(0 * age) AS s FROM visits",
            "SELECT AVG(0 * age) AS s FROM visits",
            "SELECT VAR_SAMP(0 * age) AS s, CORR(0 * age, cost) AS c FROM visits",
            "SELECT MEDIAN(0 * age) AS s FROM visits",
            "SELECT AVG(n) AS s FROM (SELECT patient_id, SUM(0 * age) AS n FROM visits GROUP BY patient_id) AS p",
            "SELECT age, SUM(COUNT(*)) OVER (ORDER BY age) AS s FROM visits WHERE age < 0 GROUP BY age",
            "SELECT region, COUNT(DISTINCT patient_id) AS n FROM visits WHERE region <> region GROUP BY region",
            of_none,
        ] {
            let reply = block_on(lab.sql(sql, "0.2"));
            assert_eq!(reply.code(), "", "{sql}: {}", reply.json());
        }
    }
    for statistic in [Aggregation::Sum { radius: 0 }, Aggregation::DistinctUnits { cells_reachable: 0 }] {
        let bounds = Sensitivity::of(statistic, 4).expect("bounds");
        assert_eq!((bounds.l1(), bounds.l2_squared()), (1, 1), "{statistic:?}");
    }
}
