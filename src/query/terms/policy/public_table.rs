//! The rows of public tables, which are part of a dataset's public terms.
//!
//! Promises that they are written compactly: each column as the hexadecimal digits of its integers, in as few bytes as its range needs.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::orders::{ColumnOrder, Orders};
use crate::query::terms::columns::Columns;

/// The public tables of a dataset. A copy costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicTables(Arc<[PublicTable]>);

/// A table that is published as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicTable {
    /// The table's name in SQL.
    pub name: String,
    /// Its columns; a category's labels are the column's different values.
    pub columns: Columns,
    /// The number of rows.
    pub rows: u64,
    /// For each column, the integer of each row as a sealed table would store it; `None` where the value is missing.
    #[serde(with = "packed")]
    pub values: Vec<Vec<Option<i64>>>,
    /// The rows in the order of columns, as far as questions have asked for it.
    #[serde(skip)]
    pub orders: Orders,
}

impl PublicTable {
    /// The rows in the order of a column; `None` if there is no such column.
    #[must_use]
    pub fn order(&self, column: usize) -> Option<Arc<ColumnOrder>> {
        Some(self.orders.of(column, self.values.get(column)?))
    }
}

impl Deref for PublicTables {
    type Target = [PublicTable];

    fn deref(&self) -> &[PublicTable] {
        &self.0
    }
}

impl Default for PublicTables {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl FromIterator<PublicTable> for PublicTables {
    fn from_iter<I: IntoIterator<Item = PublicTable>>(tables: I) -> Self {
        Self(tables.into_iter().collect())
    }
}

impl PublicTables {
    /// Whether there is no public table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for PublicTables {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PublicTables {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(|tables: Vec<PublicTable>| tables.into_iter().collect())
    }
}

/// How the integers of columns are written: in hexadecimal digits, the number of bytes for each, the least of them, and for each row its distance
/// from the least one and 1, or 0 if the value is missing. All are little-endian.
mod packed {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(columns: &[Vec<Option<i64>>], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(columns.iter().map(|values| hex::encode(pack(values))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<Option<i64>>>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let column = |text: String| hex::decode(text).ok().and_then(|bytes| unpack(&bytes));
        let columns: Option<Vec<_>> = texts.into_iter().map(column).collect();
        columns.ok_or_else(|| D::Error::custom("a column of a public table is not what was written"))
    }

    fn pack(values: &[Option<i64>]) -> Vec<u8> {
        let low = values.iter().flatten().copied().min().unwrap_or(0);
        let code = |value: &Option<i64>| value.map_or(0, |value| i128::from(value) - i128::from(low) + 1);
        let most = values.iter().map(code).max().unwrap_or(0);
        let width = (1..16).find(|width| most < 1 << (8 * width)).unwrap_or(16);
        let mut bytes = vec![width as u8];
        bytes.extend(low.to_le_bytes());
        values.iter().for_each(|value| bytes.extend(&code(value).to_le_bytes()[..width]));
        bytes
    }

    fn unpack(bytes: &[u8]) -> Option<Vec<Option<i64>>> {
        let (width, rest) = bytes.split_first()?;
        let (low, rest) = rest.split_at_checked(8)?;
        let low = i64::from_le_bytes(low.try_into().ok()?);
        let width = usize::from(*width);
        if !(1..=16).contains(&width) || !rest.len().is_multiple_of(width) {
            return None;
        }
        let value = |code: &[u8]| {
            let mut wide = [0; 16];
            wide[..width].copy_from_slice(code);
            match i128::from_le_bytes(wide) {
                0 => Some(None),
                code => i64::try_from(code.checked_sub(1)?.checked_add(low.into())?).ok().map(Some),
            }
        };
        rest.chunks_exact(width).map(value).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::{pack, unpack};

        #[test]
        fn columns_read_back_and_take_the_bytes_that_they_need() {
            for (values, bytes) in [
                (vec![], 9),
                (vec![None, None], 9 + 2),
                (vec![Some(7), None, Some(261)], 9 + 3),
                (vec![Some(7), None, Some(262)], 9 + 6),
                (vec![Some(-3_000_000), Some(4)], 9 + 6),
                (vec![Some(i64::MIN), None, Some(i64::MAX)], 9 + 27),
            ] {
                let packed = pack(&values);
                assert_eq!((unpack(&packed), packed.len()), (Some(values), bytes));
            }
        }

        #[test]
        fn other_bytes_are_refused() {
            for bytes in [&[][..], &[1], &[0, 0, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0, 0, 0, 0, 0, 0, 1]] {
                assert_eq!(unpack(bytes), None, "{bytes:?}");
            }
        }
    }
}
