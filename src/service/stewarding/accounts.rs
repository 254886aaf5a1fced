//! Accounts as people see them: amounts as ε, next to the share of the account that they make up.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kernel::budget::account::{Account, AccountNo};
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::service::access::may_see_account;
pub use crate::service::views::{AccountView, Fraction, significant, timestamp};

/// An account with its kind, its holder and its dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamedAccount {
    /// The kind of account: `dataset`, `project`, `researcher` or `statistics`.
    #[schema(value_type = String)]
    pub kind: AccountKind,
    /// The name of its holder: the dataset, project or researcher.
    pub name: String,
    /// The dataset whose budget it is part of.
    pub dataset: String,
    /// The dataset's accountant, which says how losses add up: `gaussian` or `pure`.
    pub accountant: Cow<'static, str>,
    /// The δ of the dataset's guarantee, as decimal text.
    pub delta: String,
    /// The amounts of the account.
    #[serde(flatten)]
    pub account: AccountView,
    /// The project whose account is above a researcher's account; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// How many more answers at the last answer's price would fit now; absent before the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers_left: Option<u64>,
    /// Whether nothing more can be charged: the account was lowered below what is spent, or the dataset was frozen by incidents
    /// or by a steward.
    pub frozen: bool,
    /// The present period, if the allocation renews.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<PeriodView>,
    /// What was spent over all periods, if the allocation renews.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<LifetimeView>,
    /// Facts about a dataset that only stewards see.
    #[serde(flatten)]
    pub dataset_state: DatasetState,
}

/// The present period of an allocation that renews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PeriodView {
    /// Length of a period in days.
    pub days: u32,
    /// When the period began, in UTC, as RFC 3339 text.
    pub began: String,
    /// When the next period begins, in UTC, as RFC 3339 text.
    pub ends: String,
}

/// What was spent over all periods of an allocation that renews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LifetimeView {
    /// The total spent, as ε, rounded up.
    #[serde(deserialize_with = "crate::service::views::reported")]
    #[schema(value_type = String)]
    pub epsilon_spent: Epsilon,
}

/// Facts about a dataset that only stewards see. All fields are absent for other people, and for other kinds of accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DatasetState {
    /// The allocations directly below the dataset, added up, as the ε that they would be worth as a single allocation.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::service::views::reported_if_any"
    )]
    #[schema(value_type = Option<String>)]
    pub epsilon_allocated: Option<Epsilon>,
    /// Whether allocations may sum to more than the cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oversubscribe: Option<bool>,
    /// Number of failures after a charge that may depend on data, since a steward last looked; at three the dataset freezes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incidents: Option<u32>,
    /// Number of answers that were cut off by a kill, a power cut or a failing disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<u64>,
    /// What thresholds have taken of the δ that is set aside for them; absent if none is set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_delta_spent: Option<String>,
}

impl NamedAccount {
    /// The id of the account in lists, as `kind:dataset:name`.
    #[must_use]
    pub fn id(&self) -> String {
        id(self.kind, &self.dataset, &self.name)
    }
}

/// The accounts of one researcher and of their projects, or, if `of` is `None`, all accounts, for a steward.
#[must_use]
pub fn accounts(ledger: &dyn Ledger, of: Option<&str>, now_ms: u64) -> Vec<NamedAccount> {
    read(ledger, |book| {
        let datasets = book.datasets().map(|(name, _)| name);
        let all = datasets.flat_map(|dataset| book.accounts_of(dataset));
        let shown = all.filter(|account| of.is_none_or(|name| may_see_account(book, account, name)));
        shown.map(|account| named(book, account, of.is_none(), now_ms)).collect()
    })
}

/// Like [`accounts`], but one page: at most `limit` accounts after the one with the id `after` ([`NamedAccount::id`]). Only these
/// are computed. `None` if there is no account with that id among them.
#[must_use]
pub fn accounts_after(
    ledger: &dyn Ledger,
    of: Option<&str>,
    after: Option<&str>,
    limit: usize,
    now_ms: u64,
) -> Option<Vec<NamedAccount>> {
    read(ledger, |book| {
        let datasets = book.datasets().map(|(name, _)| name);
        let all = datasets.flat_map(|dataset| book.accounts_of(dataset));
        let mut shown = all.filter(|account| of.is_none_or(|name| may_see_account(book, account, name)));
        if let Some(after) = after {
            shown.find(|account| id(account.kind, &account.dataset, &shown_name(account)) == after)?;
        }
        Some(shown.take(limit).map(|account| named(book, account, of.is_none(), now_ms)).collect())
    })
}

/// A part of one dataset's accounts, for stewards.
#[derive(Debug, Clone)]
pub struct AccountPage {
    /// The dataset that the accounts spend from.
    pub dataset: String,
    /// On the first page the dataset's own account, that of statistics and projects; then researchers, by name; and their projects.
    pub accounts: Vec<NamedAccount>,
    /// Number of projects that are not shown.
    pub projects_hidden: usize,
    /// The researcher after whom the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// At most `limit` researchers' accounts of a dataset after the researcher `after`, whose names contain `find`. Only these are computed,
/// each by itself, so that the ledger's writer does not wait for a long list.
#[must_use]
pub fn account_page(
    ledger: &dyn Ledger,
    dataset: &str,
    (find, after): (&str, Option<&str>),
    limit: usize,
    now_ms: u64,
) -> AccountPage {
    let mut page = AccountPage { dataset: dataset.to_owned(), accounts: Vec::new(), projects_hidden: 0, next: None };
    let shown = read(ledger, |book| {
        let found = |account: &&Account| account.name.contains(find);
        let of = |kind| book.accounts_of(dataset).filter(move |account| account.kind == kind);
        let rest =
            of(AccountKind::Researcher).filter(|account| after.is_none_or(|after| account.name.as_str() > after));
        let mut researchers: Vec<_> = rest.filter(found).take(limit.saturating_add(1)).collect();
        if researchers.len() > limit {
            researchers.truncate(limit);
            page.next = researchers.last().map(|account| account.name.clone());
        }
        let above = researchers.iter().filter_map(|account| account.parent).map(|parent| book.account(parent));
        let above = above.filter(|account| account.kind == AccountKind::Project).map(|account| account.number);
        let mut shown: BTreeSet<AccountNo> = above.collect();
        if after.is_none() {
            let first = [AccountKind::Dataset, AccountKind::Statistics].into_iter().flat_map(of);
            shown.extend(first.map(|account| account.number));
            let mut projects = of(AccountKind::Project).filter(found).map(|account| account.number);
            shown.extend(projects.by_ref().take(limit));
            page.projects_hidden = projects.filter(|number| !shown.contains(number)).count();
        }
        shown.extend(researchers.iter().map(|account| account.number));
        shown
    });
    page.accounts =
        shown.into_iter().map(|number| read(ledger, |book| named(book, book.account(number), true, now_ms))).collect();
    page.accounts.sort_by(|one, other| one.name.cmp(&other.name));
    page
}

fn id(kind: AccountKind, dataset: &str, name: &str) -> String {
    format!("{}:{dataset}:{name}", kind.name())
}

/// One account of a dataset by its kind and name, if it exists.
#[must_use]
pub fn account(ledger: &dyn Ledger, dataset: &str, kind: AccountKind, name: &str, now_ms: u64) -> Option<NamedAccount> {
    read(ledger, |book| book.find(dataset, kind, name).map(|account| named(book, account, true, now_ms)))
}

fn named(book: &LedgerState, account: &Account, is_steward: bool, now_ms: u64) -> NamedAccount {
    let whole = book.dataset(&account.dataset);
    let accountant = whole.map_or(Accountant::Pure, |whole| whole.cap.accountant);
    let parent = account.parent.map(|parent| book.account(parent)).filter(|parent| parent.kind == AccountKind::Project);
    let shown = whole.filter(|_| is_steward && account.kind == AccountKind::Dataset);
    let allocated = |account| accountant.epsilon_within(book.shares_below(account, None, now_ms));
    let state = DatasetState {
        epsilon_allocated: shown.map(|whole| allocated(whole.account)),
        oversubscribe: shown.map(|whole| whole.oversubscribe),
        incidents: shown.map(|whole| whole.incidents),
        cut_off: shown.map(|whole| whole.cut_off),
        threshold_delta_spent: shown
            .filter(|whole| whole.cap.threshold_delta > Delta::ZERO)
            .map(|whole| whole.threshold_delta.to_string()),
    };
    let is_frozen = account.kind == AccountKind::Dataset && whole.is_some_and(|whole| whole.is_frozen());
    let answers_left = book.answers_left(account, now_ms);
    let view = AccountView::of(accountant, &book.mark(account, now_ms));
    NamedAccount {
        kind: account.kind,
        name: shown_name(account),
        dataset: account.dataset.clone(),
        accountant: accountant.name().into(),
        delta: whole.map_or(accountant.delta(), |whole| whole.cap.delta()).to_string(),
        account: AccountView { like_this_remaining: answers_left, ..view },
        project: parent.map(|parent| parent.name.clone()),
        answers_left,
        frozen: is_frozen || account.amount < account.spent_at(now_ms),
        period: account.renewal.map(|renewal| {
            let (began, ends) = renewal.bounds_ms(now_ms);
            PeriodView { days: renewal.days, began: timestamp(began), ends: timestamp(ends) }
        }),
        lifetime: account.renewal.map(|_| LifetimeView { epsilon_spent: accountant.epsilon_spent(account.spent) }),
        dataset_state: state,
    }
}

/// The name that people see. The statistics account's internal name, which no person can have, is replaced.
fn shown_name(account: &Account) -> String {
    match account.kind {
        AccountKind::Statistics => account.kind.name().to_owned(),
        AccountKind::Dataset | AccountKind::Project | AccountKind::Researcher => account.name.clone(),
    }
}
