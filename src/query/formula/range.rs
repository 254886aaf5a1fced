//! What a formula can be, from public bounds alone.
//!
//! Promises interval arithmetic: a range holds every value that a formula can have over any table that conforms to its policy. It never
//! sees a noisy value, and it bounds intervals: estimates are shown as they are.

use serde::{Deserialize, Serialize};

use super::{Ends, round};

/// The least and the greatest that something can be; nothing where there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The greatest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

impl Range {
    /// Anything.
    pub const WHOLE: Self = Self { low: None, high: None };
    /// 0 and everything above it.
    pub const POSITIVE: Self = Self { low: Some(0.0), high: None };

    /// From one number to another; ends that are not finite are none.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        Self { low: Some(low).filter(|low| low.is_finite()), high: Some(high).filter(|high| high.is_finite()) }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }

    fn ends(self) -> (f64, f64) {
        (self.low.unwrap_or(f64::NEG_INFINITY), self.high.unwrap_or(f64::INFINITY))
    }

    /// What the opposite can be.
    #[must_use]
    pub fn negative(self) -> Self {
        Self { low: self.high.map(|high| -high), high: self.low.map(|low| -low) }
    }

    /// What a sum of the two can be.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        Self { low: sum(self.low, other.low), high: sum(self.high, other.high) }
    }

    /// What a product of the two can be.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        // 0 by anything is 0, however large.
        let product = |one: f64, other: f64| if one == 0.0 || other == 0.0 { 0.0 } else { one * other };
        let all = [product(a, c), product(a, d), product(b, c), product(b, d)];
        Self::new(all.into_iter().fold(f64::INFINITY, f64::min), all.into_iter().fold(f64::NEG_INFINITY, f64::max))
    }

    /// What a quotient can be that has a value; anything, where the divisor can have either sign.
    #[must_use]
    pub fn over(self, divisor: Self) -> Self {
        match divisor.ends() {
            (low, high) if low > 0.0 || high < 0.0 => self.times(Self::new(high.recip(), low.recip())),
            (low, high) if low == 0.0 && high > 0.0 => self.times(Self { low: Some(high.recip()), high: None }),
            (low, high) if low < 0.0 && high == 0.0 => self.times(Self { low: None, high: Some(low.recip()) }),
            _ => Self::WHOLE,
        }
    }

    /// What the absolute value can be.
    #[must_use]
    pub fn absolute(self) -> Self {
        let (low, high) = self.ends();
        let least = if low > 0.0 { low } else { (-high).max(0.0) };
        Self::new(least, low.abs().max(high.abs()))
    }

    /// What the square root can be, where there is one.
    #[must_use]
    pub fn root(self) -> Self {
        let (low, high) = self.ends();
        Self::new(low.max(0.0).sqrt(), high.max(0.0).sqrt())
    }

    /// What the value can be once it is rounded.
    #[must_use]
    pub fn rounded(self, decimals: u32) -> Self {
        let end = |end: Option<f64>| end.map(|end| round(end, decimals));
        Self { low: end(self.low), high: end(self.high) }
    }

    /// What both ranges hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        Self::new(a.max(c), b.min(d))
    }

    /// The least range with these values and with 0.
    #[must_use]
    pub fn with_zero(self) -> Self {
        Self { low: self.low.map(|low| low.min(0.0)), high: self.high.map(|high| high.max(0.0)) }
    }

    /// Whether a value is one that is possible.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        let (low, high) = self.ends();
        low <= value && value <= high
    }

    /// The same up to what floats lose.
    #[must_use]
    pub fn holds_about(&self, value: f64) -> bool {
        const LOST: f64 = 1e-9;
        (self.nearest(value) - value).abs() <= LOST * (1.0 + value.abs())
    }

    /// The possible value that is nearest.
    #[must_use]
    pub fn nearest(&self, value: f64) -> f64 {
        let (low, high) = self.ends();
        // Of two zeros the positive one.
        value.max(low).min(high) + 0.0
    }

    /// The interval of an estimate without what cannot be. Where nothing is left of it, because noise has carried the estimate far out of the
    /// range, it is the interval that the nearest possible value would have: not a point, which nobody knows the truth to be.
    #[must_use]
    pub fn cut(&self, ends: Ends) -> Ends {
        let (least, greatest) = self.ends();
        let is_left = ends.low <= greatest && ends.high >= least;
        let moved = if is_left { 0.0 } else { self.nearest(ends.value) - ends.value };
        Ends { low: self.nearest(ends.low + moved), high: self.nearest(ends.high + moved), ..ends }
    }
}
