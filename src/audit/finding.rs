//! What an audit finds, and how it asks.

use crate::client::ClientError;
use crate::kernel::privacy::amounts::Epsilon;
use serde::Serialize;

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
