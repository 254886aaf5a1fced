//! Stewards' acts: people, viewing rights, and datasets' accounts.
//!
//! Each rule is checked against the ledger's state inside the single writer, so that two acts never break it together.

use std::sync::Arc;

use super::grants::set_frozen;
use crate::kernel::budget::entry::{Act, Cap, Digest};
use crate::kernel::budget::ledger::{Ledger, act, read};
use crate::kernel::budget::people::{Person, Role, is_name};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Delta;
use crate::kernel::random::{self, NoRandomness};
use crate::query::error::shown;
use crate::query::terms::edition::Manifest;
use crate::query::terms::policy::Policy;
use crate::service::stewarding::fault::{Absence, Conflict, StewardFault};
use crate::service::{Service, ServiceError};

/// A token: 256 random bits, shown once.
pub struct Token(String);

impl Token {
    /// The prefix that distinguishes a token from other secrets.
    const PREFIX: &'static str = "tct";

    pub(crate) fn new() -> Result<Self, NoRandomness> {
        let bits = random::bytes::<32>()?;
        Ok(Self(format!("{}_{}", Self::PREFIX, crate::hex::encode(&bits))))
    }

    /// The token's text; show it once and do not store it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The digest under which a token is stored. 256 random bits need no salt and no slow hash.
    #[must_use]
    pub fn digest(text: &str) -> Digest {
        *blake3::hash(text.as_bytes()).as_bytes()
    }
}

/// Name recorded as the actor when somebody acts on a state directory while no server runs.
pub const AT_STATE_DIRECTORY: &str = "steward at the state directory";

/// Adds a person, or gives a new token to one whose token was revoked.
///
/// # Errors
/// [`ServiceError::Invalid`] for an invalid name; [`ServiceError::AlreadyExists`] if the person holds a token.
pub fn add_person(ledger: &dyn Ledger, name: &str, role: Role, by: &str, now_ms: u64) -> Result<Token, ServiceError> {
    let (person, by) = (name.to_owned(), by.to_owned());
    add(ledger, name, role, now_ms, move |token| Act::PersonAdded { name: person, role, token, by })
}

/// Adds a viewer who may only see the statistics of these datasets, or gives a new token to one whose token was revoked.
///
/// # Errors
/// The errors of [`add_person`]; [`ServiceError::UnknownDataset`].
pub fn add_viewer(
    ledger: &dyn Ledger,
    name: &str,
    datasets: &[String],
    by: &str,
    now_ms: u64,
) -> Result<Token, ServiceError> {
    let datasets = known(ledger, datasets)?;
    let (person, by) = (name.to_owned(), by.to_owned());
    add(ledger, name, Role::Viewer, now_ms, move |token| Act::ViewerAdded { name: person, token, datasets, by })
}

fn add(
    ledger: &dyn Ledger,
    name: &str,
    role: Role,
    now_ms: u64,
    added: impl FnOnce(Digest) -> Act + Send + 'static,
) -> Result<Token, ServiceError> {
    if !is_name(name) {
        return Err(StewardFault::Name { name: name.to_owned() }.into());
    }
    let token = Token::new().map_err(StewardFault::from)?;
    let (person, digest) = (name.to_owned(), Token::digest(token.text()));
    let rule = move |book: &LedgerState| match book.person(&person) {
        Some((_, true)) => Err(Conflict::TokenHeld { name: person }),
        Some((other, false)) if other != role => Err(Conflict::OtherRole { name: person, role: other }),
        Some((_, false)) | None => Ok(added(digest)),
    };
    act(ledger, rule, now_ms)??;
    Ok(token)
}

/// Sets the datasets whose statistics a viewer may see.
///
/// # Errors
/// [`ServiceError::NotFound`] if there is no such person; [`ServiceError::Invalid`] if the person is not a viewer;
/// [`ServiceError::UnknownDataset`].
pub fn set_viewing(
    ledger: &dyn Ledger,
    name: &str,
    datasets: &[String],
    by: &str,
    now_ms: u64,
) -> Result<(), ServiceError> {
    let datasets = known(ledger, datasets)?;
    let name = name.to_owned();
    match read(ledger, |book| book.person(&name)) {
        Some((Role::Viewer, _)) => {}
        Some((role, _)) => return Err(StewardFault::NotViewer { name, role }.into()),
        None => return Err(Absence::Person { name }.into()),
    }
    let set = Act::ViewingSet { name, datasets, by: by.to_owned() };
    // A role never changes, so the check above still holds.
    ledger.act(Box::new(move |_| Some(set)), now_ms)?;
    Ok(())
}

/// Sorts and deduplicates datasets, and checks that they exist.
fn known(ledger: &dyn Ledger, datasets: &[String]) -> Result<Vec<String>, ServiceError> {
    let unknown = read(ledger, |book| datasets.iter().find(|dataset| book.dataset(dataset).is_none()));
    if let Some(unknown) = unknown {
        return Err(ServiceError::UnknownDataset(shown(unknown)));
    }
    let mut once = datasets.to_vec();
    once.sort();
    once.dedup();
    Ok(once)
}

/// Revokes a person's token. The last steward's token cannot be revoked.
///
/// # Errors
/// [`ServiceError::NotFound`] if nobody of this name holds a token; [`ServiceError::Invalid`] for the last steward.
pub fn revoke_token(ledger: &dyn Ledger, name: &str, by: &str, now_ms: u64) -> Result<(), ServiceError> {
    let (name, by) = (name.to_owned(), by.to_owned());
    let rule = move |book: &LedgerState| match book.person(&name) {
        Some((Role::Steward, true))
            if book.people().filter(|(_, role, active)| *active && *role == Role::Steward).count() == 1 =>
        {
            Err(ServiceError::from(StewardFault::LastSteward { name }))
        }
        Some((_, true)) => Ok(Act::TokenRevoked { name, by }),
        Some((_, false)) | None => Err(Absence::Token { name }.into()),
    };
    act(ledger, rule, now_ms)?.map(|_| ())
}

/// Opens the dataset's account if it is new, and makes the sealed edition the one that queries see. If entries that a recovery
/// did without may have opened the dataset, it is frozen until its steward has looked.
///
/// # Errors
/// [`ServiceError::Invalid`] if the policy's cap differs from the one in the ledger.
pub fn publish_edition(
    ledger: &dyn Ledger,
    policy: &Policy,
    manifest: &Manifest,
    now_ms: u64,
) -> Result<(), ServiceError> {
    let cap = cap_of(policy);
    let (dataset, unit) = (policy.name.clone(), policy.terms.unit.name().to_owned());
    // There is nothing to append if the account is open already.
    let open = Box::new(move |book: &LedgerState| {
        let is_new = book.dataset(&dataset).is_none();
        is_new.then_some(Act::DatasetOpened { dataset, unit, cap })
    });
    let may_be_frozen = read(ledger, |book| book.may_have_been_open(&policy.name));
    ledger.act(open, now_ms)?;
    if may_be_frozen {
        let reason = "opened after a recovery: nobody knows whether it was frozen";
        set_frozen(ledger, &policy.name, true, (reason, AT_STATE_DIRECTORY), now_ms)?;
    }
    check_cap(ledger, policy)?;
    let (dataset, edition, commitment) = (policy.name.clone(), manifest.edition.clone(), manifest.commitment());
    let oversubscribe = policy.terms.oversubscribe;
    // Unwrap safety: terms are plain data with string keys.
    let terms = serde_json::to_string(&policy.terms).expect("terms are plain data");
    let seal = Act::EditionSealed { dataset, edition, commitment, oversubscribe, terms };
    ledger.act(Box::new(move |_| Some(seal)), now_ms)?;
    Ok(())
}

/// The editions that queries see now, of all datasets.
#[must_use]
pub fn current_editions(ledger: &dyn Ledger) -> Vec<String> {
    read(ledger, |book| {
        book.datasets().filter_map(|(_, whole)| whole.edition.as_ref().map(|edition| edition.id.clone())).collect()
    })
}

/// Checks that the policy's cap equals the one in the ledger, if there is one. A cap binds all editions of a dataset together.
///
/// # Errors
/// [`ServiceError::Invalid`] if it differs.
pub fn check_cap(ledger: &dyn Ledger, policy: &Policy) -> Result<(), ServiceError> {
    let cap = cap_of(policy);
    let known = read(ledger, |book| {
        let whole = book.dataset(&policy.name)?;
        let account = book.account(whole.account);
        let now = Cap { epsilon: account.epsilon, amount: account.amount, ..whole.cap };
        Some((whole.cap, now, whole.unit.clone()))
    });
    let declared = policy.terms.unit.name();
    match known {
        Some((_, _, opened)) if opened != declared => {
            let (dataset, declared) = (policy.name.clone(), declared.to_owned());
            Err(StewardFault::OtherUnit { dataset, opened, declared }.into())
        }
        Some((opened, now, _)) if cap != opened && cap != now => {
            let (dataset, opened, now) = (policy.name.clone(), Box::new(opened), now.epsilon);
            Err(StewardFault::OtherCap { dataset, opened, now }.into())
        }
        Some(_) | None => Ok(()),
    }
}

fn cap_of(policy: &Policy) -> Cap {
    let terms = &policy.terms;
    let accountant = terms.accountant;
    Cap {
        accountant,
        epsilon: terms.cap,
        amount: accountant.cap(terms.cap),
        query_max: accountant.cap(terms.max_epsilon_per_query),
        query_epsilon_max: terms.max_epsilon_per_query,
        threshold_delta: terms.threshold.map_or(Delta::ZERO, |aside| aside.delta),
    }
}

impl Service {
    /// The person who holds this token; `None` if the token is unknown or revoked.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Option<Person> {
        let digest = Token::digest(token);
        read(self.ledger(), |book| book.bearer(&digest))
    }

    /// Runs a steward's act off the async threads.
    ///
    /// # Errors
    /// The errors of `act`.
    pub async fn steward<T: Send + 'static>(
        self: Arc<Self>,
        act: impl FnOnce(&dyn Ledger, u64) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.writing("", move |service| act(service.ledger(), service.now_ms())).await?
    }
}
