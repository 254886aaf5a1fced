//! Threads for blocking work: a few of their own for each kind of work.
//!
//! Of each kind there are never more threads than may work at once. They are started when there is work and end after they have
//! been idle for a while, and work that panics ends no thread. They do not belong to the async runtime, for two reasons: nothing
//! else can take their places, and the memory that a large answer leaves behind in an allocator's pool stays with few threads
//! instead of hundreds.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Seconds that an idle thread waits for work before it ends.
const IDLE_SECONDS: u64 = 10;
/// Bytes of a thread's stack. It is large because sqlparser drops long chains recursively.
const STACK_BYTES: usize = 8 << 20;

/// A piece of work for a thread.
pub(crate) type ThreadJob = Box<dyn FnOnce() + Send>;

/// The threads of one kind of work.
pub(crate) struct Threads {
    pool: Arc<ThreadPool>,
}

struct ThreadPool {
    name: &'static str,
    most: usize,
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<ThreadJob>,
    /// Number of threads that wait for work (`idle`), and of all threads (`alive`).
    idle: usize,
    alive: usize,
    is_closed: bool,
}

impl Threads {
    /// Creates the pool. It starts without threads and never has more than `most`.
    pub(crate) fn new(name: &'static str, most: usize) -> Self {
        Self { pool: Arc::new(ThreadPool { name, most, jobs: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Runs `job` on a thread: an idle one, a new one, or else the first that becomes free. If the system cannot start any thread
    /// at all, the job is dropped.
    pub(crate) fn work(&self, job: ThreadJob) {
        let mut jobs = self.pool.open();
        jobs.waiting.push_back(job);
        if jobs.idle >= jobs.waiting.len() {
            self.pool.changed.notify_one();
            return;
        }
        if jobs.alive >= self.pool.most {
            return;
        }
        jobs.alive += 1;
        drop(jobs);
        let pool = Arc::clone(&self.pool);
        let thread = std::thread::Builder::new().name(self.pool.name.to_owned()).stack_size(STACK_BYTES);
        if let Err(error) = thread.spawn(move || pool.serve()) {
            tracing::error!(kind = ?error.kind(), "the system could not start a thread");
            let mut jobs = self.pool.open();
            jobs.alive -= 1;
            // Dropped outside of the lock: a job that is dropped may pass on its turn.
            let lost = if jobs.alive == 0 { std::mem::take(&mut jobs.waiting) } else { VecDeque::new() };
            drop(jobs);
            drop(lost);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut jobs = self.pool.open();
        jobs.is_closed = true;
        let lost = std::mem::take(&mut jobs.waiting);
        drop(jobs);
        drop(lost);
        self.pool.changed.notify_all();
    }
}

impl ThreadPool {
    fn open(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs jobs until there has been none for a while.
    fn serve(&self) {
        while let Some(job) = self.next() {
            // Whoever awaits the job learns that it broke off.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<ThreadJob> {
        let mut jobs = self.open();
        if jobs.waiting.is_empty() && !jobs.is_closed {
            jobs.idle += 1;
            let nothing = |jobs: &mut Jobs| jobs.waiting.is_empty() && !jobs.is_closed;
            let waited = self.changed.wait_timeout_while(jobs, Duration::from_secs(IDLE_SECONDS), nothing);
            jobs = waited.unwrap_or_else(PoisonError::into_inner).0;
            jobs.idle -= 1;
        }
        let job = jobs.waiting.pop_front();
        jobs.alive -= usize::from(job.is_none());
        job
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn no_more_threads_than_may_be_and_none_ends_with_its_work() {
        let threads = Threads::new("test", 2);
        let (tell, told) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let may_go_on = Arc::new(Mutex::new(may_go_on));
        for number in 0..6 {
            let (tell, may_go_on) = (tell.clone(), Arc::clone(&may_go_on));
            threads.work(Box::new(move || {
                may_go_on.lock().expect("a channel").recv().expect("the test goes on");
                tell.send((number, std::thread::current().id())).expect("the test listens");
                assert!(number % 2 == 0, "half of it breaks off");
            }));
        }
        assert_eq!(threads.pool.open().alive, 2);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..6 {
            go_on.send(()).expect("a thread waits");
            seen.insert(told.recv().expect("work"));
        }
        let ids: std::collections::HashSet<_> = seen.iter().map(|(_, id)| *id).collect();
        assert!(seen.len() == 6 && ids.len() <= 2, "{seen:?}");
    }

    #[test]
    fn what_has_not_begun_ends_with_its_threads() {
        let threads = Threads::new("test", 1);
        let (tell, told) = channel::<()>();
        let (go_on, may_go_on) = channel::<()>();
        let (begun, has_begun) = channel::<()>();
        threads.work(Box::new(move || {
            begun.send(()).expect("the test listens");
            let _ = may_go_on.recv();
        }));
        has_begun.recv().expect("it begins");
        threads.work(Box::new(move || tell.send(()).expect("the test listens")));
        drop(threads);
        assert!(told.recv().is_err(), "it was dropped");
        drop(go_on);
    }
}
