//! Writes a state directory with everything in it that can be on disk.
//!
//! It runs with every test run, into a temporary folder, so that it keeps working; with `TACIT_WRITE_STATE=FOLDER` it writes `FOLDER/state`
//! and what is recorded beside it, which a later program may want to pin beside the earlier ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::config::{Webhook, WebhookEvent};
use tacit::engine::seal::source::SourceSpec;
use tacit::engine::seal::{clear_superseded, seal};
use tacit::kernel::budget::charge::{ChargeDecision, ChargeRequest};
use tacit::kernel::budget::entry::Cause;
use tacit::kernel::budget::ledger::{EvaluationOutcome, Ledger};
use tacit::kernel::budget::people::Role;
use tacit::kernel::privacy::amounts::{Epsilon, Price};
use tacit::kernel::privacy::certificate::{Subject, certify};
use tacit::ledger::recover;
use tacit::query::canonical;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::service::publishing::editions;
use tacit::service::publishing::statistics::{Refreshed, confirm};
use tacit::service::stewarding::people;
use tacit::webhooks::deliver::WebhookKey;
use tacit::webhooks::notifier::{Notifier, Recipient};
use tacit::webhooks::outbox::Outbox;

use super::POLICIES;
use super::questions::{FIRST, SECOND};
use super::record::record;
use super::scene::{BEGIN_MS, DATASETS, DAY_MS, Scene, SetClock, opened, policy};
use crate::support::{block_on, call};

const DECLARED: &str = r#"
[[person]]
name = "carl"
role = "researcher"
[[project]]
name = "wards-study"
dataset = "wards"
epsilon = "15"
[[grant]]
researcher = "carl"
dataset = "wards"
project = "wards-study"
epsilon = "12"
reason = "the study"
[[statistics]]
dataset = "wards"
epsilon = "2"
"#;

/// Writes the state directory `folder/state`, and the tokens of its people into `folder/tokens.json`.
pub fn write(folder: &Path) {
    let (state, clock) = (folder.join("state"), SetClock::at(BEGIN_MS));
    let mut tokens = begin(&state, &clock);
    granted(&state, &clock, &mut tokens);
    lose_an_entry(&state, &clock, &tokens);
    seal_again(&state, &clock);
    burn(&state, &clock);
    ask_and_publish(&state, &clock, &tokens);
    fs::write(folder.join("tokens.json"), format!("{tokens:#}\n")).expect("a file");
    record(folder, tokens);
}

/// Seals every dataset, `visits` from the first of its files alone, and adds people from the command line's side.
fn begin(state: &Path, clock: &Arc<SetClock>) -> Value {
    let ledger = opened(state, clock.tick());
    for name in DATASETS {
        let mut policy = policy(name);
        if name == "visits" {
            policy.source = SourceSpec::file(&Path::new(POLICIES).join("visits-1.csv"));
        }
        let (manifest, _) = seal(&policy, state, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
        editions::publish_edition(&ledger, &policy, &manifest, clock.tick()).expect("an edition");
    }
    let mut tokens = json!({});
    for (name, role) in
        [("sam", Role::Steward), ("ada", Role::Researcher), ("bob", Role::Researcher), ("vic", Role::Viewer)]
    {
        let token = people::add_person(&ledger, name, role, "the command line", clock.tick()).expect("a person");
        tokens[name] = json!(token.text());
    }
    tokens
}

/// Grants, projects, requests, declared files, viewers, freezes; and the questions of the first edition.
fn granted(state: &Path, clock: &Arc<SetClock>, tokens: &mut Value) {
    let scene = Scene::open(state, clock, tokens.clone());
    let act = |path: &'static str, body: Value| {
        clock.tick();
        block_on(scene.post("sam", path, &body))
    };
    let grant = |body: Value| {
        let mut body = body;
        body["reason"] = json!("pinned");
        act("/v1/grants", body);
    };
    grant(json!({"dataset": "visits", "kind": "dataset", "epsilon": "45"}));
    grant(json!({"dataset": "visits", "kind": "project", "project": "heart", "epsilon": "30"}));
    grant(json!({"dataset": "visits", "researcher": "ada", "project": "heart", "epsilon": "25"}));
    grant(json!({"dataset": "visits", "researcher": "bob", "epsilon": "8", "period_days": 30}));
    grant(json!({"dataset": "reports", "researcher": "bob", "epsilon": "8"}));
    grant(json!({"dataset": "visits", "kind": "statistics", "epsilon": "3", "period_days": 365}));
    let added = act("/v1/researchers", json!({"name": "eve"}));
    tokens["eve"] = added["token"].clone();
    let viewer = act("/v1/researchers", json!({"name": "val", "role": "viewer", "datasets": ["visits"]}));
    tokens["val"] = viewer["token"].clone();
    let files = json!([{"name": "people.toml", "text": DECLARED}]);
    let applied = act("/v1/apply", json!({"files": files, "reason": "as in Git"}));
    tokens["carl"] = applied["tokens"][0]["token"].clone();
    act("/v1/datasets/reports/freeze", json!({"reason": "a look"}));
    act("/v1/datasets/reports/unfreeze", json!({"reason": "looked"}));
    drop(scene);
    let scene = Scene::open(state, clock, tokens.clone());
    block_on(async {
        for (epsilon, granted) in [("9", Some(true)), ("12", Some(false)), ("13", None)] {
            clock.tick();
            let asked = json!({"dataset": "reports", "epsilon": epsilon, "reason": "a thesis"});
            let request = scene.post("bob", "/v1/requests", &asked).await;
            if let Some(granted) = granted {
                let path = format!("/v1/requests/{}/decide", request["number"]);
                scene.post("sam", &path, &json!({"granted": granted, "reason": "decided"})).await;
            }
        }
        let path = "/v1/researchers/val/datasets";
        let body = json!({"datasets": ["visits", "wards"]}).to_string();
        let set = call(&scene.router, Method::PUT, path, tokens["sam"].as_str(), &[], body).await;
        assert_eq!(set.status, StatusCode::OK, "{}", String::from_utf8_lossy(&set.bytes));
        let path = "/v1/researchers/eve/token";
        let revoked = call(&scene.router, Method::DELETE, path, tokens["sam"].as_str(), &[], String::new()).await;
        assert!(revoked.status.is_success(), "{}", String::from_utf8_lossy(&revoked.bytes));
        for question in &FIRST {
            clock.tick();
            scene.answered(question).await;
        }
    });
}

/// Sets the ledger back by one answer and takes it up again with the balances of its anchor.
fn lose_an_entry(state: &Path, clock: &Arc<SetClock>, tokens: &Value) {
    let (ledger, kept) = (state.join("ledger.db"), state.with_extension("kept"));
    fs::copy(&ledger, &kept).expect("a copy");
    let scene = Scene::open(state, clock, tokens.clone());
    clock.tick();
    block_on(scene.answered(&SECOND[5]));
    drop(scene);
    fs::rename(&kept, &ledger).expect("set back");
    let recovery = recover(state, None, "set back on purpose", "the command line", clock.tick());
    assert!(recovery.is_ok_and(|recovery| recovery.anchor_seq.is_some()));
}

/// Seals the whole of `visits`; what that supersedes is removed.
fn seal_again(state: &Path, clock: &Arc<SetClock>) {
    let ledger = opened(state, clock.tick());
    let policy = policy("visits");
    let (manifest, _) = seal(&policy, state, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    editions::publish_edition(&ledger, &policy, &manifest, clock.tick()).expect("an edition");
    clear_superseded(state, &editions::current_editions(&ledger)).expect("cleared");
}

/// Charges that end without an answer, in every way; the last one is found by the next opening, which burns it.
fn burn(state: &Path, clock: &Arc<SetClock>) {
    let ledger = opened(state, clock.tick());
    for (number, cause) in [Some(Cause::Failed), Some(Cause::Unrecorded), None].into_iter().enumerate() {
        let release = charge(&ledger, number, clock.tick());
        if let Some(cause) = cause {
            ledger.record(EvaluationOutcome::Burned { release, cause }, clock.tick()).expect("burnt");
        }
    }
}

/// Charges ada for a question without answering it.
fn charge(ledger: &dyn Ledger, number: usize, at_ms: u64) -> String {
    let (terms, edition) = tacit::kernel::budget::ledger::read(ledger, |book| {
        let edition = book.dataset("visits").and_then(|whole| whole.edition.clone()).expect("an edition");
        (policy("visits").terms, edition.id)
    });
    let sql = format!("SELECT COUNT(*) AS n FROM visits WHERE age > {}", 70 + number);
    let query = parse(&sql).expect("a question");
    let planned = plan(&query, &terms, None).expect("a plan");
    let subject = Subject { dataset: "visits".to_owned(), edition: edition.clone() };
    let price = terms.accountant.price(Epsilon::parse("0.1").expect("an epsilon"));
    let certificate = certify(terms.accountant, subject, &planned.sought, &[price]).expect("a certificate");
    let release = format!("rel_burnt_{number}");
    let request = ChargeRequest {
        release: release.clone(),
        researcher: "ada".to_owned(),
        certificate,
        drawn: planned.computation.views("visits", &edition),
        uses: Vec::new(),
        steps: None,
        worth: vec![price],
        view: planned.view(&edition),
        sql: canonical::sql(&planned, &terms),
        rows_per_unit: planned.computation.rows_per_unit,
        purpose: None,
        key: None,
        at_ms,
    };
    assert!(matches!(ledger.charge(request, None), Ok(ChargeDecision::Charged(_))));
    assert!(price > Price::ZERO);
    release
}

/// The questions of the second edition, statistics drawn, skipped and waiting, webhooks that nobody takes, a freeze that lasts, and one
/// more charge without an answer.
fn ask_and_publish(state: &Path, clock: &Arc<SetClock>, tokens: &Value) {
    let scene = Scene::open(state, clock, tokens.clone());
    let mut notifier = notifier(&scene, state);
    block_on(async {
        let mut refused = Vec::new();
        for question in &SECOND {
            clock.tick();
            let reply = scene.ask(question).await;
            if reply.status != StatusCode::OK {
                refused.push(format!("{}\n{}", question.sql, String::from_utf8_lossy(&reply.bytes)));
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n\n"));
        for name in ["by-region", "older"] {
            clock.tick();
            scene.post("sam", &format!("/v1/statistics/{name}/publish"), &json!({})).await;
        }
        clock.tick();
        scene.post("sam", "/v1/statistics/older/refresh", &json!({})).await;
        scene.post("ada", "/v1/requests", &json!({"dataset": "visits", "epsilon": "26", "reason": "more"})).await;
        // A month later a statistic that was agreed to is due, and its dataset is frozen.
        clock.set(BEGIN_MS + 35 * DAY_MS);
        scene.post("sam", "/v1/datasets/wards/freeze", &json!({"reason": "a rest"})).await;
        let staff = scene.service.statistic("staff").expect("a statistic");
        confirm(scene.service.ledger(), staff, "sam", clock.tick()).expect("confirmed");
        let became = scene.service.refresh_due().await;
        assert!(matches!(&became[..], [(_, Refreshed::Skipped(_))]), "{became:?}");
        clock.tick();
        scene.post("sam", "/v1/datasets/wards/unfreeze", &json!({"reason": "rested"})).await;
        scene.post("sam", "/v1/statistics/staff/publish", &json!({})).await;
        clock.tick();
        scene.post("sam", "/v1/datasets/wards/freeze", &json!({"reason": "frozen for good"})).await;
    });
    clock.tick();
    notifier.turn();
    charge(scene.service.ledger(), 9, clock.tick());
}

fn notifier(scene: &Scene, state: &Path) -> Notifier {
    let (url, secret_file) = ("http://127.0.0.1:9/hook".to_owned(), PathBuf::from("secret"));
    let webhook = Webhook { url, secret_file, events: WebhookEvent::ALL.to_vec() };
    let recipient = Recipient { webhook, key: WebhookKey::of("secret").expect("a key") };
    let outbox = Outbox::open(state, scene.write_lock.clone()).expect("an outbox");
    let (service, clock) = (Arc::clone(&scene.service), Arc::<SetClock>::clone(&scene.clock));
    Notifier::open(service, vec![recipient], outbox, clock).expect("a notifier")
}

#[test]
fn a_state_with_everything_in_it_can_be_written() {
    match std::env::var_os("TACIT_WRITE_STATE") {
        Some(folder) => write(Path::new(&folder)),
        None => write(tempfile::tempdir().expect("a folder").path()),
    }
}
