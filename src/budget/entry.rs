//! Entries of the ledger: what happened, its canonical bytes, and the chain that binds them.
//!
//! Promises that equal entries have equal bytes, that bytes are one entry's or nobody's, and that each entry's hash covers its
//! predecessor's. Amounts are integers. The bytes are Borsh (the binary object representation serializer for hashing), whose
//! reader takes exactly what its writer makes; people see entries as JSON.

use borsh::de::EnumExt;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use super::people::Role;
use crate::privacy::accountant::Accountant;
use crate::privacy::certificate::Certified;
use crate::privacy::units::{Delta, Epsilon, Price};

/// The version of the canonical bytes.
pub const SCHEMA_VERSION: u8 = 3;

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

/// The predecessor of the first entry.
pub const GENESIS: Digest = [0; 32];

/// The use of an idempotency key, by digests: neither key nor body stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct KeyUse {
    /// Digest of the key.
    #[serde(serialize_with = "hex::serialize")]
    pub key: Digest,
    /// Digest of the request's body.
    #[serde(serialize_with = "hex::serialize")]
    pub body: Digest,
}

/// A lifetime cap as it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
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
    /// What thresholds may take of δ, for life, besides the accountant's own; nothing where none is set aside.
    pub threshold_delta: Delta,
}

impl Cap {
    /// δ of the lifetime guarantee: the accountant's and that of all thresholds.
    #[must_use]
    pub fn delta(&self) -> Delta {
        // Unwrap safety: both are at most 0.01.
        self.accountant.delta().checked_add(self.threshold_delta).expect("two parts of one declared delta")
    }
}

/// The kinds of accounts, a tree: a researcher's hangs below a project's or the dataset's, a project's and the statistics' below the
/// dataset's. New kinds are added at the end, so that older ledgers read as they were written.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The root: the lifetime cap, which is the guarantee.
    Dataset,
    /// Researchers who share an allocation.
    Project,
    /// One researcher's allocation.
    Researcher,
    /// What published statistics may spend, so that they never take what researchers were granted.
    Statistics,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Project => "project",
            Self::Researcher => "researcher",
            Self::Statistics => "statistics",
        }
    }
}

/// Why a charged answer was never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Evaluation or noise failed, or panicked. An incident: it may depend on data.
    Failed,
    /// The answer could not be written: a full disk, a failing one. The operator's.
    Unrecorded,
    /// The server ended before it was stored. A kill, a power cut: the operator's.
    CutOff,
}

/// One vector that a release drew: the `index`-th of those.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct DrawId {
    /// The release that drew it.
    pub release: String,
    /// Counts from 0.
    pub index: u32,
}

/// A vector that is drawn anew.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Drawn {
    /// Digest of the measurement: edition, rows per unit, filter, keys and what is measured.
    #[serde(serialize_with = "hex::serialize")]
    pub view: Digest,
    /// Its noise and its price.
    pub certified: Certified,
}

/// What one answer posts to each account on its way to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Legs {
    /// Newly drawn.
    pub dataset: Price,
    /// New to the project; nothing where there is none.
    pub project: Price,
    /// New to the researcher.
    pub researcher: Price,
}

/// A balance as the anchor knew it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Balance {
    /// Of which dataset.
    pub dataset: String,
    /// Which kind of account.
    pub kind: Kind,
    /// Whose.
    pub name: String,
    /// Spent, all in all.
    pub spent: Price,
    /// Noisy cells drawn, of datasets.
    pub cells: u64,
    /// δ that thresholds took, of datasets.
    pub threshold_delta: Delta,
}

/// Whether a dataset is frozen, as the anchor knew it. It stands in the anchor alone: the ledger has acts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Of which dataset.
    pub dataset: String,
    /// Whether nothing is drawn from it until its steward acts.
    pub is_frozen: bool,
    /// Incidents since its steward last looked.
    pub incidents: u32,
}

/// What happened. New acts are added at the end, so that older ledgers read as they were written.
#[expect(missing_docs, reason = "a variant's sentence says what its fields are")]
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// A dataset's account was opened with its lifetime cap, which protects this unit in every edition.
    DatasetOpened { dataset: String, unit: String, cap: Cap },
    /// A source was sealed; later queries see this edition. The commitment binds the sealed bytes with a secret nonce; `terms` are
    /// the policy's public terms as JSON, which every plan can be priced anew from.
    EditionSealed { dataset: String, edition: String, commitment: String, oversubscribe: bool, terms: String },
    /// The lifetime cap was raised to this new total.
    CapRaised { dataset: String, epsilon: Epsilon, amount: Price, reason: String, by: String },
    /// A person got a token; only its digest is kept.
    PersonAdded {
        name: String,
        role: Role,
        #[serde(serialize_with = "hex::serialize")]
        token: Digest,
        by: String,
    },
    /// A person's token ended.
    TokenRevoked { name: String, by: String },
    /// A project's allocation of a dataset was set; `epsilon` and `amount` are the new total.
    ProjectGranted { project: String, dataset: String, epsilon: Epsilon, amount: Price, reason: String, by: String },
    /// A researcher's allocation of a dataset was set, below a project where one is named; `epsilon` and `amount` are the new
    /// total, of every period where it renews.
    Granted {
        researcher: String,
        dataset: String,
        project: Option<String>,
        epsilon: Epsilon,
        amount: Price,
        period_days: Option<u32>,
        reason: String,
        by: String,
    },
    /// Nothing is drawn from the dataset until it is unfrozen.
    Frozen { dataset: String, reason: String, by: String },
    /// The steward has looked: incidents are counted anew.
    Unfrozen { dataset: String, reason: String, by: String },
    /// An answer was paid for: RESERVED → EXECUTING where something is drawn, durable before data is touched.
    Charged(Box<Charged>),
    /// The answer was stored: EXECUTING → SEALED. `digest` is that of the stored answer, which holds noisy values alone.
    Released {
        release: String,
        #[serde(serialize_with = "hex::serialize")]
        digest: Digest,
    },
    /// The answer failed: EXECUTING → BURNED. The charge stands.
    Burned { release: String, cause: Cause },
    /// A stored answer was served to a researcher who pays for what of it is new to them, or under a new key; nothing was
    /// drawn. `question` is how this question lays the answer out, in the service's words.
    Served(Box<Served>),
    /// A ledger that is older than its anchor, or has none, was taken up again: balances become at least these.
    Recovered { reason: String, by: String, anchor_seq: Option<u64>, balances: Vec<Balance> },
    /// The allocation of a dataset's statistics account was set; `epsilon` and `amount` are the new total, of every period where
    /// it renews.
    StatisticsGranted {
        dataset: String,
        epsilon: Epsilon,
        amount: Price,
        period_days: Option<u32>,
        reason: String,
        by: String,
    },
    /// A stored answer became what a published statistic shows, laid out as it was asked under this key; the key's `body` is the
    /// digest of the question and its accuracy.
    Published { statistic: String, key: KeyUse, release: String, edition: String },
    /// A statistic was due and was not drawn; what it showed stays up.
    RefreshSkipped { statistic: String, why: String },
    /// A researcher asks for an allocation of this new total.
    Requested { researcher: String, dataset: String, epsilon: Epsilon, reason: String },
    /// A steward decided on the request of that entry; what was granted is an entry of its own.
    RequestDecided { request: u64, granted: bool, reason: String, by: String },
    /// Several acts at once, all or none, as files declare them; `managed` names everything that the files declare.
    Applied { reason: String, by: String, managed: Vec<String>, acts: Vec<Single> },
    /// A steward agreed that a statistic is drawn, now and by its schedule, as long as its question stays the same and a draw costs at
    /// most `amount`. `question` is the digest of the question and its accuracy; `face` is what its readers are told of it (title, unit,
    /// chart, whether it is public), in the service's words.
    StatisticConfirmed {
        statistic: String,
        dataset: String,
        #[serde(serialize_with = "hex::serialize")]
        question: Digest,
        epsilon: Epsilon,
        amount: Price,
        face: String,
        by: String,
    },
    /// A viewer got a token, and may see the statistics of these datasets alone.
    ViewerAdded {
        name: String,
        #[serde(serialize_with = "hex::serialize")]
        token: Digest,
        datasets: Vec<String>,
        by: String,
    },
    /// From now on a viewer may see the statistics of these datasets alone.
    ViewingSet { name: String, datasets: Vec<String>, by: String },
}

/// One act of several: any but several. Its bytes are the act's own.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize)]
#[serde(transparent)]
pub struct Single(pub Act);

/// The number that the bytes of [`Act::Applied`] begin with.
const APPLIED: u8 = 19;

impl BorshDeserialize for Single {
    /// Reads no acts within acts: bytes that nest them without end are refused at the first, and not read to their end.
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        match u8::deserialize_reader(reader)? {
            APPLIED => Err(std::io::ErrorKind::InvalidData.into()),
            number => Act::deserialize_variant(reader, number).map(Self),
        }
    }
}

/// The charge of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
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
    #[serde(serialize_with = "hex::serialize")]
    pub view: Digest,
    /// The canonical SQL.
    pub sql: String,
    /// Rows of a unit that count.
    pub rows_per_unit: u32,
    /// The declared purpose.
    pub purpose: Option<String>,
    /// What is drawn anew, in the plan's order.
    pub drawn: Vec<Drawn>,
    /// The stored vectors that the answer is computed from, too.
    pub uses: Vec<DrawId>,
    /// What each measurement of the answer is worth, in the accountant's unit: at least what was asked for.
    pub worth: Vec<Price>,
    /// What each account pays.
    pub legs: Legs,
    /// Noisy cells drawn, counted against the dataset's life.
    pub cells: u64,
    /// δ of the threshold of what is drawn, counted against what the dataset sets aside; nothing where there is none.
    pub threshold_delta: Delta,
    /// The idempotency key it was asked under.
    pub key: Option<KeyUse>,
    /// The researcher's account right after the charge.
    pub account: AccountMark,
}

/// A stored answer served again.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Served {
    /// The answer.
    pub release: String,
    /// To whom.
    pub researcher: String,
    /// How the question lays it out, in the service's words.
    pub question: Option<String>,
    /// The idempotency key it was asked under.
    pub key: Option<KeyUse>,
    /// What each account pays; the dataset nothing.
    pub legs: Legs,
    /// The researcher's account right afterwards.
    pub account: AccountMark,
}

/// A researcher's account at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct AccountMark {
    /// Spent in this period; all in all, where nothing renews.
    pub spent: Price,
    /// Spent all in all.
    pub lifetime: Price,
    /// The allocation.
    pub amount: Price,
    /// What can still be charged at once: the least that is left of the account and of those above it.
    pub left: Price,
    /// The ε that the allocation was granted as.
    pub epsilon: Epsilon,
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// The version of these bytes.
    pub v: u8,
    /// Counts from 1 without gaps.
    pub seq: u64,
    /// Milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// The hash of the entry before.
    #[serde(serialize_with = "hex::serialize")]
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

    /// The canonical bytes.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Unwrap safety: writing to memory does not fail, and an entry holds no number that is none.
        borsh::to_vec(self).expect("an entry is plain data")
    }

    /// Reads canonical bytes; nothing where they are not exactly one entry of this version.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        borsh::from_slice::<Self>(bytes).ok().filter(|entry| entry.v == SCHEMA_VERSION)
    }

    /// The hash of canonical bytes, which hold the predecessor's hash.
    #[must_use]
    pub fn hash(bytes: &[u8]) -> Digest {
        *blake3::hash(bytes).as_bytes()
    }
}

impl Act {
    /// The words of all kinds of acts.
    pub const KINDS: [&str; 23] = [
        "dataset-opened",
        "edition-sealed",
        "cap-raised",
        "person-added",
        "token-revoked",
        "project-granted",
        "granted",
        "statistics-granted",
        "frozen",
        "unfrozen",
        "charged",
        "released",
        "burned",
        "served",
        "published",
        "refresh-skipped",
        "requested",
        "request-decided",
        "applied",
        "recovered",
        "statistic-confirmed",
        "viewer-added",
        "viewing-set",
    ];

    /// The word for the kind of act.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DatasetOpened { .. } => "dataset-opened",
            Self::EditionSealed { .. } => "edition-sealed",
            Self::CapRaised { .. } => "cap-raised",
            Self::PersonAdded { .. } => "person-added",
            Self::TokenRevoked { .. } => "token-revoked",
            Self::ProjectGranted { .. } => "project-granted",
            Self::Granted { .. } => "granted",
            Self::Frozen { .. } => "frozen",
            Self::Unfrozen { .. } => "unfrozen",
            Self::Charged(_) => "charged",
            Self::Released { .. } => "released",
            Self::Burned { .. } => "burned",
            Self::Served(_) => "served",
            Self::Recovered { .. } => "recovered",
            Self::StatisticsGranted { .. } => "statistics-granted",
            Self::Published { .. } => "published",
            Self::RefreshSkipped { .. } => "refresh-skipped",
            Self::Requested { .. } => "requested",
            Self::RequestDecided { .. } => "request-decided",
            Self::Applied { .. } => "applied",
            Self::StatisticConfirmed { .. } => "statistic-confirmed",
            Self::ViewerAdded { .. } => "viewer-added",
            Self::ViewingSet { .. } => "viewing-set",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_within_acts_are_not_read() {
        let applied = |acts| Act::Applied { reason: "r".into(), by: "sam".into(), managed: Vec::new(), acts };
        let revoked = Act::TokenRevoked { name: "ada".into(), by: "sam".into() };
        let one = Entry::following(0, GENESIS, 1, applied(vec![Single(revoked)]));
        assert_eq!(Entry::read(&one.canonical_bytes()), Some(one));
        let nested = Entry::following(0, GENESIS, 1, applied(vec![Single(applied(Vec::new()))]));
        assert_eq!(Entry::read(&nested.canonical_bytes()), None);
    }
}
