//! Events, how often they happen, and the lower bounds on ε that follow.
//!
//! If a mechanism is (ε, δ)-differentially private, P(S) ≤ e^ε·P'(S) + δ for every event S and neighbours P, P'. So with a lower
//! bound p on P(S) and an upper bound q on P'(S), both by Clopper and Pearson (1934), ε ≥ ln((p − δ)/q), and at a given ε, δ ≥ p
//! − e^ε·q. If the mechanism is μ-GDP, which is what a Gaussian price claims, μ ≥ Φ⁻¹(p) − Φ⁻¹(q). All of this is for independent
//! samples. The events are fixed before anything is asked, and the probability of error is shared among all bounds, so that all
//! hold together at [`CONFIDENCE`].

use statrs::function::beta::beta_reg;

/// Probability with which all bounds of one mechanism hold together.
pub const CONFIDENCE: f64 = 0.999;

/// An event of a sample. Each direction of the neighbouring relation has its own events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// The sum of the sample's cells is at least this.
    SumAtLeast(f64),
    /// The sum of the sample's cells is at most this.
    SumAtMost(f64),
    /// Every cell of the sample is at least this.
    AllAtLeast(f64),
    /// Every cell of the sample is at most this.
    AllAtMost(f64),
}

impl Event {
    pub(super) fn holds(&self, cells: &[f64]) -> bool {
        match self {
            Self::SumAtLeast(bound) => cells.iter().sum::<f64>() >= *bound,
            Self::SumAtMost(bound) => cells.iter().sum::<f64>() <= *bound,
            Self::AllAtLeast(bound) => cells.iter().all(|cell| cell >= bound),
            Self::AllAtMost(bound) => cells.iter().all(|cell| cell <= bound),
        }
    }

    /// Whether the event is evidence that the unit is present.
    pub(super) fn is_for_presence(&self) -> bool {
        matches!(self, Self::SumAtLeast(_) | Self::AllAtLeast(_))
    }
}

/// How often an event happened among a number of samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of samples in which the event happened.
    pub hits: u64,
    /// Number of all samples.
    pub samples: u64,
}

impl Tally {
    pub(super) fn add(&mut self, hit: bool) {
        self.hits += u64::from(hit);
        self.samples += 1;
    }

    /// Lower bound on the event's probability: the largest p with P(X ≥ hits; p) ≤ `error`.
    #[must_use]
    pub fn least(&self, error: f64) -> f64 {
        if self.hits == 0 {
            return 0.0;
        }
        let (hits, misses) = (self.hits as f64, (self.samples - self.hits) as f64);
        bisect(|p| beta_reg(hits, misses + 1.0, p) <= error).0
    }

    /// Upper bound on the event's probability: the smallest p with P(X ≤ hits; p) ≤ `error`.
    #[must_use]
    pub fn most(&self, error: f64) -> f64 {
        if self.hits == self.samples {
            return 1.0;
        }
        let (hits, misses) = (self.hits as f64, (self.samples - self.hits) as f64);
        bisect(|p| 1.0 - beta_reg(hits + 1.0, misses, p) > error).1
    }
}

/// The last point at which `is_low` holds, and the next one. It must hold up to some point of (0, 1) and nowhere after.
fn bisect(is_low: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if is_low(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low, high)
}

/// Lower bound on ε at δ = 0, where `more` is the side on which the event is more frequent.
pub(super) fn epsilon_least(more: Tally, less: Tally, error: f64) -> f64 {
    (more.least(error) / less.most(error)).ln().max(0.0)
}

/// Lower bound on μ: a μ-GDP mechanism has P(S) ≤ Φ(Φ⁻¹(P'(S)) + μ) for every event (Dong, Roth and Su 2019, definition 4).
pub(super) fn mu_least(more: Tally, less: Tally, error: f64) -> f64 {
    normal_quantile(more.least(error)) - normal_quantile(less.most(error))
}

/// Lower bound on δ at `epsilon`.
pub(super) fn delta_least(more: Tally, less: Tally, epsilon: f64, error: f64) -> f64 {
    (more.least(error) - epsilon.exp() * less.most(error)).max(0.0)
}

/// Φ, the standard normal distribution function.
pub(super) fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The inverse of [`normal`] by bisection; ±40 stand for the infinities.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0_f64, 40.0_f64);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if normal(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// k = 0 and k = n have closed forms; the other references come from R's binom.test.
    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        for (hits, samples, error, least, most) in [
            (0, 10, 0.025, 0.0, 0.308_497),
            (10, 10, 0.025, 0.691_503, 1.0),
            (5, 10, 0.025, 0.187_086, 0.812_914),
            (50, 1_000, 0.025, 0.037_335, 0.065_390),
        ] {
            let tally = Tally { hits, samples };
            assert!((tally.least(error) - least).abs() < 1e-5, "{hits} of {samples}: {}", tally.least(error));
            assert!((tally.most(error) - most).abs() < 1e-5, "{hits} of {samples}: {}", tally.most(error));
        }
        let many = Tally { hits: 500_000, samples: 1_000_000 };
        assert!((many.least(5e-4) - (0.5 - 3.2905 * 5e-4)).abs() < 2e-6, "{}", many.least(5e-4));
    }
}
