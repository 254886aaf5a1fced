//! The queues of a service: which work runs off the async threads, how much of it at once, and whose is next.
//!
//! Reading, planning, pricing, laying out and encoding never run on a thread that accepts requests. Each of these has about as
//! many threads as there are cores, and people take turns in all of them ([`super::turns`]). A turn belongs to the work, not to
//! whoever awaits it: a client that hangs up frees no slot before its work has ended. The number that wait is bounded as long as
//! a request may still be refused; after a charge, work waits as long as necessary.

use std::collections::HashMap;
use std::sync::Arc;

use super::rooms::{Room, Rooms};
use super::turns::{Bounds, Turn, Turns};
use crate::service::asking::pad;
use crate::service::{Dataset, Service, ServiceError};

/// Largest number of questions that wait to be planned, and of answers that wait to be laid out.
const WAITING_MAX: usize = 4_096;
/// Largest number of these that wait for one person, so that nobody takes every slot.
const WAITING_OF_ONE_MAX: usize = 2_048;
/// Largest number of threads that wait for the ledger's disk. What waits at the same time is committed together.
const WRITING_MAX: usize = 256;
/// Largest number of one person's large answers that are laid out at once: each leaves much unused memory behind in its thread's
/// allocator.
const LARGE_MAX: usize = 4;

/// The queues of a service, for everything that takes long.
pub(crate) struct Queues {
    /// Reading, planning and pricing questions.
    planning: Turns,
    /// Laying out and encoding answers, lists and pages.
    rendering: Turns,
    /// Laying out and encoding large answers.
    large: Turns,
    /// Waiting for the ledger to be written.
    writing: Turns,
    /// Touching data, by dataset.
    running: HashMap<String, Turns>,
    /// Memory of answers, in bytes.
    pub(crate) rooms: Rooms,
}

impl Queues {
    pub(crate) fn new(datasets: &[Dataset]) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        // One person may use all cores but leaves a slot for whoever comes next.
        let computing = Bounds {
            waiting: WAITING_MAX,
            waiting_of_one: WAITING_OF_ONE_MAX,
            ..Bounds::held(cores.saturating_add(1), cores)
        };
        let few = cores.min(LARGE_MAX);
        let running = |dataset: &Dataset| {
            let (at_once, of_one) = match dataset.pad_ms {
                Some(_) => (pad::TURNS_MAX, pad::TURNS_MAX),
                None => (cores.saturating_mul(2).saturating_add(1), cores.saturating_mul(2)),
            };
            Turns::new("tacit-data", Bounds::held(at_once, of_one))
        };
        Self {
            planning: Turns::new("tacit-plan", computing),
            rendering: Turns::new("tacit-render", computing),
            large: Turns::new("tacit-large", Bounds::held(few.saturating_add(1), few)),
            writing: Turns::new("tacit-write", Bounds::held(WRITING_MAX, WRITING_MAX / 2)),
            running: datasets.iter().map(|dataset| (dataset.name.clone(), running(dataset))).collect(),
            rooms: Rooms::default(),
        }
    }

    /// A turn to read a dataset's rows; `None` if the dataset is not served.
    pub(crate) async fn running(&self, who: &str, dataset: &str) -> Option<Turn> {
        Some(self.running.get(dataset)?.insist(who, 1).await)
    }
}

impl Service {
    /// Reads, plans or prices something off the async threads, in `who`'s turn.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already; [`ServiceError::CutOff`] if the work broke off.
    pub async fn planning<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let running = self.queues.planning.run(who, move || work(&this)).map_err(|_| ServiceError::Overloaded)?;
        running.await.ok_or(ServiceError::CutOff)
    }

    /// Lays out or encodes something off the async threads, in `who`'s turn; `""` stands for nobody in particular.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already; [`ServiceError::CutOff`] if the work broke off.
    pub async fn rendering<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let running = self.queues.rendering.run(who, move || work(&this)).map_err(|_| ServiceError::Overloaded)?;
        running.await.ok_or(ServiceError::CutOff)
    }

    /// Lays out or encodes something that has its memory reserved and may be paid for, so it is never refused, however many wait.
    ///
    /// # Errors
    /// [`ServiceError::CutOff`] if the work broke off.
    pub async fn rendering_in<T: Send + 'static>(
        self: &Arc<Self>,
        room: &Room,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let turns = if room.is_large() { &self.queues.large } else { &self.queues.rendering };
        turns.run_on(who, move || work(&this)).await.ok_or(ServiceError::CutOff)
    }

    /// Runs work that waits for the ledger, off the async threads. Work that charges catches its own panics.
    pub(crate) async fn writing<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        self.queues.writing.run_on(who, move || work(&this)).await.ok_or(ServiceError::CutOff)
    }

    /// Number of questions that wait to be planned, and of answers, lists and pages that wait to be laid out.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let rendering = self.queues.rendering.waiting().saturating_add(self.queues.large.waiting());
        (self.queues.planning.waiting(), rendering)
    }
}
