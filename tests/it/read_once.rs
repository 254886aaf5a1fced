//! A question is parsed once and planned once, whichever door it comes through and whatever becomes of it.

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::service::asking::reading::ReadingCounts;

use crate::console::Browser;
use crate::support::{Lab, block_on, call};
use crate::tidy::sources;

const COUNT: &str = "SELECT region, COUNT(*) AS n FROM visits GROUP BY region";
const EXPLAIN: &str = "EXPLAIN SELECT COUNT(*) FROM visits";

/// What was read since `before`, as (parses, plans, checks of the canonical text).
fn since(lab: &Lab, before: ReadingCounts) -> (u64, u64, u64) {
    let now = lab.service.reading_counts();
    (now.parses - before.parses, now.plans - before.plans, now.checks - before.checks)
}

#[test]
fn the_api_reads_a_question_once() {
    block_on(async {
        let lab = Lab::gaussian();
        let key: [(&str, &str); 1] = [("idempotency-key", "k1")];
        for (what, path, sql, headers, expected) in [
            ("a quote", "/v1/quotes", COUNT, &[][..], (1, 1, 1)),
            ("a fresh question", "/v1/queries", COUNT, &[], (1, 1, 1)),
            ("a replay", "/v1/queries", COUNT, &[], (1, 1, 0)),
            ("a replay, paid under a key", "/v1/queries", COUNT, &key, (1, 1, 0)),
            ("a replay by its key", "/v1/queries", COUNT, &key, (1, 1, 0)),
            ("a quote of a replay", "/v1/quotes", COUNT, &[], (1, 1, 1)),
            ("an explanation", "/v1/queries", EXPLAIN, &[], (1, 1, 1)),
            ("a quote of an explanation", "/v1/quotes", EXPLAIN, &[], (1, 1, 0)),
            ("keys", "/v1/queries", "SELECT region FROM visits GROUP BY region", &[], (1, 1, 1)),
            ("constants", "/v1/queries", "SELECT 1", &[], (1, 0, 0)),
            ("a quote of constants", "/v1/quotes", "SELECT 1", &[], (1, 0, 0)),
            ("no SQL", "/v1/queries", "nonsense", &[], (1, 0, 0)),
            ("an unknown column", "/v1/queries", "SELECT SUM(nothing) AS s FROM visits", &[], (1, 1, 0)),
        ] {
            let before = lab.service.reading_counts();
            let body = json!({"sql": sql, "epsilon": "0.1"}).to_string();
            call(&lab.router, Method::POST, path, Some(&lab.researcher), headers, body).await;
            assert_eq!(since(&lab, before), expected, "{what}");
        }
    });
}

#[test]
fn the_console_reads_a_question_once() {
    block_on(async {
        let lab = Lab::gaussian();
        let browser = Browser::new(&lab, &lab.researcher).await;
        let form = |act: &'static str, quoted: &'static str, key: &'static str| {
            [("do", act), ("sql", COUNT), ("by", "epsilon"), ("epsilon", "0.1"), ("quoted", quoted), ("key", key)]
        };
        for (what, path, fields, expected) in [
            ("the price", "/ask/price", form("quote", "", "k1"), (1, 1, 1)),
            ("a form that leads to the price", "/ask", form("quote", "", "k1"), (0, 0, 0)),
            ("a payment at another price", "/ask", form("pay", "0.2", "k1"), (1, 1, 1)),
            ("a payment", "/ask", form("pay", "0.1", "k1"), (1, 1, 1)),
            ("the same payment sent again", "/ask", form("pay", "0.1", "k1"), (1, 1, 0)),
        ] {
            let before = lab.service.reading_counts();
            let reply = browser.post(&lab, path, &fields).await;
            assert_eq!(reply.status, if path == "/ask" { StatusCode::SEE_OTHER } else { StatusCode::OK }, "{what}");
            assert_eq!(since(&lab, before), expected, "{what}");
        }
        let (before, mut address) = (lab.service.reading_counts(), form_urlencoded::Serializer::new(String::new()));
        address.extend_pairs([("sql", COUNT), ("epsilon", "0.1"), ("show", "price")]);
        let page = browser.get(&lab, &format!("/ask?{}", address.finish())).await;
        assert_eq!((page.status, since(&lab, before)), (StatusCode::OK, (1, 1, 1)), "the page with the price");
    });
}

/// The counts above would miss a parse or plan that does not go through `service::asking::reading`.
#[test]
fn questions_are_read_in_one_place() {
    for (path, text) in sources("src/service/asking").into_iter().chain(sources("src/http")) {
        // The index of derivations is filled from the ledger's questions when a service starts, and what a person holds is planned once for
        // each stored answer. The costs of a policy's columns are those of questions of our own.
        let places = ["asking/reading.rs", "asking/derivations.rs", "asking/known.rs", "asking/costs.rs"];
        let is_the_place = places.iter().any(|place| path.ends_with(place));
        let names = [
            "parse::parse(",
            "parse::asked(",
            "parse::asked_on(",
            " parse(",
            " asked(&",
            "plan::plan(",
            " plan(",
            "replan(",
        ];
        let named = text.lines().filter(|line| names.iter().any(|name| line.contains(name)) && !line.contains("fn "));
        // The command `tacit ask` judges a text by itself, before it asks a server.
        let others = named.filter(|line| !line.contains("match asked(sql) {"));
        let others: Vec<_> = others.filter(|line| !line.trim_start().starts_with("//")).collect();
        assert!(is_the_place || others.is_empty(), "{} reads SQL: {others:?}", path.display());
    }
}
