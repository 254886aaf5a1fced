//! Writes the file of a sealed dataset of format 2 or 3, block after block, in one pass.
//!
//! Promises that memory holds one block, whatever the number of rows, and that every chunk is digested as it is written.

use std::fs::File;
use std::io::{self, Write};

use crate::engine::seal::cells::present;
use crate::kernel::budget::entry::Digest;
use crate::query::terms::edition::index::{Index, TextsEntry};
use crate::query::terms::edition::layout::{
    BLOCK_ROWS, Blocks, Holds, StoredColumn, StoredType, aligned, stored_columns,
};
use crate::query::terms::policy::Terms;

/// The tables of a dataset while they are being written.
pub(super) struct BlockWriter {
    file: File,
    columns: Vec<StoredColumn>,
    /// The integers of the block that is being gathered, by stored column.
    block: Vec<Vec<i64>>,
    /// For each table, the number of rows in the block, and in all blocks before it.
    rows: Vec<(usize, u64)>,
    /// For each block that is written, and in it for each table, the number of rows up to its end.
    ends: Vec<u64>,
    /// Number of bytes that are written.
    at: u64,
    index: Index,
}

impl BlockWriter {
    /// Begins the tables of these terms in an empty file.
    pub(super) fn new(file: File, terms: &Terms) -> Self {
        let columns = stored_columns(terms);
        let block = vec![Vec::new(); columns.len()];
        let rows = vec![(0, 0); terms.tables.len().max(1)];
        Self { file, columns, block, rows, ends: Vec::new(), at: 0, index: Index::default() }
    }

    /// Adds a row to a table, with the integers of the declared columns. Rows come unit by unit; within a unit, table by table.
    pub(super) fn push(&mut self, table: usize, (unit, rank): (u32, usize), value: impl Fn(usize) -> i64) {
        let of_table = |column: &StoredColumn| column.table as usize == table;
        for (column, values) in self.columns.iter().zip(&mut self.block).filter(|(column, _)| of_table(column)) {
            values.push(match column.holds {
                Holds::Unit => unit.into(),
                Holds::Rank => rank as i64,
                Holds::Declared(index) => value(index),
            });
        }
        self.rows[table].0 += 1;
    }

    /// Takes note that a unit's rows are complete in all tables: ends the block if the largest table has enough of them in it.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub(super) fn end_unit(&mut self) -> io::Result<()> {
        let largest = self.rows.iter().map(|(rows, _)| *rows).max();
        if largest >= Some(BLOCK_ROWS) { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> io::Result<()> {
        let mut digests = Vec::with_capacity(self.columns.len());
        let mut chunk = Vec::new();
        for (column, values) in self.columns.iter().zip(&mut self.block) {
            chunk.clear();
            encode(column, values, &mut chunk)?;
            values.clear();
            digests.push(*blake3::hash(&chunk).as_bytes());
            self.file.write_all(&chunk)?;
            self.at += chunk.len() as u64;
        }
        self.index.chunks.push(digests);
        for (rows, before) in &mut self.rows {
            *before += std::mem::take(rows) as u64;
            self.ends.push(*before);
        }
        Ok(())
    }

    /// Writes the texts of each column without a list, in the order of their codes, and the index, and makes the file durable. Returns the
    /// digest of the index, and where everything is.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub(super) fn finish(mut self, texts: &[Vec<String>]) -> io::Result<(Digest, Blocks)> {
        if self.rows.iter().any(|(rows, _)| *rows > 0) {
            self.end_block()?;
        }
        for texts in texts {
            let bytes = borsh::to_vec(texts)?;
            self.index.texts.push(TextsEntry { bytes: bytes.len() as u64, digest: *blake3::hash(&bytes).as_bytes() });
            self.write_aligned(bytes)?;
        }
        let (index, index_at) = (self.index.encoded(), self.at);
        let (digest, index_bytes) = (*blake3::hash(&index).as_bytes(), index.len() as u64);
        self.write_aligned(index)?;
        self.file.sync_all()?;
        Ok((digest, Blocks { ends: self.ends, index_at, index_bytes }))
    }

    fn write_aligned(&mut self, mut bytes: Vec<u8>) -> io::Result<()> {
        fill(&mut bytes);
        self.file.write_all(&bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// Fills bytes up with zeros.
fn fill(bytes: &mut Vec<u8>) {
    let whole = aligned(bytes.len() as u64).and_then(|length| usize::try_from(length).ok());
    bytes.resize(whole.unwrap_or(bytes.len()), 0);
}

/// Appends the chunk of a column: its integers, and a bit for each row that has a value.
fn encode(column: &StoredColumn, values: &[i64], chunk: &mut Vec<u8>) -> io::Result<()> {
    macro_rules! narrow {
        ($type:ty) => {
            for value in values {
                let narrow = <$type>::try_from(present(*value).unwrap_or(0)).map_err(|_| io::ErrorKind::InvalidData)?;
                chunk.extend_from_slice(&narrow.to_le_bytes());
            }
        };
    }
    match column.kind {
        StoredType::U8 => narrow!(u8),
        StoredType::I8 => narrow!(i8),
        StoredType::U16 => narrow!(u16),
        StoredType::I16 => narrow!(i16),
        StoredType::U32 => narrow!(u32),
        StoredType::I32 => narrow!(i32),
        StoredType::I64 => narrow!(i64),
    }
    fill(chunk);
    if column.nullable {
        let bit = |value: &i64| u8::from(present(*value).is_some());
        chunk.extend(values.chunks(8).map(|rows| rows.iter().rev().fold(0, |byte, value| byte << 1 | bit(value))));
        fill(chunk);
    } else if values.iter().any(|value| present(*value).is_none()) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(())
}
