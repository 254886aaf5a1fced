//! Which accounts each entry is counted on, for what was asked in the last month.

use super::days::RecentUse;
use super::{Branch, LedgerState};
use crate::kernel::budget::account::AccountNo;
use crate::kernel::budget::entry::{Entry, Postings};

impl LedgerState {
    /// Notes what an entry that was just applied asked of which accounts.
    pub(super) fn note_use(&mut self, entry: &Entry) {
        let asked: Option<(Branch, Postings)> = if let Some(charge) = entry.act.charge() {
            self.branch(&charge.dataset, &charge.researcher).map(|branch| (branch, charge.legs))
        } else if let Some(serving) = entry.act.serving() {
            let dataset = self.parties(&entry.act).dataset;
            let branch = dataset.and_then(|dataset| self.branch(dataset, &serving.researcher));
            branch.map(|branch| (branch, serving.legs))
        } else {
            None
        };
        let Some((branch, legs)) = asked else { return };
        let project = branch.project.map(|project| (project, legs.project));
        let posted = [Some((branch.researcher, legs.researcher)), project, Some((branch.dataset, legs.dataset))];
        for (account, leg) in posted.into_iter().flatten() {
            self.recent.count(account, entry.at_ms, leg);
        }
    }

    /// What was asked on an account over the last `days` days of UTC, today included; at most 31 are kept.
    #[must_use]
    pub fn recent_use(&self, account: AccountNo, days: u64, now_ms: u64) -> RecentUse {
        self.recent.last(account, days, now_ms)
    }
}
