//! The audit: what a server claims of its privacy, tested from outside.
//!
//! Promises lower bounds on ε from a server's answers alone: it asks one question many times of two datasets that differ, in each of
//! thousands of disjoint groups, by one unit with everything that a unit may have. The bounds hold at 99.9 % where the noise of
//! groups and questions is independent, and it looks for noise that is not. It knows no inside of the server: what a price must be
//! it computes by itself. A claim that it does not break is not proved by it, and it says how much it would have noticed.

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

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The server says no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the server says cannot be used.
    #[error("{0}")]
    Unusable(String),
}

/// What is audited, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// ε of every question.
    pub epsilon: Epsilon,
    /// Samples a side and mechanism at the least.
    pub samples: u64,
}

/// What was found of one mechanism.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which noise, and of what.
    pub mechanism: String,
    /// ε that each question claims to cost.
    pub claimed: f64,
    /// What ε is at least, at 99.9 %; for Gaussian noise, of the Gaussian curve that the claim names.
    pub lower_bound: f64,
    /// δ that both are stated at.
    pub delta: f64,
    /// Samples of each side.
    pub samples: u64,
    /// The chance that noise too small by a factor of 1.2 would have been caught.
    pub power: f64,
    /// For Gaussian noise, points of its curve: δ claimed at an ε, and what it is at least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// What the account says that the questions cost, as a multiple of what they must; the lower one of both datasets.
    pub charged: f64,
    /// What speaks against the claim; nothing where it holds.
    pub broken: Vec<String>,
}

impl Finding {
    /// Nothing found speaks against the claim.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}

/// A point of a privacy curve.
#[derive(Debug, Clone, Serialize)]
pub struct CurvePoint {
    /// At this ε,
    pub epsilon: f64,
    /// δ is claimed to be at most this,
    pub claimed: f64,
    /// and is at least this, at 99.9 %.
    pub lower_bound: f64,
}

/// Audits kinds of measurements of the two audit datasets of a server, as the researcher that `client` speaks for. What was
/// found before an error is kept in `findings`.
///
/// # Errors
/// [`AuditError`] where the server cannot be asked; a claim that does not hold is a finding.
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

/// Questions that a kind takes; at least two, so that noise which repeats is seen to.
fn questions(scope: Scope, kind: Kind) -> u64 {
    scope.samples.div_ceil(kind.samples_per_query()).max(2)
}

/// The law that both datasets declare; they must be as they were prepared.
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
        Err(AuditError::Unusable("the two datasets have two accountants".to_owned()))
    }
}

/// Audits one kind of measurement.
///
/// # Errors
/// As of [`run`].
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

/// What the asking researcher has spent of both datasets, as a part of the allocation.
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
