//! Tables of several groupings: `GROUPING SETS`, `ROLLUP`, `CUBE`, in one answer whose totals add up.
//!
//! Promises the least-squares estimate of every table from all that were measured, and its variance; and, where the finest table is among
//! those that are shown, whole numbers whose sums are the totals that stand beside them.
//!
//! **What is measured.** Counts and sums of a set of keys are sums of cells of any larger set, so only sets that are part of no other
//! one are measured: for `ROLLUP` and `CUBE` the finest alone, at the whole price. A total of m cells then has m times their
//! variance and, where groups are of like size, a relative error smaller by √m: no other split makes the worst relative margin less.
//! Distinct units do not add up, and are measured for each set. Histograms, of which percentiles are made, add up bin by bin, where one
//! grouping is the finest of all.
//!
//! **Least squares.** A table over keys S is the sum over A ⊆ S of components that vary with the keys of A alone and sum to 0 along each of
//! them. A table with independent noise of variance v, summed over S∖A, tells of the component of A with variance v·∏(nⱼ, j ∈ S∖A), and its
//! noise there is independent of that in every other component. So each component is the mean of what all measured tables tell of it,
//! weighted by inverse variance, and a table is put together from its components again: T_B = Σ_{A ⊆ B} R_A/∏(nⱼ, j ∈ B∖A), with variance
//! Σ_A V_A·∏(1 − 1/nⱼ, j ∈ A)/∏(nⱼ², j ∈ B∖A) a cell. Source: this is the decomposition of Y. Xiao et al., "An optimal and scalable matrix
//! mechanism for noisy marginals" (NeurIPS 2023), read backwards: it reconstructs from marginals instead of choosing what to measure.

mod sources;

use borsh::{BorshDeserialize, BorshSerialize};

use dashu::integer::IBig;

pub use self::sources::{Source, SourceTable, SourceVector};
use super::answer::steps;
use super::plan::codes;
use crate::privacy::mechanism::NoiseLaw;
use crate::vault::release::Noisy;

/// Groupings of one answer at the most.
pub const SETS_MAX: usize = 256;
/// Keys of one grouping at the most.
pub const KEYS_MAX: usize = 8;
/// The fine grid of what is put together.
const FINE_BITS: u32 = 20;

/// The groupings of an answer, and what was measured of them; keys by their place in the computation, ascending.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Sets {
    /// The groupings that are shown, in the order of the question.
    pub shown: Vec<Vec<usize>>,
    /// For each thing that outputs are made of, the tables that were measured of it.
    pub measured: Vec<Tables>,
}

/// The tables that were measured of one thing.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Tables {
    /// Whether a table of fewer keys is a sum of cells of one with more.
    pub adds_up: bool,
    /// Those that are part of no other where it is, and all that are shown where it is not.
    pub tables: Vec<Table>,
    /// What the tables were computed from, where one stored draw is part of several of them; empty where each table has noise of its own.
    pub sources: Vec<Source>,
}

/// A measured table.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Table {
    /// Its keys.
    pub keys: Vec<usize>,
    /// The measurement.
    pub vector: usize,
}

/// The sets that are part of no other.
#[must_use]
pub fn maximal(sets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    // A set has each of its keys once.
    let part = |set: &Vec<usize>, of: &Vec<usize>| set.len() < of.len() && set.iter().all(|key| of.contains(key));
    let mut maximal: Vec<Vec<usize>> =
        sets.iter().filter(|set| !sets.iter().any(|other| part(set, other))).cloned().collect();
    maximal.sort();
    maximal.dedup();
    maximal
}

/// A table of numbers over some keys, with the variance of a cell.
#[derive(Debug, Clone)]
struct Marginal {
    keys: Vec<usize>,
    cells: Vec<f64>,
    variance: f64,
}

/// The least-squares estimate of a table over `wanted` from `measured`, and the variance of a cell.
fn reconstruct(measured: &[Marginal], sizes: &[usize], wanted: &[usize]) -> (Vec<f64>, f64) {
    let product = |keys: &[usize]| keys.iter().map(|key| sizes[*key]).product::<usize>();
    let (mut cells, mut variance) = (vec![0.0; product(wanted)], 0.0);
    for subset in 0..1_u32 << wanted.len() {
        let keys: Vec<usize> =
            wanted.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1).map(|(_, key)| *key).collect();
        let rest: Vec<usize> = wanted.iter().filter(|key| !keys.contains(key)).copied().collect();
        let (component, own) = component(measured, sizes, &keys);
        let spread = product(&rest) as f64;
        for (cell, value) in cells.iter_mut().enumerate() {
            *value += component[project(cell, wanted, &keys, sizes)] / spread;
        }
        let share: f64 = keys.iter().map(|key| 1.0 - 1.0 / sizes[*key] as f64).product();
        variance += own * share / (spread * spread);
    }
    (cells, variance)
}

/// The variance of a cell of the table over `wanted`, where tables over other keys were measured with these variances: what
/// [`Sets::vectors`] reaches, before anything is rounded.
#[must_use]
pub fn variance(measured: &[(Vec<usize>, f64)], sizes: &[usize], wanted: &[usize]) -> f64 {
    let product = |keys: &[usize]| keys.iter().map(|key| sizes[*key] as f64).product::<f64>();
    let of = |subset: u32| {
        let (keys, rest): (Vec<_>, Vec<_>) = wanted.iter().enumerate().partition(|(at, _)| subset >> at & 1 == 1);
        let keys: Vec<usize> = keys.into_iter().map(|(_, key)| *key).collect();
        let rest: Vec<usize> = rest.into_iter().map(|(_, key)| *key).collect();
        let tells = measured.iter().filter(|(table, _)| keys.iter().all(|key| table.contains(key)));
        let weight = |(table, variance): &(Vec<usize>, f64)| product(&keys) / (variance * product(table));
        let own = tells.map(weight).sum::<f64>().recip();
        let share: f64 = keys.iter().map(|key| 1.0 - 1.0 / sizes[*key] as f64).product();
        own * share / product(&rest).powi(2)
    };
    (0..1_u32 << wanted.len()).map(of).sum()
}

/// What all measured tables tell of the component of `keys`, and its variance before it is centred.
fn component(measured: &[Marginal], sizes: &[usize], keys: &[usize]) -> (Vec<f64>, f64) {
    let cells: usize = keys.iter().map(|key| sizes[*key]).product();
    let (mut sum, mut precision) = (vec![0.0; cells], 0.0);
    for table in measured.iter().filter(|table| keys.iter().all(|key| table.keys.contains(key))) {
        let summed: usize = table.keys.iter().filter(|key| !keys.contains(key)).map(|key| sizes[*key]).product();
        let weight = (table.variance * summed as f64).recip();
        precision += weight;
        for (cell, value) in table.cells.iter().enumerate() {
            sum[project(cell, &table.keys, keys, sizes)] += weight * value;
        }
    }
    sum.iter_mut().for_each(|value| *value /= precision);
    for axis in 0..keys.len() {
        centre(&mut sum, keys, axis, sizes);
    }
    (sum, precision.recip())
}

/// The cell of a table over `to` that a cell of one over `from` belongs to.
fn project(cell: usize, from: &[usize], to: &[usize], sizes: &[usize]) -> usize {
    let codes = codes(from.iter().map(|key| sizes[*key] as u64), cell as u64);
    from.iter()
        .zip(codes)
        .filter(|(key, _)| to.contains(key))
        .fold(0, |place, (key, code)| place * sizes[*key] + code as usize)
}

/// Takes the mean along one key away.
fn centre(cells: &mut [f64], keys: &[usize], axis: usize, sizes: &[usize]) {
    let stride: usize = keys[axis + 1..].iter().map(|key| sizes[*key]).product();
    let size = sizes[keys[axis]];
    for block in cells.chunks_mut(stride * size) {
        for offset in 0..stride {
            let mean = (0..size).map(|at| block[offset + at * stride]).sum::<f64>() / size as f64;
            (0..size).for_each(|at| block[offset + at * stride] -= mean);
        }
    }
}

/// A table of numbers from its noisy cells.
fn marginal(keys: &[usize], noisy: &Noisy) -> Marginal {
    let cells = (0..noisy.cells.len()).map(|cell| steps(noisy, cell)).collect();
    Marginal { keys: keys.to_vec(), cells, variance: noisy.law.std_error().powi(2) }
}

impl Sets {
    /// The same groupings over an answer that was stored: what its tables were computed from is known there.
    #[must_use]
    pub fn stored_as(mut self, stored: Option<&Self>) -> Self {
        for own in &mut self.measured {
            let same = stored.and_then(|stored| stored.measured.iter().find(|other| other.tables == own.tables));
            own.sources = same.map_or_else(Vec::new, |same| same.sources.clone());
        }
        self
    }

    /// The noisy vectors of one shown grouping: one for each thing that outputs are made of, in whole steps where they are sums of one
    /// table.
    #[must_use]
    pub fn vectors(&self, shown: usize, vectors: &[Noisy], sizes: &[usize]) -> Vec<Noisy> {
        self.measured.iter().map(|tables| self.of(shown, tables, vectors, sizes)).collect()
    }

    fn of(&self, shown: usize, of: &Tables, vectors: &[Noisy], sizes: &[usize]) -> Noisy {
        let (wanted, Tables { adds_up, tables, sources }) = (&self.shown[shown], of);
        let own = tables.iter().find(|table| table.keys == *wanted);
        if let Some(own) = own.filter(|_| !adds_up) {
            return vectors[own.vector].clone();
        }
        let measured: Vec<_> = match &sources[..] {
            [] => tables.iter().map(|table| marginal(&table.keys, &vectors[table.vector])).collect(),
            sources => sources.iter().filter_map(|source| source.best(wanted, vectors, sizes)).collect(),
        };
        let (cells, variance) = match &tables[..] {
            // One table: a total is the sum of its cells as they are shown.
            [_] => summed(&measured[0], sizes, wanted),
            _ => reconstruct(&measured, sizes, wanted),
        };
        let first = &vectors[tables[0].vector];
        let fine = 2_f64.powi(FINE_BITS.cast_signed());
        let scale = variance.sqrt() * fine / law_of_one(&first.law);
        let law = NoiseLaw { mechanism: first.law.mechanism, fine_bits: FINE_BITS, scale };
        let whole = |value: f64| IBig::try_from((value * fine).round()).unwrap_or(IBig::ZERO);
        Noisy { law, price: first.price, cells: cells.into_iter().map(whole).collect() }
    }
}

/// The standard deviation of a law of scale 1 on a fine grid.
fn law_of_one(law: &NoiseLaw) -> f64 {
    match law.mechanism {
        crate::privacy::mechanism::Mechanism::DiscreteGaussian => 1.0,
        crate::privacy::mechanism::Mechanism::DiscreteLaplace => std::f64::consts::SQRT_2,
    }
}

/// Sums of a table's cells in whole steps, so that totals are the sums of what is shown.
fn summed(table: &Marginal, sizes: &[usize], wanted: &[usize]) -> (Vec<f64>, f64) {
    // Of a histogram each group has several cells, one a bin.
    let groups: usize = table.keys.iter().map(|key| sizes[*key]).product();
    let bins = table.cells.len() / groups.max(1);
    let mut cells = vec![0.0; wanted.iter().map(|key| sizes[*key]).product::<usize>() * bins];
    for (cell, value) in table.cells.iter().enumerate() {
        // Halves up, as cells are shown.
        cells[project(cell / bins, &table.keys, wanted, sizes) * bins + cell % bins] += (value + 0.5).floor();
    }
    let count = (table.cells.len() / cells.len().max(1)) as f64;
    // A twelfth of a step squared is what rounding a cell adds.
    (cells, count * (table.variance + 1.0 / 12.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without noise a table is what it was; with exact parts that agree, any table follows from those it is part of.
    #[test]
    fn exact_tables_come_back() {
        let sizes = [3, 2, 4];
        let truth: Vec<f64> = (0..24).map(|cell| f64::from((cell * 7 + 3) % 11)).collect();
        let of = |keys: &[usize], variance: f64| {
            let mut cells = vec![0.0; keys.iter().map(|key| sizes[*key]).product()];
            for (cell, value) in truth.iter().enumerate() {
                cells[project(cell, &[0, 1, 2], keys, &sizes)] += value;
            }
            Marginal { keys: keys.to_vec(), cells, variance }
        };
        let measured = [of(&[0, 1], 4.0), of(&[1, 2], 1.0), of(&[0, 2], 2.0)];
        for wanted in [vec![], vec![0], vec![1], vec![2], vec![0, 1], vec![1, 2], vec![0, 2]] {
            let (cells, variance) = reconstruct(&measured, &sizes, &wanted);
            for (found, expected) in cells.iter().zip(of(&wanted, 0.0).cells) {
                assert!((found - expected).abs() < 1e-9, "{wanted:?}: {found} {expected}");
            }
            let own = measured.iter().find(|table| table.keys == wanted).map_or(f64::INFINITY, |table| table.variance);
            let parts: Vec<_> = measured.iter().map(|table| (table.keys.clone(), table.variance)).collect();
            assert!((super::variance(&parts, &sizes, &wanted) - variance).abs() < 1e-9);
            assert!(variance < own, "{wanted:?}: more tables tell more: {variance} {own}");
        }
        // One table alone: the variance of a sum of cells.
        let (_, variance) = reconstruct(&[of(&[0, 1], 4.0)], &sizes, &[0]);
        assert!((variance - 8.0).abs() < 1e-9);
        let (_, variance) = reconstruct(&[of(&[0, 1], 4.0)], &sizes, &[0, 1]);
        assert!((variance - 4.0).abs() < 1e-9);
    }

    #[test]
    fn only_sets_that_are_part_of_no_other_are_measured() {
        assert_eq!(maximal(&[vec![0, 1], vec![0], vec![]]), [vec![0, 1]]);
        assert_eq!(maximal(&[vec![0], vec![1], vec![]]), [vec![0], vec![1]]);
    }
}
