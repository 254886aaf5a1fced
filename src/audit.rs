//! The audit: tests, from outside, what a server claims about its privacy.
//!
//! It derives lower bounds on ε from a server's answers alone. It asks one question many times of two datasets that differ, in
//! each of thousands of disjoint groups, by one unit with everything that a unit may have. The bounds hold at 99.9 % if the noise
//! of groups and questions is independent, and the audit looks for noise that is not. It knows nothing of the server's inside:
//! what a price must be it computes itself. A claim that it does not break is not thereby proved, and it says how large a fault
//! it would have noticed.

pub mod bounds;
mod claims;
mod running;
mod sampling;
pub mod tables;
pub mod throwaway;
pub mod timing;

use serde::Serialize;
use serde_json::Value;

use crate::client::{Client, ClientError};
use crate::kernel::privacy::amounts::Epsilon;
use claims::{Claim, Law};
use sampling::Sampled;
use tables::{Kind, WITH, WITHOUT};

/// Why the audit reached no verdict.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The server could not be asked, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server's answer cannot be used; the text says why.
    #[error("{0}")]
    Unusable(String),
}

/// What is audited, and with how many samples.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The ε of every question.
    pub epsilon: Epsilon,
    /// Smallest number of samples per side and mechanism.
    pub samples: u64,
}

/// The finding of an audit of one mechanism.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The mechanism in words: the kind of noise and what it is added to.
    pub mechanism: String,
    /// The ε that each question claims to cost.
    pub claimed: f64,
    /// Lower bound on the true ε, at 99.9 %. For Gaussian noise it belongs to the Gaussian curve that the claim names.
    pub lower_bound: f64,
    /// The δ at which both are stated.
    pub delta: f64,
    /// Number of samples of each side.
    pub samples: u64,
    /// Probability that noise too small by a factor of 1.2 would have been caught.
    pub power: f64,
    /// For Gaussian noise, points of its privacy curve: the claimed δ at an ε, and the lower bound on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// The charge to the account for the questions, as a multiple of what it must be; the smaller one of both datasets.
    pub charged: f64,
    /// Everything that contradicts the claim; empty if the claim holds.
    pub broken: Vec<String>,
}

impl Finding {
    /// Whether nothing that was found contradicts the claim.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}

/// A point of a privacy curve: δ at a given ε.
#[derive(Debug, Clone, Serialize)]
pub struct CurvePoint {
    /// The ε of this point.
    pub epsilon: f64,
    /// The δ claimed at this ε: an upper bound.
    pub claimed: f64,
    /// Lower bound on the true δ at this ε, at 99.9 %.
    pub lower_bound: f64,
}

/// Audits kinds of measurements of a server's two audit datasets, as the researcher whose token `client` holds. Findings made
/// before an error are kept in `findings`.
///
/// # Errors
/// [`AuditError`] if the server cannot be asked. A broken claim is a finding, not an error.
pub fn run(client: &Client, scope: Scope, kinds: &[Kind], findings: &mut Vec<Finding>) -> Result<(), AuditError> {
    let law = law(client)?;
    let kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| law.has(*kind)).collect();
    let share = |kind: &Kind| Claim::new(law, scope.epsilon, *kind).fraction() * questions(scope, *kind) as f64;
    let planned: f64 = kinds.iter().map(share).sum();
    let spent = spent(client)?;
    let left = 1.0 - spent[0].max(spent[1]);
    if planned > left {
        let message = format!(
            "the audit would take {planned:.3} of its allocations, and {left:.3} is left; ask for fewer --samples or a smaller \
             --epsilon, or audit a server whose audit tables are new"
        );
        return Err(AuditError::Unusable(message));
    }
    for kind in kinds {
        findings.push(one(client, scope, kind)?);
    }
    Ok(())
}

/// Number of questions that a kind takes; at least two, so that repeated noise is noticed.
fn questions(scope: Scope, kind: Kind) -> u64 {
    scope.samples.div_ceil(kind.samples_per_query()).max(2)
}

/// The noise law that both datasets declare; they must be as `prepare` wrote them.
fn law(client: &Client) -> Result<Law, AuditError> {
    let of = |name: &str| {
        let dataset = client.get(&format!("/v1/datasets/{name}"))?;
        let text = |path: &str| dataset.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let law = match text("/accountant").as_str() {
            "pure" => Some(Law::Laplace),
            "gaussian" => text("/cap/delta").parse().ok().map(|delta| Law::Gaussian { delta }),
            _ => None,
        };
        let is_prepared =
            dataset.get("max_rows_per_unit").and_then(Value::as_u64) == Some(tables::ROWS_PER_UNIT.into());
        let unusable = || AuditError::Unusable(format!("dataset \"{name}\" is not one that audit --prepare wrote"));
        law.filter(|_| is_prepared).ok_or_else(unusable)
    };
    let (with, without) = (of(WITH)?, of(WITHOUT)?);
    if with == without {
        Ok(with)
    } else {
        Err(AuditError::Unusable("the two datasets have different accountants".to_owned()))
    }
}

/// Audits one kind of measurement.
///
/// # Errors
/// The errors of [`run`].
pub fn one(client: &Client, scope: Scope, kind: Kind) -> Result<Finding, AuditError> {
    let claim = Claim::new(law(client)?, scope.epsilon, kind);
    let events = claim.events();
    let questions = questions(scope, kind);
    let before = spent(client)?;
    let side = |dataset: &'static str| {
        let (client, events) = (client.clone(), &events);
        move || Sampled::new(&client, (dataset, kind, scope.epsilon), questions, events)
    };
    let (with, without) = std::thread::scope(|scope| {
        let with = scope.spawn(side(WITH));
        let without = side(WITHOUT)();
        (with.join(), without)
    });
    let cut_off = |_| AuditError::Unusable("the audit was cut off".to_owned());
    let (with, without) = (with.map_err(cut_off)??, without?);
    let due = claim.fraction() * questions as f64;
    let after = spent(client)?;
    let charged = ((after[0] - before[0]) / due).min((after[1] - before[1]) / due);
    claim.finding(&events, (&with, &without), charged, due)
}

/// What the auditing researcher has spent of each dataset, as a fraction of the allocation.
fn spent(client: &Client) -> Result<[f64; 2], AuditError> {
    let accounts = client.get("/v1/accounts")?;
    let of = |name: &str| {
        let mine = accounts.as_array().into_iter().flatten().find(|account| {
            let text = |key: &str| account.get(key).and_then(Value::as_str);
            text("dataset") == Some(name) && text("kind") == Some("researcher")
        });
        let number = |key: &str| mine?.get(key)?.as_str()?.parse::<f64>().ok();
        number("fraction_spent").filter(|_| number("epsilon_cap") == Some(tables::CAP))
    };
    if let (Some(with), Some(without)) = (of(WITH), of(WITHOUT)) {
        return Ok([with, without]);
    }
    let message =
        format!("the auditing researcher needs an allocation of epsilon {} of both audit datasets", tables::CAP);
    Err(AuditError::Unusable(message))
}
