//! The PostgreSQL door: the tools that people already use, over the protocol that they already speak.
//!
//! Promises that connecting, preparing and describing are free and touch no data, that a question is charged once for each portal, when it is
//! first executed, by work that a client who hangs up does not cancel, and that an error of a statement leaves the connection alive. A person
//! comes in by name and token, which is never sent (SCRAM-SHA-256), and may do what their role allows at every door. It knows nothing of HTTP.
//!
//! Frames are encoded by the crate `pgwire`, and decoded by [`frames`]: a count that promises more than its frame holds is an error here.

pub mod accept;
pub mod door;
pub mod frames;
pub mod free;
pub mod settings;
pub mod table;

mod asking;
mod binding;
mod cancel;
mod catalogue;
mod columns;
mod commands;
mod copy;
mod extended;
mod fault;
mod link;
mod numeric;
mod oids;
mod params;
mod places;
mod portals;
mod published;
mod scram;
mod sending;
mod series;
mod session;
mod simple;
mod startup;
mod statements;
mod talk;
mod values;
