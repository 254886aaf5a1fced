//! Stewards' acts: people, grants, requests, and the files that declare them.

pub mod accounts;
pub mod declared;
pub mod entries;
pub mod fault;
pub mod grants;
pub mod outlook;
pub mod requests;
pub mod roles;
pub mod month;
pub mod people;
pub mod scram;
pub mod tokens;
pub(crate) mod uses;
