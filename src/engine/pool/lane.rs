//! The queue of computations of one edition, which its workers share.

use crate::engine::Limits;
use crate::engine::port::EngineFault;
use crate::kernel::budget::entry::Digest;
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::policy::Terms;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// One edition's queue of computations, and what its workers are started with.
pub(super) struct Lane {
    pub(super) edition: String,
    pub(super) table: PathBuf,
    pub(super) digest: Digest,
    pub(super) rows: u64,
    pub(super) terms: Terms,
    pub(super) limits: Limits,
    pub(super) queue: Mutex<Queue>,
    pub(super) changed: Condvar,
    pub(super) ready: AtomicUsize,
    /// Number of workers that there should be, and of supervisors that cannot start theirs.
    pub(super) workers: usize,
    pub(super) stuck: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) jobs: VecDeque<Job>,
    pub(super) is_closed: bool,
}

pub(super) struct Job {
    pub(super) computation: Computation,
    pub(super) done: mpsc::SyncSender<Result<Private<Exact>, EngineFault>>,
}

impl Lane {
    pub(super) fn push(&self, job: Job) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs.push_back(job);
        self.changed.notify_one();
    }

    /// Puts back a job that was not started.
    pub(super) fn push_back(&self, job: Job) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs.push_front(job);
        self.changed.notify_one();
    }

    /// Waits for the next job: returns it, or `Nothing` after `patience`, or `End` once the lane is closed.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |queue: &mut Queue| queue.jobs.is_empty() && !queue.is_closed;
        let waited = self.changed.wait_timeout_while(queue, patience, idle);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match queue.jobs.pop_front() {
            _ if queue.is_closed => Next::End,
            Some(job) => Next::Job(Box::new(job)),
            None => Next::Nothing,
        }
    }

    /// Drops all waiting jobs if no supervisor can start a worker: the callers get an error, and their charges are burned.
    pub(super) fn give_up(&self) {
        if self.stuck.load(Ordering::Acquire) == self.workers {
            self.queue.lock().unwrap_or_else(PoisonError::into_inner).jobs.clear();
        }
    }

    pub(super) fn close(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.is_closed = true;
        // Waiting callers learn of it because their channel closes.
        queue.jobs.clear();
        self.changed.notify_all();
    }
}

pub(super) enum Next {
    Job(Box<Job>),
    Nothing,
    End,
}
