//! Tokens with names and ends: at every door, for as long as they are good, and one by one.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::people::Role;
use tacit::service::stewarding::{people, tokens};

use crate::console::Browser;
use crate::pinned::SetClock;
use crate::support::{Lab, NoNoise, PURE, Reply, block_on, call, policy, visits};

/// 2026-09-21 12:26:40 UTC.
const NOW_MS: u64 = 1_789_993_600_000;
const DAY_MS: u64 = 86_400_000;

fn lab() -> (Lab, Arc<SetClock>) {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(20)).expect("a source");
    let clock = SetClock::at(NOW_MS);
    let lab = Lab::clocked(dir, &policy(PURE), Arc::new(NoNoise), "100", clock.clone(), |engine| Arc::new(engine));
    (lab, clock)
}

async fn delete(lab: &Lab, path: &str) -> Reply {
    call(&lab.router, Method::DELETE, path, Some(&lab.steward), &[], String::new()).await
}

async fn issued(lab: &Lab, name: &str, body: Value) -> String {
    let reply = lab.act(&format!("/v1/researchers/{name}/tokens"), &body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&reply.bytes));
    reply.json()["token"].as_str().expect("a token").to_owned()
}

async fn listed(lab: &Lab, name: &str) -> Vec<Value> {
    lab.get(&format!("/v1/researchers/{name}/tokens"), &lab.steward).await.rows_of_list()
}

trait List {
    fn rows_of_list(&self) -> Vec<Value>;
}

impl List for Reply {
    fn rows_of_list(&self) -> Vec<Value> {
        self.json().as_array().cloned().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&self.bytes)))
    }
}

#[test]
fn a_token_is_refused_from_its_end_on_at_every_door_and_says_why() {
    block_on(async {
        let (lab, clock) = lab();
        let token = issued(&lab, "ada", json!({"name": "laptop", "expires": "2026-09-22"})).await;
        let browser = Browser::new(&lab, &token).await;
        let is_in = async || lab.get("/v1/datasets", &token).await.status == StatusCode::OK;
        assert!(is_in().await);
        assert_eq!(browser.get(&lab, "/ask").await.status, StatusCode::OK);
        // The end of the day in UTC, to the millisecond.
        let end_ms = NOW_MS / DAY_MS * DAY_MS + 2 * DAY_MS;
        let session = Browser::new(&lab, &token).await;
        clock.set(end_ms - 1);
        assert!(is_in().await);
        let late = Browser::new(&lab, &token).await;
        assert_eq!(late.get(&lab, "/ask").await.status, StatusCode::OK);
        clock.set(end_ms);
        let reply = lab.get("/v1/datasets", &token).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
        assert_eq!(reply.json()["detail"], "the token expired at 2026-09-23T00:00:00.000Z");
        let asked = json!({"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.1"}).to_string();
        for path in ["/v1/queries", "/v1/quotes"] {
            let reply = call(&lab.router, Method::POST, path, Some(&token), &[], asked.clone()).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
        }
        assert_eq!(lab.get("/v1/statistics", &token).await.status, StatusCode::UNAUTHORIZED);
        // Sessions end with their token, and signing in again says why it does not work.
        for browser in [session, late] {
            assert_eq!(browser.get(&lab, "/ask").await.headers["location"], "/sign-in?ended=1&next=%2Fask");
        }
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let reply = call(&lab.router, Method::POST, "/sign-in", None, &headers, format!("token={token}")).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        let page = String::from_utf8_lossy(&reply.bytes).into_owned();
        assert!(page.contains("This token expired at 2026-09-23T00:00:00.000Z"), "{page}");
        // A token that nobody holds says nothing of the kind.
        let reply = lab.get("/v1/datasets", "tct_00").await;
        assert_eq!(reply.json()["detail"], "the request carries no valid token");
        // The first token goes on.
        assert_eq!(lab.get("/v1/datasets", &lab.researcher).await.status, StatusCode::OK);
    });
}

#[test]
fn tokens_are_listed_and_revoked_one_by_one() {
    block_on(async {
        let (lab, clock) = lab();
        let (laptop, script) = (
            issued(&lab, "ada", json!({"name": "laptop", "expires": "2027-01-31T18:00:00Z"})).await,
            issued(&lab, "ada", json!({"name": "script"})).await,
        );
        let names = |list: &[Value]| list.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
        let known: Vec<String> = names(&listed(&lab, "ada").await);
        assert_eq!(known, ["first", "laptop", "script"]);
        clock.set(NOW_MS + 60_000);
        assert_eq!(lab.get("/v1/datasets", &script).await.status, StatusCode::OK);
        clock.set(NOW_MS + 90_000);
        assert_eq!(lab.get("/v1/datasets", &script).await.status, StatusCode::OK);
        let list = listed(&lab, "ada").await;
        assert_eq!(list[1]["expires"], "2027-01-31T18:00:00.000Z");
        assert_eq!((&list[1]["last_used"], &list[2]["expires"]), (&Value::Null, &Value::Null));
        assert_eq!(list[2]["last_used"], "2026-09-21T12:27:40.000Z", "to the minute");
        let reply = lab.act("/v1/researchers/ada/tokens", &json!({"name": "script"})).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::CONFLICT, "already-exists"));
        assert_eq!(delete(&lab, "/v1/researchers/ada/tokens/script").await.status, StatusCode::NO_CONTENT);
        assert_eq!(delete(&lab, "/v1/researchers/ada/tokens/script").await.status, StatusCode::NOT_FOUND);
        assert_eq!(lab.get("/v1/datasets", &script).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(lab.get("/v1/datasets", &laptop).await.status, StatusCode::OK);
        let again = issued(&lab, "ada", json!({"name": "script"})).await;
        assert_eq!(delete(&lab, "/v1/researchers/ada/token").await.status, StatusCode::NO_CONTENT);
        for token in [&laptop, &again, &lab.researcher] {
            assert_eq!(lab.get("/v1/datasets", token).await.status, StatusCode::UNAUTHORIZED, "all at once");
        }
        assert!(listed(&lab, "ada").await.is_empty());
        issued(&lab, "ada", json!({"name": "new"})).await;
        for (body, status) in [
            (json!({"name": "a token"}), StatusCode::BAD_REQUEST),
            (json!({"name": "old", "expires": "2026-09-20"}), StatusCode::BAD_REQUEST),
            (json!({"name": "old", "expires": "tomorrow"}), StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(lab.act("/v1/researchers/ada/tokens", &body).await.status, status, "{body}");
        }
        let body = json!({"name": "x"});
        assert_eq!(lab.act("/v1/researchers/nobody/tokens", &body).await.status, StatusCode::NOT_FOUND);
        lab.verified();
    });
}

#[test]
fn a_person_is_added_with_a_token_that_expires() {
    block_on(async {
        let (lab, clock) = lab();
        let body = json!({"name": "vera", "role": "viewer", "datasets": ["visits"], "expires": "2026-09-21"});
        let reply = lab.act("/v1/researchers", &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&reply.bytes));
        let token = reply.json()["token"].as_str().expect("a token").to_owned();
        assert_eq!(reply.json()["expires"], "2026-09-22T00:00:00.000Z");
        assert_eq!(lab.get("/v1/statistics", &token).await.status, StatusCode::OK);
        let vera = async || {
            let list = lab.get("/v1/researchers", &lab.steward).await.rows_of_list();
            list.into_iter().find(|one| one["name"] == "vera").expect("vera")
        };
        assert_eq!(vera().await, json!({"name": "vera", "role": "viewer", "active": true, "datasets": ["visits"]}));
        clock.set(NOW_MS + DAY_MS);
        assert_eq!(vera().await["active"], false);
        assert_eq!(lab.get("/v1/statistics", &token).await.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn the_last_steward_keeps_a_token_that_is_good() {
    let (lab, clock) = lab();
    let ledger = lab.service.ledger();
    let revoke = |name: &str, token: &str, at| tokens::revoke_one(ledger, name, token, "sam", at);
    let terms = |name: &str, expires_ms| tokens::TokenTerms { name: name.to_owned(), expires_ms };
    assert!(revoke("sam", "first", NOW_MS).is_err());
    tokens::issue(ledger, "sam", terms("day", Some(NOW_MS + DAY_MS)), "sam", NOW_MS).expect("a token");
    assert!(revoke("sam", "first", NOW_MS + DAY_MS).is_err(), "the other one has expired by then");
    revoke("sam", "first", NOW_MS).expect("the other one is good");
    assert!(revoke("sam", "day", NOW_MS).is_err());
    people::add_person(ledger, "sue", Role::Steward, "sam", NOW_MS).expect("sue");
    revoke("sam", "day", NOW_MS).expect("another steward may come in");
    assert!(revoke("sue", "first", NOW_MS).is_err());
    for number in 0..21 {
        let given = tokens::issue(ledger, "ada", terms(&format!("t{number}"), None), "sue", clock.tick());
        assert_eq!(given.is_ok(), number < 19, "{number}: with the first one that is 20");
    }
}

#[test]
fn a_persons_page_shows_tokens_and_accounts_and_gives_and_revokes() {
    block_on(async {
        let (lab, _) = lab();
        lab.sql("SELECT COUNT(*) FROM visits", "0.1").await.json();
        let steward = Browser::new(&lab, &lab.steward).await;
        let text = |reply: &Reply| String::from_utf8_lossy(&reply.bytes).into_owned();
        let page = text(&steward.get(&lab, "/people/ada").await);
        for said in ["researcher", "Last here", "2026-09-21 12:26", "of the ledger", "never", "visits"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let fields = [("token_name", "laptop"), ("expires", "2026-10-01")];
        let given = text(&steward.post(&lab, "/people/ada/tokens", &fields).await);
        let (_, rest) = given.split_once("class=\"token\">").unwrap_or_else(|| panic!("{given}"));
        let token = rest.split('<').next().expect("a token");
        assert!(given.contains("2026-10-02 00:00"));
        assert_eq!(lab.get("/v1/datasets", token).await.status, StatusCode::OK);
        let reply = steward.post(&lab, "/people/ada/tokens/revoke", &[("token_name", "laptop")]).await;
        assert_eq!(reply.headers["location"], "/people/ada");
        assert_eq!(lab.get("/v1/datasets", token).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(steward.get(&lab, "/people/zoe").await.status, StatusCode::NOT_FOUND);
        let ledger = text(&steward.get(&lab, "/ledger?person=ada&act=token-issued").await);
        assert!(ledger.contains("sam gave ada, a researcher, the token “laptop”, until 2026-10-02"), "{ledger}");
    });
}
