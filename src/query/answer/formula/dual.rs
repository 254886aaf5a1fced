//! Values with their slopes: forward differentiation over a few measurements.
//!
//! Promises first-order propagation: a slope is the partial derivative by one measurement, in its steps.

use super::{Absent, Measured};
use crate::query::answer::interval;

/// A value, and its slope by each measurement that it depends on, ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dual {
    pub(super) value: f64,
    pub(super) slopes: Vec<(usize, f64)>,
}

impl Dual {
    pub(super) fn constant(value: f64) -> Self {
        Self { value, slopes: Vec::new() }
    }

    /// A measurement by itself, where it is not hidden.
    pub(super) fn measured(index: usize, at: Measured<'_>) -> Result<Self, Absent> {
        at.shown(index)?;
        Ok(Self { value: at.values[index], slopes: vec![(index, 1.0)] })
    }

    /// a·this + b·other in the slopes.
    fn joined(&self, a: f64, other: &Self, b: f64) -> Vec<(usize, f64)> {
        let mut slopes: Vec<(usize, f64)> = self.slopes.iter().map(|(index, slope)| (*index, a * slope)).collect();
        for (index, slope) in &other.slopes {
            match slopes.binary_search_by_key(index, |(known, _)| *known) {
                Ok(place) => slopes[place].1 += b * slope,
                Err(place) => slopes.insert(place, (*index, b * slope)),
            }
        }
        slopes
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        Self { value: self.value + other.value, slopes: self.joined(1.0, other, 1.0) }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self { value: self.value * other.value, slopes: self.joined(other.value, other, self.value) }
    }

    /// The quotient.
    ///
    /// # Errors
    /// [`Absent::LostInNoise`] where the denominator is not told from 0 through its own noise, [`Absent::NoValue`] where it is a number, and 0.
    pub(super) fn over(&self, other: &Self, at: Measured<'_>) -> Result<Self, Absent> {
        if other.value.abs() <= other.half_width(at) || other.value == 0.0 {
            return Err(other.lost());
        }
        let value = self.value / other.value;
        Ok(Self { value, slopes: self.joined(other.value.recip(), other, -value / other.value) })
    }

    /// The square root.
    ///
    /// # Errors
    /// [`Absent::LostInNoise`] below 0 and at it; [`Absent::NoValue`] of a number.
    pub(super) fn root(&self) -> Result<Self, Absent> {
        let value = self.value.sqrt();
        if value.is_nan() || value == 0.0 {
            return Err(self.lost());
        }
        Ok(Self { value, slopes: self.slopes.iter().map(|(index, slope)| (*index, slope / (2.0 * value))).collect() })
    }

    /// Why a value that cannot be used is what it is: by noise, where there is any in it.
    fn lost(&self) -> Absent {
        if self.slopes.is_empty() { Absent::NoValue } else { Absent::LostInNoise }
    }

    /// 95 % of the noise, to first order.
    pub(super) fn half_width(&self, at: Measured<'_>) -> f64 {
        interval::half_width(&self.terms(at))
    }

    /// The standard error, to first order.
    pub(super) fn std_error(&self, at: Measured<'_>) -> f64 {
        interval::std_error(&self.terms(at))
    }

    fn terms(&self, at: Measured<'_>) -> Vec<(f64, crate::kernel::privacy::mechanism::NoiseLaw)> {
        self.slopes.iter().map(|(index, slope)| (*slope, at.laws[*index])).collect()
    }

    /// The covariance of two, to first order.
    pub(super) fn covariance(&self, other: &Self, at: Measured<'_>) -> f64 {
        let of = |index: usize| other.slopes.iter().find(|(known, _)| *known == index).map_or(0.0, |(_, slope)| *slope);
        self.slopes.iter().map(|(index, slope)| slope * of(*index) * at.laws[*index].std_error().powi(2)).sum()
    }
}
