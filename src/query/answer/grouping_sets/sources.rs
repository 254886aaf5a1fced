//! Sources of noise: noise that several tables share, and noise that each has by itself.
//!
//! Promises that reconstructing a table uses each source once, over the keys of one of the tables that contain it.

use std::cmp::Reverse;

use borsh::{BorshDeserialize, BorshSerialize};

use super::marginal::{Marginal, marginal};
use crate::kernel::vault::release::NoisyVector;

/// A source of noise, independent of every other source.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct IndependentNoise {
    /// The same noise over the keys of each table that contains it; only one of these is used at a time.
    pub tables: Vec<SourceTable>,
}

/// One source's estimate of a table.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct SourceTable {
    /// Indices of the table's keys, in ascending order.
    pub keys: Vec<usize>,
    /// The table's cells with the noise of this source alone.
    pub vector: SourceVector,
}

/// Where the cells of a source are stored.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum SourceVector {
    /// The cells are those of a measurement, given by its index.
    Measured(usize) = 0,
    /// The cells are stored here, as this source is only one part of the table's estimate.
    Part(NoisyVector) = 1,
}

impl SourceTable {
    fn noisy<'a>(&'a self, vectors: &'a [NoisyVector]) -> &'a NoisyVector {
        match &self.vector {
            SourceVector::Measured(vector) => &vectors[*vector],
            SourceVector::Part(noisy) => noisy,
        }
    }
}

impl IndependentNoise {
    /// Number of noisy cells stored within the source itself.
    #[must_use]
    pub fn cells(&self) -> usize {
        let cells = |table: &SourceTable| match &table.vector {
            SourceVector::Measured(_) => 0,
            SourceVector::Part(noisy) => noisy.cells.len(),
        };
        self.tables.iter().map(cells).sum()
    }

    /// The table of this source that best estimates the table over `wanted`: the one that keeps most of the wanted keys and, among those
    /// that keep equally many, the one with the least variance.
    pub(super) fn best<'a>(
        &'a self,
        wanted: &[usize],
        vectors: &'a [NoisyVector],
        sizes: &[usize],
    ) -> Option<Marginal> {
        let variance = |table: &SourceTable| table.noisy(vectors).law.std_error().powi(2);
        let order = |table: &SourceTable| {
            let (kept, summed): (Vec<usize>, Vec<usize>) = table.keys.iter().partition(|key| wanted.contains(key));
            let summed: usize = summed.iter().map(|key| sizes[*key]).product();
            (Reverse(kept.len()), variance(table) * summed as f64)
        };
        let best = self.tables.iter().min_by(|one, other| {
            let ((kept, variance), (other_kept, other_variance)) = (order(one), order(other));
            kept.cmp(&other_kept).then(variance.total_cmp(&other_variance))
        });
        best.map(|table| marginal(&table.keys, table.noisy(vectors)))
    }
}
