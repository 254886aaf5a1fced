//! Possible values of a formula, from public bounds alone.
//!
//! Promises interval arithmetic: a range holds every value that a formula can have over any table that conforms to its policy. Ranges never
//! depend on a noisy value. They bound intervals only: estimates are shown as they are.

use borsh::{BorshDeserialize, BorshSerialize};

use super::estimate::{IntervalEstimate, round};

/// The least and the greatest value that something can have; an end is `None` if it is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Default, BorshSerialize, BorshDeserialize)]
pub struct Range {
    /// The least possible value, or `None` if there is no lower bound.
    pub low: Option<f64>,
    /// The greatest possible value, or `None` if there is no upper bound.
    pub high: Option<f64>,
}

impl Range {
    /// The range of all numbers, without bounds.
    pub const WHOLE: Self = Self { low: None, high: None };
    /// The range from 0 upwards.
    pub const POSITIVE: Self = Self { low: Some(0.0), high: None };

    /// The range from `low` to `high`; an end that is not finite is taken as unbounded.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        Self { low: Some(low).filter(|low| low.is_finite()), high: Some(high).filter(|high| high.is_finite()) }
    }

    /// Whether the range has no bounds.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }

    fn ends(self) -> (f64, f64) {
        (self.low.unwrap_or(f64::NEG_INFINITY), self.high.unwrap_or(f64::INFINITY))
    }

    /// Whether a value lies between the ends and is neither of them.
    #[must_use]
    pub fn has_inside(self, value: f64) -> bool {
        let (low, high) = self.ends();
        low < value && value < high
    }

    /// The distance between the ends; infinite if one is unbounded.
    #[must_use]
    pub fn width(self) -> f64 {
        let (low, high) = self.ends();
        high - low
    }

    /// Range of −x for x in this range.
    #[must_use]
    pub fn negative(self) -> Self {
        Self { low: self.high.map(|high| -high), high: self.low.map(|low| -low) }
    }

    /// Range of the sum of values from the two ranges.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        Self { low: sum(self.low, other.low), high: sum(self.high, other.high) }
    }

    /// Range of the product of values from the two ranges.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        // 0 times anything is 0, even where a range is unbounded.
        let product = |one: f64, other: f64| if one == 0.0 || other == 0.0 { 0.0 } else { one * other };
        let all = [product(a, c), product(a, d), product(b, c), product(b, d)];
        Self::new(all.into_iter().fold(f64::INFINITY, f64::min), all.into_iter().fold(f64::NEG_INFINITY, f64::max))
    }

    /// Range of the quotient of values from the two ranges, where it exists; all numbers if the divisor can have either sign.
    #[must_use]
    pub fn over(self, divisor: Self) -> Self {
        match divisor.ends() {
            (low, high) if low > 0.0 || high < 0.0 => self.times(Self::new(high.recip(), low.recip())),
            (low, high) if low == 0.0 && high > 0.0 => self.times(Self { low: Some(high.recip()), high: None }),
            (low, high) if low < 0.0 && high == 0.0 => self.times(Self { low: None, high: Some(low.recip()) }),
            _ => Self::WHOLE,
        }
    }

    /// Range of the absolute value.
    #[must_use]
    pub fn absolute(self) -> Self {
        let (low, high) = self.ends();
        let least = if low > 0.0 { low } else { (-high).max(0.0) };
        Self::new(least, low.abs().max(high.abs()))
    }

    /// Range of the square root, where it exists.
    #[must_use]
    pub fn root(self) -> Self {
        let (low, high) = self.ends();
        Self::new(low.max(0.0).sqrt(), high.max(0.0).sqrt())
    }

    /// Range of the value rounded to `decimals` decimals.
    #[must_use]
    pub fn rounded(self, decimals: u32) -> Self {
        let end = |end: Option<f64>| end.map(|end| round(end, decimals));
        Self { low: end(self.low), high: end(self.high) }
    }

    /// Range of a function that never falls; an end where it has no finite value is unbounded.
    #[must_use]
    pub fn mapped(self, of: impl Fn(f64) -> f64) -> Self {
        let end = |end: Option<f64>| end.map(&of).filter(|end| end.is_finite());
        Self { low: end(self.low), high: end(self.high) }
    }

    /// The smallest range that holds both ranges.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        Self::new(a.min(c), b.max(d))
    }

    /// Range of the greatest of values from several ranges, each of which may be missing.
    #[must_use]
    pub fn greatest(of: &[Self]) -> Self {
        let low = of.iter().map(|one| one.ends().0).fold(f64::INFINITY, f64::min);
        let high = of.iter().map(|one| one.ends().1).fold(f64::NEG_INFINITY, f64::max);
        Self::new(low, high)
    }

    /// The intersection of two ranges.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        Self::new(a.max(c), b.min(d))
    }

    /// The smallest range that holds these values and 0.
    #[must_use]
    pub fn with_zero(self) -> Self {
        Self { low: self.low.map(|low| low.min(0.0)), high: self.high.map(|high| high.max(0.0)) }
    }

    /// Whether a value lies in the range.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        let (low, high) = self.ends();
        low <= value && value <= high
    }

    /// Whether a value lies in the range, up to rounding errors of floats.
    #[must_use]
    pub fn holds_about(&self, value: f64) -> bool {
        const LOST: f64 = 1e-9;
        (self.nearest(value) - value).abs() <= LOST * (1.0 + value.abs())
    }

    /// The value of the range that is nearest to the given one.
    #[must_use]
    pub fn nearest(&self, value: f64) -> f64 {
        let (low, high) = self.ends();
        // Adding 0.0 turns −0 into 0.
        value.max(low).min(high) + 0.0
    }

    /// Cuts an estimate's interval to the possible values. If noise has carried the whole interval out of the range, it is first moved so
    /// that the estimate is at the nearest possible value and then cut: a single point would claim knowledge that nobody has.
    #[must_use]
    pub fn cut(&self, ends: IntervalEstimate) -> IntervalEstimate {
        let (least, greatest) = self.ends();
        let is_left = ends.low <= greatest && ends.high >= least;
        let moved = if is_left { 0.0 } else { self.nearest(ends.value) - ends.value };
        IntervalEstimate { low: self.nearest(ends.low + moved), high: self.nearest(ends.high + moved), ..ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// A random range, closed or open on either side, and a number in it.
    fn one(rng: &mut StdRng) -> (Range, f64) {
        let ends = [rng.random_range(-4..5), rng.random_range(-4..5)].map(f64::from);
        let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let value = if rng.random_range(0..3) == 0 { low } else { rng.random_range(low..=high) };
        let mut open = |end: f64| Some(end).filter(|_| rng.random_range(0..4) > 0);
        (Range { low: open(low), high: open(high) }, value)
    }

    /// The result of an operation on numbers lies in the result of the operation on their ranges.
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
        let widths = [Range::new(3.0, 18.0), Range::POSITIVE, Range::WHOLE].map(Range::width);
        assert_eq!(widths, [15.0, f64::INFINITY, f64::INFINITY]);
    }

    /// Cutting an interval keeps every possible value, removes every impossible one and never leaves it empty.
    #[test]
    fn intervals_are_cut_to_what_is_possible() {
        let range = Range::new(3.0, 18.0);
        let cut = |low: f64, value: f64, high: f64| {
            let ends = range.cut(IntervalEstimate { value, low, high, std_error: 1.0 });
            assert_eq!(ends.value.to_bits(), value.to_bits(), "an estimate is not clipped");
            (ends.low, ends.high)
        };
        assert_eq!(cut(9.93, 17.11, 159.33), (9.93, 18.0));
        assert_eq!(cut(-4.0, 5.0, 9.0), (3.0, 9.0));
        assert_eq!(cut(-4.0, 1.0, 4.0), (3.0, 4.0));
        assert_eq!(cut(4.0, 5.0, 6.0), (4.0, 6.0));
        assert_eq!(cut(18.0, 19.0, 20.0), (18.0, 18.0));
        // The whole interval is impossible: it keeps its width, about the nearest possible value.
        assert_eq!(cut(20.0, 21.0, 25.0), (17.0, 18.0));
        assert_eq!(cut(-9.0, -4.0, 1.0), (3.0, 8.0));
        assert_eq!(
            Range::POSITIVE.cut(IntervalEstimate { value: -2.0, low: -3.0, high: 1.0, std_error: 1.0 }).low,
            0.0
        );
    }
}
