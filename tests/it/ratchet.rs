//! Every route × role, and every route × "may spend". The lists only shrink.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::read;

use crate::support::{GAUSSIAN, Lab, StoppedClock, block_on, call, filled, policy};

/// (method, path, roles that may, whether it may spend)
const ROUTES: [(&str, &str, &[&str], bool); 38] = [
    ("GET", "/v1/datasets", &["viewer", "researcher", "steward"], false),
    ("GET", "/v1/datasets/{name}", &["viewer", "researcher", "steward"], false),
    ("POST", "/v1/datasets/{name}/freeze", &["steward"], false),
    ("POST", "/v1/datasets/{name}/unfreeze", &["steward"], false),
    ("POST", "/v1/quotes", &["researcher"], false),
    ("POST", "/v1/queries", &["researcher"], true),
    ("GET", "/v1/releases", &["researcher", "steward"], false),
    ("GET", "/v1/releases/{id}", &["researcher", "steward"], false),
    ("POST", "/v1/links", &["viewer", "researcher", "steward"], false),
    ("GET", "/v1/accounts", &["researcher", "steward"], false),
    ("GET", "/v1/researchers", &["steward"], false),
    ("POST", "/v1/researchers", &["steward"], false),
    ("DELETE", "/v1/researchers/{name}/token", &["steward"], false),
    ("PUT", "/v1/researchers/{name}/datasets", &["steward"], false),
    ("PUT", "/v1/researchers/{name}/role", &["steward"], false),
    ("GET", "/v1/researchers/{name}/tokens", &["steward"], false),
    ("POST", "/v1/researchers/{name}/tokens", &["steward"], false),
    ("DELETE", "/v1/researchers/{name}/tokens/{token}", &["steward"], false),
    ("POST", "/v1/grants", &["steward"], false),
    ("GET", "/v1/ledger", &["steward"], false),
    ("POST", "/v1/sealings", &["steward"], false),
    ("GET", "/v1/sealings/{id}", &["steward"], false),
    ("DELETE", "/v1/sealings/{id}", &["steward"], false),
    ("GET", "/v1/statistics", &["nobody", "viewer", "researcher", "steward"], false),
    ("GET", "/v1/statistics/{name}", &["viewer", "researcher", "steward"], false),
    ("GET", "/statistics/metrics", &["nobody", "viewer", "researcher", "steward"], false),
    ("POST", "/v1/statistics/{name}/publish", &["steward"], false),
    ("POST", "/v1/statistics/{name}/refresh", &["steward"], true),
    ("POST", "/v1/check", &["steward"], false),
    ("POST", "/v1/plan", &["steward"], false),
    ("POST", "/v1/apply", &["steward"], false),
    ("GET", "/v1/requests", &["researcher", "steward"], false),
    ("POST", "/v1/requests", &["researcher"], false),
    ("POST", "/v1/requests/{number}/decide", &["steward"], false),
    ("GET", "/metrics", &["steward"], false),
    ("GET", "/v1/status", &["viewer", "researcher", "steward"], false),
    ("GET", "/livez", &["nobody", "viewer", "researcher", "steward"], false),
    ("GET", "/readyz", &["nobody", "viewer", "researcher", "steward"], false),
];

const PRIVATE: &str = "-- title: Not public\n-- epsilon: 0.05\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";

#[test]
fn every_documented_route_is_listed_here() {
    let lab = Lab::exact();
    let document = block_on(call(&lab.router, Method::GET, "/openapi.json", None, &[], String::new())).json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let mut documented: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        documented
            .extend(methods.as_object().expect("methods").keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    let mut listed: Vec<_> = ROUTES.iter().map(|(method, path, ..)| (method.to_string(), path.to_string())).collect();
    documented.sort();
    listed.sort();
    assert_eq!(documented, listed);
}

/// Which routes need a token is in the document, too; `pad.rs` goes by it.
#[test]
fn every_route_that_needs_a_token_says_so() {
    let lab = Lab::exact();
    let document = block_on(call(&lab.router, Method::GET, "/openapi.json", None, &[], String::new())).json();
    for (method, path, roles, _) in ROUTES {
        let says = document["paths"][path][method.to_lowercase()].get("security").is_some();
        assert!(says || roles.contains(&"nobody"), "{method} {path} has no security((\"token\" = []))");
    }
}

/// Whatever a route may refuse is in the document, as what it is.
#[test]
fn every_route_documents_its_problems() {
    let lab = Lab::exact();
    let document = block_on(call(&lab.router, Method::GET, "/openapi.json", None, &[], String::new())).json();
    for (path, methods) in
        document["paths"].as_object().expect("paths").iter().filter(|(path, _)| path.starts_with("/v1/"))
    {
        for (method, operation) in methods.as_object().expect("methods") {
            for status in ["4XX", "5XX"] {
                let content = &operation["responses"][status]["content"];
                assert!(content["application/problem+json"].is_object(), "{method} {path} {status}");
                assert!(content["application/json"].is_null(), "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn every_route_keeps_to_its_roles_and_only_queries_spend() {
    block_on(async {
        let clock = Arc::new(StoppedClock);
        let lab = Lab::publishing(&policy(GAUSSIAN), &[("private", PRIVATE)], "1", clock);
        lab.service.refresh_due().await;
        let release =
            lab.sql("SELECT COUNT(*) FROM visits", "0.1").await.json()["release"].as_str().expect("an id").to_owned();
        let tokens = [
            ("nobody", None),
            ("viewer", Some(&lab.viewer)),
            ("researcher", Some(&lab.researcher)),
            ("steward", Some(&lab.steward)),
        ];
        for (method, path, roles, may_spend) in ROUTES {
            for (role, token) in &tokens {
                let values = [
                    ("{id}", release.as_str()),
                    ("/datasets/{name}", "/datasets/visits"),
                    ("/statistics/{name}", "/statistics/private"),
                    ("{number}", "1"),
                    ("{token}", "laptop"),
                    ("{name}", "nobody"),
                ];
                let concrete = filled(path, &values);
                let body = match path {
                    "/v1/quotes" | "/v1/queries" => {
                        json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 30", "epsilon": "0.1"})
                    }
                    "/v1/links" => json!({"statistic": "private", "format": "csv", "days": 3}),
                    "/v1/researchers" => json!({"name": format!("new-{role}"), "role": "viewer"}),
                    "/v1/grants" => {
                        json!({"researcher": "ada", "dataset": "visits", "epsilon": "4", "reason": "ratchet"})
                    }
                    "/v1/datasets/{name}/freeze" | "/v1/datasets/{name}/unfreeze" => json!({"reason": "ratchet"}),
                    _ => json!({}),
                };
                let before = spent(&lab);
                let method: Method = method.parse().expect("a method");
                let reply =
                    call(&lab.router, method.clone(), &concrete, token.map(String::as_str), &[], body.to_string())
                        .await;
                let allowed = roles.contains(role);
                let refused = matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                assert_eq!(refused, !allowed, "{method} {path} as {role}: {}", reply.status);
                assert_eq!(
                    reply.status == StatusCode::UNAUTHORIZED,
                    !allowed && *role == "nobody",
                    "{method} {path} as {role}"
                );
                assert_eq!(spent(&lab) != before, may_spend && allowed, "{method} {path} as {role} spends");
                assert!(!(method == Method::GET && may_spend), "GETs never spend");
            }
        }
    });
}

fn spent(lab: &Lab) -> u64 {
    read(lab.service.ledger(), |book| {
        book.find("visits", AccountKind::Dataset, "visits").expect("a dataset").spent.quanta()
    })
}
