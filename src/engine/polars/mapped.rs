//! Tables of formats 2 and 3, mapped into memory: their bytes become columns without a copy.
//!
//! Promises that no bytes outside the file are touched: the length of the file and the place of every chunk are checked before. What is
//! mapped is shared with every other process that maps the file, and counts against nobody's own memory. A file that is cut while it is
//! mapped ends the process that reads beyond its end.

use std::collections::{BTreeMap, BTreeSet};
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

    /// For each block, the number of rows up to its end, in all tables together.
    pub(super) fn ends(&self) -> Vec<usize> {
        let rows = |block: usize| (0..self.layout.tables()).map(move |table| self.layout.table_rows(block, table).end);
        (0..self.layout.blocks()).map(|block| rows(block).sum::<u64>() as usize).collect()
    }

    /// Whether these columns of a block are as they were sealed, and, if the numbers of units are among them, whether its units are those
    /// of no other block.
    pub(super) fn check(&self, block: usize, columns: &StoredColumns) -> bool {
        let is_sound = |place: usize| {
            let (chunk, digest) = (self.layout.chunk(block, place)?, self.index.chunks.get(block)?.get(place)?);
            let bytes = part(&self.bytes, chunk.all).ok()?;
            Some(blake3::hash(bytes.as_slice()).as_bytes() == digest)
        };
        let mut units = self.wanted(columns).filter(|(_, column)| column.holds == Holds::Unit);
        block < self.layout.blocks()
            && self.wanted(columns).all(|(place, _)| is_sound(place) == Some(true))
            && units.all(|(place, _)| self.units_are_its_own(block, place) == Some(true))
    }

    /// Whether the units of a block, in the column of units at this place, ascend from above the last unit that the block before it has in
    /// any table. As every block has a row in some table, no unit is then in two blocks.
    fn units_are_its_own(&self, block: usize, place: usize) -> Option<bool> {
        let units = self.units(block, place)?;
        let before = match block.checked_sub(1) {
            Some(before) => self.last_unit(before)?,
            None => None,
        };
        let first = units.as_slice().first();
        let starts_above = before.is_none_or(|before| first.is_none_or(|first| *first > before));
        Some(starts_above && units.as_slice().is_sorted())
    }

    /// The numbers of units in a block, in the column of units at this place; `None` if the file has no such bytes.
    fn units(&self, block: usize, place: usize) -> Option<Buffer<u32>> {
        let column = self.layout.columns().get(place)?;
        let (chunk, rows) = (self.layout.chunk(block, place)?, self.layout.table_rows(block, column.table as usize));
        let end = chunk.values_at + (rows.end - rows.start) * StoredType::U32.bytes();
        part(&self.bytes, chunk.values_at..end).ok()?.try_transmute::<u32>().ok()
    }

    /// The greatest number of a unit in a block, in all tables.
    fn last_unit(&self, block: usize) -> Option<Option<u32>> {
        let all = self.layout.columns().iter().enumerate().filter(|(_, column)| column.holds == Holds::Unit);
        let last = all.map(|(place, _)| self.units(block, place).map(|units| units.as_slice().last().copied()));
        Some(last.collect::<Option<Vec<_>>>()?.into_iter().flatten().max())
    }

    /// The rows of a block in one of the tables, with their units and ranks and with these of the table's columns.
    pub(super) fn table_block(&self, block: usize, table: u32, declared: &BTreeSet<usize>) -> PolarsResult<DataFrame> {
        if block >= self.layout.blocks() || table as usize >= self.layout.tables() {
            polars_bail!(OutOfBounds: "there is no such block or table");
        }
        let columns = StoredColumns { tables: BTreeMap::from([(table, declared.clone())]), ..StoredColumns::default() };
        self.rows(block, table, &columns)
    }

    /// The rows of a block, with these columns as far as the table has them.
    pub(super) fn block(&self, block: usize, columns: &StoredColumns) -> PolarsResult<DataFrame> {
        self.rows(block, 0, columns)
    }

    fn rows(&self, block: usize, table: u32, columns: &StoredColumns) -> PolarsResult<DataFrame> {
        let rows = self.layout.table_rows(block, table as usize);
        let rows = (rows.end - rows.start) as usize;
        let column = |(place, column): (usize, &StoredColumn)| self.column(block, place, column, rows);
        let of_table = self.wanted(columns).filter(|(_, column)| column.table == table);
        DataFrame::new(rows, of_table.map(column).collect::<PolarsResult<_>>()?)
    }

    fn wanted(&self, columns: &StoredColumns) -> impl Iterator<Item = (usize, &StoredColumn)> {
        self.layout.columns().iter().enumerate().filter(|(_, column)| columns.has(column.table, column.holds))
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
