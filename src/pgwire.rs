//! The PostgreSQL door: tools that speak PostgreSQL see datasets as schemas and published statistics as tables.

mod catalogue;
pub mod free;
mod published;
pub mod table;
