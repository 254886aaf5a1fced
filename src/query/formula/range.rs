//! What a formula can be, from public bounds alone.
//!
//! Promises interval arithmetic: a range holds every value that a formula can have over any table that conforms to its policy. It never
//! sees a noisy value, and it bounds intervals: estimates are shown as they are.

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Ends, round};

/// The least and the greatest that something can be; nothing where there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Default, BorshSerialize, BorshDeserialize)]
pub struct Range {
    /// The least.
    pub low: Option<f64>,
    /// The greatest.
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// A range, closed or open on either side, and a number in it.
    fn one(rng: &mut StdRng) -> (Range, f64) {
        let ends = [rng.random_range(-4..5), rng.random_range(-4..5)].map(f64::from);
        let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let value = if rng.random_range(0..3) == 0 { low } else { rng.random_range(low..=high) };
        let mut open = |end: f64| Some(end).filter(|_| rng.random_range(0..4) > 0);
        (Range { low: open(low), high: open(high) }, value)
    }

    /// Whatever is computed of numbers lies in what is computed of their ranges.
    #[test]
    fn ranges_hold_what_is_computed() {
        let mut rng = StdRng::seed_from_u64(5);
        for _ in 0..20_000 {
            let ((a, x), (b, y)) = (one(&mut rng), one(&mut rng));
            for (range, value) in [
                (a.negative(), -x),
                (a.plus(b), x + y),
                (a.times(b), x * y),
                (a.over(b), if y == 0.0 { f64::NAN } else { x / y }),
                (a.absolute(), x.abs()),
                (a.root(), x.sqrt()),
                (a.rounded(0), x.round()),
                (a.with_zero(), x),
                (a.and(Range::WHOLE), x),
            ] {
                let is_near = range.holds_about(value);
                assert!(value.is_nan() || is_near, "{a:?} {x} and {b:?} {y}: {range:?} {value}");
            }
        }
        assert_eq!(Range::new(1.0, 2.0).over(Range::new(0.0, 4.0)), Range { low: Some(0.25), high: None });
        assert_eq!(Range::new(0.0, 1.0).over(Range::new(-1.0, 1.0)), Range::WHOLE);
    }

    /// Of an interval nothing possible is lost, nothing impossible is left, and something always is.
    #[test]
    fn intervals_are_cut_to_what_is_possible() {
        let range = Range::new(3.0, 18.0);
        let cut = |low: f64, value: f64, high: f64| {
            let ends = range.cut(Ends { value, low, high, std_error: 1.0 });
            assert_eq!(ends.value.to_bits(), value.to_bits(), "an estimate is not clipped");
            (ends.low, ends.high)
        };
        assert_eq!(cut(9.93, 17.11, 159.33), (9.93, 18.0));
        assert_eq!(cut(-4.0, 5.0, 9.0), (3.0, 9.0));
        assert_eq!(cut(-4.0, 1.0, 4.0), (3.0, 4.0));
        assert_eq!(cut(4.0, 5.0, 6.0), (4.0, 6.0));
        assert_eq!(cut(18.0, 19.0, 20.0), (18.0, 18.0));
        // All of it is impossible: it is as wide as it was, about what is nearest.
        assert_eq!(cut(20.0, 21.0, 25.0), (17.0, 18.0));
        assert_eq!(cut(-9.0, -4.0, 1.0), (3.0, 8.0));
        assert_eq!(Range::POSITIVE.cut(Ends { value: -2.0, low: -3.0, high: 1.0, std_error: 1.0 }).low, 0.0);
    }
}
