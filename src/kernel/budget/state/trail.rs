//! The trail: whom and what each entry of the ledger concerns, so that entries are found without being read.
//!
//! Promises that an entry of several acts is found by each of them.

use super::LedgerState;
use super::marks::{EntryFilter, FoundEntries, Parties};
use crate::kernel::budget::entry::{Act, Entry, SingleAct};
use crate::kernel::budget::people::STATISTICS;

impl LedgerState {
    /// Notes what the entry that was just applied is about.
    pub(super) fn note(&mut self, entry: &Entry) {
        let mut trail = std::mem::take(&mut self.trail);
        trail.push(entry, &self.parties(&entry.act));
        self.trail = trail;
    }

    /// The newest entries before entry number `before` that match, at most `limit` of them.
    #[must_use]
    pub fn entries_before(&self, filter: &EntryFilter, before: u64, limit: usize) -> FoundEntries {
        self.trail.before(filter, before, limit)
    }

    /// The oldest entries after entry number `after` that match, at most `limit` of them.
    #[must_use]
    pub fn entries_after(&self, filter: &EntryFilter, after: u64, limit: usize) -> FoundEntries {
        self.trail.after(filter, after, limit)
    }

    /// Number and time of the last entry that somebody made: what they asked for, were served, or decided. The time is in milliseconds
    /// since 1970 in UTC, as a whole number of seconds.
    #[must_use]
    pub fn last_act(&self, name: &str) -> Option<(u64, u64)> {
        self.trail.last_act(name)
    }

    /// Whether an act is about the person and the dataset of a filter; its kind and its time are not looked at.
    #[must_use]
    pub fn is_about(&self, act: &Act, filter: &EntryFilter) -> bool {
        if let Act::Applied { acts, .. } = act
            && !acts.is_empty()
        {
            return acts.iter().any(|SingleAct(act)| self.is_about(act, filter));
        }
        let Parties { by, person, dataset } = self.parties(act);
        let wanted = filter.person.as_deref();
        (wanted.is_none() || wanted == by || wanted == person)
            && (filter.dataset.is_none() || filter.dataset.as_deref() == dataset)
    }

    /// Whom and what an act concerns. For an entry of several acts, only who applied them.
    #[must_use]
    pub fn parties<'a>(&'a self, act: &'a Act) -> Parties<'a> {
        let of =
            |by: Option<&'a str>, person: Option<&'a str>, dataset: Option<&'a str>| Parties { by, person, dataset };
        match act {
            Act::DatasetOpened { dataset, .. } | Act::EditionSealed { dataset, .. } => of(None, None, Some(dataset)),
            Act::CapRaised { dataset, by, .. }
            | Act::ProjectGranted { dataset, by, .. }
            | Act::Frozen { dataset, by, .. }
            | Act::Unfrozen { dataset, by, .. } => of(Some(by), None, Some(dataset)),
            Act::PersonAdded { name, by, .. }
            | Act::TokenRevoked { name, by }
            | Act::NamedTokenRevoked { name, by, .. }
            | Act::ViewerAdded { name, by, .. }
            | Act::ViewingSet { name, by, .. }
            | Act::RoleSet { name, by, .. } => of(Some(by), Some(name), None),
            Act::TokenIssued(issued) => of(Some(&issued.by), Some(&issued.name), None),
            Act::TokenIssuedWithVerifier(token) => of(Some(&token.issued.by), Some(&token.issued.name), None),
            Act::Granted { researcher, dataset, by, .. } | Act::RequestGranted { researcher, dataset, by, .. } => {
                of(Some(by), Some(researcher), Some(dataset))
            }
            Act::StatisticsGranted { dataset, by, .. } | Act::StatisticConfirmed { dataset, by, .. } => {
                of(Some(by), Some(STATISTICS), Some(dataset))
            }
            Act::Charged(charged) => of(Some(&charged.researcher), Some(&charged.researcher), Some(&charged.dataset)),
            Act::ChargedByPath(by_path) => {
                let charged = &by_path.charge;
                of(Some(&charged.researcher), Some(&charged.researcher), Some(&charged.dataset))
            }
            Act::Served(served) | Act::ServedByPath(served) => {
                let asker = Some(served.researcher.as_str());
                of(asker, asker, self.holder_of(&served.release).1)
            }
            Act::Released { release, .. } | Act::Burned { release, .. } => {
                let (person, dataset) = self.holder_of(release);
                of(None, person, dataset)
            }
            Act::Published { release, .. } => of(None, Some(STATISTICS), self.holder_of(release).1),
            // The entry does not say of which dataset the statistic is.
            Act::RefreshSkipped { .. } => of(None, Some(STATISTICS), None),
            Act::Requested { researcher, dataset, .. } => of(Some(researcher), Some(researcher), Some(dataset)),
            Act::RequestDecided { request, by, .. } => {
                let card = self.request(*request);
                of(Some(by), card.map(|card| card.researcher.as_str()), card.map(|card| card.dataset.as_str()))
            }
            Act::Recovered { by, .. } | Act::Applied { by, .. } => of(Some(by), None, None),
        }
    }

    /// For whom an answer was made, and from which dataset.
    fn holder_of(&self, release: &str) -> (Option<&str>, Option<&str>) {
        let account = self.release(release).map(|card| self.account(card.researcher));
        (account.map(|account| account.name.as_str()), account.map(|account| account.dataset.as_str()))
    }
}
