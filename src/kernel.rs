//! The privacy core: what an auditor reads. Units of loss and noise, the budget and its entries, and the only way out for private values; no IO, no async.

pub mod random;
pub mod clock;
pub mod privacy;
pub mod path;
pub mod budget;
pub mod vault;
