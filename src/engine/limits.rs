//! Limits of a worker: how much address space and time it may use, derived only from the declared capacity.
//!
//! Promises that both limits leave enough margin that no table within its policy's capacity reaches them, and that neither depends on a
//! row: the size of the edition itself is not looked at.

use std::time::Duration;

use super::polars::BLOCK_ROWS;
use crate::query::computation::Computation;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::Terms;

/// Address space that a process uses before it holds a table: code, stacks of threads and memory arenas.
const PROCESS_BYTES: u64 = 4 << 30;
/// Additional address space for the stack and arenas of each core's thread.
const CORE_BYTES: u64 = 512 << 20;
/// Number of copies of the table that may exist while it is read and laid out.
const TABLE_COPIES: u64 = 4;
/// Bytes per row that a group-by may hold: a hashed key, a set entry and a cell number, all doubled while hash tables grow; and the values
/// of sixteen columns of a subquery, before and after they are folded.
const GROUP_BYTES_PER_ROW: u64 = 192 + 16 * 3 * 9;
/// Bookkeeping bytes per row: unit, rank and validity bits.
const ROW_BYTES: u64 = 16;

/// Time allowed for every computation, unless a launch says otherwise.
pub(super) const DEADLINE_MIN: Duration = Duration::from_secs(10);
/// Time allowed for every process until it is ready.
const START_MIN: Duration = Duration::from_secs(20);
/// Nanoseconds for each look at a column of a row; a busy machine takes about four.
const NANOS_PER_LOOK: u64 = 200;
/// Nanoseconds per row to read a table; a cold disk takes about fifty.
const NANOS_PER_ROW_READ: u64 = 2_000;

/// Limits on what a worker may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum address space, in bytes.
    pub address_space_bytes: u64,
    deadline_min: Duration,
    rows: u64,
    /// Maximum number of rows in a block: a block ends with the rows of a unit.
    block_rows: u64,
}

impl Limits {
    /// Returns the limits for a dataset with these terms on a machine with so many cores, if every computation is allowed at least
    /// `deadline_min`.
    #[must_use]
    pub fn of(terms: &Terms, cores: u64, deadline_min: Duration) -> Self {
        let columns: u64 = terms.columns.iter().map(|column| stored_bytes(&column.domain)).sum();
        let row = (columns + ROW_BYTES) * TABLE_COPIES + GROUP_BYTES_PER_ROW;
        let table = terms.max_rows.saturating_mul(row);
        let process = PROCESS_BYTES.saturating_add(cores.saturating_mul(CORE_BYTES));
        let address_space_bytes = process.saturating_add(table);
        let block_rows = (BLOCK_ROWS as u64).saturating_add(terms.max_rows_per_unit.into());
        Self { address_space_bytes, deadline_min, rows: terms.max_rows, block_rows }
    }

    /// The maximum duration of a computation over so many blocks, by the rows that they may hold within the declared capacity and the
    /// number of columns that it looks at per row.
    #[must_use]
    pub fn deadline(&self, computation: &Computation, blocks: u64) -> Duration {
        let rows = self.rows.min(blocks.saturating_mul(self.block_rows));
        let nanos = rows.saturating_mul(computation.looks()).saturating_mul(NANOS_PER_LOOK);
        self.deadline_min.saturating_add(Duration::from_nanos(nanos))
    }

    /// The maximum duration of a worker's start.
    #[must_use]
    pub fn start(&self) -> Duration {
        let nanos = self.rows.saturating_mul(NANOS_PER_ROW_READ);
        START_MIN.saturating_add(Duration::from_nanos(nanos))
    }
}

/// Number of cores of this machine; 2 if unknown.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Bytes of a stored value, with its validity bit rounded up to a byte.
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
