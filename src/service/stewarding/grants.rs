//! Grants, which set who may spend how much of a dataset's budget, and freezes.
//!
//! Allocations below an account sum to at most its amount, unless the policy says `oversubscribe`. A lifetime cap rises only by
//! an explicit act with a reason, and never falls.

use crate::kernel::budget::account::{Account, AccountNo};
use crate::kernel::budget::entry::{AccountKind, Act, Entry};
use crate::kernel::budget::ledger::{Ledger, act, read};
use crate::kernel::budget::people::{Role, STATISTICS, is_name};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::query::error::shown;
use crate::service::ServiceError;
use crate::service::stewarding::fault::{GrantFault, PERIOD_DAYS_MAX, REASON_CHARS_MAX, StewardFault};

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
    let (accountant, amount) = amount_of(ledger, &grant.dataset, grant.epsilon)?;
    let rule = move |book: &LedgerState| act_of(book, accountant, &grant, amount, now_ms);
    Ok(act(ledger, rule, now_ms)?.map_err(StewardFault::from)?)
}

/// The dataset's accountant, and the price equivalent of an ε of it; `None` stands for the dataset's whole cap, whose exact amount
/// is known only inside the ledger's writer. The conversion takes milliseconds, so it is done outside of the writer.
///
/// # Errors
/// [`ServiceError::UnknownDataset`].
pub(super) fn amount_of(
    ledger: &dyn Ledger,
    dataset: &str,
    epsilon: Epsilon,
) -> Result<(Accountant, Option<Price>), ServiceError> {
    let known = read(ledger, |book| {
        book.dataset(dataset).map(|whole| (whole.cap.accountant, book.account(whole.account).epsilon))
    });
    let (accountant, cap) = known.ok_or_else(|| ServiceError::UnknownDataset(shown(dataset)))?;
    let amount = if epsilon == cap { None } else { Some(accountant.cap(epsilon)) };
    Ok((accountant, amount))
}

pub(super) fn check_reason(reason: &str) -> Result<(), StewardFault> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(StewardFault::Reason);
    }
    Ok(())
}

/// The act of one grant, against the given state of the ledger. `amount` is the price equivalent of its ε; `None` stands for the
/// dataset's whole cap.
pub(super) fn act_of(
    book: &LedgerState,
    accountant: Accountant,
    grant: &Grant,
    amount: Option<Price>,
    now_ms: u64,
) -> Result<Act, GrantFault> {
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
    fn act(&self, amount: Option<Price>) -> Result<Act, GrantFault> {
        let whole = self.book.dataset(&self.grant.dataset).ok_or(GrantFault::UnknownDataset)?;
        let root = whole.account;
        let now = self.book.account(root);
        let whole_cap = (now.epsilon == self.grant.epsilon).then_some(now.amount);
        let amount = amount.or(whole_cap).ok_or(GrantFault::CapRaised)?;
        match &self.grant.to {
            Holder::Dataset => self.raise(root, amount),
            Holder::Project { name } => self.to_project(name, root, amount),
            Holder::Statistics { period_days } => self.to_statistics(root, *period_days, amount),
            Holder::Researcher { name, project, period_days } => {
                self.to_researcher(name, project.as_deref(), *period_days, amount)
            }
        }
    }

    fn raise(&self, root: AccountNo, amount: Price) -> Result<Act, GrantFault> {
        let now = self.book.account(root);
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        if amount <= now.amount {
            return Err(GrantFault::CapNotRaised { cap: now.epsilon, epsilon });
        }
        Ok(Act::CapRaised { dataset, epsilon, amount, reason, by })
    }

    fn to_project(&self, project: &str, root: AccountNo, amount: Price) -> Result<Act, GrantFault> {
        if !is_name(project) {
            return Err(GrantFault::ProjectName { project: project.to_owned() });
        }
        let now = self.book.find(&self.grant.dataset, AccountKind::Project, project);
        let is_lowered = now.is_some_and(|account| amount <= account.amount);
        self.check_room(root, now, Price::ZERO, amount, is_lowered)?;
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::ProjectGranted { project: project.to_owned(), dataset, epsilon, amount, reason, by })
    }

    fn to_statistics(&self, root: AccountNo, period_days: Option<u32>, amount: Price) -> Result<Act, GrantFault> {
        let now = self.book.find(&self.grant.dataset, AccountKind::Statistics, STATISTICS);
        let (before, is_lowered) = self.renewed(now, period_days, amount)?;
        self.check_room(root, now, before, amount, is_lowered)?;
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::StatisticsGranted { dataset, epsilon, amount, period_days, reason, by })
    }

    /// Returns what earlier periods took of a renewing allocation, and whether the grant only lowers the allocation. A period
    /// that begins with this grant does not count what the account spent before; the accounts above it still do.
    fn renewed(
        &self,
        now: Option<&Account>,
        period_days: Option<u32>,
        amount: Price,
    ) -> Result<(Price, bool), GrantFault> {
        if let Some(days) = period_days.filter(|days| !(1..=PERIOD_DAYS_MAX).contains(days)) {
            return Err(GrantFault::Period { days });
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
    ) -> Result<Act, GrantFault> {
        match self.book.person(name) {
            Some((Role::Researcher, _)) => {}
            Some((role, _)) => return Err(GrantFault::NotResearcher { name: name.to_owned(), role }),
            None => return Err(GrantFault::UnknownResearcher { name: name.to_owned() }),
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
    fn parent(&self, name: &str, project: Option<&str>, now: Option<&Account>) -> Result<AccountNo, GrantFault> {
        let wanted = match project {
            None => None,
            Some(project) => {
                let unknown = || GrantFault::UnknownProject { project: project.to_owned() };
                Some(self.book.find(&self.grant.dataset, AccountKind::Project, project).ok_or_else(unknown)?.number)
            }
        };
        match (wanted, now.and_then(|account| account.parent)) {
            (Some(wanted), Some(held)) if wanted != held => {
                let held = self.book.account(held);
                let project = (held.kind == AccountKind::Project).then(|| held.name.clone());
                Err(GrantFault::OtherParent { name: name.to_owned(), project })
            }
            (Some(number), _) | (None, Some(number)) => Ok(number),
            (None, None) => {
                let root = self.book.number_of(&self.grant.dataset, AccountKind::Dataset, &self.grant.dataset);
                root.ok_or(GrantFault::UnknownAccount)
            }
        }
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
    ) -> Result<(), GrantFault> {
        if is_lowered {
            return Ok(());
        }
        let above = self.book.account(parent);
        let oversubscribe = self.book.dataset(&self.grant.dataset).is_some_and(|whole| whole.oversubscribe);
        let own = now.map(|account| account.number);
        let taken = if oversubscribe { Price::ZERO } else { self.book.shares_below(parent, own, self.now_ms) };
        let free = above.amount.left_after(taken.saturating_add(before));
        if amount <= free {
            return Ok(());
        }
        Err(GrantFault::NoRoom {
            epsilon: self.grant.epsilon,
            of: (above.kind, above.name.clone()),
            above: above.epsilon,
            oversubscribe,
            largest: self.accountant.epsilon_within(free),
        })
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
    if read(ledger, |book| book.dataset(dataset).is_none()) {
        return Err(ServiceError::UnknownDataset(shown(dataset)));
    }
    let (dataset, reason, by) = (dataset.to_owned(), reason.to_owned(), by.to_owned());
    let rule = move |book: &LedgerState| {
        let whole = book.dataset(&dataset).ok_or(GrantFault::UnknownDataset)?;
        match (is_frozen, whole.is_frozen()) {
            (true, true) => Err(StewardFault::Frozen { dataset }),
            (false, false) if whole.incidents == 0 => Err(StewardFault::NotFrozen { dataset }),
            (true, false) => Ok(Act::Frozen { dataset, reason, by }),
            (false, _) => Ok(Act::Unfrozen { dataset, reason, by }),
        }
    };
    Ok(act(ledger, rule, now_ms)??)
}
