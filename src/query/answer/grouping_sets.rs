//! Grouping sets: `GROUPING SETS`, `ROLLUP` and `CUBE` in one answer whose totals add up. A "table" here is the marginal table over one set
//! of keys.
//!
//! Promises the least-squares estimate of every table from all measured tables, and its variance. If the finest table is among those shown,
//! all tables hold whole numbers, and the shown totals are the sums of the shown cells.
//!
//! **What is measured.** Counts and sums over a set of keys are sums of cells over any larger set, so only sets that are not contained in
//! another one are measured: for `ROLLUP` and `CUBE` the finest alone, at the whole price. A total of m cells then has m times their
//! variance and, if the groups are of similar size, a relative error smaller by √m: no other split makes the worst relative margin smaller.
//! Counts of distinct units do not add up, and are measured for each set. Histograms, which percentiles are computed from, add up bin by
//! bin if one grouping is the finest of all.
//!
//! **Least squares.** A table over keys S is the sum over A ⊆ S of components that vary only with the keys of A and sum to 0 along each of
//! them. A table with independent noise of variance v, summed over S∖A, estimates the component of A with variance v·∏(nⱼ, j ∈ S∖A), and
//! its noise there is independent of that in every other component. So each component is the mean of the estimates from all measured
//! tables, weighted by inverse variance, and a table is the sum of its components: T_B = Σ_{A ⊆ B} R_A/∏(nⱼ, j ∈ B∖A), with variance Σ_A
//! V_A·∏(1 − 1/nⱼ, j ∈ A)/∏(nⱼ², j ∈ B∖A) for each cell. Source: this is the decomposition of Y. Xiao et al., "An optimal and scalable
//! matrix mechanism for noisy marginals" (NeurIPS 2023), read backwards: it reconstructs from marginals instead of choosing what to
//! measure.

mod marginal;
mod sources;

use borsh::{BorshDeserialize, BorshSerialize};

use dashu::integer::IBig;

pub use self::sources::{IndependentNoise, SourceTable, SourceVector};

use self::marginal::{Marginal, marginal};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::NoisyVector;
use crate::query::computation::codes;

/// Largest number of groupings in one answer.
pub const SETS_MAX: usize = 256;
/// Largest number of keys in one grouping.
pub const KEYS_MAX: usize = 8;
/// Fractional bits of the fine grid on which reconstructed cells are stored.
const FINE_BITS: u32 = 20;

/// The groupings of an answer and what was measured for them. Keys are given by their index in the computation, in ascending order.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct GroupingSets {
    /// Keys of each grouping that is shown, in the order of the question.
    pub shown: Vec<Vec<usize>>,
    /// The measured tables behind each value that outputs refer to.
    pub measured: Vec<MeasuredTables>,
}

/// The tables that were measured of one value, such as one count or one sum.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct MeasuredTables {
    /// Whether the cells of a table over fewer keys are sums of cells of one over more keys.
    pub adds_up: bool,
    /// The measured tables: if they add up, those not contained in another one; otherwise one for each shown grouping.
    pub tables: Vec<MeasuredTable>,
    /// Independent sources of noise that the tables were computed from, if one stored draw is part of several tables; empty if each table
    /// has noise of its own.
    pub sources: Vec<IndependentNoise>,
}

/// One measured table over a set of keys.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct MeasuredTable {
    /// Indices of the table's keys, in ascending order.
    pub keys: Vec<usize>,
    /// Index of the measurement.
    pub vector: usize,
}

/// The sets that are not contained in another one, sorted and without duplicates.
#[must_use]
pub fn maximal(sets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    // Keys within a set are distinct.
    let part = |set: &Vec<usize>, of: &Vec<usize>| set.len() < of.len() && set.iter().all(|key| of.contains(key));
    let mut maximal: Vec<Vec<usize>> =
        sets.iter().filter(|set| !sets.iter().any(|other| part(set, other))).cloned().collect();
    maximal.sort();
    maximal.dedup();
    maximal
}

/// The least-squares estimate of the table over `wanted` from the tables `measured`, and the variance of each cell.
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

/// Variance of a cell of the table over `wanted`, if tables over other keys were measured with the given variances. [`GroupingSets::vectors`]
/// attains it before rounding.
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

/// Estimate of the component of `keys` from all measured tables, and its variance before it is centred.
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

/// Index of the cell of a table over `to` that contains a cell of a table over `from`.
fn project(cell: usize, from: &[usize], to: &[usize], sizes: &[usize]) -> usize {
    let codes = codes(from.iter().map(|key| sizes[*key] as u64), cell as u64);
    from.iter()
        .zip(codes)
        .filter(|(key, _)| to.contains(key))
        .fold(0, |place, (key, code)| place * sizes[*key] + code as usize)
}

/// Subtracts the mean along one key.
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

impl GroupingSets {
    /// Copies the sources of the tables from the groupings of a stored answer, which records them.
    #[must_use]
    pub fn stored_as(mut self, stored: Option<&Self>) -> Self {
        for own in &mut self.measured {
            let same = stored.and_then(|stored| stored.measured.iter().find(|other| other.tables == own.tables));
            own.sources = same.map_or_else(Vec::new, |same| same.sources.clone());
        }
        self
    }

    /// The noisy vectors of one shown grouping, one for each value that outputs refer to; in whole steps if they are sums over a single
    /// table.
    #[must_use]
    pub fn vectors(&self, shown: usize, vectors: &[NoisyVector], sizes: &[usize]) -> Vec<NoisyVector> {
        self.measured.iter().map(|tables| self.of(shown, tables, vectors, sizes)).collect()
    }

    fn of(&self, shown: usize, of: &MeasuredTables, vectors: &[NoisyVector], sizes: &[usize]) -> NoisyVector {
        let (wanted, MeasuredTables { adds_up, tables, sources }) = (&self.shown[shown], of);
        let own = tables.iter().find(|table| table.keys == *wanted);
        if let Some(own) = own.filter(|_| !adds_up) {
            return vectors[own.vector].clone();
        }
        let measured: Vec<_> = match &sources[..] {
            [] => tables.iter().map(|table| marginal(&table.keys, &vectors[table.vector])).collect(),
            sources => sources.iter().filter_map(|source| source.best(wanted, vectors, sizes)).collect(),
        };
        let (cells, variance) = match &tables[..] {
            // With a single table, a total is the sum of its cells as they are shown.
            [_] => summed(&measured[0], sizes, wanted),
            _ => reconstruct(&measured, sizes, wanted),
        };
        let first = &vectors[tables[0].vector];
        let fine = 2_f64.powi(FINE_BITS.cast_signed());
        let scale = variance.sqrt() * fine / law_of_one(&first.law);
        let law = NoiseLaw { mechanism: first.law.mechanism, fine_bits: FINE_BITS, scale };
        let whole = |value: f64| IBig::try_from((value * fine).round()).unwrap_or(IBig::ZERO);
        NoisyVector { law, price: first.price, cells: cells.into_iter().map(whole).collect() }
    }
}

/// Standard deviation of the law with scale 1 on a fine grid.
fn law_of_one(law: &NoiseLaw) -> f64 {
    match law.mechanism {
        crate::kernel::privacy::mechanism::Mechanism::DiscreteGaussian => 1.0,
        crate::kernel::privacy::mechanism::Mechanism::DiscreteLaplace => std::f64::consts::SQRT_2,
    }
}

/// Sums of a table's cells in whole steps, so that each total is the sum of the shown cells.
fn summed(table: &Marginal, sizes: &[usize], wanted: &[usize]) -> (Vec<f64>, f64) {
    // In a histogram, each group has one cell for each bin.
    let groups: usize = table.keys.iter().map(|key| sizes[*key]).product();
    let bins = table.cells.len() / groups.max(1);
    let mut cells = vec![0.0; wanted.iter().map(|key| sizes[*key]).product::<usize>() * bins];
    for (cell, value) in table.cells.iter().enumerate() {
        // Halves are rounded up, as in the shown cells.
        cells[project(cell / bins, &table.keys, wanted, sizes) * bins + cell % bins] += (value + 0.5).floor();
    }
    let count = (table.cells.len() / cells.len().max(1)) as f64;
    // Rounding a cell adds a variance of one twelfth of a squared step.
    (cells, count * (table.variance + 1.0 / 12.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A measured table without noise comes back unchanged, and exact tables that agree determine the tables over subsets of their keys.
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
        // With a single table, the variance is that of a sum of cells.
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
