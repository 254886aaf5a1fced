//! The HTTP API: one file for each noun.

pub(crate) mod accounts;
pub(crate) mod datasets;
pub(crate) mod declared;
pub(crate) mod document;
pub(crate) mod response;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod ledger;
pub(crate) mod links;
pub(crate) mod metrics;
pub(crate) mod publishing;
pub(crate) mod queries;
pub(crate) mod quotes;
pub(crate) mod releases;
pub(crate) mod requests;
pub(crate) mod researchers;
pub(crate) mod samples;
pub(crate) mod sealings;
pub(crate) mod statistics;
pub(crate) mod tokens;
