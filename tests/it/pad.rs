//! Padding: every answer after authentication leaves at a moment of its question's class, whatever became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;
use tacit::privacy::units::Epsilon;
use tacit::service::ask::{Ask, Wanted};
use tacit::vault::noise::OpenDp;

use crate::support::{BrokenNoise, GAUSSIAN, Lab, block_on, call, policy, visits};

const QUANTUM: Duration = Duration::from_millis(40);

fn padded() -> String {
    policy(GAUSSIAN).replace("max_rows = 1_000_000", "max_rows = 1_000_000\npad_ms = 40")
}

fn ask(sql: &str) -> Ask {
    let accuracy = Wanted::Epsilon(Epsilon::parse("0.1").expect("an epsilon"));
    Ask { sql: sql.to_owned(), accuracy, rows_per_unit: None, purpose: None }
}

#[test]
fn a_class_follows_from_plan_and_capacity_alone() {
    let [small, large] = [20, 300].map(|patients| Lab::new(&padded(), &visits(patients), Arc::new(OpenDp), "4"));
    for sql in [
        "SELECT COUNT(*) FROM visits",
        "SELECT region, diagnosis, smoker, COUNT(*), SUM(cost) AS c FROM visits GROUP BY region, diagnosis, smoker",
        "SELECT COUNT(*) FROM visits WHERE age > 1 AND NOT smoker",
        "SELECT MAX(age) FROM visits",
        "SELECT COUNT(*) FROM nothing",
        "nonsense",
    ] {
        let [one, other] = [&small, &large].map(|lab| lab.service.pad("ada", &ask(sql)).expect("padded"));
        assert_eq!(one, other, "{sql}");
        let (due, is_late) = one.due(Duration::from_micros(1));
        assert!(due >= QUANTUM && due.as_millis() % QUANTUM.as_millis() == 0 && !is_late, "{sql}: {due:?}");
        assert_eq!(one.due(due), (due, false), "{sql}: up to its class it leaves with its class");
        assert_eq!(one.due(due + Duration::from_nanos(1)), (due + QUANTUM, true), "{sql}: later is a quantum later");
    }
    let classes = [
        "SELECT COUNT(*) FROM visits",
        "SELECT region, diagnosis, COUNT(*), COUNT(DISTINCT patient_id) AS d, SUM(cost) AS c FROM visits WHERE age > 1 OR smoker GROUP BY region, diagnosis",
    ];
    let [cheap, dear] = classes.map(|sql| small.service.pad("ada", &ask(sql)).expect("padded").due(Duration::ZERO).0);
    assert!(dear > cheap, "a dearer plan has a later class");
    assert!(Lab::gaussian().service.pad("ada", &ask("SELECT COUNT(*) FROM visits")).is_none(), "off by default");
}

/// Fresh, replayed, refused, malformed, burnt: none leaves before its quantum. Nothing can be later than a clock says, so this is
/// the one side that a test may assert.
#[test]
fn nothing_leaves_early() {
    block_on(async {
        let lab = Lab::new(&padded(), &visits(50), Arc::new(OpenDp), "4");
        let question = |sql: &str, epsilon: &str| json!({"sql": sql, "epsilon": epsilon}).to_string();
        let bodies = [
            question("SELECT COUNT(*) FROM visits", "0.1"),
            question("SELECT COUNT(*) FROM visits", "0.1"),
            question("SELECT COUNT(*) FROM visits", "3"),
            question("SELECT MAX(age) FROM visits", "0.1"),
            question("SELECT COUNT(*) FROM elsewhere", "0.1"),
            "{".to_owned(),
            question("SELECT COUNT(*) FROM visits", "0"),
        ];
        for body in bodies {
            for path in ["/v1/queries", "/v1/quotes", "/v1/nothing"] {
                let since = Instant::now();
                let reply = call(&lab.router, Method::POST, path, Some(&lab.researcher), &[], body.clone()).await;
                assert!(since.elapsed() >= QUANTUM, "{path} {body}: {}", reply.status);
            }
        }
        for path in ["/v1/datasets", "/v1/releases", "/v1/accounts", "/v1/releases/rel_none", "/v1/ledger"] {
            let since = Instant::now();
            lab.get(path, &lab.researcher).await;
            assert!(since.elapsed() >= QUANTUM, "{path}");
        }
        let burnt = Lab::new(&padded(), &visits(50), Arc::new(BrokenNoise), "4");
        let since = Instant::now();
        assert_eq!(burnt.sql("SELECT COUNT(*) FROM visits", "0.1").await.status, 500);
        assert!(since.elapsed() >= QUANTUM);
    });
}

#[test]
fn a_padding_beyond_its_bounds_is_named() {
    for (given, words) in
        [("0", "accepted is 1 to 60000"), ("60001", "accepted is 1 to 60000"), ("\"a\"", "expected i64")]
    {
        let text = padded().replace("pad_ms = 40", &format!("pad_ms = {given}"));
        let faults = tacit::dataset::policy::Policy::parse(&text).expect_err("a fault");
        assert!(faults.iter().any(|fault| fault.message.contains(words) && fault.line > 1), "{given}: {faults:?}");
    }
}
