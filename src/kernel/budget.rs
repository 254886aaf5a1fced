//! The budget: accounts, entries, admission and the port to a durable ledger.
//!
//! Promises that spent ≤ cap at every account after every entry, exactly, in integers, and that a decision depends on the
//! ledger, the policy and the question alone. No floats decide anything here, and nothing here reads or writes a disk.
//!
//! # Who pays for what
//!
//! The unit of account is the *draw*: one noisy vector, drawn once, with one price. The dataset pays for a draw when it is drawn and
//! never again. A researcher, and the project they belong to, pays for a draw the first time that an answer served to them is
//! computed from it, whoever had it drawn; so asking again is free, and asking what a colleague asked costs one's own account
//! once and the dataset nothing. What an answer posts to each account is [`entry::Legs`].

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod people;

pub mod entry;

pub mod account;

pub mod charge;

pub mod state;

pub mod ledger;

pub mod writer;
