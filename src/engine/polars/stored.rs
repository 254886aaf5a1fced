//! Columns of adjacent rows, as slices of integers in the type in which they are stored.
//!
//! Promises no copies: slices borrow a block, or values that were computed from it. Types are told apart once per slice and not once per
//! row, so the loops over rows are compiled for every type.

use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;
use std::collections::HashMap;
use std::ops::Range;

use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name};

/// Integers of adjacent rows. The integer in a row without a value is arbitrary.
#[derive(Clone, Copy)]
pub(super) enum Slice<'a> {
    U8(&'a [u8]),
    I8(&'a [i8]),
    U16(&'a [u16]),
    I16(&'a [i16]),
    U32(&'a [u32]),
    I32(&'a [i32]),
    I64(&'a [i64]),
}

/// Evaluates an expression for a slice of whichever type it has.
macro_rules! typed {
    ($slice:expr, $values:ident => $body:expr) => {
        match $slice {
            $crate::engine::polars::stored::Slice::U8($values) => $body,
            $crate::engine::polars::stored::Slice::I8($values) => $body,
            $crate::engine::polars::stored::Slice::U16($values) => $body,
            $crate::engine::polars::stored::Slice::I16($values) => $body,
            $crate::engine::polars::stored::Slice::U32($values) => $body,
            $crate::engine::polars::stored::Slice::I32($values) => $body,
            $crate::engine::polars::stored::Slice::I64($values) => $body,
        }
    };
}
pub(super) use typed;

/// A type in which integers are stored.
pub(super) trait Stored: Copy + PartialOrd {
    fn wide(self) -> i64;

    /// Narrows a range to the values that the type has; `None` if it has none of them.
    fn narrowed(low: i64, high: i64) -> Option<(Self, Self)>;
}

macro_rules! stored {
    ($($type:ty),*) => {$(
        impl Stored for $type {
            fn wide(self) -> i64 {
                i64::from(self)
            }

            fn narrowed(low: i64, high: i64) -> Option<(Self, Self)> {
                let (low, high) = (low.max(i64::from(Self::MIN)), high.min(i64::from(Self::MAX)));
                Self::try_from(low).ok().zip(Self::try_from(high).ok()).filter(|(low, high)| low <= high)
            }
        }
    )*};
}
stored!(u8, i8, u16, i16, u32, i32, i64);

impl<'a> Slice<'a> {
    pub(super) fn part(self, rows: Range<usize>) -> Self {
        match self {
            Self::U8(values) => Self::U8(&values[rows]),
            Self::I8(values) => Self::I8(&values[rows]),
            Self::U16(values) => Self::U16(&values[rows]),
            Self::I16(values) => Self::I16(&values[rows]),
            Self::U32(values) => Self::U32(&values[rows]),
            Self::I32(values) => Self::I32(&values[rows]),
            Self::I64(values) => Self::I64(&values[rows]),
        }
    }

    /// Borrows a column's integers, and its bitmap of the rows that have a value; `None` if all have.
    fn of(column: &'a Column) -> PolarsResult<(Self, Option<&'a Bitmap>)> {
        fn array<T: PolarsNumericType>(values: &ChunkedArray<T>) -> PolarsResult<(&[T::Native], Option<&Bitmap>)> {
            let mut arrays = values.downcast_iter();
            let (Some(array), None) = (arrays.next(), arrays.next()) else {
                polars_bail!(ComputeError: "a block is not in one piece")
            };
            Ok((array.values().as_slice(), array.validity().filter(|valid| valid.unset_bits() > 0)))
        }
        let series = column.as_materialized_series();
        Ok(match series.dtype() {
            DataType::UInt8 => array(series.u8()?).map(|(values, valid)| (Self::U8(values), valid))?,
            DataType::Int8 => array(series.i8()?).map(|(values, valid)| (Self::I8(values), valid))?,
            DataType::UInt16 => array(series.u16()?).map(|(values, valid)| (Self::U16(values), valid))?,
            DataType::Int16 => array(series.i16()?).map(|(values, valid)| (Self::I16(values), valid))?,
            DataType::UInt32 => array(series.u32()?).map(|(values, valid)| (Self::U32(values), valid))?,
            DataType::Int32 => array(series.i32()?).map(|(values, valid)| (Self::I32(values), valid))?,
            _ => array(series.i64()?).map(|(values, valid)| (Self::I64(values), valid))?,
        })
    }
}

/// Which rows of a column have a value.
#[derive(Clone, Copy)]
pub(super) enum Validity<'a> {
    All,
    Bits(&'a Bitmap),
    Bytes(&'a [u8]),
}

impl Validity<'_> {
    /// One byte a row, 1 if it has a value; `None` if all rows have one.
    pub(super) fn bytes(self, rows: Range<usize>) -> Option<Vec<u8>> {
        match self {
            Self::All => None,
            Self::Bytes(bytes) => Some(bytes[rows].to_vec()),
            Self::Bits(bits) => {
                let (bytes, offset, _) = bits.as_slice();
                let (mut at, end) = (offset + rows.start, offset + rows.end);
                let mut unpacked = Vec::with_capacity(rows.len());
                while at < end && at % 8 != 0 {
                    unpacked.push(bytes[at / 8] >> (at % 8) & 1);
                    at += 1;
                }
                // The rest begins with a whole byte.
                for byte in &bytes[at / 8..end.div_ceil(8).max(at / 8)] {
                    unpacked.extend([0, 1, 2, 3, 4, 5, 6, 7].map(|bit| byte >> bit & 1));
                }
                unpacked.truncate(rows.len());
                Some(unpacked)
            }
        }
    }
}

/// A column of a block.
#[derive(Clone, Copy)]
pub(super) struct BlockColumn<'a> {
    pub(super) values: Slice<'a>,
    pub(super) validity: Validity<'a>,
}

/// Rows whose units have no other rows.
pub(super) struct Block<'a> {
    pub(super) rows: usize,
    /// Declared columns by their index, as far as a computation reads them.
    pub(super) columns: HashMap<usize, BlockColumn<'a>>,
    /// The number of each row's unit, ascending; `None` if no computation asks for it or every row is a unit.
    pub(super) units: Option<&'a [u32]>,
    /// The rank of each row within its unit.
    pub(super) ranks: Option<Slice<'a>>,
}

impl<'a> Block<'a> {
    /// Borrows the rows of a block of a sealed table, with these declared columns.
    pub(super) fn of(frame: &'a DataFrame, declared: impl Iterator<Item = usize>) -> PolarsResult<Self> {
        let column = |index: usize| {
            let (values, bits) = Slice::of(frame.column(&column_name(index))?)?;
            Ok((index, BlockColumn { values, validity: bits.map_or(Validity::All, Validity::Bits) }))
        };
        let columns = declared.map(column).collect::<PolarsResult<_>>()?;
        let units = match frame.column(UNIT_COLUMN) {
            Ok(units) => match Slice::of(units)? {
                (Slice::U32(units), None) => Some(units),
                _ => polars_bail!(ComputeError: "units are not numbered"),
            },
            Err(_) => None,
        };
        let ranks = frame.column(RANK_COLUMN).ok().map(Slice::of).transpose()?.map(|(ranks, _)| ranks);
        Ok(Self { rows: frame.height(), columns, units, ranks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_bytes_wherever_a_slice_begins() {
        let bits: Vec<bool> = (0..40).map(|row| row * row % 7 < 3).collect();
        let bitmap = Bitmap::from(&bits[..]);
        for start in 0..40 {
            for end in start..40 {
                let expected: Vec<u8> = bits[start..end].iter().map(|bit| u8::from(*bit)).collect();
                assert_eq!(Validity::Bits(&bitmap).bytes(start..end), Some(expected.clone()), "{start}..{end}");
                let sliced = bitmap.clone().sliced(start, end - start);
                assert_eq!(Validity::Bits(&sliced).bytes(0..end - start), Some(expected), "{start}..{end}");
            }
        }
    }

    #[test]
    fn integers_of_every_type_are_borrowed_as_they_are() {
        macro_rules! check {
            ($($variant:ident: $type:ty),*) => {$(
                let column = Column::new("x".into(), [Some(7 as $type), None, Some(9), Some(10)]);
                let (values, valid) = Slice::of(&column).expect("integers");
                assert!(matches!(values, Slice::$variant([7, _, 9, 10])), stringify!($variant));
                assert_eq!(Validity::Bits(valid.expect("a bitmap")).bytes(0..4), Some(vec![1, 0, 1, 1]));
                // The bitmap of a block without a missing value is not looked at row by row.
                let block = column.slice(2, 2);
                assert!(matches!(Slice::of(&block), Ok((Slice::$variant([9, 10]), None))), stringify!($variant));
            )*};
        }
        check!(U8: u8, I8: i8, U16: u16, I16: i16, U32: u32, I32: i32, I64: i64);
        assert!(Slice::of(&Column::new("x".into(), ["text"])).is_err());
    }

    #[test]
    fn a_range_keeps_to_the_type() {
        assert_eq!(u8::narrowed(-5, 300), Some((0, 255)));
        assert_eq!(u8::narrowed(256, 300), None);
        assert_eq!(i8::narrowed(i64::MIN, -129), None);
        assert_eq!(i16::narrowed(3, 2), None);
        assert_eq!(i64::narrowed(i64::MIN, i64::MAX), Some((i64::MIN, i64::MAX)));
    }
}
