//! Frames as clients send them, from bytes to values.
//!
//! Promises that no bytes make it panic, that nothing is reserved for a count before its bytes have arrived, and that a frame whose body is
//! wrong is passed over as a whole, so that the connection can go on.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

/// Largest frame before somebody is known, in bytes, as PostgreSQL has it.
pub const OPENING_BYTES_MAX: usize = 10_000;
/// Largest frame of a session, in bytes: a statement with its parameters.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Largest number of a parameter: whatever has a place for each number up to it takes no more than this.
pub(super) const PARAMETERS_MAX: usize = 10_000;

const TLS: i32 = 80_877_103;
const GSS: i32 = 80_877_104;
const CANCEL: i32 = 80_877_102;
/// The version that is spoken, in the upper half of the number that a client begins with.
const MAJOR: u16 = 3;
/// Sizes of the secret of a cancel request, in bytes.
const SECRET_BYTES: Range<usize> = 4..257;

/// What a connection begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// The client asks for TLS.
    Tls,
    /// The client asks for encryption by GSSAPI.
    Gss,
    /// The client wants the statement of another connection to end.
    Cancel {
        /// The number of the connection.
        pid: i32,
        /// The secret that the connection was given.
        secret: Bytes,
    },
    /// A session begins.
    Startup {
        /// The minor version of the protocol.
        minor: u16,
        /// Names and values, in the order in which they were sent.
        parameters: Vec<(String, String)>,
    },
}

/// What a Describe or a Close is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A portal, by its name.
    Portal,
}

/// A statement's parameters, bound to a portal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bind {
    /// The portal's name; empty for the unnamed one.
    pub portal: String,
    /// The statement's name; empty for the unnamed one.
    pub statement: String,
    /// Formats of the parameters: none for text, one for all, or one for each; 0 is text and 1 binary.
    pub formats: Vec<i16>,
    /// The parameters; `None` is NULL.
    pub values: Vec<Option<Bytes>>,
    /// Formats of the results, like those of the parameters.
    pub results: Vec<i16>,
}

/// A frame of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One or more statements, to be run at once.
    Query(String),
    /// A statement to prepare.
    Parse {
        /// The name it is given; empty for the unnamed one.
        name: String,
        /// The statement's text.
        sql: String,
        /// Types of the first parameters by their OIDs; 0 is none.
        types: Vec<u32>,
    },
    /// Parameters for a prepared statement.
    Bind(Bind),
    /// Asks what a statement or a portal returns.
    Describe(Target, String),
    /// Runs a portal, or goes on with it.
    Execute {
        /// The portal's name.
        portal: String,
        /// The largest number of rows to send; 0 is all.
        rows: usize,
    },
    /// Drops a statement or a portal.
    Close(Target, String),
    /// Asks for what is written to be sent.
    Flush,
    /// Ends a series of frames.
    Sync,
    /// Ends the connection.
    Terminate,
    /// A part of an authentication.
    Password(Bytes),
    /// A part of a COPY to the server, which there is none of.
    Copy,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The length cannot be one. The connection cannot go on.
    #[error("the frame has {bytes} bytes; accepted are at most {max}")]
    Length {
        /// The length, as it was sent.
        bytes: u32,
        /// The largest that is accepted.
        max: usize,
    },
    /// No frame begins with this byte. The connection cannot go on.
    #[error("no frame is of the type {0}")]
    Type(u8),
    /// The protocol's version is another one. The connection cannot go on.
    #[error("the protocol version is {0}; accepted is 3")]
    Version(u16),
    /// A frame's body is shorter or longer than it says.
    #[error("the body of a frame is not as long as it says")]
    Body,
    /// A text in a frame is not UTF-8.
    #[error("a text in a frame is not UTF-8")]
    Encoding,
}

impl FrameFault {
    /// Whether the next frame can be read all the same.
    #[must_use]
    pub fn is_passed_over(self) -> bool {
        matches!(self, Self::Body | Self::Encoding)
    }
}

/// Takes what a connection begins with; `None` if more bytes are needed.
///
/// # Errors
/// [`FrameFault`]; the connection cannot go on after it.
pub fn opening(buffer: &mut BytesMut) -> Result<Option<Opening>, FrameFault> {
    let Some(mut body) = body(buffer, 0, OPENING_BYTES_MAX)? else { return Ok(None) };
    let code = body.i32()?;
    match code {
        TLS => Ok(Some(Opening::Tls)),
        GSS => Ok(Some(Opening::Gss)),
        CANCEL => {
            let pid = body.i32()?;
            match SECRET_BYTES.contains(&body.0.len()) {
                true => Ok(Some(Opening::Cancel { pid, secret: body.0 })),
                false => Err(FrameFault::Body),
            }
        }
        version => {
            let [major, minor] = [version >> 16, version & 0xffff].map(|half| u16::try_from(half).unwrap_or(0));
            if major != MAJOR {
                return Err(FrameFault::Version(major));
            }
            let mut parameters = Vec::new();
            loop {
                let name = body.text()?;
                if name.is_empty() {
                    break;
                }
                parameters.push((name, body.text()?));
            }
            body.end()?;
            Ok(Some(Opening::Startup { minor, parameters }))
        }
    }
}

/// Takes the next frame of a session, of at most `bytes_max` bytes; `None` if more bytes are needed.
///
/// # Errors
/// [`FrameFault`]. If it is passed over, the frame was taken nevertheless.
pub fn next(buffer: &mut BytesMut, bytes_max: usize) -> Result<Option<Frame>, FrameFault> {
    let Some(kind) = buffer.first().copied() else { return Ok(None) };
    if !b"QPBDECHSXpdcf".contains(&kind) {
        return Err(FrameFault::Type(kind));
    }
    let Some(mut body) = body(buffer, 1, bytes_max)? else { return Ok(None) };
    let frame = match kind {
        b'Q' => Frame::Query(body.text()?),
        b'P' => Frame::Parse { name: body.text()?, sql: body.text()?, types: body.list(Body::u32)? },
        b'B' => Frame::Bind(bind(&mut body)?),
        b'D' => Frame::Describe(body.target()?, body.text()?),
        b'C' => Frame::Close(body.target()?, body.text()?),
        b'E' => Frame::Execute { portal: body.text()?, rows: usize::try_from(body.i32()?).unwrap_or(0) },
        b'H' => Frame::Flush,
        b'S' => Frame::Sync,
        b'X' => Frame::Terminate,
        b'p' => Frame::Password(std::mem::take(&mut body.0)),
        _ => {
            body.0.clear();
            Frame::Copy
        }
    };
    body.end()?;
    Ok(Some(frame))
}

fn bind(body: &mut Body) -> Result<Bind, FrameFault> {
    let (portal, statement, formats) = (body.text()?, body.text()?, body.list(Body::i16)?);
    let values = body.list(|body| match usize::try_from(body.i32()?) {
        Err(_) => Ok(None),
        Ok(length) => body.bytes(length).map(Some),
    })?;
    Ok(Bind { portal, statement, formats, values, results: body.list(Body::i16)? })
}

/// The next frame's body behind `before` bytes and its length; `None` if it has not arrived.
fn body(buffer: &mut BytesMut, before: usize, bytes_max: usize) -> Result<Option<Body>, FrameFault> {
    let Some(head) = buffer.get(before..before + 4).and_then(|head| <[u8; 4]>::try_from(head).ok()) else {
        return Ok(None);
    };
    let bytes = u32::from_be_bytes(head);
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    if !(4..=bytes_max).contains(&length) {
        return Err(FrameFault::Length { bytes, max: bytes_max });
    }
    if buffer.len() < before + length {
        return Ok(None);
    }
    buffer.advance(before + 4);
    Ok(Some(Body(buffer.split_to(length - 4).freeze())))
}

/// What is left of a frame's body.
struct Body(Bytes);

impl Body {
    fn bytes(&mut self, length: usize) -> Result<Bytes, FrameFault> {
        match self.0.len() < length {
            true => Err(FrameFault::Body),
            false => Ok(self.0.split_to(length)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameFault> {
        let bytes = self.bytes(N)?;
        <[u8; N]>::try_from(bytes.as_ref()).map_err(|_| FrameFault::Body)
    }

    fn i16(&mut self) -> Result<i16, FrameFault> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, FrameFault> {
        self.array().map(i32::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, FrameFault> {
        self.array().map(u32::from_be_bytes)
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, FrameFault>) -> Result<Vec<T>, FrameFault> {
        let count = self.array().map(u16::from_be_bytes)?;
        (0..count).map(|_| one(self)).collect()
    }

    fn text(&mut self) -> Result<String, FrameFault> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(FrameFault::Body)?;
        let text = self.0.split_to(end);
        self.0.advance(1);
        String::from_utf8(text.to_vec()).map_err(|_| FrameFault::Encoding)
    }

    fn target(&mut self) -> Result<Target, FrameFault> {
        match self.array::<1>()? {
            [b'S'] => Ok(Target::Statement),
            [b'P'] => Ok(Target::Portal),
            _ => Err(FrameFault::Body),
        }
    }

    fn end(&self) -> Result<(), FrameFault> {
        if self.0.is_empty() { Ok(()) } else { Err(FrameFault::Body) }
    }
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
