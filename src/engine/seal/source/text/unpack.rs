//! Decompresses the bytes of a text file.
//!
//! Promises that a compressed file is read to its end or refused: every member of a gzip file and every frame of a Zstandard file, followed
//! by nothing but the zero bytes that tapes and gzip allow.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use crate::engine::seal::source::fault::{Packing, TextFault};

/// The number of bytes that are read from the file at once.
const READ_BYTES: usize = 256 << 10;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The marker of Zstandard's frames without data, after a byte from 0x50 to 0x5f.
const ZSTD_SKIPPED: &[u8] = &[0x2a, 0x4d, 0x18];
/// The first bytes of compressed files that are not read: zlib, bzip2, xz, ZIP, 7-Zip and compress.
const OTHERS: [&[u8]; 9] = [
    &[0x78, 0x01],
    &[0x78, 0x9c],
    &[0x78, 0xda],
    b"BZh91AY",
    &[0xfd, b'7', b'z', b'X', b'Z', 0x00],
    b"PK\x03\x04",
    b"PK\x05\x06",
    &[b'7', b'z', 0xbc, 0xaf],
    &[0x1f, 0x9d],
];

/// Decompresses `stored`. `named` is the compression that the file's name says.
pub(super) fn unpack<'a>(
    stored: impl Read + Send + 'a,
    named: Packing,
) -> Result<Box<dyn Read + Send + 'a>, Unpacking> {
    let mut stored = BufReader::with_capacity(READ_BYTES, stored);
    let found = packing(stored.fill_buf()?);
    if found == Packing::Other || (found != named && !stored.buffer().is_empty()) {
        return Err(Unpacking::Fault(TextFault::Packing { named, found }));
    }
    Ok(match found {
        Packing::Gzip => Box::new(Members { state: State::Next(stored), count: 0 }),
        Packing::Zstd => Box::new(Frames(zstd::Decoder::with_buffer(stored)?)),
        Packing::Plain | Packing::Other => Box::new(stored),
    })
}

fn packing(start: &[u8]) -> Packing {
    let is_skipped = start.first().is_some_and(|byte| byte & 0xf0 == 0x50) && start[1..].starts_with(ZSTD_SKIPPED);
    if start.starts_with(GZIP) {
        Packing::Gzip
    } else if start.starts_with(ZSTD) || is_skipped {
        Packing::Zstd
    } else if OTHERS.iter().any(|other| start.starts_with(other)) {
        Packing::Other
    } else {
        Packing::Plain
    }
}

/// The reason why bytes cannot be read.
#[derive(Debug)]
pub(super) enum Unpacking {
    /// A fault of the bytes.
    Fault(TextFault),
    /// An error that the system reports.
    System(io::ErrorKind),
}

impl From<io::Error> for Unpacking {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Spoilt>()) {
            Some(Spoilt(fault)) => Self::Fault(fault.clone()),
            None => Self::System(error.kind()),
        }
    }
}

/// A fault on its way through `io::Error`.
#[derive(Debug)]
struct Spoilt(TextFault);

impl fmt::Display for Spoilt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Error for Spoilt {}

fn spoilt(fault: TextFault) -> io::Error {
    io::Error::other(Spoilt(fault))
}

/// Turns errors into faults of the compressed bytes unless they come from the file system.
fn damaged(packing: Packing) -> impl Fn(io::Error) -> io::Error {
    move |error| match error.kind() {
        io::ErrorKind::Interrupted => error,
        _ if error.raw_os_error().is_some() => error,
        _ => spoilt(TextFault::Packed(packing)),
    }
}

/// The members of a gzip file, one after the other.
struct Members<R: BufRead> {
    state: State<R>,
    count: u64,
}

enum State<R: BufRead> {
    /// Before a member, or after the last.
    Next(R),
    Member(Box<GzDecoder<R>>),
    Ended,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Next(mut rest) => {
                    self.state = match rest.fill_buf()?.first() {
                        None => State::Ended,
                        Some(0) => only_zeros(rest)?,
                        Some(byte) if *byte == GZIP[0] => State::Member(Box::new(GzDecoder::new(rest))),
                        Some(_) => return Err(spoilt(TextFault::Garbage)),
                    };
                }
                State::Member(mut member) => match member.read(into) {
                    Ok(0) => {
                        self.count += 1;
                        self.state = State::Next(member.into_inner());
                    }
                    Ok(read) => {
                        self.state = State::Member(member);
                        return Ok(read);
                    }
                    Err(error)
                        if error.kind() == io::ErrorKind::InvalidInput
                            && self.count > 0
                            && member.header().is_none() =>
                    {
                        return Err(spoilt(TextFault::Garbage));
                    }
                    Err(error) => {
                        self.state = State::Member(member);
                        return Err(damaged(Packing::Gzip)(error));
                    }
                },
            }
        }
    }
}

/// Checks that only zeros follow.
fn only_zeros<R: BufRead>(mut rest: R) -> io::Result<State<R>> {
    loop {
        let bytes = rest.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(State::Ended);
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(spoilt(TextFault::Garbage));
        }
        rest.consume(length);
    }
}

/// The frames of a Zstandard file.
struct Frames<'a, R: BufRead>(zstd::Decoder<'a, R>);

impl<R: BufRead> Read for Frames<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(damaged(Packing::Zstd))
    }
}
