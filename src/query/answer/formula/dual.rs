//! Values with their slopes: forward differentiation over a few measurements.
//!
//! Promises first-order propagation: a slope is the partial derivative by one measurement, for each of its steps.

use super::absence::AbsenceReason;
use super::cell_values::CellValues;
use crate::query::answer::interval;

/// A value with its slope by each measurement that it depends on, in ascending order of their indices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dual {
    pub(super) value: f64,
    pub(super) slopes: Vec<(usize, f64)>,
}

impl Dual {
    pub(super) fn constant(value: f64) -> Self {
        Self { value, slopes: Vec::new() }
    }

    /// The value of a measurement by itself, unless it is hidden.
    pub(super) fn measured(index: usize, at: CellValues<'_>) -> Result<Self, AbsenceReason> {
        at.shown(index)?;
        Ok(Self { value: at.values[index], slopes: vec![(index, 1.0)] })
    }

    /// Slopes of a·self + b·other.
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

    /// The quotient of two values.
    ///
    /// # Errors
    /// [`AbsenceReason::LostInNoise`] if the denominator cannot be told from 0 through its own noise, [`AbsenceReason::NoValue`] if it is the constant 0.
    pub(super) fn over(&self, other: &Self, at: CellValues<'_>) -> Result<Self, AbsenceReason> {
        if other.value.abs() <= other.half_width(at) || other.value == 0.0 {
            return Err(other.lost());
        }
        let value = self.value / other.value;
        Ok(Self { value, slopes: self.joined(other.value.recip(), other, -value / other.value) })
    }

    /// The square root of the value.
    ///
    /// # Errors
    /// [`AbsenceReason::LostInNoise`] at or below 0; [`AbsenceReason::NoValue`] if the value is a constant.
    pub(super) fn root(&self) -> Result<Self, AbsenceReason> {
        let value = self.value.sqrt();
        if value.is_nan() || value == 0.0 {
            return Err(self.lost());
        }
        Ok(Self { value, slopes: self.slopes.iter().map(|(index, slope)| (*index, slope / (2.0 * value))).collect() })
    }

    /// Why the value is unusable: because of noise, if it depends on any measurement.
    fn lost(&self) -> AbsenceReason {
        if self.slopes.is_empty() { AbsenceReason::NoValue } else { AbsenceReason::LostInNoise }
    }

    /// Half-width of the 95 % interval, to first order.
    pub(super) fn half_width(&self, at: CellValues<'_>) -> f64 {
        interval::half_width(&self.terms(at))
    }

    /// Standard error, to first order.
    pub(super) fn std_error(&self, at: CellValues<'_>) -> f64 {
        interval::std_error(&self.terms(at))
    }

    fn terms(&self, at: CellValues<'_>) -> Vec<(f64, crate::kernel::privacy::mechanism::NoiseLaw)> {
        self.slopes.iter().map(|(index, slope)| (*slope, at.laws[*index])).collect()
    }

    /// Covariance with another value, to first order.
    pub(super) fn covariance(&self, other: &Self, at: CellValues<'_>) -> f64 {
        let of = |index: usize| other.slopes.iter().find(|(known, _)| *known == index).map_or(0.0, |(_, slope)| *slope);
        self.slopes.iter().map(|(index, slope)| slope * of(*index) * at.laws[*index].std_error().powi(2)).sum()
    }
}
