//! What is published: editions of datasets, and statistics with their schedules.

pub mod adoption;
pub mod dashboards;
pub mod editions;
pub mod loading;
pub mod policies;
pub mod saved_policies;
pub mod schedule;
pub mod sealings;
pub mod statistics;
pub mod uploads;
