//! Datasets: policies, domains, sealing, editions.
//!
//! Promises that a sealed table conforms to its policy: integers within declared bounds, at most the declared rows per unit, no
//! identifier, no undeclared null. It knows no SQL and no accounts. What it says about rows goes to the steward alone.

pub mod labels;

pub mod domain;

pub mod reading;

pub mod columns;

pub mod policy;

pub mod edition;
