//! The walk of one query, from a question to its stored answer.
//!
//! Promises the order: parse, plan, price, look at what is stored, charge durably, evaluate, release, record, and only then an
//! answer. What is stored never spends the dataset's budget. It knows no HTTP and no polars; everything that happens, noise and
//! time included, comes through ports.

pub mod account;
pub mod ask;
pub mod declared;
mod atlas;
mod compose;
pub mod free;
mod locks;
mod margin;
mod offer;
pub mod pad;
mod place;
pub mod grants;
pub mod question;
mod queues;
pub mod quote;
pub mod refusals;
pub mod reprice;
pub mod requests;
pub mod rooms;
pub mod schedule;
pub mod sight;
pub mod statistics;
pub mod steward;
pub mod stored;
mod threads;
pub mod turns;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::budget::book::{Book, Branch};
use crate::budget::charge::{Refusal, Standing};
use crate::budget::entry::{Digest, Legs};
use crate::budget::ledger::{Ledger, LedgerFault, read};
use crate::clock::Clock;
use crate::dataset::policy::Terms;
use crate::dataset::seal::Report;
use crate::engine::Engine;
use crate::privacy::accountant::Accountant;
use crate::privacy::certificate::prices;
use crate::privacy::units::{Delta, Price};
use crate::query::answer::Layout;
use crate::query::error::{Code, QueryError, shown};
use crate::query::plan::{Plan, plan, replan};
use crate::query::syntax::Query;
use crate::query::{canonical, parse};
use crate::vault::noise::NoiseSource;
use ask::Ask;
use atlas::Atlas;
use locks::KeyedLocks;
use offer::{Offer, Stock, Wanted};
pub use place::QUERIES_MAX;
use queues::Queues;
use refusals::Refusals;
use schedule::Zone;
use statistics::Statistic;
use stored::{StoredAnswer, StoredAnswers};

/// A dataset as it is served.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// The dataset whose account pays for it: itself, or the one whose table of one row a unit it is. They have one cap.
    pub lineage: String,
    /// For people.
    pub title: Option<String>,
    /// The quantum that its answers are padded to, in milliseconds.
    pub pad_ms: Option<u32>,
    /// Its public terms.
    pub terms: Terms,
    /// The edition that queries see.
    pub edition: String,
    /// What its sealing did, for stewards alone; nothing where it is not known.
    pub report: Option<Report>,
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

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The question is not one that is answered.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The accuracy asked for cannot be charged.
    #[error("{0}")]
    Accuracy(String),
    /// It is not said how accurate the answer is to be.
    #[error("neither epsilon nor margin is given")]
    Unsaid,
    /// It was not admitted; nothing was charged.
    #[error("refused: {}", .0.refusal)]
    Refused(Box<Refused>),
    /// Too much is going on.
    #[error("too many queries are waiting")]
    Overloaded,
    /// The work broke off before anything was charged for it.
    #[error("the work was cut off")]
    CutOff,
    /// Nothing could evaluate it just now; nothing was charged.
    #[error("nothing evaluates this dataset just now")]
    Away,
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
    /// The dataset that it is about; nothing for a key that was used before.
    pub dataset: String,
    /// The dataset's accountant, to say amounts as ε.
    pub accountant: Option<Accountant>,
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
    /// What the researcher paid for it, as ε; "0" for what they had.
    #[must_use]
    pub fn epsilon(&self) -> String {
        self.stored.epsilon_of(self.standing.legs.researcher)
    }
}

/// A priced question: nothing is charged and no data is touched yet.
pub struct Priced {
    dataset: Arc<Dataset>,
    plan: Plan,
    sql: String,
    /// Digest of the whole plan.
    view: Digest,
    /// Whether what is stored is left aside and all of it is drawn anew.
    is_fresh: bool,
    /// Its measurements, and what each would cost if nothing were stored.
    wanted: Vec<Wanted>,
    asked: Vec<Price>,
}

impl Service {
    /// A service over these datasets.
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

    /// Fills the atlas from the questions of the served editions, planned anew from their SQL.
    fn chart(&self, book: &Book) {
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
                Ok(_) | Err(_) => tracing::warn!("a stored question reads otherwise now; nothing is derived from it"),
            }
        }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &dyn Ledger {
        self.ports.ledger.as_ref()
    }

    /// Whether questions are answered: the ledger can be read back, every dataset can be evaluated, and what statistics were due at the
    /// start is drawn.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let has_looked = self.has_looked.load(Ordering::Acquire);
        has_looked
            && self.ledger().is_sound()
            && self.datasets().all(|dataset| self.ports.engine.is_ready(&dataset.edition))
    }

    /// When it started, in milliseconds since 1970 in UTC, and how many entries the ledger had: its store checks each of them before.
    #[must_use]
    pub fn started(&self) -> (u64, u64) {
        self.started
    }

    /// Milliseconds since 1970 in UTC.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.ports.clock.now_ms()
    }

    /// All served datasets by name.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.values().map(Arc::as_ref)
    }

    /// A served dataset.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&Dataset> {
        self.datasets.get(name).map(Arc::as_ref)
    }

    /// What was refused for want of budget, for who tells stewards.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Prices a question: parse, find the dataset, plan, price.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing is charged.
    pub fn price(&self, who: &str, ask: &Ask) -> Result<Priced, ServiceError> {
        self.price_query(who, &parse::parse(&ask.sql)?, ask)
    }

    /// The same for a question that was read.
    fn price_query(&self, who: &str, query: &Query, ask: &Ask) -> Result<Priced, ServiceError> {
        Self::price_of(self.dataset_of(who, query)?, query, ask)
    }

    /// The dataset of a question, where its asker holds an account of it.
    fn dataset_of(&self, who: &str, query: &Query) -> Result<&Arc<Dataset>, QueryError> {
        let name = &query.dataset;
        let dataset = self.datasets.get(&name.text).filter(|dataset| self.branch(who, &dataset.lineage).is_some());
        dataset.ok_or_else(|| {
            let message = format!("there is no dataset \"{}\" that you may ask", shown(&name.text));
            QueryError::at(Code::UnknownDataset, name.at, message)
        })
    }

    /// What a question of this dataset costs, whoever asks.
    fn price_of(dataset: &Arc<Dataset>, query: &Query, ask: &Ask) -> Result<Priced, ServiceError> {
        Self::priced(dataset, plan(query, &dataset.terms, ask.rows_per_unit)?, ask)
    }

    /// What a plan of this dataset costs.
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
            // Keys alone are public.
            return Ok(Vec::new());
        }
        let accuracy = ask.accuracy.as_ref().ok_or(ServiceError::Unsaid)?;
        let accuracy = margin::accuracy(accuracy, plan, accountant, ask.group_size)?;
        let prices = prices(accountant, &plan.sought, &accuracy);
        if prices.contains(&Price::ZERO) {
            let least = "ask for a larger epsilon, or a smaller margin";
            let message = format!("the accuracy asked for is worth less than the smallest price; {least}");
            return Err(ServiceError::Accuracy(message));
        }
        Ok(prices)
    }

    /// What the answer would be made of, and who would pay.
    fn offer(&self, who: &str, priced: &Priced) -> Result<Offer, ServiceError> {
        let offered = read(self.ledger(), |book| self.stock(book, who, priced)?.offer(&priced.asked));
        offered.map_err(|refusal| self.refused(&priced.dataset.lineage, refusal))
    }

    fn stock<'a>(&self, book: &'a Book, who: &str, priced: &Priced) -> Result<Stock<'a>, Refusal> {
        let branch = book.branch(&priced.dataset.lineage, who).ok_or(Refusal::NoAccount)?;
        let accountant = priced.dataset.terms.accountant;
        let delta = priced.plan.hiding.map_or(Delta::ZERO, |hiding| hiding.threshold.delta);
        let view = (!priced.is_fresh).then_some(priced.view);
        Ok(Stock::new(book, branch, accountant, (view, &priced.wanted), delta, self.now_ms()))
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

    fn refused(&self, dataset: &str, refusal: Refusal) -> ServiceError {
        let accountant = self.datasets.get(dataset).map(|dataset| dataset.terms.accountant);
        ServiceError::Refused(Box::new(Refused { refusal, accountant, dataset: dataset.to_owned() }))
    }

    /// A stored answer that needs no entry, because it was served before, durably, as it is shown now.
    fn free(&self, who: &str, dataset: &str, release: &str) -> Option<Standing> {
        let now_ms = self.now_ms();
        let account = read(self.ledger(), |book| {
            let account = book.branch(dataset, who)?.researcher;
            book.is_on_shelf(who, release).then(|| book.mark(book.account(account), now_ms))
        })?;
        let (release, legs) = (release.to_owned(), Legs::default());
        Some(Standing { release, account, legs, replayed: true, question: None })
    }
}

impl Priced {
    fn laid_out(self, stored: Arc<StoredAnswer>, standing: Standing) -> Answer {
        let layout = stored.laid(self.plan.layout);
        Answer { stored, layout, sql: self.sql, standing }
    }
}
