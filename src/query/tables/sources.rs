//! Sources: noise that tables have in common, and noise that each has by itself.
//!
//! Promises that a wanted table is put together from each source once, over the keys of one of the tables that it is part of.

use std::cmp::Reverse;

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Marginal, marginal};
use crate::vault::release::Noisy;

/// Noise that is independent of that of every other source.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Source {
    /// The same noise over the keys of each table that it is part of: one of them is used at a time.
    pub tables: Vec<SourceTable>,
}

/// What a source tells of a table.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct SourceTable {
    /// The table's keys.
    pub keys: Vec<usize>,
    /// Its cells, with this source's noise alone.
    pub vector: SourceVector,
}

/// Where the cells of a source are.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum SourceVector {
    /// They are those of a measurement.
    Measured(usize) = 0,
    /// They are no more than a part of what is known of the table.
    Part(Noisy) = 1,
}

impl SourceTable {
    fn noisy<'a>(&'a self, vectors: &'a [Noisy]) -> &'a Noisy {
        match &self.vector {
            SourceVector::Measured(vector) => &vectors[*vector],
            SourceVector::Part(noisy) => noisy,
        }
    }
}

impl Source {
    /// Noisy cells that are stored in it.
    #[must_use]
    pub fn cells(&self) -> usize {
        let cells = |table: &SourceTable| match &table.vector {
            SourceVector::Measured(_) => 0,
            SourceVector::Part(noisy) => noisy.cells.len(),
        };
        self.tables.iter().map(cells).sum()
    }

    /// The table of this noise that tells most of a table over `wanted`: one that has all of its keys if there is one, the most exact of
    /// those that have as many.
    pub(super) fn best<'a>(&'a self, wanted: &[usize], vectors: &'a [Noisy], sizes: &[usize]) -> Option<Marginal> {
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
