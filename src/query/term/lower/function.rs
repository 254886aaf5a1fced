//! Functions of one integer: total, and nothing else to look at.

use std::sync::Arc;

use crate::query::term::calendar::{Part, Period};

/// A total function of one integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Function {
    /// The absolute value.
    Absolute,
    /// The nearest integer to the value times a fraction, halves away from 0.
    Rounded {
        /// Above the line.
        numerator: i64,
        /// Below the line, above 0.
        denominator: i64,
    },
    /// The quotient, cut towards 0.
    Cut(i64),
    /// The first day of the period of a day.
    Truncated(Period),
    /// The number of the period of a day.
    Ordinal(Period),
    /// A part of a day's date.
    Extracted(Part),
    /// How many of these ascending edges are at or below the value.
    Bucket(Arc<[i64]>),
}

impl Function {
    /// The value.
    #[must_use]
    pub fn apply(&self, value: i64) -> i64 {
        match self {
            Self::Absolute => value.saturating_abs(),
            Self::Rounded { numerator, denominator } => {
                let (value, denominator) = (i128::from(value) * i128::from(*numerator), i128::from(*denominator));
                let size = (2 * value.abs() + denominator) / (2 * denominator);
                i64::try_from(size * value.signum()).unwrap_or(i64::MAX)
            }
            Self::Cut(divisor) => value.checked_div(*divisor).unwrap_or(0),
            Self::Truncated(period) => period.first(period.ordinal(value)),
            Self::Ordinal(period) => period.ordinal(value),
            Self::Extracted(part) => part.of(value),
            Self::Bucket(edges) => edges.partition_point(|edge| *edge <= value) as i64,
        }
    }
}
