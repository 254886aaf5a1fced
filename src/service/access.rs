//! Visibility of statistics: who may see which.
//!
//! All doors and formats follow one rule. Public statistics are for everybody. Other statistics are for stewards and for people
//! who may see the dataset. Statistics that no steward has agreed to draw are for stewards alone. To everybody else a hidden
//! statistic looks as if it did not exist.

use super::Service;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
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
    /// What a person may see of a statistic; `None` stands for somebody without a token.
    #[must_use]
    pub fn sight(&self, statistic: &Statistic, person: Option<&Person>) -> Sight {
        read(self.ledger(), |book| {
            let card = book.statistic(&statistic.name);
            let shown = card.and_then(|card| card.shown.as_ref()).filter(|shown| book.is_stored(&shown.release));
            let is_public = match shown {
                Some(shown) if !statistic.asks(&shown.key.body) => {
                    Face::earlier(shown.face.as_deref(), statistic).is_public
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
