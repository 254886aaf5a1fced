//! The body of every problem: of those that a request can bring about, and of all that the service and the ledger can say.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::held;
use crate::pinned::{END_MS, Scene, opened};
use crate::support::{block_on, call};

/// Who asks, how, for what, with which headers and body.
struct Request {
    who: &'static str,
    method: Method,
    path: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: String,
}

fn get(who: &'static str, path: &'static str) -> Request {
    Request { who, method: Method::GET, path, header: None, body: String::new() }
}

fn post(who: &'static str, path: &'static str, body: &Value) -> Request {
    Request { method: Method::POST, body: body.to_string(), ..get(who, path) }
}

fn ask(who: &'static str, sql: &str, epsilon: &str) -> Request {
    post(who, "/v1/queries", &json!({"sql": sql, "epsilon": epsilon}))
}

impl Request {
    fn with(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

fn requests() -> Vec<Request> {
    const COUNT: &str = "SELECT COUNT(*) AS n FROM visits WHERE age > 41";
    let grant = |epsilon: &str| json!({"researcher": "ada", "dataset": "visits", "epsilon": epsilon, "reason": "more"});
    vec![
        get("", "/v1/datasets"),
        get("vic", "/v1/accounts"),
        get("ada", "/v1/nothing"),
        get("ada", "/v1/datasets/nothing"),
        get("ada", "/v1/releases/rel_nothing"),
        get("ada", "/v1/datasets?limit=0"),
        get("sam", "/v1/statistics/nothing"),
        Request { method: Method::DELETE, ..get("ada", "/v1/datasets") },
        ask("ada", COUNT, "0.1").with("accept", "image/png"),
        ask("ada", COUNT, "0.1").with("idempotency-key", ""),
        ask("bob", COUNT, "0.1").with("idempotency-key", "once"),
        ask("ada", "SELECT * FROM visits", "0.1"),
        ask("ada", "SELECT region FROM visits GROUP BY region LIMIT 1", "-1"),
        ask("ada", "SELECT COUNT(*) FROM elsewhere", "0.1"),
        ask("ada", "SELECT region FROM visits", "0.1"),
        ask("ada", "SELECT COUNT(*) FROM visits WHERE colour = 'red'", "0.1"),
        ask("ada", "SELECT COUNT(*) FROM visits WHERE region = 'nroth'", "0.1"),
        ask("ada", "SELECT age, visited, region, COUNT(*) FROM visits GROUP BY age, visited, region", "0.1"),
        ask("ada", "SELEC COUNT(*) FROM visits", "0.1"),
        ask("ada", COUNT, "0"),
        ask("ada", COUNT, "0.0000000001"),
        ask("ada", COUNT, "9"),
        ask("bob", "SELECT COUNT(*) AS n FROM reports WHERE age > 41", "19"),
        ask("carl", "SELECT COUNT(*) AS n FROM wards WHERE staff > 4", "0.1"),
        ask("bob", "SELECT COUNT(*) AS n FROM wards", "0.1"),
        post("ada", "/v1/queries", &json!({"sql": COUNT})),
        post("ada", "/v1/queries", &json!({"sql": COUNT, "epsilon": "0.1", "margin": "3"})),
        post("ada", "/v1/queries", &json!({"sql": 7, "epsilon": "0.1"})),
        post("ada", "/v1/queries", &json!({"sql": COUNT, "epsilom": "0.1"})),
        Request { body: "{".to_owned(), ..ask("ada", "", "") },
        Request { body: " ".repeat(1 << 22), ..ask("ada", "", "") },
        post("ada", "/v1/grants", &grant("1")),
        post("sam", "/v1/grants", &grant("100")),
        post("sam", "/v1/researchers", &json!({"name": "ada"})),
        post("sam", "/v1/researchers", &json!({"name": "a b"})),
        post("sam", "/v1/datasets/wards/freeze", &json!({"reason": "again"})),
        post("sam", "/v1/requests/9999/decide", &json!({"granted": false, "reason": "no"})),
        post("sam", "/v1/apply", &json!({"files": [{"name": "a.toml", "text": "[[person]]"}], "reason": "r"})),
        post("sam", "/v1/statistics/nothing/publish", &json!({})),
    ]
}

/// Sends a request, and says what came: `(code, what is held)`.
async fn brought_about(scene: &Scene, request: Request) -> (String, String) {
    let Request { who, method, path, header, body } = request;
    let token = (!who.is_empty()).then(|| scene.token(who));
    let headers: Vec<_> = header.into_iter().collect();
    let shown: String = body.chars().take(200).collect();
    let header: String = headers.iter().map(|(name, value)| format!("\n{name}: {value}")).collect();
    let who = if who.is_empty() { "nobody" } else { who };
    let asked = format!("{method} {path} as {who}{header}\n{}", shown.trim_end());
    let reply = call(&scene.router, method, path, token, &headers, body).await;
    assert!(reply.status.is_client_error(), "{asked}: {}", reply.status);
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{asked}");
    (reply.code(), told(&asked, reply.status, &reply.json()))
}

fn told(of: &str, status: StatusCode, body: &Value) -> String {
    assert_eq!(
        (json!(status.as_u16()), body["type"].as_str()),
        (body["status"].clone(), Some(&*format!("urn:tacit:problem:{}", body["code"].as_str().expect("a code"))))
    );
    format!("{}\n{body:#}\n", of.trim_end())
}

#[test]
fn every_problem_is_as_it_was() {
    block_on(async {
        let (_dir, scene) = opened(END_MS);
        let (mut codes, mut texts) = (BTreeSet::new(), Vec::new());
        for request in requests() {
            let (code, text) = brought_about(&scene, request).await;
            codes.insert(code);
            texts.push(text);
        }
        held("problems-of-requests", &texts.join("\n"));
        assert!(codes.len() >= 18, "{codes:?}");
    });
}
