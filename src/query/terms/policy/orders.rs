//! The rows of a public table in the order of a column's values, so that a question finds some of them without looking at all.
//!
//! Promises that each order is made once, when it is first asked for, and that it is no part of the terms: it is neither written nor
//! compared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The orders that were made of one public table.
#[derive(Debug, Default)]
pub struct Orders(Mutex<BTreeMap<usize, Arc<ColumnOrder>>>);

/// The rows of a public table that have a value in one column.
#[derive(Debug)]
pub struct ColumnOrder {
    /// The values, ascending, each with the number of its row.
    rows: Vec<(i64, u32)>,
    /// How many rows have the most frequent value.
    most: u64,
}

/// A copy makes its own orders.
impl Clone for Orders {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Orders follow from the rows.
impl PartialEq for Orders {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Orders {}

impl Orders {
    /// The order of a column with these values.
    pub(super) fn of(&self, column: usize, values: &[Option<i64>]) -> Arc<ColumnOrder> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(made.entry(column).or_insert_with(|| Arc::new(ColumnOrder::new(values))))
    }
}

impl ColumnOrder {
    fn new(values: &[Option<i64>]) -> Self {
        let mut rows: Vec<(i64, u32)> =
            values.iter().zip(0..).filter_map(|(value, row)| Some(((*value)?, row))).collect();
        rows.sort_unstable();
        let most = rows.chunk_by(|one, other| one.0 == other.0).map(<[_]>::len).max().unwrap_or(0);
        Self { rows, most: most as u64 }
    }

    /// How many rows have the most frequent value; 0 if no row has a value.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The numbers of the rows whose value lies within both bounds, by value and then by number.
    pub fn between(&self, low: i64, high: i64) -> impl Iterator<Item = usize> + '_ {
        let begin = self.rows.partition_point(|(value, _)| *value < low);
        let end = self.rows.partition_point(|(value, _)| *value <= high).max(begin);
        self.rows[begin..end].iter().map(|(_, row)| *row as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_finds_the_rows_of_values() {
        let orders = Orders::default();
        let order = orders.of(0, &[Some(5), None, Some(-1), Some(5), Some(9)]);
        for ((low, high), rows) in
            [((5, 5), vec![0, 3]), ((-9, 5), vec![2, 0, 3]), ((6, 8), vec![]), ((7, 3), vec![]), ((9, 9), vec![4])]
        {
            assert_eq!(order.between(low, high).collect::<Vec<_>>(), rows, "{low} to {high}");
        }
        assert_eq!((order.most(), orders.of(1, &[None, None]).most()), (2, 0));
    }
}
