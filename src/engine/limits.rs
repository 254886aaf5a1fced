//! Limits of a worker: how much address space and time it may use.
//!
//! Promises that both limits leave enough margin that no table within its policy's capacity reaches them, and that what is left for
//! computing, in space and time, follows from the declared capacity and from no row: address space for the file itself is added.

mod reach;

use std::time::Duration;

use self::reach::Reach;
use crate::query::computation::Computation;
use crate::query::terms::columns::Columns;
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::Manifest;
use crate::query::terms::edition::layout::{BLOCK_ROWS, TableLayout};
use crate::query::terms::policy::{PublicTable, Terms};

/// Address space that a process uses before it holds a table: code, stacks of threads and memory arenas.
const PROCESS_BYTES: u64 = 4 << 30;
/// Additional address space for the stack and arenas of each core's thread.
const CORE_BYTES: u64 = 512 << 20;
/// Number of copies of a table of format 1 that may exist while it is read and laid out.
const TABLE_COPIES: u64 = 4;
/// Bytes for each row of a block that is being evaluated: sixty-four columns of it as wide integers with a byte for each missing value,
/// before and after they are folded.
const BLOCK_ROW_BYTES: u64 = 64 * 2 * 9;
/// Bookkeeping bytes per row of a table of format 1: unit, rank and validity bits.
const ROW_BYTES: u64 = 16;
/// Number of copies of the texts of columns without a list: in the file, decoded, and sorted for an answer; each text has an owner of 24
/// bytes and may be as short as one byte.
const TEXT_COPIES: u64 = 64;

/// Time allowed for every computation, unless a launch says otherwise.
pub(super) const DEADLINE_MIN: Duration = Duration::from_secs(10);
/// Time allowed for every process until it is ready.
const START_MIN: Duration = Duration::from_secs(20);
/// Nanoseconds for each look at a column of a row; a busy machine takes about four.
const NANOS_PER_LOOK: u64 = 200;
/// Nanoseconds per row to read a table; a cold disk takes about fifty.
const NANOS_PER_ROW_READ: u64 = 2_000;

/// Address space for the rows that are made of those of several tables, piece by piece.
const RELATION_BYTES: u64 = 2 << 30;
/// Bytes for each value and each label of the public tables and lists: written as JSON, read, and looked up.
const PUBLIC_VALUE_BYTES: u64 = 64;
const LABEL_BYTES: u64 = 256;
/// Number of copies of the labels' texts: as JSON, read, and as keys.
const LABEL_COPIES: u64 = 4;

/// Limits on what a worker may use of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum address space, in bytes.
    pub address_space_bytes: u64,
    deadline_min: Duration,
    /// Capacity of the largest table, in rows.
    rows: u64,
    /// Maximum number of rows of a table in a block: a block ends with the rows of a unit.
    block_rows: u64,
    reach: Reach,
}

impl Limits {
    /// Returns the limits for an edition on a machine with so many cores, if every computation is allowed at least `deadline_min`.
    #[must_use]
    pub fn of(manifest: &Manifest, cores: u64, deadline_min: Duration) -> Self {
        let terms = &manifest.terms;
        let block_rows = (BLOCK_ROWS as u64).saturating_add(terms.max_rows_per_unit.into());
        let process = PROCESS_BYTES.saturating_add(cores.saturating_mul(CORE_BYTES));
        let several = if terms.tables.is_empty() { 0 } else { RELATION_BYTES };
        let block = block_rows.saturating_mul(BLOCK_ROW_BYTES).saturating_add(several);
        let tables = table_bytes(manifest).saturating_add(public_bytes(terms));
        let address_space_bytes = process.saturating_add(block).saturating_add(tables);
        Self { address_space_bytes, deadline_min, rows: terms.max_rows, block_rows, reach: Reach::of(terms) }
    }

    /// The maximum duration of a computation over so many blocks, by the rows that they may hold within the declared capacity, the
    /// rows that joins make of each, and the number of columns that it looks at per row.
    #[must_use]
    pub fn deadline(&self, computation: &Computation, blocks: u64) -> Duration {
        let rows = self.rows.min(blocks.saturating_mul(self.block_rows));
        let made = computation.relation.as_ref().map_or(1, |relation| self.reach.rows_made(relation));
        let looks = computation.looks().saturating_mul(made);
        let nanos = rows.saturating_mul(looks).saturating_mul(NANOS_PER_LOOK);
        self.deadline_min.saturating_add(Duration::from_nanos(nanos))
    }

    /// The maximum duration of a worker's start.
    #[must_use]
    pub fn start(&self) -> Duration {
        let nanos = self.rows.saturating_mul(NANOS_PER_ROW_READ);
        START_MIN.saturating_add(Duration::from_nanos(nanos))
    }
}

/// Address space for the table: the file that is mapped and its decoded texts; of format 1, what the declared capacity takes in memory.
fn table_bytes(manifest: &Manifest) -> u64 {
    let terms = &manifest.terms;
    let Some(blocks) = &manifest.blocks else {
        let columns: u64 = terms.columns.iter().map(|column| stored_bytes(&column.domain)).sum();
        return terms.max_rows.saturating_mul((columns + ROW_BYTES) * TABLE_COPIES);
    };
    let blocks_end = TableLayout::of(terms, &blocks.ends).map_or(0, |layout| layout.blocks_end());
    let texts = blocks.index_at.saturating_sub(blocks_end).saturating_mul(TEXT_COPIES);
    blocks.file_bytes().unwrap_or(u64::MAX).saturating_add(texts)
}

/// Address space for the public tables and the lists of categories.
fn public_bytes(terms: &Terms) -> u64 {
    let lists = |columns: &Columns| columns.iter().map(|column| list_bytes(&column.domain)).sum::<u64>();
    let of_tables: u64 = terms.tables.iter().map(|table| lists(&table.columns)).sum();
    let of_public = |table: &PublicTable| {
        let values = table.rows.saturating_mul(table.values.len() as u64).saturating_mul(PUBLIC_VALUE_BYTES);
        values.saturating_add(lists(&table.columns))
    };
    of_tables.saturating_add(terms.public.iter().map(of_public).sum())
}

fn list_bytes(domain: &Domain) -> u64 {
    match domain {
        Domain::Category(labels) => {
            let bytes: usize = labels.iter().map(String::len).sum();
            bytes as u64 * LABEL_COPIES + labels.len() as u64 * LABEL_BYTES
        }
        Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => 0,
    }
}

/// Number of cores of this machine; 2 if unknown.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Bytes of a stored value of format 1, with its validity bit rounded up to a byte.
fn stored_bytes(domain: &Domain) -> u64 {
    match domain {
        Domain::Boolean => 2,
        Domain::Category(_) => 3,
        Domain::Date { .. } => 5,
        Domain::Number(_) => 9,
        // A code, and the view of a text, which is stored in one row per distinct text.
        Domain::Text { .. } => 5 + 17,
    }
}
