//! Shelves: the answers that were served to each person.

use super::{AccountNo, Book, ReleaseCard, ReleaseNo};
use crate::budget::entry::Kind;

impl Book {
    /// Answers that were served to a person: by dataset, from the first on.
    pub fn shelf(&self, person: &str) -> impl Iterator<Item = &ReleaseCard> + use<'_> {
        let accounts: Vec<_> =
            self.datasets.keys().filter_map(|dataset| self.number_of(dataset, Kind::Researcher, person)).collect();
        let shelves = accounts.into_iter().filter_map(|account| Some((account, self.shelves.get(&account)?)));
        let all = shelves.flat_map(|(account, shelf)| shelf.iter().map(move |number| (account, *number)));
        all.filter(|(account, number)| self.was_handed_over(*account, *number)).map(|(_, number)| self.card(number))
    }

    /// Whether an answer was served to a person.
    #[must_use]
    pub fn is_on_shelf(&self, person: &str, release: &str) -> bool {
        let Some(number) = self.names.get(release) else { return false };
        let dataset = &self.account(self.card(*number).dataset).dataset;
        let account = self.number_of(dataset, Kind::Researcher, person);
        account.is_some_and(|account| self.was_handed_over(account, *number))
    }

    /// Whether an answer was served on an account, durably.
    fn was_handed_over(&self, account: AccountNo, number: ReleaseNo) -> bool {
        self.served.get(&(account, number)).is_some_and(|seq| *seq <= self.durable) && self.is_servable(number)
    }

    /// The latest answers that were served to a person before entry `before`, the newest first, each with the entry that served it
    /// first. Costs the same at any length of history.
    #[must_use]
    pub fn shelf_before(&self, person: &str, before: u64, limit: usize) -> Vec<(u64, &ReleaseCard)> {
        let mut latest = Vec::new();
        for dataset in self.datasets.keys() {
            let Some(account) = self.number_of(dataset, Kind::Researcher, person) else { continue };
            let shelf = self.shelves.get(&account).map(Vec::as_slice).unwrap_or_default();
            let served = |number: &ReleaseNo| self.served.get(&(account, *number)).copied().unwrap_or(0);
            // A shelf is in the order of its entries.
            let end = shelf.partition_point(|number| served(number) < before);
            let on_disk = shelf[..end].iter().rev().filter(|number| self.was_handed_over(account, **number));
            latest.extend(on_disk.take(limit).map(|number| (served(number), self.card(*number))));
        }
        latest.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        latest.truncate(limit);
        latest
    }
}
