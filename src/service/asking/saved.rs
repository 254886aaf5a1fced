//! Saved questions: a researcher gives a question a name, to ask it again later.
//!
//! A saved question belongs to one person; nobody else sees it, stewards neither. Nothing is checked but its size, so that a question can be
//! saved before it is finished. Saving costs nothing and asks nothing.

use std::sync::Arc;

use crate::kernel::budget::ledger::LedgerFault;
pub use crate::ledger::sqlite::questions::{QuestionTable, SavedQuestion};
use crate::query::parse::TEXT_BYTES_MAX;
use crate::service::Service;

/// The largest number of questions that one person can save.
pub const QUESTIONS_MAX: usize = 200;
/// The largest length of a name, in characters.
pub const NAME_CHARS_MAX: usize = 80;
/// The largest length of the accuracy and of the purpose, in bytes.
const FIELD_BYTES_MAX: usize = 2_000;

/// Why a question was not saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SavingFault {
    /// The server was started without a place for them.
    #[error("this server keeps no questions")]
    NoPlace,
    /// The name is empty, too long, or holds control characters.
    #[error("the name has no character, more than {NAME_CHARS_MAX}, or one that cannot be shown")]
    Name,
    /// The question or another field is too long.
    #[error("the question has no character, or more than {TEXT_BYTES_MAX} bytes")]
    Size,
    /// The person has as many saved questions as they can have.
    #[error("you have {QUESTIONS_MAX} saved questions, the most that are kept; delete one first")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Service {
    /// Keeps saved questions in this table.
    #[must_use]
    pub fn keeping(mut self, questions: QuestionTable) -> Self {
        self.questions = Some(Arc::new(questions));
        self
    }

    /// Whether this server has a place for saved questions.
    #[must_use]
    pub fn keeps_questions(&self) -> bool {
        self.questions.is_some()
    }

    /// The saved questions of a person, ordered by name. Blocks.
    ///
    /// # Errors
    /// [`LedgerFault`] if the store cannot be read.
    pub fn saved_questions(&self, person: &str) -> Result<Vec<SavedQuestion>, LedgerFault> {
        self.questions.as_ref().map_or(Ok(Vec::new()), |table| table.of(person))
    }

    /// Saves a question of a person, in place of the one with the same name. Blocks.
    ///
    /// # Errors
    /// [`SavingFault`]; then nothing was changed.
    pub fn save_question(&self, person: &str, question: &SavedQuestion) -> Result<(), SavingFault> {
        let SavedQuestion { name, sql, accuracy, purpose, .. } = question;
        let table = self.questions.as_ref().ok_or(SavingFault::NoPlace)?;
        if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(SavingFault::Name);
        }
        let is_short = [accuracy, purpose].iter().all(|text| text.len() <= FIELD_BYTES_MAX);
        if !(1..=TEXT_BYTES_MAX).contains(&sql.len()) || !is_short {
            return Err(SavingFault::Size);
        }
        if table.save(person, question, QUESTIONS_MAX)? { Ok(()) } else { Err(SavingFault::Full) }
    }

    /// Deletes a saved question of a person. A name that is not there changes nothing. Blocks.
    ///
    /// # Errors
    /// [`SavingFault`]; then nothing was changed.
    pub fn forget_question(&self, person: &str, name: &str) -> Result<(), SavingFault> {
        let table = self.questions.as_ref().ok_or(SavingFault::NoPlace)?;
        Ok(table.remove(person, name)?)
    }
}
