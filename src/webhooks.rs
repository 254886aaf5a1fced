//! Webhooks: stewards' own services are told what happens.
//!
//! The [`watch`] reads the ledger and says what is worth telling, the [`outbox`] keeps it until it was told, [`deliver`] posts one
//! delivery, and the [`notifier`] takes turns with all three. Nothing outside this module depends on it but the command that serves.

pub mod deliver;
pub mod notifier;
pub mod outbox;
pub mod watch;
