//! Roles that change: at once at every door, by everybody who may change them, and never so that nobody is left to.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::Act;
use tacit::kernel::budget::people::Role;
use tacit::service::stewarding::{people, roles, tokens};

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, NoNoise, Reply, block_on, call, policy, visits};

fn lab() -> Lab {
    Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(NoNoise), "1")
}

async fn set(lab: &Lab, name: &str, body: &Value) -> Reply {
    let path = format!("/v1/researchers/{name}/role");
    call(&lab.router, Method::PUT, &path, Some(&lab.steward), &[], body.to_string()).await
}

async fn asked(lab: &Lab, token: &str) -> StatusCode {
    let body = json!({"sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": "0.1"}).to_string();
    call(&lab.router, Method::POST, "/v1/queries", Some(token), &[], body).await.status
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

/// A researcher becomes a viewer, a steward and a researcher again: tokens and sessions know it at once, and what was spent stays spent.
#[test]
fn a_role_changes_at_once_and_leaves_the_rest() {
    block_on(async {
        let lab = lab();
        let (ada, session) = (lab.researcher.clone(), Browser::new(&lab, &lab.researcher).await);
        assert_eq!(asked(&lab, &ada).await, StatusCode::OK);
        let spent = async || {
            let accounts = lab.get("/v1/accounts", &lab.steward).await.json();
            let list = accounts.as_array().expect("accounts");
            list.iter().find(|account| account["name"] == "ada").map(|account| account["epsilon_spent"].clone())
        };
        let before = spent().await;
        assert!(before.is_some());
        let reply = set(&lab, "ada", &json!({"role": "viewer"})).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", text(&reply));
        let seen = json!({"name": "ada", "role": "viewer", "active": true, "datasets": ["visits"]});
        assert_eq!(reply.json(), seen, "a viewer sees what they saw as a researcher, and no more");
        assert_eq!(asked(&lab, &ada).await, StatusCode::FORBIDDEN);
        assert_eq!(
            session.get(&lab, "/ask").await.status,
            StatusCode::FORBIDDEN,
            "the session goes on with the new role"
        );
        assert_eq!(session.get(&lab, "/statistics").await.status, StatusCode::OK);
        let entries = lab.head().0;
        assert_eq!(set(&lab, "ada", &json!({"role": "viewer"})).await.json(), seen);
        assert_eq!(lab.head().0, entries, "what is so already takes no entry");
        assert_eq!(set(&lab, "ada", &json!({"role": "viewer", "datasets": []})).await.json()["datasets"], json!([]));
        assert_eq!(set(&lab, "ada", &json!({"role": "steward"})).await.status, StatusCode::OK);
        assert_eq!(lab.get("/v1/ledger", &ada).await.status, StatusCode::OK);
        assert_eq!(session.get(&lab, "/people").await.status, StatusCode::OK);
        assert_eq!(set(&lab, "ada", &json!({"role": "researcher"})).await.status, StatusCode::OK);
        assert_eq!(asked(&lab, &ada).await, StatusCode::OK, "the allocation is as it was");
        assert_eq!(spent().await, before, "and so is what was spent: the answer was stored");
        // Whoever was given datasets before sees those, also when they are a viewer again.
        let again = set(&lab, "ada", &json!({"role": "viewer"})).await.json();
        assert_eq!(again["datasets"], json!([]));
        for (name, body, status) in [
            ("ada", json!({"role": "researcher", "datasets": ["visits"]}), StatusCode::BAD_REQUEST),
            ("ada", json!({"role": "viewer", "datasets": ["nowhere"]}), StatusCode::NOT_FOUND),
            ("ada", json!({"role": "king"}), StatusCode::BAD_REQUEST),
            ("ada", json!({}), StatusCode::BAD_REQUEST),
            ("zoe", json!({"role": "viewer"}), StatusCode::NOT_FOUND),
        ] {
            assert_eq!(set(&lab, name, &body).await.status, status, "{name} {body}");
        }
        let entries = lab.service.ledger().entries(0, 1_000).expect("entries");
        let set = entries.iter().filter(|entry| matches!(entry.act, Act::RoleSet { .. })).count();
        assert_eq!(set, 4);
        lab.verified();
    });
}

/// The last steward who may come in remains one: whoever else is a steward must hold a token that is good.
#[test]
fn a_steward_who_may_come_in_remains() {
    let lab = lab();
    let ledger = lab.service.ledger();
    let make =
        |name: &str, role, at| roles::set_role(ledger, name, role, None, "sam", at).map_err(|error| error.to_string());
    let last = Err("\"sam\" is the last steward; add another one first".to_owned());
    assert_eq!(make("sam", Role::Viewer, 0), last);
    people::add_person(ledger, "sue", Role::Steward, "sam", 0).expect("sue");
    people::revoke_token(ledger, "sue", "sam", 0).expect("revoked");
    assert_eq!(make("sam", Role::Researcher, 0), last, "sue holds no token");
    let terms = tokens::TokenTerms { name: "day".to_owned(), expires_ms: Some(1_000) };
    tokens::issue(ledger, "sue", terms, "sam", 0).expect("a token");
    assert_eq!(make("sam", Role::Researcher, 1_000), last, "her token has expired by then");
    assert_eq!(make("sam", Role::Researcher, 999), Ok(()));
    assert!(make("sue", Role::Viewer, 999).is_err(), "now she is the last one");
    assert_eq!(make("ada", Role::Steward, 999), Ok(()), "a researcher becomes a steward");
    assert_eq!(make("sue", Role::Viewer, 999), Ok(()));
}

/// In the console, the page says what a role would mean, and its button changes it.
#[test]
fn stewards_change_roles_in_the_console() {
    block_on(async {
        let lab = lab();
        let steward = Browser::new(&lab, &lab.steward).await;
        let head = lab.head();
        let person = text(&steward.get(&lab, "/people/ada").await);
        assert!(person.contains("href=\"/people/ada/role\""), "{person}");
        let page = text(&steward.get(&lab, "/people/ada/role").await);
        for said in
            ["ada is a <strong>researcher", "Make ada a viewer", "Make ada a steward", "Allocations (visits) stay"]
        {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(page.contains("name=\"sees-visits\" value=\"yes\" checked"), "what they see now is ticked: {page}");
        assert_eq!(lab.head(), head, "looking changes nothing");
        let wrong = steward.post(&lab, "/people/ada/role", &[("role", "king")]).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(text(&wrong).contains("is not a role"), "{}", text(&wrong));
        let reply = steward.post(&lab, "/people/ada/role", &[("role", "viewer"), ("listed", "yes")]).await;
        assert_eq!(
            (reply.status, &reply.headers["location"]),
            (StatusCode::SEE_OTHER, &"/people/ada?done=role".parse().expect("a path"))
        );
        let page = text(&steward.get(&lab, "/people/ada?done=role").await);
        assert!(page.contains("The role is changed") && page.contains("public statistics alone"), "{page}");
        let ledger = text(&steward.get(&lab, "/ledger?person=ada&act=role-set").await);
        assert!(ledger.contains("sam made ada a viewer, who may see public statistics alone"), "{ledger}");
        let own = text(&steward.get(&lab, "/people/sam/role").await);
        assert!(own.contains("is the last steward who may come in") && !own.contains("Make sam"), "{own}");
        let refused = steward.post(&lab, "/people/sam/role", &[("role", "viewer")]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(text(&refused).contains("is the last steward; add another one first"), "{}", text(&refused));
        assert_eq!(steward.get(&lab, "/people/zoe/role").await.status, StatusCode::NOT_FOUND);
    });
}

/// Files declare other roles than people have; the last steward is told at their place, wherever in the files another one stands.
#[test]
fn files_change_roles() {
    block_on(async {
        let lab = lab();
        let apply = async |text: &str| {
            let body = json!({"files": [{"name": "people.toml", "text": text}], "reason": "as in Git"});
            lab.act("/v1/apply", &body).await
        };
        let person = |name: &str, role: &str| format!("[[person]]\nname = \"{name}\"\nrole = \"{role}\"\n");
        let reply = apply(&format!("{}{}", person("ada", "viewer"), person("sam", "steward"))).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", text(&reply));
        let changes = reply.json()["changes"].to_string();
        assert!(changes.contains("make ada, who is a researcher, a viewer of the statistics of visits"), "{changes}");
        let refused = apply(&format!("{}{}", person("ada", "viewer"), person("sam", "researcher"))).await;
        let said = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        let place = "people.toml: line 5, column 8: \"sam\" is the last steward with a token, and so cannot become a researcher";
        assert!(refused.status == StatusCode::BAD_REQUEST && said.starts_with(place), "{said}");
        // Another steward stands after the one who is to be none.
        let swapped = apply(&format!("{}{}", person("sam", "researcher"), person("ada", "steward"))).await;
        assert_eq!(swapped.status, StatusCode::OK, "{}", text(&swapped));
        assert_eq!(lab.get("/v1/ledger", &lab.researcher).await.status, StatusCode::OK, "ada is the steward now");
        assert_eq!(lab.get("/v1/ledger", &lab.steward).await.status, StatusCode::FORBIDDEN);
        lab.verified();
    });
}
