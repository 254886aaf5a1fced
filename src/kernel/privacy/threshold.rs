//! Thresholds: which groups may be shown when no public list of them exists.
//!
//! Promises a least noisy count of units, computed from δ_t, below which a group is hidden, such that the groups that belong to one unit
//! alone are shown with a probability of at most δ_t.
//!
//! # The claim
//!
//! Neighbours D and D′ = D + u differ by one unit u and all its rows (add or remove one unit). The unit u counts in at most m groups. An
//! answer draws independent noise for every group that has rows, and shows those groups whose noisy number of units is at least T. Then any
//! sequence of such answers and of answers with public groups, chosen adaptively, with Σμ² and Σδ_t held below their caps at every instant,
//! is (ε, δ_μ(ε) + Σδ_t)-differentially private.
//!
//! *Proof.* Let S be the groups that have rows in D. The groups that D′ has in addition are u's alone: at most m, with one unit each. Let
//! M′ be the same answer restricted so that only groups in S can be shown. On D, M′ equals M. On D′ the two are equal unless one of u's own
//! groups reaches T. Call this event B; its probability is at most m·P\[1 + X ≥ T\] ≤ δ_t, where X is the noise of the unit count. B
//! depends only on the noise of groups outside S, which is independent of everything that M′ shows. M′ shows a function of noisy vectors
//! over S, a set that is the same for both datasets. So it is the Gaussian mechanism within the bounds of [`super::sensitivity`] (removing
//! groups from a vector only removes part of what u changed), and all such steps together are μ-GDP. Over a whole adaptive transcript, let
//! G be the event that no B happens in any step. Whatever the transcript so far, the next B has probability at most its δ_t, and these sum
//! to at most Δ = Σδ_t, so P\[not G\] ≤ Δ.
//!
//! * P\[M(D′) ∈ E\] ≤ P\[M(D′) ∈ E, G\] + Δ ≤ P\[M′(D′) ∈ E\] + Δ ≤ e^ε·P\[M(D) ∈ E\] + δ_μ(ε) + Δ.
//! * Given a transcript of M′, each event B depends on other noise, so P\[M(D′) ∈ E\] ≥ P\[M′(D′) ∈ E, G\] ≥ (1 − Δ)·P\[M′(D′) ∈ E\], and
//!   e^ε·P\[M(D′) ∈ E\] ≥ (1 − Δ)·(P\[M(D) ∈ E\] − δ_μ(ε)) ≥ P\[M(D) ∈ E\] − δ_μ(ε) − Δ. ∎
//!
//! A total over all rows may be shown beside the groups. It is a measurement of its own, over a public set of one cell, with noise that B
//! is independent of, so it is the same part of M and of M′.
//!
//! Counts are compared on the noise law's fine grid, before anything is rounded. Groups are never topped up and nothing is derived from
//! them, because a second draw of a group gives B a second opportunity and needs a δ_t of its own. If an answer has more groups than the
//! declared capacity, the groups that are cut are chosen by their noisy counts. Source: A. Korolova, K. Kenthapadi, N. Mishra, A. Ntoulas,
//! "Releasing search queries and clicks privately" (WWW 2009), for the event B; the Gaussian form is that of D. Desfontaines, J. Voss, B.
//! Gipson, C. Mandayam, "Differentially private partition selection" (PoPETs 2022).

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::integer::IBig;
use serde::{Deserialize, Serialize};

use super::mechanism::{Mechanism, NoiseLaw};
use crate::kernel::privacy::amounts::Delta;

/// The parameters of a threshold: how likely one unit's own groups may be shown, and how many groups a unit can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Threshold {
    /// m: the maximum number of groups that a unit counts in.
    pub groups_per_unit: u32,
    /// δ_t: the maximum probability with which any of one unit's own groups is shown.
    pub delta: Delta,
}

/// The fraction of δ_t that is set aside for float rounding.
const GUARD: f64 = 1e-6;
const HALVINGS: u32 = 80;

impl Threshold {
    /// Returns T, the least noisy number of units that is shown, on the fine grid of `law`; `None` if the noise is not Gaussian, or if no
    /// unit may count in a group, or if δ_t is 0.
    ///
    /// With Φ̄(z) = δ_t(1 − 10⁻⁶)/m and the noise X of σ fine steps, T is one unit plus ⌈z·σ⌉ + 1 fine steps: P\[X ≥ x\] ≤ Φ̄((x − 1)/σ)
    /// for an integer x (C. Canonne, G. Kamath, T. Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020, proposition
    /// 25).
    #[must_use]
    pub fn least(&self, law: &NoiseLaw) -> Option<IBig> {
        if law.mechanism != Mechanism::DiscreteGaussian || self.groups_per_unit == 0 || self.delta == Delta::ZERO {
            return None;
        }
        let each = self.delta.to_f64() * (1.0 - GUARD) / f64::from(self.groups_per_unit);
        let steps = (upper_point(each) * law.scale * (1.0 + 1e-12)).ceil().max(0.0) + 1.0;
        Some((IBig::ONE << law.fine_bits as usize) + IBig::try_from(steps).ok()?)
    }

    /// Returns T as a number of units, for display; `None` if the noise is not Gaussian or δ_t is 0.
    #[must_use]
    pub fn shown(&self, law: &NoiseLaw) -> Option<f64> {
        let each = self.delta.to_f64() * (1.0 - GUARD) / f64::from(self.groups_per_unit.max(1));
        (law.mechanism == Mechanism::DiscreteGaussian && each > 0.0)
            .then(|| 1.0 + upper_point(each).max(0.0) * law.std_error())
    }
}

/// Returns an upper bound on the z with Φ̄(z) = p, by bisection; Φ̄ is decreasing.
fn upper_point(p: f64) -> f64 {
    let upper_tail = |z: f64| 0.5 * libm::erfc(z / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (0.0, 38.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if upper_tail(middle) > p { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privacy::amounts::Price;
    use crate::kernel::privacy::mechanism::gaussian;
    use crate::kernel::privacy::sensitivity::{Aggregation, Sensitivity};

    /// Quantiles of the normal law from a published table, for p down to 1e-12.
    #[test]
    fn the_points_are_those_of_the_normal_law() {
        for (p, z) in [(1e-2, 2.326_347_874), (1e-3, 3.090_232_306), (1e-9, 5.997_807_015), (1e-12, 7.034_483_825)] {
            assert!((upper_point(p) - z).abs() < 1e-8, "{p}: {}", upper_point(p));
        }
    }

    /// More groups and a smaller δ hide more; the threshold in units equals the one on the fine grid.
    #[test]
    fn thresholds_rise_with_what_they_promise() {
        let sensitivity = Sensitivity::of(Aggregation::DistinctUnits { cells_reachable: 4 }, 8).expect("it fits");
        let law = gaussian(sensitivity, Price::from_quanta(10_000_000_000_000)).expect("a law");
        let least = |groups_per_unit, delta| {
            let threshold = Threshold { groups_per_unit, delta: Delta::from_attos(delta) };
            let fine =
                threshold.least(&law).expect("a Gaussian").to_f64().value() / 2_f64.powi(law.fine_bits.cast_signed());
            assert!((fine / threshold.shown(&law).expect("a Gaussian") - 1.0).abs() < 1e-9);
            fine
        };
        assert!(least(1, 1_000_000) < least(4, 1_000_000));
        assert!(least(4, 1_000_000) < least(4, 1_000));
        // m groups at δ have the threshold of one group at δ/m.
        assert!((least(4, 4_000_000) / least(1, 1_000_000) - 1.0).abs() < 1e-9);
    }
}
