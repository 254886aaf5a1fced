//! The queues of a service: which work runs off the async threads, how much of it at once, and whose is next.
//!
//! Reading, planning, pricing, laying out and encoding never run on a thread that accepts requests. Each of these has about as
//! many threads as there are cores, and people take turns in all of them ([`super::turns`]). A turn belongs to the work, not to
//! whoever awaits it: a client that hangs up frees no slot before its work has ended. The number that wait is bounded as long as
//! a request may still be refused; after a charge, work waits as long as necessary.

use std::collections::HashMap;

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
    pub(super) running: HashMap<String, Turns>,
    /// Memory of answers, in bytes.
    pub(crate) rooms: Reserves,
}

impl Queues {
    pub(crate) fn new(datasets: &[Dataset]) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        // One person may use all cores but leaves a slot for whoever comes next.
        let computing = TurnBounds {
            waiting: WAITING_MAX,
            waiting_of_one: WAITING_OF_ONE_MAX,
            ..TurnBounds::held(cores.saturating_add(1), cores)
        };
        let few = cores.min(LARGE_MAX);
        let running = |dataset: &Dataset| {
            let (at_once, of_one) = match dataset.pad_ms {
                Some(_) => (PADDED_MAX, PADDED_MAX),
                None => (cores.saturating_mul(2).saturating_add(1), cores.saturating_mul(2)),
            };
            Turns::new("tacit-data", TurnBounds::held(at_once, of_one))
        };
        Self {
            planning: Turns::new("tacit-plan", computing),
            rendering: Turns::new("tacit-render", computing),
            large: Turns::new("tacit-large", TurnBounds::held(few.saturating_add(1), few)),
            writing: Turns::new("tacit-write", TurnBounds::held(WRITING_MAX, WRITING_MAX / 2)),
            running: datasets.iter().map(|dataset| (dataset.name.clone(), running(dataset))).collect(),
            rooms: Reserves::default(),
        }
    }

    /// A turn to read a dataset's rows; `None` if the dataset is not served.
    pub(crate) async fn running(&self, who: &str, dataset: &str) -> Option<Turn> {
        Some(self.running.get(dataset)?.insist(who, 1).await)
    }
}
