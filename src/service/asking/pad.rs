//! When an answer leaves, where a dataset's answers are padded.
//!
//! Promises moments that follow from the question's plan, the declared capacity and the quantum, and from no row: whether an answer
//! was computed, replayed, refused or failed does not show in them. The work of a question ends, and is recorded, at a moment of
//! its class, counted from when its turn came, so that nobody sees its end in another request either; waiting for a turn is waiting
//! for other classes. Work that takes longer than its class ends at a later quantum, which tells how many quanta later, and is
//! logged so that the steward chooses a longer one. Not promised: what shared processors tell to who measures them meanwhile.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ask::Ask;
use crate::query::plan::Plan;
use crate::service::{Dataset, Priced, Service};

/// What every question takes at the most: a worker's attention, and a new worker where one has died.
const BASE: Duration = Duration::from_millis(10);
/// Nanoseconds per row and look, where as many questions have their turn at once as may.
const NANOS_PER_LOOK: u64 = 30;
/// Questions of a padded dataset that have their turn at once.
pub(crate) const TURNS_MAX: usize = 2;
/// Nanoseconds per noisy cell: the noise, the record, the answer.
const NANOS_PER_CELL: u64 = 20_000;

impl Service {
    /// How long after the whole question was read its answer leaves; `None` where nothing is padded. It takes as long as planning
    /// does; who answers the question, too, prepares it once ([`Service::prepare`]).
    #[must_use]
    pub fn pad(&self, who: &str, ask: &Ask) -> Option<Pad> {
        self.prepare(who, ask.clone()).pad()
    }

    /// The moment of a question of this dataset, with its plan where it has one.
    pub(crate) fn pad_of(&self, dataset: &Dataset, plan: Option<&Plan>) -> Option<Pad> {
        self.least_pad()?;
        let Some(quantum) = dataset.quantum() else { return Some(Pad::OFF) };
        Some(plan.map_or(Pad { quantum, work: 0 }, |plan| Pad::of(plan, dataset, quantum)))
    }

    /// What requests are padded to that are of no dataset, or of one that does not exist: the longest quantum of all.
    #[must_use]
    pub fn least_pad(&self) -> Option<Pad> {
        let longest = self.datasets().filter_map(Dataset::quantum).max()?;
        Some(Pad { quantum: longest, work: 0 })
    }

    /// Waits until the moment of a question whose turn came at `begun`, whatever became of it.
    pub(crate) async fn hold(&self, priced: &Priced, begun: Instant) {
        let Some(quantum) = priced.dataset.quantum() else { return };
        let pad = Pad::of(&priced.plan, &priced.dataset, quantum);
        let (due, is_late) = pad.work_due(begun.elapsed());
        if is_late {
            tracing::warn!("a question took longer than its padding; a longer pad_ms would hold");
        }
        sleep_until(begun + due).await;
    }
}

impl Dataset {
    fn quantum(&self) -> Option<Duration> {
        self.pad_ms.map(|ms| Duration::from_millis(ms.into()))
    }
}

/// The moment of an answer: a number of quanta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    quantum: Duration,
    /// Quanta of the work, before the last one.
    work: u32,
}

impl Pad {
    /// At once: the dataset is not padded, although another is.
    const OFF: Self = Self { quantum: Duration::ZERO, work: 0 };

    /// The class of a plan: what it takes over a table of the declared capacity, in whole quanta.
    fn of(plan: &Plan, dataset: &Dataset, quantum: Duration) -> Self {
        let looks = dataset.terms.max_rows.saturating_mul(plan.computation.looks());
        let cells = plan.sought.iter().fold(0_u64, |all, one| all.saturating_add(one.cells));
        let nanos = looks.saturating_mul(NANOS_PER_LOOK).saturating_add(cells.saturating_mul(NANOS_PER_CELL));
        let whole = BASE.saturating_add(Duration::from_nanos(nanos));
        Self { quantum, work: quanta(whole, quantum) }
    }

    /// When work ends that took `taken`, counted from its turn; and whether that is later than its class.
    #[must_use]
    pub fn work_due(&self, taken: Duration) -> (Duration, bool) {
        let needed = quanta(taken, self.quantum);
        (self.quantum.saturating_mul(needed.max(self.work)), needed > self.work)
    }

    /// When an answer leaves that was ready after `taken`, counted from when its question was read: one quantum after the work's.
    #[must_use]
    pub fn due(&self, taken: Duration) -> Duration {
        if *self == Self::OFF {
            return Duration::ZERO;
        }
        self.quantum.saturating_mul(quanta(taken, self.quantum).max(self.work.saturating_add(1)))
    }

    /// The longest that chance adds: what happened before a moment leaves traces in caches, and so in what follows it.
    #[must_use]
    pub fn jitter_max(&self) -> Duration {
        self.quantum / 4
    }
}

fn quanta(time: Duration, quantum: Duration) -> u32 {
    let quanta = time.as_nanos().div_ceil(quantum.as_nanos().max(1));
    u32::try_from(quanta).unwrap_or(u32::MAX).max(1)
}
