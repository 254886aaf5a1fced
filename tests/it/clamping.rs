//! `contribution_bounds => (low, high)`: summed values are clamped between two bounds that the caller chooses, and never between bounds
//! from data.

use axum::http::Method;
use serde_json::json;

use crate::support::{Lab, block_on, call};

#[test]
fn sums_are_of_what_lies_between_the_bounds() {
    let lab = Lab::exact();
    for (bounded, written_out) in [
        ("AVG(cost, contribution_bounds => (50, 120))", "AVG(LEAST(GREATEST(cost, 50), 120))"),
        ("SUM(age, contribution_bounds => (30.5, 60))", "SUM(LEAST(GREATEST(age, 30.5), 60))"),
        ("STDDEV_SAMP(cost, contribution_bounds => (-10, 99.25))", "STDDEV_SAMP(LEAST(cost, 99.25))"),
        // A missing value stays missing and does not become the lower bound.
        (
            "AVG(CASE WHEN smoker THEN cost END, contribution_bounds => (50, 120))",
            "AVG(LEAST(GREATEST(cost, 50), 120)) FILTER (WHERE smoker)",
        ),
    ] {
        let one = |output: &str| {
            let sql = format!("SELECT region, {output} AS x FROM visits GROUP BY region");
            block_on(lab.exact_table(&sql)).rows.into_iter().map(|row| row[1].text()).collect::<Vec<_>>()
        };
        assert_eq!(one(bounded), one(written_out), "{bounded}");
    }
}

/// A narrower range means less noise at the same price, and the quote says which range was used.
#[test]
fn narrower_bounds_are_less_noise() {
    let lab = Lab::gaussian();
    let quote = |output: &str| {
        let body = json!({"sql": format!("SELECT {output} AS s FROM visits"), "epsilon": "0.5"}).to_string();
        block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body)).json()
    };
    let error = |output: &str| {
        quote(output)["columns"][0]["std_error"].as_str().expect("an error").parse::<f64>().expect("a number")
    };
    let ratio = error("SUM(cost, contribution_bounds => (0, 50))") / error("SUM(cost)");
    assert!((ratio - 0.1).abs() < 0.01, "of 500 only 50: {ratio}");
    let shown = quote("SUM(cost, contribution_bounds => (0, 50))");
    assert_eq!((&shown["columns"][0]["min"], &shown["columns"][0]["max"]), (&json!("0"), &json!("50")), "{shown}");
    for (output, words) in [
        ("COUNT(cost, contribution_bounds => (0, 50))", "COUNT has no contribution_bounds"),
        ("SUM(cost, contribution_bounds => (50, 50))", "lower bound below"),
        ("SUM(cost, contribution_bounds => 50)", "two numbers"),
        ("SUM(cost, bounds => (0, 50))", "\"bounds\" is not known"),
        ("SUM(region, contribution_bounds => (0, 50))", "of a number"),
        ("SUM(cost, contribution_bounds => (MIN(cost), 50))", "a constant is wanted"),
    ] {
        let refused = quote(output);
        assert_eq!(refused["code"], "unsupported-sql", "{output}: {refused}");
        assert!(refused.to_string().replace("\\\"", "\"").contains(words), "{output}: {refused}");
    }
}
