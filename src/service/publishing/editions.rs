//! Editions: sealing a policy's source and making the result what queries see.
//!
//! A dataset is protected by one lifetime cap over all of its editions, so no edition is sealed or published whose policy has another
//! cap than the ledger. Queries see an edition only once it is whole; the one before is removed after that.

use std::io;
use std::path::Path;

use crate::engine::seal::{Report, SealError, clear_superseded, seal};
use crate::kernel::budget::entry::{Act, Cap};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::clock::Clock;
use crate::kernel::privacy::amounts::Delta;
use crate::query::terms::edition::Manifest;
use crate::query::terms::policy::Policy;
use crate::service::ServiceError;
use crate::service::stewarding::fault::StewardFault;
use crate::service::stewarding::grants::set_frozen;
use crate::service::stewarding::people::AT_STATE_DIRECTORY;

/// An edition that was sealed and that queries see.
pub struct PublishedEdition {
    /// The edition's manifest.
    pub manifest: Manifest,
    /// What sealing did, for stewards alone.
    pub report: Report,
    /// Why a superseded edition could not be removed; `None` if all of them were.
    pub leftover: Option<io::ErrorKind>,
}

/// Why an edition was not sealed or not published.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The source could not be sealed; the ledger was not changed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The ledger does not accept the policy, or cannot be written.
    #[error(transparent)]
    Ledger(#[from] ServiceError),
}

/// Checks the policy's cap, seals its source into the state directory, publishes the edition, and removes the editions that no
/// dataset uses any more. `progress` is told how many rows were read.
///
/// # Errors
/// [`PublicationError`]; the editions that queries see are as they were.
pub fn seal_and_publish(
    ledger: &dyn Ledger,
    policy: &Policy,
    state: &Path,
    progress: &dyn Fn(u64),
    clock: &dyn Clock,
) -> Result<PublishedEdition, PublicationError> {
    check_cap(ledger, policy)?;
    let (manifest, report) = seal(policy, state, progress)?;
    publish_edition(ledger, policy, &manifest, clock.now_ms())?;
    let leftover = clear_superseded(state, &current_editions(ledger)).err().map(|error| error.kind());
    Ok(PublishedEdition { manifest, report, leftover })
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
