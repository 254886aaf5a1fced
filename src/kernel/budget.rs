//! The budget: accounts, ledger entries, admission, and the port to a durable ledger.
//!
//! Promises that spent ≤ cap at every account after every entry, exactly, in integers, and that a decision depends only on the ledger, the
//! policy and the query. No floats decide anything here, and nothing here reads or writes a disk.
//!
//! # Who pays for what
//!
//! What is paid for is a *draw*: one noisy vector, drawn once, with one price. The dataset pays for a draw when it is drawn, and never
//! again. A researcher, and the project they belong to, pays for a draw the first time an answer computed from it is served to them,
//! whoever had it drawn. So asking again is free, and asking what a colleague has asked costs one's own account once and the dataset
//! nothing. [`entry::Postings`] is what an answer posts to each account.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod people;

pub mod entry;

pub mod account;

pub mod charge;

pub mod state;

pub mod ledger;

pub mod writer;

pub mod orders;
