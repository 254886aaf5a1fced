//! A service over a pinned state directory, with a clock that is set.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::engine::PolarsEngine;
use tacit::kernel::clock::Clock;
use tacit::kernel::vault::noise::OpenDp;
use tacit::ledger::{OpenError, SqliteLedger, WriteLock};
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::{Ports, Service};

use super::POLICIES;
use super::questions::Question;
use crate::support::{Reply, call};

/// When the pinned state was begun, and when it is opened again.
pub const BEGIN_MS: u64 = 1_780_000_000_000;
pub const END_MS: u64 = BEGIN_MS + 36 * DAY_MS;
pub const DAY_MS: u64 = 86_400_000;

/// The datasets.
pub const DATASETS: [&str; 3] = ["visits", "reports", "wards"];

/// A dashboard of the statistics.
const GLANCE: &str = "title = \"At a glance\"\nstatistics = [\"staff\", \"by-region\", \"older\"]";

/// A clock that is set.
pub struct SetClock(AtomicU64);

impl SetClock {
    pub fn at(now_ms: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(now_ms)))
    }

    pub fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }

    /// Lets a second pass.
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A policy of the pinned state.
pub fn policy(name: &str) -> Policy {
    Policy::load(&Path::new(POLICIES).join(format!("{name}.toml"))).unwrap_or_else(|error| panic!("{error}"))
}

/// An open state directory.
pub struct Scene {
    pub service: Arc<Service>,
    pub router: Router,
    pub clock: Arc<SetClock>,
    pub tokens: Value,
    /// The ledger's, for the webhooks' outbox.
    pub write_lock: WriteLock,
}

/// The ledger of a state directory, once nobody holds it: a process that another test starts holds this test's files until it executes
/// its own program.
pub fn opened(state: &Path, at_ms: u64) -> SqliteLedger {
    loop {
        match SqliteLedger::open(state, at_ms) {
            Err(OpenError::Held { .. }) => std::thread::yield_now(),
            other => return other.unwrap_or_else(|error| panic!("{error}")),
        }
    }
}

impl Scene {
    /// Opens the state directory `state`; `tokens` are those of its people, by name.
    pub fn open(state: &Path, clock: &Arc<SetClock>, tokens: Value) -> Self {
        let ledger = opened(state, clock.now_ms());
        let mut engine = PolarsEngine::new();
        let load = |name: &&str| {
            tacit::startup::load(state, &ledger, &mut engine, policy(name)).unwrap_or_else(|error| panic!("{error}"))
        };
        let datasets = DATASETS.iter().flat_map(load).collect();
        let write_lock = ledger.write_lock();
        let ports = Ports {
            ledger: Arc::new(ledger),
            engine: Arc::new(engine),
            noise: Arc::new(OpenDp),
            clock: Arc::<SetClock>::clone(clock),
        };
        let files = tacit::startup::query_files(&Path::new(POLICIES).join("statistics")).expect("query files");
        let service = Service::new(ports, datasets).publishing(files, CalendarZone::default());
        let dashboard = vec![("glance.toml".into(), GLANCE.to_owned())];
        let service = service.unwrap_or_else(|fault| panic!("{fault}")).showing(dashboard);
        let service = Arc::new(service.unwrap_or_else(|fault| panic!("{fault}")));
        // Links are always the same under the same key.
        let link_key = Some(tacit::http::LinkKey::new([7; 32]));
        let settings = tacit::http::Settings { link_key, ..tacit::http::Settings::default() };
        let router = tacit::http::router(Arc::clone(&service), settings);
        Self { service, router, clock: Arc::clone(clock), tokens, write_lock }
    }

    pub fn token(&self, who: &str) -> &str {
        self.tokens[who].as_str().unwrap_or_else(|| panic!("no token of {who}"))
    }

    /// Asks a question over HTTP.
    pub async fn ask(&self, question: &Question<'_>) -> Reply {
        let body = format!("{{\"sql\":{},{}}}", json!(question.sql), question.how);
        let key: Vec<_> = question.key.iter().map(|key| ("idempotency-key", *key)).collect();
        call(&self.router, Method::POST, "/v1/queries", Some(self.token(question.who)), &key, body).await
    }

    /// What a stored or new answer is; fails with the problem where there is none.
    pub async fn answered(&self, question: &Question<'_>) -> Value {
        let reply = self.ask(question).await;
        assert_eq!(reply.status, StatusCode::OK, "{}\n{}", question.sql, String::from_utf8_lossy(&reply.bytes));
        reply.json()
    }

    /// POST as somebody, which has to succeed.
    pub async fn post(&self, who: &str, path: &str, body: &Value) -> Value {
        let reply = call(&self.router, Method::POST, path, Some(self.token(who)), &[], body.to_string()).await;
        assert!(reply.status.is_success(), "{path} {body}\n{}", String::from_utf8_lossy(&reply.bytes));
        reply.json()
    }

    /// GET as somebody.
    pub async fn get(&self, who: &str, path: &str) -> Reply {
        call(&self.router, Method::GET, path, Some(self.token(who)), &[], String::new()).await
    }
}
