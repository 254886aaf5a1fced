//! Published statistics, requests for budget, and what declared files manage.
//!
//! Promises that a statistic shows stored answers only, that a request is decided once, and that several acts of one entry take effect all
//! or none.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::LedgerState;
use super::fault::FoldFault;
use super::fold::FoldResult;
use super::records::{Confirmation, RequestRecord, ShownRelease, StatisticRecord};
use crate::kernel::budget::charge::AnswerState;
use crate::kernel::budget::entry::{Act, Entry, SingleAct};
use crate::kernel::budget::people::STATISTICS;

/// Maximum number of requests that one researcher may have open at once.
pub const REQUESTS_OPEN_MAX: usize = 5;

impl LedgerState {
    /// The state of a published statistic; `None` if nothing was recorded of it.
    #[must_use]
    pub fn statistic(&self, name: &str) -> Option<&StatisticRecord> {
        self.statistics.get(name)
    }

    /// All requests, oldest first, each with the number of its entry.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = (u64, &RequestRecord)> {
        self.requests.iter().map(|(number, card)| (*number, card))
    }

    /// The request made by the entry with this number.
    #[must_use]
    pub fn request(&self, number: u64) -> Option<&RequestRecord> {
        self.requests.get(&number)
    }

    /// Names of everything that files declare, as they were last applied, such as `person ada` or `grant visits ada`.
    #[must_use]
    pub fn managed(&self) -> &BTreeSet<String> {
        &self.managed
    }

    /// Copies people, accounts and requests only, to try acts on. No act that files can declare depends on answers or statistics, so those
    /// stay behind.
    #[must_use]
    pub fn sketch(&self) -> Self {
        Self {
            seq: self.seq,
            durable: 0,
            head: self.head,
            datasets: self.datasets.clone(),
            holders: self.holders.clone(),
            accounts: self.accounts.clone(),
            paid: HashSet::new(),
            served: HashMap::new(),
            served_in_order: HashMap::new(),
            people: self.people.clone(),
            tokens: self.tokens.clone(),
            viewing: self.viewing.clone(),
            releases: Vec::new(),
            names: HashMap::new(),
            executing: BTreeSet::new(),
            draws: Vec::new(),
            views: HashMap::new(),
            paths: HashMap::new(),
            levels: HashMap::new(),
            is_by_order: self.is_by_order,
            under_way: HashMap::new(),
            questions: HashMap::new(),
            keys: HashMap::new(),
            debts: self.debts.clone(),
            statistics: BTreeMap::new(),
            requests: self.requests.clone(),
            managed: self.managed.clone(),
            is_burnt: self.is_burnt,
            touched: BTreeSet::new(),
            trail: super::marks::Trail::default(),
            recent: super::days::RecentDays::default(),
        }
    }

    /// Applies an act to a sketch, as if it had been appended to the ledger.
    ///
    /// # Errors
    /// The reason why the act does not follow.
    pub fn try_act(&mut self, act: &Act, at_ms: u64) -> Result<(), FoldFault> {
        self.take(&Entry::following(self.seq, self.head, at_ms, act.clone()))
    }

    pub(super) fn take_at_desk(&mut self, entry: &Entry) -> FoldResult {
        match &entry.act {
            Act::Published { statistic, key, release, edition } => {
                let (release, edition, at_ms) = (release.clone(), edition.clone(), entry.at_ms);
                let shown = ShownRelease { key: *key, release, edition, at_ms, face: None };
                self.publish(statistic, shown, entry.seq)
            }
            Act::StatisticConfirmed { statistic, dataset, question, epsilon, amount, face, by } => {
                self.whole(dataset)?;
                let (question, amount, epsilon, at_ms) = (*question, *amount, *epsilon, entry.at_ms);
                let (face, by) = (face.clone(), by.clone());
                let card = self.statistics.entry(statistic.clone()).or_default();
                card.confirmed = Some(Confirmation { question, amount, epsilon, face, by, at_ms });
                card.changed = entry.seq;
                Ok(())
            }
            Act::RefreshSkipped { statistic, why } => {
                let card = self.statistics.entry(statistic.clone()).or_default();
                card.skipped = Some((entry.at_ms, why.clone()));
                card.changed = entry.seq;
                Ok(())
            }
            Act::Requested { researcher, dataset, epsilon, reason } => {
                let (researcher, dataset, reason) = (researcher.clone(), dataset.clone(), reason.clone());
                let (at_ms, epsilon, decision) = (entry.at_ms, *epsilon, None);
                let card = RequestRecord { researcher, dataset, epsilon, reason, at_ms, decision };
                self.requests.insert(entry.seq, card);
                Ok(())
            }
            Act::RequestDecided { request, granted, reason, .. } => self.close_request(*request, *granted, reason),
            Act::Applied { managed, acts, .. } => {
                self.managed = managed.iter().cloned().collect();
                acts.iter().try_for_each(|SingleAct(act)| self.take_one_of(entry, act))
            }
            Act::DatasetOpened { .. }
            | Act::EditionSealed { .. }
            | Act::CapRaised { .. }
            | Act::PersonAdded { .. }
            | Act::TokenRevoked { .. }
            | Act::ProjectGranted { .. }
            | Act::Granted { .. }
            | Act::Frozen { .. }
            | Act::Unfrozen { .. }
            | Act::Charged(_)
            | Act::ChargedByPath(_)
            | Act::Released { .. }
            | Act::Burned { .. }
            | Act::Served(_)
            | Act::ServedByPath(_)
            | Act::Recovered { .. }
            | Act::StatisticsGranted { .. }
            | Act::ViewerAdded { .. }
            | Act::ViewingSet { .. }
            | Act::RequestGranted { .. }
            | Act::TokenIssued(_)
            | Act::TokenIssuedWithVerifier(_)
            | Act::NamedTokenRevoked { .. }
            | Act::RoleSet { .. } => Err(FoldFault::Misplaced),
        }
    }

    /// Closes the request of this researcher for this dataset, whose allocation is set next.
    pub(super) fn grant_request(
        &mut self,
        request: u64,
        (researcher, dataset): (&str, &str),
        reason: &str,
    ) -> FoldResult {
        let card = self.requests.get(&request).ok_or(FoldFault::UnknownRequest)?;
        if card.researcher != researcher || card.dataset != dataset {
            return Err(FoldFault::OtherRequest);
        }
        self.close_request(request, true, reason)
    }

    fn close_request(&mut self, request: u64, granted: bool, reason: &str) -> FoldResult {
        let card = self.requests.get_mut(&request).ok_or(FoldFault::UnknownRequest)?;
        match card.decision.replace((granted, reason.to_owned())) {
            None => Ok(()),
            Some(_) => Err(FoldFault::RequestDecided),
        }
    }

    fn take_one_of(&mut self, entry: &Entry, act: &Act) -> FoldResult {
        match act {
            Act::PersonAdded { .. }
            | Act::TokenIssuedWithVerifier(_)
            | Act::TokenRevoked { .. }
            | Act::ViewerAdded { .. }
            | Act::ViewingSet { .. }
            | Act::RoleSet { .. }
            | Act::ProjectGranted { .. }
            | Act::Granted { .. }
            | Act::StatisticsGranted { .. }
            | Act::CapRaised { .. } => {
                let (v, seq, at_ms, previous) = (entry.v, entry.seq, entry.at_ms, entry.previous);
                self.take(&Entry { v, seq, at_ms, previous, act: act.clone() })
            }
            Act::DatasetOpened { .. }
            | Act::EditionSealed { .. }
            | Act::Frozen { .. }
            | Act::Unfrozen { .. }
            | Act::Charged(_)
            | Act::ChargedByPath(_)
            | Act::Released { .. }
            | Act::Burned { .. }
            | Act::Served(_)
            | Act::ServedByPath(_)
            | Act::Recovered { .. }
            | Act::Published { .. }
            | Act::RefreshSkipped { .. }
            | Act::Requested { .. }
            | Act::RequestDecided { .. }
            | Act::Applied { .. }
            | Act::StatisticConfirmed { .. }
            | Act::RequestGranted { .. }
            | Act::TokenIssued(_)
            | Act::NamedTokenRevoked { .. } => Err(FoldFault::Undeclarable),
        }
    }

    fn publish(&mut self, statistic: &str, shown: ShownRelease, seq: u64) -> FoldResult {
        let number = *self.names.get(&shown.release).ok_or(FoldFault::UnknownAnswer)?;
        let card = self.card(number);
        if card.state != AnswerState::Sealed {
            return Err(FoldFault::AnswerNotStored);
        }
        let dataset = &self.account(card.dataset).dataset;
        let branch = self.branch(dataset, STATISTICS).ok_or(FoldFault::NoStatisticsAccount)?;
        if !self.was_served(branch.researcher, number) {
            return Err(FoldFault::AnswerNotServed);
        }
        let card = self.statistics.entry(statistic.to_owned()).or_default();
        let confirmed = card.confirmed.as_ref().filter(|confirmed| confirmed.question == shown.key.body);
        let face = confirmed.map(|confirmed| confirmed.face.clone());
        (card.shown, card.skipped, card.changed) = (Some(ShownRelease { face, ..shown }), None, seq);
        Ok(())
    }
}
