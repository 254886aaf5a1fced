//! Sealing turns source files into a bounded, integer-coded edition.
//!
//! Promises that each unit keeps at most the declared number of rows, chosen by a keyed hash of its id
//! and the rows' values: other units and positions in the file have no influence. A source that does
//! not fit leaves nothing behind. The key is random and forgotten; the report is for the steward alone.

mod error;
mod exclude;
mod ids;
mod joined;
mod opened;
mod several;
mod public;
mod report;
mod single;
mod staging;
mod table;
mod blocks;
pub mod encode;
pub mod spill;
pub mod draft;
pub mod source;
mod steps;
mod cells;
mod superseded;

pub use error::SealError;
pub use public::read_public;
pub use report::{Report, SourceFacts, TableReport};
pub use staging::staging_beside;

pub use self::steps::{check_source, seal, seal_with_key};
pub use self::superseded::{clear_editions, clear_superseded, hold_editions};
