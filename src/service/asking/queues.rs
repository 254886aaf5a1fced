//! The queues of a service: which work runs off the async threads, how much of it at once, and for whom next.
//!
//! Promises that reading, planning, pricing, laying out and encoding never run on a thread that accepts requests, that each of them has
//! about as many threads as there are cores, and that people take turns in all of them ([`super::turns`]). A turn belongs to the work,
//! not to who awaits it: a client that hangs up frees no place before its work has ended. Turns are waited for where a request may
//! still be refused; what is charged waits for as long as it takes.

use std::collections::HashMap;
use std::sync::Arc;

use super::rooms::{Room, Rooms};
use super::turns::{Bounds, Turn, Turns};
use crate::service::asking::pad;
use crate::service::{Dataset, Service, ServiceError};

/// Questions that wait to be planned, or answers that wait to be laid out, at the most.
const WAITING_MAX: usize = 4_096;
/// Those of one person at the most, so that nobody takes all places.
const WAITING_OF_ONE_MAX: usize = 2_048;
/// Threads that wait for the ledger's disk at the most. Whatever waits together is committed together.
const WRITING_MAX: usize = 256;
/// Large answers of one person that are laid out at once at the most: each leaves much behind in the memory of its thread.
const LARGE_MAX: usize = 4;

/// Whose turn it is, for everything that takes long.
pub(crate) struct Queues {
    /// Reading, planning and pricing.
    planning: Turns,
    /// Laying out and encoding answers, lists and pages.
    rendering: Turns,
    /// The same of what is large.
    large: Turns,
    /// Waiting for the ledger to be written.
    writing: Turns,
    /// Touching data, by dataset.
    running: HashMap<String, Turns>,
    /// Memory of answers.
    pub(crate) rooms: Rooms,
}

impl Queues {
    pub(crate) fn new(datasets: &[Dataset]) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        // One person keeps all cores busy, and whoever comes next finds a place.
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

    /// A turn to touch a dataset's rows.
    pub(crate) async fn running(&self, who: &str, dataset: &str) -> Option<Turn> {
        Some(self.running.get(dataset)?.insist(who, 1).await)
    }
}

impl Service {
    /// Reads, plans or prices something off the async threads, in `who`'s turn.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] where too many wait; [`ServiceError::CutOff`] where the work broke off.
    pub async fn planning<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let running = self.queues.planning.run(who, move || work(&this)).map_err(|_| ServiceError::Overloaded)?;
        running.await.ok_or(ServiceError::CutOff)
    }

    /// Lays out or encodes something off the async threads, in `who`'s turn; nobody in particular is `""`.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] where too many wait; [`ServiceError::CutOff`] where the work broke off.
    pub async fn rendering<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        let running = self.queues.rendering.run(who, move || work(&this)).map_err(|_| ServiceError::Overloaded)?;
        running.await.ok_or(ServiceError::CutOff)
    }

    /// Lays out or encodes what has its room already, and may be paid for: however many wait, it is not sent away.
    ///
    /// # Errors
    /// [`ServiceError::CutOff`] where the work broke off.
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

    /// Waits for the ledger off the async threads. Whatever is charged in it catches its own panics.
    pub(crate) async fn writing<T: Send + 'static>(
        self: &Arc<Self>,
        who: &str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let this = Arc::clone(self);
        self.queues.writing.run_on(who, move || work(&this)).await.ok_or(ServiceError::CutOff)
    }

    /// How many questions wait to be planned, and how many answers, lists and pages to be laid out.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let rendering = self.queues.rendering.waiting().saturating_add(self.queues.large.waiting());
        (self.queues.planning.waiting(), rendering)
    }
}
