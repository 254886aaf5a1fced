//! Served answers: which answers were served to each person, for histories and lists.

use super::{AccountNo, LedgerState, ReleaseNo, ReleaseRecord};
use crate::kernel::budget::entry::AccountKind;

impl LedgerState {
    /// Answers that were served to a person, grouped by dataset, from the first one on or after the answer `after`, without scanning those
    /// before it. `None` if `after` was not served to this person.
    #[must_use]
    pub fn served_after(
        &self,
        person: &str,
        after: Option<&str>,
    ) -> Option<impl Iterator<Item = &ReleaseRecord> + use<'_>> {
        let accounts =
            self.datasets.keys().filter_map(|dataset| self.number_of(dataset, AccountKind::Researcher, person));
        let mut accounts: Vec<AccountNo> = accounts.collect();
        let mut skipped = 0;
        if let Some(id) = after {
            let number = *self.names.get(id)?;
            let dataset = &self.account(self.card(number).dataset).dataset;
            let account = self.number_of(dataset, AccountKind::Researcher, person)?;
            let seq = *self.served.get(&(account, number)).filter(|_| self.was_handed_over(account, number))?;
            accounts.drain(..accounts.iter().position(|one| *one == account)?);
            // Each list is in the order of its entries.
            skipped = self.served_to(account).partition_point(|number| self.seq_served(account, *number) <= seq);
        }
        let lists = accounts
            .into_iter()
            .enumerate()
            .map(move |(place, account)| (account, &self.served_to(account)[if place == 0 { skipped } else { 0 }..]));
        let all = lists.flat_map(|(account, answers)| answers.iter().map(move |number| (account, *number)));
        Some(
            all.filter(|(account, number)| self.was_handed_over(*account, *number))
                .map(|(_, number)| self.card(number)),
        )
    }

    /// All answers that may be served, oldest first, from the first one on or after the answer `after`. `None` if `after` may not be
    /// served.
    #[must_use]
    pub fn servable_after(&self, after: Option<&str>) -> Option<impl Iterator<Item = &ReleaseRecord> + use<'_>> {
        let first = match after {
            Some(id) => self.names.get(id).filter(|number| self.is_servable(**number))?.0.saturating_add(1),
            None => 0,
        };
        let numbers = (first..).zip(&self.releases[first as usize..]);
        Some(numbers.filter(|(number, _)| self.is_servable(ReleaseNo(*number))).map(|(_, card)| card))
    }

    /// All answers that may be served, newest first, from the one before the answer `before` on. `None` if `before` may not be served.
    #[must_use]
    pub fn servable_before(&self, before: Option<&str>) -> Option<impl Iterator<Item = &ReleaseRecord> + use<'_>> {
        let end = match before {
            Some(id) => self.names.get(id).filter(|number| self.is_servable(**number))?.0,
            None => u32::try_from(self.releases.len()).unwrap_or(u32::MAX),
        };
        let numbers = (0..end).zip(&self.releases[..end as usize]).rev();
        Some(numbers.filter(|(number, _)| self.is_servable(ReleaseNo(*number))).map(|(_, card)| card))
    }

    /// Number of the entry that first served an answer to a person; `None` if it may not be served to them.
    #[must_use]
    pub fn first_served(&self, person: &str, release: &str) -> Option<u64> {
        let number = *self.names.get(release)?;
        let dataset = &self.account(self.card(number).dataset).dataset;
        let account = self.number_of(dataset, AccountKind::Researcher, person)?;
        self.was_handed_over(account, number).then(|| self.seq_served(account, number))
    }

    /// The answers that were served on an account, in the order of their entries.
    fn served_to(&self, account: AccountNo) -> &[ReleaseNo] {
        self.served_in_order.get(&account).map(Vec::as_slice).unwrap_or_default()
    }

    /// Number of the entry that first served an answer on an account; 0 if none did.
    fn seq_served(&self, account: AccountNo, number: ReleaseNo) -> u64 {
        self.served.get(&(account, number)).copied().unwrap_or(0)
    }

    /// Whether an answer was served to a person and may be served again.
    #[must_use]
    pub fn was_served_to(&self, person: &str, release: &str) -> bool {
        let Some(number) = self.names.get(release) else { return false };
        let dataset = &self.account(self.card(*number).dataset).dataset;
        let account = self.number_of(dataset, AccountKind::Researcher, person);
        account.is_some_and(|account| self.was_handed_over(account, *number))
    }

    /// Whether an answer was durably served on an account.
    fn was_handed_over(&self, account: AccountNo, number: ReleaseNo) -> bool {
        self.served.get(&(account, number)).is_some_and(|seq| *seq <= self.durable) && self.is_servable(number)
    }

    /// The latest answers that were served to a person before entry number `before`, newest first, each with the number of the entry that
    /// served it first. The cost does not depend on the length of the history.
    #[must_use]
    pub fn served_before(&self, person: &str, before: u64, limit: usize) -> Vec<(u64, &ReleaseRecord)> {
        let mut latest = Vec::new();
        for dataset in self.datasets.keys() {
            let Some(account) = self.number_of(dataset, AccountKind::Researcher, person) else { continue };
            let (answers, first_served) =
                (self.served_to(account), |number: &ReleaseNo| self.seq_served(account, *number));
            // Each list is in the order of its entries.
            let end = answers.partition_point(|number| first_served(number) < before);
            let on_disk = answers[..end].iter().rev().filter(|number| self.was_handed_over(account, **number));
            latest.extend(on_disk.take(limit).map(|number| (first_served(number), self.card(*number))));
        }
        latest.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        latest.truncate(limit);
        latest
    }
}
