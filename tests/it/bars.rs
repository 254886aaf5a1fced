//! Error bars: for tables that share draws, for estimates with public bounds, and the reasons given where there is no estimate.

mod ranges;
mod reasons;
mod sources;

use std::sync::{Arc, Mutex};

use dashu::integer::IBig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource};

/// Gaussian noise from a seed, for tests of what is computed from noise, not of the noise itself.
struct Seeded(Mutex<StdRng>);

impl Seeded {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(StdRng::seed_from_u64(seed))))
    }
}

impl NoiseSource for Seeded {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        let mut rng = self.0.lock().expect("a seed");
        let mut normal = || {
            let (radius, turn): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random_range(0.0..1.0));
            (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
        };
        let whole = |value: f64| IBig::try_from(value.round()).expect("a number");
        Ok((0..cells).map(|_| whole(law.std_error() * 2_f64.powi(law.fine_bits.cast_signed()) * normal())).collect())
    }
}
