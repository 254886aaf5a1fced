//! Quantiles: turns noisy histograms of several resolutions into a distribution, and that into a value with its interval.
//!
//! Promises that all quantiles of a group come from one distribution and never cross, and that the interval covers both the noise and the
//! width of a bin.
//!
//! **The tree.** The range of a value is cut into bᵈ bins of equal width, and each level ℓ = 1 … d of the tree counts rows in bˡ bins of
//! the whole range. Each level is a measurement of its own: a row adds 1 to one of its cells, so a unit with k rows moves it by k (Δ₁ = Δ₂
//! = k). A rank is then a sum of at most (b − 1)·d cells instead of half of all bins. [`HistogramTree::over`] chooses b and d.
//!
//! **Least squares.** The counts of all levels are made consistent as in M. Hay et al., "Boosting the accuracy of differentially private
//! histograms through consistency" (PVLDB 3, 2010), with the variance of each level: from the leaves up, z = (n/v + Σz'/(b·v'))·V with V =
//! 1/(1/v + 1/(b·v')), and from the root down, h' = z' + (h − Σz')/b.
//!
//! **Variance of a rank.** Let d' = z' − mean(z'). Then h' = h/b + d', and the d' of one node are independent of h and of everything
//! deeper. A rank that comprises m whole children of a node and the part αh' + E of the next child is (m + α)/b·h + E' in terms of the
//! node, where Var E' = Var E + V'·(m + α² − (m + α)²/b). At the root Var(rank − q·h) = (α − q)²·b·V₁ + Var E.
//!
//! **The interval** consists of the bins around the estimate at whose edges the rank is within 1.96 standard errors of the sought rank.

use crate::kernel::privacy::certificate::NORMAL_975;
use crate::kernel::privacy::mechanism::NoiseLaw;

/// The number of standard errors of a rank between two points of a smoothed distribution.
const SMOOTHED_ERRORS: f64 = 3.0;
/// Largest number of leaves of one tree.
const LEAVES_MAX: u64 = 4_096;
/// Approximate limit on the leaves of all groups of an answer together.
const LEAVES_OF_ALL_GROUPS_MAX: u64 = 32_768;
const LEAVES_MIN: u64 = 16;
const BRANCHES_MAX: u64 = 64;

/// How a range of values is cut into a tree of bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramTree {
    /// b: number of children of each node.
    pub branches: u32,
    /// d: number of levels below the root.
    pub depth: u32,
    /// Number of values in a leaf.
    pub width: i64,
}

impl HistogramTree {
    /// Chooses the tree for `values` values in each of `groups` groups: among the trees whose leaves cover the values, the one whose ranks
    /// have the least error at equal price. With d levels the variance of each level grows d-fold if precision adds (`gaussian`) and
    /// d²-fold if ε adds (`pure`), and a rank sums (b − 1)·d/2 cells on average.
    #[must_use]
    pub fn over(values: u64, groups: u64, precision_adds: bool) -> Self {
        let leaves = (LEAVES_OF_ALL_GROUPS_MAX / groups.max(1)).clamp(LEAVES_MIN, LEAVES_MAX).min(values.max(2));
        let most = BRANCHES_MAX.max(leaves);
        let mut best: Option<(u128, Self)> = None;
        let mut branches = 2;
        while branches <= most {
            let mut depth = 1_u32;
            while branches.pow(depth) < leaves {
                depth += 1;
            }
            let split = u128::from(depth).pow(if precision_adds { 1 } else { 2 });
            // Leaves beyond the range are wasted, which makes the other leaves wider.
            let waste = u128::from(branches.pow(depth)) * 1_000 / u128::from(leaves);
            let error = u128::from(branches - 1) * u128::from(depth) * split * waste.min(4_000);
            let width = values.div_ceil(branches.pow(depth)).max(1);
            // Unwrap safety: a range of values fits 62 bits, and a tree has few branches.
            let tree = Self { branches: branches as u32, depth, width: i64::try_from(width).expect("a width") };
            if best.is_none_or(|(least, _)| error < least) {
                best = Some((error, tree));
            }
            // With more branches and the same depth the error only grows, so the next candidate has one level less.
            branches = match depth {
                1 => break,
                depth => (branches + 1..).find(|more| more.pow(depth - 1) >= leaves).unwrap_or(most + 1),
            };
        }
        // Unwrap safety: there is at least one number of branches.
        best.expect("a tree").1
    }

    /// Number of bins of level ℓ, counted from 1.
    #[must_use]
    pub fn bins(&self, level: u32) -> u32 {
        self.branches.pow(level)
    }

    /// Number of values in a bin of level ℓ, counted from 1.
    #[must_use]
    pub fn width_at(&self, level: u32) -> i64 {
        self.width.saturating_mul(i64::from(self.branches.pow(self.depth - level)))
    }
}

/// Noisy counts of all levels of one group's tree, and the laws of their noise.
pub struct Levels<'a> {
    /// Counts of each level's bins, the coarsest level first.
    pub counts: Vec<Vec<f64>>,
    /// Noise law of each level, parallel to `counts`.
    pub laws: Vec<NoiseLaw>,
    /// The tree that cuts the range into bins.
    pub tree: &'a HistogramTree,
}

/// A quantile with its interval, in leaves from the lower end of the range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileEstimate {
    /// Estimate of the quantile, with its fraction of a leaf.
    pub at: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The estimated distribution of one group.
pub struct Distribution {
    /// Number of rows up to the end of each leaf, as estimated by least squares.
    ranks: Vec<f64>,
    /// The nearest non-decreasing sequence to `ranks`.
    rising: Vec<f64>,
    /// Variance V of each level below the root.
    variances: Vec<f64>,
    branches: usize,
}

impl Levels<'_> {
    /// Computes the distribution that is consistent over all levels.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        let branches = self.tree.branches as usize;
        let own: Vec<f64> = self.laws.iter().map(|law| law.std_error().powi(2)).collect();
        let mut best = self.counts.clone();
        let mut variances = own.clone();
        for level in (0..best.len().saturating_sub(1)).rev() {
            let below = branches as f64 * variances[level + 1];
            variances[level] = (own[level].recip() + below.recip()).recip();
            let (upper, lower) = best.split_at_mut(level + 1);
            for (node, children) in upper[level].iter_mut().zip(lower[0].chunks(branches)) {
                let sum: f64 = children.iter().sum();
                *node = (*node / own[level] + sum / below) * variances[level];
            }
        }
        for level in 1..best.len() {
            let (upper, lower) = best.split_at_mut(level);
            for (node, children) in upper[level - 1].iter().zip(lower[0].chunks_mut(branches)) {
                let missing = (node - children.iter().sum::<f64>()) / branches as f64;
                children.iter_mut().for_each(|child| *child += missing);
            }
        }
        let mut rank = 0.0;
        let leaves = best.pop().unwrap_or_default();
        let ranks: Vec<f64> = leaves
            .into_iter()
            .map(|leaf| {
                rank += leaf;
                rank
            })
            .collect();
        Distribution { rising: rising(&ranks), ranks, variances, branches }
    }
}

/// The nearest non-decreasing sequence, by pooling adjacent violators (M. Ayer et al., Ann. Math. Stat. 26, 1955).
fn rising(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for value in values {
        let mut pool = (*value, 1);
        while let Some((last, count)) = pools.last().copied().filter(|(last, _)| *last > pool.0) {
            pools.pop();
            let all = count + pool.1;
            pool = ((last * count as f64 + pool.0 * pool.1 as f64) / all as f64, all);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count)).collect()
}

impl Distribution {
    /// Standard error of rank − q·total at the end of leaf `leaf`.
    fn std_error(&self, leaf: usize, q: f64) -> f64 {
        let (mut rest, mut part, mut variance) = (leaf + 1, 0.0_f64, 0.0_f64);
        let b = self.branches as f64;
        for level in self.variances.iter().rev() {
            let whole = (rest % self.branches) as f64;
            let taken = whole + part;
            variance += level * (whole + part * part - taken * taken / b);
            part = taken / b;
            rest /= self.branches;
        }
        // For the last leaf, this is the whole of the root.
        let part = part + rest as f64;
        let root = b * self.variances.first().copied().unwrap_or(0.0);
        ((part - q).powi(2) * root + variance).max(0.0).sqrt()
    }

    /// The part of the rows up to the end of each leaf; `None` if the total is lost in its own noise.
    #[must_use]
    pub fn parts_below(&self) -> Option<Vec<f64>> {
        let (total, error) = self.total();
        if total <= NORMAL_975 * error {
            return None;
        }
        let parts = self.rising.iter().map(|rank| (rank / total).clamp(0.0, 1.0));
        Some(parts.collect())
    }

    /// The same parts with straight lines between those that noise can hardly make: the steps of single leaves are mostly noise, and a
    /// distribution that is read for its density would be far too dense at some of them and empty between.
    #[must_use]
    pub fn smoothed(&self, parts: &[f64]) -> Vec<f64> {
        let least = SMOOTHED_ERRORS * self.std_error(self.ranks.len() / 2, 0.5) / self.total().0.max(1.0);
        let mut knots = vec![(0, 0.0)];
        let (mut last, mut before) = (0.0, 0.0);
        for (leaf, part) in parts.iter().copied().enumerate() {
            if part - last >= least || leaf + 1 == parts.len() {
                // A single leaf with many rows is a value that many rows have.
                if part - before >= least {
                    knots.push((leaf, before));
                }
                knots.push((leaf + 1, part));
                last = part;
            }
            before = part;
        }
        let mut smooth = Vec::with_capacity(parts.len());
        for pair in knots.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            let count = (to - from) as f64;
            smooth.extend((from..to).map(|leaf| low + (high - low) * (leaf + 1 - from) as f64 / count));
        }
        smooth
    }

    /// Estimated total with its standard error.
    fn total(&self) -> (f64, f64) {
        let root = self.branches as f64 * self.variances.first().copied().unwrap_or(0.0);
        (self.rising.last().copied().unwrap_or(0.0), root.sqrt())
    }

    /// The q-quantile, between edges whose ranks are told from it by z standard errors; `None` if the total is lost in its own noise.
    #[must_use]
    pub fn quantile(&self, q: f64, z: f64) -> Option<QuantileEstimate> {
        let (total, error) = self.total();
        let raw_total = self.ranks.last().copied().unwrap_or(0.0);
        if raw_total <= NORMAL_975 * error || total <= 0.0 {
            return None;
        }
        let sought = q * total;
        let leaf = self.rising.iter().position(|rank| *rank >= sought).unwrap_or(self.rising.len() - 1);
        let below = if leaf == 0 { 0.0_f64.min(self.rising[0]) } else { self.rising[leaf - 1] };
        let inside = self.rising[leaf] - below;
        let share = if inside > 0.0 { ((sought - below) / inside).clamp(0.0, 1.0) } else { 0.5 };
        // The search ends once two consecutive edges can be told from the quantile; a single one may be a fluke.
        let told = |leaf: usize| (self.ranks[leaf] - q * raw_total).abs() > z * self.std_error(leaf, q);
        let mut low = leaf;
        while low > 0 && !(told(low - 1) && (low == 1 || told(low - 2))) {
            low -= 1;
        }
        let last = self.ranks.len() - 1;
        let mut high = leaf;
        while high < last && !(told(high) && told((high + 1).min(last))) {
            high += 1;
        }
        Some(QuantileEstimate { at: leaf as f64 + share, low: low as f64, high: (high + 1) as f64 })
    }
}

/// Half-width of the 95 % interval of the median's rank, in rows: the accuracy that a price buys, known without data.
#[must_use]
pub fn rank_margin(tree: &HistogramTree, laws: &[NoiseLaw]) -> f64 {
    let counts = (1..=tree.depth).map(|level| vec![0.0; tree.bins(level) as usize]).collect();
    let levels = Levels { counts, laws: laws.to_vec(), tree };
    let distribution = levels.distribution();
    let middle = distribution.ranks.len() / 2;
    NORMAL_975 * distribution.std_error(middle.saturating_sub(1), 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privacy::mechanism::Mechanism;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn law(scale: f64) -> NoiseLaw {
        NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale }
    }

    fn normal(rng: &mut StdRng) -> f64 {
        (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0
    }

    /// The chosen tree is the best over all numbers of branches, and the one that earlier editions measured.
    #[test]
    fn the_best_of_few_trees_is_the_best_of_all() {
        let of_all = |values: u64, groups: u64, precision_adds: bool| {
            let leaves = (LEAVES_OF_ALL_GROUPS_MAX / groups).clamp(LEAVES_MIN, LEAVES_MAX).min(values.max(2));
            let tree = |branches: u64| {
                let depth = (1..).find(|depth| branches.pow(*depth) >= leaves).expect("a depth");
                let split = u128::from(depth).pow(if precision_adds { 1 } else { 2 });
                let waste = u128::from(branches.pow(depth)) * 1_000 / u128::from(leaves);
                (u128::from(branches - 1) * u128::from(depth) * split * waste.min(4_000), branches, depth)
            };
            let (_, branches, depth) = (2..=BRANCHES_MAX.max(leaves)).map(tree).min().expect("a tree");
            (branches as u32, depth)
        };
        for values in (2..200).chain([999, 1_000, 2_187, 4_095, 4_096, 4_097, 1 << 40]) {
            for groups in [1, 2, 7, 9, 40, 300, 1_000, 5_000] {
                for adds in [true, false] {
                    let tree = HistogramTree::over(values, groups, adds);
                    assert_eq!((tree.branches, tree.depth), of_all(values, groups, adds), "{values} {groups} {adds}");
                }
            }
        }
    }

    #[test]
    fn trees_hold_the_values_and_waste_little() {
        for values in [2, 3, 10, 111, 1_000, 200_001, 1 << 40] {
            for groups in [1, 7, 300, 5_000] {
                for adds in [true, false] {
                    let tree = HistogramTree::over(values, groups, adds);
                    let leaves = u64::from(tree.bins(tree.depth));
                    assert!(leaves * tree.width as u64 >= values, "{values} {groups} {tree:?}");
                    let cells: u64 = (1..=tree.depth).map(|level| u64::from(tree.bins(level))).sum();
                    assert!(cells * groups < 100_000 || groups >= 5_000, "{values} {groups} {tree:?}");
                }
            }
        }
    }

    /// The formula for the error of a rank agrees with repeated noise, for levels of different noise.
    #[test]
    fn ranks_err_as_much_as_they_say() {
        let mut rng = StdRng::seed_from_u64(3);
        let tree = HistogramTree { branches: 3, depth: 3, width: 1 };
        let laws = vec![law(5.0), law(2.0), law(4.0)];
        for (leaf, q) in [(0, 0.5), (4, 0.25), (12, 0.5), (13, 0.5), (20, 0.9), (26, 0.5)] {
            let (mut squares, mut said) = (0.0, 0.0);
            const ROUNDS: usize = 4_000;
            for _ in 0..ROUNDS {
                let counts = (1..=3).map(|level| {
                    (0..tree.bins(level)).map(|_| laws[level as usize - 1].scale * normal(&mut rng)).collect()
                });
                let levels = Levels { counts: counts.collect(), laws: laws.clone(), tree: &tree };
                let distribution = levels.distribution();
                let total = distribution.ranks[26];
                squares += (distribution.ranks[leaf] - q * total).powi(2);
                said = distribution.std_error(leaf, q);
            }
            let ratio = (squares / ROUNDS as f64).sqrt() / said;
            assert!((0.95..1.05).contains(&ratio), "leaf {leaf}: {ratio}");
        }
    }

    /// Smoothing keeps what is exact and the values that many rows have, and takes the noise of single leaves off a flat distribution.
    #[test]
    fn smoothed_distributions_have_no_density_made_of_noise() {
        let mut rng = StdRng::seed_from_u64(6);
        let tree = HistogramTree { branches: 4, depth: 4, width: 1 };
        let mut of = |noise: f64, spike: f64| {
            let counts = (1..=4).map(|level| {
                let width = 4_usize.pow(4 - level);
                let rows = |bin: usize| 20.0 * width as f64 + if bin == 100 / width { spike } else { 0.0 };
                (0..tree.bins(level) as usize).map(|bin| rows(bin) + noise * normal(&mut rng)).collect()
            });
            let levels = Levels { counts: counts.collect(), laws: vec![law(noise.max(1e-6)); 4], tree: &tree };
            let distribution = levels.distribution();
            let parts = distribution.parts_below().expect("rows");
            let smooth = distribution.smoothed(&parts);
            (parts, smooth)
        };
        let steepest = |parts: &[f64]| parts.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        let (parts, smooth) = of(0.0, 0.0);
        assert!(parts.iter().zip(&smooth).all(|(one, other)| (one - other).abs() < 1e-6));
        let (parts, smooth) = of(40.0, 0.0);
        assert!(
            steepest(&parts) > 3.0 / 256.0 && steepest(&smooth) < 2.5 / 256.0,
            "{} {}",
            steepest(&parts),
            steepest(&smooth)
        );
        assert!(smooth.len() == 256 && (smooth[255] - 1.0).abs() < 1e-9 && smooth.is_sorted());
        let (_, smooth) = of(40.0, 5_000.0);
        assert!(smooth[100] - smooth[99] > 0.4, "{}", smooth[100] - smooth[99]);
    }

    #[test]
    fn least_squares_add_up_and_never_cross() {
        let mut rng = StdRng::seed_from_u64(4);
        let tree = HistogramTree { branches: 4, depth: 3, width: 1 };
        let counts = (1..=3).map(|level| (0..tree.bins(level)).map(|_| 10.0 + 30.0 * normal(&mut rng)).collect());
        let levels = Levels { counts: counts.collect(), laws: vec![law(30.0); 3], tree: &tree };
        let distribution = levels.distribution();
        let found: Vec<f64> = (1..100)
            .filter_map(|percent| Some(distribution.quantile(f64::from(percent) / 100.0, NORMAL_975)?.at))
            .collect();
        assert!(found.windows(2).all(|pair| pair[0] <= pair[1]), "{found:?}");
        assert_eq!(rising(&[1.0, 3.0, 2.0, 4.0, 0.0]), [1.0, 2.25, 2.25, 2.25, 2.25]);
    }
}
