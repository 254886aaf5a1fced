//! The outbox: what webhooks are to be told, until they have been told or a week has passed.
//!
//! Promises that a delivery that was put into it is made at least once or dropped with a warning, that the place up to which the ledger
//! has been told moves together with the deliveries that this adds, and that the outbox is bounded. It is in the ledger's file, and one
//! process has it open at a time: whoever holds the ledger. It posts nothing itself, and logs neither bodies nor addresses.

mod folder;

use std::path::Path;

use super::WebhookError;
use crate::kernel::random;
use crate::ledger::sqlite::outbox::{Cursor, Delivery, OutboxFault, OutboxTables};
use crate::ledger::{OUTBOX, WriteLock};
use folder::OutboxFolder;

/// Maximum number of deliveries that wait. Beyond it a new one drops the oldest.
pub const WAITING_MAX: usize = 10_000;
/// Maximum number of deliveries that are returned as due at once; the others are due when these are done.
pub const DUE_MAX: usize = 100;
/// Milliseconds between a first attempt that failed and the next one. The pause doubles with each further attempt.
const PAUSE_MS_MIN: u64 = 10_000;
/// Maximum number of milliseconds between two attempts.
const PAUSE_MS_MAX: u64 = 3_600_000;
/// Milliseconds after which a delivery that has never succeeded is given up.
const AGE_MS_MAX: u64 = 7 * 24 * 3_600_000;

/// A message for one webhook that is not in the outbox yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event's name.
    pub event: &'static str,
    /// The JSON text to post.
    pub body: String,
    /// The URL to post it to.
    pub webhook: String,
}

/// Why messages were not put into the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The outbox cannot be written.
    #[error(transparent)]
    Outbox(#[from] OutboxFault),
    /// The system gave no random bytes for an id.
    #[error(transparent)]
    NoChance(#[from] random::NoRandomness),
}

/// The outbox of a state directory.
pub struct Outbox {
    tables: OutboxTables,
}

impl Outbox {
    /// Opens the outbox in the ledger of a state directory, which this process holds and whose lock this is. What an earlier version left
    /// in a folder is taken over first.
    ///
    /// # Errors
    /// [`WebhookError::Ledger`], [`WebhookError::Folder`], [`WebhookError::Outbox`].
    pub fn open(state: &Path, lock: WriteLock) -> Result<Self, WebhookError> {
        let tables = OutboxTables::open(state, lock)?;
        let dir = state.join(OUTBOX);
        let unusable =
            |error: std::io::Error| WebhookError::Folder { path: dir.display().to_string(), kind: error.kind() };
        if let Some(folder) = OutboxFolder::read(&dir).map_err(unusable)? {
            // Nothing is delivered before the files are gone, and ids that are there already are left out. So a crash in between
            // neither loses a delivery nor makes one twice.
            let known = tables.cursor()?.map_or(0, |cursor| cursor.seq);
            let cursor = folder.cursor().filter(|cursor| cursor.seq > known);
            warn_dropped(&tables.put(folder.deliveries(), cursor, WAITING_MAX)?);
            folder.remove().map_err(unusable)?;
        }
        Ok(Self { tables })
    }

    /// How far the ledger has been told; `None` if nobody has told anything yet.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn cursor(&self) -> Result<Option<Cursor>, OutboxFault> {
        self.tables.cursor()
    }

    /// Says how far the ledger has been told without adding a delivery.
    ///
    /// # Errors
    /// [`OutboxFault`]; then the cursor is where it was.
    pub fn set_cursor(&self, cursor: &Cursor) -> Result<(), OutboxFault> {
        self.tables.put(&[], Some(cursor), WAITING_MAX).map(|_| ())
    }

    /// Puts messages into the outbox, each due at once under a new id, and moves the cursor with them: both are on disk when this returns.
    /// If the outbox is full, the oldest deliveries are dropped.
    ///
    /// # Errors
    /// [`PutError`]; then nothing was put, and the cursor is where it was.
    pub fn put(&self, messages: &[Message], cursor: &Cursor, now_ms: u64) -> Result<(), PutError> {
        let delivery = |message: &Message| -> Result<Delivery, random::NoRandomness> {
            let Message { event, body, webhook } = message.clone();
            let (id, event) = (random::id("evt")?, event.to_owned());
            Ok(Delivery { id, event, at_ms: now_ms, body, webhook, attempts: 0, next_ms: now_ms })
        };
        let deliveries = messages.iter().map(delivery).collect::<Result<Vec<_>, _>>()?;
        warn_dropped(&self.tables.put(&deliveries, Some(cursor), WAITING_MAX)?);
        Ok(())
    }

    /// The deliveries that are due, oldest first, at most [`DUE_MAX`]. They stay due until [`Outbox::delivered`] or [`Outbox::failed`] is
    /// called for them.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn due(&self, now_ms: u64) -> Result<Vec<Delivery>, OutboxFault> {
        self.tables.due(now_ms, DUE_MAX)
    }

    /// Removes a delivery that was made. An id that is not there changes nothing.
    ///
    /// # Errors
    /// [`OutboxFault`]; then the delivery is still due.
    pub fn delivered(&self, id: &str) -> Result<(), OutboxFault> {
        self.tables.remove(id)
    }

    /// Puts off a delivery that failed, for longer each time, and drops it after seven days.
    ///
    /// # Errors
    /// [`OutboxFault`]; then the delivery is still due.
    pub fn failed(&self, delivery: &Delivery, now_ms: u64) -> Result<(), OutboxFault> {
        let Delivery { id, at_ms, attempts, .. } = delivery;
        if now_ms.saturating_sub(*at_ms) >= AGE_MS_MAX {
            self.tables.remove(id)?;
            tracing::warn!(delivery = id, age_ms_max = AGE_MS_MAX, "a delivery failed for too long and was dropped");
            return Ok(());
        }
        self.tables.put_off(id, attempts.saturating_add(1), now_ms.saturating_add(pause_ms(*attempts)))
    }

    /// The number of deliveries that wait.
    ///
    /// # Errors
    /// [`OutboxFault`].
    pub fn count(&self) -> Result<usize, OutboxFault> {
        self.tables.count()
    }
}

/// Milliseconds until the next attempt of a delivery that had failed so often before it failed once more.
fn pause_ms(attempts: u32) -> u64 {
    PAUSE_MS_MIN.saturating_mul(2_u64.saturating_pow(attempts)).min(PAUSE_MS_MAX)
}

fn warn_dropped(dropped: &[String]) {
    for id in dropped {
        tracing::warn!(delivery = id, waiting_max = WAITING_MAX, "the outbox is full: its oldest delivery was dropped");
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
