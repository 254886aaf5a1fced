//! The ledger's names for what files declare, and the words for each change.
//!
//! A name reads back as exactly what it was made from. The module decides nothing.

use std::cmp::Ordering;
use std::fmt;

use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Epsilon;

/// What a name in the ledger stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// A person, by name.
    Person(&'a str),
    /// An allocation to an account.
    Account {
        /// The kind of account.
        kind: AccountKind,
        /// The dataset whose budget it is part of.
        dataset: &'a str,
        /// The holder's name in the ledger's state.
        name: &'a str,
    },
}

impl<'a> Named<'a> {
    /// Reads a name; `None` if it is invalid.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ')?;
        if kind == "person" {
            return Some(Self::Person(rest));
        }
        let (dataset, name) = rest.split_once(' ').unwrap_or((rest, STATISTICS));
        match kind {
            "project" => Some(Self::Account { kind: AccountKind::Project, dataset, name }),
            "grant" => Some(Self::Account { kind: AccountKind::Researcher, dataset, name }),
            "statistics" => Some(Self::Account { kind: AccountKind::Statistics, dataset, name }),
            _ => None,
        }
    }

    /// The dataset of an allocation; `None` for a person.
    pub(super) fn dataset(&self) -> Option<&'a str> {
        match *self {
            Self::Person(_) => None,
            Self::Account { dataset, .. } => Some(dataset),
        }
    }

    /// The holder in words, like `ada` or `project heart`.
    fn holder(&self) -> String {
        match self {
            Self::Person(name) | Self::Account { kind: AccountKind::Researcher, name, .. } => (*name).to_owned(),
            Self::Account { kind: AccountKind::Project, name, .. } => format!("project {name}"),
            Self::Account { kind: AccountKind::Statistics, .. } => "the statistics".to_owned(),
            Self::Account { kind: AccountKind::Dataset, dataset, .. } => format!("dataset {dataset}"),
        }
    }

    /// The allocation in words, like `ada's allocation of visits`.
    pub(super) fn whose(&self) -> String {
        let holder = self.holder();
        let end = if holder.ends_with('s') { "'" } else { "'s" };
        format!("{holder}{end} allocation of {}", self.dataset().unwrap_or_default())
    }

    /// The allocation in the ledger's state; `None` if there is no such account.
    pub(super) fn held(&self, book: &'a LedgerState) -> Option<Allotment<'a>> {
        let Self::Account { kind, dataset, name } = *self else { return None };
        let account = book.find(dataset, kind, name)?;
        let above = account.parent.map(|parent| book.account(parent));
        let project = above.filter(|above| above.kind == AccountKind::Project).map(|above| above.name.as_str());
        let period_days = account.renewal.map(|renewal| renewal.days);
        Some(Allotment { epsilon: account.epsilon, period_days, project })
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => write!(out, "person {name}"),
            Self::Account { kind: AccountKind::Researcher, dataset, name } => write!(out, "grant {dataset} {name}"),
            Self::Account { kind: AccountKind::Project, dataset, name } => write!(out, "project {dataset} {name}"),
            Self::Account { kind: kind @ (AccountKind::Statistics | AccountKind::Dataset), dataset, .. } => {
                write!(out, "{} {dataset}", kind.name())
            }
        }
    }
}

/// The terms of an allocation, as it is or as it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allotment<'a> {
    /// The total as ε, per period if the allocation renews.
    pub(super) epsilon: Epsilon,
    /// Days after which it renews; `None` if it is for life.
    pub(super) period_days: Option<u32>,
    /// The project whose account is above a researcher's.
    pub(super) project: Option<&'a str>,
}

impl Allotment<'_> {
    /// Whether `then` takes less of the account above, so that it is applied before changes that take more.
    pub(super) fn gives_back(&self, then: &Allotment<'_>) -> bool {
        then.epsilon < self.epsilon
    }

    fn renewal(&self) -> String {
        self.period_days.map_or_else(|| ", for life".to_owned(), |days| format!(", renewed every {days} days"))
    }
}

/// The change of an allocation in words; `now` is `None` for a new one.
pub(super) fn change(named: &Named<'_>, now: Option<&Allotment<'_>>, then: &Allotment<'_>) -> String {
    let (whose, epsilon) = (named.whose(), then.epsilon);
    let Some(now) = now else {
        let (holder, dataset) = (named.holder(), named.dataset().unwrap_or_default());
        let below = then.project.map_or_else(String::new, |project| format!(" below project {project}"));
        let renewal = if then.period_days.is_some() { then.renewal() } else { String::new() };
        return format!("grant {holder} epsilon {epsilon} of {dataset}{below}{renewal}");
    };
    match (now.project, then.project) {
        (_, Some(project)) if now.project != then.project => return format!("move {whose} below project {project}"),
        (Some(project), None) => return format!("move {whose} out of project {project}"),
        (Some(_) | None, _) => {}
    }
    let renewal = if now.period_days == then.period_days { String::new() } else { then.renewal() };
    match epsilon.cmp(&now.epsilon) {
        Ordering::Less => format!("lower {whose} from epsilon {} to {epsilon}{renewal}", now.epsilon),
        Ordering::Equal => match then.period_days {
            Some(days) => format!("renew {whose} of epsilon {epsilon} every {days} days{}", before(now)),
            None => format!("let {whose} of epsilon {epsilon} last for life{}", before(now)),
        },
        Ordering::Greater => format!("raise {whose} from epsilon {} to {epsilon}{renewal}", now.epsilon),
    }
}

/// The earlier renewal in words, as a contrast to the new one.
fn before(now: &Allotment<'_>) -> String {
    now.period_days.map_or_else(|| ", and not for life".to_owned(), |days| format!(", and not every {days} days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for text in ["person ada", "project visits heart", "grant visits ada", "statistics visits"] {
            assert_eq!(Named::read(text).map(|named| named.to_string()).as_deref(), Some(text));
        }
        for text in ["", "person", "folk ada", "dataset visits"] {
            assert_eq!(Named::read(text), None, "{text}");
        }
    }

    #[test]
    fn changes_are_said() {
        let ada = Named::read("grant visits ada").expect("a name");
        let half = Allotment { epsilon: Epsilon::from_nanos(500_000_000), period_days: None, project: None };
        let one = Allotment { epsilon: Epsilon::from_nanos(1_000_000_000), ..half };
        let monthly = Allotment { period_days: Some(30), ..half };
        let hearty = Allotment { project: Some("heart"), ..monthly };
        for (now, then, wanted) in [
            (None, half, "grant ada epsilon 0.5 of visits"),
            (None, hearty, "grant ada epsilon 0.5 of visits below project heart, renewed every 30 days"),
            (Some(half), one, "raise ada's allocation of visits from epsilon 0.5 to 1"),
            (Some(one), half, "lower ada's allocation of visits from epsilon 1 to 0.5"),
            (Some(half), monthly, "renew ada's allocation of visits of epsilon 0.5 every 30 days, and not for life"),
            (Some(monthly), one, "raise ada's allocation of visits from epsilon 0.5 to 1, for life"),
            (Some(monthly), hearty, "move ada's allocation of visits below project heart"),
            (Some(hearty), monthly, "move ada's allocation of visits out of project heart"),
        ] {
            assert_eq!(change(&ada, now.as_ref(), &then), wanted);
        }
    }
}
