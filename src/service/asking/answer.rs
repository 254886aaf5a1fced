//! An answer as its asker gets it: a stored release in the layout of their question, and their account after it.

use std::sync::Arc;

use super::stored::StoredAnswer;
use crate::kernel::budget::charge::Standing;
use crate::kernel::privacy::amounts::Price;
use crate::query::answer::Layout;
use crate::service::shares::AccountShare;
use crate::service::views::AccountView;

/// An answer: the stored release, this question's layout of it, and the account next to it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The stored answer that is shown.
    pub stored: Arc<StoredAnswer>,
    /// How this question lays out the stored answer: keys, outputs, order and limit.
    pub layout: Layout,
    /// This question's canonical SQL.
    pub sql: String,
    /// The account after the answer, what was charged, and whether this is a replay.
    pub standing: Standing,
}

impl Answer {
    /// What the researcher paid for it, as ε; "0" for an answer they had before.
    #[must_use]
    pub fn epsilon(&self) -> String {
        self.stored.epsilon_of(self.standing.legs.researcher)
    }

    /// The share of their account that the researcher paid for it.
    #[must_use]
    pub fn fraction(&self) -> AccountShare {
        let (account, paid) = (&self.standing.account, self.standing.legs.researcher);
        let before = Price::from_quanta(account.spent.quanta().saturating_sub(paid.quanta()));
        AccountShare::taken(paid, before, account.amount)
    }

    /// The researcher's account after the answer, with the number of others like it that would fit, unless it cost nothing.
    #[must_use]
    pub fn account(&self) -> AccountView {
        let account = &self.standing.account;
        AccountView::of(self.stored.accountant, account).counting(account, self.standing.legs.researcher)
    }
}
