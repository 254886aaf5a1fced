//! What files declare of people, roles, grants, projects and statistics: the difference from the ledger, and its application.
//!
//! Promises that all of a difference is applied in one entry or none of it, by the same rules as single acts, that a plan changes
//! nothing and that applying twice changes nothing. What files declared before and no longer declare is withdrawn. It opens no file.

mod difference;
mod file;
mod names;
mod reader;

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::channel;

use serde::Serialize;

use crate::kernel::budget::entry::{Act, Single};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::Book;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::service::ServiceError;
use crate::service::stewarding::grants;
use crate::service::stewarding::people::Token;
use difference::{Found, Given, between};

pub use file::{Declared, DeclaredFault, DeclaredFile, Place};
pub use reader::{FILES_MAX, ITEMS_MAX, parse};

/// What is to change, or was changed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Outcome {
    /// The difference in words, in the order in which it is applied; empty where nothing is to change.
    pub changes: Vec<String>,
    /// What it does to the caps of the datasets that files name.
    pub caps: Vec<CapView>,
    /// Tokens of people that held none, shown once; none of a plan.
    pub tokens: Vec<NewToken>,
    /// Names of everything that the files declare: `person ada`, `project visits heart`, `grant visits ada`, `statistics visits`.
    pub managed: Vec<String>,
}

/// What a difference does to one dataset's cap, as decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CapView {
    /// Of which dataset.
    pub dataset: String,
    /// The ε of its lifetime cap.
    pub epsilon_cap: String,
    /// The ε that allocations right below it could together have asked for at once, if they were all one.
    pub allocated_before: String,
    /// The same afterwards.
    pub allocated_after: String,
}

/// A new token, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewToken {
    /// Whose.
    pub name: String,
    /// What it is good for.
    pub role: &'static str,
    /// The token.
    pub token: String,
}

impl From<DeclaredFault> for ServiceError {
    fn from(fault: DeclaredFault) -> Self {
        Self::Invalid(fault.to_string())
    }
}

/// What applying would change; nothing changes.
///
/// # Errors
/// [`ServiceError::Invalid`] with the place of what would be refused, and why.
pub fn plan(ledger: &dyn Ledger, declared: &Declared, now_ms: u64) -> Result<Outcome, ServiceError> {
    let (reason, by) = ("a plan".to_owned(), "nobody".to_owned());
    let (amounts, tokens) = (amounts(ledger, declared), None);
    let given = Given { declared: declared.clone(), amounts, tokens, reason, by, now_ms };
    // Tried outside of the ledger's own book, so that nobody waits for it.
    let book = read(ledger, Book::sketch);
    let found = between(&book, &given).map_err(ServiceError::Invalid)?;
    Ok(Outcome::of(&found, declared, Vec::new()))
}

/// Makes the ledger what the files declare, in one entry; no entry is written where nothing is to change.
///
/// # Errors
/// [`ServiceError::Invalid`] with the place of what is refused, and why; then nothing changed.
pub fn apply(
    ledger: &dyn Ledger,
    declared: &Declared,
    reason: &str,
    by: &str,
    now_ms: u64,
) -> Result<Outcome, ServiceError> {
    grants::check_reason(reason)?;
    // Tokens and amounts take milliseconds, so they are made outside of the writer.
    let (amounts, tokens) = (amounts(ledger, declared), tokens(ledger, declared)?);
    let digests = tokens.iter().map(|(name, _, token)| (name.clone(), Token::digest(token.text()))).collect();
    let (reason, by) = (reason.to_owned(), by.to_owned());
    let given = Given { declared: declared.clone(), amounts, tokens: Some(digests), reason, by, now_ms };
    let (tell, told) = channel();
    let rule = Box::new(move |book: &Book| {
        let mut found = between(book, &given)?;
        let acts = std::mem::take(&mut found.acts);
        found.added = acts.iter().filter_map(added).collect();
        let is_change = !found.changes.is_empty();
        // Whoever asked waits for it.
        let _ = tell.send(found);
        let managed = given.declared.managed();
        // An empty word means that nothing is to change.
        if is_change {
            let acts = acts.into_iter().map(Single).collect();
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

/// What each ε that is not granted yet is worth. Takes milliseconds for each; never inside of the writer.
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
