//! When an answer leaves, where a dataset's answers are padded.
//!
//! Promises moments that follow from the question's plan, the declared capacity and the quantum, and from no row: whether an answer
//! was computed, replayed, refused or failed does not show in them. It is a promise as long as the work ends before; work that
//! takes longer leaves at the next quantum, which tells one bit, and is logged so that the steward chooses a longer quantum.

use std::time::Duration;

use super::ask::Ask;
use super::{Dataset, Service};
use crate::query::parse;
use crate::query::plan::{Plan, plan};

/// What every question takes at the most: parsing, two commits and their anchor, a worker's attention.
const BASE: Duration = Duration::from_millis(20);
/// Nanoseconds per row and look, one core being busy with something else.
const NANOS_PER_LOOK: u64 = 10;
/// Nanoseconds per noisy cell: the noise, the record, the answer.
const NANOS_PER_CELL: u64 = 20_000;

impl Service {
    /// How long after the whole question was read its answer leaves; nothing where nothing is padded.
    #[must_use]
    pub fn pad(&self, who: &str, ask: &Ask) -> Option<Pad> {
        let least = self.least_pad()?;
        let Ok(query) = parse::parse(&ask.sql) else { return Some(least) };
        let dataset = self.dataset(&query.dataset.text).filter(|dataset| self.branch(who, &dataset.name).is_some());
        let Some(dataset) = dataset else { return Some(least) };
        let Some(quantum) = dataset.quantum() else { return Some(Pad::OFF) };
        Some(match plan(&query, &dataset.terms, ask.rows_per_unit) {
            Ok(plan) => Pad::of(&plan, dataset, quantum),
            Err(_) => Pad { quantum, quanta: 1 },
        })
    }

    /// What requests are padded to that are of no dataset, or of one that does not exist: the longest quantum of all.
    #[must_use]
    pub fn least_pad(&self) -> Option<Pad> {
        let longest = self.datasets().filter_map(Dataset::quantum).max()?;
        Some(Pad { quantum: longest, quanta: 1 })
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
    quanta: u32,
}

impl Pad {
    /// At once: the dataset is not padded, although another is.
    const OFF: Self = Self { quantum: Duration::ZERO, quanta: 0 };

    /// The class of a plan: what it takes over a table of the declared capacity, in whole quanta.
    fn of(plan: &Plan, dataset: &Dataset, quantum: Duration) -> Self {
        let looks = dataset.terms.max_rows.saturating_mul(plan.computation.looks());
        let cells = plan.computation.groups().saturating_mul(plan.computation.measures.len() as u64);
        let nanos = looks.saturating_mul(NANOS_PER_LOOK).saturating_add(cells.saturating_mul(NANOS_PER_CELL));
        let whole = BASE.saturating_add(Duration::from_nanos(nanos));
        Self { quantum, quanta: quanta(whole, quantum) }
    }

    /// When an answer leaves that was ready after `taken`, counted from the same moment; and whether that is later than its class.
    #[must_use]
    pub fn due(&self, taken: Duration) -> (Duration, bool) {
        if *self == Self::OFF {
            return (Duration::ZERO, false);
        }
        let needed = quanta(taken, self.quantum);
        (self.quantum.saturating_mul(needed.max(self.quanta)), needed > self.quanta)
    }
}

fn quanta(time: Duration, quantum: Duration) -> u32 {
    let quanta = time.as_nanos().div_ceil(quantum.as_nanos().max(1));
    u32::try_from(quanta).unwrap_or(u32::MAX).max(1)
}
