//! Grants, which set who may spend how much of a dataset's budget, and freezes.
//!
//! Allocations below an account sum to at most its amount, unless the policy says `oversubscribe`. A lifetime cap rises only by
//! an explicit act with a reason, and never falls.

use crate::kernel::budget::account::{Account, AccountNo};
use crate::kernel::budget::entry::{AccountKind, Act, Entry};
use crate::kernel::budget::ledger::Ledger;
use crate::kernel::budget::people::{Role, STATISTICS, is_name};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::query::error::shown;
use crate::service::ServiceError;

/// Largest number of characters in a reason.
pub const REASON_CHARS_MAX: usize = 500;
/// Largest number of days in a period: ten years.
pub const PERIOD_DAYS_MAX: u32 = 3_660;

/// The holder of the account that a grant sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A researcher's account, below a project's account if one is named.
    Researcher {
        /// The researcher's name.
        name: String,
        /// The project; `None` leaves an existing account where it is, and puts a new one directly below the dataset's.
        project: Option<String>,
        /// Days after which the allocation renews; `None` if it is for life.
        period_days: Option<u32>,
    },
    /// A project's account, for life.
    Project {
        /// The project's name.
        name: String,
    },
    /// The dataset's own account: this raises its lifetime cap.
    Dataset,
    /// The account that published statistics spend from.
    Statistics {
        /// Days after which the allocation renews; `None` if it is for life.
        period_days: Option<u32>,
    },
}

impl Holder {
    /// A researcher's account directly below the dataset's, for life.
    #[must_use]
    pub fn researcher(name: &str) -> Self {
        Self::Researcher { name: name.to_owned(), project: None, period_days: None }
    }
}

/// A grant as a steward asks for it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The holder of the account that is set.
    pub to: Holder,
    /// The dataset's name.
    pub dataset: String,
    /// The new total of the account, as ε; it replaces the earlier total.
    pub epsilon: Epsilon,
    /// Why the steward grants it; stands in the ledger.
    pub reason: String,
    /// The name of the steward who grants it.
    pub by: String,
}

/// Sets an allocation, or raises a lifetime cap.
///
/// # Errors
/// [`ServiceError::Invalid`] if the allocation does not fit or its holder does not exist; [`ServiceError::UnknownDataset`].
pub fn grant(ledger: &dyn Ledger, grant: Grant, now_ms: u64) -> Result<Entry, ServiceError> {
    check_reason(&grant.reason)?;
    let accountant = crate::kernel::budget::ledger::read(ledger, |book| {
        book.dataset(&grant.dataset).map(|whole| (whole.cap.accountant, book.account(whole.account).epsilon))
    });
    let (accountant, cap) = accountant.ok_or_else(|| ServiceError::UnknownDataset(shown(&grant.dataset)))?;
    // This conversion takes milliseconds, so it is done outside of the ledger's writer. A grant of the whole cap takes the cap's
    // exact amount inside the writer.
    let amount = if grant.epsilon == cap { None } else { Some(accountant.cap(grant.epsilon)) };
    let rule = Box::new(move |book: &LedgerState| Room { book, accountant, grant: &grant, now_ms }.act(amount));
    ledger.act(rule, now_ms)?.map_err(ServiceError::Invalid)
}

pub(crate) fn check_reason(reason: &str) -> Result<(), ServiceError> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(ServiceError::Invalid(format!("a reason has 1 to {REASON_CHARS_MAX} characters")));
    }
    Ok(())
}

/// The act of one grant, against the given state of the ledger. `amount` is the price equivalent of its ε; `None` stands for the
/// dataset's whole cap.
pub(crate) fn act_of(
    book: &LedgerState,
    accountant: Accountant,
    grant: &Grant,
    amount: Option<Price>,
    now_ms: u64,
) -> Result<Act, String> {
    Room { book, accountant, grant, now_ms }.act(amount)
}

/// One grant, checked against the given state of the ledger.
struct Room<'a> {
    book: &'a LedgerState,
    accountant: Accountant,
    grant: &'a Grant,
    now_ms: u64,
}

impl Room<'_> {
    /// The act of the grant; `amount` is `None` if the dataset's whole cap is meant.
    fn act(&self, amount: Option<Price>) -> Result<Act, String> {
        let whole = self.book.dataset(&self.grant.dataset).ok_or("there is no such dataset")?;
        let root = whole.account;
        let now = self.book.account(root);
        let whole_cap = (now.epsilon == self.grant.epsilon).then_some(now.amount);
        let amount = amount.or(whole_cap).ok_or("the lifetime cap was raised meanwhile; grant again")?;
        match &self.grant.to {
            Holder::Dataset => self.raise(root, amount),
            Holder::Project { name } => self.to_project(name, root, amount),
            Holder::Statistics { period_days } => self.to_statistics(root, *period_days, amount),
            Holder::Researcher { name, project, period_days } => {
                self.to_researcher(name, project.as_deref(), *period_days, amount)
            }
        }
    }

    fn raise(&self, root: AccountNo, amount: Price) -> Result<Act, String> {
        let now = self.book.account(root);
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        if amount <= now.amount {
            let cap = now.epsilon;
            return Err(format!("the lifetime cap is epsilon {cap} and only rises; epsilon {epsilon} is not above it"));
        }
        Ok(Act::CapRaised { dataset, epsilon, amount, reason, by })
    }

    fn to_project(&self, project: &str, root: AccountNo, amount: Price) -> Result<Act, String> {
        if !is_name(project) {
            return Err(format!("\"{}\" is not a valid project name", shown(project)));
        }
        let now = self.book.find(&self.grant.dataset, AccountKind::Project, project);
        let is_lowered = now.is_some_and(|account| amount <= account.amount);
        self.check_room(root, now, Price::ZERO, amount, is_lowered)?;
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::ProjectGranted { project: project.to_owned(), dataset, epsilon, amount, reason, by })
    }

    fn to_statistics(&self, root: AccountNo, period_days: Option<u32>, amount: Price) -> Result<Act, String> {
        let now = self.book.find(&self.grant.dataset, AccountKind::Statistics, STATISTICS);
        let (before, is_lowered) = self.renewed(now, period_days, amount)?;
        self.check_room(root, now, before, amount, is_lowered)?;
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::StatisticsGranted { dataset, epsilon, amount, period_days, reason, by })
    }

    /// Returns what earlier periods took of a renewing allocation, and whether the grant only lowers the allocation. A period
    /// that begins with this grant does not count what the account spent before; the accounts above it still do.
    fn renewed(&self, now: Option<&Account>, period_days: Option<u32>, amount: Price) -> Result<(Price, bool), String> {
        if period_days.is_some_and(|days| !(1..=PERIOD_DAYS_MAX).contains(&days)) {
            return Err(format!("period_days is {}; accepted is 1 to {PERIOD_DAYS_MAX}", period_days.unwrap_or(0)));
        }
        let days_now = now.and_then(|account| account.renewal).map(|renewal| renewal.days);
        let before = match (now, period_days) {
            (Some(account), Some(_)) if days_now == period_days => account.spent_before(self.now_ms),
            (Some(account), Some(_)) => account.spent,
            (Some(_) | None, _) => Price::ZERO,
        };
        Ok((before, days_now == period_days && now.is_some_and(|account| amount <= account.amount)))
    }

    fn to_researcher(
        &self,
        name: &str,
        project: Option<&str>,
        period_days: Option<u32>,
        amount: Price,
    ) -> Result<Act, String> {
        match self.book.person(name) {
            Some((Role::Researcher, _)) => {}
            Some((role, _)) => return Err(format!("\"{name}\" is a {role}; only researchers hold accounts")),
            None => return Err(format!("there is no researcher \"{}\"", shown(name))),
        }
        let now = self.book.find(&self.grant.dataset, AccountKind::Researcher, name);
        let parent = self.parent(name, project, now)?;
        let (before, is_lowered) = self.renewed(now, period_days, amount)?;
        self.check_room(parent, now, before, amount, is_lowered)?;
        let above = self.book.account(parent);
        let project = (above.kind == AccountKind::Project).then(|| above.name.clone());
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::Granted { researcher: name.to_owned(), dataset, project, epsilon, amount, period_days, reason, by })
    }

    /// The parent of a researcher's account. It never changes, because what was spent was spent there.
    fn parent(&self, name: &str, project: Option<&str>, now: Option<&Account>) -> Result<AccountNo, String> {
        let wanted = match project {
            None => None,
            Some(project) => {
                let found = self.book.find(&self.grant.dataset, AccountKind::Project, project);
                Some(
                    found
                        .ok_or_else(|| format!("the dataset has no project \"{}\"; grant it first", shown(project)))?,
                )
            }
        };
        let held = now.and_then(|account| account.parent).map(|parent| self.book.account(parent));
        match (wanted, held) {
            (Some(wanted), Some(held)) if !std::ptr::eq(wanted, held) => {
                let held = if held.kind == AccountKind::Project { &held.name } else { "the dataset itself" };
                Err(format!("\"{name}\" holds an account below {held} already; what it spent was spent there"))
            }
            (Some(wanted), _) => self.number(AccountKind::Project, &wanted.name),
            (None, Some(_)) => {
                now.and_then(|account| account.parent).ok_or_else(|| "the account has no parent".to_owned())
            }
            (None, None) => self.number(AccountKind::Dataset, &self.grant.dataset),
        }
    }

    fn number(&self, kind: AccountKind, name: &str) -> Result<AccountNo, String> {
        self.book.number_of(&self.grant.dataset, kind, name).ok_or_else(|| "there is no such account".to_owned())
    }

    /// Checks that an allocation fits. Lowering always fits. Otherwise the allocations below an account sum to at most its
    /// amount; if the policy oversubscribes, each allocation only has to fit by itself. `before` is what earlier periods took.
    fn check_room(
        &self,
        parent: AccountNo,
        now: Option<&Account>,
        before: Price,
        amount: Price,
        is_lowered: bool,
    ) -> Result<(), String> {
        if is_lowered {
            return Ok(());
        }
        let above = self.book.account(parent);
        let oversubscribe = self.book.dataset(&self.grant.dataset).is_some_and(|whole| whole.oversubscribe);
        let own = now.and_then(|account| self.book.number_of(&account.dataset, account.kind, &account.name));
        let taken = if oversubscribe { Price::ZERO } else { self.book.shares_below(parent, own, self.now_ms) };
        let free = above.amount.left_after(taken.saturating_add(before));
        if amount <= free {
            return Ok(());
        }
        let fits = self.accountant.epsilon_within(free);
        let whose = match above.kind {
            AccountKind::Dataset => "the dataset's cap".to_owned(),
            AccountKind::Project | AccountKind::Researcher | AccountKind::Statistics => {
                format!("project \"{}\"'s allocation", above.name)
            }
        };
        let hint = if oversubscribe { "" } else { " (unless the policy says oversubscribe = true)" };
        Err(format!(
            "an allocation of epsilon {} does not fit: allocations sum to at most {whose} of {}{hint}; \
             the largest that fits is {fits}",
            self.grant.epsilon, above.epsilon
        ))
    }
}

/// Freezes a dataset, so that nothing is drawn from it, or unfreezes it after its steward has looked into the reason.
///
/// # Errors
/// [`ServiceError::UnknownDataset`]; [`ServiceError::Invalid`] if the dataset is in that state already.
pub fn set_frozen(
    ledger: &dyn Ledger,
    dataset: &str,
    is_frozen: bool,
    (reason, by): (&str, &str),
    now_ms: u64,
) -> Result<Entry, ServiceError> {
    check_reason(reason)?;
    if crate::kernel::budget::ledger::read(ledger, |book| book.dataset(dataset).is_none()) {
        return Err(ServiceError::UnknownDataset(shown(dataset)));
    }
    let (dataset, reason, by) = (dataset.to_owned(), reason.to_owned(), by.to_owned());
    let rule = Box::new(move |book: &LedgerState| {
        let whole = book.dataset(&dataset).ok_or("there is no such dataset")?;
        match (is_frozen, whole.is_frozen()) {
            (true, true) => Err(format!("\"{dataset}\" is frozen already")),
            (false, false) if whole.incidents == 0 => Err(format!("\"{dataset}\" is not frozen")),
            (true, false) => Ok(Act::Frozen { dataset, reason, by }),
            (false, _) => Ok(Act::Unfrozen { dataset, reason, by }),
        }
    });
    ledger.act(rule, now_ms)?.map_err(ServiceError::Invalid)
}
