//! Noise: OpenDP's exact samplers, behind a port.
//!
//! Promises integers that are drawn independently from exactly the law that was certified. The shipped binary has [`OpenDp`] only; the test
//! double lives with the tests.

use std::thread;

use dashu::integer::IBig;
use dashu::rational::RBig;
use opendp::measurements::{make_gaussian, make_laplace};
use opendp::metrics::{L1Distance, L2Distance};

use super::private::Private;
use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw, integer_vectors};

/// The sampler failed; its own error text is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the noise could not be drawn")]
pub struct NoiseFault;

/// A source of noise, which the release adds to exact vectors.
pub trait NoiseSource: Send + Sync {
    /// Draws `cells` independent integers from `law`, in its fine steps, centred at 0.
    ///
    /// # Errors
    /// [`NoiseFault`] if the system provides no randomness.
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault>;

    /// Adds noise to an exact vector, on the law's fine grid: exact·2^fine_bits + noise. A test double may return what another source
    /// returned; it cannot look at the vector.
    ///
    /// # Errors
    /// [`NoiseFault`] if noise cannot be drawn, or is drawn for too few cells.
    fn add(&self, law: &NoiseLaw, exact: Private<Vec<i64>>) -> Result<Vec<IBig>, NoiseFault> {
        let exact = exact.open();
        let noise = self.draw(law, exact.len())?;
        if noise.len() != exact.len() {
            return Err(NoiseFault);
        }
        let shift = law.fine_bits as usize;
        Ok(exact.into_iter().zip(noise).map(|(exact, noise)| (IBig::from(exact) << shift) + noise).collect())
    }
}

/// OpenDP's samplers, which take their randomness from OpenSSL's private generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenDp;

/// Below this many cells per thread, another thread costs more than it saves.
const CELLS_PER_THREAD_MIN: usize = 256;

impl NoiseSource for OpenDp {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = cells.div_ceil(threads).max(CELLS_PER_THREAD_MIN);
        if cells <= share {
            return draw_here(law, cells);
        }
        let shares = (0..cells).step_by(share).map(|start| share.min(cells - start));
        thread::scope(|scope| {
            let running: Vec<_> = shares.map(|share| scope.spawn(move || draw_here(law, share))).collect();
            let mut all = Vec::with_capacity(cells);
            for thread in running {
                all.extend(thread.join().map_err(|_| NoiseFault)??);
            }
            Ok(all)
        })
    }
}

fn draw_here(law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
    let zeros = vec![IBig::ZERO; cells];
    match law.mechanism {
        Mechanism::DiscreteGaussian => make_gaussian(integer_vectors(), L2Distance::<RBig>::default(), law.scale, None)
            .and_then(
                |measurement: opendp::core::Measurement<_, _, opendp::measures::ZeroConcentratedDivergence, _>| {
                    measurement.invoke(&zeros)
                },
            ),
        Mechanism::DiscreteLaplace => make_laplace(integer_vectors(), L1Distance::<RBig>::default(), law.scale, None)
            .and_then(|measurement: opendp::core::Measurement<_, _, opendp::measures::MaxDivergence, _>| {
                measurement.invoke(&zeros)
            }),
    }
    .map_err(|_| NoiseFault)
}
