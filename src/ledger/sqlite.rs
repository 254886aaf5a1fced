//! The ledger's SQLite database: its tables, the journal of entries, and how they are opened and read.

pub(crate) mod database;
pub(crate) mod journal;
pub(crate) mod open;
pub mod outbox;
pub mod policy_texts;
pub mod questions;
pub(crate) mod stream;
