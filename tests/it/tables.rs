//! Several groupings in one answer, and margins that are met at the least price.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use tacit::kernel::vault::noise::OpenDp;
use tacit::query::terms::policy::Policy;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, block_on, call, policy, visits};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

/// Whatever is shown of a table adds up to what is shown of its totals, including noise and rounding.
#[test]
fn totals_add_up() {
    let lab = Lab::gaussian();
    let sql = "SELECT region, smoker, GROUPING(region) AS gr, GROUPING(smoker) AS gs, COUNT(*) AS n, SUM(cost) AS s, \
               COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY CUBE (region, smoker)";
    let rows = block_on(lab.sql(sql, "1")).rows();
    assert_eq!(rows.len(), 4 * 3 + 4 + 3 + 1);
    let total = |of: &str, region: Option<&Value>, smoker: Option<&Value>, level: (i64, i64)| -> f64 {
        let is = |row: &&Value| {
            (row["gr"] == level.0 && row["gs"] == level.1)
                && region.is_none_or(|region| row["region"] == *region)
                && smoker.is_none_or(|smoker| row["smoker"] == *smoker)
        };
        rows.iter().filter(is).map(|row| number(&row[of])).sum()
    };
    for row in rows.iter().filter(|row| row["gr"] == 0 && row["gs"] == 1) {
        for of in ["n", "s"] {
            let cells = total(of, Some(&row["region"]), None, (0, 0));
            assert!((cells - number(&row[of])).abs() < 1e-6, "{of} of {row}: {cells}");
        }
    }
    for of in ["n", "s"] {
        let whole = total(of, None, None, (1, 1));
        assert!((whole - total(of, None, None, (0, 0))).abs() < 1e-6, "{of}");
        assert!((whole - total(of, None, None, (1, 0))).abs() < 1e-6, "{of}");
    }
    let errors: Vec<f64> = rows.iter().map(|row| number(&row["n_std_error"])).collect();
    let (finest, all) = (errors[0], errors[errors.len() - 1]);
    assert!((all / finest - 12_f64.sqrt()).abs() < 0.05, "a total of twelve cells: {finest} {all}");
}

/// Percentiles of totals come from the same trees as those of the groups: without noise, they equal what each grouping alone would give.
#[test]
fn percentiles_of_totals_are_those_of_their_groups_trees() {
    let lab = Lab::new(&policy(PURE), &visits(200), Arc::new(NoNoise), "100");
    let of = |groups: &str| {
        let sql = format!(
            "SELECT region, smoker, GROUPING(region) AS gr, GROUPING(smoker) AS gs, MEDIAN(age) AS m, PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY age) AS p, COUNT(*) AS n FROM visits GROUP BY {groups}"
        );
        block_on(lab.sql(&sql, "50")).rows()
    };
    let all = of("CUBE (region, smoker)");
    assert_eq!(all.len(), 20);
    for (groups, level) in [
        ("ROLLUP (region, smoker)", (0, 1)),
        ("CUBE (smoker, region)", (1, 0)),
        ("GROUPING SETS ((smoker, region), ())", (1, 1)),
    ] {
        for row in of(groups).iter().filter(|row| row["gr"] == level.0 && row["gs"] == level.1) {
            let same = |other: &&Value| ["region", "smoker", "gr", "gs"].iter().all(|key| other[*key] == row[*key]);
            assert_eq!(all.iter().find(same), Some(row));
        }
    }
    // Everybody's median: the ages are 20 to 89, with three, one and two visits each.
    let mut ages: Vec<usize> = (0..200).flat_map(|patient| vec![20 + patient % 70; 1 + patient % 3]).collect();
    ages.sort_unstable();
    let total = all.iter().find(|row| row["gr"] == 1 && row["gs"] == 1).expect("a total");
    let truth = ages[ages.len() / 2] as f64;
    assert!((number(&total["m"]) - truth).abs() <= 1.5, "{total} {truth}");
    assert!(number(&total["m_low"]) <= truth && truth <= number(&total["m_high"]), "{total}");
}

/// A roll-up draws what its finest grouping draws, and is free once that is stored.
#[test]
fn a_rollup_is_its_finest_grouping() {
    let lab = Lab::gaussian();
    let finest = "SELECT region, smoker, COUNT(*) AS n FROM visits GROUP BY region, smoker";
    let first = block_on(lab.sql(finest, "0.5")).json();
    let rollup = "SELECT region, smoker, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region, smoker)";
    let second = block_on(lab.sql(rollup, "0.5")).json();
    assert_eq!((&second["replayed"], &second["price"]["epsilon"]), (&json!(true), &json!("0")), "{second}");
    assert_eq!(second["account"]["fraction_remaining"], first["account"]["fraction_remaining"]);
    assert_eq!(second["rows"].as_array().expect("rows").len(), 12 + 4 + 1);
}

fn quote(lab: &Lab, body: &Value) -> Value {
    let reply = block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body.to_string()));
    reply.json()
}

#[test]
fn margins_of_means_are_met_under_the_group_size_that_is_stated() {
    let lab = Lab::gaussian();
    let sql = "SELECT COUNT(*) AS n, AVG(cost) AS m, SUM(age) AS s FROM visits";
    let both = quote(&lab, &json!({"sql": sql, "margin": {"n": "120", "m": "60"}, "group_size": 400}));
    assert_eq!(both["assumed_group_size"], 400, "{both}");
    let margin = |name: &str| {
        let columns = both["columns"].as_array().expect("columns");
        let column = columns.iter().find(|column| column["name"] == name).expect("a column");
        column["margin"].as_str().expect("a margin").parse::<f64>().expect("a number")
    };
    assert!(margin("n") <= 120.0 + 1e-6, "{both}");
    // The mean's own interval over 400 rows is no wider than what was asked for, wherever the mean lies.
    let answer = block_on(lab.ask(&json!({"sql": sql, "margin": {"n": "120", "m": "60"}, "group_size": 400}))).rows();
    let half = (number(&answer[0]["m_high"]) - number(&answer[0]["m_low"])) / 2.0;
    assert!(half <= 62.0, "400 rows: {half}");
    // Each alone costs no more than both, and both cost less than the two one after the other.
    let epsilon = |body: &Value| -> f64 {
        quote(&lab, body)["price"]["epsilon"].as_str().expect("a price").parse().expect("a number")
    };
    let lab = Lab::gaussian();
    let sql = "SELECT COUNT(*) AS n, AVG(cost) AS m FROM visits WHERE smoker";
    let of = |margin: Value| json!({"sql": sql, "margin": margin, "group_size": 400});
    let (n, m) = (epsilon(&of(json!({"n": "120"}))), epsilon(&of(json!({"m": "60"}))));
    let both = epsilon(&of(json!({"n": "120", "m": "60"})));
    assert!(both >= n.max(m) && both < n + m, "{n} {m} {both}");
    for (margin, code) in [(json!({"x": "1"}), "invalid-request"), (json!({"m": "0"}), "invalid-epsilon")] {
        assert_eq!(quote(&lab, &of(margin))["code"], code);
    }
    let zero = json!({"sql": sql, "margin": {"m": "60"}, "group_size": 0});
    assert_eq!(quote(&lab, &zero)["code"], "invalid-request");
}

/// If the policy says so, groups with a small noisy count are shown without their estimates, at the same cost.
#[test]
fn small_groups_are_blanked_where_the_policy_says_so() {
    let text = policy(GAUSSIAN).replace("max_rows = 1_000_000", "max_rows = 1_000_000\nmin_cell = 60");
    let lab = Lab::new(&text, &visits(200), Arc::new(OpenDp), "4");
    let shown = block_on(lab.get("/v1/datasets/visits", &lab.researcher)).json();
    assert_eq!(shown["min_cell"], 60);
    let sql = "SELECT diagnosis, smoker, COUNT(*) AS n, AVG(age) AS a FROM visits GROUP BY ROLLUP (diagnosis, smoker)";
    let rows = block_on(lab.sql(sql, "2")).rows();
    let (mut blank, mut full) = (0, 0);
    for row in &rows {
        match row["n"].as_f64() {
            None => {
                blank += 1;
                let estimates = ["n", "n_low", "n_high", "n_std_error", "a", "a_low", "a_high", "a_std_error"];
                assert!(estimates.iter().all(|name| row[name].is_null()), "{row}");
            }
            // The numbers shown are rounded.
            Some(count) => {
                full += 1;
                assert!(count >= 59.0, "{row}");
            }
        }
    }
    assert!(blank >= 3 && full >= 3, "{blank} blank and {full} full of {rows:?}");
    assert!(Policy::parse(&text.replace("min_cell = 60", "min_cell = 0")).is_err());
}
