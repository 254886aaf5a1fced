//! Error bars: 95 % intervals from the law of the noise.
//!
//! **Counts and sums.** A sum is S + c·N; with independent noise its error is e_S + c·e_N. For Gaussian noise this error is normal with
//! variance σ_S² + c²σ_N². For Laplace noise the tail of w₁L₁ + w₂L₂ has a closed form (difference of two exponentials), which is solved
//! for 5 %.
//!
//! **Means.** Fieller's method (E. C. Fieller, J. R. Stat. Soc. B 16, 1954): if θ is the true mean about the centre, S − θN has a known law
//! for every θ. So the set of all θ with |S − θN| ≤ q(θ), where q(θ) is the law's 95 % quantile, covers the truth with probability 95 %,
//! exactly for Gaussian noise and equally for Laplace noise. The set is an interval if N can be told from 0; otherwise only the column's
//! bounds are known, and no estimate is given.

use crate::kernel::privacy::certificate::NORMAL_975;
use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw};

const TAIL: f64 = 0.05;
const HALVINGS: usize = 52;

/// Half-width of the 95 % interval of a weighted sum of independent measurements, in steps.
#[must_use]
pub fn half_width(terms: &[(f64, NoiseLaw)]) -> f64 {
    let scales: Vec<f64> = terms.iter().map(|(weight, law)| weight.abs() * law.scale_steps()).collect();
    match terms.first().map(|(_, law)| law.mechanism) {
        None => 0.0,
        Some(Mechanism::DiscreteGaussian) => NORMAL_975 * scales.iter().map(|scale| scale * scale).sum::<f64>().sqrt(),
        Some(Mechanism::DiscreteLaplace) => match scales[..] {
            [a] => a * (1.0 / TAIL).ln(),
            [a, b] => two_laplaces(a.max(b), a.min(b)),
            _ => several_laplaces(&scales),
        },
    }
}

/// Half-width of the 95 % interval of the sum of `count` independent cells of one measurement, in steps.
#[must_use]
pub fn half_width_of_equal(law: NoiseLaw, count: usize) -> f64 {
    match (law.mechanism, count) {
        (_, 0..=2) => half_width(&vec![(1.0, law); count]),
        (Mechanism::DiscreteGaussian, _) => half_width(&[((count as f64).sqrt(), law)]),
        // [`several_laplaces`] for n equal scales: κ = 3/n.
        (Mechanism::DiscreteLaplace, _) => {
            let (n, z) = (count as f64, NORMAL_975);
            (z + (z.powi(3) - 3.0 * z) * 3.0 / (24.0 * n)) * (2.0 * n).sqrt() * law.scale_steps()
        }
    }
}

/// Standard error of a weighted sum of independent measurements, in steps.
#[must_use]
pub fn std_error(terms: &[(f64, NoiseLaw)]) -> f64 {
    terms.iter().map(|(weight, law)| (weight * law.std_error()).powi(2)).sum::<f64>().sqrt()
}

/// Solves P(|X + Y| > t) = 5 % for t, with Laplace laws of scales a ≥ b. The tail is (a²e^(−t/a) − b²e^(−t/b))/(a² − b²), or (1 +
/// t/2a)·e^(−t/a) if a = b.
fn two_laplaces(a: f64, b: f64) -> f64 {
    let tail = |t: f64| {
        if a - b < 1e-6 * a {
            (1.0 + t / (2.0 * a)) * (-t / a).exp()
        } else {
            (a * a * (-t / a).exp() - b * b * (-t / b).exp()) / (a * a - b * b)
        }
    };
    let (mut low, mut high) = (0.0, 8.0 * a);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if tail(middle) > TAIL { low = middle } else { high = middle }
    }
    high
}

/// Half-width of the 95 % interval of a sum of several Laplace laws: the normal one, corrected for their tails by the first term of E. A.
/// Cornish and R. A. Fisher (Rev. Inst. Int. Stat. 5, 1938) for a symmetric law, z + (z³ − 3z)·κ/24, with the excess κ = 3·Σσ⁴/(Σσ²)². For
/// a single law it is 2 % too wide, for two equal ones less than 1 %.
fn several_laplaces(scales: &[f64]) -> f64 {
    let variances: Vec<f64> = scales.iter().map(|scale| 2.0 * scale * scale).collect();
    let variance: f64 = variances.iter().sum();
    if variance == 0.0 {
        return 0.0;
    }
    let excess = 3.0 * variances.iter().map(|one| one * one).sum::<f64>() / (variance * variance);
    let z = NORMAL_975;
    (z + (z.powi(3) - 3.0 * z) * excess / 24.0) * variance.sqrt()
}

/// An estimated mean about the centre, in steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// S/N with its standard error by the delta method; `None` if N is within its own noise.
    pub estimate: Option<(f64, f64)>,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// Fieller's interval for S/N, in steps about the centre; it is `domain` if N is within its own noise. The interval is not yet cut to the
/// domain, which is left to the caller; the estimate is never clipped.
#[must_use]
pub fn mean(sum: f64, sum_law: NoiseLaw, count: f64, count_law: NoiseLaw, domain: (f64, f64)) -> Mean {
    if count <= half_width(&[(1.0, count_law)]) {
        return Mean { estimate: None, low: domain.0, high: domain.1 };
    }
    let middle = sum / count;
    let (low, high) = match sum_law.mechanism {
        Mechanism::DiscreteGaussian => fieller(sum, sum_law.scale_steps(), count, count_law.scale_steps()),
        Mechanism::DiscreteLaplace => inverted(sum, sum_law, count, count_law, domain),
    };
    let error = std_error(&[(1.0, sum_law), (middle, count_law)]) / count;
    Mean { estimate: Some((middle, error)), low, high }
}

/// Roots θ of (S − θN)² = z²(σ_S² + θ²σ_N²): θ = (SN ± z·√(N²σ_S² + S²σ_N² − z²σ_S²σ_N²))/(N² − z²σ_N²), for N above zσ_N.
fn fieller(s: f64, s_error: f64, n: f64, n_error: f64) -> (f64, f64) {
    let z2 = NORMAL_975 * NORMAL_975;
    let (s_variance, n_variance) = (s_error * s_error, n_error * n_error);
    let inside = n * n * s_variance + s * s * n_variance - z2 * s_variance * n_variance;
    let (reach, below) = (NORMAL_975 * inside.max(0.0).sqrt(), n * n - z2 * n_variance);
    ((s * n - reach) / below, (s * n + reach) / below)
}

/// Ends of {θ: |S − θN| ≤ q(θ)} by bisection; q is convex and grows more slowly than N|θ|, so there is one end on each side.
fn inverted(sum: f64, sum_law: NoiseLaw, count: f64, count_law: NoiseLaw, domain: (f64, f64)) -> (f64, f64) {
    let middle = sum / count;
    let excess = |theta: f64| (theta - middle).abs() * count - half_width(&[(1.0, sum_law), (theta, count_law)]);
    let end = |towards: f64| {
        let mut reach = (domain.1 - domain.0).abs().max(1.0);
        for _ in 0..HALVINGS {
            if excess(middle + towards * reach) > 0.0 {
                break;
            }
            reach *= 2.0;
        }
        let (mut inside, mut outside) = (0.0, reach);
        for _ in 0..HALVINGS {
            let half = 0.5 * (inside + outside);
            if excess(middle + towards * half) > 0.0 { outside = half } else { inside = half }
        }
        middle + towards * outside
    };
    (end(-1.0), end(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_equal_laplaces_meet_their_closed_form() {
        let t = two_laplaces(1.0, 1.0);
        assert!(((1.0 + t / 2.0) * (-t).exp() - TAIL).abs() < 1e-9);
        let near = two_laplaces(1.0, 0.999);
        assert!((near - t).abs() < 0.01, "{near} {t}");
        assert!((two_laplaces(1.0, 1e-9) - 20_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn several_laplaces_are_near_the_closed_form_of_two() {
        for (a, b) in [(1.0, 1.0), (1.0, 0.5), (3.0, 1.0)] {
            let (near, exact) = (several_laplaces(&[a, b, 1e-9]), two_laplaces(a, b));
            assert!((near / exact - 1.0).abs() < 0.02, "{a} {b}: {near} {exact}");
        }
    }

    #[test]
    fn the_closed_form_ends_where_the_inversion_ends() {
        let law = |scale| NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale };
        for (sum, count) in [(500.0, 100.0), (-3e4, 1e3), (0.0, 50.0), (12.0, 25.0)] {
            let (low, high) = fieller(sum, 30.0, count, 10.0);
            let (same_low, same_high) = inverted(sum, law(30.0), count, law(10.0), (-100.0, 100.0));
            assert!(
                (low - same_low).abs() < 1e-9 && (high - same_high).abs() < 1e-9,
                "{low} {same_low} {high} {same_high}"
            );
        }
        assert_eq!(mean(5.0, law(30.0), 10.0, law(10.0), (-1.0, 1.0)).estimate, None);
    }
}
