//! Grants: who may spend how much of what, and freezes.
//!
//! Promises that allocations below an account sum to at most its amount unless the policy says `oversubscribe`, and that a lifetime
//! cap rises by an explicit act with a reason, and never falls.

use crate::kernel::budget::account::{Account, AccountNo};
use crate::kernel::budget::entry::{Act, Entry, Kind};
use crate::kernel::budget::ledger::Ledger;
use crate::kernel::budget::people::{Role, STATISTICS, is_name};
use crate::kernel::budget::state::Book;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::query::error::shown;
use crate::service::ServiceError;

/// Letters of a reason at the most.
const REASON_CHARS_MAX: usize = 500;
/// Days of a period at the most: ten years.
pub const PERIOD_DAYS_MAX: u32 = 3_660;

/// Whose account a grant sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A researcher's, below a project's where one is named.
    Researcher {
        /// Who.
        name: String,
        /// The project; nothing where it stays where it is, or hangs below the dataset's.
        project: Option<String>,
        /// Days after which the allocation renews; nothing where it is for life.
        period_days: Option<u32>,
    },
    /// A project's.
    Project {
        /// Which.
        name: String,
    },
    /// The dataset's own lifetime cap.
    Dataset,
    /// What published statistics may spend.
    Statistics {
        /// Days after which it renews; nothing where it is for life.
        period_days: Option<u32>,
    },
}

impl Holder {
    /// A researcher right below the dataset, for life.
    #[must_use]
    pub fn researcher(name: &str) -> Self {
        Self::Researcher { name: name.to_owned(), project: None, period_days: None }
    }
}

/// A grant as it is asked for.
#[derive(Debug, Clone)]
pub struct Grant {
    /// To whom.
    pub to: Holder,
    /// Of which dataset.
    pub dataset: String,
    /// The new total.
    pub epsilon: Epsilon,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: String,
}

/// Sets an allocation, or raises a lifetime cap.
///
/// # Errors
/// [`ServiceError::Invalid`] where the allocations would not fit, or nobody is there to hold it; [`ServiceError::UnknownDataset`].
pub fn grant(ledger: &dyn Ledger, grant: Grant, now_ms: u64) -> Result<Entry, ServiceError> {
    check_reason(&grant.reason)?;
    let accountant = crate::kernel::budget::ledger::read(ledger, |book| {
        book.dataset(&grant.dataset).map(|whole| (whole.cap.accountant, book.account(whole.account).epsilon))
    });
    let (accountant, cap) = accountant.ok_or_else(|| ServiceError::UnknownDataset(shown(&grant.dataset)))?;
    // Takes milliseconds, so it is done outside of the writer; what is granted whole is taken whole there.
    let amount = if grant.epsilon == cap { None } else { Some(accountant.cap(grant.epsilon)) };
    let rule = Box::new(move |book: &Book| Room { book, accountant, grant: &grant, now_ms }.act(amount));
    ledger.act(rule, now_ms)?.map_err(ServiceError::Invalid)
}

pub(crate) fn check_reason(reason: &str) -> Result<(), ServiceError> {
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(ServiceError::Invalid(format!("a reason has 1 to {REASON_CHARS_MAX} characters")));
    }
    Ok(())
}

/// The act of one grant against a book as it is; `amount` is what its ε is worth, and nothing where it is the dataset's whole cap.
pub(crate) fn act_of(
    book: &Book,
    accountant: Accountant,
    grant: &Grant,
    amount: Option<Price>,
    now_ms: u64,
) -> Result<Act, String> {
    Room { book, accountant, grant, now_ms }.act(amount)
}

/// One grant against the book as it is.
struct Room<'a> {
    book: &'a Book,
    accountant: Accountant,
    grant: &'a Grant,
    now_ms: u64,
}

impl Room<'_> {
    /// The act of the grant; the amount is nothing where the dataset's whole cap is meant.
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
            return Err(format!("\"{}\" is no name of a project", shown(project)));
        }
        let now = self.book.find(&self.grant.dataset, Kind::Project, project);
        let is_lowered = now.is_some_and(|account| amount <= account.amount);
        self.check_room(root, now, Price::ZERO, amount, is_lowered)?;
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::ProjectGranted { project: project.to_owned(), dataset, epsilon, amount, reason, by })
    }

    fn to_statistics(&self, root: AccountNo, period_days: Option<u32>, amount: Price) -> Result<Act, String> {
        let now = self.book.find(&self.grant.dataset, Kind::Statistics, STATISTICS);
        let (before, is_lowered) = self.renewed(now, period_days, amount)?;
        self.check_room(root, now, before, amount, is_lowered)?;
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::StatisticsGranted { dataset, epsilon, amount, period_days, reason, by })
    }

    /// What earlier periods took of an allocation that renews, and whether the grant only lowers it. A period that begins with this
    /// grant forgets what was spent before it; the accounts above do not.
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
        let now = self.book.find(&self.grant.dataset, Kind::Researcher, name);
        let parent = self.parent(name, project, now)?;
        let (before, is_lowered) = self.renewed(now, period_days, amount)?;
        self.check_room(parent, now, before, amount, is_lowered)?;
        let above = self.book.account(parent);
        let project = (above.kind == Kind::Project).then(|| above.name.clone());
        let Grant { dataset, epsilon, reason, by, .. } = self.grant.clone();
        Ok(Act::Granted { researcher: name.to_owned(), dataset, project, epsilon, amount, period_days, reason, by })
    }

    /// The account that a researcher's hangs below, which never changes: what was spent was spent there.
    fn parent(&self, name: &str, project: Option<&str>, now: Option<&Account>) -> Result<AccountNo, String> {
        let wanted = match project {
            None => None,
            Some(project) => {
                let found = self.book.find(&self.grant.dataset, Kind::Project, project);
                Some(
                    found
                        .ok_or_else(|| format!("the dataset has no project \"{}\"; grant it first", shown(project)))?,
                )
            }
        };
        let held = now.and_then(|account| account.parent).map(|parent| self.book.account(parent));
        match (wanted, held) {
            (Some(wanted), Some(held)) if !std::ptr::eq(wanted, held) => {
                let held = if held.kind == Kind::Project { &held.name } else { "the dataset itself" };
                Err(format!("\"{name}\" holds an account below {held} already; what it spent was spent there"))
            }
            (Some(wanted), _) => self.number(Kind::Project, &wanted.name),
            (None, Some(_)) => now.and_then(|account| account.parent).ok_or_else(|| "it is no account".to_owned()),
            (None, None) => self.number(Kind::Dataset, &self.grant.dataset),
        }
    }

    fn number(&self, kind: Kind, name: &str) -> Result<AccountNo, String> {
        self.book.number_of(&self.grant.dataset, kind, name).ok_or_else(|| "there is no such account".to_owned())
    }

    /// Lowering always fits. Otherwise what is below an account sums to at most its amount, unless the policy oversubscribes; then
    /// each allocation by itself does. `before` is what earlier periods took.
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
            Kind::Dataset => "the dataset's cap".to_owned(),
            Kind::Project | Kind::Researcher | Kind::Statistics => format!("project \"{}\"'s allocation", above.name),
        };
        let hint = if oversubscribe { "" } else { " (unless the policy says oversubscribe = true)" };
        Err(format!(
            "an allocation of epsilon {} does not fit: allocations sum to at most {whose} of {}{hint}; \
             the largest that fits is {fits}",
            self.grant.epsilon, above.epsilon
        ))
    }
}

/// Freezes a dataset, so that nothing is drawn from it, or lets it go on after its steward has looked.
///
/// # Errors
/// [`ServiceError::UnknownDataset`]; [`ServiceError::Invalid`] where it is so already.
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
    let rule = Box::new(move |book: &Book| {
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
