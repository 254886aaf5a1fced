//! Datasets: their policies, the domains of their columns, the sealing of their tables, and the editions that result.
//!
//! Promises that a sealed table conforms to its policy: integers within the declared bounds, at most
//! the declared number of rows per unit, no identifiers, and no nulls in columns that do not allow
//! them. It knows no SQL and no accounts. Whatever it reports about rows goes to the steward alone.

pub mod labels;

pub mod domain;

pub mod reading;

pub mod columns;

pub mod policy;

pub mod stated;

pub mod edition;
pub(crate) mod source;
pub(crate) mod day;
