//! Tables of format 2, mapped into memory: their bytes become columns without a copy.
//!
//! Promises that no bytes outside the file are touched: the length of the file and the place of every chunk are checked before. What is
//! mapped is shared with every other process that maps the file, and counts against nobody's own memory. A file that is cut while it is
//! mapped ends the process that reads beyond its end.

use std::fs::File;
use std::ops::Range;

use borsh::BorshDeserialize;
use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;
use polars_buffer::Buffer;
use polars_mapping::mmap::MMapSemaphore;

use super::stored_columns::StoredColumns;
use crate::kernel::budget::entry::Digest;
use crate::query::terms::edition::index::{Index, TextsEntry};
use crate::query::terms::edition::layout::{Blocks, Holds, StoredColumn, StoredType, TableLayout};
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name};
use crate::query::terms::policy::Terms;

#[cfg(target_endian = "big")]
compile_error!("sealed tables are little-endian, and are used as they lie in their files");

/// A mapped table with its index, which has been checked; the chunks have not.
pub(super) struct Mapped {
    bytes: Buffer<u8>,
    layout: TableLayout,
    index: Index,
}

impl Mapped {
    /// Maps the file of a table and checks its length and its index, whose digest the manifest holds.
    pub(super) fn open(file: &File, blocks: &Blocks, digest: &Digest, terms: &Terms) -> PolarsResult<Self> {
        let layout = TableLayout::of(terms, &blocks.ends).ok_or_else(damaged)?;
        if blocks.file_bytes() != Some(file.metadata()?.len()) {
            return Err(damaged());
        }
        let bytes = Buffer::from_owner(MMapSemaphore::new_from_file(file)?);
        let end = blocks.index_at.checked_add(blocks.index_bytes).ok_or_else(damaged)?;
        let index = part(&bytes, blocks.index_at..end)?;
        let index = Index::decoded(index.as_slice(), digest, (&layout, blocks, terms)).ok_or_else(damaged)?;
        Ok(Self { bytes, layout, index })
    }

    /// The texts of each column without a list, in the order of these columns. They are checked.
    pub(super) fn texts(&self) -> PolarsResult<Vec<Vec<String>>> {
        let (places, _) = self.index.text_places(self.layout.blocks_end()).ok_or_else(damaged)?;
        let read = |(entry, at): (&TextsEntry, u64)| {
            let bytes = part(&self.bytes, at..at.checked_add(entry.bytes).ok_or_else(damaged)?)?;
            let is_sound = blake3::hash(bytes.as_slice()).as_bytes() == &entry.digest;
            Vec::<String>::try_from_slice(bytes.as_slice()).ok().filter(|_| is_sound).ok_or_else(damaged)
        };
        self.index.texts.iter().zip(places).map(read).collect()
    }

    /// For each block, the number of rows up to its end.
    pub(super) fn ends(&self) -> Vec<usize> {
        (0..self.layout.blocks()).map(|block| self.layout.rows(block).end as usize).collect()
    }

    /// Whether these columns of a block are as they were sealed, and, if the numbers of units are among them, whether its units are those
    /// of no other block.
    pub(super) fn check(&self, block: usize, columns: &StoredColumns) -> bool {
        let is_sound = |place: usize| {
            let (chunk, digest) = (self.layout.chunk(block, place)?, self.index.chunks.get(block)?.get(place)?);
            let bytes = part(&self.bytes, chunk.all).ok()?;
            Some(blake3::hash(bytes.as_slice()).as_bytes() == digest)
        };
        let units = self.wanted(columns).filter(|(_, column)| column.holds == Holds::Unit).count();
        block < self.layout.blocks()
            && self.wanted(columns).all(|(place, _)| is_sound(place) == Some(true))
            && (units == 0 || self.units_are_its_own(block) == Some(true))
    }

    /// Whether the units of a block ascend from above the last unit of the block before it.
    fn units_are_its_own(&self, block: usize) -> Option<bool> {
        let units_of = |block: usize| {
            let mut wanted = self.layout.columns().iter().enumerate();
            let (place, _) = wanted.find(|(_, column)| column.holds == Holds::Unit)?;
            let (chunk, rows) = (self.layout.chunk(block, place)?, self.layout.rows(block));
            let end = chunk.values_at + (rows.end - rows.start) * StoredType::U32.bytes();
            part(&self.bytes, chunk.values_at..end).ok()?.try_transmute::<u32>().ok()
        };
        let units = units_of(block)?;
        let before = match block.checked_sub(1) {
            Some(before) => units_of(before)?.as_slice().last().copied(),
            None => None,
        };
        let starts_above = before.is_none_or(|before| units.as_slice().first().is_some_and(|first| *first > before));
        Some(starts_above && units.as_slice().is_sorted())
    }

    /// The rows of a block, with these columns as far as the table has them.
    pub(super) fn block(&self, block: usize, columns: &StoredColumns) -> PolarsResult<DataFrame> {
        let rows = self.layout.rows(block);
        let rows = (rows.end - rows.start) as usize;
        let column = |(place, column): (usize, &StoredColumn)| self.column(block, place, column, rows);
        DataFrame::new(rows, self.wanted(columns).map(column).collect::<PolarsResult<_>>()?)
    }

    fn wanted(&self, columns: &StoredColumns) -> impl Iterator<Item = (usize, &StoredColumn)> {
        self.layout.columns().iter().enumerate().filter(|(_, column)| match column.holds {
            Holds::Unit => columns.unit,
            Holds::Rank => columns.rank,
            Holds::Declared(index) => columns.declared.contains(&index),
        })
    }

    fn column(&self, block: usize, place: usize, column: &StoredColumn, rows: usize) -> PolarsResult<Column> {
        let chunk = self.layout.chunk(block, place).ok_or_else(damaged)?;
        let values_end = chunk.values_at + rows as u64 * column.kind.bytes();
        let values = part(&self.bytes, chunk.values_at..values_end)?;
        // Only the bitmap is copied, which is an eighth of a byte a row.
        let bitmap = |at: u64| Bitmap::try_new(part(&self.bytes, at..at + rows.div_ceil(8) as u64)?.to_vec(), rows);
        let present = chunk.bitmap_at.map(bitmap).transpose()?;
        let name = match column.holds {
            Holds::Unit => UNIT_COLUMN.to_owned(),
            Holds::Rank => RANK_COLUMN.to_owned(),
            Holds::Declared(index) => column_name(index),
        };
        match column.kind {
            StoredType::U8 => numbers::<UInt8Type>(name, values, present),
            StoredType::I8 => numbers::<Int8Type>(name, values, present),
            StoredType::U16 => numbers::<UInt16Type>(name, values, present),
            StoredType::I16 => numbers::<Int16Type>(name, values, present),
            StoredType::U32 => numbers::<UInt32Type>(name, values, present),
            StoredType::I32 => numbers::<Int32Type>(name, values, present),
            StoredType::I64 => numbers::<Int64Type>(name, values, present),
        }
    }
}

/// Some bytes of the file, which stays mapped as long as they are used.
fn part(bytes: &Buffer<u8>, place: Range<u64>) -> PolarsResult<Buffer<u8>> {
    let (start, end) = (usize::try_from(place.start).ok(), usize::try_from(place.end).ok());
    let range = start.zip(end).filter(|(start, end)| start <= end && *end <= bytes.len());
    let (start, end) = range.ok_or_else(damaged)?;
    Ok(bytes.clone().sliced(start..end))
}

/// A column of these bytes, which begin at a multiple of 64 bytes of the file.
fn numbers<T: PolarsNumericType>(name: String, values: Buffer<u8>, present: Option<Bitmap>) -> PolarsResult<Column> {
    let values = values.try_transmute::<T::Native>().map_err(|_| damaged())?;
    let array = PrimitiveArray::try_new(T::get_static_dtype().to_arrow(CompatLevel::newest()), values, present)?;
    Ok(ChunkedArray::<T>::with_chunk(name.into(), array).into_column())
}

fn damaged() -> PolarsError {
    polars_err!(ComputeError: "the file is not what was sealed")
}
