//! The recorded answers of the pinned state: one line for each, with what was asked and the JSON that came.

use std::fs;
use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::copied;
use super::questions::{FIRST, Question, SECOND};
use super::scene::{END_MS, Scene, SetClock};
use crate::support::block_on;

/// Records the answers of the state directory `folder/state`, opened from a copy, into `folder/answers.jsonl`.
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
    // Answers of the first edition are read by their ids: a question asks the current edition.
    let first = block_on(scene.get("sam", "/v1/releases?limit=1000")).json();
    let paths =
        first.as_array().expect("a list").iter().filter_map(|one| one["id"].as_str().or(one["release"].as_str()));
    let paths = paths.map(|id| format!("/v1/releases/{id}"));
    let read = paths.map(|path| of("sam", json!({"path": path})));
    let statistics = ["by-region", "older", "staff"].map(|name| format!("/v1/statistics/{name}"));
    let statistics = statistics.into_iter().map(|path| of("vic", json!({"path": path})));
    let lines: Vec<String> = asked.chain(read).chain(statistics).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("answers.jsonl"), lines.concat()).expect("a file");
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
