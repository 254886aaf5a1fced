//! The columns of a block as 64-bit integers, one strip of rows at a time.
//!
//! Promises that a value is widened without loss from whatever type it is stored as, and that a strip is small enough to stay in the
//! processor's cache while everything that a computation needs of its rows is added up.

use polars::prelude::*;

/// Number of rows of a strip.
pub(super) const STRIP_ROWS: usize = 4096;

/// One column of a block, of any integer type, in one chunk.
pub(super) struct BlockColumn(Series);

/// Some rows of a column.
#[derive(Default)]
pub(super) struct Strip {
    /// One value per row; arbitrary where it is missing.
    pub(super) values: Vec<i64>,
    /// Which values are present, one per row; empty if all of them are.
    pub(super) present: Vec<bool>,
}

impl BlockColumn {
    /// Takes a column of so many rows. A constant is one value for all rows.
    pub(super) fn of(column: &Column, rows: usize) -> Self {
        let series = column.as_materialized_series();
        let series = if series.len() == 1 && rows != 1 { series.new_from_index(0, rows) } else { series.clone() };
        Self(series.rechunk())
    }

    /// Reads the rows from `from` on, as many as fit into a strip.
    pub(super) fn read(&self, from: usize, strip: &mut Strip) -> PolarsResult<()> {
        macro_rules! widen {
            ($($kind:ident $get:ident),*) => {
                match self.0.dtype() {
                    $(DataType::$kind => {
                        let column = self.0.$get()?;
                        let array = column.downcast_as_array();
                        let end = (from + STRIP_ROWS).min(array.len());
                        strip.values.clear();
                        strip.values.extend(array.values()[from..end].iter().map(|value| i64::from(*value)));
                        strip.present.clear();
                        if let Some(present) = array.validity().filter(|present| present.unset_bits() > 0) {
                            strip.present.extend((from..end).map(|row| present.get_bit(row)));
                        }
                        Ok(())
                    })*
                    _ => polars_bail!(ComputeError: "a column is not of integers"),
                }
            };
        }
        widen!(UInt8 u8, UInt16 u16, UInt32 u32, Int8 i8, Int16 i16, Int32 i32, Int64 i64)
    }
}

impl Strip {
    /// Whether the value of a row is present.
    pub(super) fn is_present(&self, row: usize) -> bool {
        self.present.get(row).copied().unwrap_or(true)
    }
}
