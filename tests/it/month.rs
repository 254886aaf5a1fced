//! What the questions of the last month took, and what they would take again.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;

use crate::console::Browser;
use crate::pinned::SetClock;
use crate::support::{Lab, NoNoise, PURE, block_on, policy, visits};

const NOW_MS: u64 = 1_789_993_600_000;
const DAY_MS: u64 = 86_400_000;

#[test]
fn the_questions_of_the_last_thirty_days_are_counted_by_account() {
    block_on(async {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(20)).expect("a source");
        let clock = SetClock::at(NOW_MS);
        let lab = Lab::clocked(dir, &policy(PURE), Arc::new(NoNoise), "50", clock.clone(), |engine| Arc::new(engine));
        let page = async |path: &str, at_ms: u64| {
            clock.set(at_ms);
            // A session ends after eight hours.
            let steward = Browser::new(&lab, &lab.steward).await;
            let reply = steward.get(&lab, path).await;
            assert_eq!(reply.status, StatusCode::OK);
            String::from_utf8_lossy(&reply.bytes).into_owned()
        };
        let none = page("/what-if", NOW_MS).await;
        assert!(none.contains("Nothing was asked in the last 30 days."), "{none}");
        let ask = async |age: u32, epsilon: &str| {
            let sql = format!("SELECT COUNT(*) FROM visits WHERE age > {age}");
            let reply = lab.ask(&json!({"sql": sql, "epsilon": epsilon})).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
        };
        ask(30, "1").await;
        // A replay is free and leaves no entry.
        ask(30, "1").await;
        clock.set(NOW_MS + 20 * DAY_MS);
        ask(40, "2").await;
        for (day, said) in [
            (20, "In the last 30 days, 2 questions took <strong>3 %</strong> of the dataset's cap."),
            (29, "2 questions took <strong>3 %</strong>"),
            (30, "1 question took <strong>2 %</strong>"),
            (49, "1 question took <strong>2 %</strong>"),
            (50, "Nothing was asked in the last 30 days."),
        ] {
            let shown = page("/what-if?epsilon=10", NOW_MS + day * DAY_MS).await;
            assert!(shown.contains(said), "day {day}: {shown}");
        }
        let shown = page("/what-if?epsilon=10", NOW_MS + 20 * DAY_MS).await;
        assert!(shown.contains("<strong>30 %</strong> of a budget of epsilon 10"), "{shown}");
        // 97 of 100 are left of the cap, but 47 of ada's 50, and 15 times 3 fits into that.
        assert!(shown.contains("<th scope=\"row\">ada</th><td class=\"number\">2</td><td class=\"number\">6 %</td><td class=\"number\">15</td>"));
        let person = page("/people/ada", NOW_MS + 20 * DAY_MS).await;
        assert!(
            person.contains("Questions of the last 30 days: 2. If they came again: 6 % of the account."),
            "{person}"
        );
        lab.verified();
    });
}
