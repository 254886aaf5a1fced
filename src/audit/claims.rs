//! What is claimed of one mechanism, the events that would show it broken, and how surely.

use super::bounds::{CONFIDENCE, Event, Tally, delta_least, epsilon_least, mu_least, normal, normal_quantile};
use super::tables::{CAP, Kind};
use super::{CHARGE_TOLERANCE, CurvePoint, Finding};
use crate::privacy::accountant::Accountant;
use crate::privacy::curve::delta_of;
use crate::privacy::units::{Epsilon, Price};

/// Noise that is too small by this factor is what the power is stated for.
const TOO_SMALL: f64 = 1.2;
/// Points of the Gaussian curve, as multiples of the claimed ε.
const CURVE: [f64; 3] = [0.0, 0.5, 1.0];

/// What a question of one kind claims at one ε.
pub(super) struct Claim {
    accountant: Accountant,
    epsilon: f64,
    price: Price,
    kind: Kind,
}

impl Claim {
    pub(super) fn new(accountant: Accountant, epsilon: Epsilon, kind: Kind) -> Self {
        Self { accountant, epsilon: epsilon.to_f64(), price: accountant.price(epsilon), kind }
    }

    /// What a question takes of the allocation.
    pub(super) fn fraction(&self) -> f64 {
        let cap = Epsilon::parse(&CAP.to_string()).map_or(Price::ZERO, |cap| self.accountant.cap(cap));
        self.price.units() as f64 / cap.units() as f64
    }

    fn delta(&self) -> f64 {
        match self.accountant {
            Accountant::Gaussian { delta } => delta.to_f64(),
            Accountant::Pure => 0.0,
        }
    }

    /// μ: what the unit moves the sum of a sample's cells by, in standard deviations of its noise. The vector moves by Δ₂ (it is
    /// made so that it does), and the sum of equal moves loses nothing of it.
    fn mu(&self) -> f64 {
        (self.price.units() as f64 * 1e-15).sqrt()
    }

    /// The sum's move, over all cells.
    fn whole_move(&self) -> f64 {
        self.kind.move_per_cell() * self.kind.cells() as f64
    }

    /// Fixed before anything is asked, pairs of both directions. Gaussian noise: the sum passes the points where the likelihoods
    /// differ by e^ε, the events that δ(ε) is reached at; the first is the middle, where there are most samples on both sides. Laplace noise: every cell is beyond both centres, where the likelihoods
    /// differ by e^ε, by a step so that rounding to whole numbers takes nothing away.
    pub(super) fn events(&self) -> Vec<Event> {
        match self.accountant {
            Accountant::Gaussian { .. } => {
                let (whole, variance) = (self.whole_move(), (self.whole_move() / self.mu()).powi(2));
                let at = |epsilon: f64| epsilon * variance / whole;
                let pair = |times: &f64| {
                    let off = at(times * self.epsilon);
                    [Event::SumAtLeast(0.5 * whole + off), Event::SumAtMost(0.5 * whole - off)]
                };
                CURVE.iter().flat_map(pair).collect()
            }
            Accountant::Pure => {
                vec![Event::AllAtLeast(self.kind.move_per_cell() + 1.0), Event::AllAtMost(-1.0)]
            }
        }
    }

    /// What the tallies say of the claim.
    pub(super) fn finding(&self, events: &[Event], sides: (&[Tally], &[Tally]), charged: f64) -> Finding {
        // Two bounds for every event.
        let error = (1.0 - CONFIDENCE) / (2 * events.len()) as f64;
        let sides: Vec<(Event, Tally, Tally)> = events
            .iter()
            .zip(sides.0.iter().zip(sides.1))
            .map(|(event, (with, without))| {
                let (more, less) = if event.is_for_presence() { (with, without) } else { (without, with) };
                (*event, *more, *less)
            })
            .collect();
        let bounds = sides.iter().map(|(_, more, less)| self.epsilon_least(*more, *less, error));
        let lower_bound = bounds.fold(0.0, f64::max);
        let samples = sides.first().map_or(0, |(_, more, _)| more.samples);
        let curve = self.curve(&sides, error);
        let holds = lower_bound <= self.epsilon
            && curve.iter().all(|point| point.lower_bound <= point.claimed)
            && (charged - 1.0).abs() <= CHARGE_TOLERANCE;
        let mechanism = format!("{}: {}", self.accountant.mechanism().name(), self.kind.name());
        let (claimed, delta, power) = (self.epsilon, self.delta(), self.power(samples, error));
        Finding { mechanism, claimed, lower_bound, delta, samples, power, curve, charged, holds }
    }

    /// Laplace noise claims ε itself. Gaussian noise claims a whole curve, that of μ: what an event says of μ is stated as ε at δ.
    fn epsilon_least(&self, more: Tally, less: Tally, error: f64) -> f64 {
        match self.accountant {
            Accountant::Gaussian { .. } => self.epsilon_of(mu_least(more, less, error)),
            Accountant::Pure => epsilon_least(more, less, error),
        }
    }

    /// The ε with δ_μ(ε) = δ; 0 where every ε will do.
    fn epsilon_of(&self, mu: f64) -> f64 {
        if mu <= 0.0 || delta_of(0.0, mu) <= self.delta() {
            return 0.0;
        }
        let (mut low, mut high) = (0.0_f64, 1_000.0_f64);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if delta_of(middle, mu) > self.delta() { low = middle } else { high = middle }
        }
        low
    }

    fn curve(&self, sides: &[(Event, Tally, Tally)], error: f64) -> Vec<CurvePoint> {
        if self.accountant == Accountant::Pure {
            return Vec::new();
        }
        let point = |(times, pair): (&f64, &[(Event, Tally, Tally)])| {
            let epsilon = times * self.epsilon;
            let bounds = pair.iter().map(|(_, more, less)| delta_least(*more, *less, epsilon, error));
            CurvePoint { epsilon, claimed: delta_of(epsilon, self.mu()), lower_bound: bounds.fold(0.0, f64::max) }
        };
        CURVE.iter().zip(sides.chunks(2)).map(point).collect()
    }

    /// The chance that noise too small by [`TOO_SMALL`] would have been caught by the first event, by the normal approximation of
    /// both tallies: of a statistic that is larger than claimed by `gap`, and whose bound lies below it by z of its deviations.
    fn power(&self, samples: u64, error: f64) -> f64 {
        let (n, z) = (samples as f64, normal_quantile(1.0 - error));
        let (gap, more, less) = match self.accountant {
            Accountant::Gaussian { .. } => {
                let half = 0.5 * TOO_SMALL * self.mu();
                let (p, density) = (normal(half), (-0.5 * half * half).exp() / (2.0 * std::f64::consts::PI).sqrt());
                let spread = (p * (1.0 - p) / n).sqrt() / density;
                ((TOO_SMALL - 1.0) * self.mu(), spread, spread)
            }
            Accountant::Pure => {
                let scale = self.kind.sensitivity().l1() as f64 / self.epsilon / TOO_SMALL;
                // Beyond the centre by a half, after rounding.
                let beyond = |by: f64| (0.5 * (-by / scale).exp()).powi(self.kind.cells() as i32);
                let (p, q) = (beyond(0.5), beyond(0.5 + self.kind.move_per_cell()));
                let spread = |p: f64| ((1.0 - p) / (p * n)).sqrt();
                ((p / q).ln() - self.epsilon, spread(p), spread(q))
            }
        };
        normal((gap - z * (more + less)) / more.hypot(less))
    }
}
