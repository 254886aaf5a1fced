//! Functions of real numbers on a grid: roots, logarithms, powers and exponentials, rounded to four decimals, halves away from 0.
//!
//! Promises the same integer on every machine. A float only decides where its error cannot change the rounded result; everything else is
//! computed with sixty digits.

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::base::{Abs, Signed};
use dashu::float::DBig;
use dashu::integer::IBig;
use dashu::rational::RBig;

use super::constant::{Constant, exact};

/// Decimals of the results.
pub const DECIMALS: u32 = 4;
const PARTS: f64 = 1e4;
/// Digits of what a float cannot decide.
const DIGITS: usize = 60;
/// Results below this are decided by a float, whose relative error is far below 10⁻¹³.
const FLOAT_MAX: f64 = 1e8;
/// Distance from a half below which a float does not decide.
const DOUBT: f64 = 1e-4;
/// Results at or above this do not fit.
const RESULT_MAX: f64 = 4e18;

/// A function of a real number. Stored answers hold the numbers of the variants: none of them changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum RealFunction {
    /// The square root.
    Root = 0,
    /// The exponential function.
    Exponential = 1,
    /// The natural logarithm.
    Natural = 2,
    /// The logarithm to a base, which is above 0 and not 1.
    Logarithm(Constant) = 3,
    /// A power with a constant exponent, of a number that is not negative.
    Power(Constant) = 4,
}

impl RealFunction {
    /// Least integer that the function is defined for, of those that stand for multiples of a positive step; `None` if it is defined
    /// everywhere.
    #[must_use]
    pub fn first(self) -> Option<i64> {
        match self {
            Self::Exponential => None,
            Self::Root => Some(0),
            Self::Natural | Self::Logarithm(_) => Some(1),
            Self::Power(exponent) => Some(i64::from(exponent.digits < 0)),
        }
    }

    /// The function of `value` · `numerator` / `denominator`, in steps of 10⁻⁴; 0 where it is not defined, and cut where it does not fit.
    #[must_use]
    pub fn apply(self, numerator: i64, denominator: i64, value: i64) -> i64 {
        if self.first().is_some_and(|first| value < first) {
            return 0;
        }
        let estimate = self.estimate(value as f64 * numerator as f64 / denominator as f64) * PARTS;
        let size = estimate.abs();
        if size.is_nan() || size >= RESULT_MAX {
            return if estimate > 0.0 { i64::MAX >> 1 } else { -(i64::MAX >> 1) };
        }
        if size < FLOAT_MAX && (size.fract() - 0.5).abs() > DOUBT {
            return ((size + 0.5).floor() as i64) * if estimate < 0.0 { -1 } else { 1 };
        }
        let fraction = RBig::from(value) * RBig::from(numerator) / RBig::from(denominator);
        i64::try_from(self.exactly(&fraction)).unwrap_or(i64::MAX >> 1)
    }

    fn estimate(self, of: f64) -> f64 {
        match self {
            Self::Root => libm::sqrt(of),
            Self::Exponential => libm::exp(of),
            Self::Natural => libm::log(of),
            Self::Logarithm(base) => libm::log(of) / libm::log(base.to_f64()),
            Self::Power(exponent) => libm::pow(of, exponent.to_f64()),
        }
    }

    fn exactly(self, of: &RBig) -> IBig {
        let long = |value: &RBig| -> DBig { value.to_float(DIGITS).value() };
        if of.is_zero() {
            return if self == Self::Exponential { IBig::from(10_000) } else { IBig::ZERO };
        }
        let result = match self {
            Self::Root => long(of).sqrt(),
            Self::Exponential => long(of).exp(),
            Self::Natural | Self::Logarithm(_) if of.is_one() => return IBig::ZERO,
            Self::Natural => long(of).ln(),
            Self::Logarithm(base) => long(of).ln() / long(&exact(base)).ln(),
            Self::Power(_) if of.is_one() => return IBig::from(10_000),
            Self::Power(exponent) => (long(of).ln() * long(&exact(exponent))).exp(),
        };
        let is_negative = result.is_negative();
        // A half that was computed a little too small is still a half.
        let half = RBig::from_parts(IBig::ONE, 2_u8.into())
            + RBig::from_parts(IBig::ONE, dashu::integer::UBig::from(10_u8).pow(30));
        let steps = result.abs() * DBig::from(10_000) + long(&half);
        let steps = steps.floor().to_int().value();
        if is_negative { -steps } else { steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a float decides is what sixty digits give.
    #[test]
    fn floats_decide_as_long_numbers_do() {
        let constant = |digits, decimals| Constant { digits, decimals };
        let functions = [
            RealFunction::Root,
            RealFunction::Exponential,
            RealFunction::Natural,
            RealFunction::Logarithm(constant(10, 0)),
            RealFunction::Logarithm(constant(2, 0)),
            RealFunction::Power(constant(25, 1)),
            RealFunction::Power(constant(-5, 1)),
        ];
        for function in functions {
            for value in (1..2_000).chain([10_000, 123_456]) {
                let (numerator, denominator) = (1, 64);
                let fraction = RBig::from_parts(IBig::from(value), 64_u8.into());
                if function == RealFunction::Exponential && value > 2_000 {
                    continue;
                }
                let long = function.exactly(&fraction);
                assert_eq!(
                    IBig::from(function.apply(numerator, denominator, value)),
                    long,
                    "{function:?} of {value}/64"
                );
            }
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        let power = RealFunction::Power(Constant { digits: 25, decimals: 1 });
        // 0.25 to the power of 2.5 is 0.03125.
        assert_eq!(power.apply(1, 4, 1), 313);
        assert_eq!(RealFunction::Natural.apply(1, 1, 1), 0);
        assert_eq!(RealFunction::Logarithm(Constant { digits: 10, decimals: 0 }).apply(1, 1, 1_000), 30_000);
        assert_eq!(RealFunction::Root.apply(1, 1, -4), 0, "not defined");
        assert_eq!(RealFunction::Exponential.apply(1, 1, i64::MAX), i64::MAX >> 1);
        assert_eq!(RealFunction::Exponential.apply(1, 1, i64::MIN), 0);
    }
}
