//! A server over a state directory of its own, with real workers, whose datasets can be sealed while it runs.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::http::Settings;
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::budget::people::Role;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::ledger::replan::Replanner;
use tacit::ledger::{OpenError, SqliteLedger};
use tacit::query::terms::policy::Policy;
use tacit::service::publishing::schedule::CalendarZone;
use tacit::service::publishing::sealings::{SealingPlace, Sealings};
use tacit::service::publishing::statistics::confirm;
use tacit::service::publishing::uploads::UploadLimits;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tacit::service::{Current, Service};
use tacit::startup::{self, Started};
use tempfile::TempDir;

use crate::support::{Reply, call, grant, launch, seal_and_publish, visits};

/// What the researcher may spend of each dataset.
const ALLOCATION: &str = "100";

/// The id of an upload.
pub const UPLOAD: &str = "up_0123456789abcdef0123456789abcdef";

pub struct Clinic {
    pub dir: TempDir,
    pub state: PathBuf,
    pub router: Router,
    pub steward: String,
    pub researcher: String,
    pub kept_over_files: Vec<String>,
    pub sealings: Arc<Sealings>,
    current: Arc<Current>,
}

impl Clinic {
    /// A server of `visits` with so many patients, and of these statistics, which were confirmed.
    pub fn new(policy: &str, patients: usize, statistics: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(patients)).expect("a source");
        std::fs::write(dir.path().join("policy.toml"), policy).expect("a policy");
        std::fs::create_dir(dir.path().join("queries")).expect("a folder");
        for (name, text) in statistics {
            std::fs::write(dir.path().join(format!("queries/{name}.sql")), text).expect("a query");
        }
        let state = dir.path().join("state");
        let ledger = SqliteLedger::open(&state, 0).expect("a ledger");
        seal_and_publish(&ledger, &Policy::load(&dir.path().join("policy.toml")).expect("a policy"), &state);
        let add =
            |name, role| people::add_person(&ledger, name, role, "a test", 0).expect("a person").text().to_owned();
        let (steward, researcher) = (add("sam", Role::Steward), add("ada", Role::Researcher));
        grant(&ledger, "ada", "visits", if statistics.is_empty() { ALLOCATION } else { "50" });
        if !statistics.is_empty() {
            let to = Holder::Statistics { period_days: None };
            let (dataset, reason, by) = ("visits".to_owned(), "a test".to_owned(), "sam".to_owned());
            let epsilon = Epsilon::parse("10").expect("an epsilon");
            grants::grant(&ledger, Grant { to, dataset, epsilon, reason, by }, 0).expect("a grant");
        }
        drop(ledger);
        let clinic = Self::opened(dir, steward, researcher);
        let now = clinic.current.now();
        now.statistics().for_each(|one| confirm(now.ledger(), one, "sam", 0).expect("confirmed"));
        clinic
    }

    fn opened(dir: TempDir, steward: String, researcher: String) -> Self {
        let (state, queries) = (dir.path().join("state"), dir.path().join("queries"));
        let (policy, queries) = (dir.path().join("policy.toml"), Some((queries.as_path(), CalendarZone::default())));
        let started = startup::open_publishing(&state, None, &[policy], queries, (launch(), UploadLimits::default()));
        let Started { service, current, sealings, kept_over_files, .. } =
            started.unwrap_or_else(|error| panic!("{error}"));
        drop(service);
        let settings = Settings { sealings: Some(Arc::clone(&sealings)), ..Settings::default() };
        let router = tacit::http::router(current.now(), settings);
        Self { dir, state, router, steward, researcher, kept_over_files, sealings, current }
    }

    /// The same server, which seals with another program.
    pub fn sealing_with(self, program: PathBuf) -> Self {
        let policies = [("visits".to_owned(), self.dir.path().join("policy.toml"))].into();
        let place = SealingPlace { state: self.state.clone(), program, policies };
        let sealings = Sealings::new(Arc::clone(&self.current), place);
        let settings = Settings { sealings: Some(Arc::clone(&sealings)), ..Settings::default() };
        let router = tacit::http::router(self.current.now(), settings);
        Self { router, sealings, ..self }
    }

    pub fn current(&self) -> &Arc<Current> {
        &self.current
    }

    /// Stops the server, and waits until its ledger is free.
    pub fn stopped(self) -> (TempDir, String, String) {
        let Self { dir, router, steward, researcher, sealings, current, .. } = self;
        drop((router, sealings, current));
        let state = dir.path().join("state");
        while let Err(OpenError::Held { .. }) = SqliteLedger::open(&state, 0) {
            std::thread::yield_now();
        }
        (dir, steward, researcher)
    }

    /// Stops the server, and starts another one with the same configuration.
    pub fn restarted(self) -> Self {
        let (dir, steward, researcher) = self.stopped();
        Self::opened(dir, steward, researcher)
    }

    /// Stops the server, and requires its ledger to verify.
    pub fn verified(self) {
        let (dir, ..) = self.stopped();
        let found = tacit::ledger::verify(&dir.path().join("state"), None, &mut Replanner::default());
        assert!(matches!(found, Ok(Ok(_))), "{found:?}");
    }

    pub fn write_visits(&self, patients: usize) {
        std::fs::write(self.dir.path().join("visits.csv"), visits(patients)).expect("a source");
    }

    /// Puts a file where uploads are.
    pub fn upload(&self, id: &str, name: &str, text: &str) -> PathBuf {
        let folder = self.state.join("uploads").join(id);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), text).expect("a file");
        folder
    }

    pub fn grant(&self, dataset: &str) {
        grant(self.current.now().ledger(), "ada", dataset, ALLOCATION);
    }

    /// The edition that questions see, according to the service and to the ledger.
    pub fn edition(&self, dataset: &str) -> String {
        let now = self.current.now();
        let recorded = read(now.ledger(), |book| book.dataset(dataset).and_then(|whole| whole.edition.clone()));
        let served = now.dataset(dataset).expect("a dataset").edition.clone();
        assert_eq!(recorded.expect("an edition").id, served);
        served
    }

    /// What was charged to the dataset's account, and what one question at this ε costs.
    pub fn spent(&self, epsilon: &str) -> (u64, u64) {
        let now = self.current.now();
        let accountant = now.dataset("visits").expect("a dataset").terms.accountant;
        let price = accountant.cap(Epsilon::parse(epsilon).expect("an epsilon")).quanta();
        let spent = read(now.ledger(), |book| {
            book.find("visits", AccountKind::Dataset, "visits").expect("a dataset").spent.quanta()
        });
        (spent, price)
    }

    pub async fn call(&self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Reply {
        call(&self.router, method, path, token, &[], body.to_string()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Reply {
        self.call(Method::GET, path, Some(token), &Value::Null).await
    }

    /// Sends a POST request as the steward.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, Some(&self.steward), body).await
    }

    /// Asks a query as the researcher.
    pub async fn ask(&self, sql: &str, epsilon: &str) -> Reply {
        let body = json!({"sql": sql, "epsilon": epsilon});
        self.call(Method::POST, "/v1/queries", Some(&self.researcher), &body).await
    }

    /// Starts a sealing through the API; returns its id.
    pub async fn start(&self, policy: &str, upload: Option<&str>) -> String {
        let reply = self.post("/v1/sealings", &json!({"policy": policy, "upload": upload})).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&reply.bytes));
        reply.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Waits for the end of a sealing, and returns what came of it.
    pub async fn ended(&self, id: &str) -> Value {
        loop {
            let body = self.get(&format!("/v1/sealings/{id}"), &self.steward).await.json();
            if !["sealing", "loading"].contains(&body["step"].as_str().expect("a step")) {
                return body;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Seals a policy, and returns what came of it.
    pub async fn sealed(&self, policy: &str, upload: Option<&str>) -> Value {
        let id = self.start(policy, upload).await;
        self.ended(&id).await
    }

    /// The cookie of a session, and the secret of its forms.
    pub async fn signed_in(&self, token: &str) -> (String, String) {
        let reply = self.form("/sign-in", "", &[("token", token)]).await;
        let cookie = reply.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let page = String::from_utf8(self.page("/datasets", &cookie).await.bytes).expect("text");
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        (cookie, rest.split('"').next().expect("a word").to_owned())
    }

    pub async fn page(&self, path: &str, cookie: &str) -> Reply {
        call(&self.router, Method::GET, path, None, &[("cookie", cookie)], String::new()).await
    }

    pub async fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let headers = [("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")];
        call(&self.router, Method::POST, path, None, &headers, body.finish()).await
    }
}

/// The edition that a stored answer was computed from.
pub fn edition_of(service: &Service, release: &str) -> String {
    service.stored_answer(release).expect("an answer").release.subject.edition.clone()
}

pub async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}
