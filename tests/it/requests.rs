//! Requests for budget: what may be requested, who decides, and that each request is decided once.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::Act;
use tacit::kernel::budget::state::REQUESTS_OPEN_MAX;

use crate::support::{GAUSSIAN, Lab, NoNoise, Reply, block_on, call, policy, visits};

/// A lab in which ada holds an ε of 1 out of a cap of 4.
fn lab() -> Lab {
    Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(NoNoise), "1")
}

async fn post(lab: &Lab, token: &str, path: &str, body: &Value) -> Reply {
    call(&lab.router, Method::POST, path, Some(token), &[], body.to_string()).await
}

async fn file(lab: &Lab, dataset: &str, epsilon: &str) -> Reply {
    let body = json!({"dataset": dataset, "epsilon": epsilon, "reason": "a second study"});
    post(lab, &lab.researcher, "/v1/requests", &body).await
}

/// Files a valid request and returns its number.
async fn filed(lab: &Lab, epsilon: &str) -> u64 {
    let reply = file(lab, "visits", epsilon).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&reply.bytes));
    reply.json()["number"].as_u64().expect("a number")
}

async fn decide(lab: &Lab, number: u64, body: &Value) -> Reply {
    lab.act(&format!("/v1/requests/{number}/decide"), body).await
}

/// The ε that ada holds, as text.
async fn held(lab: &Lab) -> String {
    lab.get("/v1/accounts", &lab.researcher).await.json()[0]["epsilon_cap"].as_str().expect("an epsilon").to_owned()
}

fn acts(lab: &Lab) -> Vec<&'static str> {
    let entries = lab.service.ledger().entries(0, 1_000).expect("entries");
    entries.iter().map(|entry| entry.act.kind()).collect()
}

#[test]
fn a_request_asks_for_more_than_is_held_and_at_most_the_cap() {
    block_on(async {
        let lab = lab();
        let head = lab.head();
        for (dataset, epsilon, code) in [
            ("visits", "1", "invalid-request"),
            ("visits", "0.5", "invalid-request"),
            ("visits", "4.000000001", "invalid-request"),
            ("visits", "0", "invalid-epsilon"),
            ("visits", "two", "invalid-epsilon"),
            ("nowhere", "2", "unknown-dataset"),
        ] {
            assert_eq!(file(&lab, dataset, epsilon).await.code(), code, "{dataset} {epsilon}");
        }
        let long = "x".repeat(501);
        for body in [
            json!({"dataset": "visits", "epsilon": 2, "reason": "a number"}),
            json!({"dataset": "visits", "epsilon": "2", "reason": " "}),
            json!({"dataset": "visits", "epsilon": "2", "reason": long}),
            json!({"dataset": "visits", "epsilon": "2"}),
            json!({"dataset": "visits", "epsilon": "2", "reason": "r", "by": "ada"}),
        ] {
            let reply = post(&lab, &lab.researcher, "/v1/requests", &body).await;
            assert_eq!(reply.code(), "invalid-request", "{body}");
        }
        assert_eq!(lab.head(), head, "nothing of it is on record");
        let request = file(&lab, "visits", "4").await.json();
        assert_eq!(
            (&request["status"], &request["epsilon"]),
            (&json!("open"), &json!("4")),
            "the whole cap may be asked for"
        );
        assert_eq!((&request["researcher"], &request["decision_reason"]), (&json!("ada"), &Value::Null));
        assert_eq!(held(&lab).await, "1", "asking changes nothing");
        lab.verified();
    });
}

#[test]
fn few_requests_are_open_at_once() {
    block_on(async {
        let lab = lab();
        let mut numbers = Vec::new();
        for _ in 0..REQUESTS_OPEN_MAX {
            numbers.push(filed(&lab, "2").await);
        }
        let refused = file(&lab, "visits", "2").await;
        let detail = refused.json()["detail"].as_str().expect("words").to_owned();
        assert!(refused.code() == "invalid-request" && detail.contains("at most 5"), "{detail}");
        let declined = decide(&lab, numbers[0], &json!({"granted": false, "reason": "not this year"})).await.json();
        assert_eq!((&declined["status"], &declined["decision_reason"]), (&json!("declined"), &json!("not this year")));
        assert_eq!(held(&lab).await, "1", "declining changes nothing");
        numbers.push(filed(&lab, "2").await);
        assert_eq!(file(&lab, "visits", "2").await.code(), "invalid-request");

        let page = lab.get("/v1/requests?limit=2", &lab.researcher).await;
        let listed = |reply: &Reply| -> Vec<u64> {
            let list = reply.json();
            list.as_array().expect("a list").iter().map(|one| one["number"].as_u64().expect("a number")).collect()
        };
        numbers.reverse();
        assert_eq!(listed(&page), numbers[..2], "newest first");
        let link = page.headers["link"].to_str().expect("a link").to_owned();
        assert_eq!(link, format!("</v1/requests?limit=2&after={}>; rel=\"next\"", numbers[1]));
        let rest = lab.get(&format!("/v1/requests?after={}", numbers[1]), &lab.steward).await;
        assert_eq!(listed(&rest), numbers[2..]);
        lab.verified();
    });
}

#[test]
fn a_grant_stands_in_the_ledger_before_its_decision() {
    block_on(async {
        let lab = lab();
        let (first, second, third) = (filed(&lab, "2").await, filed(&lab, "3").await, filed(&lab, "2.5").await);
        for (body, code) in [
            (json!({"granted": "yes", "reason": "r"}), "invalid-request"),
            (json!({"reason": "r"}), "invalid-request"),
            (json!({"granted": true}), "invalid-request"),
            (json!({"granted": true, "reason": ""}), "invalid-request"),
            (json!({"granted": false, "epsilon": "2", "reason": "r"}), "invalid-request"),
            (json!({"granted": true, "epsilon": "0.5", "reason": "lower"}), "invalid-request"),
            (json!({"granted": true, "epsilon": "5", "reason": "above the cap"}), "invalid-request"),
            (json!({"granted": true, "epsilon": "-1", "reason": "r"}), "invalid-epsilon"),
        ] {
            assert_eq!(decide(&lab, first, &body).await.code(), code, "{body}");
        }
        for unknown in ["0", "999", "x", "1"] {
            let reply =
                lab.act(&format!("/v1/requests/{unknown}/decide"), &json!({"granted": false, "reason": "r"})).await;
            assert_eq!(reply.code(), "not-found", "{unknown}");
        }
        assert_eq!(held(&lab).await, "1");

        let granted = decide(&lab, first, &json!({"granted": true, "reason": "a good plan"})).await;
        assert_eq!((granted.status, &granted.json()["status"]), (StatusCode::OK, &json!("granted")));
        assert_eq!(held(&lab).await, "2");
        assert!(acts(&lab).ends_with(&["request-granted"]), "{:?}", acts(&lab));
        let head = lab.head();
        for again in [json!({"granted": true, "reason": "r"}), json!({"granted": false, "reason": "r"})] {
            let reply = decide(&lab, first, &again).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::CONFLICT, "already-exists"));
        }
        assert_eq!(lab.head(), head, "nothing is decided twice");

        // The steward may grant more or less than was requested; a request that was overtaken does not lower anything.
        assert_eq!(decide(&lab, second, &json!({"granted": true, "epsilon": "2.75", "reason": "r"})).await.status, 200);
        assert_eq!(held(&lab).await, "2.75");
        assert_eq!(decide(&lab, third, &json!({"granted": true, "reason": "r"})).await.code(), "invalid-request");
        assert_eq!(decide(&lab, third, &json!({"granted": false, "reason": "overtaken"})).await.status, 200);
        assert_eq!(held(&lab).await, "2.75");
        lab.verified();
    });
}

/// If several stewards decide at the same time, one decision stands, and a recorded grant belongs to it.
#[test]
fn two_stewards_decide_once() {
    block_on(async {
        let lab = lab();
        let number = filed(&lab, "2").await;
        let (yes, no) = (json!({"granted": true, "reason": "yes"}), json!({"granted": false, "reason": "no"}));
        let (first, second) = tokio::join!(decide(&lab, number, &yes), decide(&lab, number, &no));
        let won = [&first, &second].iter().filter(|reply| reply.status == StatusCode::OK).count();
        assert_eq!(won, 1, "{first:?} {second:?}");
        assert_eq!(held(&lab).await, if first.status == StatusCode::OK { "2" } else { "1" });
        lab.verified();
    });
}

#[test]
fn a_granted_request_keeps_the_renewal() {
    block_on(async {
        let lab = lab();
        let body = json!({"researcher": "ada", "dataset": "visits", "epsilon": "1", "period_days": 30, "reason": "r"});
        assert_eq!(lab.act("/v1/grants", &body).await.status, StatusCode::OK);
        let number = filed(&lab, "1.5").await;
        assert_eq!(decide(&lab, number, &json!({"granted": true, "reason": "r"})).await.status, StatusCode::OK);
        let account = lab.get("/v1/accounts", &lab.researcher).await.json()[0].clone();
        assert_eq!((&account["epsilon_cap"], &account["period"]["days"]), (&json!("1.5"), &json!(30)), "{account}");
        let entries = lab.service.ledger().entries(number, 10).expect("entries");
        assert!(
            matches!(&entries[0].act, Act::RequestGranted { by, reason, .. } if by == "sam" && reason == "r"),
            "{entries:?}"
        );
        lab.verified();
    });
}

#[test]
fn one_sees_one_s_own_requests_and_stewards_all() {
    block_on(async {
        let lab = lab();
        let number = filed(&lab, "2").await;
        let added = lab.act("/v1/researchers", &json!({"name": "bob"})).await.json();
        let bob = added["token"].as_str().expect("a token").to_owned();
        assert_eq!(lab.get("/v1/requests", &bob).await.json(), json!([]));
        let after = lab.get(&format!("/v1/requests?after={number}"), &bob).await;
        assert_eq!(after.code(), "invalid-request", "not even that it is there");
        let unknown =
            post(&lab, &bob, "/v1/requests", &json!({"dataset": "visits", "epsilon": "2", "reason": "r"})).await;
        assert_eq!(unknown.code(), "unknown-dataset", "bob holds no account");
        for token in [&lab.researcher, &lab.steward] {
            assert_eq!(lab.get("/v1/requests", token).await.json()[0]["number"], number);
        }
        let path = format!("/v1/requests/{number}/decide");
        for token in [&lab.viewer, &lab.researcher] {
            let reply = post(&lab, token, &path, &json!({"granted": true, "reason": "mine"})).await;
            assert_eq!(reply.code(), "forbidden");
        }
        for token in [&lab.viewer, &lab.steward] {
            let body = json!({"dataset": "visits", "epsilon": "2", "reason": "r"});
            assert_eq!(post(&lab, token, "/v1/requests", &body).await.code(), "forbidden");
        }
        assert_eq!(lab.get("/v1/requests", &lab.viewer).await.code(), "forbidden");
        lab.verified();
    });
}
