//! The exact conversion between (ε, δ) and the precision μ² of Gaussian differential privacy.
//!
//! Promises caps that are rounded down from a rigorous evaluation in big floats. Knows nothing of accounts.
//!
//! # The claim
//!
//! Norm: ℓ₂ over the concatenation of all noisy cells. Neighbours: datasets that differ by one unit and all its rows.
//!
//! A Gaussian mechanism with sensitivity Δ₂ and standard deviation σ is μ-GDP with μ = Δ₂/σ. Under fully adaptive composition, the filter
//! that admits a mechanism while Σμ² ≤ B is valid and gives √B-GDP (Smith & Thakurta, arXiv 2210.17520; Koskela, Tobaben & Honkela,
//! 2209.15596), and it remains valid when mechanisms are interleaved (Haney et al., 2309.05901). μ-GDP implies (ε, δ_μ(ε))-differential
//! privacy for every ε, with (Dong, Roth & Su, 1905.02383, corollary 1; Balle & Wang, 1805.06530)
//!
//! > δ_μ(ε) = Φ(μ/2 − ε/μ) − e^ε·Φ(−μ/2 − ε/μ)
//!
//! # From the ideal Gaussian to the noise that is drawn
//!
//! Noise is drawn from a discrete Gaussian on a grid so fine that σ ≥ 2⁴⁰ steps. Let Q be its law on one cell, and P the law of a
//! continuous Gaussian of the same σ, rounded to that grid. Rounding is post-processing, so P is exactly (Δ/σ)-GDP for a sensitivity of Δ.
//! There is a set of mass at most τ = e^(−1000) under either law outside of which both P/Q and Q/P are at most e^η with η = 2⁻⁷³. To see
//! this: within 44.7 σ, the cell mass of P is the average of the density over one step, and its second-order error is below
//! (44.7² + 1)/(24·2⁸⁰) = 2⁻⁷³·⁶; the normaliser of Q differs from the integral by a factor within e^(−2π²·2⁸⁰) (Poisson summation); and
//! the mass beyond 44.7 σ is 2·φ(44.7)/44.7 < e^(−1003).
//!
//! Let one dataset draw at most N = 2⁴⁰ cells in its life; the ledger counts them and refuses any beyond. Let A be any event over an
//! adaptive transcript. Write Q for the real and P for the ideal law under one dataset, and Q', P' under its neighbour. Replacing the laws
//! cell by cell (a hybrid argument over at most N cells, conditioned on the past) gives
//!
//! > Q(A) ≤ e^(Nη)·P(A) + Nτ,   P'(A) ≤ e^(Nη)·Q'(A) + Nτ.
//!
//! The ideal transcript is (ε', δ_μ(ε'))-private for every ε'. With ε' = ε − 2Nη this gives
//!
//! > Q(A) ≤ e^(Nη)·(e^(ε')·P'(A) + δ_μ(ε')) + Nτ ≤ e^ε·Q'(A) + e^(Nη)·δ_μ(ε − 2Nη) + Nτ·(1 + e^(ε − Nη)).
//!
//! So the cap is the largest μ² for which **e^(Nη)·δ_μ(ε − 2Nη) + Nτ·(1 + e^(ε + Nη)) ≤ δ**. [`cap`] returns it, rounded down to
//! 1e-15. At (1, 1e-6), replacing the ideal law by the real one costs 2.5e-11 of the 0.056029 that the ideal law would allow.
//!
//! # Numbers
//!
//! Φ is computed from the series Φ(x) − ½ = φ(x)·Σ x^(2n+1)/(1·3·…·(2n+1)) (Abramowitz & Stegun 26.2.11), whose terms all have the
//! sign of x, with 256 bits, and more where e^ε needs them. Each evaluation has an absolute error below 2⁻¹⁸⁰, and the comparison with δ leaves
//! a margin of 2⁻¹⁵⁰.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use dashu::float::FBig;
use dashu::float::round::mode::HalfEven;
use dashu::integer::IBig;

use super::curve;
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};

type Real = FBig<HalfEven, 2>;

/// log₂ of N, the number of noisy cells that one dataset may draw in its life.
pub const CELLS_LOG2_MAX: u32 = 40;
/// N, the number of noisy cells that one dataset may draw in its life.
pub const CELLS_MAX: u64 = 1 << CELLS_LOG2_MAX;
/// An upper bound on 2Nη: the part of ε that is spent on replacing the ideal law by the real one.
pub const SWAP_EPSILON: f64 = 2.4e-10;
/// log₂ of 1/η, where e^η bounds the ratio of the drawn law to the rounded Gaussian on one cell.
const ETA_LOG2: u32 = 73;
/// −ln τ, where τ is the mass of the set on which that bound may fail.
const TAU_LN: u32 = 1000;
/// Maximum number of computed caps that are cached.
const CAPS_KEPT_MAX: usize = 4_096;
/// Working precision in bits, for small ε.
const BITS: usize = 256;
/// Beyond this many standard deviations a tail is below 1e-340 and is taken as 0.
const TAIL_MAX: f64 = 40.0;

/// Returns the largest precision Σμ² that is (`epsilon`, `delta`)-differentially private with the noise that is really drawn.
///
/// Rounded down to 1e-15. The formula, its norm and its neighbouring relation are in the module's documentation.
///
/// Takes milliseconds the first time. Results are cached, because the same caps and allocations are asked for again and again.
#[must_use]
pub fn cap(epsilon: Epsilon, delta: Delta) -> Price {
    static KEPT: Mutex<BTreeMap<(Epsilon, Delta), Price>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(&(epsilon, delta)) {
        return *known;
    }
    drop(kept);
    let cap = computed(epsilon, delta);
    kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= CAPS_KEPT_MAX {
        kept.clear();
    }
    kept.insert((epsilon, delta), cap);
    cap
}

fn computed(epsilon: Epsilon, delta: Delta) -> Price {
    largest(|units| holds(epsilon, delta, units), curve::units_estimate(epsilon.to_f64(), delta.to_f64()))
}

/// Returns δ_μ(ε) for a given precision μ², to about 45 significant digits, as decimal text.
///
/// For verification only; admission never calls it.
#[must_use]
pub fn delta_text(epsilon: Epsilon, precision: Price) -> String {
    let work = Work::new(epsilon);
    let value = work.delta(&work.ratio(epsilon.nanos().into(), 1_000_000_000), precision.quanta());
    value.with_base_and_precision::<10>(45).value().to_string()
}

fn largest(holds: impl Fn(u64) -> bool, estimate: f64) -> Price {
    let start = if estimate >= 1.8e19 { u64::MAX } else { estimate as u64 };
    let mut reach = (start >> 30).max(4);
    let (mut low, mut high) = loop {
        let (low, high) = (start.saturating_sub(reach), start.saturating_add(reach));
        let low_fits = low == 0 || holds(low);
        if low_fits && (high == u64::MAX || !holds(high)) {
            break (low, high);
        }
        reach = reach.saturating_mul(16);
    };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    Price::from_quanta(low)
}

fn holds(epsilon: Epsilon, delta: Delta, units: u64) -> bool {
    let work = Work::new(epsilon);
    let cells_eta = work.power_of_two(CELLS_LOG2_MAX as isize - ETA_LOG2 as isize);
    let asked = work.ratio(epsilon.nanos().into(), 1_000_000_000);
    let narrowed = &asked - &cells_eta - &cells_eta;
    let tau_cells = (-work.integer(TAU_LN.into())).exp() * work.power_of_two(CELLS_LOG2_MAX as isize);
    let swap = tau_cells * (work.integer(1) + (asked + &cells_eta).exp());
    let total = cells_eta.exp() * work.delta(&narrowed, units) + swap + work.power_of_two(-150);
    total <= work.ratio(delta.attos().into(), 1_000_000_000_000_000_000)
}

/// Big-float arithmetic at one working precision.
struct Work {
    bits: usize,
}

impl Work {
    fn new(epsilon: Epsilon) -> Self {
        // e^ε multiplies the error of the second tail, so larger ε need more bits.
        Self { bits: BITS + (epsilon.nanos() / 500_000_000) as usize }
    }

    fn integer(&self, value: i128) -> Real {
        Real::from_parts(IBig::from(value), 0).with_precision(self.bits).value()
    }

    fn ratio(&self, numerator: i128, denominator: i128) -> Real {
        self.integer(numerator) / self.integer(denominator)
    }

    fn power_of_two(&self, exponent: isize) -> Real {
        Real::from_parts(IBig::ONE, exponent).with_precision(self.bits).value()
    }

    /// δ_μ(ε) = Q(ε/μ − μ/2) − e^ε·Q(ε/μ + μ/2), where Q is the upper tail of the standard normal law.
    fn delta(&self, epsilon: &Real, units: u64) -> Real {
        if units == 0 {
            return self.integer(0);
        }
        let mu = self.ratio(units.into(), 1_000_000_000_000_000).sqrt();
        let (centre, half) = (epsilon / &mu, &mu / self.integer(2));
        let near = &centre - &half;
        if near.to_f64().value() > TAIL_MAX {
            return self.integer(0);
        }
        self.upper_tail(&near) - epsilon.exp() * self.upper_tail(&(centre + half))
    }

    fn upper_tail(&self, x: &Real) -> Real {
        let square = x * x;
        let mut term = x.clone();
        let mut sum = term.clone();
        let negligible = self.power_of_two(-(self.bits as isize) - 8);
        let mut odd = 1_i128;
        loop {
            odd += 2;
            term = term * &square / self.integer(odd);
            sum += &term;
            let (size, so_far) = (&term * &term, &sum * &sum);
            if size <= so_far * &negligible * &negligible {
                break;
            }
        }
        let density = (-square / self.integer(2)).exp() / (Real::pi(self.bits) * self.integer(2)).sqrt();
        self.ratio(1, 2) - density * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_of_the_design_holds() {
        let cap = cap(Epsilon::parse("1").expect("ε"), Delta::parse("1e-6").expect("δ"));
        assert_eq!((cap.quanta() + 500_000_000) / 1_000_000_000, 56_029, "{cap:?}");
    }
}
