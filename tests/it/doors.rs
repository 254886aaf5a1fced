//! Incoming requests wait in queues, off the threads that accept them, and one person's queue does not hold up everybody else.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use tacit::engine::{Engine, EngineFault, PolarsEngine};
use tacit::http::{PAGES, PageRoute};
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;
use tacit::service::Service;
use tokio::task::JoinHandle;

use crate::console::Browser;
use crate::pgdoor::Served;
use crate::support::{GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, filled, policy, visits};

/// A gate that blocks work until the test opens it.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    standing: AtomicUsize,
}

impl Gate {
    fn stand(&self) {
        self.standing.fetch_add(1, Ordering::SeqCst);
        let open = self.is_open.lock().expect("a gate");
        drop(self.opened.wait_while(open, |is_open| !*is_open).expect("a gate"));
    }

    fn standing(&self) -> usize {
        self.standing.load(Ordering::SeqCst)
    }
}

/// Opens the gate when dropped, so that a failing test ends.
struct Opens(Arc<Gate>);

impl Drop for Opens {
    fn drop(&mut self) {
        *self.0.is_open.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        self.0.opened.notify_all();
    }
}

pub async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// The queue that is blocked.
#[derive(Clone, Copy, PartialEq)]
enum Queue {
    Planning,
    Rendering,
}

impl Queue {
    fn waiting(self, service: &Service) -> usize {
        let (planning, rendering) = service.waiting();
        if self == Self::Planning { planning } else { rendering }
    }
}

/// More people than there are places: some wait at the gate, and the others wait behind them.
const HOLDERS: usize = 300;

/// Takes every place of a queue, and waits until all are taken.
async fn hold(service: &Arc<Service>, queue: Queue) -> (Opens, Vec<JoinHandle<()>>) {
    let gate = Arc::new(Gate::default());
    let hold = |number: usize| {
        let (service, gate) = (Arc::clone(service), Arc::clone(&gate));
        tokio::spawn(async move {
            let (who, work) = (format!("holder {number}"), move |_: &Service| gate.stand());
            let held = match queue {
                Queue::Planning => service.planning(&who, work).await,
                Queue::Rendering => service.rendering(&who, work).await,
            };
            held.expect("a place in the line");
        })
    };
    let holders = (0..HOLDERS).map(hold).collect();
    until(|| gate.standing() + queue.waiting(service) == HOLDERS).await;
    assert!(gate.standing() > 0 && queue.waiting(service) > 0, "there are fewer places than people");
    (Opens(gate), holders)
}

const STATISTIC: &str = "-- title: Visits\n-- epsilon: 0.1\n-- public: true\n-- chart: bar\n\
                         SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";
const OTHER: &str = "-- title: By smoking\n-- epsilon: 0.1\n-- public: true\n-- chart: bar\n\
                     SELECT smoker, COUNT(*) AS visits FROM visits GROUP BY smoker";
pub const COUNT: &str = "SELECT COUNT(*) FROM visits";
/// A query whose answer is large: it has a row for each day.
pub const DAYS: &str = "SELECT visited, COUNT(*) AS n FROM visits GROUP BY visited";

struct Door {
    lab: Arc<Lab>,
    steward: Browser,
    researcher: Browser,
    /// Releases that the researcher has paid for: a small one and a large one.
    releases: [String; 2],
}

/// A request of a test: who asks, how, and for what.
struct Wanted {
    method: Method,
    path: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Door {
    async fn open() -> Self {
        let statistics = [("regions", STATISTIC), ("smokers", OTHER)];
        let dashboards = [("glance", "title = \"At a glance\"\nstatistics = [\"regions\", \"smokers\"]\n")];
        let lab = Lab::showing(&policy(GAUSSIAN), &statistics, &dashboards, "1", Arc::new(StoppedClock));
        let released = lab.service.refresh_due().await;
        assert_eq!(released.len(), 2, "{released:?}");
        let shown = lab.get("/v1/statistics/regions", &lab.researcher).await;
        assert_eq!(shown.status, StatusCode::OK);
        let mut releases = Vec::new();
        for sql in [COUNT, DAYS] {
            let answer = lab.sql(sql, "0.1").await.json();
            releases.push(answer["release"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
        }
        let (steward, researcher) = (Browser::new(&lab, &lab.steward).await, Browser::new(&lab, &lab.researcher).await);
        Self { steward, researcher, releases: releases.try_into().expect("two"), lab: Arc::new(lab) }
    }

    fn post(&self, path: &str, sql: &str) -> Wanted {
        Wanted {
            method: Method::POST,
            path: path.to_owned(),
            token: Some(self.lab.researcher.clone()),
            headers: Vec::new(),
            body: json!({"sql": sql, "epsilon": "0.1"}).to_string(),
        }
    }

    fn get(&self, path: &str, token: &str) -> Wanted {
        let (path, token) = (path.to_owned(), Some(token.to_owned()));
        Wanted { method: Method::GET, path, token, headers: Vec::new(), body: String::new() }
    }

    fn page(&self, path: &str, browser: &Browser) -> Wanted {
        let headers = vec![("cookie", browser.cookie.clone())];
        Wanted { method: Method::GET, path: path.to_owned(), token: None, headers, body: String::new() }
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Wanted {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs([("csrf", self.researcher.csrf.as_str())].iter().chain(fields));
        let headers = vec![("cookie", self.researcher.cookie.clone())];
        Wanted { method: Method::POST, path: path.to_owned(), token: None, headers, body: text.finish() }
    }

    fn send(&self, wanted: Wanted) -> JoinHandle<(String, Reply)> {
        let lab = Arc::clone(&self.lab);
        tokio::spawn(async move {
            let Wanted { method, path, token, headers, body } = wanted;
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let reply = call(&lab.router, method, &path, token.as_deref(), &headers, body.clone()).await;
            (format!("{path} {body}"), reply)
        })
    }

    /// Sends all of these requests while a queue is blocked; expects each to wait in that queue, and everything else to continue.
    async fn all_wait(&self, queue: Queue, wanted: Vec<Wanted>) {
        let service = &self.lab.service;
        let (open, holders) = hold(service, queue).await;
        let before = queue.waiting(service);
        let mut sent = Vec::new();
        for one in wanted {
            sent.push(self.send(one));
            // Send them one by one, so that a request that does not wait can be identified by its number.
            until(|| queue.waiting(service) == before + sent.len() || sent.iter().any(JoinHandle::is_finished)).await;
            let last = sent.len() - 1;
            if sent[last].is_finished() {
                let (what, reply) = sent.swap_remove(last).await.expect("a reply");
                panic!("{what} did not wait: {}", reply.status);
            }
        }
        for path in ["/livez", "/readyz", "/v1/statistics/regions", "/openapi.json", "/sign-in"] {
            let reply = call(&self.lab.router, Method::GET, path, None, &[], String::new()).await;
            assert_eq!(reply.status, StatusCode::OK, "{path} waited for others");
        }
        drop(open);
        for one in sent {
            let (what, reply) = one.await.expect("a reply");
            let is_payment = what.contains("do=pay");
            let expected = if is_payment { StatusCode::SEE_OTHER } else { StatusCode::OK };
            assert_eq!(reply.status, expected, "{what}: {}", String::from_utf8_lossy(&reply.bytes));
        }
        for holder in holders {
            holder.await.expect("a holder");
        }
    }
}

#[test]
fn what_is_read_and_planned_waits_for_its_turn_and_health_does_not() {
    block_on(async {
        let door = Door::open().await;
        let priced = [("sql", COUNT), ("by", "epsilon"), ("epsilon", "0.1"), ("key", "a"), ("level", "3")];
        let with = |what: &'static str| [&priced[..], &[("do", what)]].concat();
        let mut keyed = door.post("/v1/queries", COUNT);
        keyed.headers.push(("idempotency-key", "k".to_owned()));
        let wanted = vec![
            door.post("/v1/quotes", COUNT),
            door.post("/v1/quotes", "SELECT region FROM visits GROUP BY region"),
            door.post("/v1/queries", COUNT),
            door.post("/v1/queries", "SELECT COUNT(*) FROM visits WHERE age > 33"),
            door.post("/v1/queries", "EXPLAIN SELECT COUNT(*) FROM visits"),
            door.post("/v1/queries", "SELECT DISTINCT region FROM visits"),
            door.post("/v1/queries", "SELECT 1"),
            keyed,
            door.form("/ask/price", &priced),
            door.form("/ask/level", &priced),
            door.page("/ask?sql=SELECT+COUNT(*)+FROM+visits&epsilon=0.1&show=price", &door.researcher),
            door.page("/ask?sql=SELECT+1&epsilon=0.1&show=answer", &door.researcher),
            door.form("/ask", &with("pay")),
        ];
        door.all_wait(Queue::Planning, wanted).await;
    });
}

/// Pages whose size does not grow with the data, or has a limit of its own.
const SMALL_PAGES: [&str; 12] = [
    "/",
    "/manual",
    "/sign-in",
    "/assets/{name}",
    "/s/{name}",
    "/ledger/export.csv",
    "/ledger/export.jsonl",
    "/history/{id}",
    "/sealings",
    "/sealings/{id}",
    "/statistics/{name}/link",
    "/answers/{name}/link",
];

#[test]
fn what_is_laid_out_waits_for_its_turn_and_light_answers_do_not() {
    block_on(async {
        let door = Door::open().await;
        let (lab, [small, large]) = (Arc::clone(&door.lab), &door.releases);
        let mut wanted = Vec::new();
        for path in
            ["accounts", "datasets", "datasets/visits", "requests", "researchers", "ledger", "releases", "statistics"]
        {
            wanted.push(door.get(&format!("/v1/{path}"), &lab.steward));
        }
        for path in [small, large].map(|id| format!("/v1/releases/{id}")) {
            wanted.push(door.get(&path, &lab.researcher));
        }
        for form in ["csv", "arrow", "feather", "parquet", "xlsx", "svg", "vl.json", "txt", "json"] {
            wanted.push(door.get(&format!("/v1/statistics/smokers.{form}"), &lab.viewer));
        }
        wanted.push(door.get("/metrics", &lab.steward));
        wanted.push(door.post("/v1/queries", "SELECT DISTINCT visited FROM visits"));
        let pages = PAGES.iter().filter(|page| page.method == "GET" && !SMALL_PAGES.contains(&page.path));
        let mut known = BTreeSet::new();
        let address = format!("/answers/{large}");
        for ending in ["csv", "json", "arrow", "feather", "parquet", "xlsx"] {
            wanted.push(door.page(&format!("{address}.{ending}"), &door.researcher));
        }
        for PageRoute { path, roles, .. } in pages {
            known.insert(*path);
            let values = [
                ("/statistics/{name}", "/statistics/smokers"),
                ("/answers/{name}", address.as_str()),
                ("/d/{name}", "/d/glance"),
                ("/people/{name}", "/people/ada"),
                ("{topic}", "asking"),
                ("{name}", "visits"),
            ];
            let path = filled(path, &values);
            let by_steward = roles.is_empty() || roles.contains(&tacit::kernel::budget::people::Role::Steward);
            wanted.push(door.page(&path, if by_steward { &door.steward } else { &door.researcher }));
        }
        assert!(known.contains("/ledger") && known.len() >= 12, "{known:?}");
        door.all_wait(Queue::Rendering, wanted).await;
        // A small answer is laid out at once, and its replay waits only for planning.
        let (open, _) = hold(&lab.service, Queue::Rendering).await;
        let replay = lab.sql(COUNT, "0.1").await;
        assert_eq!((replay.status, replay.json()["replayed"].as_bool()), (StatusCode::OK, Some(true)));
        drop(open);
    });
}

#[test]
fn what_comes_in_by_the_postgresql_door_waits_in_the_same_queues() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let [(mut client, _), (mut other, _)] = [door.ada(&lab), door.ada(&lab)];
    client.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    block_on(async {
        let (open, holders) = hold(&lab.service, Queue::Planning).await;
        let before = Queue::Planning.waiting(&lab.service);
        let asking = std::thread::spawn(move || client.query(COUNT, &[]).map(|rows| rows.len()));
        until(|| Queue::Planning.waiting(&lab.service) == before + 1 || asking.is_finished()).await;
        assert!(!asking.is_finished(), "it did not wait");
        let shown = std::thread::spawn(move || other.simple_query("SHOW tacit.epsilon").is_ok());
        assert!(shown.join().expect("a thread"), "a setting waited for others");
        drop(open);
        assert!(matches!(asking.join().expect("a thread"), Ok(1)));
        for holder in holders {
            holder.await.expect("a holder");
        }
    });
}

#[test]
fn a_client_that_hangs_up_frees_its_place_with_its_work() {
    block_on(async {
        let lab = Lab::gaussian();
        let (open, holders) = hold(&lab.service, Queue::Planning).await;
        for holder in holders {
            holder.abort();
            assert!(holder.await.expect_err("an end").is_cancelled());
        }
        assert_eq!(lab.service.waiting().0, 0, "who waited has left the line");
        let (router, token) = (lab.router.clone(), lab.researcher.clone());
        let body = json!({"sql": COUNT, "epsilon": "0.1"}).to_string();
        let quote =
            tokio::spawn(async move { call(&router, Method::POST, "/v1/quotes", Some(&token), &[], body).await });
        until(|| lab.service.waiting().0 == 1).await;
        assert!(!quote.is_finished(), "whose work goes on keeps their place");
        drop(open);
        assert_eq!(quote.await.expect("a quote").status, StatusCode::OK);
    });
}

#[test]
fn one_too_many_is_told_to_come_back() {
    block_on(async {
        let lab = Lab::gaussian();
        let (open, _holders) = hold(&lab.service, Queue::Planning).await;
        let ask = |path: &'static str| {
            let (router, token) = (lab.router.clone(), lab.researcher.clone());
            let body = json!({"sql": COUNT, "epsilon": "0.1"}).to_string();
            async move { call(&router, Method::POST, path, Some(&token), &[], body).await }
        };
        let before = lab.service.waiting().0;
        // The contract promises 1,024 connections that are served, and 32 queries that are never turned away.
        let line: Vec<_> = (0..2_048).map(|_| tokio::spawn(ask("/v1/quotes"))).collect();
        until(|| lab.service.waiting().0 == before + line.len()).await;
        for path in ["/v1/quotes", "/v1/queries"] {
            let reply = ask(path).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
            assert_eq!(reply.headers[header::RETRY_AFTER], "1");
        }
        let other = lab.act("/v1/researchers", &json!({"name": "bob"})).await.json();
        let (router, bob) = (lab.router.clone(), other["token"].as_str().expect("a token").to_owned());
        let body = json!({"sql": "SELECT 1"}).to_string();
        let other =
            tokio::spawn(async move { call(&router, Method::POST, "/v1/queries", Some(&bob), &[], body).await });
        until(|| lab.service.waiting().0 == before + line.len() + 1).await;
        drop(open);
        assert_eq!(other.await.expect("a reply").status, StatusCode::OK, "another person has a line of their own");
        for quote in line {
            assert_eq!(quote.await.expect("a quote").status, StatusCode::OK);
        }
    });
}

/// An engine whose first evaluations wait at a gate.
struct Gated {
    engine: PolarsEngine,
    gate: Arc<Gate>,
    gated: usize,
}

impl Engine for Gated {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        if self.gate.standing() < self.gated {
            self.gate.stand();
        }
        self.engine.evaluate(edition, computation)
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.engine.is_ready(edition)
    }
}

/// However many questions one person asks, and however long they take, another person's question does not wait behind them.
#[test]
fn one_person_s_questions_are_not_everybody_s_queue() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(50)).expect("a source");
    let gate = Arc::new(Gate::default());
    let open = Opens(Arc::clone(&gate));
    let places = 2 * std::thread::available_parallelism().map_or(2, usize::from);
    let gated = |engine| Arc::new(Gated { engine, gate: Arc::clone(&gate), gated: places }) as Arc<dyn Engine>;
    let lab = Lab::wrapped(dir, &policy(GAUSSIAN), Arc::new(OpenDp), "2", gated);
    block_on(async {
        let bob = lab.act("/v1/researchers", &json!({"name": "bob"})).await.json();
        let bob = bob["token"].as_str().expect("a token").to_owned();
        assert!(lab.grant("bob", "visits", "1").await.status.is_success());
        let ask = |token: &str, age: usize| {
            let (router, token) = (lab.router.clone(), token.to_owned());
            let sql = format!("SELECT COUNT(*) FROM visits WHERE age > {age}");
            let body = json!({"sql": sql, "epsilon": "0.01"}).to_string();
            async move { call(&router, Method::POST, "/v1/queries", Some(&token), &[], body).await }
        };
        let many: Vec<_> = (0..places + 40).map(|age| tokio::spawn(ask(&lab.researcher, age))).collect();
        until(|| gate.standing() == places).await;
        assert_eq!(ask(&bob, 99).await.status, StatusCode::OK, "one place stays for somebody else");
        assert!(many.iter().all(|one| !one.is_finished()));
        drop(open);
        for one in many {
            assert_eq!(one.await.expect("an answer").status, StatusCode::OK);
        }
    });
}
