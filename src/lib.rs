//! Tacit answers aggregate questions about a private table and limits what all answers together can tell about anyone in it.
//!
//! One binary: researchers ask SQL and get noisy statistics with error bars, stewards set budgets, dashboards pull what is published.
//! The map, from the ground up; a module uses what stands above it in this table and nothing below:
//!
//! | module | what it holds | the only place with |
//! |---|---|---|
//! | [`manual`] | the manual: one text for rustdoc, the console and the command line | – |
//! | [`hex`], [`terminal`], [`files`], [`telemetry`] | digests as text, output to the terminal and its tables, text files and private files, logs | printing |
//! | [`kernel`] | `privacy` (loss, sensitivities, noise laws, thresholds, certificates), `path` (the noise path of a view), `budget` (entries, the state they fold into, admission, the writer), `vault` (private values and their only way out: noise and release), `random`, `clock` | opendp; the system's clock; opening private values. No IO, no async |
//! | [`query`] | `terms` (policies, domains, editions: what is public about a dataset), SQL to closed syntax, names bound to unit-local relations over the dataset's tables, typed terms with their bounds, plans and the `computation` in each; `answer`: noisy integers to tables, formulas, percentiles | sqlparser, for questions; never a row |
//! | [`engine`] | `seal` (reading sources, encoding, one numbering of units over all tables, drafts), relations of each unit's rows, a plan to exact integers in one pass over blocks of columns, worker processes behind walls | rows, polars, seccompiler |
//! | [`ledger`] | the SQLite ledger, its key and its anchor; verification; copies and recovery of a state directory; the tables of the webhooks' outbox and of saved questions | rusqlite on disk |
//! | [`service`] | `asking` (the path of one question), `stewarding` (people, grants, requests, declared files), `publishing` (editions, statistics and their schedule, dashboards), `access` (who may see what), `problem` (the wording of every refusal) | – (no HTTP) |
//! | [`render`] | charts as SVG and PNG, figures, Vega-Lite, samples for monitoring, the frame of a page, an answer as text, prices and balances in words | resvg |
//! | [`config`], [`startup`] | from files to a running service | – |
//! | [`net`] | listener, TLS and the pace of readers, for every door | – |
//! | [`pgwire`] | the PostgreSQL door: connections, SCRAM, statements, portals, values on the wire; its catalogue, and published statistics as tables | pgwire; a SQLite in memory |
//! | [`http`] | `api` (one file for each noun), `console` (pages), roles, formats | axum, pulldown-cmark |
//! | [`client`] | our own client; the catalogue of what may be asked; a steward's acts, on a state directory or through a server | ureq (with `webhooks`) |
//! | [`webhooks`] | what is worth telling a steward's own services, the outbox, signed deliveries | standardwebhooks |
//! | [`audit`] | a server's claims, tested from outside | – |
//! | [`demo`] | a synthetic clinic and its tour | `rand_distr`, which makes data and never noise |
//! | [`cli`] | the commands, the prompt | rustyline, clap_complete |
//!
//! # What is public, what is private, and where each leaves the process
//!
//! | what | who may see it | where it is | how it leaves |
//! |---|---|---|---|
//! | source rows, ids of units | the steward's files | [`engine::seal`] reads them once | never: errors name columns and counts, for the steward |
//! | sealed rows | nobody | `editions/`, mode 600; worker processes, which map them | never |
//! | exact vectors | nobody | [`kernel::vault::private::Private`], a worker's socket pair | only through [`kernel::vault::release::release`], with noise that is paid for |
//! | noisy vectors, prices, balances | who paid, the steward | the ledger, [`service::asking::stored`] | [`http`], [`pgwire`], [`render`] |
//! | noisy vectors that other ones are made from | nobody | the ledger: points in stored answers that are more exact than what was paid for | never: an answer shows what its asker has paid for |
//! | texts without a public list | nobody; those of enough units, everybody who asks | [`query::terms::edition`], worker processes, [`kernel::vault::private::Private`] | above a noisy threshold, [`kernel::vault::release`], [`kernel::privacy::threshold`] |
//! | row counts, clamps, digests of tables | the steward | sealing's report beside its table, mode 600; manifests | `tacit seal` prints the report, a steward's page of the dataset shows it; the ledger holds a keyed commitment |
//! | published statistics | everybody, where their file says public; otherwise stewards, researchers with an allocation of their dataset, and viewers who were given it ([`service::access`]); those that wait for a steward's confirmation, stewards alone | the ledger, [`http`]'s shelf | `GET /v1/statistics`, `/s/{name}` |
//! | who the operator is, what is held, projects, purposes, what is spent | everybody | the ledger | `/transparency` |
//! | balances, counts, incidents | the steward, programs on this machine | the ledger | `GET /metrics`, webhooks |
//! | what somebody shares by a signed link | whoever has the link, until its end or its maker's | nowhere: the link holds an end and the digest of a token, under the key in `links.key` | `POST /v1/links`; statistics and answers by address |
//! | sessions | their browser | a key of this process | a signed cookie |
//! | policies as they were sealed through a server | the steward | beside their table, mode 600 | a sealing's page |
//! | policies, domains, caps, editions' ids | everybody with a token | [`query::terms::policy`] | `GET /v1/datasets` |
//! | rows of public tables | everybody with a token | [`query::terms::policy`], manifests, worker processes | answers to questions about them |
//! | questions, purposes, people | the steward; each their own | the ledger | `GET /v1/ledger`, `/ledger` and its exports |
//! | saved questions | their owner | a table beside the ledger's chain | `/ask` |
//! | files that stewards upload | stewards, who seal them; a process of its own drafts a policy from one ([`engine::drafting`]) | `uploads/`, mode 600, for some days | never: a draft holds bounds and lists that were seen, marked as such, for stewards |
//! | policies that are being written | the steward who writes them | a table beside the ledger's chain | `/policy` |
//! | when tokens were last used | the steward | this process, to the minute | `/people/{name}`, `GET /v1/researchers/{name}/tokens` |
//! | tokens | their holder, once | only their digest and a SCRAM verifier are kept | `POST /v1/researchers`, `/v1/researchers/{name}/tokens`, `/v1/apply`, `/people`, once |
//! | moments of answers | everybody who asks | – | when it was asked; when it was ready only without `pad_ms` ([`service::asking::pad`]) |
//! | words of libraries | nobody | lost in [`engine`], [`engine::seal::source`], [`ledger`] | never; logs hold our own events ([`telemetry`]) |
//!
//! # The path of one question
//!
//! [`query::parse`] → [`query::plan`] (names are bound, then everything is planned over the relation) → [`kernel::privacy::certificate::prices`] → what is stored of it, and who pays (`service::asking::offer`) →
//! [`kernel::privacy::certificate::certify`] for what is missing → [`kernel::budget::ledger::Ledger::charge`] (durable) →
//! [`engine::Engine::evaluate`] (in a worker process, [`engine::worker`]) → [`kernel::vault::release::release`] → [`kernel::vault::points`], the points of
//! noise paths that are made of what was drawn and what is stored → [`kernel::vault::combine`] →
//! [`kernel::budget::ledger::Ledger::record`] (durable, and anchored) → [`http`]. Each step's output
//! is the next one's only way in: `release` takes a [`kernel::budget::charge::Receipt`] and a
//! [`kernel::vault::private::Private`] by value, so an unpaid answer does not type-check.

pub mod manual;

pub mod terminal;
pub mod files;
pub mod telemetry;

pub mod kernel;

pub mod query;

pub mod engine;

pub mod ledger;

pub mod service;

pub mod render;

pub mod config;
pub mod startup;

pub mod net;

pub mod pgwire;

pub mod http;

pub mod client;

pub mod webhooks;

pub mod audit;

pub mod demo;

pub mod cli;
