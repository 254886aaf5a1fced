//! The worker: one sealed table in a confined process of its own.
//!
//! Promises that it sees one table and computations, but no ledger, key or network, and that it sends only integers, and the texts of
//! columns without a public list. Its standard input is the table, and its standard output is the socket to its server; only a server
//! starts it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use super::confine;
use super::polars::Loaded;
use super::port::EngineFault;
use super::wire::{Order, Reply, VERSION, receive, send};
use crate::query::terms::policy::Terms;

/// Serves computations until the server closes the socket.
///
/// # Errors
/// [`EngineFault`] if it was not started by a server, or could not confine itself.
pub fn run() -> Result<(), EngineFault> {
    confine::follow_parent()?;
    confine::close_inherited()?;
    let table = io::stdin().as_fd().try_clone_to_owned().map_err(|_| EngineFault)?;
    let socket = io::stdout().as_fd().try_clone_to_owned().map_err(|_| EngineFault)?;
    let mut socket = UnixStream::from(socket);
    let Ok(Order::Setup { version, table: facts, terms, address_space_bytes }) = receive(&mut socket) else {
        return Err(EngineFault);
    };
    if version != VERSION {
        return Err(EngineFault);
    }
    confine::bound_memory(address_space_bytes)?;
    let terms: Terms = serde_json::from_str(&terms).map_err(|_| EngineFault)?;
    let loaded = Loaded::open(File::from(table), &facts, terms)?;
    let ready = Reply::Ready { blocks: loaded.blocks() as u64, is_checked: loaded.is_checked() };
    confine::lock()?;
    send(&mut socket, &ready).map_err(|_| EngineFault)?;
    while let Ok(order) = receive(&mut socket) {
        let reply = match order {
            Order::Evaluate { computation, blocks: (start, end) } => {
                loaded.exact(&computation, start as usize..end as usize).map_or(Reply::Failed, Reply::Exact)
            }
            Order::Check { columns, blocks: (start, end) } => {
                let bad = (start..end).find(|block| !loaded.check(*block as usize, &columns));
                bad.map_or(Reply::Sound, |block| Reply::Bad { block })
            }
            Order::Setup { .. } => Reply::Failed,
        };
        send(&mut socket, &reply).map_err(|_| EngineFault)?;
    }
    Ok(())
}
