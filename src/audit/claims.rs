//! The claim about one mechanism, the events that would break it, and with what probability they would.
//!
//! Everything here is computed from the claim, by code that the server does not use.

use super::bounds::{CONFIDENCE, Event, Tally, delta_least, epsilon_least, mu_least, normal, normal_quantile};
use super::finding::{AuditError, CurvePoint, Finding};
use super::kinds::Kind;
use super::sampling::Sampled;
use super::tables::CAP;
use crate::kernel::privacy::amounts::Epsilon;

/// The power is stated for noise that is too small by this factor.
const TOO_SMALL: f64 = 1.2;
/// Points of the Gaussian curve, as multiples of the claimed ε.
const CURVE: [f64; 3] = [0.0, 0.5, 1.0];
/// Number of standard errors beyond which a correlation that should be zero counts as real.
const ERRORS_MAX: f64 = 6.0;
/// How far a charge may fall short, as a fraction of itself and of the allocation: the API gives fractions with nine digits.
const CHARGE_ROOM: (f64, f64) = (1e-6, 2e-9);

/// The noise law of a dataset's accountant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Law {
    /// Gaussian noise with the μ at which an answer is (ε, δ)-private.
    Gaussian {
        /// The dataset's δ.
        delta: f64,
    },
    /// Laplace noise, at which an answer is (ε, 0)-private.
    Laplace,
}

impl Law {
    /// Whether a kind of measurement has noise of its own under this law.
    pub(super) fn has(self, kind: Kind) -> bool {
        matches!(self, Self::Gaussian { .. }) || kind != Kind::RunningSum
    }
}

/// What a question of one kind claims at one ε.
pub(super) struct Claim {
    law: Law,
    epsilon: f64,
    kind: Kind,
}

/// δ_μ(ε) = Φ(μ/2 − ε/μ) − e^ε·Φ(−μ/2 − ε/μ) (Dong, Roth and Su 2019, corollary 1).
fn delta_of(epsilon: f64, mu: f64) -> f64 {
    normal(0.5 * mu - epsilon / mu) - epsilon.exp() * normal(-0.5 * mu - epsilon / mu)
}

/// The μ with δ_μ(ε) = δ.
fn mu_of(epsilon: f64, delta: f64) -> f64 {
    bisect(0.0, 200.0, |mu| delta_of(epsilon, mu) <= delta)
}

/// The last point between `low` and `high` at which `is_so` holds.
fn bisect(mut low: f64, mut high: f64, is_so: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if is_so(middle) { low = middle } else { high = middle }
    }
    low
}

impl Claim {
    pub(super) fn new(law: Law, epsilon: Epsilon, kind: Kind) -> Self {
        Self { law, epsilon: epsilon.to_f64(), kind }
    }

    /// The fraction of the allocation that a question takes: precision adds up, and so does pure ε.
    pub(super) fn fraction(&self) -> f64 {
        match self.law {
            Law::Gaussian { delta } => (mu_of(self.epsilon, delta) / mu_of(CAP, delta)).powi(2),
            Law::Laplace => self.epsilon / CAP,
        }
    }

    fn delta(&self) -> f64 {
        match self.law {
            Law::Gaussian { delta } => delta,
            Law::Laplace => 0.0,
        }
    }

    /// μ: how far the unit moves the sum of a sample's cells, in standard deviations of its noise. The vector moves by Δ₂ (the
    /// tables are made so that it does), and the sum of equal moves loses nothing of it.
    fn mu(&self) -> f64 {
        mu_of(self.epsilon, self.delta())
    }

    /// The events, fixed before anything is asked, in pairs of both directions. For Gaussian noise, the sum passes the points
    /// where the likelihoods differ by e^ε, which are the events at which δ(ε) is reached; the first event is the midpoint, where
    /// both sides have the most samples. For Laplace noise, every cell is beyond both centres, where the likelihoods differ by
    /// e^ε, by one step, so that rounding to whole numbers takes nothing away.
    pub(super) fn events(&self) -> Vec<Event> {
        match self.law {
            Law::Gaussian { .. } => {
                let (whole, mu) = (self.kind.whole_move(), self.mu());
                let pair = |times: &f64| {
                    let off = times * self.epsilon * whole / (mu * mu);
                    [Event::SumAtLeast(0.5 * whole + off), Event::SumAtMost(0.5 * whole - off)]
                };
                CURVE.iter().flat_map(pair).collect()
            }
            Law::Laplace => vec![Event::AllAtLeast(self.kind.move_per_cell() + 1.0), Event::AllAtMost(-1.0)],
        }
    }

    /// What the samples say about the claim.
    ///
    /// # Errors
    /// [`AuditError::Unusable`] if the two tables do not differ as they were prepared to.
    pub(super) fn finding(
        &self,
        events: &[Event],
        (with, without): (&Sampled, &Sampled),
        charged: f64,
        due: f64,
    ) -> Result<Finding, AuditError> {
        // Two bounds for every event.
        let error = (1.0 - CONFIDENCE) / (2 * events.len()) as f64;
        let side = |(event, (with, without)): (&Event, (&Tally, &Tally))| {
            let (more, less) = if event.is_for_presence() { (with, without) } else { (without, with) };
            (*more, *less)
        };
        let sides: Vec<(Tally, Tally)> =
            events.iter().zip(with.tallies.iter().zip(&without.tallies)).map(side).collect();
        let bounds = sides.iter().map(|(more, less)| self.epsilon_least(*more, *less, error));
        let lower_bound = bounds.fold(0.0, f64::max);
        let samples = sides.first().map_or(0, |(more, less)| more.samples.min(less.samples));
        let curve = self.curve(&sides, error);
        let mut broken: Vec<String> = with.broken.iter().chain(&without.broken).cloned().collect();
        broken.dedup();
        if lower_bound > self.epsilon {
            broken.push(format!("epsilon is at least {lower_bound:.3}"));
        }
        broken.extend(
            curve
                .iter()
                .filter(|point| point.lower_bound > point.claimed)
                .map(|point| format!("at epsilon {}, delta is at least {:.4}", point.epsilon, point.lower_bound)),
        );
        if charged < 1.0 - CHARGE_ROOM.0 - CHARGE_ROOM.1 / due {
            broken.push("the account was charged too little".to_owned());
        }
        broken.extend(self.repeated(with, without));
        if broken.is_empty() {
            self.check_tables(with, without)?;
        }
        let law = match self.law {
            Law::Gaussian { .. } => "discrete gaussian",
            Law::Laplace => "discrete laplace",
        };
        let mechanism = format!("{law}: {}", self.kind.name());
        let (claimed, delta, power) = (self.epsilon, self.delta(), self.power(samples, error));
        Ok(Finding { mechanism, claimed, lower_bound, delta, samples, power, curve, charged, broken })
    }

    /// Checks that the unit shows in the samples: two equal tables would pass every test.
    fn check_tables(&self, with: &Sampled, without: &Sampled) -> Result<(), AuditError> {
        let mean = |side: &Sampled| {
            let n = side.tallies.first().map_or(1.0, |tally| tally.samples as f64);
            let mean = side.sums.0 / n;
            (mean, (side.sums.1 / n - mean * mean) / n)
        };
        let ((one, spread), (other, other_spread)) = (mean(with), mean(without));
        let error = (spread + other_spread).sqrt();
        if (one - other - self.kind.whole_move()).abs() <= ERRORS_MAX * error {
            return Ok(());
        }
        let message = "the two tables do not differ as those that audit --prepare wrote; seal them anew";
        Err(AuditError::Unusable(message.to_owned()))
    }

    /// Looks for noise that is not independent: between neighbouring cells, the same slot in neighbouring groups, two questions,
    /// and both sides.
    fn repeated(&self, with: &Sampled, without: &Sampled) -> Vec<String> {
        let stride = self.kind.stride();
        let lag = |noise: &[f64], by: usize| correlation(noise.get(by..).unwrap_or_default(), noise);
        // The margin of Bernstein's inequality: that of a normal law, plus what single large values add if most are zero.
        let room = |look: &Correlation| ERRORS_MAX / (look.n as f64).sqrt() + ERRORS_MAX.powi(2) * look.largest / 3.0;
        let looks = [
            ("cells of an answer", lag(&with.noise[1], 1)),
            ("cells of an answer", lag(&without.noise[1], 1)),
            ("groups of an answer", lag(&with.noise[1], stride)),
            ("groups of an answer", lag(&without.noise[1], stride)),
            ("two questions", correlation(&with.noise[0], &with.noise[1])),
            ("two questions", correlation(&without.noise[0], &without.noise[1])),
            ("two tables", correlation(&with.noise[1], &without.noise[1])),
        ];
        let bad = looks.iter().filter(|(_, look)| look.n > 1 && (look.r.is_nan() || look.r.abs() > room(look)));
        let mut bad: Vec<String> =
            bad.map(|(what, look)| format!("the noise of {what} is not independent (r = {:.3})", look.r)).collect();
        bad.dedup();
        bad
    }

    /// Lower bound on ε. Laplace noise claims ε itself. Gaussian noise claims the whole curve of μ, so an event's bound on μ is
    /// converted to ε at δ.
    fn epsilon_least(&self, more: Tally, less: Tally, error: f64) -> f64 {
        match self.law {
            Law::Gaussian { .. } => self.epsilon_of(mu_least(more, less, error)),
            Law::Laplace => epsilon_least(more, less, error),
        }
    }

    /// The ε with δ_μ(ε) = δ; 0 if δ suffices at every ε.
    fn epsilon_of(&self, mu: f64) -> f64 {
        if mu <= 0.0 || delta_of(0.0, mu) <= self.delta() {
            return 0.0;
        }
        bisect(0.0, 600.0, |epsilon| delta_of(epsilon, mu) > self.delta())
    }

    fn curve(&self, sides: &[(Tally, Tally)], error: f64) -> Vec<CurvePoint> {
        if self.law == Law::Laplace {
            return Vec::new();
        }
        let point = |(times, pair): (&f64, &[(Tally, Tally)])| {
            let epsilon = times * self.epsilon;
            let bounds = pair.iter().map(|(more, less)| delta_least(*more, *less, epsilon, error));
            CurvePoint { epsilon, claimed: delta_of(epsilon, self.mu()), lower_bound: bounds.fold(0.0, f64::max) }
        };
        CURVE.iter().zip(sides.chunks(2)).map(point).collect()
    }

    /// Probability that the first event would have caught noise too small by [`TOO_SMALL`]. It uses the normal approximation of
    /// both tallies, for a statistic that exceeds the claim by `gap` and whose bound lies z of its deviations below it.
    fn power(&self, samples: u64, error: f64) -> f64 {
        let (n, z) = (samples as f64, normal_quantile(1.0 - error));
        let (gap, more, less) = match self.law {
            Law::Gaussian { .. } => {
                let half = 0.5 * TOO_SMALL * self.mu();
                let (p, density) = (normal(half), (-0.5 * half * half).exp() / (2.0 * std::f64::consts::PI).sqrt());
                let spread = (p * (1.0 - p) / n).sqrt() / density;
                ((TOO_SMALL - 1.0) * self.mu(), spread, spread)
            }
            Law::Laplace => {
                let rate = TOO_SMALL * self.epsilon / self.kind.whole_move();
                // P[noise ≥ m] of the discrete law.
                let beyond = |m: f64| ((-m * rate).exp() / (1.0 + (-rate).exp())).powi(self.kind.cells() as i32);
                let (p, q) = (beyond(1.0), beyond(1.0 + self.kind.move_per_cell()));
                let spread = |p: f64| ((1.0 - p) / (p * n)).sqrt();
                ((p / q).ln() - self.epsilon, spread(p), spread(q))
            }
        };
        normal((gap - z * (more + less)) / more.hypot(less))
    }
}

/// Pearson's correlation r of paired values.
struct Correlation {
    r: f64,
    n: usize,
    /// The largest product that a single pair contributes.
    largest: f64,
}

fn correlation(one: &[f64], other: &[f64]) -> Correlation {
    let n = one.len().min(other.len());
    if n < 2 {
        return Correlation { r: 0.0, n, largest: 0.0 };
    }
    let mean = |values: &[f64]| values[..n].iter().sum::<f64>() / n as f64;
    let (a, b) = (mean(one), mean(other));
    let sums = one.iter().zip(other).fold((0.0, 0.0, 0.0), |(ab, aa, bb), (x, y)| {
        (ab + (x - a) * (y - b), aa + (x - a).powi(2), bb + (y - b).powi(2))
    });
    let far = |values: &[f64], mean: f64| values[..n].iter().fold(0.0_f64, |far, value| far.max((value - mean).abs()));
    let scale = (sums.1 * sums.2).sqrt();
    Correlation { r: sums.0 / scale, n, largest: far(one, a) * far(other, b) / scale }
}
