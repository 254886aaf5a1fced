//! The queues of a service: which work runs off the async threads, how much of it at once, and whose is next.
//!
//! Reading, planning, pricing, laying out and encoding never run on a thread that accepts requests. Each of these has about as
//! many threads as there are cores, and people take turns in all of them ([`super::turns`]). A turn belongs to the work, not to
//! whoever awaits it: a client that hangs up frees no slot before its work has ended. The number that wait is bounded as long as
//! a request may still be refused; after a charge, work waits as long as necessary.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::rooms::Reserves;
use super::turns::{Turn, TurnBounds, Turns};
use crate::service::dataset::Dataset;

/// Number of questions of a padded dataset that run at once.
pub(crate) const PADDED_MAX: usize = 2;
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
    pub(super) planning: Turns,
    /// Laying out and encoding answers, lists and pages.
    pub(super) rendering: Turns,
    /// Laying out and encoding large answers.
    pub(super) large: Turns,
    /// Waiting for the ledger to be written.
    pub(super) writing: Turns,
    /// Touching data, by dataset.
    running: RwLock<HashMap<String, Arc<RunningTurns>>>,
    /// Memory of answers, in bytes.
    pub(crate) rooms: Reserves,
}

impl Queues {
    pub(crate) fn new(datasets: &[Dataset]) -> Self {
        let cores = cores();
        // One person may use all cores but leaves a slot for whoever comes next.
        let computing = TurnBounds {
            waiting: WAITING_MAX,
            waiting_of_one: WAITING_OF_ONE_MAX,
            ..TurnBounds::held(cores.saturating_add(1), cores)
        };
        let few = cores.min(LARGE_MAX);
        let queues = Self {
            planning: Turns::new("tacit-plan", computing),
            rendering: Turns::new("tacit-render", computing),
            large: Turns::new("tacit-large", TurnBounds::held(few.saturating_add(1), few)),
            writing: Turns::new("tacit-write", TurnBounds::held(WRITING_MAX, WRITING_MAX / 2)),
            running: RwLock::default(),
            rooms: Reserves::default(),
        };
        datasets.iter().for_each(|dataset| queues.admit(dataset));
        queues
    }

    /// Makes turns for a dataset, unless there are such turns already. What waits or runs in earlier turns of the dataset goes on in them.
    pub(crate) fn admit(&self, dataset: &Dataset) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        let is_padded = dataset.pad_ms.is_some();
        if running.get(&dataset.name).is_none_or(|known| known.is_padded != is_padded) {
            running.insert(dataset.name.clone(), Arc::new(RunningTurns::new(is_padded)));
        }
    }

    /// A turn to read a dataset's rows; `None` if the dataset is not served.
    pub(crate) async fn running(&self, who: &str, dataset: &str) -> Option<Turn> {
        let turns = self.running.read().unwrap_or_else(PoisonError::into_inner).get(dataset).cloned()?;
        Some(turns.turns.insist(who, 1).await)
    }
}

/// The turns of one dataset.
struct RunningTurns {
    turns: Turns,
    is_padded: bool,
}

impl RunningTurns {
    fn new(is_padded: bool) -> Self {
        let cores = cores();
        let (at_once, of_one) = if is_padded {
            (PADDED_MAX, PADDED_MAX)
        } else {
            (cores.saturating_mul(2).saturating_add(1), cores.saturating_mul(2))
        };
        Self { turns: Turns::new("tacit-data", TurnBounds::held(at_once, of_one)), is_padded }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}
