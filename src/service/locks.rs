//! One question at a time per key and per view, so that two equal ones do not both pay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::budget::entry::Digest;

type Key = (String, Digest);

/// Locks by person and digest.
#[derive(Default)]
pub(super) struct KeyedLocks {
    locks: Mutex<HashMap<Key, Arc<AsyncMutex<()>>>>,
}

impl KeyedLocks {
    /// Waits for the lock of (`who`, `digest`).
    pub(super) async fn lock(&self, who: &str, digest: &Digest) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            if locks.len() > super::QUERIES_MAX {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            Arc::clone(locks.entry((who.to_owned(), *digest)).or_default())
        };
        lock.lock_owned().await
    }
}
