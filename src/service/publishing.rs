//! Published statistics: how they are read, checked, drawn and when.

pub mod schedule;
pub mod statistics;
