//! Histograms: counts of rows by group and bin; coarser levels are summed from finer ones.
//!
//! Promises one tally per binned term, however many levels are asked for, as long as the bins of each level divide those of the next.

/// One level of a histogram: the width of its bins in steps of the grid, and their number for each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) width: i64,
    pub(super) count: u32,
}

impl Level {
    /// Sums the bins of a finer level, whose bins divide those of this one.
    pub(super) fn of_finer(self, finer: Self, counts: &[i64]) -> Vec<i64> {
        let parts = usize::try_from(self.width / finer.width).unwrap_or(1).max(1);
        let group = |bins: &[i64]| {
            let mut coarse: Vec<i64> = bins.chunks(parts).map(|bins| bins.iter().sum()).collect();
            coarse.resize(self.count as usize, 0);
            coarse
        };
        counts.chunks((finer.count as usize).max(1)).flat_map(group).collect()
    }

    /// Whether the bins of a finer level divide those of this one.
    pub(super) fn is_sum_of(self, finer: Self) -> bool {
        finer.width > 0 && self.width % finer.width == 0
    }
}
