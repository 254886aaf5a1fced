//! Accounts: a tree of dataset, project and researcher accounts, each with what it may spend and what it has spent.
//!
//! Promises that an account never spends more than its amount, whether over a period or over its life. An allocation is a share of the
//! dataset's cap and gives no guarantee of its own; the cap is the guarantee.

use std::collections::BTreeMap;

use super::entry::{AccountKind, Cap};
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};

/// An account's index in the ledger's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNo(pub(super) u32);

/// Milliseconds in a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The schedule of an allocation that renews: each period begins with nothing spent, while the lifetime caps above it keep counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Length of a period, in days.
    pub days: u32,
    /// When the first period began, in milliseconds since 1970 in UTC. If the clock jumps ahead while something is charged, the period
    /// it jumped to begins, and the next one comes no sooner.
    pub from_ms: u64,
    /// Number of the latest period that a charge fell into, counted from 0. A clock that runs backwards does not bring back an earlier one.
    pub period: u64,
    /// What the account had spent in all when that period began.
    pub spent_before: Price,
}

impl Renewal {
    fn period_at(&self, now_ms: u64) -> u64 {
        let length = u64::from(self.days.max(1)).saturating_mul(DAY_MS);
        now_ms.saturating_sub(self.from_ms).checked_div(length).unwrap_or(0).max(self.period)
    }

    /// Returns when the period of `now_ms` began and when it ends, in milliseconds since 1970 in UTC.
    #[must_use]
    pub fn bounds_ms(&self, now_ms: u64) -> (u64, u64) {
        let length = u64::from(self.days.max(1)).saturating_mul(DAY_MS);
        let began = self.from_ms.saturating_add(self.period_at(now_ms).saturating_mul(length));
        (began, began.saturating_add(length))
    }
}

/// One account: whose it is, what it may spend and what it has spent.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's index in the ledger's state.
    pub number: AccountNo,
    /// Kind of account: dataset, project, researcher or statistics.
    pub kind: AccountKind,
    /// Name of the dataset, project or researcher that the account belongs to.
    pub name: String,
    /// Name of the dataset that the account spends from.
    pub dataset: String,
    /// The account above this one; `None` for a dataset's.
    pub parent: Option<AccountNo>,
    /// The ε of the cap or of the allocation, as granted.
    pub epsilon: Epsilon,
    /// The cap or the allocation as an amount. If it is set below what is spent, nothing can be spent.
    pub amount: Price,
    /// What was spent over the account's life.
    pub spent: Price,
    /// When the allocation renews; `None` if it does not.
    pub renewal: Option<Renewal>,
    /// The last price that the account paid for an answer with new noise.
    pub last: Option<Price>,
}

impl Account {
    pub(super) fn new(
        number: AccountNo,
        kind: AccountKind,
        (name, dataset): (&str, &str),
        parent: Option<AccountNo>,
        epsilon: Epsilon,
    ) -> Self {
        let (name, dataset) = (name.to_owned(), dataset.to_owned());
        let (amount, spent) = (Price::ZERO, Price::ZERO);
        Self { number, kind, name, dataset, parent, epsilon, amount, spent, renewal: None, last: None }
    }

    /// What was spent before the period of `now_ms`; zero if the allocation does not renew.
    #[must_use]
    pub fn spent_before(&self, now_ms: u64) -> Price {
        match self.renewal {
            None => Price::ZERO,
            Some(renewal) if renewal.period_at(now_ms) > renewal.period => self.spent,
            Some(renewal) => renewal.spent_before,
        }
    }

    /// What was spent in the period of `now_ms`; over the account's life if the allocation does not renew.
    #[must_use]
    pub fn spent_at(&self, now_ms: u64) -> Price {
        self.spent.left_after(self.spent_before(now_ms))
    }

    /// What this account can still spend at `now_ms`, whatever the accounts above it hold.
    #[must_use]
    pub fn left_at(&self, now_ms: u64) -> Price {
        self.amount.left_after(self.spent_at(now_ms))
    }

    /// What this account takes from the one above it at `now_ms`: its amount or what it spent in this period, whichever is more, plus what
    /// earlier periods spent.
    #[must_use]
    pub fn share(&self, now_ms: u64) -> Price {
        let before = self.spent_before(now_ms);
        before.saturating_add(self.amount.max(self.spent.left_after(before)))
    }

    /// Posts `leg` at `now_ms`; `None`, without any change, if it exceeds what is left.
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

/// A dataset's lifetime limits and counters, beside its account.
#[derive(Debug, Clone)]
pub struct DatasetAccount {
    /// The lifetime cap as it was opened; raises change the account's amount, not this.
    pub cap: Cap,
    /// Index of the dataset's own account.
    pub account: AccountNo,
    /// What the cap protects: the name of the column that identifies a unit, or `row`.
    pub unit: String,
    /// Number of noisy cells drawn over the dataset's life.
    pub cells: u64,
    /// δ used by thresholds over the dataset's life; never more than the cap sets aside.
    pub threshold_delta: Delta,
    /// The edition that queries see; `None` before the first one is sealed.
    pub edition: Option<EditionMark>,
    /// Whether allocations may add up to more than the cap.
    pub oversubscribe: bool,
    /// Number of failures after a charge that may depend on data, since a steward last unfroze the dataset.
    pub incidents: u32,
    /// Number of answers lost to a kill, a power cut or a failing disk, over the dataset's life.
    pub cut_off: u64,
    /// Whether a steward froze the dataset.
    pub frozen: bool,
    /// Number of answers that were charged or composed, over the dataset's life.
    pub questions: u64,
    /// How often each purpose was declared, for the first [`PURPOSES_MAX`] distinct purposes.
    pub purposes: BTreeMap<String, u64>,
    /// Every raise of the cap, oldest first.
    pub raises: Vec<Raise>,
}

/// One raise of a lifetime cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// When the cap was raised, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The ε of the cap before the raise.
    pub from: Epsilon,
    /// The ε of the cap after the raise.
    pub to: Epsilon,
}

/// Maximum number of distinct purposes that are counted per dataset.
pub const PURPOSES_MAX: usize = 1_000;

/// Number of incidents that freezes a dataset until its steward acts, because each incident may reveal a bit.
pub const INCIDENTS_MAX: u32 = 3;

impl DatasetAccount {
    /// Counts an answer and the purpose declared for it.
    pub(super) fn count(&mut self, purpose: Option<&str>) {
        self.questions = self.questions.saturating_add(1);
        let Some(purpose) = purpose else { return };
        if self.purposes.len() < PURPOSES_MAX || self.purposes.contains_key(purpose) {
            let times = self.purposes.entry(purpose.to_owned()).or_default();
            *times = times.saturating_add(1);
        }
    }

    /// The δ that is left for thresholds.
    #[must_use]
    pub fn threshold_delta_left(&self) -> Delta {
        self.cap.threshold_delta.left_after(self.threshold_delta)
    }

    /// Whether nothing may be drawn until the steward acts: frozen by a steward, or by [`INCIDENTS_MAX`] incidents.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen || self.incidents >= INCIDENTS_MAX
    }
}

/// A reference to the edition that queries see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionMark {
    /// The edition's random id.
    pub id: String,
    /// Keyed commitment that binds the edition's sealed bytes.
    pub commitment: String,
}
