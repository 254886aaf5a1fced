//! Declared files: people, roles, grants, projects and statistics accounts as files declare them. This finds the difference from
//! the ledger and applies it.
//!
//! A difference is applied entirely, in one entry, or not at all, by the same rules as single acts. Planning changes nothing, and
//! applying twice changes nothing the second time. What files declared before and no longer declare is withdrawn. The module
//! opens no file.

mod difference;
mod fault;
mod file;
mod names;
mod reader;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::kernel::budget::entry::{Act, SingleAct};
use crate::kernel::budget::ledger::{Ledger, decide, read};
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::service::ServiceError;
use crate::service::stewarding::fault::StewardFault;
use crate::service::stewarding::grants;
use crate::service::stewarding::people::Token;
use difference::{Difference, PreparedFiles, between};

pub use fault::{AllocationFault, DeclarationFault, DeclaredFault, FILES_MAX, FilePosition, ITEMS_MAX};
pub use file::{Declared, DeclaredFile};
pub use reader::{DeclaringTables, parse};

/// The result of a plan (what would change) or of an application (what changed).
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
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

/// The effect of the changes on one dataset's cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CapView {
    /// The name of the dataset.
    pub dataset: String,
    /// The ε of its lifetime cap.
    #[schema(value_type = String)]
    pub epsilon_cap: Epsilon,
    /// The allocations directly below the dataset before the changes, added up, as the ε that they would be worth as a single
    /// allocation.
    #[serde(deserialize_with = "crate::service::views::reported")]
    #[schema(value_type = String)]
    pub allocated_before: Epsilon,
    /// The allocations directly below the dataset after the changes, likewise.
    #[serde(deserialize_with = "crate::service::views::reported")]
    #[schema(value_type = String)]
    pub allocated_after: Epsilon,
}

/// A new token, which is shown once.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewToken {
    /// The name of the person whose token it is.
    pub name: String,
    /// The person's role: `researcher`, `viewer` or `steward`.
    #[schema(value_type = String)]
    pub role: Role,
    /// The token's text. The ledger keeps only its digest.
    pub token: String,
}

/// Finds what applying the files would change. Nothing changes.
///
/// # Errors
/// [`ServiceError::Declared`] with the place in the files of what would be refused, and the reason.
pub fn plan(ledger: &dyn Ledger, declared: &Declared, now_ms: u64) -> Result<Outcome, ServiceError> {
    let (reason, by) = ("a plan".to_owned(), "nobody".to_owned());
    let (amounts, tokens) = (amounts(ledger, declared), None);
    let given = PreparedFiles { declared: declared.clone(), amounts, tokens, reason, by, now_ms };
    // Tried on a copy of the ledger's state, so that nobody waits for it.
    let book = read(ledger, LedgerState::sketch);
    let found = between(&book, &given)?;
    Ok(Outcome::of(&found, declared, Vec::new()))
}

/// Makes the ledger match what the files declare, in one entry. If nothing is to change, no entry is written.
///
/// # Errors
/// [`ServiceError::Declared`] with the place in the files of what is refused, and the reason; then nothing changed.
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
    let kept = |(name, _, token): &(String, Role, Token)| (name.clone(), (token.digested(), token.verifier(name)));
    let digests = tokens.iter().map(kept).collect();
    let (reason, by) = (reason.to_owned(), by.to_owned());
    let given = PreparedFiles { declared: declared.clone(), amounts, tokens: Some(digests), reason, by, now_ms };
    let rule = move |book: &LedgerState| match between(book, &given) {
        Ok(found) => (applied(&found, given), Ok(found)),
        Err(fault) => (None, Err(fault)),
    };
    let (_, found) = decide(ledger, rule, now_ms)?;
    Ok(Outcome::of(&found?, declared, tokens))
}

/// The act that makes all changes; `None` if nothing is to change.
fn applied(found: &Difference, given: PreparedFiles) -> Option<Act> {
    let acts = found.acts.iter().cloned().map(SingleAct).collect();
    let PreparedFiles { declared, reason, by, .. } = given;
    (!found.changes.is_empty()).then(|| Act::Applied { reason, by, managed: declared.managed(), acts })
}

fn added(act: &Act) -> Option<&String> {
    if let Act::PersonAdded { name, .. } | Act::ViewerAdded { name, .. } = act {
        return Some(name);
    }
    act.issued().map(|issued| &issued.name)
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
    let given = without.into_iter().map(|(name, role)| Ok((name, role, Token::new().map_err(StewardFault::from)?)));
    given.collect()
}

impl Outcome {
    fn of(found: &Difference, declared: &Declared, tokens: Vec<(String, Role, Token)>) -> Self {
        let caps = found.shares.iter().map(|share| CapView {
            dataset: share.dataset.clone(),
            epsilon_cap: share.epsilon,
            allocated_before: share.accountant.epsilon_within(share.before),
            allocated_after: share.accountant.epsilon_within(share.after),
        });
        let added: HashSet<&String> = found.acts.iter().filter_map(added).collect();
        let given = tokens.into_iter().filter(|(name, ..)| added.contains(name));
        let shown = |(name, role, token): (String, Role, Token)| {
            let token = token.text().to_owned();
            NewToken { name, role, token }
        };
        Self {
            changes: found.changes.clone(),
            caps: caps.collect(),
            tokens: given.map(shown).collect(),
            managed: declared.managed(),
        }
    }
}
