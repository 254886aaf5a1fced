//! The PostgreSQL door.

mod catalogue;
pub mod free;
mod published;
pub mod table;
