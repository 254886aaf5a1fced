//! The protocol between server and worker: frames of plain data over a socket pair.
//!
//! Promises that nothing but setups, computations, integers and sealed texts can be sent: the protocol has no place for a library's error
//! text.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};

use super::polars::StoredColumns;
use crate::kernel::vault::private::Exact as Found;
use crate::query::computation::Computation;
use crate::query::terms::edition::layout::TableFacts;

/// A message with a bound on its size.
pub(super) trait WireMessage: BorshSerialize + BorshDeserialize {
    /// Maximum size of its frame, in bytes.
    const FRAME_BYTES_MAX: u32;
}

/// Larger than the terms of any dataset: public tables are bounded.
impl WireMessage for Order {
    const FRAME_BYTES_MAX: u32 = 1 << 30;
}

/// Larger than any answer's vectors.
impl WireMessage for Reply {
    const FRAME_BYTES_MAX: u32 = 64 << 20;
}

/// Version of the protocol, which must be equal at both ends; it differs if the binary was replaced under a running server.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Messages from the server to a worker.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Order {
    /// The first message: map or read the table that is the standard input under these terms, then confine yourself.
    Setup {
        /// [`VERSION`] of the server.
        version: String,
        /// What the manifest says of the table.
        table: TableFacts,
        /// The dataset's terms, as JSON.
        terms: String,
        /// Maximum address space, in bytes.
        address_space_bytes: u64,
    },
    /// Check that some columns of some blocks are as they were sealed.
    Check {
        /// The columns.
        columns: StoredColumns,
        /// The first block, and the number of the block after the last one.
        blocks: (u64, u64),
    },
    /// Evaluate a computation over some blocks of the table.
    Evaluate {
        /// What is evaluated.
        computation: Box<Computation>,
        /// The first block, and the number of the block after the last one.
        blocks: (u64, u64),
    },
}

/// Messages from a worker to its server.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Reply {
    /// The table is in memory or mapped, and the process is confined.
    Ready {
        /// Number of blocks of the table.
        blocks: u64,
        /// Whether all of them have been checked.
        is_checked: bool,
    },
    /// The blocks are as they were sealed.
    Sound,
    /// A block is not as it was sealed.
    Bad {
        /// Its number.
        block: u64,
    },
    /// The exact vectors, and the labels of groups without a public list.
    Exact(Found),
    /// The computation failed; the cause is not sent.
    Failed,
}

/// Writes one frame: its length, then the message.
pub(super) fn send<T: WireMessage>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let mut frame = vec![0; 4];
    message.serialize(&mut frame)?;
    let length = u32::try_from(frame.len() - 4).ok().filter(|length| *length <= T::FRAME_BYTES_MAX);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    to.write_all(&frame)
}

/// Reads one frame and decodes its message.
pub(super) fn receive<T: WireMessage>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > T::FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = Vec::new();
    from.take(length.into()).read_to_end(&mut frame)?;
    T::try_from_slice(&frame)
}
