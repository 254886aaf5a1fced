//! Assumed noise: what an answer's noise could be, from a fixed table of numbers.
//!
//! Promises that nothing here is random: the same question always gets the same noise, so that a quote repeats itself, and no generator of
//! real noise is ever asked. Draws come in pairs of opposite signs, so that the median of what depends on the noise evenly is its value
//! without noise.

use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw};

/// log₂ of the number of entries of each table.
const ENTRIES_LOG2: u32 = 8;
const ENTRIES: usize = 1 << ENTRIES_LOG2;
const HALVINGS: usize = 40;

/// Quantiles of both noise laws with variance 1, in the middles of equally likely parts, in ascending order.
pub(super) struct NoiseTables {
    normal: Vec<f64>,
    laplace: Vec<f64>,
}

impl NoiseTables {
    pub(super) fn new() -> Self {
        let middle = |at: usize| (at as f64 + 0.5) / ENTRIES as f64;
        let mut normal: Vec<f64> = (0..ENTRIES / 2).map(|at| self::normal(middle(at))).collect();
        let mirrored: Vec<f64> = normal.iter().rev().map(|z| -z).collect();
        normal.extend(mirrored);
        Self { normal, laplace: (0..ENTRIES).map(|at| laplace(middle(at))).collect() }
    }
}

/// The part of the standard normal law below `z`.
pub(super) fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The z with this part of the standard normal law below it, up to a half.
fn normal(part: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 0.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if normal_below(middle) < part { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn laplace(part: f64) -> f64 {
    let tail = (2.0 * part.min(1.0 - part)).ln() / std::f64::consts::SQRT_2;
    if part < 0.5 { tail } else { -tail }
}

/// One assumed outcome of everything that is not known of an answer.
#[derive(Clone, Copy)]
pub(super) enum Draw<'a> {
    /// Nothing differs from what is expected.
    Expected,
    /// One of a pair of outcomes with opposite signs.
    Noisy {
        /// The number of the pair.
        pair: u64,
        /// The side of the draw, 1 or −1: draws come in pairs that mirror each other.
        sign: f64,
        /// Where its numbers come from.
        tables: &'a NoiseTables,
    },
}

/// What a number is drawn for, so that different purposes get independent numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// The noise of a measurement.
    Noise,
    /// The noise of earlier answers that a measurement's expected value comes from.
    Earlier,
    /// How far the spread of a group's values is from the one expected.
    Spread,
    /// How far the mean of a group's values is from the one expected.
    Mean,
}

impl<'a> Draw<'a> {
    /// The expected outcome, and so many pairs of others.
    pub(super) fn all(pairs: usize, tables: &'a NoiseTables) -> impl Iterator<Item = Self> {
        let pair = move |pair: u64| [1.0, -1.0].map(|sign| Self::Noisy { pair, sign, tables });
        std::iter::once(Self::Expected).chain((0..pairs as u64).flat_map(pair))
    }

    /// Whether nothing differs from what is expected.
    pub(super) fn is_expected(self) -> bool {
        matches!(self, Self::Expected)
    }

    /// A standard normal number for a purpose, by the group and the place among its numbers; 0 if all is as expected.
    pub(super) fn normal(self, purpose: Purpose, group: usize, place: usize) -> f64 {
        match self {
            Self::Expected => 0.0,
            Self::Noisy { pair, sign, tables } => sign * tables.normal[entry(pair, purpose, group, place)],
        }
    }

    /// Noise of this law, in steps of its measurement.
    pub(super) fn noise(self, law: &NoiseLaw, group: usize, place: usize) -> f64 {
        let Self::Noisy { pair, sign, tables } = self else { return 0.0 };
        let table = match law.mechanism {
            Mechanism::DiscreteGaussian => &tables.normal,
            Mechanism::DiscreteLaplace => &tables.laplace,
        };
        sign * table[entry(pair, Purpose::Noise, group, place)] * law.std_error()
    }
}

/// The place in a table that belongs to a pair of draws and a purpose.
fn entry(pair: u64, purpose: Purpose, group: usize, place: usize) -> usize {
    let stream = ((purpose as u64) << 62) ^ ((group as u64) << 36) ^ place as u64;
    (mix(mix(stream).wrapping_add(pair)) >> (u64::BITS - ENTRIES_LOG2)) as usize
}

/// The finaliser of splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
fn mix(of: u64) -> u64 {
    let of = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let of = (of ^ (of >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let of = (of ^ (of >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    of ^ (of >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both tables have mean 0 and variance 1, and draws of different purposes, groups, places and pairs do not repeat each other.
    #[test]
    fn assumed_noise_has_the_law_that_it_is_for() {
        let tables = NoiseTables::new();
        for table in [&tables.normal, &tables.laplace] {
            let count = table.len() as f64;
            let (mean, square) = (table.iter().sum::<f64>() / count, table.iter().map(|z| z * z).sum::<f64>() / count);
            assert!(mean.abs() < 1e-9 && (0.97..1.0).contains(&square), "{mean} {square}");
            assert!(table.is_sorted());
        }
        assert!((tables.normal[249] - 1.955).abs() < 0.02, "{}", tables.normal[249]);
        let law = NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: 3.0 };
        let all: Vec<f64> =
            Draw::all(20, &tables).flat_map(|draw| (0..200).map(move |place| draw.noise(&law, 1, place))).collect();
        assert!(all[..200].iter().all(|noise| *noise == 0.0), "the expected outcome has no noise");
        let variance = all[200..].iter().map(|noise| noise * noise).sum::<f64>() / 8_000.0;
        assert!((8.0..10.0).contains(&variance), "{variance}");
        let draw = Draw::Noisy { pair: 0, sign: 1.0, tables: &tables };
        let product = (0..2_000).map(|at| draw.normal(Purpose::Spread, 0, at) * draw.normal(Purpose::Mean, 0, at));
        assert!((product.sum::<f64>() / 2_000.0).abs() < 0.1);
    }
}
