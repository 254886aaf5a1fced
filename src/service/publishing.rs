//! What is published: editions of datasets, and statistics with their schedules.

pub mod dashboards;
pub mod editions;
pub mod policies;
pub mod schedule;
pub mod statistics;
