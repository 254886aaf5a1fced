//! Requests for budget: a researcher asks for a larger allocation, and a steward decides.
//!
//! A request asks for more than the researcher holds and at most for the dataset's cap. Nobody has more than a few open requests,
//! and each is decided once. Granting a request makes a grant by the same rules as any other; the grant and the decision are one
//! entry of the ledger.

use serde::{Deserialize, Serialize};

use super::grants::{self, Grant, Holder};
use crate::kernel::budget::entry::{AccountKind, Act, Entry};
use crate::kernel::budget::ledger::{Ledger, act, read};
use crate::kernel::budget::state::{LedgerState, REQUESTS_OPEN_MAX, RequestRecord};
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::error::shown;
use crate::service::ServiceError;
use crate::service::stewarding::accounts::timestamp;
use crate::service::stewarding::fault::{Absence, Conflict, GrantFault, StewardFault};

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

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestStatus {
    /// No steward has decided yet.
    Open,
    /// A steward set the allocation.
    Granted,
    /// A steward declined; no allocation changed.
    Declined,
}

impl RequestStatus {
    /// The status as JSON and people see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Declined => "declined",
        }
    }
}

/// A request as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestView {
    /// The number of the request's entry in the ledger, which identifies it.
    pub number: u64,
    /// The name of the researcher who asks.
    pub researcher: String,
    /// The dataset whose allocation is to grow.
    pub dataset: String,
    /// The new total that is asked for, as ε.
    #[schema(value_type = String)]
    pub epsilon: Epsilon,
    /// Why the researcher asks for it.
    pub reason: String,
    /// When it was filed, in UTC, as RFC 3339 text.
    pub at: String,
    /// The request's state: `open`, `granted` or `declined`.
    #[schema(value_type = String)]
    pub status: RequestStatus,
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
    let rule = move |book: &LedgerState| {
        check(book, &researcher, &dataset, epsilon)?;
        Ok::<_, StewardFault>(Act::Requested { researcher, dataset, epsilon, reason })
    };
    Ok(act(ledger, rule, now_ms)??.seq)
}

fn check(book: &LedgerState, researcher: &str, dataset: &str, epsilon: Epsilon) -> Result<(), StewardFault> {
    let held = book.researcher(dataset, researcher).ok_or(GrantFault::UnknownAccount)?.epsilon;
    let cap = book.find(dataset, AccountKind::Dataset, dataset).ok_or(GrantFault::UnknownDataset)?.epsilon;
    if epsilon <= held || epsilon > cap {
        return Err(StewardFault::RequestedTotal { epsilon, held, cap });
    }
    let open = book.requests().filter(|(_, card)| card.researcher == researcher && card.decision.is_none()).count();
    if open >= REQUESTS_OPEN_MAX {
        return Err(StewardFault::RequestsOpen { open });
    }
    Ok(())
}

/// Decides on the request with that number, in one entry. Granting sets the allocation, keeping its renewal; it never lowers an
/// allocation.
///
/// # Errors
/// [`ServiceError::NotFound`] if there is no such request; [`ServiceError::AlreadyExists`] if it was decided before; otherwise
/// the errors of [`grants::grant`]. The request then stays as it was.
pub fn decide(
    ledger: &dyn Ledger,
    number: u64,
    decision: Decision,
    reason: &str,
    by: &str,
    now_ms: u64,
) -> Result<Entry, ServiceError> {
    grants::check_reason(reason)?;
    let (reason, by) = (reason.to_owned(), by.to_owned());
    match decision {
        Decision::Grant { epsilon } => grant(ledger, number, epsilon, (reason, by), now_ms),
        Decision::Decline => {
            let rule = move |book: &LedgerState| {
                open_request(book, number)?;
                Ok(Act::RequestDecided { request: number, granted: false, reason, by })
            };
            act(ledger, rule, now_ms)?
        }
    }
}

/// The request with that number, provided that nobody has decided on it.
fn open_request(book: &LedgerState, number: u64) -> Result<&RequestRecord, ServiceError> {
    let card = book.request(number).ok_or(Absence::Request { number })?;
    match card.decision {
        None => Ok(card),
        Some(_) => Err(Conflict::RequestDecided { number }.into()),
    }
}

/// Grants a request; `epsilon` is the new total, `None` for what was asked for.
fn grant(
    ledger: &dyn Ledger,
    number: u64,
    epsilon: Option<Epsilon>,
    (reason, by): (String, String),
    now_ms: u64,
) -> Result<Entry, ServiceError> {
    let card = read(ledger, |book| open_request(book, number).cloned())?;
    let epsilon = epsilon.unwrap_or(card.epsilon);
    let (accountant, amount) = grants::amount_of(ledger, &card.dataset, epsilon)?;
    let rule = move |book: &LedgerState| {
        let RequestRecord { researcher, dataset, .. } = open_request(book, number)?.clone();
        let account = book.researcher(&dataset, &researcher).ok_or(StewardFault::from(GrantFault::UnknownAccount))?;
        if epsilon < account.epsilon {
            return Err(StewardFault::GrantedTotal { epsilon, researcher, held: account.epsilon }.into());
        }
        let period_days = account.renewal.map(|renewal| renewal.days);
        let to = Holder::Researcher { name: researcher, project: None, period_days };
        let grant = Grant { to, dataset, epsilon, reason, by };
        let act = grants::act_of(book, accountant, &grant, amount, now_ms).map_err(StewardFault::from)?;
        Ok(of_request(number, act))
    };
    act(ledger, rule, now_ms)?
}

/// The act that makes a researcher's grant and closes the request it answers.
fn of_request(request: u64, grant: Act) -> Act {
    match grant {
        Act::Granted { researcher, dataset, project, epsilon, amount, period_days, reason, by } => {
            Act::RequestGranted { request, researcher, dataset, project, epsilon, amount, period_days, reason, by }
        }
        other => other,
    }
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
        None => (RequestStatus::Open, None),
        Some((true, reason)) => (RequestStatus::Granted, Some(reason.clone())),
        Some((false, reason)) => (RequestStatus::Declined, Some(reason.clone())),
    };
    RequestView {
        number,
        researcher: card.researcher.clone(),
        dataset: card.dataset.clone(),
        epsilon: card.epsilon,
        reason: card.reason.clone(),
        at: timestamp(card.at_ms),
        status,
        decision_reason,
    }
}
