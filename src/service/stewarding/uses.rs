//! When tokens were last used.
//!
//! Promises that noting a use writes to no disk and rarely to memory: it is kept to the minute, since the server started. What somebody did
//! before that is in the ledger, which knows everybody's last act.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::kernel::budget::entry::Digest;

/// Uses within so many milliseconds of the one that was noted last are not noted.
const USE_MS: u64 = 60_000;

/// When each token was last used, in memory.
#[derive(Debug, Default)]
pub struct TokenUses(RwLock<HashMap<Digest, AtomicU64>>);

impl TokenUses {
    /// Notes the use of a token that somebody holds.
    pub(in crate::service) fn note(&self, token: &Digest, now_ms: u64) {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = known.get(token) {
                if now_ms.saturating_sub(last.load(Ordering::Relaxed)) >= USE_MS {
                    last.store(now_ms, Ordering::Relaxed);
                }
                return;
            }
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(*token, AtomicU64::new(now_ms));
    }

    /// The last use of a token, to the minute, in milliseconds since 1970 in UTC; `None` if it was not used since the server started.
    #[must_use]
    pub fn last_ms(&self, token: &Digest) -> Option<u64> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(token).map(|last| last.load(Ordering::Relaxed))
    }
}
