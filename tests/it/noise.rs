//! The drawn noise has the certified law: the claimed scale passes, and scales × 0.8 and × 1.25 fail.
//!
//! OpenDP draws from the system's randomness, which cannot be seeded, so the test's own probability of error is set to one in ten million.

use dashu::integer::IBig;
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon, Price};
use tacit::kernel::privacy::certificate::{Accuracy, Certificate, MeasurementSpec, Subject, certify, prices};
use tacit::kernel::privacy::extent::Extent;
use tacit::kernel::privacy::mechanism::{self, NoiseLaw};
use tacit::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use tacit::kernel::vault::noise::{NoiseSource, OpenDp};

const SAMPLES: usize = 20_000;
const BINS: usize = 40;
/// Value that χ² with 39 degrees of freedom exceeds once in ten million times.
const CHI_SQUARE_MAX: f64 = 117.0;

fn gaussian() -> Accountant {
    Accountant::Gaussian { delta: Delta::parse("1e-6").expect("δ") }
}

fn certificate(accountant: Accountant, statistic: Aggregation, rows: u32, epsilon: &str) -> Certificate {
    let sensitivity = Sensitivity::of(statistic, rows).expect("bounded");
    let subject = Subject { dataset: "t".into(), edition: "ed".into() };
    let epsilon = Accuracy::Epsilon(Epsilon::parse(epsilon).expect("ε"));
    let extent = Extent::of(statistic, 1 << 16).expect("bounded");
    let sought = [MeasurementSpec { sensitivity, cells: 1, extent }];
    certify(accountant, subject, &sought, &prices(accountant, &sought, &epsilon)).expect("a certificate")
}

/// Samples divided by the law's own scale.
fn samples(law: &NoiseLaw) -> Vec<f64> {
    let scaled = |sample: &IBig| sample.to_f64().value() / law.scale;
    OpenDp.draw(law, SAMPLES).expect("noise").iter().map(scaled).collect()
}

/// χ² over bins that are equally likely under `cdf`, with the samples stretched by `factor`.
fn chi_square(samples: &[f64], factor: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    let mut counts = [0_f64; BINS];
    for sample in samples {
        counts[((cdf(sample * factor) * BINS as f64) as usize).min(BINS - 1)] += 1.0;
    }
    let expected = samples.len() as f64 / BINS as f64;
    counts.iter().map(|count| (count - expected).powi(2) / expected).sum()
}

fn check(law: &NoiseLaw, cdf: impl Fn(f64) -> f64 + Copy) {
    let samples = samples(law);
    let passes = |factor: f64| chi_square(&samples, factor, cdf) < CHI_SQUARE_MAX;
    assert!(passes(1.0), "the claimed scale fails: {}", chi_square(&samples, 1.0, cdf));
    assert!(!passes(0.8) && !passes(1.25), "a wrong scale passes: the test has no power");
}

#[test]
fn discrete_gaussian_noise_has_its_law() {
    let normal = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
    for (statistic, rows, epsilon) in [
        (Aggregation::Count, 3, "1"),
        (Aggregation::DistinctUnits { cells_reachable: 3 }, 8, "0.1"),
        (Aggregation::Sum { radius: 250_000 }, 8, "0.5"),
    ] {
        let certificate = certificate(gaussian(), statistic, rows, epsilon);
        let law = certificate.measurements()[0].law;
        assert!(law.scale >= 2_f64.powi(40), "σ is {} fine steps", law.scale);
        check(&law, normal);
    }
}

#[test]
fn discrete_laplace_noise_has_its_law() {
    // Use scales of thousands, so that the grid does not show in the bins.
    let laplace = |x: f64| if x < 0.0 { 0.5 * x.exp() } else { 1.0 - 0.5 * (-x).exp() };
    for (statistic, epsilon) in [(Aggregation::Count, "0.001"), (Aggregation::Sum { radius: 250_000 }, "0.5")] {
        check(&certificate(Accountant::Pure, statistic, 4, epsilon).measurements()[0].law, laplace);
    }
}

/// At small scales the noise consists of a few integers, whose probabilities are compared one by one.
#[test]
fn discrete_laplace_noise_of_a_small_scale_has_its_atoms() {
    let law = certificate(Accountant::Pure, Aggregation::Count, 1, "1").measurements()[0].law;
    let drawn = OpenDp.draw(&law, SAMPLES).expect("noise");
    let p = (-1.0 / law.scale).exp();
    for x in -3..=3_i32 {
        let expected = SAMPLES as f64 * (1.0 - p) / (1.0 + p) * p.powi(x.abs());
        let found = drawn.iter().filter(|sample| **sample == IBig::from(x)).count() as f64;
        assert!((found - expected).abs() < 6.0 * expected.sqrt(), "{x}: {found} instead of {expected}");
    }
}

/// Over a wide range, the price is never below the certified loss, by our formula and by OpenDP's map.
#[test]
fn prices_cover_both_certified_losses() {
    let statistics = [
        Aggregation::Count,
        Aggregation::Sum { radius: 1 },
        Aggregation::Sum { radius: (1 << 45) - 1 },
        Aggregation::DistinctUnits { cells_reachable: 5 },
    ];
    for accountant in [gaussian(), Accountant::Pure] {
        for statistic in statistics {
            for (rows, epsilon) in [(1, "0.000001"), (1, "0.1"), (7, "0.3"), (100, "1"), (60_000, "20")] {
                let certificate = certificate(accountant, statistic, rows, epsilon);
                let sensitivity = Sensitivity::of(statistic, rows).expect("bounded");
                let (one, law) = (certificate.measurements()[0], certificate.measurements()[0].law);
                let theirs = mechanism::loss_by_opendp(sensitivity, &law).expect("a map");
                assert!(theirs <= one.price && one.price == certificate.price(), "{statistic:?} at {epsilon}");
                let epsilon = Epsilon::parse(epsilon).expect("ε");
                assert!(certificate.price() <= accountant.cap(epsilon));
                let ideal = match accountant {
                    Accountant::Gaussian { .. } => sensitivity.l2_squared() as f64 * 1e15 / law.scale_steps().powi(2),
                    Accountant::Pure => sensitivity.l1() as f64 * 1e9 / law.scale_steps(),
                };
                let price = certificate.price().quanta() as f64;
                assert!(ideal <= price * (1.0 + 1e-12), "{statistic:?}: {ideal} > {price}");
                assert!(price <= ideal * (1.0 + 1e-9) + 1.0, "{statistic:?} pays {price} for {ideal}");
            }
        }
    }
}

#[test]
fn an_accuracy_worth_nothing_is_refused() {
    let sensitivity = Sensitivity::of(Aggregation::Count, 1).expect("bounded");
    assert!(mechanism::gaussian(sensitivity, Price::ZERO).is_err());
    assert!(mechanism::laplace(sensitivity, Price::ZERO).is_err());
}
