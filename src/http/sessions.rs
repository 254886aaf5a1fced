//! Sessions: a signed cookie says who is signed in.
//!
//! Promises that a cookie cannot be forged or changed without the server's key, which lives as long as the process.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::kernel::random;

/// The duration of a session, in milliseconds.
pub const SESSION_MS: u64 = 8 * 60 * 60 * 1_000;
/// The size of a cookie's payload in bytes: expiry, nonce, and the digest of a token.
const PAYLOAD_BYTES: usize = 8 + 16 + 32;

/// The key that signs cookies; `None` if the system gave no randomness, in which case nobody can sign in.
pub struct Sessions {
    key: Option<[u8; 32]>,
}

/// A session that a cookie proves.
pub struct Session {
    /// The digest of the token with which the person signed in.
    pub digest: [u8; 32],
    /// The secret that the session's forms carry.
    pub csrf: String,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { key: random::bytes().ok() }
    }
}

impl Sessions {
    /// The cookie's value for the holder of a token with this digest.
    pub fn sign(&self, digest: &[u8; 32], now_ms: u64) -> Option<String> {
        let nonce = random::bytes::<16>().ok()?;
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES + 32);
        payload.extend(now_ms.saturating_add(SESSION_MS).to_be_bytes());
        payload.extend(nonce);
        payload.extend(digest);
        let seal = *self.seal("session", &payload)?.as_bytes();
        payload.extend(seal);
        Some(hex::encode(payload))
    }

    fn seal(&self, what: &str, payload: &[u8]) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.key?);
        hasher.update(what.as_bytes()).update(&[0]).update(payload);
        Some(hasher.finalize())
    }

    /// The session of a cookie, if this server signed it and it has not expired.
    pub fn open(&self, cookie: &str, now_ms: u64) -> Option<Session> {
        let bytes = hex::decode(cookie).ok()?;
        let (payload, seal) = bytes.split_at_checked(PAYLOAD_BYTES)?;
        // Hashes compare in constant time.
        if self.seal("session", payload)? != blake3::Hash::from_bytes(seal.try_into().ok()?) {
            return None;
        }
        let (expiry, rest) = payload.split_first_chunk::<8>()?;
        let digest = rest.last_chunk::<32>()?;
        let csrf = self.seal("form", payload)?.to_hex().to_string();
        (u64::from_be_bytes(*expiry) > now_ms).then_some(Session { digest: *digest, csrf })
    }
}

/// The cookie's name. With TLS it has a prefix that keeps other hosts and plain HTTP pages from setting it.
pub fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-tacit" } else { "tacit" }
}

/// The value of a request's cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// The header that sets the session cookie for so many seconds.
pub fn set_cookie(is_secure: bool, value: &str, seconds: u64) -> HeaderValue {
    let (name, secure) = (cookie_name(is_secure), if is_secure { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
