//! What was asked on each account day by day, over the last month.
//!
//! Promises days of UTC, counted by the times in the entries, and a memory that does not grow with the history: of each account at most
//! [`DAYS_KEPT`] days.

use std::collections::{HashMap, VecDeque};

use crate::kernel::budget::account::AccountNo;
use crate::kernel::privacy::amounts::Price;

/// Number of days that are kept of each account, from the newest one on which something was asked.
pub const DAYS_KEPT: u64 = 31;
/// Milliseconds in a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What was asked on an account over some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentUse {
    /// Number of answers that were charged or served for a price of the ledger; free repetitions that leave no entry are not counted.
    pub questions: u64,
    /// What the account paid for them.
    pub paid: Price,
}

/// The uses of one day, which is counted from 1970.
#[derive(Debug, Clone, Copy)]
struct DayUse {
    day: u64,
    of_day: RecentUse,
}

/// The last days of each account.
#[derive(Debug, Default)]
pub(super) struct RecentDays(HashMap<AccountNo, VecDeque<DayUse>>);

impl RecentDays {
    /// Counts one answer on an account.
    pub(super) fn count(&mut self, account: AccountNo, at_ms: u64, paid: Price) {
        let day = at_ms / DAY_MS;
        let days = self.0.entry(account).or_default();
        // Times of entries may go back a little; the days stay in order.
        let place = days.iter().rposition(|known| known.day <= day);
        let known = place.and_then(|place| days.get_mut(place)).filter(|known| known.day == day);
        if let Some(known) = known {
            known.of_day.questions = known.of_day.questions.saturating_add(1);
            known.of_day.paid = known.of_day.paid.saturating_add(paid);
            return;
        }
        let next = place.map_or(0, |place| place.saturating_add(1));
        days.insert(next, DayUse { day, of_day: RecentUse { questions: 1, paid } });
        let newest = days.back().map_or(day, |last| last.day);
        while days.front().is_some_and(|first| first.day.saturating_add(DAYS_KEPT) <= newest) {
            days.pop_front();
        }
    }

    /// The sum over the last `days` days, today included.
    pub(super) fn last(&self, account: AccountNo, days: u64, now_ms: u64) -> RecentUse {
        let first = (now_ms / DAY_MS).saturating_add(1).saturating_sub(days);
        let kept = self.0.get(&account).into_iter().flatten().filter(|known| known.day >= first);
        kept.fold(RecentUse::default(), |sum, known| RecentUse {
            questions: sum.questions.saturating_add(known.of_day.questions),
            paid: sum.paid.saturating_add(known.of_day.paid),
        })
    }
}
