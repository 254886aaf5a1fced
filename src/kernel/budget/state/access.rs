//! Viewing: who may see the published statistics of a dataset.
//!
//! Promises that a viewer who was assigned datasets sees those only, also after their token was revoked and they got another one. A viewer
//! who was never assigned any sees all, as in ledgers that are older than such assignments.

use std::collections::BTreeSet;

use super::LedgerState;
use super::fault::FoldFault;
use super::fold::FoldResult;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::Price;

impl LedgerState {
    /// The datasets assigned to a viewer; `None` if none were ever assigned, so that they may see all.
    #[must_use]
    pub fn viewing(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.viewing.get(name)
    }

    /// Names of viewers who hold a valid token and were never assigned datasets: they see the statistics of all of them.
    pub fn viewers_of_all(&self) -> impl Iterator<Item = &String> {
        let viewers = self.people().filter(|(_, role, is_active)| *role == Role::Viewer && *is_active);
        viewers.map(|(name, ..)| name).filter(|name| !self.viewing.contains_key(*name))
    }

    /// Whether a person may see statistics of a dataset that are not public: a steward may, a researcher with an allocation of it may, and
    /// a viewer may if it was assigned to them or if they were never assigned any.
    #[must_use]
    pub fn sees(&self, person: &Person, dataset: &str) -> bool {
        match person.role {
            Role::Steward => true,
            Role::Researcher => {
                self.researcher(dataset, &person.name).is_some_and(|account| account.amount > Price::ZERO)
            }
            Role::Viewer => self.viewing(&person.name).is_none_or(|datasets| datasets.contains(dataset)),
        }
    }

    pub(super) fn set_viewing(&mut self, name: &str, datasets: &[String]) -> FoldResult {
        if datasets.iter().any(|dataset| self.dataset(dataset).is_none()) {
            return Err(FoldFault::UnknownDataset);
        }
        self.viewing.insert(name.to_owned(), datasets.iter().cloned().collect());
        Ok(())
    }
}
