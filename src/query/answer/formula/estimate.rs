//! Estimates with their intervals, and how they are rounded.

/// An estimate with its 95 % interval and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalEstimate {
    /// The estimate itself.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Standard error of the estimate, to first order.
    pub std_error: f64,
}

/// Rounds a value to this many decimals, halves away from 0.
pub(super) fn round(value: f64, decimals: u32) -> f64 {
    let power = 10_f64.powi(decimals.cast_signed());
    (value * power).round() / power
}
