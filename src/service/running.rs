//! The running service: its ports, its datasets, and what it keeps in memory.
//!
//! A service never changes its datasets. A new edition makes another service, which shares everything else with the one before ([`Current`]),
//! so that a question that has begun sees one edition to its end.
//!
//! What the service does is in the files that this one does not know: each adds its part to [`Service`].

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tokio::sync::watch;

use super::dataset::Dataset;
use super::held::HeldEditions;
use super::publishing::dashboards::dashboard::Dashboard;
use super::publishing::schedule::CalendarZone;
use super::publishing::statistics::statistic::Statistic;
use crate::engine::Engine;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::clock::Clock;
use crate::kernel::vault::noise::NoiseSource;
use crate::ledger::sqlite::policy_texts::PolicyTextTable;
use crate::ledger::sqlite::questions::QuestionTable;
use crate::query::file::QueryFile;
use crate::service::asking::counts::ReadingCounters;
use crate::service::asking::derivations::DerivationIndex;
use crate::service::asking::known::KnownPlans;
use crate::service::asking::locks::KeyedLocks;
use crate::service::asking::queues::Queues;
use crate::service::asking::refusals::Refusals;
use crate::service::asking::stored::StoredAnswers;
use crate::service::publishing::uploads::Uploads;
use crate::service::stewarding::uses::TokenUses;

/// What the service needs from outside. Tests substitute each port.
#[derive(Clone)]
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
#[derive(Clone)]
pub struct Service {
    pub(in crate::service) ports: Ports,
    pub(in crate::service) datasets: BTreeMap<String, Arc<Dataset>>,
    /// The editions of the datasets, by the dataset whose account pays.
    pub(in crate::service) held: BTreeMap<String, Arc<HeldEditions>>,
    pub(in crate::service) answers: Arc<StoredAnswers>,
    pub(in crate::service) key_locks: Arc<KeyedLocks>,
    pub(in crate::service) view_locks: Arc<KeyedLocks>,
    pub(in crate::service) derivations: Arc<DerivationIndex>,
    pub(in crate::service) known_plans: Arc<KnownPlans>,
    pub(in crate::service) queues: Arc<Queues>,
    /// The query files of the statistics, which are read anew under the terms of a new edition.
    pub(in crate::service) query_files: Arc<Vec<(PathBuf, QueryFile)>>,
    pub(in crate::service) statistics: BTreeMap<String, Statistic>,
    pub(in crate::service) dashboards: BTreeMap<String, Dashboard>,
    pub(in crate::service) zone: CalendarZone,
    pub(in crate::service) refreshing: Arc<tokio::sync::Mutex<()>>,
    pub(in crate::service) started: (u64, u64),
    pub(in crate::service) refusals: Arc<Refusals>,
    pub(in crate::service) has_looked: Arc<AtomicBool>,
    pub(in crate::service) present: Arc<Mutex<HashMap<String, usize>>>,
    pub(in crate::service) readings: Arc<ReadingCounters>,
    pub(in crate::service) questions: Option<Arc<QuestionTable>>,
    pub(in crate::service) uploads: Option<Arc<Uploads>>,
    pub(in crate::service) policy_texts: Option<Arc<PolicyTextTable>>,
    pub(in crate::service) uses: Arc<TokenUses>,
    /// What this service is one state of, if its datasets may be replaced while it runs.
    current: Arc<OnceLock<Weak<Current>>>,
}

/// What is told whenever another service has become current.
type Observer = Box<dyn Fn(Arc<Service>) + Send + Sync>;

/// The service as it is now. Whoever takes it once for a piece of work sees the same editions until the end of that work.
pub struct Current {
    now: watch::Sender<Arc<Service>>,
    observers: Mutex<Vec<Observer>>,
    /// Held while a new edition is taken, so that editions are taken one after the other.
    pub(in crate::service) adopting: Mutex<()>,
}

impl Current {
    /// Lets the datasets of a service be replaced while it runs.
    #[must_use]
    pub fn new(service: Arc<Service>) -> Arc<Self> {
        let place = Arc::clone(&service.current);
        let current = Arc::new(Self {
            now: watch::Sender::new(service),
            observers: Mutex::default(),
            adopting: Mutex::default(),
        });
        // A service is made current once, by whoever starts it.
        let _ = place.set(Arc::downgrade(&current));
        current
    }

    /// The service as it is now.
    #[must_use]
    pub fn now(&self) -> Arc<Service> {
        Arc::clone(&self.now.borrow())
    }

    /// Receives each service that becomes current from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Service>> {
        self.now.subscribe()
    }

    /// Calls `observer` with each service that becomes current from now on, before anything else is done with it.
    pub fn observe(&self, observer: impl Fn(Arc<Service>) + Send + Sync + 'static) {
        self.observers.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(observer));
    }

    /// Makes another service current.
    pub(in crate::service) fn replace(&self, service: Service) {
        let service = Arc::new(service);
        let before = self.now.send_replace(Arc::clone(&service));
        for observer in self.observers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            observer(Arc::clone(&service));
        }
        drop(before);
    }
}

impl Service {
    /// Creates a service for these datasets.
    #[must_use]
    pub fn new(ports: Ports, datasets: Vec<Dataset>) -> Self {
        let mut service = Self {
            queues: Arc::new(Queues::new(&datasets)),
            held: HeldEditions::of(&datasets, &ports.engine),
            ports,
            datasets: datasets.into_iter().map(|dataset| (dataset.name.clone(), Arc::new(dataset))).collect(),
            answers: Arc::default(),
            key_locks: Arc::default(),
            view_locks: Arc::default(),
            derivations: Arc::default(),
            known_plans: Arc::default(),
            query_files: Arc::default(),
            statistics: BTreeMap::new(),
            dashboards: BTreeMap::new(),
            zone: CalendarZone::default(),
            refreshing: Arc::default(),
            started: (0, 0),
            refusals: Arc::default(),
            has_looked: Arc::new(AtomicBool::new(true)),
            present: Arc::default(),
            readings: Arc::default(),
            questions: None,
            uploads: None,
            policy_texts: None,
            uses: Arc::default(),
            current: Arc::default(),
        };
        let served = service.datasets.values().map(Arc::as_ref);
        read(service.ledger(), |book| service.derivations.fill(book, served));
        let entries = read(service.ledger(), |book| book.head().0);
        service.started = (service.now_ms(), entries);
        service
    }

    /// What this service is one state of; `None` if its datasets are never replaced.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Current>> {
        self.current.get().and_then(Weak::upgrade)
    }

    /// The service as it is now, which is another one once a new edition was taken.
    #[must_use]
    pub fn latest(self: &Arc<Self>) -> Arc<Self> {
        self.current().map_or_else(|| Arc::clone(self), |current| current.now())
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

    /// The ledger, and the questions that were refused for lack of budget, for whoever reports both to stewards. Neither holds an edition.
    #[must_use]
    pub fn told(&self) -> (Arc<dyn Ledger>, Arc<Refusals>) {
        (Arc::clone(&self.ports.ledger), Arc::clone(&self.refusals))
    }
}
