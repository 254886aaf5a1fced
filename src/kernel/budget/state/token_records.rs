//! What the ledger's state keeps of people and of tokens.

use crate::kernel::budget::entry::{Digest, ScramVerifier};
use crate::kernel::budget::people::Role;

/// A token that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// The token's name, unique among those of its holder.
    pub name: String,
    /// Digest of the token's text.
    pub digest: Digest,
    /// When it was issued, in milliseconds since 1970 in UTC.
    pub issued_ms: u64,
    /// From when on it is refused, in milliseconds since 1970 in UTC; `None` if it does not expire.
    pub expires_ms: Option<u64>,
    /// What proofs of the token are checked with; `None` for tokens that are older than verifiers.
    pub verifier: Option<ScramVerifier>,
}

impl TokenRecord {
    /// Whether the token's time is over.
    #[must_use]
    pub fn has_expired(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
    }
}

/// A person's role and tokens.
#[derive(Debug, Clone)]
pub(super) struct PersonRecord {
    pub(super) role: Role,
    pub(super) tokens: Vec<TokenRecord>,
}

/// Whose token has a digest, and until when it is good.
#[derive(Debug, Clone)]
pub(super) struct TokenHolder {
    pub(super) name: String,
    pub(super) expires_ms: Option<u64>,
}
