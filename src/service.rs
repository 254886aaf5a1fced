//! The service: how one query gets from its text to a stored answer.
//!
//! It guarantees the order of the steps: parse, plan, price, look for stored answers, charge durably, evaluate, release, record,
//! and only then answer. Serving a stored answer never spends the dataset's budget. The module knows no HTTP and no polars;
//! everything from outside, including noise and time, comes in through [`Ports`].

pub mod access;
pub mod asking;
pub mod stewarding;
pub mod publishing;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::engine::Engine;
use crate::engine::seal::Report;
use crate::kernel::budget::charge::{Refusal, Standing};
use crate::kernel::budget::entry::{Digest, Postings};
use crate::kernel::budget::ledger::{Ledger, LedgerFault, read};
use crate::kernel::budget::state::{Branch, LedgerState};
use crate::kernel::clock::Clock;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::prices;
use crate::kernel::vault::noise::NoiseSource;
use crate::query::answer::Layout;
use crate::query::error::{Code, QueryError, shown};
use crate::query::plan::{Plan, plan, replan};
use crate::query::syntax::Query;
use crate::query::terms::policy::Terms;
use crate::query::{canonical, parse};
use crate::service::asking::ask::Ask;
use crate::service::asking::derivations::Atlas;
use crate::service::asking::locks::KeyedLocks;
use crate::service::asking::offer::{Offer, Stock, Wanted};
pub use crate::service::asking::place::QUERIES_MAX;
use crate::service::asking::queues::Queues;
use crate::service::asking::refusals::Refusals;
use crate::service::asking::stored::{StoredAnswer, StoredAnswers};
use crate::service::publishing::schedule::Zone;
use crate::service::publishing::statistics::Statistic;

/// A dataset as the server serves it.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The dataset's name, as used in the SQL of questions.
    pub name: String,
    /// The dataset whose account pays: this one, or, for a table of one row a unit, the dataset that the table belongs to. Both
    /// share one cap.
    pub lineage: String,
    /// A title for people to read, if the policy gives one.
    pub title: Option<String>,
    /// Answers leave at multiples of this many milliseconds after the question; `None` if they are not padded.
    pub pad_ms: Option<u32>,
    /// The public terms of the policy: columns, domains, cap and limits.
    pub terms: Terms,
    /// Id of the edition that queries see.
    pub edition: String,
    /// The report of what sealing did, for stewards alone; `None` if it is not known.
    pub report: Option<Report>,
}

/// What the service needs from outside. Tests substitute each port.
pub struct Ports {
    /// The ledger: the durable record of all charges and acts.
    pub ledger: Arc<dyn Ledger>,
    /// The engine that evaluates plans over the sealed tables.
    pub engine: Arc<dyn Engine>,
    /// The source of noise.
    pub noise: Arc<dyn NoiseSource>,
    /// The clock that says what time it is.
    pub clock: Arc<dyn Clock>,
}

/// The service: everything a server does, apart from HTTP.
pub struct Service {
    ports: Ports,
    datasets: BTreeMap<String, Arc<Dataset>>,
    answers: StoredAnswers,
    key_locks: KeyedLocks,
    view_locks: KeyedLocks,
    atlas: Atlas,
    queues: Queues,
    statistics: BTreeMap<String, Statistic>,
    zone: Zone,
    refreshing: tokio::sync::Mutex<()>,
    started: (u64, u64),
    refusals: Refusals,
    has_looked: AtomicBool,
    present: Mutex<HashMap<String, usize>>,
}

/// Why a question or a steward's request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The question cannot be answered: its SQL is wrong, or outside of what is supported.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The accuracy asked for cannot be charged, for instance because it is worth less than the smallest price.
    #[error("{0}")]
    Accuracy(String),
    /// The question does not say how accurate the answer should be.
    #[error("neither epsilon nor margin is given")]
    Unsaid,
    /// The charge was not admitted; nothing was charged.
    #[error("refused: {}", .0.refusal)]
    Refused(Box<Refused>),
    /// Too many queries are waiting already; nothing was charged.
    #[error("too many queries are waiting")]
    Overloaded,
    /// The work broke off before anything was charged for it.
    #[error("the work was cut off")]
    CutOff,
    /// No worker can evaluate this dataset at the moment; nothing was charged.
    #[error("no worker can evaluate this dataset at the moment")]
    Away,
    /// The question was charged, but the answer failed. The charge stands.
    #[error("the answer {release} failed after its charge")]
    Unanswered {
        /// The id that the release would have had.
        release: String,
    },
    /// The ledger cannot be written; nothing was charged.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// There is no dataset of this name.
    #[error("there is no dataset \"{0}\"")]
    UnknownDataset(String),
    /// What the request names does not exist.
    #[error("{0}")]
    NotFound(String),
    /// What the request would create exists already.
    #[error("{0}")]
    AlreadyExists(String),
    /// A steward's request that breaks a rule.
    #[error("{0}")]
    Invalid(String),
}

/// A refusal, with what is needed to explain it to the asker.
#[derive(Debug)]
pub struct Refused {
    /// Why the charge was not admitted, with the amounts involved.
    pub refusal: Refusal,
    /// The dataset in question; empty for an idempotency key that was used before.
    pub dataset: String,
    /// The dataset's accountant, which converts amounts to ε; `None` if the dataset is not known.
    pub accountant: Option<Accountant>,
}

/// An answer: the stored release, this question's layout of it, and the account next to it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The stored answer that is shown.
    pub stored: Arc<StoredAnswer>,
    /// How this question lays out the stored answer: keys, outputs, order and limit.
    pub layout: Layout,
    /// This question's canonical SQL.
    pub sql: String,
    /// The account after the answer, what was charged, and whether this is a replay.
    pub standing: Standing,
}

impl Answer {
    /// What the researcher paid for it, as ε; "0" for an answer they had before.
    #[must_use]
    pub fn epsilon(&self) -> String {
        self.stored.epsilon_of(self.standing.legs.researcher)
    }
}

/// A question with its price. Nothing has been charged and no data has been touched yet.
pub struct Priced {
    dataset: Arc<Dataset>,
    plan: Plan,
    sql: String,
    /// Digest that identifies the whole plan.
    view: Digest,
    /// If set, stored answers are ignored and everything is drawn anew.
    is_fresh: bool,
    /// The measurements of the plan, and in `asked` what each would cost if nothing were stored.
    wanted: Vec<Wanted>,
    asked: Vec<Price>,
}

impl Service {
    /// Creates a service for these datasets.
    #[must_use]
    pub fn new(ports: Ports, datasets: Vec<Dataset>) -> Self {
        let mut service = Self {
            queues: Queues::new(&datasets),
            ports,
            datasets: datasets.into_iter().map(|dataset| (dataset.name.clone(), Arc::new(dataset))).collect(),
            answers: StoredAnswers::default(),
            key_locks: KeyedLocks::default(),
            view_locks: KeyedLocks::default(),
            atlas: Atlas::default(),
            statistics: BTreeMap::new(),
            zone: Zone::default(),
            refreshing: tokio::sync::Mutex::default(),
            started: (0, 0),
            refusals: Refusals::default(),
            has_looked: AtomicBool::new(true),
            present: Mutex::default(),
        };
        read(service.ledger(), |book| service.chart(book));
        let entries = read(service.ledger(), |book| book.head().0);
        service.started = (service.now_ms(), entries);
        service
    }

    /// Plans the ledger's questions of the served editions anew from their SQL and notes them in the atlas (the index of
    /// derivations).
    fn chart(&self, book: &LedgerState) {
        let mut questions: Vec<_> = book.questions().collect();
        questions.sort_unstable_by_key(|(view, _)| **view);
        for (view, question) in questions {
            let dataset = self.datasets().find(|dataset| dataset.edition == question.edition);
            let Some(dataset) = dataset.filter(|_| question.sql.contains("GROUP BY")) else { continue };
            let planned =
                parse::parse(&question.sql).and_then(|query| replan(&query, &dataset.terms, question.rows_per_unit));
            match planned {
                Ok(plan) if plan.view(&dataset.edition) == *view => {
                    self.atlas.chart(&plan.computation, &dataset.lineage, &dataset.edition);
                }
                Ok(_) | Err(_) => tracing::warn!(
                    "the plan of a stored question has changed; nothing will be derived from its answers"
                ),
            }
        }
    }

    /// The ledger that this service charges and records in.
    #[must_use]
    pub fn ledger(&self) -> &dyn Ledger {
        self.ports.ledger.as_ref()
    }

    /// Whether the server answers questions: the ledger can be read back, every dataset can be evaluated, and statistics that
    /// were due at startup have been drawn.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let has_looked = self.has_looked.load(Ordering::Acquire);
        has_looked
            && self.ledger().is_sound()
            && self.datasets().all(|dataset| self.ports.engine.is_ready(&dataset.edition))
    }

    /// When the service started, in milliseconds since 1970 in UTC, and how many entries the ledger had then. The store has
    /// verified each of these entries by that time.
    #[must_use]
    pub fn started(&self) -> (u64, u64) {
        self.started
    }

    /// The current time, in milliseconds since 1970 in UTC.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.ports.clock.now_ms()
    }

    /// All served datasets, ordered by name.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.values().map(Arc::as_ref)
    }

    /// The served dataset of this name, if there is one.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.get(name).map(Arc::as_ref)
    }

    /// Questions that were refused for lack of budget; webhooks tell stewards about them.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Prices a question: parses it, finds its dataset, plans it and prices the plan.
    ///
    /// # Errors
    /// Any [`ServiceError`]; nothing is charged.
    pub fn price(&self, who: &str, ask: &Ask) -> Result<Priced, ServiceError> {
        self.price_query(who, &parse::parse(&ask.sql)?, ask)
    }

    /// Prices a question that is already parsed.
    fn price_query(&self, who: &str, query: &Query, ask: &Ask) -> Result<Priced, ServiceError> {
        Self::price_of(self.dataset_of(who, query)?, query, ask)
    }

    /// The dataset of a question, provided that the asker holds an account of it.
    fn dataset_of(&self, who: &str, query: &Query) -> Result<&Arc<Dataset>, QueryError> {
        let name = &query.dataset;
        let dataset = self.datasets.get(&name.text).filter(|dataset| self.branch(who, &dataset.lineage).is_some());
        dataset.ok_or_else(|| {
            let message = format!("there is no dataset \"{}\" that you may ask", shown(&name.text));
            QueryError::at(Code::UnknownDataset, name.at, message)
        })
    }

    /// Plans a question of this dataset and prices it, whoever asks.
    fn price_of(dataset: &Arc<Dataset>, query: &Query, ask: &Ask) -> Result<Priced, ServiceError> {
        Self::priced(dataset, plan(query, &dataset.terms, ask.rows_per_unit)?, ask)
    }

    /// Prices a plan of this dataset.
    fn priced(dataset: &Arc<Dataset>, plan: Plan, ask: &Ask) -> Result<Priced, ServiceError> {
        plan.check_shown()?;
        let asked = Self::prices(dataset, &plan, ask)?;
        let views = plan.computation.views(&dataset.lineage, &dataset.edition);
        let wanted = views.into_iter().zip(&plan.sought).map(|(view, sought)| Wanted {
            view,
            sought: *sought,
            is_whole: plan.hiding.is_some(),
            ancestors: Vec::new(),
        });
        let wanted = wanted.collect();
        let (sql, view) = (canonical::sql(&plan, &dataset.terms), plan.view(&dataset.edition));
        Ok(Priced { dataset: Arc::clone(dataset), plan, sql, view, is_fresh: false, wanted, asked })
    }

    fn branch(&self, who: &str, dataset: &str) -> Option<Branch> {
        read(self.ledger(), |book| book.branch(dataset, who))
    }

    fn prices(dataset: &Dataset, plan: &Plan, ask: &Ask) -> Result<Vec<Price>, ServiceError> {
        let accountant = dataset.terms.accountant;
        if plan.sought.is_empty() {
            // A question for keys alone is free: keys are public.
            return Ok(Vec::new());
        }
        let accuracy = ask.accuracy.as_ref().ok_or(ServiceError::Unsaid)?;
        let accuracy = crate::service::asking::margin::accuracy(accuracy, plan, accountant, ask.group_size)?;
        let prices = prices(accountant, &plan.sought, &accuracy);
        if prices.contains(&Price::ZERO) {
            let least = "ask for a larger epsilon, or a smaller margin";
            let message = format!("the accuracy asked for is worth less than the smallest price; {least}");
            return Err(ServiceError::Accuracy(message));
        }
        Ok(prices)
    }

    /// What the answer would be made of, and which accounts would pay how much.
    fn offer(&self, who: &str, priced: &Priced) -> Result<Offer, ServiceError> {
        let offered = read(self.ledger(), |book| self.stock(book, who, priced)?.offer(&priced.asked));
        offered.map_err(|refusal| self.refused(&priced.dataset.lineage, refusal))
    }

    fn stock<'a>(&self, book: &'a LedgerState, who: &str, priced: &Priced) -> Result<Stock<'a>, Refusal> {
        let branch = book.branch(&priced.dataset.lineage, who).ok_or(Refusal::NoAccount)?;
        let accountant = priced.dataset.terms.accountant;
        let delta = priced.plan.hiding.map_or(Delta::ZERO, |hiding| hiding.threshold.delta);
        let view = (!priced.is_fresh).then_some(priced.view);
        Ok(Stock::new(book, branch, accountant, (view, &priced.wanted), delta, self.now_ms()))
    }

    /// Loads a stored answer. The caller must have checked that the person may see it. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn stored_answer(&self, release: &str) -> Result<Arc<StoredAnswer>, ServiceError> {
        self.answers.get(self.ledger(), release)
    }

    /// Loads the part of a stored answer that lists show. The caller must have checked that the person may see it. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn stored_summary(&self, release: &str) -> Result<crate::service::asking::stored::Summary, ServiceError> {
        crate::service::asking::stored::summary(self.ledger(), release)
    }

    fn refused(&self, dataset: &str, refusal: Refusal) -> ServiceError {
        let accountant = self.datasets.get(dataset).map(|dataset| dataset.terms.accountant);
        ServiceError::Refused(Box::new(Refused { refusal, accountant, dataset: dataset.to_owned() }))
    }

    /// The standing of a stored answer that this researcher was durably served before; serving it again needs no ledger entry.
    /// `None` if a new entry is needed.
    fn free(&self, who: &str, dataset: &str, release: &str) -> Option<Standing> {
        let now_ms = self.now_ms();
        let account = read(self.ledger(), |book| {
            let account = book.branch(dataset, who)?.researcher;
            book.was_served_to(who, release).then(|| book.mark(book.account(account), now_ms))
        })?;
        let (release, legs) = (release.to_owned(), Postings::default());
        Some(Standing { release, account, legs, replayed: true, question: None })
    }
}

impl Priced {
    fn laid_out(self, stored: Arc<StoredAnswer>, standing: Standing) -> Answer {
        let layout = stored.laid(self.plan.layout);
        Answer { stored, layout, sql: self.sql, standing }
    }
}
