//! The certificate: what an answer will cost and the noise it will carry, decided before any data is touched.
//!
//! Promises that the price covers the certified loss of every measurement. Only [`certify`] makes certificates.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::accountant::Accountant;
use super::curve::QUANTA_PER_PRECISION;
use super::extent::Extent;
use super::mechanism::{self, Mechanism, NoiseLaw};
use super::sensitivity::Sensitivity;
use super::threshold::Threshold;
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};

/// The 97.5 % quantile of the standard normal law.
pub const NORMAL_975: f64 = 1.959_964;

/// The largest price of one measurement. No cap holds half of it (ε is at most 100, so μ² is below 200), so anything more expensive is
/// refused anyway.
const PRICE_QUANTA_MAX: f64 = 1e18;

/// A measurement to be priced, as the privacy core sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasurementSpec {
    /// How much one unit can change the exact vector.
    pub sensitivity: Sensitivity,
    /// Number of noisy cells in the vector.
    pub cells: u64,
    /// Bounds that no exact vector of a table within its capacity exceeds.
    pub extent: Extent,
}

/// The accuracy that is asked for an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Accuracy {
    /// Spend this ε on the whole answer, split evenly over its measurements.
    Epsilon(Epsilon),
    /// Spend this ε on the whole answer, split (as an amount, not as ε) in proportion to these weights, one per measurement.
    Weighted(Epsilon, Vec<f64>),
    /// Reach these standard errors, one per measurement, in the measurement's integer steps.
    StdErrors(Vec<f64>),
}

/// The data that a certificate is valid for: one edition of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Subject {
    /// The dataset's name.
    pub dataset: String,
    /// The edition's random id.
    pub edition: String,
}

/// One certified measurement: its sensitivity, noise law and price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct CertifiedMeasurement {
    /// How much one unit can change the exact vector.
    pub sensitivity: Sensitivity,
    /// The noise law that is drawn from.
    pub law: NoiseLaw,
    /// The price, never less than the certified loss.
    pub price: Price,
    /// Number of noisy cells in the vector.
    pub cells: u64,
}

impl CertifiedMeasurement {
    /// Returns whether the price covers the loss of the law, by repeating the exact arithmetic of [`certify`].
    #[must_use]
    pub fn holds(&self) -> bool {
        mechanism::is_covered(self.sensitivity, &self.law, self.price)
    }
}

/// Prices and noise laws of all measurements of an answer, certified before any data is touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    subject: Subject,
    mechanism: Mechanism,
    measurements: Vec<CertifiedMeasurement>,
    extents: Vec<Extent>,
    price: Price,
    cells: u64,
    threshold: Option<GroupThreshold>,
}

/// How an answer without a public list of groups decides which groups to hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupThreshold {
    /// Index of the measurement that counts units, to which the threshold applies.
    pub units: usize,
    /// The threshold's parameters: groups per unit and δ_t.
    pub threshold: Threshold,
    /// Bit set of the indices of measurements over all groups together; these have one cell, and it is never hidden.
    pub totals: u64,
}

impl GroupThreshold {
    /// Returns whether the measurement at index `place` is over all groups together.
    #[must_use]
    pub fn is_total(&self, place: usize) -> bool {
        u32::try_from(place).is_ok_and(|place| self.totals.checked_shr(place).unwrap_or(0) & 1 == 1)
    }
}

/// Why no certificate could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncertifiable {
    /// The accuracy asked for is worth less than the smallest amount that can be charged.
    #[error(
        "the accuracy asked for is worth less than the smallest price; ask for a larger epsilon, or a smaller margin"
    )]
    TooLittle,
}

impl Certificate {
    /// The edition of a dataset that this certificate is valid for.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The family of the noise, the same for all measurements.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The certified measurements, in the plan's order.
    #[must_use]
    pub fn measurements(&self) -> &[CertifiedMeasurement] {
        &self.measurements
    }

    /// Bounds on the exact vectors, one per measurement, in the plan's order.
    #[must_use]
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The sum of the measurements' prices.
    #[must_use]
    pub fn price(&self) -> Price {
        self.price
    }

    /// Total number of noisy cells; for groups without a public list, the declared capacity counts.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// Returns this certificate with a rule for hiding groups, for groups without a public list; `None` shows every group.
    #[must_use]
    pub fn hiding(self, threshold: Option<GroupThreshold>) -> Self {
        Self { threshold, ..self }
    }

    /// The rule by which groups are hidden; `None` if their list is public.
    #[must_use]
    pub fn threshold(&self) -> Option<GroupThreshold> {
        self.threshold
    }

    /// δ_t of the threshold, or 0 if there is none.
    #[must_use]
    pub fn threshold_delta(&self) -> Delta {
        self.threshold.map_or(Delta::ZERO, |hiding| hiding.threshold.delta)
    }
}

/// Returns the price of each measurement at an accuracy, before any stored draws are taken into account.
///
/// An ε is converted to an amount and split evenly; the remainder goes to the first measurements, one smallest amount each. A standard
/// error σ costs Δ₂²/σ² of precision (`gaussian`), or Δ₁/b of ε at 2b² = σ² (`pure`), rounded up.
#[must_use]
pub fn prices(accountant: Accountant, sought: &[MeasurementSpec], accuracy: &Accuracy) -> Vec<Price> {
    match accuracy {
        Accuracy::Epsilon(epsilon) => split(accountant.price(*epsilon), sought.len()),
        Accuracy::Weighted(epsilon, weights) => weighted(accountant.price(*epsilon), weights),
        Accuracy::StdErrors(errors) => sought
            .iter()
            .zip(errors)
            .map(|(sought, error)| price_of_error(accountant, sought.sensitivity, *error))
            .collect(),
    }
}

/// Fixes the noise laws of measurements at their [`prices`].
///
/// # Errors
/// [`Uncertifiable`] if the price of a measurement is too small for any noise law.
pub fn certify(
    accountant: Accountant,
    subject: Subject,
    sought: &[MeasurementSpec],
    prices: &[Price],
) -> Result<Certificate, Uncertifiable> {
    assert_eq!(sought.len(), prices.len(), "every measurement has its price");
    let mut measurements = Vec::with_capacity(sought.len());
    let (mut price, mut cells) = (Price::ZERO, 0_u64);
    for (sought, share) in sought.iter().zip(prices.iter().copied()) {
        let law = law_within(accountant, sought.sensitivity, share)?;
        assert!(
            mechanism::loss_by_opendp(sought.sensitivity, &law).is_some_and(|loss| loss <= share),
            "a certified loss is never above its price"
        );
        price = price.saturating_add(share);
        cells = cells.saturating_add(sought.cells);
        measurements.push(CertifiedMeasurement {
            sensitivity: sought.sensitivity,
            law,
            price: share,
            cells: sought.cells,
        });
    }
    let mechanism = accountant.mechanism();
    let extents = sought.iter().map(|sought| sought.extent).collect();
    Ok(Certificate { subject, mechanism, measurements, extents, price, cells, threshold: None })
}

fn law_within(accountant: Accountant, sensitivity: Sensitivity, price: Price) -> Result<NoiseLaw, Uncertifiable> {
    match accountant {
        Accountant::Gaussian { .. } => mechanism::gaussian(sensitivity, price),
        Accountant::Pure => mechanism::laplace(sensitivity, price),
    }
    .map_err(|_| Uncertifiable::TooLittle)
}

fn split(total: Price, parts: usize) -> Vec<Price> {
    let parts = parts.max(1) as u64;
    let (each, rest) = (total.quanta() / parts, total.quanta() % parts);
    (0..parts).map(|index| Price::from_quanta(each + u64::from(index < rest))).collect()
}

/// Splits a price in proportion to `weights`, rounded down; the remainder goes to the first share. Even weights give an exactly even split.
fn weighted(total: Price, weights: &[f64]) -> Vec<Price> {
    if weights.windows(2).all(|pair| (pair[0] / pair[1] - 1.0).abs() < 1e-6) {
        return split(total, weights.len());
    }
    let sum: f64 = weights.iter().sum();
    // The conversion to an integer truncates.
    let mut shares: Vec<u64> = weights.iter().map(|weight| (total.quanta() as f64 * (weight / sum)) as u64).collect();
    let given = shares.iter().fold(0_u64, |given, share| given.saturating_add(*share));
    match (total.quanta().checked_sub(given), shares.first_mut()) {
        (Some(left), Some(first)) => *first += left,
        // Float rounding gave out slightly too much.
        (None, Some(first)) => *first = first.saturating_sub(given - total.quanta()),
        (_, None) => {}
    }
    shares.into_iter().map(Price::from_quanta).collect()
}

fn price_of_error(accountant: Accountant, sensitivity: Sensitivity, error: f64) -> Price {
    let units = match accountant {
        Accountant::Gaussian { .. } => sensitivity.l2_squared() as f64 / (error * error) * QUANTA_PER_PRECISION,
        Accountant::Pure => sensitivity.l1() as f64 * std::f64::consts::SQRT_2 / error * 1e9,
    };
    // The factor covers float rounding and the last step of the scale, so that the error asked for is reached.
    let units = (units * (1.0 + 1e-9)).ceil();
    Price::from_quanta((units.min(PRICE_QUANTA_MAX) as u64).max(1))
}
