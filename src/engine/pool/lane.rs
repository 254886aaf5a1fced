//! The work of one edition, which its workers share.

use crate::engine::Limits;
use crate::engine::pool::permits::{Permit, Permits};
use crate::engine::pool::ring::{Done, Piece, Ring};
use crate::engine::port::EngineFault;
use crate::kernel::budget::entry::Digest;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::policy::Terms;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One edition's queries, and what its workers are started with.
pub(super) struct Lane {
    pub(super) edition: String,
    pub(super) table: PathBuf,
    pub(super) digest: Digest,
    pub(super) rows: u64,
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

pub(super) struct Queue {
    ring: Ring,
    is_closed: bool,
}

impl Queue {
    /// Creates an empty queue, for a machine with so many cores.
    pub(super) fn new(cores: usize) -> Self {
        Self { ring: Ring::new(cores), is_closed: false }
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
        self.changed.notify_one();
    }

    /// Waits for a piece over a table of so many blocks: returns it with the permit to compute it, or `Nothing` after `patience`, or `End`
    /// once the lane is closed.
    pub(super) fn next(&self, blocks: u64, patience: Duration) -> Next<'_> {
        let idle = |queue: &mut Queue| !queue.ring.has_work() && !queue.is_closed;
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
        queue.ring.take(blocks).map_or(Next::Nothing, |piece| Next::Piece(piece, permit))
    }

    /// Takes note of a piece's result, and answers its query once all pieces are there.
    pub(super) fn finish(&self, piece: &Piece, found: Result<Private<Exact>, EngineFault>) {
        let Ok(mut found) = found else { return self.locked().ring.fail(piece) };
        loop {
            let added = self.locked().ring.add_up(piece, found);
            let Some((sum, other)) = added else { return };
            let Some(joined) = sum.joined(other) else { return self.locked().ring.fail(piece) };
            found = joined;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.locked().is_closed
    }

    /// Drops all queries if no supervisor can start a worker: the callers get an error, and their charges are burned.
    pub(super) fn give_up(&self) {
        if self.stuck.load(Ordering::Acquire) == self.workers {
            self.locked().ring.clear();
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
    Nothing,
    End,
}
