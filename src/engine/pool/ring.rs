//! The queries of one edition that are being evaluated, cut into pieces that its workers take in turn.
//!
//! Promises that queries take turns, piece by piece, so that a long one does not keep a short one waiting; that a failed piece costs its own
//! query alone; and that pieces follow from the query's plan and the number of blocks.

use crate::engine::port::EngineFault;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::edition::layout::BLOCK_ROWS;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, mpsc};

/// Maximum number of blocks in a piece, unless its vectors are large.
const PIECE_BLOCKS: u64 = 8;
/// Minimum number of blocks in a piece of a larger table.
const PIECE_BLOCKS_MIN: u64 = 2;
/// Number of rows in a piece for every cell of its vectors, so that sending them costs little beside the work.
const ROWS_PER_CELL: u64 = 4;

/// Number of rows in a piece for every text that may label a group, so that sorting texts and adding up text by text cost little, too.
const ROWS_PER_TEXT: u64 = 64;

/// Where the answer to a query is sent.
pub(super) type Done = mpsc::SyncSender<Result<Private<Exact>, EngineFault>>;

/// A range of blocks over which a query is evaluated in one go.
pub(super) struct Piece {
    query: u64,
    pub(super) computation: Arc<Computation>,
    pub(super) blocks: Range<u64>,
}

/// The queries under way, and whose turn it is.
pub(super) struct Ring {
    /// Number of pieces that may be computed at once.
    cores: u64,
    next: u64,
    queries: HashMap<u64, Query>,
    /// Numbers of the queries with pieces that nobody has taken; the first one is next.
    turns: VecDeque<u64>,
}

struct Query {
    computation: Arc<Computation>,
    /// First block that nobody has taken; `None` if all have been.
    next: Option<u64>,
    /// Pieces that were taken and put back.
    returned: Vec<Range<u64>>,
    /// Number of pieces that workers compute.
    taken: usize,
    sum: Option<Private<Exact>>,
    done: Done,
}

impl Ring {
    /// Creates a ring without queries, for a machine with so many cores.
    pub(super) fn new(cores: usize) -> Self {
        Self { cores: cores.max(1) as u64, next: 0, queries: HashMap::new(), turns: VecDeque::new() }
    }

    pub(super) fn add(&mut self, computation: Computation, done: Done) {
        let number = self.next;
        self.next += 1;
        let query = Query {
            computation: Arc::new(computation),
            next: Some(0),
            returned: Vec::new(),
            taken: 0,
            sum: None,
            done,
        };
        self.queries.insert(number, query);
        self.turns.push_back(number);
    }

    /// Whether there is a piece to take.
    pub(super) fn has_work(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Takes the next piece of the query whose turn it is, over a table of so many blocks.
    pub(super) fn take(&mut self, blocks: u64) -> Option<Piece> {
        let number = self.turns.pop_front()?;
        let query = self.queries.get_mut(&number)?;
        let range = query.take(blocks, self.cores)?;
        let computation = Arc::clone(&query.computation);
        if query.next.is_some() || !query.returned.is_empty() {
            self.turns.push_back(number);
        }
        Some(Piece { query: number, computation, blocks: range })
    }

    /// Puts back a piece that no worker received; it is taken next.
    pub(super) fn put_back(&mut self, piece: Piece) {
        let Some(query) = self.queries.get_mut(&piece.query) else { return };
        query.taken -= 1;
        query.returned.push(piece.blocks);
        self.turns.retain(|number| *number != piece.query);
        self.turns.push_front(piece.query);
    }

    /// Adds the result of a piece to its query. Returns what has to be added up before the result counts: call it again with the sum. The
    /// caller adds outside the lock.
    pub(super) fn add_up(&mut self, piece: &Piece, found: Private<Exact>) -> Option<(Private<Exact>, Private<Exact>)> {
        // The query failed meanwhile.
        let query = self.queries.get_mut(&piece.query)?;
        if let Some(sum) = query.sum.take() {
            return Some((sum, found));
        }
        query.sum = Some(found);
        query.taken -= 1;
        if query.taken == 0
            && query.next.is_none()
            && query.returned.is_empty()
            && let Some(query) = self.queries.remove(&piece.query)
        {
            // The caller may be gone; the charge stands.
            let _ = query.done.send(query.sum.ok_or(EngineFault));
        }
        None
    }

    /// Ends the query of a piece that failed; its other pieces are dropped.
    pub(super) fn fail(&mut self, piece: &Piece) {
        self.turns.retain(|number| *number != piece.query);
        if let Some(query) = self.queries.remove(&piece.query) {
            let _ = query.done.send(Err(EngineFault));
        }
    }

    /// Drops all queries; their callers learn of it because their channels close.
    pub(super) fn clear(&mut self) {
        self.queries.clear();
        self.turns.clear();
    }
}

impl Query {
    fn take(&mut self, blocks: u64, cores: u64) -> Option<Range<u64>> {
        let range = self.returned.pop().or_else(|| {
            let start = self.next?;
            let end = start.saturating_add(piece_blocks(&self.computation, blocks.div_ceil(cores))).min(blocks);
            self.next = (end < blocks).then_some(end);
            Some(start..end)
        })?;
        self.taken += 1;
        Some(range)
    }
}

/// Number of blocks in each piece of a computation, if `share` blocks would give every core one piece.
fn piece_blocks(computation: &Computation, share: u64) -> u64 {
    // Rows without a text are a group, too.
    let texts = computation.text.as_ref().map_or(0, |text| u64::from(text.groups_max) + 1);
    let cells = computation.measures.iter().enumerate().map(|(place, measure)| match &computation.text {
        Some(_) if !computation.is_total(place) => texts,
        Some(_) | None => measure.cells(&computation.keys),
    });
    let cells = cells.fold(0, u64::saturating_add);
    let rows = cells.saturating_mul(ROWS_PER_CELL).saturating_add(texts.saturating_mul(ROWS_PER_TEXT));
    rows.div_ceil(BLOCK_ROWS as u64).max(share.clamp(PIECE_BLOCKS_MIN, PIECE_BLOCKS))
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
