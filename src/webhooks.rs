//! Webhooks: a steward's own services are told what happens.
//!
//! The [`watch`] reads the ledger and decides what is worth telling, the [`outbox`] keeps it until it has been told, [`deliver`] posts one
//! delivery, and the [`notifier`] runs all three, turn by turn. Only the command that serves uses this module.

pub mod deliver;
pub mod notifier;
pub mod outbox;
pub mod watch;

use crate::ledger::OpenError;
use crate::ledger::sqlite::outbox::OutboxFault;
use deliver::BadSecret;

/// Why the webhooks of a configuration cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The file of a secret cannot be read.
    #[error("{path}: cannot be read: {}", crate::files::because(*kind))]
    Unreadable {
        /// Path of the file that holds the secret.
        path: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The file of a secret is empty, or its base64 is damaged.
    #[error("{path}: holds no secret; {why}")]
    Secret {
        /// Path of the file that holds the secret.
        path: String,
        /// What is accepted.
        why: BadSecret,
    },
    /// The ledger's file, which the outbox is in, cannot be opened.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The folder in which an earlier version kept the outbox cannot be read or removed.
    #[error("{path}: cannot be used: {kind}")]
    Folder {
        /// Path of the old outbox folder.
        path: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The outbox cannot be read or written.
    #[error(transparent)]
    Outbox(#[from] OutboxFault),
}
