//! Values with their slopes: forward differentiation over a few measurements.
//!
//! Promises first-order propagation: a slope is the partial derivative by one cell of a measurement, for each of its steps. The noise of
//! different cells is independent.

use std::cmp::Ordering;

use super::absence::AbsenceReason;
use super::cell_values::CellValues;
use crate::query::answer::interval;

/// A measurement, by its index, and one of its cells.
pub(in crate::query::answer) type NoisyCell = (usize, usize);

/// A value with its slope by each noisy cell that it depends on, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::query::answer) struct Dual {
    pub(in crate::query::answer) value: f64,
    pub(in crate::query::answer) slopes: Vec<(NoisyCell, f64)>,
}

impl Dual {
    pub(in crate::query::answer) fn constant(value: f64) -> Self {
        Self { value, slopes: Vec::new() }
    }

    /// The value of a measurement by itself, unless it is hidden.
    pub(in crate::query::answer) fn measured(index: usize, at: CellValues<'_>) -> Result<Self, AbsenceReason> {
        at.shown(index)?;
        Ok(Self { value: at.values[index], slopes: vec![((index, at.cell), 1.0)] })
    }

    /// Slopes of a·self + b·other.
    fn joined(&self, a: f64, other: &Self, b: f64) -> Vec<(NoisyCell, f64)> {
        let mut slopes = Vec::with_capacity(self.slopes.len().max(other.slopes.len()));
        let (mut one, mut two) = (self.slopes.iter().peekable(), other.slopes.iter().peekable());
        loop {
            let order = match (one.peek(), two.peek()) {
                (None, None) => return slopes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            let left = if order.is_le() { one.next() } else { None };
            let right = if order.is_ge() { two.next() } else { None };
            let slope = left.map_or(0.0, |(_, slope)| a * slope) + right.map_or(0.0, |(_, slope)| b * slope);
            slopes.extend(left.or(right).map(|(cell, _)| (*cell, slope)));
        }
    }

    /// Another value, whose slopes are `by` times these.
    pub(in crate::query::answer) fn stretched(&self, value: f64, by: f64) -> Self {
        Self { value, slopes: self.slopes.iter().map(|(cell, slope)| (*cell, by * slope)).collect() }
    }

    /// The sum of values, which may be many.
    pub(in crate::query::answer) fn sum<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let (mut value, mut slopes) = (0.0, Vec::new());
        for one in all {
            value += one.value;
            slopes.extend_from_slice(&one.slopes);
        }
        slopes.sort_by_key(|(cell, _)| *cell);
        slopes.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        Self { value, slopes }
    }

    pub(in crate::query::answer) fn plus(&self, other: &Self) -> Self {
        Self { value: self.value + other.value, slopes: self.joined(1.0, other, 1.0) }
    }

    pub(in crate::query::answer) fn times(&self, other: &Self) -> Self {
        Self { value: self.value * other.value, slopes: self.joined(other.value, other, self.value) }
    }

    /// The quotient of two values.
    ///
    /// # Errors
    /// [`AbsenceReason::LostInNoise`] if the denominator cannot be told from 0 through its own noise, [`AbsenceReason::NoValue`] if it is the constant 0.
    pub(in crate::query::answer) fn over(&self, other: &Self, at: CellValues<'_>) -> Result<Self, AbsenceReason> {
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
    pub(in crate::query::answer) fn root(&self) -> Result<Self, AbsenceReason> {
        let value = self.value.sqrt();
        if value.is_nan() || value == 0.0 {
            return Err(self.lost());
        }
        Ok(Self { value, slopes: self.slopes.iter().map(|(index, slope)| (*index, slope / (2.0 * value))).collect() })
    }

    /// Why the value is unusable: because of noise, if it depends on any measurement.
    pub(in crate::query::answer) fn lost(&self) -> AbsenceReason {
        if self.slopes.is_empty() { AbsenceReason::NoValue } else { AbsenceReason::LostInNoise }
    }

    /// Half-width of the 95 % interval, to first order.
    pub(in crate::query::answer) fn half_width(&self, at: CellValues<'_>) -> f64 {
        interval::half_width(&self.terms(at))
    }

    /// Standard error, to first order.
    pub(in crate::query::answer) fn std_error(&self, at: CellValues<'_>) -> f64 {
        interval::std_error(&self.terms(at))
    }

    fn terms(&self, at: CellValues<'_>) -> Vec<(f64, crate::kernel::privacy::mechanism::NoiseLaw)> {
        self.slopes.iter().map(|((index, _), slope)| (*slope, at.laws[*index])).collect()
    }

    /// Covariance with another value, to first order.
    pub(in crate::query::answer) fn covariance(&self, other: &Self, at: CellValues<'_>) -> f64 {
        let of = |cell: NoisyCell| {
            other.slopes.binary_search_by_key(&cell, |(known, _)| *known).map_or(0.0, |place| other.slopes[place].1)
        };
        self.slopes.iter().map(|(cell, slope)| slope * of(*cell) * at.laws[cell.0].std_error().powi(2)).sum()
    }
}
