//! The integration tests: one binary, because each links polars.

#![expect(clippy::disallowed_macros, reason = "tests print what they measured")]

mod support;

mod accounts;
mod answers;
mod audit;
mod bad_input;
mod binary;
mod browser;
mod canary;
mod capacity;
mod clamping;
mod console;
mod coverage;
mod declared;
mod crash;
mod differential;
mod doors;
mod field;
mod free;
mod fuzz;
mod gdp;
mod grammar;
mod http_limits;
mod joins;
mod means;
mod metrics;
mod noise;
mod oracle;
mod order;
mod pad;
mod policies;
mod postgres;
mod race;
mod ratchet;
mod real_table;
mod refused;
mod requests;
mod rooms;
mod running;
mod sealing;
mod sharing;
mod simulation;
mod statistics;
mod supply;
mod tables;
mod tampering;
mod texts;
mod tidy;
mod tree;
mod twins;
mod workers;
