//! The certificate: what an answer will cost and the noise it will carry, decided before any data is touched.
//!
//! Promises that the price covers the certified loss of every measurement. Made by [`certify`] alone.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::accountant::Accountant;
use super::curve::UNITS_PER_PRECISION;
use super::extent::Extent;
use super::mechanism::{self, Mechanism, NoiseLaw};
use super::sensitivity::Sensitivity;
use super::threshold::Threshold;
use super::units::{Delta, Epsilon, Price};

/// The 97.5 % point of the standard normal law.
pub const NORMAL_975: f64 = 1.959_964;

/// A measurement is priced at this at the most. No cap holds half of it (ε is at most 100, so μ² is below 200), so what
/// costs more is refused all the same.
const PRICE_UNITS_MAX: f64 = 1e18;

/// One measurement as the privacy core sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought {
    /// What one unit can change.
    pub sensitivity: Sensitivity,
    /// Noisy cells in the vector.
    pub cells: u64,
    /// What no exact vector of a table within its capacity goes beyond.
    pub extent: Extent,
}

/// How accurate an answer is to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Accuracy {
    /// Spend this ε on the whole answer, split evenly over its measurements.
    Epsilon(Epsilon),
    /// Spend this ε on the whole answer, split in the accountant's unit in proportion to these weights, one a measurement.
    Weighted(Epsilon, Vec<f64>),
    /// Reach these standard errors, one a measurement, in the measurement's integer steps.
    StdErrors(Vec<f64>),
}

/// What an answer is computed from; a certificate is good for exactly this.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Subject {
    /// The dataset's name.
    pub dataset: String,
    /// The edition's random id.
    pub edition: String,
}

/// One certified measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Certified {
    /// What one unit can change.
    pub sensitivity: Sensitivity,
    /// The noise.
    pub law: NoiseLaw,
    /// What it costs, never less than the certified loss.
    pub price: Price,
    /// Noisy cells in the vector.
    pub cells: u64,
}

impl Certified {
    /// Whether the price still covers the loss of the law: the whole arithmetic of [`certify`], done again.
    #[must_use]
    pub fn holds(&self) -> bool {
        mechanism::is_covered(self.sensitivity, &self.law, self.price)
    }
}

/// The promise of a price and of noise laws, measurement by measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    subject: Subject,
    mechanism: Mechanism,
    measurements: Vec<Certified>,
    extents: Vec<Extent>,
    price: Price,
    cells: u64,
    threshold: Option<Hiding>,
}

/// Which groups an answer hides that has no public list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hiding {
    /// The measurement that counts units, by its place.
    pub units: usize,
    /// What is promised.
    pub threshold: Threshold,
    /// Measurements over all groups together, by their places as bits: they are of one cell, of which nothing is hidden.
    pub totals: u64,
}

impl Hiding {
    /// Whether a measurement is over all groups together.
    #[must_use]
    pub fn is_total(&self, place: usize) -> bool {
        u32::try_from(place).is_ok_and(|place| self.totals.checked_shr(place).unwrap_or(0) & 1 == 1)
    }
}

/// Why no certificate was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncertifiable {
    /// The accuracy asks for less than the smallest amount that can be charged.
    #[error("the accuracy asked for is worth less than the smallest price that can be charged")]
    TooLittle,
}

impl Certificate {
    /// What it is good for.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The family of the noise.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The measurements in the plan's order.
    #[must_use]
    pub fn measurements(&self) -> &[Certified] {
        &self.measurements
    }

    /// What no exact vector goes beyond, one a measurement.
    #[must_use]
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The sum of the measurements' prices.
    #[must_use]
    pub fn price(&self) -> Price {
        self.price
    }

    /// Noisy cells in all; of groups without a public list, as many as were declared.
    #[must_use]
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// The same for groups without a public list, of which some are hidden.
    #[must_use]
    pub fn hiding(self, threshold: Option<Hiding>) -> Self {
        Self { threshold, ..self }
    }

    /// Which groups are hidden, where their list is not public.
    #[must_use]
    pub fn threshold(&self) -> Option<Hiding> {
        self.threshold
    }

    /// δ_t of its threshold; nothing where it has none.
    #[must_use]
    pub fn threshold_delta(&self) -> Delta {
        self.threshold.map_or(Delta::ZERO, |hiding| hiding.threshold.delta)
    }
}

/// What each measurement costs at an accuracy, before anything that is stored is taken into account.
///
/// An ε is turned into the accountant's unit and split evenly; a remainder of units goes to the first measurements. A
/// standard error σ costs Δ₂²/σ² of precision (`gaussian`) or Δ₁/b of ε at 2b² = σ² (`pure`), rounded up.
#[must_use]
pub fn prices(accountant: Accountant, sought: &[Sought], accuracy: &Accuracy) -> Vec<Price> {
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

/// Fixes the noise of measurements at their [`prices`].
///
/// # Errors
/// [`Uncertifiable`] where the price of a measurement would be nothing.
pub fn certify(
    accountant: Accountant,
    subject: Subject,
    sought: &[Sought],
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
        measurements.push(Certified { sensitivity: sought.sensitivity, law, price: share, cells: sought.cells });
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
    let (each, rest) = (total.units() / parts, total.units() % parts);
    (0..parts).map(|index| Price::from_units(each + u64::from(index < rest))).collect()
}

/// Shares of a price, rounded down; what is left of it by that goes to the first. Even weights split evenly, to the unit.
fn weighted(total: Price, weights: &[f64]) -> Vec<Price> {
    if weights.windows(2).all(|pair| (pair[0] / pair[1] - 1.0).abs() < 1e-6) {
        return split(total, weights.len());
    }
    let sum: f64 = weights.iter().sum();
    // A float is cut on its way to an integer.
    let mut shares: Vec<u64> = weights.iter().map(|weight| (total.units() as f64 * (weight / sum)) as u64).collect();
    let given = shares.iter().fold(0_u64, |given, share| given.saturating_add(*share));
    match (total.units().checked_sub(given), shares.first_mut()) {
        (Some(left), Some(first)) => *first += left,
        // Rounding gave a unit or two too much.
        (None, Some(first)) => *first = first.saturating_sub(given - total.units()),
        (_, None) => {}
    }
    shares.into_iter().map(Price::from_units).collect()
}

fn price_of_error(accountant: Accountant, sensitivity: Sensitivity, error: f64) -> Price {
    let units = match accountant {
        Accountant::Gaussian { .. } => sensitivity.l2_squared() as f64 / (error * error) * UNITS_PER_PRECISION,
        Accountant::Pure => sensitivity.l1() as f64 * std::f64::consts::SQRT_2 / error * 1e9,
    };
    // One part in 1e9 covers the float and the last step of the scale, so that the error asked for is reached.
    let units = (units * (1.0 + 1e-9)).ceil();
    Price::from_units((units.min(PRICE_UNITS_MAX) as u64).max(1))
}
