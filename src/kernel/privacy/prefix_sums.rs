//! Prefix sums over ordered groups: a measurement from which every running sum can be computed far more precisely than by adding up
//! noisy groups.
//!
//! Promises integer coefficients c₀ … cₙ₋₁, the sensitivity of what is measured with them, and the weights that turn the noisy measurements
//! back into running sums and into single groups.
//!
//! **What is measured.** From the counts x₀ … xₙ₋₁ of n ordered groups, y_t = Σ c_k·x_{t−k}, one integer per group. c_k is 2²⁰·C(2k, k)/4ᵏ,
//! rounded. Apart from the scale and the rounding these are the coefficients of (1 − z)^(−1/2), so applying them twice gives all running
//! sums, whose coefficients are those of (1 − z)⁻¹. This square root is what J. Fichtenberger, M. Henzinger and J. Upadhyay measure in
//! "Constant matters: fine-grained error bound on differentially private continual observation" (ICML 2023); the rounding makes it exact
//! integers.
//!
//! **Sensitivity** (add or remove one unit; ℓ₁ and ℓ₂). A row of group j adds c_{t−j} to y_t for every t ≥ j: at most Σc_k in ℓ₁ and √Σc_k²
//! in ℓ₂, reached in the first group. A unit with at most k rows adds at most k such vectors: Δ₁ = k·Σc_k, and Δ₂ = k·√Σc_k² by the
//! triangle inequality, reached when all of its rows fall into the first group.
//!
//! **Reconstruction.** With d the coefficients of 1/Σc_k·zᵏ, x_t = Σ d_k·y_{t−k} and Σ_{s ≤ t} x_s = Σ m_k·y_{t−k}, where m_k = d₀ + … +
//! d_k. Noise of variance σ² in each y gives a running sum the variance σ²·Σ_{k ≤ t} m_k². For n = 365, at the price of counts with
//! variance v each, that is at most 8.7·v instead of 365·v, and the sum over any range of groups has at most 14.1·v. No choice of
//! measurement has less than 9.2·v on average over all ranges (the singular value bound: C. Li, G. Miklau, "Optimal error of query sets
//! under the differentially-private matrix mechanism", ICDT 2013); sums of noisy counts have 122·v, and this measurement has 11.7·v.
//!
//! **Bounds.** Σc_k < 2²⁰·(1 + 2√(n/π)) < 2²⁶ for n ≤ 2,200, and a table has fewer than 2³² rows, so every y fits 58 bits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Maximum number of ordered groups: six years of days.
pub const GROUPS_MAX: u64 = 2_200;
/// Maximum number of coefficient sets that are cached, one per number of groups.
const KEPT_MAX: usize = 64;
const SCALE: f64 = (1_u64 << 20) as f64;

/// The prefix-sum coefficients for one number of groups, with the weights that invert them.
#[derive(Debug, Clone, PartialEq)]
pub struct PrefixSums {
    coefficients: Vec<i64>,
    /// Weights that reconstruct a single group, and the running sums of their squares.
    steps: (Vec<f64>, Vec<f64>),
    /// Weights that reconstruct a running sum, and the running sums of their squares.
    sums: (Vec<f64>, Vec<f64>),
}

impl PrefixSums {
    /// Returns the coefficients for `groups` ordered groups, at most [`GROUPS_MAX`]; computed once and then cached.
    #[must_use]
    pub fn of(groups: usize) -> Arc<Self> {
        static MADE: OnceLock<Mutex<HashMap<usize, Arc<PrefixSums>>>> = OnceLock::new();
        let made = MADE.get_or_init(Mutex::default);
        let known = made.lock().unwrap_or_else(PoisonError::into_inner).get(&groups).map(Arc::clone);
        // The lock is not held during the computation, which takes milliseconds, so nobody waits for it.
        known.unwrap_or_else(|| {
            let one = Arc::new(Self::made(groups.min(GROUPS_MAX as usize)));
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            if made.len() >= KEPT_MAX {
                made.clear();
            }
            made.insert(groups, Arc::clone(&one));
            one
        })
    }

    fn made(groups: usize) -> Self {
        let mut root = SCALE;
        let mut coefficients = Vec::with_capacity(groups);
        for place in 0..groups {
            if place > 0 {
                root *= (2 * place - 1) as f64 / (2 * place) as f64;
            }
            coefficients.push(root.round() as i64);
        }
        let mut steps: Vec<f64> = Vec::with_capacity(groups);
        for place in 0..groups {
            let known: f64 = (1..=place).map(|back| coefficients[back] as f64 * steps[place - back]).sum();
            let own = if place == 0 { 1.0 } else { 0.0 };
            steps.push((own - known) / SCALE);
        }
        let mut sum = 0.0;
        let sums = steps.iter().map(|step| {
            sum += step;
            sum
        });
        let with_squares = |weights: Vec<f64>| {
            let mut sum = 0.0;
            let squares = weights.iter().map(|weight| {
                sum += weight * weight;
                sum
            });
            let squares = squares.collect();
            (weights, squares)
        };
        let sums = sums.collect();
        Self { sums: with_squares(sums), steps: with_squares(steps), coefficients }
    }

    /// Computes what is measured, y_t = Σ c_k·x_{t−k}, from one count per group.
    #[must_use]
    pub fn apply(&self, counts: &[i64]) -> Vec<i64> {
        let one = |at: usize| (0..=at).map(|back| self.coefficients[back] * counts[at - back]).sum();
        (0..counts.len()).map(one).collect()
    }

    /// Σc_k: the most by which one row can change the measurement in ℓ₁.
    #[must_use]
    pub fn l1(&self) -> u64 {
        self.coefficients.iter().map(|one| one.unsigned_abs()).sum()
    }

    /// Σc_k²: the square of the most by which one row can change the measurement in ℓ₂.
    #[must_use]
    pub fn l2_squared(&self) -> u128 {
        self.coefficients.iter().map(|one| u128::from(one.unsigned_abs()).pow(2)).sum()
    }

    /// The largest c_k: the most that one row can add to one cell of the measurement.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.coefficients.iter().map(|one| one.unsigned_abs()).max().unwrap_or(0)
    }

    /// Returns the weights that reconstruct a single group (d, if `is_step`) or a running sum (m, otherwise) from the measurement: first
    /// the weight of the group's own cell, then those of the cells before it. The second slice holds the running sums of their squares.
    #[must_use]
    pub fn weights(&self, is_step: bool) -> (&[f64], &[f64]) {
        let (weights, squares) = if is_step { &self.steps } else { &self.sums };
        (weights, squares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The measurement determines single counts to a millionth and running sums to 1e-5.
    #[test]
    fn running_sums_come_back() {
        let counts: Vec<i64> = (0..800).map(|at| (at * 7919) % 113).collect();
        let roots = PrefixSums::of(counts.len());
        let measured = roots.apply(&counts);
        let back =
            |weights: &[f64], at: usize| (0..=at).map(|back| weights[back] * measured[at - back] as f64).sum::<f64>();
        let mut sum = 0;
        for (at, count) in counts.iter().enumerate() {
            sum += count;
            assert!((back(roots.weights(true).0, at) - *count as f64).abs() < 1e-6, "group {at}");
            assert!((back(roots.weights(false).0, at) - sum as f64).abs() < 1e-5, "up to {at}");
        }
    }

    /// The figures in the module's documentation, at the price of counts of variance 1.
    #[test]
    fn a_year_of_days_has_the_variance_that_is_told() {
        let roots = PrefixSums::of(365);
        let price = roots.l2_squared() as f64;
        let (weights, squares) = roots.weights(false);
        let up_to = |at: usize| price * squares[at];
        let range = |from: usize, to: usize| {
            // The noise of y_j is part of both running sums if j lies before the range.
            let before: f64 = (0..from).map(|at| (weights[to - at] - weights[from - 1 - at]).powi(2)).sum();
            price * before + up_to(to - from)
        };
        let worst_sum = (0..365).map(up_to).fold(0.0, f64::max);
        let mean_sum = (0..365).map(up_to).sum::<f64>() / 365.0;
        let (mut worst, mut all, mut ranges) = (0.0_f64, 0.0, 0.0);
        for from in 0..365 {
            for to in from..365 {
                let one = range(from, to);
                (worst, all, ranges) = (worst.max(one), all + one, ranges + 1.0);
            }
        }
        assert!(worst_sum < 8.7 && mean_sum < 7.8 && worst < 14.1, "{worst_sum} {mean_sum} {worst}");
        assert!((all / ranges - 11.7).abs() < 0.1, "{}", all / ranges);
        assert!(PrefixSums::of(GROUPS_MAX as usize).l1() < 1 << 26);
    }
}
