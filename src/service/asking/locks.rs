//! Locks that admit one question at a time per idempotency key and per view, so that two equal questions do not both pay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::kernel::budget::entry::Digest;

type Key = (String, Digest);

/// Locks by person and digest. A lock exists for as long as somebody holds it or waits for it.
#[derive(Default)]
pub(crate) struct KeyedLocks {
    table: Arc<LockTable>,
}

#[derive(Default)]
struct LockTable {
    locks: Mutex<HashMap<Key, Arc<AsyncMutex<()>>>>,
}

impl LockTable {
    fn open(&self) -> MutexGuard<'_, HashMap<Key, Arc<AsyncMutex<()>>>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A held lock. It is released when this is dropped.
#[must_use = "a lock is free again once it is dropped"]
pub(crate) struct HeldLock {
    // Fields are dropped in this order: the lock is released before its last holder checks whether it is the last.
    _guard: OwnedMutexGuard<()>,
    _use: LockUse,
}

/// Counts somebody who holds a lock or waits for it.
struct LockUse {
    table: Arc<LockTable>,
    key: Key,
    lock: Option<Arc<AsyncMutex<()>>>,
}

impl Drop for LockUse {
    fn drop(&mut self) {
        // The table's own reference and this one.
        const OF_THE_LAST: usize = 2;
        let mut locks = self.table.open();
        if self.lock.take().is_some_and(|lock| Arc::strong_count(&lock) == OF_THE_LAST) {
            locks.remove(&self.key);
        }
    }
}

impl KeyedLocks {
    /// Waits for the lock of (`who`, `digest`).
    pub(crate) async fn lock(&self, who: &str, digest: &Digest) -> HeldLock {
        let key = (who.to_owned(), *digest);
        let lock = Arc::clone(self.table.open().entry(key.clone()).or_default());
        let used = LockUse { table: Arc::clone(&self.table), key, lock: Some(Arc::clone(&lock)) };
        HeldLock { _guard: lock.lock_owned().await, _use: used }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn a_lock_is_gone_with_its_last_holder_and_whoever_stopped_waiting() {
        let locks = KeyedLocks::default();
        let known = || locks.table.open().len();
        let (first, other) = (locks.lock("ada", &[1; 32]).await, locks.lock("bob", &[1; 32]).await);
        assert_eq!(known(), 2);
        {
            let mut waiting = pin!(locks.lock("ada", &[1; 32]));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(other);
            assert_eq!(known(), 1);
            drop(first);
            let second = waiting.await;
            assert_eq!(known(), 1, "the lock was handed on");
            let mut late = Box::pin(locks.lock("ada", &[1; 32]));
            assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(late);
            assert_eq!(known(), 1, "the lock is still held");
            drop(second);
        }
        assert_eq!(known(), 0);
    }
}
