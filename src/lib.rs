//! Tacit answers aggregate questions about a private table without telling on anyone in it.
//!
//! One binary: researchers ask SQL and get noisy statistics with error bars, stewards set budgets. The map, in the direction
//! of dependence; a module uses what stands above it and nothing below:
//!
//! | module | what it is | the only place with |
//! |---|---|---|
//! | [`hex`], [`chance`], [`clock`], [`terminal`], [`files`], [`telemetry`] | digests as text, random ids, time, output, small text files, logs | the system's clock, printing |
//! | [`privacy`] | units of loss, sensitivities, noise laws, certificates | opendp (with `vault::noise`) |
//! | [`budget`] | people, accounts, entries, the book as their fold, admission, the keeper that commits, the ledger's port | – (no floats, no IO) |
//! | [`vault`] | private values and the one door out: noise and release | opening private values |
//! | [`dataset`] | policies, domains, sealing, editions | reading source files |
//! | [`query`] | SQL to plan, noisy integers to table | sqlparser |
//! | [`engine`] | plan to exact integers | query logic that says polars |
//! | [`store`] | the SQLite ledger, its key and its anchor | rusqlite |
//! | [`service`] | the walk of one query; stewards' acts | – (no HTTP, no polars) |
//! | [`config`], [`startup`] | from files to a running service | – |
//! | [`http`] | routes, roles, problems, formats | axum |
//! | [`client`], [`present`] | our own client; answers as text | ureq |
//! | [`audit`] | a server's claims, tested from outside | – |
//! | [`demo`] | a synthetic clinic and its tour | `rand_distr`, which makes data and never noise |
//! | [`cli`] | the commands | – |
//!
//! # The walk of one query
//!
//! [`query::parse`] → [`query::plan`] → [`privacy::certificate::prices`] → what is stored of it, and who pays (`service::offer`) →
//! [`privacy::certificate::certify`] for what is missing → [`budget::ledger::Ledger::charge`] (durable) →
//! [`engine::Engine::evaluate`] → [`vault::release::release`] → [`vault::combine`] with what is stored →
//! [`budget::ledger::Ledger::record`] (durable, and anchored) → [`http`]. Each step's output
//! is the next one's only way in: `release` takes a [`budget::charge::Receipt`] and a
//! [`vault::private::Private`] by value, so an unpaid answer does not type-check.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod hex;
pub mod chance;
pub mod clock;
pub mod terminal;
pub mod files;
pub mod telemetry;

pub mod privacy;

pub mod budget;

pub mod vault;

pub mod dataset;

pub mod query;

pub mod engine;

pub mod store;

pub mod service;

pub mod config;
pub mod startup;

pub mod http;

pub mod client;
pub mod present;

pub mod audit;

pub mod demo;

pub mod cli;
