//! A fair semaphore for threads: whoever waits longest comes next.
//!
//! Promises that no more pieces of work are computed at once than there are permits, whatever the number of datasets and workers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

/// The permits to compute on this machine, which all lanes share.
pub(super) struct Permits {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    free: usize,
    next: u64,
    /// Numbers of the threads that wait, in the order in which they came.
    waiting: VecDeque<u64>,
}

/// A permit, which is returned when it is dropped.
pub(super) struct Permit<'a>(&'a Permits);

impl Permits {
    pub(super) fn new(count: usize) -> Self {
        let state = State { free: count.max(1), next: 0, waiting: VecDeque::new() };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits for a permit.
    pub(super) fn acquire(&self) -> Permit<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(number);
        let must_wait = |state: &mut State| state.free == 0 || state.waiting.front() != Some(&number);
        let mut state = self.changed.wait_while(state, must_wait).unwrap_or_else(PoisonError::into_inner);
        state.waiting.pop_front();
        state.free -= 1;
        self.changed.notify_all();
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).free += 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::Permits;
    use std::sync::{PoisonError, mpsc};

    #[test]
    fn permits_go_to_whoever_waits_longest() {
        let permits = Permits::new(1);
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            let held = permits.acquire();
            for number in 0..4 {
                let (permits, tell) = (&permits, tell.clone());
                scope.spawn(move || {
                    let permit = permits.acquire();
                    tell.send(number).expect("a listener");
                    drop(permit);
                });
                // The next thread comes only after this one waits.
                while permits.state.lock().unwrap_or_else(PoisonError::into_inner).waiting.len() <= number {
                    std::thread::yield_now();
                }
            }
            assert!(told.try_recv().is_err(), "nobody computes without a permit");
            drop(held);
        });
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
