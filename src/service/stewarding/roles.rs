//! Roles of people, which stewards can change.
//!
//! Promises that somebody who may come in remains a steward, and that a new viewer sees no statistics that nobody let them see. Everything
//! else of a person stays as it was: tokens, allocations, what was spent, open requests and answers.

use crate::kernel::budget::entry::{AccountKind, Act};
use crate::kernel::budget::ledger::{Ledger, decide};
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Price;
use crate::service::ServiceError;
use crate::service::stewarding::fault::{Absence, StewardFault};
use crate::service::stewarding::people::known;

/// Gives a person another role from now on, also in the sessions that they have. `datasets` are those whose statistics a viewer sees; `None`
/// stands for what [`seen_as_viewer`] says. Nothing is written if nothing would change.
///
/// # Errors
/// [`ServiceError::NotFound`] if there is no such person; [`ServiceError::Invalid`] for the last steward who may come in, and for datasets of
/// somebody who would be no viewer; [`ServiceError::UnknownDataset`].
pub fn set_role(
    ledger: &dyn Ledger,
    name: &str,
    role: Role,
    datasets: Option<&[String]>,
    by: &str,
    now_ms: u64,
) -> Result<(), ServiceError> {
    if role != Role::Viewer && datasets.is_some() {
        return Err(StewardFault::NotViewer { name: name.to_owned(), role }.into());
    }
    let datasets = datasets.map(|datasets| known(ledger, datasets)).transpose()?;
    let (name, by) = (name.to_owned(), by.to_owned());
    let rule = move |book: &LedgerState| match changed(book, &name, (role, datasets), &by, now_ms) {
        Ok(act) => (act, Ok(())),
        Err(fault) => (None, Err(fault)),
    };
    let (_, ruled) = decide(ledger, rule, now_ms)?;
    ruled
}

/// The act that changes a role, or only what a viewer sees; `None` if everything is so already.
fn changed(
    book: &LedgerState,
    name: &str,
    (role, datasets): (Role, Option<Vec<String>>),
    by: &str,
    now_ms: u64,
) -> Result<Option<Act>, ServiceError> {
    let (held, _) = book.person(name).ok_or_else(|| Absence::Person { name: name.to_owned() })?;
    let (name, by) = (name.to_owned(), by.to_owned());
    if held == role {
        let is_so = |datasets: &Vec<String>| book.viewing(&name).is_some_and(|known| known.iter().eq(datasets));
        let datasets = datasets.filter(|datasets| !is_so(datasets));
        return Ok(datasets.map(|datasets| Act::ViewingSet { name, datasets, by }));
    }
    if is_last_steward(book, &name, now_ms) {
        return Err(StewardFault::LastSteward { name }.into());
    }
    let datasets = (role == Role::Viewer).then(|| datasets.unwrap_or_else(|| seen_as_viewer(book, &name)));
    Ok(Some(Act::RoleSet { name, role, datasets, by }))
}

/// Whether a person is a steward who may come in, and the only one.
#[must_use]
pub fn is_last_steward(book: &LedgerState, name: &str, now_ms: u64) -> bool {
    let is_steward = book.person(name).is_some_and(|(role, _)| role == Role::Steward);
    is_steward && book.may_come_in(name, now_ms) && !book.has_other_steward(name, now_ms)
}

/// The datasets whose statistics a person sees as a viewer if nobody says which: those that they were given before, and otherwise those that
/// they hold an allocation of, which is what they saw as a researcher.
#[must_use]
pub fn seen_as_viewer(book: &LedgerState, name: &str) -> Vec<String> {
    if let Some(given) = book.viewing(name) {
        return given.iter().cloned().collect();
    }
    let holds = |dataset: &str| {
        book.find(dataset, AccountKind::Researcher, name).is_some_and(|account| account.amount > Price::ZERO)
    };
    book.datasets().map(|(dataset, _)| dataset).filter(|dataset| holds(dataset)).cloned().collect()
}
