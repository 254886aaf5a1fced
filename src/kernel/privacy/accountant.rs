//! The accountant: how an ε translates into the ledger's integers, and the integers back into ε.
//!
//! Promises that asking for ε never costs more than a cap of ε holds, that the ε shown as spent is never too small, and that the ε shown as
//! remaining is never too large.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::mechanism::Mechanism;
use super::{curve, gdp};
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};

/// How privacy losses add up; chosen once per dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accountant {
    /// Discrete Gaussian noise; precision μ² adds up (Gaussian differential privacy, see [`gdp`]). Amounts count 1e-15 of μ².
    Gaussian {
        /// The δ of the guarantee over the dataset's lifetime.
        delta: Delta,
    },
    /// Discrete Laplace noise; ε adds up (basic composition, adaptive). Amounts count 1e-9 of ε.
    Pure,
}

/// Relative margin between the float curve and the exact one: the curve is good to 1e-10.
const GUARD: f64 = 1e-9;
/// Maximum number of steps from an estimate to the nearest safe value.
const STEPS_MAX: u32 = 1_000;
/// Number of significant digits to which ε is rounded for display.
const SHOWN_DIGITS: u32 = 6;

impl Accountant {
    /// The δ of the guarantee; 0 for `pure`.
    #[must_use]
    pub fn delta(self) -> Delta {
        match self {
            Self::Gaussian { delta } => delta,
            Self::Pure => Delta::ZERO,
        }
    }

    /// The family of noise laws that this accountant works with.
    #[must_use]
    pub fn mechanism(self) -> Mechanism {
        match self {
            Self::Gaussian { .. } => Mechanism::DiscreteGaussian,
            Self::Pure => Mechanism::DiscreteLaplace,
        }
    }

    /// The accountant's name in a policy: `gaussian` or `pure`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian { .. } => "gaussian",
            Self::Pure => "pure",
        }
    }

    /// Returns the amount that a cap or an allocation of `epsilon` holds, rounded down from the exact value.
    ///
    /// Takes milliseconds for `gaussian`; see [`gdp::cap`].
    #[must_use]
    pub fn cap(self, epsilon: Epsilon) -> Price {
        match self {
            Self::Gaussian { delta } => gdp::cap(epsilon, delta),
            Self::Pure => Price::from_quanta(epsilon.nanos()),
        }
    }

    /// Returns the amount that one answer at `epsilon` may cost: at most [`Accountant::cap`] of `epsilon`, and below it by about 1e-9 of
    /// it.
    #[must_use]
    pub fn price(self, epsilon: Epsilon) -> Price {
        match self {
            Self::Gaussian { delta } => {
                let narrowed = epsilon.to_f64() - gdp::SWAP_EPSILON;
                let units = curve::units_estimate(narrowed, delta.to_f64()) * (1.0 - GUARD);
                // The conversion to an integer truncates; the subtracted 1 covers the swap of noise laws for tiny prices.
                Price::from_quanta((units as u64).saturating_sub(1))
            }
            Self::Pure => Price::from_quanta(epsilon.nanos()),
        }
    }

    /// Returns the ε of a loss, rounded up to six significant digits: 0 for no loss, 100 for any loss beyond every cap.
    #[must_use]
    pub fn epsilon_spent(self, spent: Price) -> Epsilon {
        self.shown(spent, |accountant, shown| accountant.price(shown) < spent, 1)
    }

    /// Returns the largest ε, to six significant digits, that still fits into `left`; 0 if none does.
    #[must_use]
    pub fn epsilon_within(self, left: Price) -> Epsilon {
        self.shown(left, |accountant, shown| accountant.price(shown) > left, -1)
    }

    /// Returns the largest probability of guessing correctly whether one unit is in the data, for somebody who considered both cases
    /// equally likely before and may know anything else, from all answers whose prices add up to `spent` and whose thresholds used
    /// `threshold_delta`. The result lies between 0.5 and 1 and is never below the true value.
    ///
    /// Two equally likely cases can be told apart with probability at most ½ + TV/2, where TV is the total variation distance between what
    /// can be observed in either case. For `gaussian` that is Φ(μ/2), because μ-GDP has TV = δ_μ(0) = 2Φ(μ/2) − 1 (Dong, Roth & Su, arXiv
    /// 1905.02383, corollary 1). For `pure` it is e^ε/(1 + e^ε), because the two error rates of a test satisfy α + e^ε·β ≥ 1 and e^ε·α + β
    /// ≥ 1 (Kairouz, Oh & Viswanath, arXiv 1311.0776). Thresholds add at most their δ to TV ([`super::threshold`]), so adding half of it
    /// would suffice; all of it is added here. Neighbours differ by one unit and all its rows.
    #[must_use]
    pub fn best_guess(self, spent: Price, threshold_delta: Delta) -> f64 {
        let of_noise = match self {
            _ if spent == Price::ZERO => 0.5,
            Self::Gaussian { .. } => {
                let mu = (spent.quanta() as f64 / curve::QUANTA_PER_PRECISION).sqrt();
                0.5 * libm::erfc(-0.5 * mu / std::f64::consts::SQRT_2) + GUARD
            }
            Self::Pure => 1.0 / (1.0 + (-Epsilon::from_nanos(spent.quanta()).to_f64()).exp()) + GUARD,
        };
        (of_noise + threshold_delta.to_f64()).min(1.0)
    }

    fn shown(self, amount: Price, wrong: impl Fn(Self, Epsilon) -> bool, towards: i64) -> Epsilon {
        let nanos = match self {
            Self::Pure => return Epsilon::from_nanos(amount.quanta()),
            Self::Gaussian { delta } => 1e9 * curve::epsilon_estimate(amount.quanta() as f64, delta.to_f64()),
        };
        if amount == Price::ZERO {
            return Epsilon::from_nanos(0);
        }
        if nanos >= Epsilon::NANOS_MAX as f64 {
            return Epsilon::from_nanos(Epsilon::NANOS_MAX);
        }
        let quantum = 10_u64.pow((nanos.max(1.0) as u64).ilog10().saturating_sub(SHOWN_DIGITS - 1));
        let mut shown = (nanos / quantum as f64).round() as u64 * quantum;
        // The estimate is good to 1e-10 and the quantum is 1e-6 of it, so this takes one step, rarely two, and never more than a few.
        for _ in 0..STEPS_MAX {
            if (shown == 0 && towards < 0) || (shown > 0 && !wrong(self, Epsilon::from_nanos(shown))) {
                return Epsilon::from_nanos(shown);
            }
            shown = shown.saturating_add_signed(towards * quantum as i64);
        }
        Epsilon::from_nanos(if towards < 0 { 0 } else { Epsilon::NANOS_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ(μ/2) from published values of Φ, and e^ε/(1 + e^ε): the result is never below these, and above by at most 1e-8.
    #[test]
    fn the_best_guess_is_what_the_theorems_say() {
        let gaussian = |delta| Accountant::Gaussian { delta: Delta::parse(delta).expect("δ") };
        let cap = |delta, epsilon| gaussian(delta).cap(Epsilon::parse(epsilon).expect("ε"));
        for (accountant, spent, aside, wanted) in [
            (gaussian("1e-6"), Price::ZERO, "1e-18", 0.5),
            // μ = 2, 1 and 0.2: Φ(1), Φ(0.5) and Φ(0.1).
            (gaussian("1e-6"), Price::from_quanta(4_000_000_000_000_000), "1e-18", 0.841_344_746_068_543),
            (gaussian("1e-6"), Price::from_quanta(1_000_000_000_000_000), "1e-18", 0.691_462_461_274_013),
            (gaussian("1e-6"), Price::from_quanta(40_000_000_000_000), "1e-18", 0.539_827_837_277_029),
            (gaussian("1e-6"), Price::from_quanta(40_000_000_000_000), "0.01", 0.549_827_837_277_029),
            (Accountant::Pure, Price::from_quanta(1_000_000_000), "1e-18", 0.731_058_578_630_005),
            (Accountant::Pure, Price::from_quanta(100_000_000_000), "1e-18", 1.0),
        ] {
            let got = accountant.best_guess(spent, Delta::parse(aside).expect("δ"));
            assert!(got >= wanted && got < wanted + 1e-8, "{accountant:?} {spent:?}: {got}");
        }
        // Common caps, compared with independently computed values.
        for (epsilon, delta, per_cent) in
            [("1", "1e-6", 54.71), ("4", "1e-9", 63.16), ("8", "1e-6", 77.81), ("1", "0.01", 60.5)]
        {
            let got = 100.0 * gaussian(delta).best_guess(cap(delta, epsilon), Delta::ZERO);
            assert!((got - per_cent).abs() < 0.01, "({epsilon}, {delta}): {got}");
        }
    }

    #[test]
    fn remaining_and_spent_are_on_the_safe_side() {
        let accountant = Accountant::Gaussian { delta: Delta::parse("1e-9").expect("δ") };
        let cap = accountant.cap(Epsilon::parse("1").expect("ε"));
        assert_eq!(accountant.epsilon_within(cap).to_string(), "1");
        assert_eq!(accountant.epsilon_within(Price::ZERO).to_string(), "0");
        assert_eq!(accountant.epsilon_spent(Price::ZERO).to_string(), "0");
        let asked = Epsilon::parse("0.31").expect("ε");
        let price = accountant.price(asked);
        assert_eq!(accountant.epsilon_spent(price), asked);
        let left = accountant.epsilon_within(cap.left_after(price));
        assert!(left.to_string().starts_with("0.9"), "{left}");
        assert!(accountant.price(left) <= cap.left_after(price));
    }
}
