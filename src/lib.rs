//! Tacit answers aggregate questions about a private table and limits what all answers together can tell about anyone in it.
//!
//! One binary: researchers ask SQL and get noisy statistics with error bars, stewards set budgets, dashboards pull what is published.
//! The map, in the direction of dependence; a module uses what stands above it and nothing below:
//!
//! | module | what it is | the only place with |
//! |---|---|---|
//! | [`manual`] | the manual: one text for rustdoc, the console and the command line | – |
//! | [`hex`], [`chance`], [`clock`], [`terminal`], [`files`], [`telemetry`] | digests as text, random ids, time, output, small text files, private files, logs | the system's clock, printing |
//! | [`privacy`] | units of loss, sensitivities, extents, running sums, noise laws, thresholds, certificates | opendp (with `vault::noise`) |
//! | [`budget`] | people, accounts, entries, the book as their fold, admission, the keeper that commits, the ledger's port | – (no floats, no IO) |
//! | [`vault`] | private values and the one door out: noise and release | opening private values |
//! | [`dataset`] | policies, domains, readers of sources, sealing, drafts, editions | reading source files and databases |
//! | [`query`] | SQL to closed syntax, typed terms with their bounds, plans; noisy integers to tables, formulas, percentiles | sqlparser |
//! | [`engine`] | plan to exact integers; worker processes behind walls | query logic that says polars, seccompiler |
//! | [`store`] | the SQLite ledger, its key and its anchor; copies of a state directory; the outbox of webhooks | rusqlite |
//! | [`service`] | the walk of one query, whose turn it is, the memory it may take, and when it ends; published statistics and their schedule; stewards' acts, requests, files in Git, what is told to webhooks | jiff (with `dataset`, for days of moments; no HTTP, no polars) |
//! | [`config`], [`startup`] | from files to a running service | – |
//! | [`console`] | pages as text: charts, tables, forms, the manual | maud, pulldown-cmark |
//! | [`http`] | routes, roles, problems, formats, the shelf of rendered statistics, the pace of readers | axum |
//! | [`client`], [`present`] | our own client, deliveries of webhooks; answers as text | ureq |
//! | [`audit`] | a server's claims, tested from outside | – |
//! | [`demo`] | a synthetic clinic and its tour | `rand_distr`, which makes data and never noise |
//! | [`cli`] | the commands | – |
//!
//! # What is public, what is private, and where each leaves the process
//!
//! | what | who may see it | where it is | how it leaves |
//! |---|---|---|---|
//! | source rows, ids of units | the steward's files | [`dataset::seal`] reads them once | never: errors name columns and counts, for the steward |
//! | sealed rows | nobody | `editions/`, mode 600; memory of worker processes | never |
//! | exact vectors | nobody | [`vault::private::Private`], a worker's socket pair | only through [`vault::release::release`], with noise that is paid for |
//! | noisy vectors, prices, balances | who paid, the steward | the ledger, [`service::stored`] | [`http`], [`present`] |
//! | texts without a public list | nobody; those of enough units, everybody who asks | [`dataset::edition`], worker processes, [`vault::private::Private`] | above a noisy threshold, [`vault::release`], [`privacy::threshold`] |
//! | row counts, clamps, digests of tables | the steward | sealing's report beside its table, mode 600; manifests | `tacit seal` prints the report, a steward's page of the dataset shows it; the ledger holds a keyed commitment |
//! | published statistics | everybody, where their file says public; otherwise stewards, researchers with an allocation of their dataset, and viewers who were given it ([`service::sight`]); those that wait for a steward's confirmation, stewards alone | the ledger, [`http`]'s shelf | `GET /v1/statistics`, `/s/{name}` |
//! | who the operator is, what is held, projects, purposes, what is spent | everybody | the ledger | `/transparency` |
//! | balances, counts, incidents | the steward, programs on this machine | the ledger | `GET /metrics`, webhooks |
//! | sessions | their browser | a key of this process | a signed cookie |
//! | policies, domains, caps, editions' ids | everybody with a token | [`dataset::policy`] | `GET /v1/datasets` |
//! | questions, purposes, people | the steward; each their own | the ledger | `GET /v1/ledger` |
//! | tokens | their holder, once | only their digest is kept | `POST /v1/researchers`, `/v1/apply`, `/people`, once |
//! | moments of answers | everybody who asks | – | when it was asked; when it was ready only without `pad_ms` ([`service::pad`]) |
//! | words of libraries | nobody | lost in [`engine`], [`dataset::source`], [`store`] | never; logs hold our own events ([`telemetry`]) |
//!
//! # The walk of one query
//!
//! [`query::parse`] → [`query::plan`] → [`privacy::certificate::prices`] → what is stored of it, and who pays (`service::offer`) →
//! [`privacy::certificate::certify`] for what is missing → [`budget::ledger::Ledger::charge`] (durable) →
//! [`engine::Engine::evaluate`] (in a worker process, [`engine::worker`]) → [`vault::release::release`] → [`vault::combine`] with what is stored →
//! [`budget::ledger::Ledger::record`] (durable, and anchored) → [`http`]. Each step's output
//! is the next one's only way in: `release` takes a [`budget::charge::Receipt`] and a
//! [`vault::private::Private`] by value, so an unpaid answer does not type-check.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod manual;

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

pub mod console;

pub mod http;

pub mod client;
pub mod present;

pub mod audit;

pub mod demo;

pub mod cli;
