//! What is computed after the noise: its values, its intervals, what is hidden, and that canonical SQL reads back.

use std::sync::Arc;

use serde_json::Value;
use tacit::query::computation::Measure;
use tacit::query::error::Code;
use tacit::query::parse::parse;
use tacit::query::plan::{Plan, plan};
use tacit::query::{canonical, error::QueryError};

use crate::support::{GAUSSIAN, Lab, NoNoise, block_on, policy, visits};

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn planned(lab: &Lab, sql: &str) -> Result<Plan, QueryError> {
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    plan(&parse(sql)?, terms, None)
}

/// Questions of every form; PostgreSQL compares the values of most of them, in `same-as-postgresql.sql`.
const FORMS: &[&str] = &[
    "SELECT region, CASE WHEN COUNT(*) > 75 THEN 'many' ELSE 'few' END AS size FROM visits GROUP BY region",
    "SELECT region, CASE WHEN COUNT(*) > 75 THEN AVG(cost) END AS m FROM visits GROUP BY region",
    "SELECT CASE WHEN GROUPING(region) = 1 THEN 'all' ELSE region END AS r, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region)",
    "SELECT region, COALESCE(region, 'none') AS r, COALESCE(AVG(cost), 0) AS m FROM visits GROUP BY region",
    "SELECT region, COUNT(*) > 70 AND region <> 'north' AS x FROM visits GROUP BY region",
    "SELECT diagnosis, diagnosis IS NULL AS none, COUNT(*) FROM visits GROUP BY diagnosis",
    "SELECT age, age + 1 AS next, age / 10 AS decade, COUNT(*) / (age + 1) AS x FROM visits GROUP BY age HAVING age BETWEEN 20 AND 30",
    "SELECT DATE_TRUNC('year', visited) AS y, COUNT(*) AS n FROM visits GROUP BY 1 HAVING DATE_TRUNC('year', visited) >= DATE '2023-01-01'",
    "SELECT 'all' AS a, NULL AS b, DATE '2024-01-01' AS c, 2 AS d, 2.5 AS e, TRUE AS f, COUNT(*) AS n FROM visits",
    "SELECT COUNT(*) AS n FROM visits GROUP BY region ORDER BY region DESC NULLS LAST, AVG(cost) LIMIT 2 OFFSET 1",
    "SELECT FLOOR(AVG(cost)) AS f, CEILING(AVG(cost)) AS c, TRUNC(AVG(cost), 1) AS t, LOG(2, COUNT(*)) AS l, AVG(cost) ^ 2 AS p FROM visits",
    "SELECT GREATEST(COUNT(*), 5), LEAST(AVG(cost), SUM(cost)) FROM visits",
    "SELECT COUNT(*) % 7 AS m, SIGN(COUNT(*)) AS s, EXP(LN(AVG(cost))) AS g, CAST(AVG(cost) AS INT) AS i, AVG(cost)::float AS j FROM visits",
    "SELECT region, 100.0 * COUNT(*) / SUM(COUNT(*)) OVER () AS share, SUM(COUNT(*)) OVER (PARTITION BY region) AS own FROM visits GROUP BY region",
    "SELECT region, COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY region) AS d, LEAD(COUNT(*), 2, 0) OVER (ORDER BY region DESC) AS e FROM visits GROUP BY region",
    "SELECT region, RANK() OVER (ORDER BY COUNT(*) DESC) AS r, ROW_NUMBER() OVER (ORDER BY AVG(cost) NULLS FIRST, region) AS n, COUNT(*) OVER () AS k FROM visits GROUP BY region ORDER BY r",
    "SELECT age, AVG(COUNT(*)) OVER (ORDER BY age ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS m FROM visits GROUP BY age",
    "SELECT age, FIRST_VALUE(MEDIAN(cost)) OVER (ORDER BY age) AS f, NTH_VALUE(COUNT(*), 3) OVER (ORDER BY age) AS n FROM visits GROUP BY age",
    "SELECT age, SUM(COUNT(*)) OVER (ORDER BY age) / COUNT(*) AS share FROM visits GROUP BY age",
    "SELECT region, SUM(AVG(cost)) OVER (ORDER BY region) AS so_far, MIN(AVG(cost)) OVER () AS least FROM visits GROUP BY region",
    "SELECT diagnosis, SUM(COUNT(*)) OVER (ORDER BY diagnosis) AS so_far FROM visits GROUP BY diagnosis",
    "SELECT region, age, SUM(COUNT(*)) OVER (ORDER BY age) AS so_far FROM visits GROUP BY region, age",
    "SELECT region, COUNT(*) * 100.0 / (SELECT COUNT(*) FROM visits) AS share FROM visits GROUP BY region HAVING COUNT(*) > 3",
    "SELECT region, SUM(cost) / (SELECT SUM(cost) FROM visits WHERE age > 30) AS share FROM visits WHERE age > 30 GROUP BY region",
    "SELECT age, KAPLAN_MEIER(COUNT(*) FILTER (WHERE smoker), COUNT(*)) OVER (ORDER BY age) AS s FROM visits GROUP BY age",
    "SELECT region, age, CUMULATIVE_INCIDENCE(COUNT(*) FILTER (WHERE smoker), COUNT(*)) OVER (PARTITION BY region ORDER BY age) AS s FROM visits GROUP BY region, age",
    "SELECT region, KAPLAN_MEIER(age, smoker, 10) AS s FROM visits GROUP BY region",
    "SELECT KAPLAN_MEIER(age, diagnosis = 'flu'), CUMULATIVE_INCIDENCE(age, smoker) AS i FROM visits",
    "SELECT region, NULL AS x, region <> 'north' AS y FROM visits GROUP BY region HAVING region <> 'south' ORDER BY region",
    "SELECT age, FLOOR(age / 3.0) AS f, COUNT(*) / CEIL(age / 7.5 + 1) AS g FROM visits GROUP BY age",
    "(SELECT region, COUNT(*) AS n FROM visits GROUP BY region) ORDER BY n FETCH FIRST ROW ONLY -- the least\n;",
];

#[test]
fn every_form_is_answered_and_reads_back() {
    let lab = Lab::exact();
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    for sql in FORMS {
        let first = planned(&lab, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let text = canonical::sql(&first, terms);
        let second = planned(&lab, &text).unwrap_or_else(|error| panic!("{sql}\n{text}: {error:?}"));
        assert_eq!(first.computation, second.computation, "{sql}\n{text}");
        assert_eq!(first.layout, second.layout, "{sql}\n{text}");
        let bytes = borsh::to_vec(&first.layout).expect("plain data");
        assert_eq!(borsh::from_slice::<tacit::query::answer::Layout>(&bytes).expect("a layout"), first.layout, "{sql}");
        let rows = block_on(lab.sql(sql, "0.5")).rows();
        assert!(!rows.is_empty(), "{sql}");
    }
    lab.verified();
}

/// Windows, totals and CASE measure nothing that their aggregates do not.
#[test]
fn nothing_more_is_measured() {
    let lab = Lab::gaussian();
    let measured = |sql: &str| planned(&lab, sql).expect("a plan").computation.measures;
    let of = |output: &str| measured(&format!("SELECT region, {output} AS x FROM visits GROUP BY region"));
    for output in [
        "COUNT(*) * 1.0 / SUM(COUNT(*)) OVER ()",
        "COUNT(*) * 1.0 / (SELECT COUNT(*) FROM visits)",
        "RANK() OVER (ORDER BY COUNT(*))",
        "CASE WHEN COUNT(*) > 3 THEN COUNT(*) ELSE 0 END",
        "COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY region)",
    ] {
        assert_eq!(of(output), [Measure::Rows], "{output}");
    }
    assert_eq!(measured("SELECT COUNT(*) FROM visits GROUP BY region ORDER BY region"), [Measure::Rows]);
}

#[test]
fn rows_are_sorted_by_what_is_not_selected_and_passed_over() {
    let lab = Lab::exact();
    let rows = |sql: &str| block_on(lab.sql(sql, "1")).rows();
    let all = rows("SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region");
    let names: Vec<&str> = all.iter().map(|row| row["region"].as_str().expect("a region")).collect();
    assert_eq!(names, ["east", "north", "south", "west"]);
    let some = rows("SELECT COUNT(*) AS n FROM visits GROUP BY region ORDER BY region DESC LIMIT 2 OFFSET 1");
    assert_eq!(some.len(), 2);
    assert_eq!(some[0].as_object().expect("a row").len(), 3, "{}", some[0]);
    assert_eq!([&some[0]["n"], &some[1]["n"]], [&all[2]["n"], &all[1]["n"]]);
    assert_eq!(rows("SELECT region, COUNT(*) AS n FROM visits GROUP BY region OFFSET 9").len(), 0);
    let by_mean = rows("SELECT region FROM visits GROUP BY region ORDER BY AVG(cost) DESC, region");
    assert_eq!(by_mean.len(), 4);
}

/// Ends follow their functions, and what has no end or no interval has none.
#[test]
fn intervals_follow() {
    // Without noise, so that no end lies so near to a step of FLOOR that its digits do not tell on which side.
    let lab = Lab::new(&policy(GAUSSIAN), &visits(200), Arc::new(NoNoise), "4");
    let sql = "SELECT region, COUNT(*) + 0 AS n, FLOOR(COUNT(*) / 10) AS f, LN(COUNT(*)) AS l, GREATEST(COUNT(*), 90) AS g, \
               POWER(COUNT(*), 2) AS p, COUNT(*) % 1000 AS m, CASE WHEN COUNT(*) > 0 THEN COUNT(*) + 0 END AS c, \
               RANK() OVER (ORDER BY COUNT(*)) AS r, SUM(COUNT(*)) OVER () AS t, \
               COUNT(*) - LAG(COUNT(*)) OVER (ORDER BY region) AS d FROM visits GROUP BY region ORDER BY region";
    let rows = block_on(lab.sql(sql, "2")).rows();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let (low, high) = (number(row, "n_low"), number(row, "n_high"));
        let near = |name: &str, expected: f64| {
            let found = number(row, name);
            assert!((found - expected).abs() <= 0.02 * expected.abs().max(1.0), "{name}: {found} {expected} in {row}");
        };
        near("f_low", (low / 10.0).floor());
        near("f_high", (high / 10.0).floor());
        near("l_low", low.ln());
        near("l_high", high.ln());
        near("g_low", low.max(90.0));
        near("g_high", high.max(90.0));
        near("p_low", low * low);
        near("p_high", high * high);
        near("m_low", low);
        near("c_high", high);
        near("t_std_error", 2.0 * number(row, "n_std_error"));
        assert!(row["r_low"].is_null() && row["r_high"].is_null() && row["r_std_error"].is_null(), "{row}");
    }
    assert_eq!(rows[0]["d_null"], "no-value");
    let ratio = number(&rows[1], "d_std_error") / number(&rows[1], "n_std_error");
    assert!((ratio - 2_f64.sqrt()).abs() < 0.02, "{ratio}");
}

/// Totals include small groups; what is read of a small group alone is hidden, and so is what a CASE says of it.
#[test]
fn small_groups_stay_hidden() {
    let text = policy(GAUSSIAN).replace("max_rows = 1_000_000", "max_rows = 1_000_000\nmin_cell = 100");
    let lab = Lab::new(&text, &visits(200), Arc::new(NoNoise), "4");
    let sql = "SELECT smoker, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS t, LAG(COUNT(*)) OVER (ORDER BY smoker) AS before, \
               CASE WHEN COUNT(*) > 5 THEN 'large' ELSE 'small' END AS size, COALESCE(COUNT(*), 0) AS c, \
               RANK() OVER (ORDER BY COUNT(*) DESC) AS r FROM visits GROUP BY smoker ORDER BY smoker";
    let rows = block_on(lab.sql(sql, "2")).rows();
    // Smokers have 67 visits, others 134, and those of whom it is not known 198.
    let hidden: Vec<bool> = rows.iter().map(|row| row["n"].is_null()).collect();
    assert_eq!(hidden, [false, true, false], "{rows:?}");
    for (at, row) in rows.iter().enumerate() {
        assert!((number(row, "t") - 399.0).abs() < 0.5, "{row}");
        for name in ["size", "c", "r"] {
            assert_eq!(row[name].is_null(), hidden[at], "{name} of {row}");
        }
        if hidden[at] {
            assert_eq!(row["size_null"], "hidden", "{row}");
        }
        assert_eq!(row["before"].is_null(), at == 0 || hidden[at - 1], "{row}");
    }
}

/// The curve of known events and exits, by hand.
#[test]
fn a_survival_curve_is_the_product_of_its_steps() {
    let lab = Lab::exact();
    let sql = "SELECT EXTRACT(DAY FROM visited) AS t, COUNT(*) FILTER (WHERE diagnosis = 'flu') AS d, COUNT(*) AS c, \
               KAPLAN_MEIER(COUNT(*) FILTER (WHERE diagnosis = 'flu'), COUNT(*)) OVER (ORDER BY EXTRACT(DAY FROM visited)) AS s, \
               CUMULATIVE_INCIDENCE(COUNT(*) FILTER (WHERE diagnosis = 'flu'), COUNT(*)) OVER (ORDER BY EXTRACT(DAY FROM visited)) AS i \
               FROM visits GROUP BY 1";
    let rows = block_on(lab.sql(sql, "50")).rows();
    let mut at_risk: f64 = rows.iter().map(|row| number(row, "c")).sum();
    let (mut survival, mut greenwood) = (1.0, 0.0);
    for row in rows.iter().filter(|row| number(row, "t") <= 28.0) {
        let events = number(row, "d");
        if at_risk <= events {
            break;
        }
        survival *= 1.0 - events / at_risk;
        greenwood += events / (at_risk * (at_risk - events));
        at_risk -= number(row, "c");
        assert!((number(row, "s") - survival).abs() < 0.005, "{row}: {survival}");
        assert!((number(row, "i") + number(row, "s") - 1.0).abs() < 0.005, "{row}");
        let width = number(row, "s_high").min(1.0) - number(row, "s_low");
        assert!(survival > 0.98 || width > 0.9 * 1.96 * survival * f64::sqrt(greenwood), "{row}");
    }
    assert!(survival < 0.9, "{survival}");
}

#[test]
fn what_has_no_meaning_is_refused_with_a_form_that_has() {
    let lab = Lab::exact();
    for (sql, code, words) in [
        ("SELECT region, COUNT(*) FROM visits GROUP BY region HAVING region = 'nord'", Code::OutOfDomain, "no value"),
        ("SELECT region, COUNT(*) FROM visits GROUP BY region HAVING region < 'm'", Code::UnsupportedSql, "no order"),
        ("SELECT region, COUNT(*) FROM visits GROUP BY region HAVING region = 3", Code::UnsupportedSql, "compared"),
        (
            "SELECT region, COUNT(*) / age FROM visits GROUP BY region",
            Code::NotAnAggregate,
            "neither aggregated nor grouped",
        ),
        ("SELECT CASE WHEN COUNT(*) > 3 THEN 'a' ELSE 1 END FROM visits", Code::UnsupportedSql, "branches"),
        ("SELECT 'all' AS grp FROM visits", Code::NotAnAggregate, "aggregated"),
        ("SELECT SUM(RANK() OVER ()) OVER () FROM visits", Code::UnsupportedSql, "inside of a window"),
        ("SELECT SQRT(RANK() OVER (ORDER BY COUNT(*))) FROM visits", Code::UnsupportedSql, "moved and stretched"),
        (
            "SELECT region, SUM(COUNT(*)) OVER () AS t FROM visits GROUP BY region HAVING t > 3",
            Code::UnsupportedSql,
            "HAVING chooses the rows",
        ),
        ("SELECT region, SUM(COUNT(*)) OVER () FROM visits GROUP BY ROLLUP (region)", Code::UnsupportedSql, "several"),
        (
            "SELECT region, COUNT(*) OVER (PARTITION BY age) FROM visits GROUP BY region",
            Code::UnsupportedSql,
            "none of them",
        ),
        (
            "SELECT COUNT(*) * 1.0 / (SELECT COUNT(*) FROM visits) FROM visits WHERE age > 3",
            Code::UnsupportedSql,
            "under its WHERE or beside none",
        ),
        (
            "SELECT age, visited, SUM(COUNT(*)) OVER (ORDER BY COUNT(*)) FROM visits WHERE visited >= DATE '2025-06-01' GROUP BY age, visited",
            Code::TooManyGroups,
            "steps",
        ),
        ("SELECT COUNT(*) FROM visits EXCEPT SELECT COUNT(*) FROM visits", Code::UnsupportedSql, "compare rows"),
        ("SELECT COUNT(*) FROM visits FETCH FIRST 5 PERCENT ROWS ONLY", Code::UnsupportedSql, "FETCH"),
        ("SELECT FIRST_VALUE(COUNT(*)) OVER w FROM visits", Code::UnsupportedSql, "no name"),
        ("SELECT RATIO_TO_REPORT(COUNT(*)) OVER () FROM visits", Code::UnsupportedSql, "window function"),
    ] {
        let error = planned(&lab, sql).expect_err(sql);
        assert_eq!(error.code, code, "{sql}: {error:?}");
        assert!(error.message.contains(words), "{sql}: {error:?}");
    }
}
