//! The rows of an operator in the order of a window.
//!
//! Promises plain places: which rows stand where, and which of them are equal in the order.

use super::order::SortKeys;
use std::ops::Range;

/// The rows of a frame in an order.
pub(super) struct Sorted {
    /// The rows, unit by unit and partition by partition.
    pub(super) rows: Vec<u32>,
    /// The places of each partition's rows.
    pub(super) partitions: Vec<Range<usize>>,
    /// The integers that rows are sorted by, of which the first ones are those of the partition.
    pub(super) keys: SortKeys,
    pub(super) partition_keys: usize,
}

impl Sorted {
    /// Whether the row at a place is equal to the one before it in the order.
    pub(super) fn is_peer(&self, place: usize) -> bool {
        let (one, other) = (self.rows[place - 1] as usize, self.rows[place] as usize);
        self.keys.is_same(self.keys.0.len(), one, other)
    }
}
