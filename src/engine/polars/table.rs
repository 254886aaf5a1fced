//! Sealed tables in memory: reading them, and running polars without letting its words out.

use crate::engine::port::EngineFault;
use crate::query::computation::{Computation, Measure};
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name, text_name};
use crate::query::terms::policy::{Terms, Unit};
use borsh::{BorshDeserialize, BorshSerialize};
use polars::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One sealed table in memory, with the terms it was sealed under.
pub(in crate::engine) struct Loaded {
    table: DataFrame,
    pub(in crate::engine) terms: Terms,
    /// The texts of columns without a public list, by column and code.
    pub(in crate::engine) texts: HashMap<usize, Vec<String>>,
    /// For each block, the number of the row after its last one.
    ends: Vec<usize>,
}

/// Number of rows after which a block ends, as soon as a unit's rows do.
pub(in crate::engine) const BLOCK_ROWS: usize = 1 << 17;

/// The stored columns that a computation reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(in crate::engine) struct StoredColumns {
    /// Indices of the declared columns.
    pub(in crate::engine) declared: BTreeSet<usize>,
    /// Whether it reads the number of each row's unit.
    pub(in crate::engine) unit: bool,
    /// Whether it reads the rank of each row within its unit.
    pub(in crate::engine) rank: bool,
}

impl StoredColumns {
    /// The columns that a computation reads.
    pub(in crate::engine) fn of(computation: &Computation, terms: &Terms) -> Self {
        let mut declared = BTreeSet::new();
        match &computation.units {
            // The filter, keys and measurements then refer to the table with one row per unit.
            Some(units) => units.declared(&mut declared),
            None => {
                computation.filter.iter().for_each(|filter| filter.declared(&mut declared));
                computation.keys.iter().for_each(|key| key.column.declared(&mut declared));
                computation.measures.iter().for_each(|measure| measure.declared(&mut declared));
                declared.extend(computation.text.iter().map(|text| text.column));
            }
        }
        let by_unit = computation.units.is_some() || computation.text.is_some();
        let unit = by_unit || computation.measures.iter().any(counts_units);
        Self { declared, unit, rank: computation.rows_per_unit < terms.max_rows_per_unit }
    }
}

fn counts_units(measure: &Measure) -> bool {
    match measure {
        Measure::Units | Measure::UnitsWhere { .. } => true,
        Measure::PrefixSums { measure, .. } | Measure::Over { measure, .. } => counts_units(measure),
        Measure::Rows | Measure::NonNull { .. } | Measure::Sum { .. } | Measure::Bins { .. } => false,
    }
}

impl Loaded {
    /// Reads a sealed table with polars' safe reader.
    pub(in crate::engine) fn read(file: File, rows: u64, terms: Terms) -> Result<Self, EngineFault> {
        let table = guarded(|| IpcReader::new(file).set_rechunk(true).finish())?;
        if table.height() as u64 != rows {
            return Err(EngineFault);
        }
        let (table, texts) = guarded(|| split(table, &terms))?;
        let ends = guarded(|| block_ends(&table, BLOCK_ROWS))?;
        Ok(Self { table, terms, texts, ends })
    }

    /// Whether these columns of a block are as they were sealed. A table that is held in memory was checked when it was read, so only a
    /// block that does not exist is not.
    pub(in crate::engine) fn check(&self, block: usize, _columns: &StoredColumns) -> bool {
        block < self.blocks()
    }

    /// Whether everything was checked when the table was read.
    pub(in crate::engine) fn is_checked(&self) -> bool {
        true
    }

    /// Cuts the table anew, into blocks of fewer rows.
    #[cfg(test)]
    pub(super) fn cut(&mut self, block_rows: usize) -> PolarsResult<()> {
        self.ends = block_ends(&self.table, block_rows)?;
        Ok(())
    }

    /// Number of blocks. A unit's rows are all in one block.
    pub(in crate::engine) fn blocks(&self) -> usize {
        self.ends.len()
    }

    /// The rows of a block, in the table's order, without a copy; the columns are those that are wanted and that the table has.
    pub(in crate::engine) fn block(&self, index: usize, columns: &StoredColumns) -> PolarsResult<DataFrame> {
        let Some(end) = self.ends.get(index) else { polars_bail!(OutOfBounds: "there is no such block") };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let by_unit = self.terms.unit != Unit::Row;
        let unit = (columns.unit && by_unit).then(|| UNIT_COLUMN.to_owned());
        let rank = (columns.rank && by_unit).then(|| RANK_COLUMN.to_owned());
        let declared = columns.declared.iter().map(|index| column_name(*index));
        let rows = end - start;
        let columns = unit.into_iter().chain(rank).chain(declared);
        let columns = columns.map(|name| Ok(self.table.column(&name)?.slice(start as i64, rows)));
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
