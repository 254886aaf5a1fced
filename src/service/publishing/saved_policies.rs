//! Policies that stewards are writing: texts saved under a name, and the text that each steward last worked on, so that nothing is lost when
//! they go away.
//!
//! A text belongs to one steward; nobody else sees it. Nothing is checked but its size, so that it can be saved before it is finished. A text
//! that was drafted from a file may hold values that were seen in it.

use std::sync::Arc;

use crate::kernel::budget::ledger::LedgerFault;
pub use crate::ledger::sqlite::policy_texts::{PolicyText, PolicyTextTable};
use crate::service::Service;

/// The largest number of texts that one steward can save.
pub const TEXTS_MAX: usize = 50;
/// The largest size of a text that is edited in the browser, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// The largest length of a name, in characters.
pub const NAME_CHARS_MAX: usize = 80;

/// Why a text was not saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicySavingFault {
    /// The server was started without a place for them.
    #[error("this server keeps no policies that are being written")]
    NoPlace,
    /// The name is empty, too long, or holds control characters.
    #[error("the name has no character, more than {NAME_CHARS_MAX}, or one that cannot be shown")]
    Name,
    /// The text is empty or too long.
    #[error("the policy has no character, or more than {TEXT_BYTES_MAX} bytes")]
    Size,
    /// The steward has as many texts as they can have.
    #[error("you have saved {TEXTS_MAX} policies, the most that are kept; delete one first")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
}

impl Service {
    /// Keeps the policies that stewards write in this table.
    #[must_use]
    pub fn keeping_policies(mut self, table: PolicyTextTable) -> Self {
        self.policy_texts = Some(Arc::new(table));
        self
    }

    /// Whether this server has a place for policies that are being written.
    #[must_use]
    pub fn keeps_policies(&self) -> bool {
        self.policy_texts.is_some()
    }

    /// The texts of a steward, ordered by name; the one they last worked on has no name and comes first. Blocks.
    ///
    /// # Errors
    /// [`LedgerFault`] if the store cannot be read.
    pub fn policy_texts(&self, person: &str) -> Result<Vec<PolicyText>, LedgerFault> {
        self.policy_texts.as_ref().map_or(Ok(Vec::new()), |table| table.of(person))
    }

    /// Saves a text of a steward, in place of the one with the same name. Blocks.
    ///
    /// # Errors
    /// [`PolicySavingFault`]; then nothing was changed.
    pub fn save_policy_text(&self, person: &str, text: &PolicyText) -> Result<(), PolicySavingFault> {
        if !(1..=NAME_CHARS_MAX).contains(&text.name.chars().count()) || text.name.chars().any(char::is_control) {
            return Err(PolicySavingFault::Name);
        }
        self.put(person, text)
    }

    /// Keeps the text that a steward works on, in place of the one before. Blocks.
    ///
    /// # Errors
    /// [`PolicySavingFault`]; then nothing was changed.
    pub fn keep_policy_text(&self, person: &str, text: &str, upload: &str) -> Result<(), PolicySavingFault> {
        let (name, text, upload) = (String::new(), text.to_owned(), upload.to_owned());
        self.put(person, &PolicyText { name, text, upload, at_ms: self.now_ms() })
    }

    fn put(&self, person: &str, text: &PolicyText) -> Result<(), PolicySavingFault> {
        let table = self.policy_texts.as_ref().ok_or(PolicySavingFault::NoPlace)?;
        if !(1..=TEXT_BYTES_MAX).contains(&text.text.len()) {
            return Err(PolicySavingFault::Size);
        }
        // The text that they work on is one more.
        if table.save(person, text, TEXTS_MAX + 1)? { Ok(()) } else { Err(PolicySavingFault::Full) }
    }

    /// Deletes a text of a steward. A name that is not there changes nothing. Blocks.
    ///
    /// # Errors
    /// [`PolicySavingFault`]; then nothing was changed.
    pub fn forget_policy_text(&self, person: &str, name: &str) -> Result<(), PolicySavingFault> {
        let table = self.policy_texts.as_ref().ok_or(PolicySavingFault::NoPlace)?;
        Ok(table.remove(person, name)?)
    }
}
