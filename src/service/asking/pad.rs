//! Padding: when an answer leaves, if a dataset's answers are padded.
//!
//! The moment follows from the question's plan, the declared capacity and the dataset's quantum (`pad_ms`), and never from a row:
//! it does not show whether an answer was computed, replayed, refused or failed. Questions whose plans take equally long form a
//! class. A question's work ends, and is recorded, at a moment that its class determines, counted from when its turn came, so
//! that nobody can see its end in another request either; the wait for a turn depends on the classes of other questions alone.
//! Work that takes longer than its class allows ends at a later quantum. This tells how many quanta later, and is logged so that
//! the steward chooses a longer quantum. Not promised: what shared processors reveal to somebody who measures them meanwhile.
//!
//! A door does the work of each request inside [`Service::held`], or between [`Service::departure`] and [`Departure::reached`], and
//! says of what question the request was. [`Service::answer`] holds its answers by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::kernel::random;
use crate::query::plan::Plan;
use crate::service::{Dataset, Priced, Service};

/// The most that every question takes in addition to its plan: a worker's attention, and a new worker if one has died.
const BASE: Duration = Duration::from_millis(10);
/// Nanoseconds per row and look at it, with as many questions running at once as may.
const NANOS_PER_LOOK: u64 = 30;
/// Nanoseconds per noisy cell: for the noise, the record and the answer.
const NANOS_PER_CELL: u64 = 20_000;

impl Service {
    /// The padding of a question of this dataset, with its plan if it has one.
    pub(crate) fn pad_of(&self, dataset: &Dataset, plan: Option<&Plan>) -> Option<Pad> {
        self.least_pad()?;
        let Some(quantum) = dataset.quantum() else { return Some(Pad::OFF) };
        Some(plan.map_or(Pad { quantum, work: 0 }, |plan| Pad::of(plan, dataset, quantum)))
    }

    /// The padding of requests that concern no dataset, or one that does not exist: the longest quantum of all datasets.
    #[must_use]
    pub fn least_pad(&self) -> Option<Pad> {
        let longest = self.datasets().filter_map(Dataset::quantum).max()?;
        Some(Pad { quantum: longest, work: 0 })
    }

    /// Begins a request, which counts as read in full now; `None` if nothing is padded.
    #[must_use]
    pub fn departure(&self) -> Option<Departure> {
        let least = self.least_pad()?;
        Some(Departure { least, read: Arc::new(Mutex::new(Instant::now())) })
    }

    /// Does the work of one request that has been read in full, and returns its result when it may leave. Besides its result the
    /// work returns the pad of its question; `None` if it was about no question.
    pub async fn held<T>(&self, work: impl Future<Output = (Option<Pad>, T)>) -> T {
        let departure = self.departure();
        let (pad, result) = work.await;
        if let Some(departure) = departure {
            departure.reached(pad).await;
        }
        result
    }

    /// Waits until the moment at which work that began at `begun` ends for its class, whatever its result.
    pub(crate) async fn hold(&self, priced: &Priced, begun: Instant) {
        let Some(quantum) = priced.dataset.quantum() else { return };
        let pad = Pad::of(&priced.plan, &priced.dataset, quantum);
        let (due, is_late) = pad.work_due(begun.elapsed());
        if is_late {
            tracing::warn!("a question took longer than its padding; choose a longer pad_ms");
        }
        sleep_until(begun + due).await;
    }
}

impl Dataset {
    fn quantum(&self) -> Option<Duration> {
        self.pad_ms.map(|ms| Duration::from_millis(ms.into()))
    }
}

/// The time when a request was read, from which the moment follows at which its answer leaves.
#[derive(Debug, Clone)]
pub struct Departure {
    least: Pad,
    read: Arc<Mutex<Instant>>,
}

impl Departure {
    /// Records that the request has just been read in full. A caller who sends it slowly delays the answer by the same time, and
    /// does not learn when the work was done.
    pub fn read_now(&self) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until the answer may leave. `pad` is that of the request's question; a request about no question is padded to the
    /// longest quantum.
    pub async fn reached(&self, pad: Option<Pad>) {
        let pad = pad.unwrap_or(self.least);
        let read = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        sleep_until(read + pad.due(read.elapsed()) + pad.jitter()).await;
    }
}

/// The padding of an answer, as a number of quanta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    quantum: Duration,
    /// Quanta that the work takes; the answer leaves one quantum later.
    work: u32,
}

impl Pad {
    /// No padding, although some dataset is padded: for questions of a dataset that is not, and for callers who are not known.
    pub const OFF: Self = Self { quantum: Duration::ZERO, work: 0 };

    /// The class of a plan: the time that it takes over a table of the declared capacity, in whole quanta.
    fn of(plan: &Plan, dataset: &Dataset, quantum: Duration) -> Self {
        // A relation may make more rows than its tables have.
        let rows = dataset.terms.max_rows.max(plan.terms(&dataset.terms).max_rows);
        let looks = plan.parts().fold(0_u64, |all, part| all.saturating_add(part.looks()));
        let looks = rows.saturating_mul(looks);
        let cells = plan.sought.iter().fold(0_u64, |all, one| all.saturating_add(one.cells));
        let nanos = looks.saturating_mul(NANOS_PER_LOOK).saturating_add(cells.saturating_mul(NANOS_PER_CELL));
        let whole = BASE.saturating_add(Duration::from_nanos(nanos));
        Self { quantum, work: quanta(whole, quantum) }
    }

    /// When work that took `taken` ends, counted from its turn, and whether that is later than its class allows.
    #[must_use]
    pub fn work_due(&self, taken: Duration) -> (Duration, bool) {
        let needed = quanta(taken, self.quantum);
        (self.quantum.saturating_mul(needed.max(self.work)), needed > self.work)
    }

    /// When an answer that was ready after `taken` leaves, counted from when its question was read: one quantum after its work
    /// ends.
    #[must_use]
    pub fn due(&self, taken: Duration) -> Duration {
        if *self == Self::OFF {
            return Duration::ZERO;
        }
        self.quantum.saturating_mul(quanta(taken, self.quantum).max(self.work.saturating_add(1)))
    }

    /// The longest random delay that is added. It is needed because what happened before a moment leaves traces in caches, and so
    /// affects what follows.
    #[must_use]
    pub fn jitter_max(&self) -> Duration {
        self.quantum / 4
    }

    /// A random part of the longest delay; 0 if the system has no randomness left.
    fn jitter(&self) -> Duration {
        let bits = random::bytes::<4>().map_or(0, u32::from_le_bytes);
        self.jitter_max().mul_f64(f64::from(bits) / f64::from(u32::MAX))
    }
}

fn quanta(time: Duration, quantum: Duration) -> u32 {
    let quanta = time.as_nanos().div_ceil(quantum.as_nanos().max(1));
    u32::try_from(quanta).unwrap_or(u32::MAX).max(1)
}
