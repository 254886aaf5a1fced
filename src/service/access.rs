//! Who sees which statistic.
//!
//! Promises one rule for every door and every form: what is public is for everybody, what is not is for stewards and for people who see
//! its dataset, and what nobody has agreed to draw is for stewards alone. To everybody else a statistic is as if it were not there.

use super::Service;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::service::publishing::statistics::{Face, Statistic};

/// What somebody gets of a statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It is not there, as far as they are told.
    Hidden,
    /// It waits for a steward, who is looking.
    Waiting,
    /// It may be drawn, and there is no release yet.
    Nothing,
    /// A release.
    Shown {
        /// Which of its states it is in: the entry that changed it last.
        version: u64,
        /// Whether everybody gets it.
        is_public: bool,
    },
}

impl Service {
    /// What a person, or somebody without a token, gets of a statistic.
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
