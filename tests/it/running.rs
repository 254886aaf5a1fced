//! Running sums: exact before noise, far more precise than sums of noisy groups after it, and one release with the groups they sum.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use tacit::kernel::vault::noise::OpenDp;
use tacit::query::computation::Measure;
use tacit::query::parse::parse;
use tacit::query::plan::plan;

use crate::support::{GAUSSIAN, Lab, PURE, block_on, call, policy, visits};

const SQL: &str = "SELECT age, COUNT(*) AS n, SUM(COUNT(*)) OVER (ORDER BY age) AS so_far FROM visits GROUP BY age";

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row}"))
}

/// The groups add up to their running sums, including noise, and nothing is measured twice.
#[test]
fn groups_add_up_to_their_running_sums() {
    let lab = Lab::gaussian();
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    let measured = |sql: &str| plan(&parse(sql).expect("SQL"), terms, None).expect("a plan").computation.measures;
    assert!(matches!(&measured(SQL)[..], [Measure::PrefixSums { .. }]));
    // HAVING compares the values that are shown, so it adds no measurement; the parts of a mean are measured separately.
    assert_eq!(measured(&format!("{SQL} HAVING COUNT(*) > 3")).len(), 1);
    assert_eq!(measured(&format!("{SQL} HAVING COUNT(*) + 0 > 3 AND ABS(COUNT(*)) > 1")).len(), 1);
    assert_eq!(measured(&SQL.replace("COUNT(*) AS n", "ROUND(COUNT(*) * 2, 1) AS n")).len(), 1);
    for row in block_on(lab.sql(&format!("{SQL} HAVING COUNT(*) > 3"), "2")).rows() {
        assert!(number(&row, "n") > 2.9, "{row}");
    }
    assert_eq!(measured(&SQL.replace("COUNT(*) AS n", "COUNT(*) AS n, AVG(cost) AS m")).len(), 3);
    let rows = block_on(lab.sql(SQL, "2")).rows();
    assert_eq!(rows.len(), 111);
    let mut sum = 0.0;
    for row in &rows {
        sum += number(row, "n");
        let tolerance = 0.05 * number(row, "so_far_std_error") + 0.02 * rows.len() as f64;
        assert!((number(row, "so_far") - sum).abs() < tolerance, "{row}: {sum}");
    }
    let error = |at: usize, name: &str| number(&rows[at], name);
    assert!((error(0, "n_std_error") / error(0, "so_far_std_error") - 1.0).abs() < 0.02, "the first is its own sum");
    // The sum of 111 noisy counts would have √111 times the error of one of them; here the last error is less than 1.7 times the first.
    let (one, last) = (error(0, "so_far_std_error"), error(110, "so_far_std_error"));
    assert!(last / one < 1.7, "{one} {last}");
    let again = block_on(lab.sql(SQL, "2")).json();
    assert_eq!(again["replayed"], true);
}

/// Within each group of the other keys, a margin of a running sum is that of its last group, and it is met.
#[test]
fn a_margin_holds_for_every_running_sum() {
    for (budget, noise) in [(GAUSSIAN, Arc::new(OpenDp)), (PURE, Arc::new(OpenDp))] {
        let lab = Lab::new(&policy(budget), &visits(200), noise, if budget == PURE { "100" } else { "4" });
        let sql = "SELECT region, EXTRACT(MONTH FROM visited) AS m, SUM(COUNT(cost)) OVER (PARTITION BY region ORDER BY EXTRACT(MONTH FROM visited)) AS s \
                   FROM visits GROUP BY region, EXTRACT(MONTH FROM visited)";
        let body = json!({"sql": sql, "margin": {"s": "60"}}).to_string();
        let quote = block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body)).json();
        assert_eq!(quote["answerable"], true, "{quote}");
        let rows = block_on(lab.ask(&json!({"sql": sql, "margin": {"s": "60"}}))).rows();
        assert_eq!(rows.len(), 4 * 12);
        let widths: Vec<f64> = rows.iter().map(|row| (number(row, "s_high") - number(row, "s_low")) / 2.0).collect();
        let widest = widths.iter().copied().fold(0.0, f64::max);
        assert!((60.0 * 0.95..=60.0 * 1.02).contains(&widest), "{budget}: {widest}");
        // All visits are in March: before it a region has none, and after it all of them.
        for (row, width) in rows.iter().zip(&widths) {
            let truth = if row["m"].as_i64() < Some(3) { 0.0 } else { 100.0 };
            assert!((number(row, "s") - truth).abs() < 2.5 * width + 1.0, "{row}");
        }
    }
}

/// Small groups are blanked if the policy says so, however their counts are measured.
#[test]
fn small_groups_of_running_sums_are_blanked() {
    let text = policy(GAUSSIAN).replace("max_rows = 1_000_000", "max_rows = 1_000_000\nmin_cell = 60");
    let lab = Lab::new(&text, &visits(200), Arc::new(OpenDp), "4");
    let sql = "SELECT EXTRACT(MONTH FROM visited) AS m, SUM(COUNT(*)) OVER (ORDER BY EXTRACT(MONTH FROM visited)) AS s, COUNT(*) AS n \
               FROM visits GROUP BY EXTRACT(MONTH FROM visited)";
    let stretched = sql.replace(", COUNT(*) AS n", "").replace("visited)) AS s", "visited)) * 1 AS s");
    assert!(stretched.contains("* 1"));
    for sql in [sql.to_owned(), sql.replace(", COUNT(*) AS n", ""), stretched] {
        let rows = block_on(lab.sql(&sql, "2")).rows();
        let shown: Vec<_> = rows.iter().filter(|row| !row["s"].is_null()).map(|row| row["m"].clone()).collect();
        assert_eq!(shown, [json!(3)], "{rows:?}");
    }
}

#[test]
fn what_runs_wrongly_is_refused() {
    let lab = Lab::gaussian();
    let month = "EXTRACT(MONTH FROM visited)";
    let over = format!("SUM(COUNT(*)) OVER (PARTITION BY EXTRACT(YEAR FROM visited) ORDER BY {month})");
    let sql = format!("SELECT {month} AS m, {over} AS s FROM visits GROUP BY {month}");
    let refused = block_on(lab.sql(&sql, "1")).json();
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("none of them")), "{refused}");
    // As operands and in another order they are sums of the noisy counts of the groups.
    for over in [
        format!("ABS(SUM(COUNT(*)) OVER (ORDER BY {month}))"),
        format!("100 / SUM(COUNT(*)) OVER (ORDER BY {month})"),
        format!("SUM(COUNT(*)) OVER (ORDER BY {month}) + COUNT(*)"),
        format!("SUM(COUNT(*)) OVER (ORDER BY {month} DESC)"),
        "SUM(COUNT(*)) OVER ()".to_owned(),
        format!("NULLIF(SUM(COUNT(*)) OVER (ORDER BY {month}), 0)"),
    ] {
        let sql = format!("SELECT {month} AS m, {over} AS s FROM visits GROUP BY {month}");
        let terms = &lab.service.dataset("visits").expect("visits").terms;
        let plan = plan(&parse(&sql).expect("SQL"), terms, None).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(plan.computation.measures, [Measure::Rows], "{sql}");
    }
    let ok = format!(
        "SELECT {month} AS m, 100 - SUM(COUNT(*)) OVER (ORDER BY {month}) / 4 AS s FROM visits GROUP BY {month}"
    );
    let rows = block_on(lab.sql(&ok, "1")).rows();
    assert!(rows.iter().all(|row| number(row, "s_std_error") > 0.0 && number(row, "s_low") < number(row, "s_high")));
    // However often it is computed, in HAVING too.
    let compared = ["s > -1"; 12].join(" AND ");
    let often = format!(
        "SELECT visited, SUM(COUNT(*)) OVER (ORDER BY visited) AS s FROM visits GROUP BY visited HAVING {compared}"
    );
    assert_eq!(block_on(lab.sql(&often, "1")).code(), "too-many-groups");
    let days = "SELECT visited, region, smoker, SUM(COUNT(*)) OVER (PARTITION BY region, smoker ORDER BY visited) AS s FROM visits GROUP BY visited, region, smoker";
    assert_eq!(block_on(lab.sql(days, "1")).code(), "too-many-groups");
}
