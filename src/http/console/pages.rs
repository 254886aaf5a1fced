//! The console: renders pages as text from what the service reports.
//!
//! Promises that a page contains no scripts and styles of its own, that everything entered by people is escaped, and that no page needs
//! anything from other sites. It knows no HTTP: it is given what to show, and returns markup.

pub mod accounts;
pub mod answers;
pub mod ask;
pub mod builder;
pub mod dashboards;
pub mod datasets;
pub mod filled;
pub mod history;
pub mod home;
pub mod ledger;
pub mod links;
pub mod manual;
pub mod people;
pub mod person;
pub mod price;
pub mod policy;
pub mod policy_columns;
pub mod policy_sealing;
pub mod policy_start;
pub mod requests;
pub mod role;
pub mod saved;
pub mod sealings;
pub mod sign_in;
pub mod statistics;
pub mod transparency;
pub mod what_if;
