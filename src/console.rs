//! The console: pages as text, from what the service says.
//!
//! Promises that a page holds no script and no style of its own, that everything said by people is escaped, and that no page needs
//! anything from elsewhere. It knows no HTTP: it is given what to show, and returns markup.

pub mod accounts;
pub mod answers;
pub mod ask;
pub mod assets;
pub mod chart;
pub mod datasets;
pub mod figure;
pub mod frame;
pub mod ledger;
pub mod manual;
pub mod people;
pub mod published;
pub mod requests;
pub mod sign_in;
pub mod statistics;
pub mod transparency;
pub mod vega;
pub mod what_if;
