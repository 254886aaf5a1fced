//! What the tests share: small datasets, a service over them, requests, and test doubles for noise and time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use dashu::integer::IBig;
use serde_json::{Value, json};
use tacit::engine::drafting::Drafter;
use tacit::engine::{Engine, Launch, PolarsEngine};
use tacit::kernel::budget::ledger::Ledger;
use tacit::kernel::budget::people::Role;
use tacit::kernel::clock::Clock;
use tacit::kernel::privacy::amounts::{Epsilon, Price};
use tacit::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource, OpenDp};
use tacit::kernel::vault::release::NoisyVector;
use tacit::ledger::replan::Replanner;
use tacit::ledger::sqlite::policy_texts::PolicyTextTable;
use tacit::ledger::sqlite::questions::QuestionTable;
use tacit::ledger::{OpenError, SqliteLedger, WriteLock};
use tacit::query::answer::{Table, tabulate};
use tacit::query::file::QueryFile;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::editions;
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::publishing::statistics::confirm;
use tacit::service::publishing::uploads::{UploadLimits, Uploads};
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Ports, Service};
use tempfile::TempDir;
use tower::ServiceExt;

/// A clock that stands still.
pub struct StoppedClock;

impl Clock for StoppedClock {
    fn now_ms(&self) -> u64 {
        1_790_000_000_000
    }
}

/// A clock that stands at the beginning of 1970, at which test ledgers are made.
struct ZeroClock;

impl Clock for ZeroClock {
    fn now_ms(&self) -> u64 {
        0
    }
}

/// A noise source without noise, which exists only in tests.
pub struct NoNoise;

impl NoiseSource for NoNoise {
    fn draw(&self, _: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        Ok(vec![IBig::ZERO; cells])
    }
}

/// Exact vectors with fresh noise of these laws, and the prices that go with them.
pub fn redrawn(
    exact: &[NoisyVector],
    laws: impl Iterator<Item = (NoiseLaw, Price)>,
    noise: &dyn NoiseSource,
) -> Vec<NoisyVector> {
    let one = |(exact, (law, price)): (&NoisyVector, (NoiseLaw, Price))| {
        let drawn = noise.draw(&law, exact.cells.len()).expect("noise");
        // Without noise, the stored value is exact on its own fine grid.
        let whole = |cell: &IBig| cell.clone() >> exact.law.fine_bits as usize;
        let noisy = |(cell, noise): (&IBig, IBig)| (whole(cell) << law.fine_bits as usize) + noise;
        NoisyVector { law, price, cells: exact.cells.iter().zip(drawn).map(noisy).collect() }
    };
    exact.iter().zip(laws).map(one).collect()
}

/// A noise source that always fails.
pub struct BrokenNoise;

impl NoiseSource for BrokenNoise {
    fn draw(&self, _: &NoiseLaw, _: usize) -> Result<Vec<IBig>, NoiseFault> {
        Err(NoiseFault)
    }
}

/// What stewards of labs may upload.
pub const UPLOADS: UploadLimits = UploadLimits { bytes_max: 1 << 20, count_max: 3, days_max: 7 };

/// How tests start workers: from the binary under test.
pub fn launch() -> Launch {
    Launch { program: env!("CARGO_BIN_EXE_tacit").into(), workers: 2, deadline_min: Duration::from_secs(10) }
}

/// A policy for people with visits; `budget` holds the lines of accountant, cap and query limit.
pub fn policy(budget: &str) -> String {
    format!(
        r#"
[dataset]
name = "visits"
title = "Visits"
source = "visits.csv"
privacy_unit = "patient_id"
max_rows_per_unit = 4
max_rows = 1_000_000
{budget}
[[column]]
name = "region"
type = "category"
values = ["north", "east", "south", "west"]
per_unit = true
[[column]]
name = "diagnosis"
type = "category"
values = ["asthma", "copd", "flu"]
nullable = true
[[column]]
name = "smoker"
type = "boolean"
nullable = true
[[column]]
name = "age"
type = "integer"
min = "0"
max = "110"
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "500"
step = "0.01"
[[column]]
name = "visited"
type = "date"
min = 2020-01-01
max = 2025-12-31
"#
    )
}

pub const GAUSSIAN: &str = r#"accountant = "gaussian"
cap = { epsilon = "4", delta = "1e-9" }
max_epsilon_per_query = "2""#;

pub const PURE: &str = r#"accountant = "pure"
cap = { epsilon = "100" }
max_epsilon_per_query = "50""#;

/// CSV of `patients` people with one to three visits each, always the same for the same number.
pub fn visits(patients: usize) -> String {
    let mut csv = String::from("patient_id,region,diagnosis,smoker,age,cost,visited\n");
    for patient in 0..patients {
        for visit in 0..1 + patient % 3 {
            let region = ["north", "east", "south", "west"][patient % 4];
            let diagnosis = ["asthma", "copd", "flu", ""][(patient + visit) % 4];
            let smoker = ["true", "false", ""][patient % 3];
            let (age, cost) = (20 + patient % 70, (patient * 37 + visit * 11) % 400);
            let day = 1 + (patient + visit) % 28;
            csv.push_str(&format!("p{patient},{region},{diagnosis},{smoker},{age},{cost}.5,2023-03-{day:02}\n"));
        }
    }
    csv
}

/// A service with three people, on a state directory of its own.
pub struct Lab {
    pub dir: TempDir,
    pub service: Arc<Service>,
    pub router: Router,
    pub steward: String,
    pub researcher: String,
    pub viewer: String,
    /// The ledger's, for the webhooks' outbox.
    pub write_lock: WriteLock,
}

impl Lab {
    /// Seals `csv` under `policy` and gives the researcher `ada` an allocation.
    pub fn new(policy: &str, csv: &str, noise: Arc<dyn NoiseSource>, allocation: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), csv).expect("a source");
        Self::over(dir, policy, noise, allocation)
    }

    /// A lab like [`Lab::new`], in a directory that already holds the policy's source.
    pub fn over(dir: TempDir, policy: &str, noise: Arc<dyn NoiseSource>, allocation: &str) -> Self {
        Self::wrapped(dir, policy, noise, allocation, |engine| Arc::new(engine))
    }

    /// A lab like [`Lab::over`], with an engine that the test makes from the real one.
    pub fn wrapped(
        dir: TempDir,
        policy: &str,
        noise: Arc<dyn NoiseSource>,
        allocation: &str,
        wrap: impl FnOnce(PolarsEngine) -> Arc<dyn Engine>,
    ) -> Self {
        Self::clocked(dir, policy, noise, allocation, Arc::new(StoppedClock), wrap)
    }

    /// A lab like [`Lab::wrapped`], with a clock of the test's own.
    pub fn clocked(
        dir: TempDir,
        policy: &str,
        noise: Arc<dyn NoiseSource>,
        allocation: &str,
        clock: Arc<dyn Clock>,
        wrap: impl FnOnce(PolarsEngine) -> Arc<dyn Engine>,
    ) -> Self {
        Self::made(dir, policy, noise, allocation, clock, wrap, |service| service)
    }

    /// A lab with published statistics, by name, which have an account of their own and were confirmed by a steward.
    pub fn publishing(policy: &str, statistics: &[(&str, &str)], allocation: &str, clock: Arc<dyn Clock>) -> Self {
        Self::showing(policy, statistics, &[], allocation, clock)
    }

    /// A lab like [`Lab::publishing`] with dashboards, as names and texts of their files.
    pub fn showing(
        policy: &str,
        statistics: &[(&str, &str)],
        dashboards: &[(&str, &str)],
        allocation: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let lab = Self::opened(policy, statistics, dashboards, allocation, clock);
        for statistic in lab.service.statistics() {
            confirm(lab.service.ledger(), statistic, "sam", 0).expect("confirmed");
        }
        lab
    }

    /// A lab like [`Lab::publishing`], in which nobody has confirmed the statistics.
    pub fn waiting(policy: &str, statistics: &[(&str, &str)], allocation: &str, clock: Arc<dyn Clock>) -> Self {
        Self::opened(policy, statistics, &[], allocation, clock)
    }

    fn opened(
        policy: &str,
        statistics: &[(&str, &str)],
        dashboards: &[(&str, &str)],
        allocation: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(200)).expect("a source");
        let files = query_files(statistics);
        let file = |(name, text): &(&str, &str)| (PathBuf::from(format!("{name}.toml")), (*text).to_owned());
        let dashboards = dashboards.iter().map(file).collect();
        let finish = |service: Service| {
            let to = Holder::Statistics { period_days: None };
            let (dataset, reason, by) = ("visits".to_owned(), "a test".to_owned(), "sam".to_owned());
            let epsilon = Epsilon::parse(allocation).expect("an epsilon");
            grants::grant(service.ledger(), Grant { to, dataset, epsilon, reason, by }, 0).expect("a grant");
            let service = service.publishing(files, CalendarZone::default()).unwrap_or_else(|fault| panic!("{fault}"));
            service.showing(dashboards).unwrap_or_else(|fault| panic!("{fault}"))
        };
        Self::made(dir, policy, Arc::new(OpenDp), "1", clock, |engine| Arc::new(engine), finish)
    }

    fn made(
        dir: TempDir,
        policy: &str,
        noise: Arc<dyn NoiseSource>,
        allocation: &str,
        clock: Arc<dyn Clock>,
        wrap: impl FnOnce(PolarsEngine) -> Arc<dyn Engine>,
        finish: impl FnOnce(Service) -> Service,
    ) -> Self {
        let path = dir.path().join("policy.toml");
        std::fs::write(&path, policy).expect("a policy file");
        let policy = Policy::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let state = dir.path().join("state");
        let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
        seal_and_publish(&ledger, &policy, &state);
        let add =
            |name, role| people::add_person(&ledger, name, role, "a test", 0).expect("a person").text().to_owned();
        let (boss, researcher, viewer) =
            (add("sam", Role::Steward), add("ada", Role::Researcher), add("vic", Role::Viewer));
        grant(&ledger, "ada", &policy.name, allocation);
        let mut engine = PolarsEngine::new();
        let datasets = tacit::startup::load(&state, &ledger, &mut engine, policy).expect("datasets");
        let write_lock = ledger.write_lock();
        let ports = Ports { ledger: Arc::new(ledger), engine: wrap(engine), noise, clock };
        let questions = QuestionTable::open(&state, write_lock.clone()).expect("a table");
        let policies = PolicyTextTable::open(&state, write_lock.clone()).expect("a table");
        let uploads = Uploads::new(&state, Drafter::new(launch().program), UPLOADS);
        let service = Service::new(ports, datasets).keeping(questions).keeping_policies(policies).uploading(uploads);
        let service = Arc::new(finish(service));
        let router = tacit::http::router(Arc::clone(&service), tacit::http::Settings::default());
        Self { dir, service, router, steward: boss, researcher, viewer, write_lock }
    }

    /// A lab with 200 people, the `gaussian` accountant and real noise.
    pub fn gaussian() -> Self {
        Self::new(&policy(GAUSSIAN), &visits(200), Arc::new(OpenDp), "4")
    }

    /// A lab with 200 people, the `pure` accountant and no noise.
    pub fn exact() -> Self {
        Self::new(&policy(PURE), &visits(200), Arc::new(NoNoise), "100")
    }

    /// Asks a query as the researcher.
    pub async fn ask(&self, body: &Value) -> Reply {
        call(&self.router, Method::POST, "/v1/queries", Some(&self.researcher), &[], body.to_string()).await
    }

    /// Asks a query as the researcher, as SQL at an epsilon.
    pub async fn sql(&self, sql: &str, epsilon: &str) -> Reply {
        self.ask(&json!({"sql": sql, "epsilon": epsilon})).await
    }

    /// The answer to a query without noise, to its last digit, for labs with [`NoNoise`] and the `pure` accountant.
    pub async fn exact_table(&self, sql: &str) -> Table {
        let reply = self.sql(sql, "0.001").await.json();
        let release = reply["release"].as_str().unwrap_or_else(|| panic!("{sql}: {reply}"));
        let stored = self.service.stored_answer(release).expect("an answer");
        // Tiny errors, so that nothing is rounded to the digits that an error justifies.
        let law = NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: 1e-12 };
        let vectors: Vec<NoisyVector> = stored.vectors().iter().map(|one| NoisyVector { law, ..one.clone() }).collect();
        let dataset = self.service.dataset("visits").expect("a dataset");
        let plan = parse(sql).and_then(|query| plan(&query, &dataset.terms, None)).expect("a plan");
        tabulate(&plan.layout, &vectors)
    }

    /// The noisy vectors of a stored answer.
    pub fn vectors(&self, release: &Value) -> Vec<NoisyVector> {
        let stored = self.service.stored_answer(release.as_str().unwrap_or_else(|| panic!("{release}")));
        stored.expect("an answer").vectors().to_vec()
    }

    /// Sends a POST request as the steward.
    pub async fn act(&self, path: &str, body: &Value) -> Reply {
        call(&self.router, Method::POST, path, Some(&self.steward), &[], body.to_string()).await
    }

    /// Sets an allocation as the steward.
    pub async fn grant(&self, researcher: &str, dataset: &str, epsilon: &str) -> Reply {
        let body = json!({"researcher": researcher, "dataset": dataset, "epsilon": epsilon, "reason": "test"});
        self.act("/v1/grants", &body).await
    }

    /// Sends a GET request with this token.
    pub async fn get(&self, path: &str, token: &str) -> Reply {
        call(&self.router, Method::GET, path, Some(token), &[], String::new()).await
    }

    /// Stops the service and requires its ledger to verify, with every charge planned and priced again.
    pub fn verified(self) -> TempDir {
        let Self { dir, service, router, .. } = self;
        drop((service, router));
        let verify = || tacit::ledger::verify(&dir.path().join("state"), None, &mut Replanner::default());
        // Work that was spawned may hold the service a moment longer than the runtime. Each look takes time of its own, so nothing sleeps.
        let mut found = verify();
        for _ in 0..100_000 {
            if !matches!(found, Err(OpenError::Held { .. })) {
                break;
            }
            found = verify();
        }
        assert!(matches!(found, Ok(Ok(_))), "{found:?}");
        dir
    }

    /// Number and hash of the ledger's last entry.
    pub fn head(&self) -> (u64, [u8; 32]) {
        tacit::kernel::budget::ledger::read(self.service.ledger(), |book| book.head())
    }
}

/// Seals a policy's source and publishes the edition, as `tacit seal` does, at the beginning of 1970.
pub fn seal_and_publish(ledger: &SqliteLedger, policy: &Policy, state: &Path) {
    let published = editions::seal_and_publish(ledger, policy, state, &|_| {}, &ZeroClock);
    published.unwrap_or_else(|error| panic!("{error}"));
}

/// Query files by name.
pub fn query_files(statistics: &[(&str, &str)]) -> Vec<(PathBuf, QueryFile)> {
    let file = |text: &str| QueryFile::parse(text).unwrap_or_else(|fault| panic!("{fault}"));
    statistics.iter().map(|(name, text)| (PathBuf::from(format!("{name}.sql")), file(text))).collect()
}

pub fn grant(ledger: &dyn Ledger, researcher: &str, dataset: &str, epsilon: &str) {
    let grant = Grant {
        to: Holder::researcher(researcher),
        dataset: dataset.to_owned(),
        epsilon: Epsilon::parse(epsilon).expect("an epsilon"),
        reason: "a test".to_owned(),
        by: "sam".to_owned(),
    };
    grants::grant(ledger, grant, 0).expect("a grant");
}

/// The response to one request.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The answer's rows; fails with the problem if there is none.
    pub fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()["rows"].as_array().expect("rows").clone()
    }
}

/// Sends one request to the routes, without a socket.
pub async fn call(
    router: &Router,
    method: Method,
    path: &str,
    token: Option<&str>,
    headers: &[(&str, &str)],
    body: String,
) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(Body::from(body)).expect("a request")).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec();
    Reply { status, headers, bytes }
}

/// Puts values into a route's path. Every variable part must get one: a literal `{…}` would be answered as an unknown name.
pub fn filled(path: &str, values: &[(&str, &str)]) -> String {
    let filled = values.iter().fold(path.to_owned(), |path, (part, value)| path.replace(part, value));
    assert!(!filled.contains('{'), "{path}: this test has no value for a variable part");
    filled
}

/// Runs a future on a runtime with two threads.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// The text of a file of the repository.
pub fn repository_file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
