//! The budget: accounts, entries, admission and the port to a durable ledger.
//!
//! Promises that spent ≤ cap at every account after every entry, exactly, in integers, and that a decision depends on the
//! ledger, the policy and the question alone. No floats decide anything here, and nothing here reads or writes a disk.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod people;

pub mod entry;

pub mod charge;

pub mod book;

pub mod ledger;
