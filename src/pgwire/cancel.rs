//! Cancel requests: another connection says that a statement should end.
//!
//! Promises that a request without the right secret does nothing, and that a request ends the statement that runs and none that comes later.
//! Work that is paid for goes on; only its client stops waiting for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::kernel::random::{self, NoRandomness};

/// Bytes of a secret in protocol 3.0, where it is a number, and since 3.2.
const SECRET_BYTES: usize = 32;
const SECRET_BYTES_3_0: usize = 4;

/// The secret of a session, and how it is told.
type Told = (Vec<u8>, Arc<Notify>);

/// The sessions that can be told to end their statement.
#[derive(Default)]
pub(super) struct Cancels(Mutex<HashMap<i32, Told>>);

/// A session's place among those that can be told; it is freed when dropped.
pub(super) struct CancelPlace {
    cancels: Arc<Cancels>,
    /// The number of the connection.
    pub(super) pid: i32,
    /// The secret of the connection.
    pub(super) secret: Vec<u8>,
    /// Resolves for whoever waits when the statement should end.
    pub(super) told: Arc<Notify>,
}

impl Cancels {
    /// A place for a session that speaks this minor version of the protocol.
    pub(super) fn enter(self: &Arc<Self>, minor: u16) -> Result<CancelPlace, NoRandomness> {
        let secret = random::bytes::<SECRET_BYTES>()?;
        let secret = secret[..if minor >= 2 { SECRET_BYTES } else { SECRET_BYTES_3_0 }].to_vec();
        let told = Arc::new(Notify::new());
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = loop {
            let pid = i32::from_be_bytes(random::bytes::<4>()?) & i32::MAX;
            if pid > 0 && !places.contains_key(&pid) {
                break pid;
            }
        };
        places.insert(pid, (secret.clone(), Arc::clone(&told)));
        drop(places);
        Ok(CancelPlace { cancels: Arc::clone(self), pid, secret, told })
    }

    /// Tells the session of this number to end its statement, if the secret is its own.
    pub(super) fn tell(&self, pid: i32, secret: &[u8]) {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, told)) = places.get(&pid)
            && blake3::hash(known) == blake3::hash(secret)
        {
            told.notify_waiters();
        }
    }
}

impl Drop for CancelPlace {
    fn drop(&mut self) {
        self.cancels.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.pid);
    }
}
