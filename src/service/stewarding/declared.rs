//! Declared files: people, roles, grants, projects and statistics accounts as files declare them. This finds the difference from
//! the ledger and applies it.
//!
//! A difference is applied entirely, in one entry, or not at all, by the same rules as single acts. Planning changes nothing, and
//! applying twice changes nothing the second time. What files declared before and no longer declare is withdrawn. The module
//! opens no file.

mod difference;
mod file;
mod names;
mod reader;

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::channel;

use serde::Serialize;

use crate::kernel::budget::entry::{Act, SingleAct};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::service::ServiceError;
use crate::service::stewarding::grants;
use crate::service::stewarding::people::Token;
use difference::{Found, Given, between};

pub use file::{Declared, DeclaredFault, DeclaredFile, Place};
pub use reader::{FILES_MAX, ITEMS_MAX, parse};

/// The result of a plan (what would change) or of an application (what changed).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Outcome {
    /// The changes in words, in the order in which they are applied; empty if nothing is to change.
    pub changes: Vec<String>,
    /// The effect on the caps of the datasets that the files name.
    pub caps: Vec<CapView>,
    /// New tokens for people that held none, shown once; a plan has none.
    pub tokens: Vec<NewToken>,
    /// Names of everything that the files declare: `person ada`, `project visits heart`, `grant visits ada`, `statistics visits`.
    pub managed: Vec<String>,
}

/// The effect of the changes on one dataset's cap, as decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CapView {
    /// The name of the dataset.
    pub dataset: String,
    /// The ε of its lifetime cap.
    pub epsilon_cap: String,
    /// The allocations directly below the dataset before the changes, added up, as the ε that they would be worth as a single
    /// allocation.
    pub allocated_before: String,
    /// The allocations directly below the dataset after the changes, likewise.
    pub allocated_after: String,
}

/// A new token, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewToken {
    /// The name of the person whose token it is.
    pub name: String,
    /// The person's role: `researcher`, `viewer` or `steward`.
    pub role: &'static str,
    /// The token's text. The ledger keeps only its digest.
    pub token: String,
}

impl From<DeclaredFault> for ServiceError {
    fn from(fault: DeclaredFault) -> Self {
        Self::Invalid(fault.to_string())
    }
}

/// Finds what applying the files would change. Nothing changes.
///
/// # Errors
/// [`ServiceError::Invalid`] with the place in the files of what would be refused, and the reason.
pub fn plan(ledger: &dyn Ledger, declared: &Declared, now_ms: u64) -> Result<Outcome, ServiceError> {
    let (reason, by) = ("a plan".to_owned(), "nobody".to_owned());
    let (amounts, tokens) = (amounts(ledger, declared), None);
    let given = Given { declared: declared.clone(), amounts, tokens, reason, by, now_ms };
    // Tried on a copy of the ledger's state, so that nobody waits for it.
    let book = read(ledger, LedgerState::sketch);
    let found = between(&book, &given).map_err(ServiceError::Invalid)?;
    Ok(Outcome::of(&found, declared, Vec::new()))
}

/// Makes the ledger match what the files declare, in one entry. If nothing is to change, no entry is written.
///
/// # Errors
/// [`ServiceError::Invalid`] with the place in the files of what is refused, and the reason; then nothing changed.
pub fn apply(
    ledger: &dyn Ledger,
    declared: &Declared,
    reason: &str,
    by: &str,
    now_ms: u64,
) -> Result<Outcome, ServiceError> {
    grants::check_reason(reason)?;
    // Tokens and amounts take milliseconds, so they are computed outside of the ledger's writer.
    let (amounts, tokens) = (amounts(ledger, declared), tokens(ledger, declared)?);
    let digests = tokens.iter().map(|(name, _, token)| (name.clone(), Token::digest(token.text()))).collect();
    let (reason, by) = (reason.to_owned(), by.to_owned());
    let given = Given { declared: declared.clone(), amounts, tokens: Some(digests), reason, by, now_ms };
    let (tell, told) = channel();
    let rule = Box::new(move |book: &LedgerState| {
        let mut found = between(book, &given)?;
        let acts = std::mem::take(&mut found.acts);
        found.added = acts.iter().filter_map(added).collect();
        let is_change = !found.changes.is_empty();
        // The receiver outlives this rule, so sending cannot fail.
        let _ = tell.send(found);
        let managed = given.declared.managed();
        // An empty error text means that nothing is to change.
        if is_change {
            let acts = acts.into_iter().map(SingleAct).collect();
            Ok(Act::Applied { reason: given.reason, by: given.by, managed, acts })
        } else {
            Err(String::new())
        }
    });
    let refused = ledger.act(rule, now_ms)?.err();
    match told.try_recv() {
        Ok(found) => Ok(Outcome::of(&found, declared, tokens)),
        Err(_) => Err(ServiceError::Invalid(refused.unwrap_or_default())),
    }
}

fn added(act: &Act) -> Option<String> {
    if let Act::PersonAdded { name, .. } | Act::ViewerAdded { name, .. } = act { Some(name.clone()) } else { None }
}

/// The price equivalents of all declared ε that are not granted yet. Each takes milliseconds, so never call this inside the
/// ledger's writer.
fn amounts(ledger: &dyn Ledger, declared: &Declared) -> HashMap<(String, Epsilon), Price> {
    let wanted: HashMap<_, _> = read(ledger, |book| {
        let unknown = declared.allocations.iter().filter_map(|wanted| {
            let whole = book.dataset(&wanted.dataset)?;
            let is_known = book.account(whole.account).epsilon == wanted.epsilon || wanted.stands(book);
            (!is_known).then(|| ((wanted.dataset.clone(), wanted.epsilon), whole.cap.accountant))
        });
        unknown.collect()
    });
    let priced = wanted.into_iter().map(|((dataset, epsilon), accountant)| {
        let amount = accountant.cap(epsilon);
        ((dataset, epsilon), amount)
    });
    priced.collect()
}

/// New tokens for declared people that hold none.
fn tokens(ledger: &dyn Ledger, declared: &Declared) -> Result<Vec<(String, Role, Token)>, ServiceError> {
    let without: Vec<_> = read(ledger, |book| {
        let people = declared.people.iter().map(|person| (person.name.clone(), person.role));
        people.filter(|(name, _)| !matches!(book.person(name), Some((_, true)))).collect()
    });
    without.into_iter().map(|(name, role)| Ok((name, role, Token::new()?))).collect()
}

impl Outcome {
    fn of(found: &Found, declared: &Declared, tokens: Vec<(String, Role, Token)>) -> Self {
        let caps = found.shares.iter().map(|share| CapView {
            dataset: share.dataset.clone(),
            epsilon_cap: share.epsilon.to_string(),
            allocated_before: share.accountant.epsilon_within(share.before).to_string(),
            allocated_after: share.accountant.epsilon_within(share.after).to_string(),
        });
        let added: HashSet<&String> = found.added.iter().collect();
        let given = tokens.into_iter().filter(|(name, ..)| added.contains(name));
        let shown = |(name, role, token): (String, Role, Token)| {
            let token = token.text().to_owned();
            NewToken { name, role: role.name(), token }
        };
        Self {
            changes: found.changes.clone(),
            caps: caps.collect(),
            tokens: given.map(shown).collect(),
            managed: declared.managed(),
        }
    }
}
