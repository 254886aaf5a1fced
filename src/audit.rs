//! The audit: what a server claims of its privacy, tested from outside.
//!
//! Promises lower bounds on ε that hold at 99.9 %, whatever the server does, from its answers alone: it asks one question many
//! times of two datasets that differ, in each of thousands of disjoint groups, by one unit with everything that a unit may have.
//! It knows no inside of the server; a claim that it does not break is not proved by it, and it says how much it would have
//! noticed.

pub mod bounds;
mod claims;
pub mod tables;
pub mod throwaway;
pub mod timing;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::chance;
use crate::client::{Client, ClientError};
use crate::privacy::accountant::Accountant;
use crate::privacy::units::{Delta, Epsilon};
use bounds::{Event, Tally};
use claims::Claim;
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
    /// What ε is at least, at 99.9 %.
    pub lower_bound: f64,
    /// δ that both are stated at.
    pub delta: f64,
    /// Samples of each side.
    pub samples: u64,
    /// The chance that noise too small by a factor of 1.2 would have been caught.
    pub power: f64,
    /// For Gaussian noise, other points of its curve: δ claimed at an ε, and what it is at least.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// What the account says that the questions cost, as a multiple of what they should have.
    pub charged: f64,
    /// Nothing found speaks against the claim.
    pub holds: bool,
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

/// The charge may differ from the price by this part: fractions come with nine digits.
const CHARGE_TOLERANCE: f64 = 1e-6;

/// Audits every kind of measurement of the two audit datasets of a server, as the researcher that `client` speaks for.
///
/// # Errors
/// [`AuditError`] where the server cannot be asked; a claim that does not hold is a finding.
pub fn run(client: &Client, scope: Scope) -> Result<Vec<Finding>, AuditError> {
    Kind::ALL.iter().map(|kind| one(client, scope, *kind)).collect()
}

/// The accountant that both datasets declare.
fn accountant(client: &Client) -> Result<Accountant, AuditError> {
    let of = |name: &str| {
        let dataset = client.get(&format!("/v1/datasets/{name}"))?;
        let text = |path: &str| dataset.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let unusable = || AuditError::Unusable(format!("dataset \"{name}\" is not one that audit --prepare wrote"));
        match text("/accountant").as_str() {
            "pure" => Ok(Accountant::Pure),
            "gaussian" => {
                let delta = Delta::parse(&text("/cap/delta")).map_err(|_| unusable())?;
                Ok(Accountant::Gaussian { delta })
            }
            _ => Err(unusable()),
        }
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
    let claim = Claim::new(accountant(client)?, scope.epsilon, kind);
    let events = claim.events();
    let queries = scope.samples.div_ceil(kind.samples_per_query());
    let before = fraction_spent(client)?;
    let side = |dataset: &'static str| {
        let (client, events) = (client.clone(), &events);
        move || tally(&client, dataset, kind, scope.epsilon, queries, events)
    };
    let (with, without) = std::thread::scope(|scope| {
        let with = scope.spawn(side(WITH));
        let without = side(WITHOUT)();
        (with.join(), without)
    });
    let broken = || AuditError::Unusable("the audit was cut off".to_owned());
    let (with, without) = (with.map_err(|_| broken())??, without?);
    let due = claim.fraction() * queries as f64;
    let charged = (fraction_spent(client)? - before) / due;
    Ok(claim.finding(&events, (&with, &without), charged))
}

/// What the dataset's account of the asking researcher has spent, as a part of its allocation; of both datasets the mean.
fn fraction_spent(client: &Client) -> Result<f64, AuditError> {
    let accounts = client.get("/v1/accounts")?;
    let spent = accounts.as_array().into_iter().flatten().filter_map(|account| {
        let name = account.get("dataset")?.as_str()?;
        let mine = account.get("kind")?.as_str()? == "researcher" && (name == WITH || name == WITHOUT);
        let number = |key: &str| account.get(key)?.as_str()?.parse::<f64>().ok();
        (mine && number("epsilon_cap")? == tables::CAP).then_some(number("fraction_spent")?)
    });
    let spent: Vec<f64> = spent.collect();
    if spent.len() == 2 {
        return Ok(spent.iter().sum::<f64>() / 2.0);
    }
    let message =
        format!("the auditing researcher needs an allocation of epsilon {} of both audit datasets", tables::CAP);
    Err(AuditError::Unusable(message))
}

/// Asks, and counts how often each event happened.
fn tally(
    client: &Client,
    dataset: &str,
    kind: Kind,
    epsilon: Epsilon,
    queries: u64,
    events: &[Event],
) -> Result<Vec<Tally>, AuditError> {
    let mut tallies = vec![Tally::default(); events.len()];
    let salts = salts(queries)?;
    for salt in salts {
        let body = json!({"sql": kind.sql(dataset, salt), "epsilon": epsilon.to_string(), "purpose": "audit"});
        let csv = client.post_for("/v1/queries", &body, "text/csv")?;
        for sample in samples(&csv, kind)? {
            for (event, tally) in events.iter().zip(&mut tallies) {
                tally.add(event.holds(&sample));
            }
        }
    }
    Ok(tallies)
}

/// Numbers that stand in no row, so that each makes a question of its own over the same rows; random, so that another run has others.
fn salts(queries: u64) -> Result<Vec<u64>, AuditError> {
    let bytes = chance::bytes::<8>().map_err(|error| AuditError::Unusable(error.to_string()))?;
    let first = u64::from_le_bytes(bytes) % (tables::SALTS - queries.min(tables::SALTS - 1));
    Ok((first..first + queries).map(|salt| salt + 1).collect())
}

/// The cells of each sample.
fn samples(csv: &[u8], kind: Kind) -> Result<Vec<Vec<f64>>, AuditError> {
    let foreign = || AuditError::Unusable("an answer of an audit dataset has another shape".to_owned());
    let mut samples: HashMap<(String, usize), Vec<f64>> = HashMap::new();
    let mut rows = csv::Reader::from_reader(csv);
    for row in rows.records() {
        let row = row.map_err(|_| foreign())?;
        let (Some(group), Some(slot), Some(value)) = (row.get(0), row.get(1), row.get(2)) else {
            return Err(foreign());
        };
        let Some(sample) = kind.sample_of(slot) else { continue };
        let value = value.parse().map_err(|_| foreign())?;
        samples.entry((group.to_owned(), sample)).or_default().push(value);
    }
    if samples.len() as u64 == kind.samples_per_query() { Ok(samples.into_values().collect()) } else { Err(foreign()) }
}
