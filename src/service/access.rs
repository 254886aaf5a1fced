//! Access: who may see which dataset, account, answer and statistic.
//!
//! All doors and formats follow these rules. To somebody who may not see it, a thing looks as if it did not exist.
//!
//! * Stewards see every dataset, researchers those in which they hold an account, even one that was lowered to 0, and viewers those
//!   that were assigned to them, or all of them if none were ever assigned.
//! * Researchers see their own accounts and those of their projects.
//! * Researchers see the answers that they were served, and stewards every answer that is stored.
//! * Public statistics are for everybody. Other statistics are for stewards and for people who may see the dataset. Statistics
//!   that no steward has agreed to draw are for stewards alone.

use super::{Dataset, Service};
use crate::kernel::budget::account::Account;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::budget::state::LedgerState;
use crate::service::publishing::statistics::{Face, Statistic};

/// What a given person may see of a statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing: to this person the statistic does not exist.
    Hidden,
    /// The statistic waits for a steward's confirmation, and the person is a steward.
    Waiting,
    /// The statistic may be drawn, but has no release yet.
    Nothing,
    /// The statistic shows a release, which this person may read.
    Shown {
        /// Version of what is shown: the number of the ledger entry that changed the statistic last.
        version: u64,
        /// Whether everybody may read it, without a token.
        is_public: bool,
    },
}

impl Service {
    /// The served datasets that a person may see, ordered by name.
    pub fn datasets_seen_by(&self, person: &Person) -> impl Iterator<Item = &Dataset> {
        self.datasets().filter(|dataset| self.may_see_dataset(person, dataset))
    }

    /// The served dataset of this name, if there is one that this person may see.
    #[must_use]
    pub fn dataset_seen_by(&self, person: &Person, name: &str) -> Option<&Dataset> {
        self.dataset(name).filter(|dataset| self.may_see_dataset(person, dataset))
    }

    fn may_see_dataset(&self, person: &Person, dataset: &Dataset) -> bool {
        read(self.ledger(), |book| match person.role {
            Role::Steward | Role::Viewer => book.sees(person, &dataset.lineage),
            Role::Researcher => book.researcher(&dataset.lineage, &person.name).is_some(),
        })
    }

    /// Whether a person may see the stored answer of this release.
    #[must_use]
    pub fn may_see_release(&self, person: &Person, release: &str) -> bool {
        read(self.ledger(), |book| {
            (person.role == Role::Steward && book.is_stored(release)) || book.was_served_to(&person.name, release)
        })
    }

    /// What a person may see of a statistic; `None` stands for somebody without a token.
    #[must_use]
    pub fn sight(&self, statistic: &Statistic, person: Option<&Person>) -> Sight {
        read(self.ledger(), |book| {
            let card = book.statistic(&statistic.name);
            let shown = card.and_then(|card| card.shown.as_ref()).filter(|shown| book.is_stored(&shown.release));
            let is_public = match shown {
                Some(shown) if !statistic.asks(&shown.key.body) => {
                    Face::earlier(shown.face.as_deref(), &statistic.name, &statistic.face).is_public
                }
                _ => statistic.face.is_public,
            };
            if !is_public && !person.is_some_and(|person| book.sees(person, &statistic.lineage)) {
                return Sight::Hidden;
            }
            match (card, shown) {
                (Some(card), Some(_)) => Sight::Shown { version: card.changed, is_public },
                (Some(card), None) if statistic.is_agreed(card) => Sight::Nothing,
                _ if person.is_some_and(|person| person.role == Role::Steward) => Sight::Waiting,
                _ => Sight::Hidden,
            }
        })
    }
}

/// Whether a researcher of this name may see an account.
pub(super) fn may_see_account(book: &LedgerState, account: &Account, name: &str) -> bool {
    match account.kind {
        AccountKind::Dataset | AccountKind::Statistics => false,
        AccountKind::Researcher => account.name == name,
        AccountKind::Project => {
            let branch = book.branch(&account.dataset, name);
            branch.and_then(|branch| branch.project) == Some(account.number)
        }
    }
}
