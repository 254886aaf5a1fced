//! The (ε, δ) curve of Gaussian differential privacy in floats, for quoting prices and displaying amounts.
//!
//! Promises a relative error below 1e-10; callers that need a bound leave a margin of 1e-9. Caps never come from here: they come from
//! [`super::gdp`].

use std::f64::consts::{PI, SQRT_2};

/// The ledger's integer count for a precision μ² of 1.
pub const QUANTA_PER_PRECISION: f64 = 1e15;
/// Below this μ the two tails nearly cancel, so their difference is computed by a Taylor series.
const MU_SMALL: f64 = 0.01;
const STEPS_MAX: u32 = 200;
/// The largest ε that is computed: it is beyond every cap, and e^ε still fits a float.
const EPSILON_MAX: f64 = 200.0;

/// Returns the μ², as a count of 1e-15, at which δ_μ(`epsilon`) = `delta`, to a relative error of about 1e-10.
///
/// Source: the formula in [`super::gdp`], inverted by root finding on logarithms; δ increases with μ.
#[must_use]
pub fn units_estimate(epsilon: f64, delta: f64) -> f64 {
    let mut high = 1.0;
    while delta_of(epsilon, high) < delta && high < 1e6 {
        high *= 4.0;
    }
    let mut low = high;
    while delta_of(epsilon, low) > delta && low > 1e-30 {
        low /= 16.0;
    }
    let mu = root(low.ln(), high.ln(), |ln_mu| delta_of(epsilon, ln_mu.exp()).ln() - delta.ln()).exp();
    mu * mu * QUANTA_PER_PRECISION
}

/// Returns the ε at which δ_μ(ε) = `delta`, for μ² as a count of 1e-15: 0 if δ alone covers the loss, and at most 200.
#[must_use]
pub fn epsilon_estimate(units: f64, delta: f64) -> f64 {
    let mu = (units / QUANTA_PER_PRECISION).sqrt();
    if mu == 0.0 || delta_of(0.0, mu) <= delta {
        return 0.0;
    }
    if delta_of(EPSILON_MAX, mu) > delta {
        return EPSILON_MAX;
    }
    let mut high = mu.min(EPSILON_MAX);
    while delta_of(high, mu) > delta {
        high = (2.0 * high).min(EPSILON_MAX);
    }
    root(0.0, high, |epsilon| delta.ln() - delta_of(epsilon, mu).ln())
}

/// Finds the root of an increasing function between two ends, by false position with the Illinois modification (Dowell & Jarratt 1971), and
/// by bisection where a step would leave the bracket.
fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut at_low, mut at_high) = (f(low), f(high));
    let mut last_was_low = None;
    for _ in 0..STEPS_MAX {
        let secant = (low * at_high - high * at_low) / (at_high - at_low);
        let next = if secant > low && secant < high { secant } else { 0.5 * (low + high) };
        let value = f(next);
        if value.abs() < 1e-13 || high - low < 1e-14 * high.abs() {
            return next;
        }
        let is_low = value < 0.0;
        if is_low {
            (low, at_low) = (next, value);
        } else {
            (high, at_high) = (next, value);
        }
        if last_was_low == Some(is_low) {
            if is_low { at_high *= 0.5 } else { at_low *= 0.5 }
        }
        last_was_low = Some(is_low);
    }
    0.5 * (low + high)
}

/// Returns δ_μ(ε) = φ(a)·(M(a) − M(b)), with a = ε/μ − μ/2, b = ε/μ + μ/2 and M the Mills ratio; equal to the formula in [`super::gdp`].
#[must_use]
pub fn delta_of(epsilon: f64, mu: f64) -> f64 {
    let near = epsilon / mu - 0.5 * mu;
    if near > 38.0 {
        return 0.0;
    }
    if mu < MU_SMALL {
        return density(near) * mills_drop(near, mu);
    }
    upper_tail(near) - epsilon.exp() * upper_tail(near + mu)
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

fn upper_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x / SQRT_2)
}

/// Computes M(x) − M(x + h) by a Taylor series, with M' = xM − 1 and M⁽ⁿ⁺¹⁾ = nM⁽ⁿ⁻¹⁾ + xM⁽ⁿ⁾.
fn mills_drop(x: f64, h: f64) -> f64 {
    let (mut before, mut derivative) = (upper_tail(x) / density(x), 0.0);
    derivative += x * before - 1.0;
    let (mut sum, mut factor) = (0.0, 1.0);
    for order in 1..=8 {
        factor *= h / f64::from(order);
        sum -= derivative * factor;
        (before, derivative) = (derivative, f64::from(order) * before + x * derivative);
    }
    sum
}
