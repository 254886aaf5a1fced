//! Questions that cost nothing: constants, lists of keys and EXPLAIN, without an accuracy, in every format, and without an entry in the
//! ledger.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Lab, block_on, call};

fn ask(lab: &Lab, body: &Value) -> Value {
    let reply = block_on(lab.ask(body));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.json());
    reply.json()
}

#[test]
fn what_is_public_is_free_and_leaves_no_trace() {
    let lab = Lab::gaussian();
    let before = lab.head();
    for (sql, rows) in [
        ("SELECT 1", json!([{"?column?": 1}])),
        ("SELECT 1 AS one, 'a' AS two, TRUE AS three", json!([{"one": 1, "two": "a", "three": true}])),
        ("SELECT DISTINCT smoker FROM visits", json!([{"smoker": false}, {"smoker": true}, {"smoker": null}])),
        (
            "SELECT region AS r FROM visits GROUP BY region ORDER BY r DESC LIMIT 2",
            json!([{"r": "west"}, {"r": "south"}]),
        ),
        (
            "SELECT DATE_TRUNC('year', visited) AS y FROM visits WHERE visited >= DATE '2024-05-01' GROUP BY 1",
            json!([{"y": "2024-01-01"}, {"y": "2025-01-01"}]),
        ),
        (
            "SELECT DISTINCT WIDTH_BUCKET(age, 50, 100, 2) AS b FROM visits",
            json!([{"b": 0}, {"b": 1}, {"b": 2}, {"b": 3}]),
        ),
    ] {
        for body in [json!({"sql": sql}), json!({"sql": sql, "epsilon": "0.5"})] {
            let answer = ask(&lab, &body);
            assert_eq!((&answer["rows"], &answer["release"]), (&rows, &Value::Null), "{sql}");
            assert_eq!(answer["price"]["epsilon"], "0");
        }
        for accept in ["text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"] {
            let (headers, body) = ([("accept", accept)], json!({"sql": sql}).to_string());
            let reply = block_on(call(&lab.router, Method::POST, "/v1/queries", Some(&lab.researcher), &headers, body));
            assert_eq!(reply.status, StatusCode::OK, "{sql} as {accept}");
        }
    }
    assert_eq!(lab.head(), before, "nothing is charged, and nothing is noted");
}

#[test]
fn explain_is_the_quote_as_a_table() {
    let lab = Lab::gaussian();
    let before = lab.head();
    let sql = "SELECT region, COUNT(*) AS n, SUM(cost - 100) AS s, AVG(age) AS a FROM visits GROUP BY region";
    let body = json!({"sql": sql, "epsilon": "0.5"}).to_string();
    let quote = block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body)).json();
    let explained = ask(&lab, &json!({"sql": format!("EXPLAIN {sql}"), "epsilon": "0.5"}));
    assert_eq!(explained["sql"], format!("EXPLAIN {}", quote["sql"].as_str().expect("SQL")));
    let (rows, columns) = (explained["rows"].as_array().expect("rows"), quote["columns"].as_array().expect("columns"));
    assert_eq!((rows.len(), columns.len()), (4, 4), "{explained}");
    for (row, column) in rows.iter().zip(columns) {
        assert_eq!(row["output"], column["name"]);
        assert_eq!(row["std_error"], column.get("std_error").cloned().unwrap_or(Value::Null));
        assert_eq!(row["margin"], column.get("margin").cloned().unwrap_or(Value::Null));
        assert_eq!((&row["epsilon"], &row["answerable"]), (&json!("0.5"), &json!(true)));
    }
    assert_eq!((&explained["rows"][2]["min"], &explained["rows"][2]["max"]), (&json!("-100"), &json!("400")));
    let at_limit = ask(&lab, &json!({"sql": format!("EXPLAIN {sql}")}));
    assert_eq!(at_limit["rows"][0]["epsilon"], "2", "without an accuracy it is priced at the query limit");
    assert_eq!(lab.head(), before);
}

#[test]
fn what_is_not_free_wants_an_accuracy_and_a_dataset_of_ones_own() {
    let lab = Lab::gaussian();
    for (sql, code) in [
        ("SELECT COUNT(*) FROM visits", "invalid-request"),
        ("SELECT region FROM visits", "not-an-aggregate"),
        ("SELECT DISTINCT cost FROM visits", "too-many-groups"),
        ("SELECT DISTINCT region FROM nowhere", "unknown-dataset"),
        ("EXPLAIN SELECT COUNT(*) FROM nowhere", "unknown-dataset"),
        ("EXPLAIN ANALYZE SELECT COUNT(*) FROM visits", "unsupported-sql"),
        ("EXPLAIN DELETE FROM visits", "unsupported-sql"),
        ("SELECT DISTINCT region, COUNT(*) FROM visits", "not-an-aggregate"),
        ("SELECT age + 1", "unsupported-sql"),
    ] {
        assert_eq!(block_on(lab.ask(&json!({"sql": sql}))).code(), code, "{sql}");
    }
    let other = block_on(call(
        &lab.router,
        Method::POST,
        "/v1/queries",
        Some(&lab.viewer),
        &[],
        json!({"sql": "SELECT 1"}).to_string(),
    ));
    assert_eq!(other.code(), "forbidden", "viewers read published statistics");
}
