//! The digest of the bytes that are read.
//!
//! Promises to cover the bytes as they are stored, in compressed form if
//! they are compressed, of all files in the order in which they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// The digest and the number of the bytes so far.
#[derive(Debug, Default)]
pub(super) struct SourceDigest {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl SourceDigest {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn digest(&self) -> String {
        hex::encode(self.hasher.finalize().as_bytes())
    }

    /// Adds a whole file. Stops early once `ended` says that nobody waits for the digest.
    pub(super) fn file(&mut self, path: &Path, ended: &AtomicBool) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        while !ended.load(Ordering::Relaxed) {
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => self.take(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

/// A reader that adds the bytes passing through it to a [`SourceDigest`].
pub(super) struct Tallied<'a, R> {
    inner: R,
    tally: &'a mut SourceDigest,
}

impl<'a, R> Tallied<'a, R> {
    pub(super) fn new(inner: R, tally: &'a mut SourceDigest) -> Self {
        Self { inner, tally }
    }
}

impl<R: Read> Read for Tallied<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.tally.take(&into[..read]);
        Ok(read)
    }
}
