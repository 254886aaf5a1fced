//! Accounts as people see them.

use serde::Serialize;

use crate::budget::entry::AccountMark;
use crate::budget::ledger::{Ledger, read};
use crate::privacy::accountant::Accountant;
use crate::privacy::units::{Epsilon, Price};

/// An account in ε, as decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountView {
    /// The ε of the cap or the allocation.
    pub epsilon_cap: String,
    /// What was spent, as ε, rounded up.
    pub epsilon_spent: String,
    /// The largest ε that could still be charged at once.
    pub epsilon_remaining: String,
    /// Spent / cap in the accountant's own unit.
    pub fraction_spent: String,
}

/// An account with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NamedAccount {
    /// `dataset` or `researcher`.
    pub kind: &'static str,
    /// Whose.
    pub name: String,
    /// Of which dataset.
    pub dataset: String,
    /// How losses add up.
    pub accountant: &'static str,
    /// The δ of the dataset's guarantee.
    pub delta: String,
    /// The amounts.
    #[serde(flatten)]
    pub account: AccountView,
}

impl AccountView {
    /// A view of a researcher's account.
    #[must_use]
    pub fn of(accountant: Accountant, mark: &AccountMark) -> Self {
        Self::of_amounts(accountant, mark.epsilon, mark.amount, mark.spent)
    }

    fn of_amounts(accountant: Accountant, epsilon: Epsilon, amount: Price, spent: Price) -> Self {
        Self {
            epsilon_cap: epsilon.to_string(),
            epsilon_spent: accountant.epsilon_spent(spent).to_string(),
            epsilon_remaining: accountant.epsilon_within(amount.left_after(spent)).to_string(),
            fraction_spent: fraction(spent, amount),
        }
    }
}

/// spent / amount with twelve significant digits; "1" of nothing.
fn fraction(spent: Price, amount: Price) -> String {
    match (spent.units(), amount.units()) {
        (0, 1..) => "0".to_owned(),
        (_, 0) => "1".to_owned(),
        (spent, amount) => significant(spent as f64 / amount as f64, 12),
    }
}

/// A positive number as a plain decimal with `digits` significant digits, without trailing zeros.
#[must_use]
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let decimals = (digits - 1 - value.abs().log10().floor() as i32).clamp(0, 40) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Accounts of one researcher, or all of them for a steward.
#[must_use]
pub fn accounts(ledger: &dyn Ledger, of: Option<&str>) -> Vec<NamedAccount> {
    read(ledger, |book| {
        let mut accounts = Vec::new();
        for (dataset, whole) in book.datasets() {
            let accountant = whole.cap.accountant;
            let named = |kind, name: &str, account| NamedAccount {
                kind,
                name: name.to_owned(),
                dataset: dataset.clone(),
                accountant: accountant.name(),
                delta: accountant.delta().to_string(),
                account,
            };
            if of.is_none() {
                let view = AccountView::of_amounts(accountant, whole.cap.epsilon, whole.cap.amount, whole.spent);
                accounts.push(named("dataset", dataset, view));
            }
            for ((_, researcher), account) in book.researchers_of(dataset) {
                if of.is_none_or(|name| name == researcher) {
                    accounts.push(named("researcher", researcher, AccountView::of(accountant, &account.mark())));
                }
            }
        }
        accounts
    })
}
