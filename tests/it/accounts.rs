//! Accounts, grants, people and what they may see; the ledger after a restart.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::vault::noise::OpenDp;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, block_on, call, launch, policy, visits};

#[test]
fn an_unknown_dataset_and_somebody_elses_look_alike() {
    block_on(async {
        let lab = Lab::gaussian();
        let add = lab.act("/v1/researchers", &json!({"name": "bob"})).await.json();
        let bob = add["token"].as_str().expect("a token").to_owned();
        let ask = async |name: &str| {
            let body = json!({"sql": format!("SELECT COUNT(*) FROM {name}"), "epsilon": "0.1"}).to_string();
            let query = call(&lab.router, Method::POST, "/v1/queries", Some(&bob), &[], body).await;
            let dataset = lab.get(&format!("/v1/datasets/{name}"), &bob).await;
            (query.status, query.bytes, dataset.status, dataset.bytes)
        };
        let (mine, theirs) = (ask("visits").await, ask("visitz").await);
        let swap = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8").replace("visitz", "visits");
        assert_eq!((mine.0, swap(mine.1), mine.2, swap(mine.3)), (theirs.0, swap(theirs.1), theirs.2, swap(theirs.3)));
        assert_eq!(lab.get("/v1/datasets", &bob).await.json(), json!([]));
        assert_eq!(lab.get("/v1/datasets", &lab.viewer).await.json()[0]["columns"][0]["values"][0], "north");
    });
}

#[test]
fn grants_keep_to_the_cap_and_can_freeze() {
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN), &visits(50), std::sync::Arc::new(NoNoise), "1");
        let grant = async |name: &str, epsilon: &str| lab.grant(name, "visits", epsilon).await;
        lab.act("/v1/researchers", &json!({"name": "bob"})).await;
        assert_eq!(grant("bob", "4").await.code(), "invalid-request", "the cap is shared");
        assert_eq!(grant("nobody", "1").await.code(), "invalid-request");
        assert_eq!(grant("vic", "1").await.code(), "invalid-request");
        let whole = grant("ada", "4").await;
        assert_eq!(
            (whole.status, &whole.json()["epsilon_remaining"]),
            (StatusCode::OK, &json!("4")),
            "the whole cap fits one"
        );
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "0.5").await.status, StatusCode::OK);
        assert_eq!(grant("ada", "0.1").await.json()["epsilon_remaining"], "0");
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits WHERE age > 1", "0.01").await.code(), "budget-exhausted");
        assert_eq!(
            lab.sql("SELECT COUNT(*) FROM visits", "0.5").await.json()["replayed"],
            true,
            "what was paid for stays free"
        );
        let revoke =
            call(&lab.router, Method::DELETE, "/v1/researchers/ada/token", Some(&lab.steward), &[], String::new())
                .await;
        assert_eq!(revoke.status, StatusCode::NO_CONTENT);
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "0.5").await.code(), "unauthenticated");
        let again = lab.act("/v1/researchers", &json!({"name": "bob"})).await;
        assert_eq!(again.code(), "already-exists");
        let ledger = lab.get("/v1/ledger?limit=3", &lab.steward).await;
        assert_eq!(ledger.json()[0]["act"], "dataset-opened");
        assert!(ledger.headers["link"].to_str().expect("a link").contains("after=3"));
    });
}

/// Fetches a list page by page, following its links.
async fn walk(lab: &Lab, path: &str, limit: usize, token: &str) -> Vec<Value> {
    let (mut walked, mut next) = (Vec::new(), Some(format!("{path}?limit={limit}")));
    while let Some(path) = next {
        let page = lab.get(&path, token).await;
        walked.extend(page.json().as_array().expect("a list").clone());
        let link = page.headers.get("link").map(|link| link.to_str().expect("text"));
        next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
    }
    walked
}

#[test]
fn lists_are_the_same_page_by_page() {
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(OpenDp), "1");
        for name in ["bob", "cyd", "dee"] {
            assert_eq!(lab.act("/v1/researchers", &json!({"name": name})).await.status, StatusCode::CREATED);
            assert!(lab.grant(name, "visits", "0.1").await.status.is_success());
        }
        for path in ["/v1/accounts", "/v1/researchers", "/v1/ledger", "/v1/datasets"] {
            let whole = lab.get(&format!("{path}?limit=1000"), &lab.steward).await.json();
            for limit in [1, 2, 3] {
                let walked = walk(&lab, path, limit, &lab.steward).await;
                assert_eq!(Value::Array(walked), whole, "{path}, {limit} at a time");
            }
            let unknown = lab.get(&format!("{path}?after=nothing"), &lab.steward).await;
            assert_eq!(unknown.code(), "invalid-request", "{path}");
        }
        let own = lab.get("/v1/accounts", &lab.researcher).await.json();
        assert_eq!(own.as_array().expect("a list").len(), 1, "{own}");
        let other = lab.get("/v1/accounts?after=researcher:visits:bob", &lab.researcher).await;
        assert_eq!(other.code(), "invalid-request", "another one's account is no place to go on from");
    });
}

#[test]
fn stored_releases_are_shown_to_their_owner_and_the_steward() {
    block_on(async {
        let lab = Lab::gaussian();
        let mut ids = Vec::new();
        for age in 0..5 {
            let answer = lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE age > {age}"), "0.1").await.json();
            ids.push(answer["release"].as_str().expect("an id").to_owned());
        }
        let page = lab.get("/v1/releases?limit=2", &lab.researcher).await;
        let listed = |value: &Value| {
            value
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["release"].as_str().expect("an id").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(listed(&page.json()), ids[..2]);
        let next = page.headers["link"].to_str().expect("a link").to_owned();
        assert_eq!(next, format!("</v1/releases?limit=2&after={}>; rel=\"next\"", ids[1]));
        let rest = lab.get(&format!("/v1/releases?limit=1000&after={}", ids[1]), &lab.steward).await;
        assert_eq!((listed(&rest.json()), rest.headers.contains_key("link")), (ids[2..].to_vec(), false));
        for (token, limit) in [(&lab.researcher, 1), (&lab.researcher, 2), (&lab.steward, 1), (&lab.steward, 5)] {
            let walked = walk(&lab, "/v1/releases", limit, token).await;
            assert_eq!(listed(&Value::Array(walked)), ids, "{limit} at a time");
        }
        let path = format!("/v1/releases/{}", ids[0]);
        let one = lab.get(&path, &lab.steward).await;
        let etag = one.headers["etag"].to_str().expect("a tag").to_owned();
        let known =
            call(&lab.router, Method::GET, &path, Some(&lab.researcher), &[("if-none-match", &etag)], String::new())
                .await;
        assert_eq!((known.status, known.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        for wrong in [
            "/v1/releases?limit=0",
            "/v1/releases?limit=1001",
            "/v1/releases?after=rel_x",
            "/v1/releases?page=2",
            "/v1/ledger?after=-1",
        ] {
            assert_eq!(lab.get(wrong, &lab.steward).await.code(), "invalid-request", "{wrong}");
        }
        assert_eq!(lab.get("/v1/releases/rel_none", &lab.researcher).await.code(), "not-found");
    });
}

#[test]
fn lowering_a_spent_account_frees_nothing() {
    block_on(async {
        let lab = Lab::gaussian();
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "2").await.status, StatusCode::OK);
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits WHERE age > 1", "2").await.status, StatusCode::OK);
        lab.act("/v1/researchers", &json!({"name": "bob"})).await;
        let grant = async |name: &str, epsilon: &str| lab.grant(name, "visits", epsilon).await;
        assert_eq!(grant("ada", "0.1").await.status, StatusCode::OK);
        assert_eq!(grant("bob", "3.5").await.code(), "invalid-request", "what ada spent is spent");
        assert_eq!(grant("bob", "2").await.status, StatusCode::OK);
        let reply = lab.grant("bob", "nowhere", "1").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "unknown-dataset"));
        let people = lab.get("/v1/researchers?limit=2&after=ada", &lab.steward).await;
        assert_eq!((people.json()[0]["name"].clone(), people.headers.contains_key("link")), (json!("bob"), true));
    });
}

/// A grant can be spent at once, and a query at the limit for one query is accepted, however small the limit is.
#[test]
fn an_allocation_of_an_epsilon_holds_a_query_of_it() {
    block_on(async {
        for epsilon in ["0.001", "0.01", "0.1", "0.35", "1"] {
            let cap = format!("cap = {{ epsilon = \"4\", delta = \"1e-9\" }}\nmax_epsilon_per_query = \"{epsilon}\"");
            let lab = Lab::new(&policy(&cap), &visits(20), std::sync::Arc::new(NoNoise), epsilon);
            let accounts = lab.get("/v1/accounts", &lab.researcher).await.json();
            assert_eq!(accounts[0]["epsilon_remaining"], epsilon);
            assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", epsilon).await.status, StatusCode::OK, "{epsilon}");
        }
    });
}

/// Entries hold noise scales; whatever the scale, the chain and the answers can be read back after a restart.
#[test]
fn a_ledger_of_many_scales_opens_again() {
    for cap in [GAUSSIAN, PURE] {
        let lab = Lab::new(&policy(cap), &visits(20), std::sync::Arc::new(tacit::kernel::vault::noise::OpenDp), "4");
        let mut ids = Vec::new();
        for step in 30..90 {
            let sql = format!("SELECT COUNT(*), SUM(cost) FROM visits WHERE age > {step}");
            let answer = block_on(lab.sql(&sql, &format!("0.{step:03}"))).json();
            ids.push(answer["release"].as_str().expect("an id").to_owned());
        }
        let head = lab.head();
        let Lab { dir, service, router, .. } = lab;
        drop((service, router));
        let ledger =
            tacit::ledger::SqliteLedger::open(&dir.path().join("state"), 0).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tacit::kernel::budget::ledger::read(&ledger, |book| book.head()), head);
        for id in ids {
            let bytes =
                tacit::kernel::budget::ledger::Ledger::release(&ledger, &id).expect("readable").expect("stored");
            let stored = tacit::service::asking::stored::StoredAnswer::decode(&bytes).expect("a stored answer");
            assert_eq!(stored.encode(), bytes);
        }
    }
}

/// While another program holds the database, a commit fails: nothing is charged, the state stays as it is on disk, and work continues
/// afterwards.
#[test]
fn a_commit_that_fails_charges_nothing() {
    let lab = Lab::gaussian();
    let first = block_on(lab.sql("SELECT COUNT(*) FROM visits", "0.1")).json();
    let before = lab.head();
    let other = rusqlite::Connection::open(lab.dir.path().join("state/ledger.db")).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let held = block_on(lab.sql("SELECT COUNT(*) FROM visits WHERE age > 30", "0.1"));
    assert_eq!((held.status, held.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
    assert!(held.json()["detail"].as_str().is_some_and(|detail| detail.contains("nothing was charged")));
    assert_eq!(
        block_on(lab.sql("SELECT COUNT(*) FROM visits", "0.1")).json()["rows"],
        first["rows"],
        "replays need no commit"
    );
    other.execute_batch("ROLLBACK").expect("the lock is gone");
    assert_eq!(lab.head(), before);
    let answered = block_on(lab.sql("SELECT COUNT(*) FROM visits WHERE age > 30", "0.1"));
    assert_eq!(answered.status, StatusCode::OK);
    let spent = answered.json()["account"]["epsilon_spent"].as_str().expect("an epsilon").to_owned();
    assert!(spent.starts_with("0.14"), "two charges, not three: {spent}");
}

/// Entries and releases cannot be changed or removed through SQL, and a byte changed behind the database's back is noticed.
#[test]
fn the_ledger_s_tables_are_append_only_and_bound_by_hashes() {
    let lab = Lab::gaussian();
    let id =
        block_on(lab.sql("SELECT COUNT(*) FROM visits", "0.1")).json()["release"].as_str().expect("an id").to_owned();
    let path = lab.dir.path().join("state/ledger.db");
    let other = rusqlite::Connection::open(&path).expect("the database");
    for statement in [
        "UPDATE entries SET at_ms = 1",
        "DELETE FROM entries",
        "UPDATE releases SET body = x'00'",
        "DELETE FROM releases",
        "INSERT INTO entries (seq, at_ms, act, body, hash) VALUES (0, 0, 'x', x'', x'')",
    ] {
        assert!(other.execute(statement, []).is_err(), "{statement}");
    }
    other.execute_batch("DROP TRIGGER releases_stay; DROP TRIGGER entries_stay").expect("no triggers");
    let mut answer: Vec<u8> = other.query_row("SELECT body FROM releases", [], |row| row.get(0)).expect("a release");
    *answer.last_mut().expect("a byte") ^= 1;
    other.execute("UPDATE releases SET body = ?1", [answer]).expect("a forged release");
    let Lab { dir, service, router, researcher, .. } = lab;
    drop((service, router));
    let policy = tacit::query::terms::policy::Policy::load(&dir.path().join("policy.toml")).expect("a policy");
    assert_eq!(policy.name, "visits");
    let reopened = tacit::startup::open(&dir.path().join("state"), None, &[dir.path().join("policy.toml")], launch())
        .expect("a service");
    let router = tacit::http::router(std::sync::Arc::clone(&reopened), tacit::http::Settings::default());
    let forged =
        block_on(call(&router, Method::GET, &format!("/v1/releases/{id}"), Some(&researcher), &[], String::new()));
    assert_eq!(forged.status, StatusCode::SERVICE_UNAVAILABLE, "a forged release is not served");
    drop((router, reopened));
    other.execute_batch("DROP TRIGGER entries_stay").expect("an opening made it anew");
    let mut body: Vec<u8> =
        other.query_row("SELECT body FROM entries WHERE act = 'granted'", [], |row| row.get(0)).expect("a grant");
    *body.last_mut().expect("a byte") ^= 1;
    other.execute("UPDATE entries SET body = ?1 WHERE act = 'granted'", [body]).expect("a forged grant");
    let refused =
        tacit::ledger::SqliteLedger::open(&dir.path().join("state"), 0).err().expect("a damaged ledger").to_string();
    assert!(refused.contains("its bytes do not match its hash"), "{refused}");
}

/// A ledger that cannot be read back after a failed commit charges nothing any more, and the server reports that it is not ready.
#[test]
fn a_ledger_that_cannot_be_read_back_charges_nothing() {
    let lab = Lab::gaussian();
    let ready = || block_on(call(&lab.router, Method::GET, "/readyz", None, &[], String::new())).status;
    assert_eq!(ready(), StatusCode::OK);
    let other = rusqlite::Connection::open(lab.dir.path().join("state/ledger.db")).expect("the database");
    other
        .execute_batch("DROP TRIGGER entries_stay; UPDATE entries SET body = x'00' WHERE seq = 1; BEGIN IMMEDIATE")
        .expect("damage");
    let ask = |age: u8| block_on(lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE age > {age}"), "0.1")).code();
    assert_eq!(ask(30), "overloaded");
    other.execute_batch("ROLLBACK").expect("the lock is gone");
    assert_eq!((ask(31).as_str(), ready()), ("overloaded", StatusCode::SERVICE_UNAVAILABLE));
    let on_disk: i64 =
        other.query_row("SELECT count(*) FROM entries WHERE act = 'charged'", [], |row| row.get(0)).expect("a count");
    assert_eq!(on_disk, 0, "nothing was charged");
    assert!(!lab.service.ledger().is_sound());
}
