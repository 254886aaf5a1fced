//! Padding: every answer after authentication leaves at a moment of its question's class, whatever became of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;
use tacit::engine::{Engine, EngineFault};
use tacit::http::{PAGES, PageRoute};
use tacit::kernel::budget::charge::AnswerState;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::clock::Clock;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};

use crate::console::Browser;
use crate::support::{BrokenNoise, GAUSSIAN, Lab, block_on, call, filled, policy, visits};

const QUANTUM: Duration = Duration::from_millis(40);

fn padded() -> String {
    policy(GAUSSIAN).replace("max_rows = 1_000_000", "max_rows = 1_000_000\npad_ms = 40")
}

fn ask(sql: &str) -> Ask {
    let accuracy = Some(RequestedAccuracy::Epsilon(Epsilon::parse("0.1").expect("an epsilon")));
    Ask { sql: sql.to_owned(), accuracy, rows_per_unit: None, group_size: None, purpose: None }
}

#[test]
fn a_class_follows_from_plan_and_capacity_alone() {
    let [small, large] = [20, 300].map(|patients| Lab::new(&padded(), &visits(patients), Arc::new(OpenDp), "4"));
    for sql in [
        "SELECT COUNT(*) FROM visits",
        "SELECT region, diagnosis, smoker, COUNT(*), SUM(cost) AS c FROM visits GROUP BY region, diagnosis, smoker",
        "SELECT COUNT(*) FROM visits WHERE age > 1 AND NOT smoker",
        "SELECT MAX(age) FROM visits",
        "SELECT COUNT(*) FROM nothing",
        "nonsense",
    ] {
        let [one, other] = [&small, &large].map(|lab| lab.service.prepare("ada", ask(sql)).pad().expect("padded"));
        assert_eq!(one, other, "{sql}");
        let due = one.due(Duration::from_micros(1));
        assert!(due >= QUANTUM && due.as_millis() % QUANTUM.as_millis() == 0, "{sql}: {due:?}");
        assert_eq!(one.due(due), due, "{sql}: up to its class it leaves with its class");
        assert_eq!(one.due(due + Duration::from_nanos(1)), due + QUANTUM, "{sql}: later is a quantum later");
        let (work, is_late) = one.work_due(Duration::from_micros(1));
        assert!(
            work == QUANTUM.max(due - QUANTUM) && is_late == (due == QUANTUM),
            "{sql}: the work ends a quantum before"
        );
    }
    let classes = [
        "SELECT COUNT(*) FROM visits",
        "SELECT region, diagnosis, COUNT(*), COUNT(DISTINCT patient_id) AS d, SUM(cost) AS c FROM visits WHERE age > 1 OR smoker GROUP BY region, diagnosis",
    ];
    let [cheap, dear] =
        classes.map(|sql| small.service.prepare("ada", ask(sql)).pad().expect("padded").due(Duration::ZERO));
    assert!(dear > cheap, "a dearer plan has a later class");
    assert!(
        Lab::gaussian().service.prepare("ada", ask("SELECT COUNT(*) FROM visits")).pad().is_none(),
        "off by default"
    );
}

/// Fresh, replayed, refused, malformed, burnt: none leaves before its quantum. Nothing can be later than a clock says, so this is
/// the one side that a test may assert.
#[test]
fn nothing_leaves_early() {
    block_on(async {
        let lab = Lab::new(&padded(), &visits(50), Arc::new(OpenDp), "4");
        let question = |sql: &str, epsilon: &str| json!({"sql": sql, "epsilon": epsilon}).to_string();
        let bodies = [
            question("SELECT COUNT(*) FROM visits", "0.1"),
            question("SELECT COUNT(*) FROM visits", "0.1"),
            question("SELECT COUNT(*) FROM visits", "3"),
            question("SELECT MAX(age) FROM visits", "0.1"),
            question("SELECT COUNT(*) FROM elsewhere", "0.1"),
            "{".to_owned(),
            question("SELECT COUNT(*) FROM visits", "0"),
        ];
        for body in bodies {
            for path in ["/v1/queries", "/v1/quotes", "/v1/nothing"] {
                let since = Instant::now();
                let reply = call(&lab.router, Method::POST, path, Some(&lab.researcher), &[], body.clone()).await;
                assert!(since.elapsed() >= QUANTUM, "{path} {body}: {}", reply.status);
            }
        }
        for path in ["/v1/datasets", "/v1/releases", "/v1/accounts", "/v1/releases/rel_none", "/v1/ledger"] {
            let since = Instant::now();
            lab.get(path, &lab.researcher).await;
            assert!(since.elapsed() >= QUANTUM, "{path}");
        }
        let burnt = Lab::new(&padded(), &visits(50), Arc::new(BrokenNoise), "4");
        let since = Instant::now();
        assert_eq!(burnt.sql("SELECT COUNT(*) FROM visits", "0.1").await.status, 500);
        assert!(since.elapsed() >= QUANTUM);
    });
}

/// What stands for the variable parts of a path.
const VALUES: [(&str, &str); 4] = [("{name}", "none"), ("{id}", "none"), ("{number}", "1"), ("{token}", "none")];

/// Every route that needs a person is held, for those it is for and for those it is not, in the API and in the console.
#[test]
fn every_route_that_needs_a_person_is_held() {
    block_on(async {
        let lab = Lab::new(&padded(), &visits(20), Arc::new(OpenDp), "4");
        let (steward, researcher) = (Browser::new(&lab, &lab.steward).await, Browser::new(&lab, &lab.researcher).await);
        for PageRoute { method, path, .. } in PAGES.iter().filter(|page| !page.roles.is_empty()) {
            let concrete = filled(path, &VALUES);
            for browser in [&steward, &researcher] {
                let since = Instant::now();
                let reply = match *method {
                    "GET" => browser.get(&lab, &concrete).await,
                    _ => browser.post(&lab, &concrete, &[]).await,
                };
                assert!(since.elapsed() >= QUANTUM, "{method} {path}: {}", reply.status);
            }
        }
        let document = lab.get("/openapi.json", &lab.researcher).await.json();
        let mut held = 0;
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let is_open = operation.get("security").is_none();
                let is_published =
                    method == "get" && (path.starts_with("/v1/statistics") || path == "/statistics/metrics");
                if is_open || is_published {
                    continue;
                }
                let method: Method = method.to_uppercase().parse().expect("a method");
                let concrete = filled(path, &VALUES);
                let since = Instant::now();
                let reply =
                    call(&lab.router, method.clone(), &concrete, Some(&lab.researcher), &[], "{".to_owned()).await;
                assert!(since.elapsed() >= QUANTUM, "{method} {path}: {}", reply.status);
                held += 1;
            }
        }
        assert!(held >= 20, "{held} routes of the API are held");
    });
}

/// Another door that answers through the service is padded without doing anything for it.
#[test]
fn the_service_holds_its_answers_by_itself() {
    block_on(async {
        let lab = Lab::new(&padded(), &visits(20), Arc::new(OpenDp), "4");
        for sql in ["SELECT COUNT(*) FROM visits", "SELECT COUNT(*) FROM visits", "SELECT 1", "nonsense"] {
            let since = Instant::now();
            let answer = Arc::clone(&lab.service).answer("ada".to_owned(), ask(sql), None).await;
            assert!(since.elapsed() >= QUANTUM, "{sql}: {}", answer.is_ok());
        }
    });
}

/// A clock that an evaluation moves on, and an engine that says when it is done.
struct Moved {
    engine: tacit::engine::PolarsEngine,
    clock: Arc<AtomicU64>,
    done: Mutex<Sender<Instant>>,
}

impl Engine for Moved {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let exact = self.engine.evaluate(edition, computation);
        self.clock.fetch_add(5_000, Ordering::Relaxed);
        self.done.lock().expect("a sender").send(Instant::now()).expect("the test listens");
        exact
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.engine.is_ready(edition)
    }
}

struct SharedClock(Arc<AtomicU64>);

impl Clock for SharedClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What an answer and its list tell of time is when it was asked; and until its moment nobody sees that it is done.
#[test]
fn no_other_request_tells_when_the_work_ended() {
    let clock = Arc::new(AtomicU64::new(1_000_000));
    let (done, is_done) = channel();
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(50)).expect("a source");
    let slow = padded().replace("pad_ms = 40", "pad_ms = 600");
    let moved = Arc::clone(&clock);
    let lab = Lab::clocked(dir, &slow, Arc::new(OpenDp), "4", Arc::new(SharedClock(Arc::clone(&clock))), |engine| {
        Arc::new(Moved { engine, clock: moved, done: Mutex::new(done) })
    });
    block_on(async {
        let (router, token) = (lab.router.clone(), lab.researcher.clone());
        let body = json!({"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.1"}).to_string();
        let asked =
            tokio::spawn(async move { call(&router, Method::POST, "/v1/queries", Some(&token), &[], body).await });
        let service = Arc::clone(&lab.service);
        let looked = tokio::task::spawn_blocking(move || {
            let done = is_done.recv().expect("an evaluation");
            let mut looks = 0;
            while done.elapsed() < Duration::from_millis(200) {
                let states =
                    read(service.ledger(), |book| book.releases().iter().map(|card| card.state).collect::<Vec<_>>());
                assert!(
                    done.elapsed() > Duration::from_millis(400) || states == [AnswerState::Executing],
                    "{states:?}"
                );
                looks += 1;
            }
            looks
        });
        assert!(looked.await.expect("looked") > 0);
        let answer = asked.await.expect("an answer").json();
        assert_eq!(answer["at"], "1970-01-01T00:16:40.000Z", "when it was asked");
        let list = lab.get("/v1/releases", &lab.researcher).await.json();
        assert_eq!(list[0]["at"], "1970-01-01T00:16:40.000Z");
    });
}

#[test]
fn a_padding_beyond_its_bounds_is_named() {
    for (given, words) in
        [("0", "accepted is 1 to 60000"), ("60001", "accepted is 1 to 60000"), ("\"a\"", "expected i64")]
    {
        let text = padded().replace("pad_ms = 40", &format!("pad_ms = {given}"));
        let faults = tacit::query::terms::policy::Policy::parse(&text).expect_err("a fault");
        assert!(faults.iter().any(|fault| fault.message.contains(words) && fault.line > 1), "{given}: {faults:?}");
    }
}
