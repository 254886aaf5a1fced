//! Signed links: addresses by which a statistic or an answer is read without a token, for a time that has an end.
//!
//! Promises that a link opens nothing but what it was made for; that it cannot be made, changed or read without the server's key, so that it
//! says neither who made it nor when it ends; and that it carries the digest of its maker's token, so that it opens only what the holder of
//! that token may still see.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::files;
use crate::kernel::random;
use crate::ledger::LINK_KEY_FILE;

/// The name of the parameter that holds a link.
pub const PARAMETER: &str = "link";
/// The longest life of a link, in days.
pub const LINK_DAYS_MAX: u32 = 90;
/// The life of a link if its maker does not say another one, in days.
pub const LINK_DAYS: u32 = 7;
/// The number of milliseconds in a day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The size of a link's contents in bytes: its end, and the digest of a token.
const PAYLOAD_BYTES: usize = 8 + 32;
const SEAL_BYTES: usize = 32;

/// The key of the links of a server.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// The key with these bytes, which are secret.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that is kept in a state directory, in a file for its owner alone; a new one if there is none. Removing the file ends all
    /// links.
    ///
    /// # Errors
    /// `InvalidData` if the file does not hold a key, and the system's own errors.
    pub fn kept_in(state: &Path) -> io::Result<Self> {
        let path = state.join(LINK_KEY_FILE);
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => file.take(64).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = random::bytes::<32>().map_err(io::Error::other)?;
                files::replace(&path, &key)?;
                return Ok(Self(key));
            }
            Err(error) => return Err(error),
        };
        Ok(Self(bytes.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LinkKey(..)")
    }
}

/// Makes links and reads them; neither, if the system gave no randomness for a key.
pub struct Links {
    seal: Option<[u8; 32]>,
    cover: Option<[u8; 32]>,
}

/// What a link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedLink {
    /// The digest of its maker's token.
    pub maker: [u8; 32],
    /// The moment from which on it is refused, in milliseconds since 1970 in UTC.
    pub end_ms: u64,
}

impl Links {
    /// Links under this key, or under one that lives as long as the process.
    #[must_use]
    pub fn new(key: Option<LinkKey>) -> Self {
        let key = key.map(|LinkKey(key)| key).or_else(|| random::bytes().ok());
        let of = |purpose: &str| key.map(|key| blake3::derive_key(purpose, &key));
        Self { seal: of("tacit 2026-11-30 links: seal"), cover: of("tacit 2026-11-30 links: cover") }
    }

    /// The text of a link to `subject`, which is the path of what it opens without an ending; `None` if there is no key.
    #[must_use]
    pub fn sign(&self, subject: &str, link: SignedLink) -> Option<String> {
        let mut payload = [0; PAYLOAD_BYTES];
        payload[..8].copy_from_slice(&link.end_ms.to_be_bytes());
        payload[8..].copy_from_slice(&link.maker);
        let seal = self.sealed(subject, &payload)?;
        self.covered(seal.as_bytes(), &mut payload)?;
        Some(URL_SAFE_NO_PAD.encode([&seal.as_bytes()[..], &payload].concat()))
    }

    /// What a link to `subject` holds; `None` if it was not made here for this subject, or has ended.
    #[must_use]
    pub fn open(&self, subject: &str, text: &str, now_ms: u64) -> Option<SignedLink> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (seal, rest) = bytes.split_first_chunk::<SEAL_BYTES>()?;
        let mut payload: [u8; PAYLOAD_BYTES] = rest.try_into().ok()?;
        self.covered(seal, &mut payload)?;
        // Hashes compare in constant time.
        if self.sealed(subject, &payload)? != blake3::Hash::from_bytes(*seal) {
            return None;
        }
        let (end_ms, maker) = payload.split_first_chunk::<8>()?;
        let link = SignedLink { end_ms: u64::from_be_bytes(*end_ms), maker: maker.try_into().ok()? };
        (link.end_ms > now_ms).then_some(link)
    }

    fn sealed(&self, subject: &str, payload: &[u8; PAYLOAD_BYTES]) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.seal?);
        hasher.update(payload).update(subject.as_bytes());
        Some(hasher.finalize())
    }

    /// Covers or uncovers the contents with a stream of bytes that is made of the key and the seal, which depends on the contents: a
    /// synthetic initialisation vector, as in RFC 5297.
    fn covered(&self, seal: &[u8; SEAL_BYTES], payload: &mut [u8; PAYLOAD_BYTES]) -> Option<()> {
        let mut stream = [0; PAYLOAD_BYTES];
        blake3::Hasher::new_keyed(&self.cover?).update(seal).finalize_xof().fill(&mut stream);
        payload.iter_mut().zip(stream).for_each(|(byte, cover)| *byte ^= cover);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLDER: &str = "/v1/statistics/older";

    #[test]
    fn a_link_opens_what_it_was_made_for_until_its_end() {
        let links = Links::new(Some(LinkKey::new([7; 32])));
        let link = SignedLink { maker: [3; 32], end_ms: 1_000 };
        let text = links.sign(OLDER, link).expect("a link");
        assert_eq!(links.open(OLDER, &text, 999), Some(link));
        assert_eq!(links.open(OLDER, &text, 1_000), None, "it has ended");
        assert_eq!(links.open("/v1/statistics/young", &text, 0), None, "something else");
        assert_eq!(Links::new(Some(LinkKey::new([8; 32]))).open(OLDER, &text, 0), None, "another server");
        assert_eq!(Links::new(Some(LinkKey::new([7; 32]))).open(OLDER, &text, 0), Some(link), "the same key");
        for wrong in ["", "x", &text[1..], &format!("{text}A"), "=="] {
            assert_eq!(links.open(OLDER, wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn every_bit_of_a_link_counts_and_none_of_it_can_be_read() {
        let links = Links::new(Some(LinkKey::new([7; 32])));
        let link = SignedLink { maker: [0xab; 32], end_ms: 0x1234_5678_9abc_def0 };
        let text = links.sign(OLDER, link).expect("a link");
        let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64");
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert_eq!(links.open(OLDER, &URL_SAFE_NO_PAD.encode(changed), 0), None, "bit {at}");
        }
        let shows = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!shows(&link.maker[..4]) && !shows(&link.end_ms.to_be_bytes()[..4]));
        assert!(text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(format!("{:?}", LinkKey::new([7; 32])), "LinkKey(..)");
    }
}
