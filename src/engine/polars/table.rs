//! Sealed tables: reading or mapping them, and running polars without letting its words out.

use super::mapped::Mapped;
use super::stored_columns::StoredColumns;
use crate::engine::port::EngineFault;
use crate::query::terms::domain::{Column as TermsColumn, Domain};
use crate::query::terms::edition::layout::{BLOCK_ROWS, TableFacts};
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name, digest_of_file, text_name};
use crate::query::terms::policy::{Terms, Unit};
use polars::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One sealed dataset, with the terms it was sealed under: its table, or its tables.
pub(in crate::engine) struct Loaded {
    rows: Rows,
    pub(in crate::engine) terms: Terms,
    /// The texts of columns without a public list, by column and code.
    pub(in crate::engine) texts: HashMap<usize, Vec<String>>,
    /// For each block, the number of the row after its last one; of several tables, the number of all their rows up to its end.
    ends: Vec<usize>,
}

enum Rows {
    /// A table of format 1, which has been read.
    InMemory(DataFrame),
    /// Tables of format 2 or 3, whose file is mapped.
    Mapped(Mapped),
    /// Several tables, block by block, which a test has made.
    #[cfg(test)]
    Made(Vec<Vec<DataFrame>>),
}

impl Loaded {
    /// Maps a sealed table and checks its index, or reads and checks all of one of format 1.
    pub(in crate::engine) fn open(mut file: File, facts: &TableFacts, terms: Terms) -> Result<Self, EngineFault> {
        let Some(blocks) = &facts.blocks else {
            // Checks that the bytes that are read are those that were sealed, whatever is stored under that name by now.
            if digest_of_file(&mut file).map_err(|_| EngineFault)? != facts.digest {
                return Err(EngineFault);
            }
            return Self::read(file, facts.rows, terms);
        };
        let mapped = guarded(|| Mapped::open(&file, blocks, &facts.digest, &terms))?;
        let ends = mapped.ends();
        let is_text = |(_, column): &(usize, &TermsColumn)| matches!(column.domain, Domain::Text { .. });
        let columns = terms.columns.iter().enumerate().filter(is_text).map(|(index, _)| index);
        let texts = columns.zip(guarded(|| mapped.texts())?).collect();
        if ends.last().copied().unwrap_or(0) as u64 != facts.rows {
            return Err(EngineFault);
        }
        Ok(Self { rows: Rows::Mapped(mapped), terms, texts, ends })
    }

    /// Reads a table of format 1 with polars' safe reader.
    fn read(file: File, rows: u64, terms: Terms) -> Result<Self, EngineFault> {
        let table = guarded(|| IpcReader::new(file).set_rechunk(true).finish())?;
        if table.height() as u64 != rows {
            return Err(EngineFault);
        }
        let (table, texts) = guarded(|| split(table, &terms))?;
        let ends = guarded(|| block_ends(&table, BLOCK_ROWS))?;
        Ok(Self { rows: Rows::InMemory(table), terms, texts, ends })
    }

    /// Whether these columns of a block are as they were sealed. A table that is held in memory was checked when it was read, so only a
    /// block that does not exist is not.
    pub(in crate::engine) fn check(&self, block: usize, columns: &StoredColumns) -> bool {
        match &self.rows {
            Rows::InMemory(_) => block < self.blocks(),
            #[cfg(test)]
            Rows::Made(blocks) => block < blocks.len(),
            Rows::Mapped(mapped) => mapped.check(block, columns),
        }
    }

    /// Whether everything was checked when the table was read.
    pub(in crate::engine) fn is_checked(&self) -> bool {
        matches!(self.rows, Rows::InMemory(_))
    }

    /// A dataset of several tables, given by the frames of each block: one for each table, with its units, its ranks and all its columns.
    #[cfg(test)]
    pub(super) fn of_tables(terms: Terms, blocks: Vec<Vec<DataFrame>>) -> Self {
        let rows = |frames: &Vec<DataFrame>| frames.iter().map(DataFrame::height).sum::<usize>();
        let ends = blocks.iter().scan(0, |end, frames| {
            *end += rows(frames);
            Some(*end)
        });
        let (ends, texts) = (ends.collect(), HashMap::new());
        Self { rows: Rows::Made(blocks), terms, texts, ends }
    }

    /// Cuts the table anew, into blocks of fewer rows.
    #[cfg(test)]
    pub(super) fn cut(&mut self, block_rows: usize) -> PolarsResult<()> {
        let table = self.all_rows()?;
        self.ends = block_ends(&table, block_rows)?;
        self.rows = Rows::InMemory(table);
        Ok(())
    }

    /// All columns and rows in one frame.
    #[cfg(test)]
    pub(super) fn all_rows(&self) -> PolarsResult<DataFrame> {
        let mut table = self.block(0, &StoredColumns::all(&self.terms))?;
        for block in 1..self.blocks() {
            table.vstack_mut(&self.block(block, &StoredColumns::all(&self.terms))?)?;
        }
        table.rechunk_mut();
        Ok(table)
    }

    /// Number of blocks. A unit's rows are all in one block.
    pub(in crate::engine) fn blocks(&self) -> usize {
        self.ends.len()
    }

    /// The rows of a block in one of the dataset's tables, with their units and ranks and with these of the table's columns.
    pub(in crate::engine) fn table_block(
        &self,
        index: usize,
        table: u32,
        columns: &BTreeSet<usize>,
    ) -> PolarsResult<DataFrame> {
        #[cfg(test)]
        if let Rows::Made(blocks) = &self.rows {
            let names = [UNIT_COLUMN, RANK_COLUMN].map(str::to_owned).into_iter();
            return blocks[index][table as usize]
                .select(names.chain(columns.iter().map(|column| column_name(*column))));
        }
        if !self.terms.tables.is_empty() {
            let Rows::Mapped(mapped) = &self.rows else { polars_bail!(OutOfBounds: "there is no such table") };
            return mapped.table_block(index, table, columns);
        }
        if table != 0 {
            polars_bail!(OutOfBounds: "there is no such table");
        }
        let columns = StoredColumns { declared: columns.clone(), unit: true, rank: true, ..StoredColumns::default() };
        self.block(index, &columns)
    }

    /// The rows of a block, in the table's order, without a copy; the columns are those that are wanted and that the table has.
    pub(in crate::engine) fn block(&self, index: usize, columns: &StoredColumns) -> PolarsResult<DataFrame> {
        let Some(end) = self.ends.get(index) else { polars_bail!(OutOfBounds: "there is no such block") };
        let table = match &self.rows {
            Rows::InMemory(table) => table,
            Rows::Mapped(mapped) => return mapped.block(index, columns),
            #[cfg(test)]
            Rows::Made(_) => polars_bail!(OutOfBounds: "there are several tables"),
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let by_unit = self.terms.unit != Unit::Row;
        let unit = (columns.unit && by_unit).then(|| UNIT_COLUMN.to_owned());
        let rank = (columns.rank && by_unit).then(|| RANK_COLUMN.to_owned());
        let declared = columns.declared.iter().map(|index| column_name(*index));
        let rows = end - start;
        let columns = unit.into_iter().chain(rank).chain(declared);
        let columns = columns.map(|name| Ok(table.column(&name)?.slice(start as i64, rows)));
        DataFrame::new(rows, columns.collect::<PolarsResult<_>>()?)
    }
}

/// Runs polars, and drops the text of its errors and panics.
pub(super) fn guarded<T>(run: impl FnOnce() -> PolarsResult<T>) -> Result<T, EngineFault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| EngineFault)?.map_err(|_| EngineFault)
}

/// Returns where blocks of so many rows or a little more end: at the end of a unit's rows, or anywhere if every row is a unit.
fn block_ends(table: &DataFrame, block_rows: usize) -> PolarsResult<Vec<usize>> {
    let rows = table.height();
    let units = table.column(UNIT_COLUMN).ok().map(|units| units.u32().map(ChunkedArray::rechunk)).transpose()?;
    let units = units.as_ref().map(|units| units.cont_slice()).transpose()?;
    let mut ends = Vec::with_capacity(rows / block_rows + 1);
    let mut end = 0;
    while end < rows {
        end = (end + block_rows).min(rows);
        if let Some(units) = units {
            end += units[end..].iter().take_while(|unit| **unit == units[end - 1]).count();
        }
        ends.push(end);
    }
    Ok(ends)
}

/// Splits the texts from a sealed table; returns the table without them, and the texts by column and code. A text is stored in the row in
/// which its code occurs first.
fn split(table: DataFrame, terms: &Terms) -> PolarsResult<(DataFrame, HashMap<usize, Vec<String>>)> {
    let (mut table, mut texts) = (table, HashMap::new());
    for (index, column) in terms.columns.iter().enumerate() {
        let Domain::Text { .. } = column.domain else { continue };
        let named = table.drop_in_place(&text_name(index))?;
        // Codes are numbered in the order in which they first occur.
        let of_column: Vec<String> = named.str()?.iter().flatten().map(str::to_owned).collect();
        texts.insert(index, of_column);
    }
    Ok((table, texts))
}
