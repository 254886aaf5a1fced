//! The walk of one query, from a question to its stored answer.
//!
//! Promises the order: parse, plan, certify, charge durably, evaluate, release, record, and only then an answer. A replay never
//! spends. It knows no HTTP and no polars; everything that happens, noise and time included, comes through ports.

pub mod account;
pub mod ask;
mod locks;
mod margin;
pub mod quote;
pub mod steward;
pub mod stored;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::budget::charge::{ChargeRequest, Decision, Receipt, Refusal, Standing};
use crate::budget::entry::{Digest, KeyUse};
use crate::budget::ledger::{Ledger, LedgerFault, Outcome, read};
use crate::chance;
use crate::clock::Clock;
use crate::dataset::policy::Terms;
use crate::engine::Engine;
use crate::privacy::certificate::{Certificate, Subject, Uncertifiable, certify};
use crate::query::answer::{Layout, Output, Sort};
use crate::query::error::{Code, QueryError, shown};
use crate::query::plan::{Plan, plan};
use crate::query::{canonical, parse};
use crate::vault::noise::NoiseSource;
use crate::vault::release::release;
use ask::Ask;
use locks::KeyedLocks;
use stored::{StoredAnswer, StoredAnswers};

/// Queries that wait or run at the most; one more is told that the server is overloaded.
pub const QUERIES_MAX: usize = 4_096;
/// Queries of one person that wait or run at the most, so that nobody takes all places.
const QUERIES_OF_ONE_MAX: usize = 2_048;

/// A dataset as it is served.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Its public terms.
    pub terms: Terms,
    /// The edition that queries see.
    pub edition: String,
}

/// What the walk needs from outside.
pub struct Ports {
    /// The durable record.
    pub ledger: Arc<dyn Ledger>,
    /// What evaluates.
    pub engine: Arc<dyn Engine>,
    /// Where noise comes from.
    pub noise: Arc<dyn NoiseSource>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The service: everything that a server does, without HTTP.
pub struct Service {
    ports: Ports,
    datasets: BTreeMap<String, Dataset>,
    answers: StoredAnswers,
    key_locks: KeyedLocks,
    view_locks: KeyedLocks,
    running: Semaphore,
    present: Mutex<HashMap<String, usize>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The question is not one that is answered.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The accuracy asked for cannot be charged.
    #[error("{0}")]
    Accuracy(String),
    /// It was not admitted; nothing was charged.
    #[error("refused: {}", .0.refusal)]
    Refused(Box<Refused>),
    /// Too much is going on.
    #[error("too many queries are waiting")]
    Overloaded,
    /// It was charged and not answered.
    #[error("the answer {release} failed after its charge")]
    Unanswered {
        /// The id that the release would have had.
        release: String,
    },
    /// The ledger cannot be written; nothing was charged.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// No dataset has that name.
    #[error("there is no dataset \"{0}\"")]
    UnknownDataset(String),
    /// Nothing has that name.
    #[error("{0}")]
    NotFound(String),
    /// It is there already.
    #[error("{0}")]
    AlreadyExists(String),
    /// A steward's request that the rules do not allow.
    #[error("{0}")]
    Invalid(String),
}

/// A refusal with what helps.
#[derive(Debug)]
pub struct Refused {
    /// The refusal.
    pub refusal: Refusal,
    /// The dataset's accountant, to say amounts as ε.
    pub accountant: Option<crate::privacy::accountant::Accountant>,
}

/// An answer: what is stored, how this question lays it out, and the account beside it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The stored answer.
    pub stored: Arc<StoredAnswer>,
    /// This question's own layout.
    pub layout: Layout,
    /// This question's canonical SQL.
    pub sql: String,
    /// The account, and whether it is a replay.
    pub standing: Standing,
}

impl Answer {
    /// Noisy cells in all.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.stored.release.measurements.iter().map(|one| one.cells.len()).sum()
    }
}

/// A priced question: nothing is charged and no data is touched yet.
pub struct Priced {
    dataset: Dataset,
    plan: Plan,
    sql: String,
    view: Digest,
    certificate: Certificate,
}

impl Service {
    /// A service over these datasets.
    #[must_use]
    pub fn new(ports: Ports, datasets: Vec<Dataset>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            ports,
            datasets: datasets.into_iter().map(|dataset| (dataset.name.clone(), dataset)).collect(),
            answers: StoredAnswers::default(),
            key_locks: KeyedLocks::default(),
            view_locks: KeyedLocks::default(),
            running: Semaphore::new(2 * cores),
            present: Mutex::default(),
        }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &dyn Ledger {
        self.ports.ledger.as_ref()
    }

    /// Milliseconds since 1970 in UTC.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.ports.clock.now_ms()
    }

    /// All served datasets by name.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.values()
    }

    /// A served dataset.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.get(name)
    }

    /// Answers a question: the walk of the design, end to end.
    ///
    /// # Errors
    /// [`ServiceError`]; only [`ServiceError::Unanswered`] has cost anything.
    pub async fn answer(self: Arc<Self>, who: String, ask: Ask, key: Option<KeyUse>) -> Result<Answer, ServiceError> {
        let _place = self.place(&who)?;
        let _key_lock = match &key {
            Some(key) => Some(self.key_locks.lock(&who, &key.key).await),
            None => None,
        };
        let known = key.and_then(|key| read(self.ledger(), |book| book.under_key(&who, &key)));
        if let Some(known) = known {
            return blocking(move || self.again(known)).await;
        }
        let priced = self.price(&who, &ask)?;
        let _view_lock = self.view_locks.lock(&who, &priced.view).await;
        if let (Some(standing), None) = (self.stored(&who, &priced), key) {
            if let Some(stored) = self.answers.in_memory(&standing.release) {
                return Ok(priced.laid_out(stored, standing));
            }
            return blocking(move || self.replay(priced, standing)).await;
        }
        let _slot = self.running.acquire().await.map_err(|_| ServiceError::Overloaded)?;
        let this = Arc::clone(&self);
        blocking(move || this.walk(who, ask, priced, key)).await
    }

    /// Counts one query in for as long as the place is held.
    fn place(self: &Arc<Self>, who: &str) -> Result<Place, ServiceError> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = present.values().sum();
        let mine = present.entry(who.to_owned()).or_default();
        if all >= QUERIES_MAX || *mine >= QUERIES_OF_ONE_MAX {
            return Err(ServiceError::Overloaded);
        }
        *mine += 1;
        Ok(Place { service: Arc::clone(self), who: who.to_owned() })
    }

    /// Prices a question: parse, find the dataset, plan, certify.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing is charged.
    pub fn price(&self, who: &str, ask: &Ask) -> Result<Priced, ServiceError> {
        let query = parse::parse(&ask.sql)?;
        let name = &query.dataset;
        let dataset = self.datasets.get(&name.text).filter(|dataset| self.holds_account(who, &dataset.name));
        let dataset = dataset.ok_or_else(|| {
            let message = format!("there is no dataset \"{}\" that you may ask", shown(&name.text));
            QueryError::at(Code::UnknownDataset, name.at, message)
        })?;
        let plan = plan(&query, &dataset.terms, ask.rows_per_unit)?;
        let certificate = self.certify(dataset, &plan, &ask.accuracy)?;
        let (sql, view) = (canonical::sql(&plan, &dataset.terms), plan.view(&dataset.edition));
        Ok(Priced { dataset: dataset.clone(), plan, sql, view, certificate })
    }

    fn holds_account(&self, who: &str, dataset: &str) -> bool {
        read(self.ledger(), |book| book.researcher(dataset, who).is_some())
    }

    fn certify(&self, dataset: &Dataset, plan: &Plan, accuracy: &ask::Wanted) -> Result<Certificate, ServiceError> {
        let accountant = dataset.terms.accountant;
        let subject = Subject { dataset: dataset.name.clone(), edition: dataset.edition.clone() };
        let accuracy = margin::accuracy(accuracy, plan, accountant)?;
        certify(accountant, subject, &plan.sought, &accuracy).map_err(|fault| match fault {
            Uncertifiable::TooLittle => {
                let least = "ask for a larger epsilon, or a smaller margin";
                ServiceError::Accuracy(format!("the accuracy asked for is worth less than the smallest price; {least}"))
            }
        })
    }

    fn stored(&self, who: &str, priced: &Priced) -> Option<Standing> {
        let prices: Vec<_> = priced.certificate.measurements().iter().map(|one| one.price).collect();
        read(self.ledger(), |book| book.stored(who, &priced.dataset.name, &priced.view, &prices))
    }

    fn replay(&self, priced: Priced, standing: Standing) -> Result<Answer, ServiceError> {
        let stored = self.answers.get(self.ledger(), &standing.release)?;
        Ok(priced.laid_out(stored, standing))
    }

    /// A stored answer; whoever calls has looked who may see it. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] where the store cannot be read.
    pub fn stored_answer(&self, release: &str) -> Result<Arc<StoredAnswer>, ServiceError> {
        self.answers.get(self.ledger(), release)
    }

    /// What a list shows of a stored answer; whoever calls has looked who may see it. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] where the store cannot be read.
    pub fn stored_summary(&self, release: &str) -> Result<stored::Summary, ServiceError> {
        stored::summary(self.ledger(), release)
    }

    /// The same key again: the same answer, laid out as it was, or why there is none. Blocks.
    fn again(&self, known: Result<Standing, Refusal>) -> Result<Answer, ServiceError> {
        let standing = known.map_err(|refusal| self.refused("", refusal))?;
        let stored = self.answers.get(self.ledger(), &standing.release)?;
        let Some(text) = &standing.question else {
            let (layout, sql) = (stored.layout.clone(), stored.sql.clone());
            return Ok(Answer { stored, layout, sql, standing });
        };
        let Question { sql, outputs, order, limit } =
            serde_json::from_str(text).map_err(|_| LedgerFault::Unreadable)?;
        let layout = Layout { keys: stored.layout.keys.clone(), outputs, order, limit };
        Ok(Answer { stored, layout, sql, standing })
    }

    fn refused(&self, dataset: &str, refusal: Refusal) -> ServiceError {
        let accountant = self.datasets.get(dataset).map(|dataset| dataset.terms.accountant);
        ServiceError::Refused(Box::new(Refused { refusal, accountant }))
    }

    /// Charge, evaluate, release, record. Blocks.
    fn walk(&self, who: String, ask: Ask, priced: Priced, key: Option<KeyUse>) -> Result<Answer, ServiceError> {
        if let (Some(standing), Some(key)) = (self.stored(&who, &priced), key) {
            return self.replay_under_key(&who, priced, standing, key);
        }
        let request = ChargeRequest {
            release: chance::id("rel").map_err(|_| LedgerFault::Store)?,
            researcher: who.clone(),
            certificate: priced.certificate.clone(),
            view: priced.view,
            sql: priced.sql.clone(),
            purpose: ask.purpose.clone(),
            key,
            at_ms: self.now_ms(),
        };
        let receipt = match self.ports.ledger.charge(request)? {
            Decision::Charged(receipt) => receipt,
            Decision::Stored(standing) => return self.again(Ok(standing)),
            Decision::Refused(refusal) => return Err(self.refused(&priced.dataset.name, refusal)),
        };
        let standing = receipt.standing().clone();
        let executed = catch_unwind(AssertUnwindSafe(|| self.execute(receipt, &priced, &who, &ask)));
        match executed {
            Ok(Some(stored)) => Ok(priced.laid_out(stored, standing)),
            Ok(None) | Err(_) => Err(self.burn(standing.release)),
        }
    }

    /// Everything after the charge, as one thing that works or burns.
    fn execute(&self, receipt: Receipt, priced: &Priced, who: &str, ask: &Ask) -> Option<Arc<StoredAnswer>> {
        let exact = self.ports.engine.evaluate(&receipt.subject().edition, &priced.plan.computation).ok()?;
        let released = release(receipt, exact, self.ports.noise.as_ref()).ok()?;
        let stored = StoredAnswer::new(released, priced, who, ask, self.now_ms());
        let outcome = Outcome::Released { release: stored.release.id.clone(), body: stored.encode() };
        self.ports.ledger.record(outcome, self.now_ms()).ok()?;
        Some(self.answers.keep(stored))
    }

    /// EXECUTING → BURNED: charged, no answer. If even that cannot be written, the next start does it.
    fn burn(&self, release: String) -> ServiceError {
        tracing::error!(release, "an answer failed after its charge");
        let cause = "the computation or its recording failed";
        let _ = self.ports.ledger.record(Outcome::Burned { release: release.clone(), cause }, self.now_ms());
        ServiceError::Unanswered { release }
    }

    fn replay_under_key(
        &self,
        who: &str,
        priced: Priced,
        standing: Standing,
        key: KeyUse,
    ) -> Result<Answer, ServiceError> {
        let Layout { outputs, order, limit, .. } = priced.plan.layout.clone();
        let question = Question { sql: priced.sql.clone(), outputs, order, limit };
        // Unwrap safety: a question is plain data.
        let question = serde_json::to_string(&question).expect("a question is plain data");
        let standing = Standing { question: Some(question), ..standing };
        match self.ports.ledger.replay(who, key, standing, self.now_ms())? {
            Ok(standing) => self.replay(priced, standing),
            Err(refusal) => Err(self.refused(&priced.dataset.name, refusal)),
        }
    }
}

/// How a question lays an answer out; labels are those of the stored answer.
#[derive(Serialize, Deserialize)]
struct Question {
    sql: String,
    outputs: Vec<Output>,
    order: Vec<Sort>,
    limit: Option<u64>,
}

impl Priced {
    fn laid_out(self, stored: Arc<StoredAnswer>, standing: Standing) -> Answer {
        Answer { stored, layout: self.plan.layout, sql: self.sql, standing }
    }
}

/// Runs work that blocks off the async threads. Whatever is charged in it catches its own panics.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ServiceError::Ledger(LedgerFault::Closed))?
}

/// One query's place among those that wait or run.
struct Place {
    service: Arc<Service>,
    who: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut present = self.service.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = present.get_mut(&self.who) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                present.remove(&self.who);
            }
        }
    }
}
