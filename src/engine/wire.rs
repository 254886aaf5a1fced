//! What server and worker say to each other: frames of plain data over a socket pair.
//!
//! Promises that nothing but setups, computations, integers and sealed texts can be said: no text of a library has a place in it.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::kernel::budget::entry::Digest;
use crate::kernel::vault::private::Exact as Found;
use crate::query::plan::Computation;

/// Bytes of a frame at the most: more than any answer's vectors.
const FRAME_BYTES_MAX: u32 = 64 << 20;

/// The words of both ends must be the same; a binary that was replaced under a running server says so here.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the server says.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Order {
    /// The first: read the table on standard input under these terms, then lock the doors.
    Setup {
        /// [`VERSION`] of the server.
        version: String,
        /// BLAKE3 of the table's bytes, and its rows.
        table: (Digest, u64),
        /// The terms as JSON.
        terms: String,
        /// Bytes of address space.
        address_space_bytes: u64,
    },
    /// Evaluate.
    Evaluate(Computation),
}

/// What the worker says.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) enum Reply {
    /// The table is in memory and the doors are locked.
    Ready,
    /// The exact vectors, and the labels of groups without a public list.
    Exact(Found),
    /// It failed; why is not said.
    Failed,
}

/// Writes one frame.
pub(super) fn send(to: &mut impl Write, message: &impl BorshSerialize) -> io::Result<()> {
    let mut frame = vec![0; 4];
    message.serialize(&mut frame)?;
    let length = u32::try_from(frame.len() - 4).ok().filter(|length| *length <= FRAME_BYTES_MAX);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    to.write_all(&frame)
}

/// Reads one frame.
pub(super) fn receive<T: BorshDeserialize>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = Vec::new();
    from.take(length.into()).read_to_end(&mut frame)?;
    T::try_from_slice(&frame)
}
