//! The budget: accounts, ledger entries, admission, and the port to a durable ledger.
//!
//! Promises that spent ≤ cap at every account after every entry, exactly, in integers, and that a decision depends only on the ledger, the
//! policy and the query. No floats decide anything here, and nothing here reads or writes a disk.
//!
//! # Who pays for what
//!
//! For Gaussian noise, a view is one noise path ([`crate::kernel::path`]), and what is paid for is how far along it one can see. The dataset
//! pays for the most exact point that was drawn from its data, each researcher for the most exact point that *they* were given, and so does
//! their project: max(0, the level of the new point − the best level they have paid for), for each view. A point that is no more exact than
//! what is drawn costs the dataset nothing.
//!
//! For Laplace noise, and for answers whose groups have no public list, what is paid for is a *draw*: one noisy vector, drawn once, with one
//! price. The dataset pays for a draw when it is drawn; a researcher and their project pay for it the first time an answer computed from it
//! is served to them. Every draw was paid for like this before there were paths, and such entries are read as they were written.
//!
//! [`entry::Postings`] is what an answer posts to each account.

#![deny(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod people;

pub mod steps;

pub mod issued;

pub mod entry;

pub mod account;

pub mod charge;

pub mod state;

pub mod ledger;

pub mod writer;

pub mod orders;
