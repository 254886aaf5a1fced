//! The last month: what was asked on each account, and how often as much again would fit.

use crate::kernel::budget::account::Account;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Price;
use crate::service::views::Fraction;

/// Number of days in a month, today included.
pub const MONTH_DAYS: u64 = 30;

/// What was asked on one account in the last month.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthView {
    /// The kind of account.
    pub kind: AccountKind,
    /// Name of its holder.
    pub name: String,
    /// Number of answers that were charged or served for a price.
    pub questions: u64,
    /// What was paid for them.
    pub paid: Price,
    /// What was paid, as part of the account's present amount.
    pub of_account: Fraction,
    /// How many further months like this one would fit into what is left; `None` if nothing was paid.
    pub months_left: Option<u64>,
}

/// What was asked on one account in the last month; `None` if that is nothing.
#[must_use]
pub fn month_of(ledger: &dyn Ledger, dataset: &str, kind: AccountKind, name: &str, now_ms: u64) -> Option<MonthView> {
    read(ledger, |book| book.find(dataset, kind, name).and_then(|account| view(book, account, now_ms)))
}

fn view(book: &LedgerState, account: &Account, now_ms: u64) -> Option<MonthView> {
    let used = book.recent_use(account.number, MONTH_DAYS, now_ms);
    let left = book.mark(account, now_ms).left;
    (used.questions > 0).then(|| MonthView {
        kind: account.kind,
        name: account.name.clone(),
        questions: used.questions,
        paid: used.paid,
        of_account: Fraction::of(used.paid, account.amount),
        months_left: left.quanta().checked_div(used.paid.quanta()),
    })
}

/// The accounts of a dataset on which something was asked in the last month: the dataset's own first, then those of which the largest part
/// was paid.
#[must_use]
pub fn month(ledger: &dyn Ledger, dataset: &str, now_ms: u64) -> Vec<MonthView> {
    let mut views: Vec<MonthView> =
        read(ledger, |book| book.accounts_of(dataset).filter_map(|account| view(book, account, now_ms)).collect());
    let rank = |view: &MonthView| (view.kind != AccountKind::Dataset, std::cmp::Reverse(view.paid));
    views.sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.name.cmp(&other.name)));
    views
}
