//! What is recorded beside the pinned state: a line for each answer, with what was asked and the JSON that came; entries and identities.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::questions::{FIRST, Question, SECOND};
use super::scene::{END_MS, Scene, SetClock};
use super::{bytes, copied, identities};
use crate::support::block_on;

/// Records the answers of the state directory `folder/state`, opened from a copy, its entries, and identities, beside it.
pub fn record(folder: &Path, tokens: Value) {
    let dir = copied(folder);
    let scene = Scene::open(&dir.path().join("state"), &SetClock::at(END_MS), tokens);
    let of = |who: &str, rest: Value| {
        let mut asked = json!({"who": who});
        asked.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        json!({"asked": asked, "answer": block_on(again(&scene, &json!({"asked": asked})))})
    };
    let keyed = FIRST.iter().filter(|question| question.key.is_some());
    let asked = keyed.chain(&SECOND).map(|one| of(one.who, json!({"sql": one.sql, "how": one.how, "key": one.key})));
    let mut lines: Vec<Value> = asked.collect();
    // Answers that no question comes to again, those of the first edition among them, are read by their ids.
    let seen: BTreeSet<String> = lines.iter().map(|line| line["answer"]["release"].to_string()).collect();
    let all = block_on(scene.get("sam", "/v1/releases?limit=1000")).json();
    let unseen = all.as_array().expect("a list").iter().map(|one| &one["release"]);
    let unseen = unseen.filter(|id| !seen.contains(&id.to_string())).filter_map(Value::as_str);
    lines.extend(unseen.map(|id| of("sam", json!({"path": format!("/v1/releases/{id}")}))));
    let statistics = ["by-region", "older", "staff"].map(|name| format!("/v1/statistics/{name}"));
    let statistics = statistics.into_iter().map(|path| of("vic", json!({"path": path})));
    lines.extend(statistics);
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("answers.jsonl"), lines.concat()).expect("a file");
    bytes::write(folder, &scene.service.ledger().entries(0, 1_000).expect("entries"));
    identities::write(folder);
}

/// Asks for what a recorded line was asked for.
pub async fn again(scene: &Scene, line: &Value) -> Value {
    let asked = &line["asked"];
    let text = |name: &str| asked[name].as_str();
    let who = text("who").expect("a name");
    match text("path") {
        Some(path) => {
            let reply = scene.get(who, path).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&reply.bytes));
            reply.json()
        }
        None => {
            let (sql, how) = (text("sql").expect("a question"), text("how").expect("an accuracy"));
            scene.answered(&Question { who, sql, how, key: text("key") }).await
        }
    }
}
