//! What an ε is worth in the ledger's integers, and what the ledger's integers are worth in ε.
//!
//! Promises that asking for ε never costs more than a cap of ε holds, and that what is shown as spent is never too little
//! and as remaining never too much.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::mechanism::Mechanism;
use super::units::{Delta, Epsilon, Price};
use super::{curve, gdp};

/// How losses add up, chosen once for a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accountant {
    /// Discrete Gaussian noise; precision μ² adds (Gaussian differential privacy, see [`gdp`]). Unit 1e-15.
    Gaussian {
        /// The δ of the lifetime guarantee.
        delta: Delta,
    },
    /// Discrete Laplace noise; ε adds (basic composition, adaptive). Unit 1e-9.
    Pure,
}

/// Left between the float curve and the exact one: the curve is good to 1e-10.
const GUARD: f64 = 1e-9;
/// Steps from an estimate to the safe side of it.
const STEPS_MAX: u32 = 1_000;
/// Significant digits in which amounts of ε are shown.
const SHOWN_DIGITS: u32 = 6;

impl Accountant {
    /// The δ of the guarantee, 0 for `pure`.
    #[must_use]
    pub fn delta(self) -> Delta {
        match self {
            Self::Gaussian { delta } => delta,
            Self::Pure => Delta::ZERO,
        }
    }

    /// The family of the noise.
    #[must_use]
    pub fn mechanism(self) -> Mechanism {
        match self {
            Self::Gaussian { .. } => Mechanism::DiscreteGaussian,
            Self::Pure => Mechanism::DiscreteLaplace,
        }
    }

    /// The name in a policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian { .. } => "gaussian",
            Self::Pure => "pure",
        }
    }

    /// The amount that a cap or an allocation of `epsilon` holds, rounded down from the exact value.
    ///
    /// Takes milliseconds for `gaussian`; see [`gdp::cap`].
    #[must_use]
    pub fn cap(self, epsilon: Epsilon) -> Price {
        match self {
            Self::Gaussian { delta } => gdp::cap(epsilon, delta),
            Self::Pure => Price::from_units(epsilon.nanos()),
        }
    }

    /// The amount that one answer of `epsilon` may cost: at most [`Accountant::cap`] of it, short by about 1e-9.
    #[must_use]
    pub fn price(self, epsilon: Epsilon) -> Price {
        match self {
            Self::Gaussian { delta } => {
                let narrowed = epsilon.to_f64() - gdp::SWAP_EPSILON;
                let units = curve::units_estimate(narrowed, delta.to_f64()) * (1.0 - GUARD);
                // A float is cut, not rounded, on its way to an integer; one unit covers the swap of laws for tiny prices.
                Price::from_units((units as u64).saturating_sub(1))
            }
            Self::Pure => Price::from_units(epsilon.nanos()),
        }
    }

    /// The ε of a loss, rounded up to six significant digits; 0 for no loss, 100 for any beyond every cap.
    #[must_use]
    pub fn epsilon_spent(self, spent: Price) -> Epsilon {
        self.shown(spent, |accountant, shown| accountant.price(shown) < spent, 1)
    }

    /// The largest ε, to six significant digits, that still fits into `left`; 0 where none does.
    #[must_use]
    pub fn epsilon_within(self, left: Price) -> Epsilon {
        self.shown(left, |accountant, shown| accountant.price(shown) > left, -1)
    }

    fn shown(self, amount: Price, wrong: impl Fn(Self, Epsilon) -> bool, towards: i64) -> Epsilon {
        let nanos = match self {
            Self::Pure => return Epsilon::from_nanos(amount.units()),
            Self::Gaussian { delta } => 1e9 * curve::epsilon_estimate(amount.units() as f64, delta.to_f64()),
        };
        if amount == Price::ZERO {
            return Epsilon::from_nanos(0);
        }
        if nanos >= Epsilon::NANOS_MAX as f64 {
            return Epsilon::from_nanos(Epsilon::NANOS_MAX);
        }
        let quantum = 10_u64.pow((nanos.max(1.0) as u64).ilog10().saturating_sub(SHOWN_DIGITS - 1));
        let mut shown = (nanos / quantum as f64).round() as u64 * quantum;
        // The estimate is good to 1e-10 and the quantum is 1e-6 of it: one step, rarely two, and never more than a few.
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
