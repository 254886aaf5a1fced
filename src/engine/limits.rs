//! What a worker may use: address space and seconds, from the declared capacity alone.
//!
//! Promises that both are sized with room, so that no table within its policy's capacity reaches them, and that neither depends on
//! a row: an edition's own size is not looked at.

use std::time::Duration;

use crate::query::plan::Computation;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::Terms;

/// What a process takes before it holds a table: code, threads' stacks and their arenas.
const PROCESS_BYTES: u64 = 4 << 30;
/// Stack and arenas that each of the machine's cores may want besides.
const CORE_BYTES: u64 = 512 << 20;
/// Copies of the table while it is read and laid out.
const TABLE_COPIES: u64 = 4;
/// Bytes of a row that a group-by may hold: a hashed key, a set entry, a cell number, all doubled while tables grow; and the values
/// of sixteen columns of a subquery, before and after they are folded.
const GROUP_BYTES_PER_ROW: u64 = 192 + 16 * 3 * 9;
/// Bytes of bookkeeping of a row: unit, rank, bits that say what is missing.
const ROW_BYTES: u64 = 16;

/// What every computation has, where a launch says nothing else.
pub(super) const DEADLINE_MIN: Duration = Duration::from_secs(10);
/// What every process has until it is ready.
const START_MIN: Duration = Duration::from_secs(20);
/// Nanoseconds per row and look; a loaded machine takes about four.
const NANOS_PER_LOOK: u64 = 200;
/// Nanoseconds per row to read a table; a cold disk takes about fifty.
const NANOS_PER_ROW_READ: u64 = 2_000;

/// What a worker may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space.
    pub address_space_bytes: u64,
    deadline_min: Duration,
    rows: u64,
}

impl Limits {
    /// The limits of a dataset with these terms on a machine of so many cores, where every computation has `deadline_min`.
    #[must_use]
    pub fn of(terms: &Terms, cores: u64, deadline_min: Duration) -> Self {
        let columns: u64 = terms.columns.iter().map(|column| stored_bytes(&column.domain)).sum();
        let row = (columns + ROW_BYTES) * TABLE_COPIES + GROUP_BYTES_PER_ROW;
        let table = terms.max_rows.saturating_mul(row);
        let process = PROCESS_BYTES.saturating_add(cores.saturating_mul(CORE_BYTES));
        Self { address_space_bytes: process.saturating_add(table), deadline_min, rows: terms.max_rows }
    }

    /// How long a computation may take.
    #[must_use]
    pub fn deadline(&self, computation: &Computation) -> Duration {
        let nanos = self.rows.saturating_mul(computation.looks()).saturating_mul(NANOS_PER_LOOK);
        self.deadline_min.saturating_add(Duration::from_nanos(nanos))
    }

    /// How long a process may take until it is ready.
    #[must_use]
    pub fn start(&self) -> Duration {
        let nanos = self.rows.saturating_mul(NANOS_PER_ROW_READ);
        START_MIN.saturating_add(Duration::from_nanos(nanos))
    }
}

/// Cores of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Bytes of a stored value, with its bit of presence rounded up.
fn stored_bytes(domain: &Domain) -> u64 {
    match domain {
        Domain::Boolean => 2,
        Domain::Category(_) => 3,
        Domain::Date { .. } => 5,
        Domain::Number(_) => 9,
        // A code, and the view of a text that stands in one row of each.
        Domain::Text { .. } => 5 + 17,
    }
}
