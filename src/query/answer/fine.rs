//! Noisy integers on fine grids: as floats, and rounded to whole steps.

use dashu::base::Signed;
use dashu::integer::IBig;

use crate::kernel::vault::release::NoisyVector;
use crate::query::terms::domain::Grid;

/// The noisy integer of a cell as a float, in steps.
pub(super) fn steps(noisy: &NoisyVector, cell: usize) -> f64 {
    noisy.cells[cell].to_f64().value() / 2_f64.powi(noisy.law.fine_bits.cast_signed())
}

/// Rounds a noisy integer from its fine grid to whole steps, halves up.
pub(super) fn coarse(noisy: &NoisyVector, cell: usize) -> i128 {
    to_i128(round_shift(&noisy.cells[cell], noisy.law.fine_bits as usize))
}

/// Computes S + c·N on the finer of the two grids, then rounds to whole steps.
pub(super) fn total(vectors: &[NoisyVector], sum: usize, count: Option<usize>, grid: &Grid, cell: usize) -> i128 {
    let s = &vectors[sum];
    let Some(n) = count.map(|count| &vectors[count]) else { return coarse(s, cell) };
    let (s_bits, n_bits) = (s.law.fine_bits as usize, n.law.fine_bits as usize);
    let bits = s_bits.max(n_bits);
    let whole = (&s.cells[cell] << (bits - s_bits)) + ((&n.cells[cell] * IBig::from(grid.centre())) << (bits - n_bits));
    to_i128(round_shift(&whole, bits))
}

fn round_shift(value: &IBig, bits: usize) -> IBig {
    match bits {
        0 => value.clone(),
        _ => (value + (IBig::ONE << (bits - 1))) >> bits,
    }
}

/// Clamps to ±2⁹⁶ steps; no noise law within any budget reaches that.
fn to_i128(value: IBig) -> i128 {
    let bound = 1_i128 << 96;
    i128::try_from(&value).map_or(if value.is_negative() { -bound } else { bound }, |value| value.clamp(-bound, bound))
}

/// Rounds a value to two digits beyond the first significant digit of its error.
pub(super) fn rounded(value: f64, error: f64) -> f64 {
    if !(error > 0.0 && error.is_finite()) {
        return value;
    }
    let digits = (2.0 - error.log10().floor()).clamp(0.0, 15.0) as i32;
    let power = 10_f64.powi(digits);
    (value * power).round() / power
}
