//! Stewards' acts: people, viewing rights, and datasets' accounts.
//!
//! Each rule is checked against the ledger's state inside the single writer, so that two acts never break it together.

use std::sync::Arc;

use super::grants::set_frozen;
use crate::kernel::budget::entry::{Act, Cap, Digest};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::{NAME_CHARS_MAX, Person, Role, is_name};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Delta;
use crate::kernel::random;
use crate::query::terms::edition::Manifest;
use crate::query::terms::policy::Policy;
use crate::service::{Service, ServiceError};

/// A token: 256 random bits, shown once.
pub struct Token(String);

impl Token {
    /// The prefix that distinguishes a token from other secrets.
    const PREFIX: &'static str = "tct";

    pub(crate) fn new() -> Result<Self, ServiceError> {
        let bits = random::bytes::<32>().map_err(|error| ServiceError::Invalid(error.to_string()))?;
        Ok(Self(format!("{}_{}", Self::PREFIX, hex::encode(bits))))
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
    act: impl FnOnce(Digest) -> Act + Send + 'static,
) -> Result<Token, ServiceError> {
    if !is_name(name) {
        let accepted =
            format!("accepted are 1 to {NAME_CHARS_MAX} letters, digits and . _ - @, beginning with a letter or digit");
        return Err(ServiceError::Invalid(format!(
            "\"{}\" is not a valid name; {accepted}",
            crate::query::error::shown(name)
        )));
    }
    let token = Token::new()?;
    let (person, digest) = (name.to_owned(), Token::digest(token.text()));
    let rule = Box::new(move |book: &LedgerState| match book.person(&person) {
        Some((_, true)) => Err(format!(
            "\"{person}\" exists and holds a token; end it first, by tacit researcher revoke or in the console"
        )),
        Some((other, false)) if other != role => Err(format!("\"{person}\" exists as a {other}")),
        Some((_, false)) | None => Ok(act(digest)),
    });
    ledger.act(rule, now_ms)?.map_err(ServiceError::AlreadyExists)?;
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
    match crate::kernel::budget::ledger::read(ledger, |book| book.person(name)) {
        Some((Role::Viewer, _)) => {}
        Some((role, _)) => {
            let sees = "a researcher sees the datasets they hold an account of, and a steward sees all";
            return Err(ServiceError::Invalid(format!(
                "\"{name}\" is a {role}; only viewers are given datasets: {sees}"
            )));
        }
        None => {
            let shown = crate::query::error::shown(name);
            return Err(ServiceError::NotFound(format!("there is nobody named \"{shown}\"")));
        }
    }
    let act = Act::ViewingSet { name: name.to_owned(), datasets, by: by.to_owned() };
    // A role never changes, so the check above still holds.
    ledger.act(Box::new(move |_| Ok(act)), now_ms)?.map(|_| ()).map_err(ServiceError::Invalid)
}

/// Sorts and deduplicates datasets, and checks that they exist.
fn known(ledger: &dyn Ledger, datasets: &[String]) -> Result<Vec<String>, ServiceError> {
    let unknown = crate::kernel::budget::ledger::read(ledger, |book| {
        datasets.iter().find(|dataset| book.dataset(dataset).is_none()).cloned()
    });
    if let Some(unknown) = unknown {
        return Err(ServiceError::UnknownDataset(crate::query::error::shown(&unknown)));
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
    let (person, by) = (name.to_owned(), by.to_owned());
    let unknown = format!("nobody named \"{}\" holds a token", crate::query::error::shown(name));
    let (nobody, last) = (unknown.clone(), format!("\"{person}\" is the last steward; add another one first"));
    let rule = Box::new(move |book: &LedgerState| match book.person(&person) {
        Some((Role::Steward, true))
            if book.people().filter(|(_, role, active)| *active && *role == Role::Steward).count() == 1 =>
        {
            Err(last)
        }
        Some((_, true)) => Ok(Act::TokenRevoked { name: person, by }),
        Some((_, false)) | None => Err(nobody),
    });
    let done = ledger.act(rule, now_ms)?.map(|_| ());
    done.map_err(|words| if words == unknown { ServiceError::NotFound(words) } else { ServiceError::Invalid(words) })
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
    let open = Box::new(move |book: &LedgerState| match book.dataset(&dataset) {
        None => Ok(Act::DatasetOpened { dataset, unit, cap }),
        Some(_) => Err(String::new()),
    });
    let may_be_frozen = read(ledger, |book| book.may_have_been_open(&policy.name));
    // An empty error text means that the account was open before.
    let _ = ledger.act(open, now_ms)?;
    if may_be_frozen {
        let reason = "opened after a recovery: nobody knows whether it was frozen";
        set_frozen(ledger, &policy.name, true, (reason, AT_STATE_DIRECTORY), now_ms)?;
    }
    check_cap(ledger, policy)?;
    let (dataset, edition, commitment) = (policy.name.clone(), manifest.edition.clone(), manifest.commitment());
    let oversubscribe = policy.terms.oversubscribe;
    // Unwrap safety: terms are plain data with string keys.
    let terms = serde_json::to_string(&policy.terms).expect("terms are plain data");
    let seal =
        Box::new(move |_: &LedgerState| Ok(Act::EditionSealed { dataset, edition, commitment, oversubscribe, terms }));
    ledger.act(seal, now_ms)?.map(|_| ()).map_err(ServiceError::Invalid)
}

/// The editions that queries see now, of all datasets.
#[must_use]
pub fn current_editions(ledger: &dyn Ledger) -> Vec<String> {
    crate::kernel::budget::ledger::read(ledger, |book| {
        book.datasets().filter_map(|(_, whole)| whole.edition.as_ref().map(|edition| edition.id.clone())).collect()
    })
}

/// Checks that the policy's cap equals the one in the ledger, if there is one. A cap binds all editions of a dataset together.
///
/// # Errors
/// [`ServiceError::Invalid`] if it differs.
pub fn check_cap(ledger: &dyn Ledger, policy: &Policy) -> Result<(), ServiceError> {
    let cap = cap_of(policy);
    let known = crate::kernel::budget::ledger::read(ledger, |book| {
        let whole = book.dataset(&policy.name)?;
        let account = book.account(whole.account);
        let now = Cap { epsilon: account.epsilon, amount: account.amount, ..whole.cap };
        Some((whole.cap, now, whole.unit.clone()))
    });
    match known {
        Some((_, _, unit)) if unit != policy.terms.unit.name() => Err(ServiceError::Invalid(format!(
            "dataset \"{}\" was opened to protect \"{unit}\", and the policy's privacy_unit is \"{}\"; \
             seal it under another dataset name",
            policy.name,
            policy.terms.unit.name()
        ))),
        Some((opened, now, _)) if cap != opened && cap != now => {
            let message = format!(
                "dataset \"{}\" was opened with another cap (epsilon {}, delta {}, of it {} for thresholds, at most {} a query, {}; now epsilon {}); \
                 the policy's must be the same; a lifetime cap rises by tacit grant --kind dataset alone",
                policy.name,
                opened.epsilon,
                opened.delta(),
                opened.threshold_delta,
                opened.query_epsilon_max,
                opened.accountant.name(),
                now.epsilon
            );
            Err(ServiceError::Invalid(message))
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
        crate::kernel::budget::ledger::read(self.ledger(), |book| book.bearer(&digest))
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
