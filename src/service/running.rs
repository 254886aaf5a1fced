//! The running service: its ports, its datasets, and what it keeps in memory.
//!
//! What the service does is in the files that this one does not know: each adds its part to [`Service`].

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::dataset::Dataset;
use super::publishing::dashboards::dashboard::Dashboard;
use super::publishing::schedule::CalendarZone;
use super::publishing::statistics::statistic::Statistic;
use crate::engine::Engine;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::clock::Clock;
use crate::kernel::vault::noise::NoiseSource;
use crate::ledger::sqlite::questions::QuestionTable;
use crate::service::asking::counts::ReadingCounters;
use crate::service::asking::derivations::DerivationIndex;
use crate::service::asking::known::KnownPlans;
use crate::service::asking::locks::KeyedLocks;
use crate::service::asking::queues::Queues;
use crate::service::asking::refusals::Refusals;
use crate::service::asking::stored::StoredAnswers;
use crate::service::stewarding::uses::TokenUses;

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
    pub(in crate::service) ports: Ports,
    pub(in crate::service) datasets: BTreeMap<String, Arc<Dataset>>,
    pub(in crate::service) answers: StoredAnswers,
    pub(in crate::service) key_locks: KeyedLocks,
    pub(in crate::service) view_locks: KeyedLocks,
    pub(in crate::service) derivations: DerivationIndex,
    pub(in crate::service) known_plans: KnownPlans,
    pub(in crate::service) queues: Queues,
    pub(in crate::service) statistics: BTreeMap<String, Statistic>,
    pub(in crate::service) dashboards: BTreeMap<String, Dashboard>,
    pub(in crate::service) zone: CalendarZone,
    pub(in crate::service) refreshing: tokio::sync::Mutex<()>,
    pub(in crate::service) started: (u64, u64),
    pub(in crate::service) refusals: Refusals,
    pub(in crate::service) has_looked: AtomicBool,
    pub(in crate::service) present: Mutex<HashMap<String, usize>>,
    pub(in crate::service) readings: ReadingCounters,
    pub(in crate::service) questions: Option<QuestionTable>,
    pub(in crate::service) uses: TokenUses,
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
            derivations: DerivationIndex::default(),
            known_plans: KnownPlans::default(),
            statistics: BTreeMap::new(),
            dashboards: BTreeMap::new(),
            zone: CalendarZone::default(),
            refreshing: tokio::sync::Mutex::default(),
            started: (0, 0),
            refusals: Refusals::default(),
            has_looked: AtomicBool::new(true),
            present: Mutex::default(),
            readings: ReadingCounters::default(),
            questions: None,
            uses: TokenUses::default(),
        };
        let served = service.datasets.values().map(Arc::as_ref);
        read(service.ledger(), |book| service.derivations.fill(book, served));
        let entries = read(service.ledger(), |book| book.head().0);
        service.started = (service.now_ms(), entries);
        service
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
}
