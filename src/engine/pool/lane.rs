//! The work of one edition, which its workers share.

use crate::engine::Limits;
use crate::engine::polars::StoredColumns;
use crate::engine::pool::checks::{Check, CheckOutcome, Checks};
use crate::engine::pool::permits::{Permit, Permits};
use crate::engine::pool::ring::{Done, Piece, Ring};
use crate::engine::port::EngineFault;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::edition::layout::TableFacts;
use crate::query::terms::policy::Terms;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One edition's queries, and what its workers are started with.
pub(super) struct Lane {
    pub(super) edition: String,
    pub(super) table: TableFile,
    pub(super) facts: TableFacts,
    pub(super) terms: Terms,
    pub(super) limits: Limits,
    pub(super) queue: Mutex<Queue>,
    pub(super) changed: Condvar,
    /// The permits to compute, which all lanes share.
    pub(super) permits: Arc<Permits>,
    pub(super) ready: AtomicUsize,
    /// Number of workers that there should be, and of supervisors that cannot start theirs.
    pub(super) workers: usize,
    pub(super) stuck: AtomicUsize,
}

/// The file of a sealed table.
pub(super) enum TableFile {
    /// Opened once: all workers map the same file, whatever is stored under its name by now, so that what one of them checks holds for all.
    Mapped(File),
    /// A table of format 1, which each worker opens and checks for itself.
    Read(PathBuf),
}

impl TableFile {
    /// Opens the file of an edition.
    pub(super) fn of(path: PathBuf, facts: &TableFacts) -> io::Result<Self> {
        if facts.blocks.is_some() { File::open(path).map(Self::Mapped) } else { Ok(Self::Read(path)) }
    }

    /// Opens it for a worker.
    pub(super) fn open(&self) -> io::Result<File> {
        match self {
            Self::Mapped(file) => file.try_clone(),
            Self::Read(path) => File::open(path),
        }
    }
}

pub(super) struct Queue {
    checks: Checks,
    ring: Ring,
    is_closed: bool,
}

impl Queue {
    /// Creates an empty queue, for a machine with so many cores.
    pub(super) fn new(cores: usize) -> Self {
        Self { checks: Checks::default(), ring: Ring::new(cores), is_closed: false }
    }
}

impl Lane {
    pub(super) fn push(&self, computation: Computation, done: Done) {
        let mut queue = self.locked();
        // Dropping `done` tells the caller.
        if !queue.is_closed {
            queue.ring.add(computation, done);
            // A query may be in several pieces, for several workers.
            self.changed.notify_all();
        }
    }

    /// Puts back a piece that no worker received.
    pub(super) fn put_back(&self, piece: Piece) {
        self.locked().ring.put_back(piece);
        self.changed.notify_all();
    }

    /// Waits for a piece over a table of so many blocks: returns it with the permit to compute it, or `Nothing` after `patience`, or `End`
    /// once the lane is closed.
    pub(super) fn next(&self, blocks: u64, patience: Duration) -> Next<'_> {
        let idle = |queue: &mut Queue| !queue.ring.has_work() && !queue.checks.has_work() && !queue.is_closed;
        let waited = self.changed.wait_timeout_while(self.locked(), patience, idle);
        let (queue, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.is_closed {
            return Next::End;
        }
        drop(queue);
        if waited.timed_out() {
            return Next::Nothing;
        }
        let permit = self.permits.acquire();
        let mut queue = self.locked();
        if queue.is_closed {
            return Next::End;
        }
        // Another worker may have taken it meanwhile.
        if let Some(check) = queue.checks.take_wanted() {
            return Next::Check(check, permit);
        }
        if let Some(piece) = queue.ring.take(blocks) {
            return Next::Piece(piece, permit);
        }
        // Nobody waits for the rest.
        queue.checks.take_unchecked().map_or(Next::Nothing, |check| Next::Check(check, permit))
    }

    /// Waits until everything that a computation reads has been checked.
    pub(super) fn prepare(&self, computation: &Computation) -> Result<(), EngineFault> {
        let columns = StoredColumns::of(computation, &self.terms);
        let mut queue = self.locked();
        queue.checks.want(&columns);
        self.changed.notify_all();
        let waits = |queue: &mut Queue| {
            queue.checks.are_sound(&columns) == Ok(false) && !queue.is_closed && !self.has_given_up()
        };
        let queue = self.changed.wait_while(queue, waits).unwrap_or_else(PoisonError::into_inner);
        let is_up = !queue.is_closed && self.ready.load(Ordering::Acquire) > 0;
        if is_up && queue.checks.are_sound(&columns)? { Ok(()) } else { Err(EngineFault) }
    }

    /// Takes note of the size of the table that a worker has.
    pub(super) fn begin_checks(&self, blocks: u64, is_checked: bool) {
        self.locked().checks.begin(&self.terms, blocks, is_checked);
        self.changed.notify_all();
    }

    /// Takes note of how a check ended.
    pub(super) fn checked(&self, check: &Check, outcome: CheckOutcome) {
        let found = self.locked().checks.finish(check, outcome);
        self.changed.notify_all();
        if let Some(block) = found {
            let edition = &self.edition;
            tracing::error!(
                edition,
                block,
                "a block of the sealed table is not what was sealed; restore the table and start again, or seal again"
            );
        }
    }

    /// Whether a worker is up, and no damage has been found.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) > 0 && self.locked().checks.bad().is_none()
    }

    fn has_given_up(&self) -> bool {
        self.stuck.load(Ordering::Acquire) == self.workers
    }

    /// Takes note of a piece's result, and answers its query once all pieces are there.
    pub(super) fn finish(&self, piece: &Piece, found: Result<Private<Exact>, EngineFault>) {
        let Ok(mut found) = found else { return self.locked().ring.fail(piece) };
        loop {
            let added = self.locked().ring.add_up(piece, found);
            let Some((sum, other)) = added else { return };
            let is_total = |place| piece.computation.is_total(place);
            let Some(joined) = sum.joined(other, is_total) else { return self.locked().ring.fail(piece) };
            found = joined;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.locked().is_closed
    }

    /// Drops all queries if no supervisor can start a worker: the callers get an error, and their charges are burned.
    pub(super) fn give_up(&self) {
        if self.has_given_up() {
            self.locked().ring.clear();
            self.changed.notify_all();
        }
    }

    pub(super) fn close(&self) {
        let mut queue = self.locked();
        queue.is_closed = true;
        // Waiting callers learn of it because their channel closes.
        queue.ring.clear();
        self.changed.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) enum Next<'a> {
    Piece(Piece, Permit<'a>),
    Check(Check, Permit<'a>),
    Nothing,
    End,
}

#[cfg(test)]
#[path = "lane_tests.rs"]
mod tests;
