//! Accounts: a tree of dataset, project and researcher, each with what it may spend and has spent.
//!
//! Promises that an account never spends beyond its amount, in a period or for life. An allocation is a share of the dataset's cap and
//! no guarantee of its own; the cap is the guarantee.

use std::collections::BTreeMap;

use super::entry::{Cap, Kind};
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};

/// An account's place in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNo(pub(super) u32);

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// An allocation that renews: each period begins with nothing spent, and posts to the lifetime caps above it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Days of a period.
    pub days: u32,
    /// When the first period began, in milliseconds since 1970 in UTC. A clock that jumps ahead while something is charged begins the
    /// period it jumped to, and the next one comes no sooner.
    pub from_ms: u64,
    /// The latest period that a charge fell into, from 0; a clock that runs backwards does not bring an earlier one back.
    pub period: u64,
    /// Spent all in all when that period began.
    pub spent_before: Price,
}

impl Renewal {
    fn period_at(&self, now_ms: u64) -> u64 {
        let length = u64::from(self.days.max(1)).saturating_mul(DAY_MS);
        now_ms.saturating_sub(self.from_ms).checked_div(length).unwrap_or(0).max(self.period)
    }

    /// When the period of `now_ms` began and ends, in milliseconds since 1970 in UTC.
    #[must_use]
    pub fn bounds_ms(&self, now_ms: u64) -> (u64, u64) {
        let length = u64::from(self.days.max(1)).saturating_mul(DAY_MS);
        let began = self.from_ms.saturating_add(self.period_at(now_ms).saturating_mul(length));
        (began, began.saturating_add(length))
    }
}

/// One account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Dataset, project or researcher.
    pub kind: Kind,
    /// Whose: the dataset's, the project's or the researcher's name.
    pub name: String,
    /// Of which dataset.
    pub dataset: String,
    /// The account above it; none above a dataset's.
    pub parent: Option<AccountNo>,
    /// The ε of the cap or the allocation, as granted.
    pub epsilon: Epsilon,
    /// The same in the accountant's unit. Below what is spent the account is frozen.
    pub amount: Price,
    /// Spent, all in all.
    pub spent: Price,
    /// Whether and when it renews.
    pub renewal: Option<Renewal>,
    /// The last price that it paid for an answer with new noise.
    pub last: Option<Price>,
}

impl Account {
    pub(super) fn new(kind: Kind, name: &str, dataset: &str, parent: Option<AccountNo>, epsilon: Epsilon) -> Self {
        let (name, dataset) = (name.to_owned(), dataset.to_owned());
        let (amount, spent) = (Price::ZERO, Price::ZERO);
        Self { kind, name, dataset, parent, epsilon, amount, spent, renewal: None, last: None }
    }

    /// Spent before the period of `now_ms`, which is nothing where nothing renews.
    #[must_use]
    pub fn spent_before(&self, now_ms: u64) -> Price {
        match self.renewal {
            None => Price::ZERO,
            Some(renewal) if renewal.period_at(now_ms) > renewal.period => self.spent,
            Some(renewal) => renewal.spent_before,
        }
    }

    /// Spent in the period of `now_ms`; all in all, where nothing renews.
    #[must_use]
    pub fn spent_at(&self, now_ms: u64) -> Price {
        self.spent.left_after(self.spent_before(now_ms))
    }

    /// What can still be spent at `now_ms`.
    #[must_use]
    pub fn left_at(&self, now_ms: u64) -> Price {
        self.amount.left_after(self.spent_at(now_ms))
    }

    /// What it takes of the account above at `now_ms`: its amount or what it has spent of it, whichever is more, and what earlier
    /// periods took.
    #[must_use]
    pub fn share(&self, now_ms: u64) -> Price {
        let before = self.spent_before(now_ms);
        before.saturating_add(self.amount.max(self.spent.left_after(before)))
    }

    /// Posts `leg` at `now_ms`; nothing where it would go beyond the amount.
    pub(super) fn post(&mut self, leg: Price, now_ms: u64) -> Option<()> {
        if leg > self.left_at(now_ms) {
            return None;
        }
        let before = self.spent_before(now_ms);
        if let Some(renewal) = &mut self.renewal {
            (renewal.period, renewal.spent_before) = (renewal.period_at(now_ms), before);
        }
        self.spent = self.spent.checked_add(leg)?;
        Some(())
    }
}

/// What one dataset may spend, beyond its account.
#[derive(Debug, Clone)]
pub struct DatasetAccount {
    /// The lifetime cap as it was opened; the account's amount has what it was raised to.
    pub cap: Cap,
    /// Its account.
    pub account: AccountNo,
    /// Whom it protects: the unit's column, or `row`.
    pub unit: String,
    /// Noisy cells drawn, all in all.
    pub cells: u64,
    /// δ that thresholds took, all in all; never more than the cap sets aside.
    pub threshold_delta: Delta,
    /// The edition that queries see.
    pub edition: Option<EditionMark>,
    /// Whether allocations may sum to more than the cap.
    pub oversubscribe: bool,
    /// Failures after a charge that may depend on data, since a steward last looked.
    pub incidents: u32,
    /// Answers that a kill, a power cut or a failing disk cut off, all in all.
    pub cut_off: u64,
    /// Whether a steward froze it.
    pub frozen: bool,
    /// Answers that were made for somebody, all in all.
    pub questions: u64,
    /// What they were for, as it was declared, and how often; of the first [`PURPOSES_MAX`] different ones.
    pub purposes: BTreeMap<String, u64>,
    /// Every time that its cap was raised, from the first on.
    pub raises: Vec<Raise>,
}

/// One time that a lifetime cap was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// When, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The ε of the cap before.
    pub from: Epsilon,
    /// The ε of the cap since.
    pub to: Epsilon,
}

/// Different purposes that are counted for a dataset.
pub const PURPOSES_MAX: usize = 1_000;

/// Incidents after which a dataset freezes until its steward acts: each may tell a bit.
pub const INCIDENTS_MAX: u32 = 3;

impl DatasetAccount {
    /// Counts an answer.
    pub(super) fn count(&mut self, purpose: Option<&str>) {
        self.questions = self.questions.saturating_add(1);
        let Some(purpose) = purpose else { return };
        if self.purposes.len() < PURPOSES_MAX || self.purposes.contains_key(purpose) {
            let times = self.purposes.entry(purpose.to_owned()).or_default();
            *times = times.saturating_add(1);
        }
    }

    /// What thresholds may still take of δ.
    #[must_use]
    pub fn threshold_delta_left(&self) -> Delta {
        self.cap.threshold_delta.left_after(self.threshold_delta)
    }

    /// Whether nothing is drawn until the steward acts.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen || self.incidents >= INCIDENTS_MAX
    }
}

/// The edition that queries see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionMark {
    /// Its random id.
    pub id: String,
    /// What binds its bytes.
    pub commitment: String,
}
