//! Combination: one noisy vector from several that measure the same thing.
//!
//! Promises the mean of its parts weighted by inverse variance, which has the least variance of all weighted means where the noise of
//! the parts is independent. It is post-processing of what was paid for. Parts must be different draws, each used once:
//! a draw and what was derived from it are not independent.
//!
//! With precisions p₁ … pₙ of independent Gaussians about the same value, the mean has precision p₁ + … + pₙ: asking again for the
//! difference is worth as much as having asked for the sum at once.

use std::borrow::Borrow;

use dashu::integer::IBig;

use super::release::Noisy;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::mechanism::NoiseLaw;

/// One part of a combination.
#[derive(Debug, Clone)]
pub struct Part {
    /// The vector on its fine grid.
    pub cells: Vec<IBig>,
    /// The law of the noise of one draw of its cells.
    pub law: NoiseLaw,
    /// Independent draws that were summed in one of its cells at the most.
    pub summed: u64,
}

impl Part {
    /// σ² of a cell, in steps of the measurement.
    fn variance(&self) -> f64 {
        self.law.std_error().powi(2) * self.summed as f64
    }
}

/// log₂ of the sum of the weights, about: far finer than any difference between two errors that matters.
const WEIGHT_BITS: i32 = 40;

/// The mean of `parts`, weighted by inverse variance. `worth` is the precision it has for whoever asked.
///
/// The law's scale is the standard deviation of the weighted mean with the weights as they were rounded; one part is itself.
#[must_use]
pub fn combine(parts: &[impl Borrow<Part>], worth: Price) -> Noisy {
    let parts: Vec<&Part> = parts.iter().map(Borrow::borrow).collect();
    let precision: f64 = parts.iter().map(|part| part.variance().recip()).sum();
    // A part that is worth less than the last bit is left out: its weight rounds to nothing.
    let weight = |part: &Part| (part.variance().recip() / precision * 2_f64.powi(WEIGHT_BITS)).round();
    let weights: Vec<f64> = if parts.len() == 1 { vec![1.0] } else { parts.iter().map(|part| weight(part)).collect() };
    let total: f64 = weights.iter().sum();
    let variance: f64 =
        parts.iter().zip(&weights).map(|(part, weight)| part.variance() * (weight / total).powi(2)).sum();
    let fine_bits = parts.iter().map(|part| part.law.fine_bits).max().unwrap_or(0);
    let first = parts.first().map(|part| part.law);
    let scale = match first {
        Some(law) if parts.len() == 1 && parts[0].summed == 1 => law.scale,
        _ => variance.sqrt() * 2_f64.powi(fine_bits.cast_signed()),
    };
    let cells = parts.first().map_or(0, |part| part.cells.len());
    let whole: Vec<IBig> = weights.iter().map(|weight| IBig::from(*weight as u64)).collect();
    let divisor = whole.iter().fold(IBig::ZERO, |sum, weight| sum + weight);
    let mean = |cell: usize| {
        let weighted = parts
            .iter()
            .zip(&whole)
            .map(|(part, weight)| (&part.cells[cell] << (fine_bits - part.law.fine_bits) as usize) * weight);
        rounded(weighted.fold(IBig::ZERO, |sum, value| sum + value), &divisor)
    };
    // Unwrap safety: whoever combines has at least one part.
    let mechanism = first.expect("a combination has parts").mechanism;
    let law = NoiseLaw { mechanism, fine_bits, scale };
    Noisy { law, price: worth, cells: (0..cells).map(mean).collect() }
}

/// The nearest integer to a quotient, halves up.
fn rounded(value: IBig, divisor: &IBig) -> IBig {
    use dashu::base::DivEuclid;
    (value * IBig::from(2) + divisor).div_euclid(divisor * IBig::from(2))
}
