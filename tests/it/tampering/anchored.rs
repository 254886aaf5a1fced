//! An anchor that cannot be written for a while, and one that somebody moved.

use std::fs;

use axum::http::StatusCode;
use serde_json::json;
use tacit::kernel::budget::ledger::read;

use super::check;
use crate::support::{Lab, block_on};

/// While the anchor cannot be written, no unanchored answer leaves by any route; afterwards it does.
#[test]
fn what_is_not_anchored_does_not_leave() {
    let lab = Lab::gaussian();
    block_on(async {
        let ask = json!({"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.1"});
        assert_eq!(lab.ask(&ask).await.status, StatusCode::OK);
        // A directory takes the anchor's place under the running server, so that no line can be written there.
        let (state, aside) = (lab.dir.path().join("state"), lab.dir.path().join("aside"));
        fs::rename(state.join("anchor.log"), &aside).expect("gone");
        fs::create_dir(state.join("anchor.log")).expect("in its way");
        let more = json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 30", "epsilon": "0.1"});
        let held = lab.ask(&more).await;
        assert_eq!((held.status, held.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
        let id =
            read(lab.service.ledger(), |book| book.releases().last().map(|card| card.id.clone())).expect("charged");
        for token in [&lab.researcher, &lab.steward] {
            assert_eq!(lab.get(&format!("/v1/releases/{id}"), token).await.code(), "not-found");
            assert_eq!(lab.get("/v1/releases", token).await.json().as_array().map(Vec::len), Some(1));
        }
        assert_eq!(lab.ask(&ask).await.json()["replayed"], true, "what was anchored before is served");
        assert_eq!(lab.ask(&more).await.status, StatusCode::SERVICE_UNAVAILABLE, "and nothing more is charged");
        assert_eq!(lab.grant("ada", "visits", "1").await.status, StatusCode::SERVICE_UNAVAILABLE);
        let ready = lab.get("/readyz", &lab.steward).await.status;
        assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
        fs::remove_dir(state.join("anchor.log")).expect("out of its way");
        fs::rename(&aside, state.join("anchor.log")).expect("back");
        let answer = lab.ask(&more).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.bytes));
        // A copy takes the place of the open file: a new anchor is begun, and the answer leaves with its first line.
        fs::copy(state.join("anchor.log"), &aside).expect("copied");
        fs::rename(&aside, state.join("anchor.log")).expect("in its place");
        let other = lab.ask(&json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 40", "epsilon": "0.1"})).await;
        assert_eq!(other.status, StatusCode::OK, "{}", String::from_utf8_lossy(&other.bytes));
    });
    let state = lab.dir.path().join("state");
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    check(&state).unwrap_or_else(|finding| panic!("{finding}"));
    drop(dir);
}
