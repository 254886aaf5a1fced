//! The ledger's own key: Ed25519 (RFC 8032), in the state directory, readable by its owner only.
//!
//! Promises that a signature made for one purpose is not valid for another. A key beside the ledger does not stop somebody who holds both;
//! it distinguishes a copy, an accidental edit and a half-restored backup from the real thing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ed25519_dalek::{Signature, Signer as _, SigningKey};

use crate::files;
use crate::kernel::budget::entry::Digest;
use crate::kernel::random;

/// Name of the key's file in a state directory.
pub(super) const KEY_FILE: &str = "ledger.key";

const HEAD: &[u8] = b"tacit ledger head 1\0";
const LINE: &[u8] = b"tacit anchor line 1\0";

/// Signs ledger heads and anchor lines.
#[derive(Clone)]
pub(super) struct Signer {
    key: SigningKey,
}

impl Signer {
    /// Reads the key of a state directory; `None` if it has none.
    pub(super) fn read(state: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        match File::open(state.join(KEY_FILE)) {
            Ok(file) => file.take(64).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let seed: [u8; 32] = bytes.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Some(Self { key: SigningKey::from_bytes(&seed) }))
    }

    /// Creates a new key in a state directory; it is on disk when this returns.
    pub(super) fn create(state: &Path) -> io::Result<Self> {
        let seed = random::bytes::<32>().map_err(io::Error::other)?;
        files::replace(&state.join(KEY_FILE), &seed)?;
        Ok(Self { key: SigningKey::from_bytes(&seed) })
    }

    /// The public key, for whoever verifies.
    pub(super) fn public(&self) -> Digest {
        self.key.verifying_key().to_bytes()
    }

    pub(super) fn sign_head(&self, seq: u64, hash: &Digest) -> [u8; 64] {
        self.key.sign(&head(seq, hash)).to_bytes()
    }

    pub(super) fn has_signed_head(&self, seq: u64, hash: &Digest, signature: &[u8]) -> bool {
        self.has_signed(&head(seq, hash), signature)
    }

    pub(super) fn sign_line(&self, line: &[u8]) -> [u8; 64] {
        self.key.sign(&[LINE, line].concat()).to_bytes()
    }

    pub(super) fn has_signed_line(&self, line: &[u8], signature: &[u8]) -> bool {
        self.has_signed(&[LINE, line].concat(), signature)
    }

    fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verifying_key().verify_strict(message, &signature).is_ok())
    }
}

fn head(seq: u64, hash: &Digest) -> Vec<u8> {
    [HEAD, &seq.to_be_bytes(), hash].concat()
}
