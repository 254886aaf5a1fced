//! Projects, periods, oversubscription, raised caps and freezes, as a steward sets them.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tacit::kernel::vault::noise::OpenDp;

use crate::support::{BrokenNoise, GAUSSIAN, Lab, PURE, block_on, launch, policy, visits};

fn account(accounts: &Value, kind: &str, name: &str) -> Value {
    let is_it = |account: &&Value| account["kind"] == kind && account["name"] == name;
    accounts
        .as_array()
        .expect("a list")
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{kind} {name} in {accounts}"))
        .clone()
}

fn lab() -> Lab {
    Lab::new(&policy(PURE), &visits(20), Arc::new(OpenDp), "10")
}

async fn add(lab: &Lab, name: &str) -> String {
    let added = lab.act("/v1/researchers", &json!({"name": name})).await;
    added.json()["token"].as_str().expect("a token").to_owned()
}

async fn ask(lab: &Lab, token: &str, age: u32, epsilon: &str) -> crate::support::Reply {
    let body = json!({"sql": format!("SELECT COUNT(*) FROM visits WHERE age > {age}"), "epsilon": epsilon});
    let method = axum::http::Method::POST;
    crate::support::call(&lab.router, method, "/v1/queries", Some(token), &[], body.to_string()).await
}

#[test]
fn a_project_binds_its_researchers_together() {
    block_on(async {
        let lab = lab();
        let (bob, cyd) = (add(&lab, "bob").await, add(&lab, "cyd").await);
        let grant = async |body: Value| lab.act("/v1/grants", &body).await;
        let no_project =
            json!({"researcher": "bob", "project": "asthma", "dataset": "visits", "epsilon": "2", "reason": "r"});
        assert!(
            grant(no_project.clone()).await.json()["detail"]
                .as_str()
                .is_some_and(|text| text.contains("grant it first"))
        );
        let project = |epsilon: &str| json!({"kind": "project", "project": "asthma", "dataset": "visits", "epsilon": epsilon, "reason": "r"});
        assert_eq!(grant(project("91")).await.code(), "invalid-request", "ada has 10 of 100");
        assert_eq!(grant(project("3")).await.status, StatusCode::OK);
        for (name, epsilon, fits) in
            [("bob", "4", false), ("bob", "2", true), ("cyd", "1.5", false), ("cyd", "1", true)]
        {
            let body = json!({"researcher": name, "project": "asthma", "dataset": "visits", "epsilon": epsilon, "reason": "r"});
            assert_eq!(grant(body).await.status == StatusCode::OK, fits, "{name} {epsilon}");
        }
        let moved =
            json!({"researcher": "ada", "project": "asthma", "dataset": "visits", "epsilon": "1", "reason": "r"});
        assert!(
            grant(moved).await.json()["detail"]
                .as_str()
                .is_some_and(|text| text.contains("holds an account below the dataset itself"))
        );
        assert_eq!(ask(&lab, &bob, 1, "2").await.status, StatusCode::OK);
        let shared = ask(&lab, &cyd, 1, "1").await;
        assert_eq!(shared.status, StatusCode::OK, "what bob asked costs cyd 2 and does not fit; new noise for 1 does");
        assert_eq!(shared.json()["replayed"], false);
        let refused = ask(&lab, &cyd, 2, "0.1").await.json();
        assert!(refused["detail"].as_str().is_some_and(|text| text.contains("your account")), "{refused}");
        let all = lab.get("/v1/accounts", &lab.steward).await.json();
        assert_eq!(account(&all, "project", "asthma")["epsilon_spent"], "3");
        assert_eq!(account(&all, "dataset", "visits")["epsilon_spent"], "3");
        assert_eq!(account(&all, "researcher", "cyd")["project"], "asthma");
        let own = lab.get("/v1/accounts", &cyd).await.json();
        assert_eq!(own.as_array().map(Vec::len), Some(2), "their own, and their project's: {own}");
        assert_eq!(lab.get("/v1/accounts", &lab.researcher).await.json().as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn a_period_shows_beside_the_lifetime() {
    block_on(async {
        let lab = lab();
        let bob = add(&lab, "bob").await;
        for (days, fits) in
            [(json!(30), true), (json!(0), false), (json!(3.5), false), (json!("30"), false), (json!(4000), false)]
        {
            let body =
                json!({"researcher": "bob", "dataset": "visits", "epsilon": "2", "period_days": days, "reason": "r"});
            assert_eq!(lab.act("/v1/grants", &body).await.status == StatusCode::OK, fits, "{days}");
        }
        assert_eq!(ask(&lab, &bob, 1, "1.5").await.status, StatusCode::OK);
        let own = lab.get("/v1/accounts", &bob).await.json();
        assert_eq!((&own[0]["epsilon_spent"], &own[0]["lifetime"]["epsilon_spent"]), (&json!("1.5"), &json!("1.5")));
        assert_eq!(own[0]["period"]["days"], 30);
        assert_eq!(own[0]["answers_left"], 0);
        assert_eq!(ask(&lab, &bob, 2, "0.6").await.code(), "budget-exhausted");
        assert_eq!(ask(&lab, &bob, 2, "0.5").await.status, StatusCode::OK);
    });
}

#[test]
fn allocations_may_sum_to_more_only_where_the_policy_says_so() {
    block_on(async {
        let text = policy(PURE).replace("max_rows = 1_000_000", "max_rows = 1_000_000\noversubscribe = true");
        let lab = Lab::new(&text, &visits(20), Arc::new(OpenDp), "100");
        let bob = add(&lab, "bob").await;
        assert_eq!(lab.grant("bob", "visits", "100").await.status, StatusCode::OK);
        assert_eq!(lab.grant("bob", "visits", "100.000000001").await.status, StatusCode::BAD_REQUEST);
        for age in 0..2 {
            assert_eq!(ask(&lab, &lab.researcher, age, "50").await.status, StatusCode::OK);
        }
        let refused = ask(&lab, &bob, 9, "0.1").await.json();
        assert_eq!((&refused["code"], &refused["epsilon_remaining"]), (&json!("budget-exhausted"), &json!("0")));
        assert!(refused["detail"].as_str().is_some_and(|text| text.contains("lifetime cap")), "{refused}");
        assert_eq!(ask(&lab, &bob, 1, "50").await.status, StatusCode::OK, "what is stored fits his own account");
        let dataset = lab.get("/v1/datasets/visits", &bob).await.json();
        assert_eq!(dataset["oversubscribe"], true);
        let all = lab.get("/v1/accounts", &lab.steward).await.json();
        assert_eq!(
            account(&all, "researcher", "bob")["epsilon_remaining"],
            "0",
            "the cap is spent, whatever his account holds"
        );
    });
}

#[test]
fn a_lifetime_cap_only_rises() {
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(OpenDp), "4");
        let raise = async |epsilon: &str| {
            lab.act(
                "/v1/grants",
                &json!({"kind": "dataset", "dataset": "visits", "epsilon": epsilon, "reason": "the board"}),
            )
            .await
        };
        for lower in ["3", "4"] {
            let refused = raise(lower).await.json();
            assert!(refused["detail"].as_str().is_some_and(|text| text.contains("only rises")), "{refused}");
        }
        assert_eq!(raise("5").await.json()["epsilon_cap"], "5");
        assert_eq!(lab.get("/v1/datasets/visits", &lab.viewer).await.json()["cap"]["epsilon"], "5");
        assert_eq!(lab.grant("ada", "visits", "5").await.status, StatusCode::OK, "the whole of it fits");
        let wrong = json!({"kind": "dataset", "dataset": "visits", "epsilon": "6", "reason": "r", "researcher": "ada"});
        assert_eq!(lab.act("/v1/grants", &wrong).await.code(), "invalid-request");
        assert_eq!(
            lab.act("/v1/grants", &json!({"dataset": "visits", "epsilon": "6", "reason": "r"})).await.code(),
            "invalid-request"
        );
        // The policy still has the cap that the dataset was opened with, and the server starts on it.
        let Lab { dir, service, router, .. } = lab;
        drop((service, router));
        let (state, path) = (dir.path().join("state"), dir.path().join("policy.toml"));
        drop(tacit::startup::open(&state, None, &[&path], launch()).unwrap_or_else(|error| panic!("{error}")));
        let twice = tacit::startup::open(&state, None, &[&path, &path], launch()).err().map(|error| error.to_string());
        assert!(
            twice.is_some_and(|said| said.contains("two policies")),
            "a policy that is named twice is told at once"
        );
        for (cap, starts) in [("5", true), ("4.5", false)] {
            let text = policy(GAUSSIAN).replace("epsilon = \"4\"", &format!("epsilon = \"{cap}\""));
            std::fs::write(&path, text).expect("a policy");
            assert_eq!(tacit::startup::open(&state, None, &[&path], launch()).is_ok(), starts, "{cap}");
        }
    });
}

#[test]
fn three_incidents_freeze_a_dataset_until_its_steward_acts() {
    block_on(async {
        let lab = Lab::new(&policy(PURE), &visits(20), Arc::new(BrokenNoise), "10");
        for age in 0..3 {
            assert_eq!(ask(&lab, &lab.researcher, age, "0.1").await.code(), "unanswered");
        }
        let head = lab.head();
        let refused = ask(&lab, &lab.researcher, 9, "0.1").await;
        assert_eq!((refused.status, refused.code().as_str(), lab.head()), (StatusCode::FORBIDDEN, "frozen", head));
        let all = lab.get("/v1/accounts", &lab.steward).await.json();
        let dataset = account(&all, "dataset", "visits");
        assert_eq!((&dataset["frozen"], &dataset["incidents"]), (&json!(true), &json!(3)));
        let unfreeze = async |reason: &str| lab.act("/v1/datasets/visits/unfreeze", &json!({"reason": reason})).await;
        assert_eq!(unfreeze(" ").await.code(), "invalid-request");
        assert_eq!(unfreeze("the random source was repaired").await.json()["frozen"], false);
        assert_eq!(
            ask(&lab, &lab.researcher, 9, "0.1").await.code(),
            "unanswered",
            "it goes on, and the count begins anew"
        );
        assert_eq!(unfreeze("one more").await.json()["incidents"], 0);
        let freeze = async |dataset: &str| {
            lab.act(&format!("/v1/datasets/{dataset}/freeze"), &json!({"reason": "an audit"})).await
        };
        assert_eq!(freeze("visits").await.json()["frozen"], true);
        assert_eq!(freeze("visits").await.code(), "invalid-request");
        assert_eq!(freeze("nowhere").await.code(), "unknown-dataset");
        assert_eq!(ask(&lab, &lab.researcher, 10, "0.1").await.code(), "frozen");
    });
}
