//! Combination: one noisy vector from several that measure the same thing.
//!
//! Promises the mean of its parts, weighted by inverse variance, which has the least variance of all weighted means if the noise of the
//! parts is independent. It is post-processing of what was paid for. The parts must be different draws, each used once: a draw and a vector
//! derived from it are not independent.
//!
//! With precisions p₁ … pₙ of independent Gaussians around the same value, the mean has precision p₁ + … + pₙ: asking again for the
//! difference is worth as much as having asked for the sum at once.

use std::borrow::Borrow;

use dashu::integer::IBig;

use super::release::NoisyVector;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::mechanism::NoiseLaw;

/// One part of a combination: a noisy vector and what its noise is.
#[derive(Debug, Clone)]
pub struct NoisyPart {
    /// The vector's cells, as integers on its fine grid.
    pub cells: Vec<IBig>,
    /// The noise law that each draw summed in a cell was made from.
    pub law: NoiseLaw,
    /// The maximum number of independent draws that are summed in one cell.
    pub summed: u64,
}

impl NoisyPart {
    /// σ² of a cell, in squared steps of the measurement.
    fn variance(&self) -> f64 {
        self.law.std_error().powi(2) * self.summed as f64
    }
}

/// log₂ of the approximate sum of the integer weights: far finer than any relevant difference between two errors.
const WEIGHT_BITS: i32 = 40;

/// Returns the mean of `parts`, weighted by inverse variance. `worth` is the precision that it has for the researcher who asked.
///
/// The law's scale is the standard deviation of the weighted mean, computed with the weights as they were rounded. A single part is
/// returned as it is.
#[must_use]
pub fn combine(parts: &[impl Borrow<NoisyPart>], worth: Price) -> NoisyVector {
    let parts: Vec<&NoisyPart> = parts.iter().map(Borrow::borrow).collect();
    let precision: f64 = parts.iter().map(|part| part.variance().recip()).sum();
    // A part whose weight is below the last bit is left out, because its weight rounds to 0.
    let weight = |part: &NoisyPart| (part.variance().recip() / precision * 2_f64.powi(WEIGHT_BITS)).round();
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
    // Unwrap safety: every caller combines at least one part.
    let mechanism = first.expect("a combination has parts").mechanism;
    let law = NoiseLaw { mechanism, fine_bits, scale };
    NoisyVector { law, price: worth, cells: (0..cells).map(mean).collect() }
}

/// Rounds a quotient to the nearest integer, halves up.
fn rounded(value: IBig, divisor: &IBig) -> IBig {
    use dashu::base::DivEuclid;
    (value * IBig::from(2) + divisor).div_euclid(divisor * IBig::from(2))
}
