//! Entries of the ledger: what happened, its canonical bytes, and the chain that binds them.
//!
//! Promises that equal entries have equal bytes and that each entry's hash covers its predecessor's. Amounts are integers.

use serde::{Deserialize, Serialize};

use super::people::Role;
use crate::hex;
use crate::privacy::accountant::Accountant;
use crate::privacy::certificate::Certified;
use crate::privacy::units::{Epsilon, Price};

/// The version of the canonical bytes.
pub const SCHEMA_VERSION: u32 = 1;

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// The predecessor of the first entry.
pub const GENESIS: Digest = [0; 32];

/// The use of an idempotency key, by digests: neither key nor body stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// Digest of the key.
    #[serde(with = "hex")]
    pub key: Digest,
    /// Digest of the request's body.
    #[serde(with = "hex")]
    pub body: Digest,
}

/// A lifetime cap as it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// How losses add up, with the δ.
    pub accountant: Accountant,
    /// The ε of the cap.
    pub epsilon: Epsilon,
    /// The same in the accountant's unit.
    pub amount: Price,
    /// The most that one query may cost, in the accountant's unit.
    pub query_max: Price,
    /// The ε of that.
    pub query_epsilon_max: Epsilon,
}

/// What happened.
#[expect(missing_docs, reason = "a variant's sentence says what its fields are")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// A dataset's account was opened with its lifetime cap, which protects this unit in every edition.
    DatasetOpened { dataset: String, unit: String, cap: Cap },
    /// A source was sealed; later queries see this edition. The commitment binds the sealed bytes with a secret nonce.
    EditionSealed { dataset: String, edition: String, commitment: String },
    /// A person got a token; only its digest is kept.
    PersonAdded {
        name: String,
        role: Role,
        #[serde(with = "hex")]
        token: Digest,
        by: String,
    },
    /// A person's token ended.
    TokenRevoked { name: String, by: String },
    /// A researcher's allocation of a dataset was set; `epsilon` and `amount` are the new total.
    Granted { researcher: String, dataset: String, epsilon: Epsilon, amount: Price, reason: String, by: String },
    /// An answer was paid for: PRICED → EXECUTING, durable before data is touched.
    Charged(Box<Charged>),
    /// The answer was stored: EXECUTING → SEALED. `digest` is that of the stored release, which holds noisy values alone.
    Released {
        release: String,
        #[serde(with = "hex")]
        digest: Digest,
    },
    /// The answer failed: EXECUTING → BURNED. The charge stands.
    Burned { release: String, cause: String },
    /// A stored answer was served again under an idempotency key; nothing was drawn. `question` is how this question lays the
    /// answer out, in the service's words.
    Replayed { release: String, researcher: String, question: String, key: KeyUse, account: AccountMark },
}

/// The charge of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charged {
    /// The id that the release will have.
    pub release: String,
    /// Whose account paid.
    pub researcher: String,
    /// The dataset's name.
    pub dataset: String,
    /// The edition that the answer is computed from.
    pub edition: String,
    /// Digest of the canonical plan without its accuracy.
    #[serde(with = "hex")]
    pub view: Digest,
    /// The canonical SQL.
    pub sql: String,
    /// The declared purpose.
    pub purpose: Option<String>,
    /// The certified measurements.
    pub measurements: Vec<Certified>,
    /// The sum of their prices.
    pub price: Price,
    /// Noisy cells drawn, counted against the dataset's life.
    pub cells: u64,
    /// The idempotency key it was asked under.
    pub key: Option<KeyUse>,
    /// The researcher's account right after the charge.
    pub account: AccountMark,
}

/// A researcher's account at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountMark {
    /// Spent, all in all.
    pub spent: Price,
    /// The allocation.
    pub amount: Price,
    /// The ε that the allocation was granted as.
    pub epsilon: Epsilon,
}

/// One entry of the chain.
///
/// Whoever reads one compares its canonical bytes with those it was read from, so that nothing unknown hides in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of these bytes.
    pub v: u32,
    /// Counts from 1 without gaps.
    pub seq: u64,
    /// Milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The hash of the entry before.
    #[serde(with = "hex")]
    pub previous: Digest,
    /// What happened.
    #[serde(flatten)]
    pub act: Act,
}

impl Entry {
    /// The entry that follows (`seq`, `previous`).
    #[must_use]
    pub fn following(seq: u64, previous: Digest, at_ms: u64, act: Act) -> Self {
        Self { v: SCHEMA_VERSION, seq: seq.saturating_add(1), at_ms, previous, act }
    }

    /// The canonical bytes: JSON in the order of the fields, without spaces.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Unwrap safety: an entry has string keys only and no map or value that JSON cannot hold.
        serde_json::to_vec(self).expect("an entry is plain data")
    }

    /// The hash of canonical bytes, which hold the predecessor's hash.
    #[must_use]
    pub fn hash(bytes: &[u8]) -> Digest {
        *blake3::hash(bytes).as_bytes()
    }
}

impl Act {
    /// The word for the kind of act.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DatasetOpened { .. } => "dataset-opened",
            Self::EditionSealed { .. } => "edition-sealed",
            Self::PersonAdded { .. } => "person-added",
            Self::TokenRevoked { .. } => "token-revoked",
            Self::Granted { .. } => "granted",
            Self::Charged(_) => "charged",
            Self::Released { .. } => "released",
            Self::Burned { .. } => "burned",
            Self::Replayed { .. } => "replayed",
        }
    }
}
