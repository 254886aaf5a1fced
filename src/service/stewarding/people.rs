//! Stewards' acts on people: tokens, and what viewers may see.
//!
//! Each rule is checked against the ledger's state inside the single writer, so that two acts never break it together.

use std::sync::Arc;

use crate::kernel::budget::entry::{Act, Digest, IssuedToken, ScramVerifier, VerifiedToken};
use crate::kernel::budget::ledger::{Ledger, act, read};
use crate::kernel::budget::people::{FIRST_TOKEN, Role, is_name};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::random::{self, NoRandomness};
use crate::query::error::shown;
use crate::service::stewarding::fault::{Absence, Conflict, StewardFault};
use crate::service::stewarding::scram;
use crate::service::{Service, ServiceError};

/// A token: 256 random bits, shown once.
pub struct Token(String);

impl Token {
    /// The prefix that distinguishes a token from other secrets.
    const PREFIX: &'static str = "tct";

    pub(crate) fn new() -> Result<Self, NoRandomness> {
        let bits = random::bytes::<32>()?;
        Ok(Self(format!("{}_{}", Self::PREFIX, hex::encode(bits))))
    }

    /// The token's text; show it once and do not store it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The digest of this token.
    pub(crate) fn digested(&self) -> Digest {
        Self::digest(&self.0)
    }

    /// What proofs of this token are checked with, if this person holds it. Takes about a millisecond.
    pub(crate) fn verifier(&self, holder: &str) -> ScramVerifier {
        scram::verifier(&self.0, scram::salt(holder), scram::ITERATIONS)
    }

    /// The digest under which a token is stored. 256 random bits need no salt and no slow hash.
    #[must_use]
    pub fn digest(text: &str) -> Digest {
        *blake3::hash(text.as_bytes()).as_bytes()
    }
}

/// Name recorded as the actor when somebody acts on a state directory while no server runs.
pub const AT_STATE_DIRECTORY: &str = "steward at the state directory";

/// Adds a person, or gives a new token to one whose tokens were revoked.
///
/// # Errors
/// [`ServiceError::Invalid`] for an invalid name; [`ServiceError::AlreadyExists`] if the person holds a token.
pub fn add_person(ledger: &dyn Ledger, name: &str, role: Role, by: &str, now_ms: u64) -> Result<Token, ServiceError> {
    add(ledger, (name, role, None), by, now_ms)
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
    add(ledger, (name, Role::Viewer, Some(datasets)), by, now_ms)
}

fn add(
    ledger: &dyn Ledger,
    (name, role, datasets): (&str, Role, Option<Vec<String>>),
    by: &str,
    now_ms: u64,
) -> Result<Token, ServiceError> {
    if !is_name(name) {
        return Err(StewardFault::Name { name: name.to_owned() }.into());
    }
    let token = Token::new().map_err(StewardFault::from)?;
    let verifier = token.verifier(name);
    let (name, by, token_name, token_digest) =
        (name.to_owned(), by.to_owned(), FIRST_TOKEN.to_owned(), token.digested());
    let issued = IssuedToken { name, role, datasets, token_name, token: token_digest, expires_at_ms: None, by };
    let rule = move |book: &LedgerState| match book.person(&issued.name) {
        Some((_, true)) => Err(Conflict::TokenHeld { name: issued.name }),
        Some((other, false)) if other != role => Err(Conflict::OtherRole { name: issued.name, role: other }),
        Some((_, false)) | None => Ok(Act::TokenIssuedWithVerifier(Box::new(VerifiedToken { issued, verifier }))),
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
    let (name, by) = (name.to_owned(), by.to_owned());
    let rule = move |book: &LedgerState| match book.person(&name) {
        Some((Role::Viewer, _)) => Ok(Act::ViewingSet { name, datasets, by }),
        Some((role, _)) => Err(ServiceError::from(StewardFault::NotViewer { name, role })),
        None => Err(Absence::Person { name }.into()),
    };
    act(ledger, rule, now_ms)?.map(|_| ())
}

/// Sorts and deduplicates datasets, and checks that they exist.
pub(super) fn known(ledger: &dyn Ledger, datasets: &[String]) -> Result<Vec<String>, ServiceError> {
    let unknown = read(ledger, |book| datasets.iter().find(|dataset| book.dataset(dataset).is_none()));
    if let Some(unknown) = unknown {
        return Err(ServiceError::UnknownDataset(shown(unknown)));
    }
    let mut once = datasets.to_vec();
    once.sort();
    once.dedup();
    Ok(once)
}

/// Revokes all tokens of a person. The last steward keeps theirs.
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

impl Service {
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
