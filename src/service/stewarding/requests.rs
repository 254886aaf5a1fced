//! Requests for budget: a researcher asks for a larger allocation, and a steward decides.
//!
//! A request asks for more than the researcher holds and at most for the dataset's cap. Nobody has more than a few open requests,
//! and each is decided once. Granting a request makes a grant by the same rules as any other, which is on record before the
//! decision. If a server stops between the two, the grant stands and the request is still open; deciding it again grants the same
//! total.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::grants::{self, Grant, Holder};
use crate::kernel::budget::entry::{AccountKind, Act, Entry};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::state::{LedgerState, REQUESTS_OPEN_MAX, RequestRecord};
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::error::shown;
use crate::service::ServiceError;
use crate::service::stewarding::accounts::timestamp;

/// A steward's decision on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Sets the researcher's allocation.
    Grant {
        /// The new total, as ε; `None` grants what was asked for.
        epsilon: Option<Epsilon>,
    },
    /// Declines the request; no allocation changes.
    Decline,
}

/// A request as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RequestView {
    /// The number of the request's entry in the ledger, which identifies it.
    pub number: u64,
    /// The name of the researcher who asks.
    pub researcher: String,
    /// The dataset whose allocation is to grow.
    pub dataset: String,
    /// The new total that is asked for, as ε.
    pub epsilon: String,
    /// Why the researcher asks for it.
    pub reason: String,
    /// When it was filed, in UTC, as RFC 3339 text.
    pub at: String,
    /// The request's state: `open`, `granted` or `declined`.
    pub status: &'static str,
    /// The steward's reason, once the request is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
}

/// Files a request for an allocation with the new total `epsilon`, and returns the request's number.
///
/// # Errors
/// [`ServiceError::UnknownDataset`] if the researcher holds no account of the dataset; [`ServiceError::Invalid`] for an invalid
/// reason, for an ε that is not above what is held or is above the dataset's cap, and if too many requests are open.
pub fn file(
    ledger: &dyn Ledger,
    researcher: &str,
    dataset: &str,
    epsilon: Epsilon,
    reason: &str,
    now_ms: u64,
) -> Result<u64, ServiceError> {
    grants::check_reason(reason)?;
    if read(ledger, |book| book.researcher(dataset, researcher).is_none()) {
        return Err(ServiceError::UnknownDataset(shown(dataset)));
    }
    let (researcher, dataset, reason) = (researcher.to_owned(), dataset.to_owned(), reason.to_owned());
    let rule = Box::new(move |book: &LedgerState| -> Result<Act, String> {
        check(book, &researcher, &dataset, epsilon)?;
        Ok(Act::Requested { researcher, dataset, epsilon, reason })
    });
    ledger.act(rule, now_ms)?.map(|entry| entry.seq).map_err(ServiceError::Invalid)
}

fn check(book: &LedgerState, researcher: &str, dataset: &str, epsilon: Epsilon) -> Result<(), String> {
    let held = book.researcher(dataset, researcher).ok_or("you hold no account of this dataset")?.epsilon;
    let cap = book.find(dataset, AccountKind::Dataset, dataset).ok_or("there is no such dataset")?.epsilon;
    if epsilon <= held || epsilon > cap {
        return Err(format!(
            "epsilon is {epsilon}; accepted is a new total above your allocation of {held} and at most the dataset's cap of {cap}"
        ));
    }
    let open = book.requests().filter(|(_, card)| card.researcher == researcher && card.decision.is_none()).count();
    if open >= REQUESTS_OPEN_MAX {
        return Err(format!("you have {open} open requests; accepted are at most {REQUESTS_OPEN_MAX} at once"));
    }
    Ok(())
}

/// Serializes decisions, because a grant and its decision are two entries. This suffices: only one process holds a ledger.
static DECIDING: Mutex<()> = Mutex::new(());

/// Decides on the request with that number. Granting first sets the allocation, keeping its renewal; it never lowers an
/// allocation.
///
/// # Errors
/// [`ServiceError::NotFound`] if there is no such request; [`ServiceError::AlreadyExists`] if it was decided before; otherwise
/// the errors of [`grants::grant`], in which case the request stays open.
pub fn decide(
    ledger: &dyn Ledger,
    number: u64,
    decision: Decision,
    reason: &str,
    by: &str,
    now_ms: u64,
) -> Result<Entry, ServiceError> {
    grants::check_reason(reason)?;
    let _deciding = DECIDING.lock().unwrap_or_else(PoisonError::into_inner);
    let card = read(ledger, |book| book.request(number).cloned());
    let card = card.ok_or_else(|| ServiceError::NotFound(format!("there is no request {number}")))?;
    if card.decision.is_some() {
        return Err(ServiceError::AlreadyExists(decided(number)));
    }
    let granted = match decision {
        Decision::Grant { epsilon } => {
            grant(ledger, &card, epsilon.unwrap_or(card.epsilon), (reason, by), now_ms)?;
            true
        }
        Decision::Decline => false,
    };
    let (reason, by) = (reason.to_owned(), by.to_owned());
    let rule = Box::new(move |book: &LedgerState| match book.request(number) {
        Some(card) if card.decision.is_none() => Ok(Act::RequestDecided { request: number, granted, reason, by }),
        Some(_) | None => Err(decided(number)),
    });
    ledger.act(rule, now_ms)?.map_err(ServiceError::AlreadyExists)
}

fn decided(number: u64) -> String {
    format!("request {number} was decided before; accepted is an open request")
}

fn grant(
    ledger: &dyn Ledger,
    card: &RequestRecord,
    epsilon: Epsilon,
    (reason, by): (&str, &str),
    now_ms: u64,
) -> Result<(), ServiceError> {
    let account = read(ledger, |book| {
        let account = book.researcher(&card.dataset, &card.researcher)?;
        Some((account.epsilon, account.renewal.map(|renewal| renewal.days)))
    });
    let (held, period_days) = account.ok_or_else(|| ServiceError::UnknownDataset(shown(&card.dataset)))?;
    if epsilon < held {
        return Err(ServiceError::Invalid(format!(
            "epsilon is {epsilon}, and \"{}\" holds {held}; accepted is at least that, since granting a request lowers nothing; or decline it",
            card.researcher
        )));
    }
    let to = Holder::Researcher { name: card.researcher.clone(), project: None, period_days };
    let (dataset, reason, by) = (card.dataset.clone(), reason.to_owned(), by.to_owned());
    grants::grant(ledger, Grant { to, dataset, epsilon, reason, by }, now_ms).map(|_| ())
}

/// The requests of one researcher, or, if `of` is `None`, of all researchers; newest first.
#[must_use]
pub fn requests(ledger: &dyn Ledger, of: Option<&str>) -> Vec<RequestView> {
    read(ledger, |book| {
        let seen = book.requests().rev().filter(|(_, card)| of.is_none_or(|name| card.researcher == name));
        seen.map(|(number, card)| view(number, card)).collect()
    })
}

/// The request with this number, if there is one.
#[must_use]
pub fn request(ledger: &dyn Ledger, number: u64) -> Option<RequestView> {
    read(ledger, |book| book.request(number).map(|card| view(number, card)))
}

fn view(number: u64, card: &RequestRecord) -> RequestView {
    let (status, decision_reason) = match &card.decision {
        None => ("open", None),
        Some((true, reason)) => ("granted", Some(reason.clone())),
        Some((false, reason)) => ("declined", Some(reason.clone())),
    };
    RequestView {
        number,
        researcher: card.researcher.clone(),
        dataset: card.dataset.clone(),
        epsilon: card.epsilon.to_string(),
        reason: card.reason.clone(),
        at: timestamp(card.at_ms),
        status,
        decision_reason,
    }
}
