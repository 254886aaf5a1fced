//! Tables of numbers with the variance of their cells, from which other tables are estimated.

use crate::kernel::vault::release::NoisyVector;
use crate::query::answer::fine::steps;

/// A table of numbers over some keys, with the variance of each cell.
#[derive(Debug, Clone)]
pub(super) struct Marginal {
    pub(super) keys: Vec<usize>,
    pub(super) cells: Vec<f64>,
    pub(super) variance: f64,
}

/// Converts noisy cells to a table of numbers.
pub(super) fn marginal(keys: &[usize], noisy: &NoisyVector) -> Marginal {
    let cells = (0..noisy.cells.len()).map(|cell| steps(noisy, cell)).collect();
    Marginal { keys: keys.to_vec(), cells, variance: noisy.law.std_error().powi(2) }
}
