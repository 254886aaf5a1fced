//! The service: how one query gets from its text to a stored answer.
//!
//! It guarantees the order of the steps: parse, plan, price, look for stored answers, charge durably, evaluate, release, record,
//! and only then answer. Serving a stored answer never spends the dataset's budget. The module knows no HTTP and no polars;
//! everything from outside, including noise and time, comes in through [`Ports`].

pub(crate) mod dataset;
pub(crate) mod error;
pub(crate) mod held;
pub(crate) mod running;
pub(crate) mod views;
pub mod shares;
pub mod access;
pub mod problem;
pub mod asking;
pub mod stewarding;
pub mod publishing;

pub use asking::answer::Answer;
pub use asking::place::QUERIES_MAX;
pub use asking::price::Priced;
pub use dataset::Dataset;
pub use error::{Refused, ServiceError};
pub use running::{Current, Ports, Service};
