//! What is published: editions of datasets, and statistics with their schedules.

pub mod editions;
pub mod schedule;
pub mod statistics;
