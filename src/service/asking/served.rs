//! Answers as they were served to a person: in the words of their own question, with what it cost them then.
//!
//! Promises that one entry of the ledger always gives the same answer, whoever drew what it shows and whatever was asked since.

use std::sync::Arc;

use super::answer::Answer;
use super::rooms::{Rendering, Reservation};
use super::stored::StoredQuestion;
use crate::kernel::budget::charge::Standing;
use crate::kernel::budget::entry::{Act, Entry, KeyUse};
use crate::kernel::budget::ledger::read;
use crate::service::{Service, ServiceError};

/// How one entry of the ledger served an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedAnswer {
    /// Name of the person to whom it was served.
    pub who: String,
    /// Time of the entry, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The question of this person as canonical SQL; `None` in entries of older versions, which kept it only under an idempotency key.
    pub sql: Option<String>,
    /// The answer's release, what it cost, and the account after it.
    pub standing: Standing,
}

impl ServedAnswer {
    /// What an entry says of the answer that it served; `None` if it served none.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let (at_ms, sql) = (entry.at_ms, question_of(&entry.act));
        if let Some(charge) = entry.act.charge() {
            let (release, account, legs) = (charge.release.clone(), charge.account, charge.legs);
            let standing = Standing { release, account, legs, replayed: charge.drawn.is_empty(), question: None };
            return Some(Self { who: charge.researcher.clone(), at_ms, sql, standing });
        }
        let served = entry.act.serving()?;
        let (release, account, legs) = (served.release.clone(), served.account, served.legs);
        let standing = Standing { release, account, legs, replayed: true, question: served.question.clone() };
        Some(Self { who: served.researcher.clone(), at_ms, sql, standing })
    }
}

/// The question that an act answers, as canonical SQL in the words of its asker. `None` if it answers none or does not say which.
#[must_use]
pub fn question_of(act: &Act) -> Option<String> {
    if let Some(charge) = act.charge() {
        return Some(charge.sql.clone());
    }
    let text = act.serving()?.question.as_deref()?;
    StoredQuestion::decode(text).map(|question| question.sql)
}

impl Service {
    /// What entry number `seq` served to a person; `None` if it served them nothing. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if the store cannot be read.
    pub fn served_by(&self, who: &str, seq: u64) -> Result<Option<ServedAnswer>, ServiceError> {
        if seq > read(self.ledger(), |book| book.head().0) {
            return Ok(None);
        }
        let entries = self.ledger().entries(seq.saturating_sub(1), 1)?;
        let entry = entries.first().filter(|entry| entry.seq == seq);
        Ok(entry.and_then(ServedAnswer::of).filter(|served| served.who == who))
    }

    /// Number of the entry that answered a person under an idempotency key.
    #[must_use]
    pub fn entry_under(&self, who: &str, key: &KeyUse) -> Option<u64> {
        read(self.ledger(), |book| book.entry_under(who, key))
    }

    /// An answer as it was served before, with the memory for rendering it. The caller must have checked that the person may see it.
    ///
    /// # Errors
    /// The errors of [`Service::stored_in_room`].
    pub async fn served_again(
        self: &Arc<Self>,
        served: ServedAnswer,
        rendering: Rendering,
    ) -> Result<(Answer, Reservation), ServiceError> {
        Arc::clone(self).known_by_key(&served.who, Ok(served.standing), rendering).await
    }
}
