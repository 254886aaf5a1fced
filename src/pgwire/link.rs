//! A connection's two directions: frames that come in, within limits of size and time, and frames that wait to go out.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use pgwire::messages::PgWireBackendMessage;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::frames::{self, Frame, FrameFault, Opening};

/// Longest time between two frames of a session, in seconds.
const IDLE_SECONDS_MAX: u64 = 8 * 3_600;
/// Longest time in which a frame arrives that has begun, in seconds.
const FRAME_SECONDS_MAX: u64 = 60;
/// Bytes that wait to go out before they are sent.
const OUT_BYTES: usize = 64 << 10;
/// Bytes that are read at once.
const IN_BYTES: usize = 8 << 10;

/// What a connection's bytes come and go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection with what was read of it and what waits to be sent.
pub(super) struct Link<S> {
    stream: S,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl<S: Stream> Link<S> {
    /// A connection over `stream`, of which `incoming` has been read already.
    pub(super) fn new(stream: S, incoming: BytesMut) -> Self {
        Self { stream, incoming, outgoing: BytesMut::new() }
    }

    /// The stream, and what was read of it.
    pub(super) fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.incoming)
    }

    /// What the connection begins with; `None` if it ends.
    pub(super) async fn opening(&mut self) -> io::Result<Option<Result<Opening, FrameFault>>> {
        loop {
            match frames::opening(&mut self.incoming) {
                Ok(None) if self.more().await? == 0 => return Ok(None),
                Ok(None) => {}
                Ok(Some(opening)) => return Ok(Some(Ok(opening))),
                Err(fault) => return Ok(Some(Err(fault))),
            }
        }
    }

    /// The next frame; `None` if the connection ends, or nothing comes for too long.
    pub(super) async fn frame(&mut self, bytes_max: usize) -> io::Result<Option<Result<Frame, FrameFault>>> {
        loop {
            match frames::next(&mut self.incoming, bytes_max) {
                Ok(None) => {
                    let seconds = if self.incoming.is_empty() { IDLE_SECONDS_MAX } else { FRAME_SECONDS_MAX };
                    let read = timeout(Duration::from_secs(seconds), self.more()).await.unwrap_or(Ok(0))?;
                    if read == 0 {
                        return Ok(None);
                    }
                }
                Ok(Some(frame)) => return Ok(Some(Ok(frame))),
                Err(fault) => return Ok(Some(Err(fault))),
            }
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.incoming.reserve(IN_BYTES);
        self.stream.read_buf(&mut self.incoming).await
    }

    /// Adds a frame to what goes out.
    pub(super) fn put(&mut self, message: &PgWireBackendMessage) -> io::Result<()> {
        message.encode(&mut self.outgoing).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// What goes out, to write whole frames to.
    pub(super) fn out(&mut self) -> &mut BytesMut {
        &mut self.outgoing
    }

    /// Sends what waits if it is much.
    pub(super) async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.outgoing.len() < OUT_BYTES { Ok(()) } else { self.flush().await }
    }

    /// Sends what waits.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.outgoing).await?;
        self.outgoing.clear();
        self.stream.flush().await
    }
}
