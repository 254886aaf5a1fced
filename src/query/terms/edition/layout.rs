//! Where the integers of a sealed dataset of format 2 or 3 lie in its file.
//!
//! Promises that the place of every chunk (one column of one block) follows from the public terms and from where blocks end, so that no
//! place is read from the file. All integers are little-endian. Chunks follow one another, block by block and column by column; with several
//! tables (format 3), a block has the rows of the same units in all of them, and its chunks follow one another table by table. Then come
//! the texts of columns without a list, and the index. Each begins at a multiple of [`ALIGNMENT`] bytes, and zeros fill the gaps.

use std::ops::Range;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::kernel::budget::entry::Digest;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::{Terms, Unit};

/// Chunks, texts and the index begin at multiples of this number of bytes, and the file ends at one.
pub const ALIGNMENT: u64 = 64;

/// Number of rows after which a block ends, as soon as a unit's rows do.
pub const BLOCK_ROWS: usize = 1 << 17;

/// What a manifest says about the file of a table of format 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// For each block, the number of rows up to its end; with several tables, one number for each table, block by block. A unit's rows are
    /// all in one block, in every table.
    pub ends: Vec<u64>,
    /// The byte at which the index begins.
    pub index_at: u64,
    /// The number of bytes of the index.
    pub index_bytes: u64,
}

/// What a manifest says about a table.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TableFacts {
    /// The BLAKE3 digest of the index; in format 1, of all of the table's bytes.
    pub digest: Digest,
    /// The number of rows.
    pub rows: u64,
    /// Where the blocks and the index are; `None` in format 1.
    pub blocks: Option<Blocks>,
}

impl Blocks {
    /// The number of bytes of the file; `None` if there is no such number.
    #[must_use]
    pub fn file_bytes(&self) -> Option<u64> {
        aligned(self.index_at.checked_add(self.index_bytes)?)
    }

    /// The number of rows of all tables, if there are so many.
    #[must_use]
    pub fn rows(&self, tables: usize) -> u64 {
        let last = self.ends.len().saturating_sub(tables.max(1));
        self.ends[last..].iter().fold(0, |sum: u64, rows| sum.saturating_add(*rows))
    }
}

/// The type in which the integers of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoredType {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
}

impl StoredType {
    /// The narrowest type that holds all integers of a range; of two that are equally narrow, the unsigned one.
    #[must_use]
    pub fn of_range(low: i128, high: i128) -> Self {
        let all = [
            (Self::U8, 0, i128::from(u8::MAX)),
            (Self::I8, i128::from(i8::MIN), i128::from(i8::MAX)),
            (Self::U16, 0, i128::from(u16::MAX)),
            (Self::I16, i128::from(i16::MIN), i128::from(i16::MAX)),
            (Self::U32, 0, i128::from(u32::MAX)),
            (Self::I32, i128::from(i32::MIN), i128::from(i32::MAX)),
        ];
        all.into_iter().find(|(_, least, most)| *least <= low && high <= *most).map_or(Self::I64, |(kind, ..)| kind)
    }

    /// The type for the stored integers of a domain: of numbers, their distance from the centre in steps; of days, the day; of everything
    /// else, a code that begins at 0.
    #[must_use]
    pub fn of_domain(domain: &Domain) -> Self {
        match domain {
            Domain::Boolean => Self::U8,
            Domain::Category(values) => Self::of_range(0, values.len() as i128 - 1),
            Domain::Date { min, max } => Self::of_range((*min).into(), (*max).into()),
            Domain::Number(grid) => {
                let from_centre = |bound: i64| i128::from(bound) - i128::from(grid.centre());
                Self::of_range(from_centre(grid.low), from_centre(grid.high))
            }
            Domain::Text { .. } => Self::U32,
        }
    }

    /// The number of bytes of one integer.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 => 4,
            Self::I64 => 8,
        }
    }
}

/// What a stored column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The number of each row's unit, ascending from 0.
    Unit,
    /// The rank of each row within its unit, from 0.
    Rank,
    /// The integers of the declared column with this index.
    Declared(usize),
}

/// One column of a sealed table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredColumn {
    /// Index of its table; 0 is the only one of a dataset with a single table.
    pub table: u32,
    /// What it holds.
    pub holds: Holds,
    /// The type of its integers.
    pub kind: StoredType,
    /// Whether values may be missing. If so, a bitmap follows the integers: a bit for each row, from the lowest bit of the first byte on,
    /// which is 1 if the row has a value. The integer of a row without a value is 0.
    pub nullable: bool,
}

/// The columns of a dataset that is sealed under these terms, in the order in which they are stored: table by table.
#[must_use]
pub fn stored_columns(terms: &Terms) -> Vec<StoredColumn> {
    if terms.tables.is_empty() {
        return columns_of(terms, 0);
    }
    let tables = (0..).zip(0..terms.tables.len());
    tables.filter_map(|(number, index)| Some(columns_of(terms.table(index)?.as_ref(), number))).flatten().collect()
}

fn columns_of(terms: &Terms, table: u32) -> Vec<StoredColumn> {
    let ranks = StoredType::of_range(0, i128::from(terms.max_rows_per_unit) - 1);
    let own = [
        StoredColumn { table, holds: Holds::Unit, kind: StoredType::U32, nullable: false },
        StoredColumn { table, holds: Holds::Rank, kind: ranks, nullable: false },
    ];
    // A unit without a row in a joined table has no values of its columns.
    let is_joined = |index: usize| terms.joins.iter().any(|join| join.places().contains(&index));
    let declared = terms.columns.iter().enumerate().map(|(index, column)| StoredColumn {
        table,
        holds: Holds::Declared(index),
        kind: StoredType::of_domain(&column.domain),
        nullable: column.nullable || is_joined(index),
    });
    own.into_iter().filter(|_| terms.unit != Unit::Row).chain(declared).collect()
}

/// The bytes of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkPlace {
    /// All of it, with the bitmap and the zeros that fill it up.
    pub all: Range<u64>,
    /// The byte at which the integers begin.
    pub values_at: u64,
    /// The byte at which the bitmap begins; `None` for a column without one.
    pub bitmap_at: Option<u64>,
}

/// The places of all chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLayout {
    columns: Vec<StoredColumn>,
    /// Number of tables, at least 1.
    tables: usize,
    /// For each block, the number of rows of each table up to its end.
    ends: Vec<u64>,
    /// The byte at which each block begins, and the one after the last block.
    starts: Vec<u64>,
}

impl TableLayout {
    /// The layout of a dataset that is sealed under these terms; `None` if the ends of blocks do not ascend, if a block has no row in any
    /// table, or if they are beyond all bounds.
    #[must_use]
    pub fn of(terms: &Terms, ends: &[u64]) -> Option<Self> {
        let (columns, tables) = (stored_columns(terms), terms.tables.len().max(1));
        let (mut starts, mut last) = (vec![0_u64], vec![0_u64; tables]);
        for ends in ends.chunks(tables) {
            let rows = ends.iter().zip(&last).map(|(end, last)| end.checked_sub(*last)).collect::<Option<Vec<_>>>()?;
            if rows.len() < tables || rows.iter().all(|rows| *rows == 0) {
                return None;
            }
            let mut at = *starts.last()?;
            for column in &columns {
                at = at.checked_add(chunk_bytes(column, rows[column.table as usize])?)?;
            }
            starts.push(at);
            last = ends.to_vec();
        }
        Some(Self { columns, tables, ends: ends.to_vec(), starts })
    }

    /// The stored columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[StoredColumn] {
        &self.columns
    }

    /// Number of blocks.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.ends.len() / self.tables
    }

    /// Number of tables, which is at least 1.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.tables
    }

    /// The rows of a block in the first table; empty if there is no such block.
    #[must_use]
    pub fn rows(&self, block: usize) -> Range<u64> {
        self.table_rows(block, 0)
    }

    /// The rows of a block in the table with this index; empty if it has none there.
    #[must_use]
    pub fn table_rows(&self, block: usize, table: usize) -> Range<u64> {
        let end = |block: usize| self.ends.chunks(self.tables).nth(block).and_then(|ends| ends.get(table)).copied();
        let start = block.checked_sub(1).map_or(0, |before| end(before).unwrap_or(0));
        start..end(block).unwrap_or(start)
    }

    /// The byte after the last block.
    #[must_use]
    pub fn blocks_end(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The place of the chunk of a block and of the column at this place in [`Self::columns`]; `None` if there is no such chunk.
    #[must_use]
    pub fn chunk(&self, block: usize, column: usize) -> Option<ChunkPlace> {
        let stored = self.columns.get(column).filter(|_| block < self.blocks())?;
        let rows_of = |column: &StoredColumn| {
            let rows = self.table_rows(block, column.table as usize);
            rows.end - rows.start
        };
        let before = self.columns[..column].iter().map(|column| chunk_bytes(column, rows_of(column)));
        let start = before.sum::<Option<u64>>()?.checked_add(self.starts[block])?;
        let rows = rows_of(stored);
        let bitmap_at = stored.nullable.then_some(start + aligned(rows * stored.kind.bytes())?);
        Some(ChunkPlace { all: start..start + chunk_bytes(stored, rows)?, values_at: start, bitmap_at })
    }
}

/// The number of bytes of a chunk of so many rows.
fn chunk_bytes(column: &StoredColumn, rows: u64) -> Option<u64> {
    let values = aligned(rows.checked_mul(column.kind.bytes())?)?;
    let bitmap = if column.nullable { aligned(rows.div_ceil(8))? } else { 0 };
    values.checked_add(bitmap)
}

/// The next multiple of [`ALIGNMENT`].
#[must_use]
pub fn aligned(bytes: u64) -> Option<u64> {
    bytes.checked_next_multiple_of(ALIGNMENT)
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
