//! The worker: one sealed table in a process of its own, behind walls.
//!
//! Promises that it sees one table and computations, no ledger, no key, no network, and that it says integers, and the texts of
//! columns without a public list, and nothing else.
//! Its standard input is the table and its standard output the socket to its server; it is started by a server alone.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use super::polars::Loaded;
use super::wire::{Order, Reply, VERSION, receive, send};
use super::{EngineFault, confine};
use crate::query::plan::{Computation, Measure};
use crate::query::terms::edition::digest_of_file;
use crate::query::terms::policy::Terms;

/// Serves until the server closes the socket.
///
/// # Errors
/// [`EngineFault`] where it was not started by a server, or could not lock its doors.
pub fn run() -> Result<(), EngineFault> {
    confine::follow_parent()?;
    confine::close_inherited()?;
    let table = io::stdin().as_fd().try_clone_to_owned().map_err(|_| EngineFault)?;
    let socket = io::stdout().as_fd().try_clone_to_owned().map_err(|_| EngineFault)?;
    let mut socket = UnixStream::from(socket);
    let Ok(Order::Setup { version, table: (digest, rows), terms, address_space_bytes }) = receive(&mut socket) else {
        return Err(EngineFault);
    };
    if version != VERSION {
        return Err(EngineFault);
    }
    confine::bound_memory(address_space_bytes)?;
    let terms: Terms = serde_json::from_str(&terms).map_err(|_| EngineFault)?;
    let mut table = File::from(table);
    // The bytes that are read are those that were sealed, whatever lies under their name by now.
    if digest_of_file(&mut table).map_err(|_| EngineFault)? != digest {
        return Err(EngineFault);
    }
    let loaded = Loaded::read(table, rows, terms)?;
    // What polars looks up about the machine, it looks up before the doors close.
    loaded.exact(&every_row())?;
    confine::lock()?;
    send(&mut socket, &Reply::Ready).map_err(|_| EngineFault)?;
    while let Ok(order) = receive(&mut socket) {
        let reply = match order {
            Order::Evaluate(computation) => loaded.exact(&computation).map_or(Reply::Failed, Reply::Exact),
            Order::Setup { .. } => Reply::Failed,
        };
        send(&mut socket, &reply).map_err(|_| EngineFault)?;
    }
    Ok(())
}

fn every_row() -> Computation {
    let (filter, keys, measures) = (None, Vec::new(), vec![Measure::Rows]);
    Computation { rows_per_unit: 1, filter, keys, measures, units: None, text: None, left: Vec::new() }
}
