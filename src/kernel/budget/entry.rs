//! Entries of the ledger: what happened, its canonical bytes, and the hash chain that binds them.
//!
//! Promises that equal entries have equal bytes, that bytes decode to at most one entry, and that each entry's hash covers its
//! predecessor's. Amounts are integers. The bytes are Borsh (Binary Object Representation Serializer for Hashing), whose reader accepts
//! exactly what its writer produces; people see entries as JSON.

use borsh::de::EnumExt;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

pub use super::issued::{IssuedToken, ScramVerifier, VerifiedToken};
use super::people::Role;
use super::steps::PathStep;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon, Price};
use crate::kernel::privacy::certificate::CertifiedMeasurement;

/// Version number of the canonical bytes.
pub const SCHEMA_VERSION: u8 = 3;

/// A BLAKE3 digest, 32 bytes.
pub type Digest = [u8; 32];

/// The hash that the first entry gives as its predecessor's.
pub const GENESIS: Digest = [0; 32];

/// The use of an idempotency key, as digests: the ledger holds neither the key nor the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct KeyUse {
    /// Digest of the idempotency key.
    #[serde(serialize_with = "hex::serialize")]
    pub key: Digest,
    /// Digest of the request's body.
    #[serde(serialize_with = "hex::serialize")]
    pub body: Digest,
}

/// A dataset's lifetime cap as it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Cap {
    /// How privacy losses add up, including the δ.
    pub accountant: Accountant,
    /// The ε of the cap, as granted.
    pub epsilon: Epsilon,
    /// The cap as an amount.
    pub amount: Price,
    /// The most that one query may cost, as an amount.
    pub query_max: Price,
    /// The most that one query may cost, as an ε.
    pub query_epsilon_max: Epsilon,
    /// The δ that thresholds may use over the dataset's life, in addition to the accountant's own; 0 if none is set aside.
    pub threshold_delta: Delta,
}

impl Cap {
    /// The δ of the lifetime guarantee: the accountant's plus that of all thresholds.
    #[must_use]
    pub fn delta(&self) -> Delta {
        // Unwrap safety: both are at most 0.01.
        self.accountant.delta().checked_add(self.threshold_delta).expect("two parts of one declared delta")
    }
}

/// The kinds of accounts, which form a tree: a researcher's account is below a project's or the dataset's; a project's and the statistics
/// account are below the dataset's. New kinds are added at the end, so that older ledgers read as they were written.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
    IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AccountKind {
    /// The root of the tree: the lifetime cap, which is the guarantee.
    Dataset,
    /// Researchers who share an allocation.
    Project,
    /// One researcher's allocation of a dataset.
    Researcher,
    /// What published statistics may spend, kept apart so that they never use what researchers were granted.
    Statistics,
}

impl AccountKind {
    /// The kind's name in JSON and in texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Why a charged answer was never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Evaluation or noise failed or panicked. This is an incident, because it may depend on data.
    Failed,
    /// The answer could not be written, for example to a full or failing disk. The operator's fault, not an incident.
    Unrecorded,
    /// The server ended before the answer was stored, by a kill or a power cut. The operator's fault, not an incident.
    CutOff,
}

/// The id of a draw: the release that drew the vector, and the vector's index in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct DrawId {
    /// Id of the release that drew the vector.
    pub release: String,
    /// Index of the vector among those that the release drew, from 0.
    pub index: u32,
}

/// A vector that is drawn anew, with its noise law and price.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct NewDraw {
    /// Digest of the measurement: edition, rows per unit, filter, keys and what is measured.
    #[serde(serialize_with = "hex::serialize")]
    pub view: Digest,
    /// The sensitivity, the noise law and the price.
    pub certified: CertifiedMeasurement,
}

/// What one answer posts to each account from the researcher's to the dataset's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Postings {
    /// Price of what is newly drawn.
    pub dataset: Price,
    /// Price of what is new to the project; zero if there is no project.
    pub project: Price,
    /// Price of what is new to the researcher.
    pub researcher: Price,
}

/// The balance of one account, as the anchor and recoveries record it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Balance {
    /// Name of the dataset that the account spends from.
    pub dataset: String,
    /// Kind of the account.
    pub kind: AccountKind,
    /// Name of the account's holder.
    pub name: String,
    /// What was spent over the account's life.
    pub spent: Price,
    /// Number of noisy cells drawn; 0 unless the account is a dataset's.
    pub cells: u64,
    /// The δ used by thresholds; 0 unless the account is a dataset's.
    pub threshold_delta: Delta,
}

/// Whether a dataset is frozen, as the anchor records it. Only the anchor holds this; the ledger has acts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Name of the dataset.
    pub dataset: String,
    /// Whether nothing may be drawn from it until its steward acts.
    pub is_frozen: bool,
    /// Number of incidents since its steward last unfroze it.
    pub incidents: u32,
}

/// What an entry records. New acts are added at the end, with numbers that no act has had, so that older ledgers read as they were written.
#[expect(missing_docs, reason = "a variant's sentence says what its fields are")]
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "act", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Act {
    /// A dataset's account was opened with its lifetime cap. `unit` is what the cap protects, in every edition.
    DatasetOpened { dataset: String, unit: String, cap: Cap },
    /// A source was sealed; later queries see this edition. The commitment binds the sealed bytes with a secret nonce; `terms` are the
    /// policy's public terms as JSON, from which every plan can be priced again.
    EditionSealed { dataset: String, edition: String, commitment: String, oversubscribe: bool, terms: String },
    /// The lifetime cap was raised to this new total.
    CapRaised { dataset: String, epsilon: Epsilon, amount: Price, reason: String, by: String },
    /// A person was added and given a token, of which only the digest is kept.
    PersonAdded {
        name: String,
        role: Role,
        #[serde(serialize_with = "hex::serialize")]
        token: Digest,
        by: String,
    },
    /// A person's token was revoked.
    TokenRevoked { name: String, by: String },
    /// A project's allocation of a dataset was set; `epsilon` and `amount` are the new total.
    ProjectGranted { project: String, dataset: String, epsilon: Epsilon, amount: Price, reason: String, by: String },
    /// A researcher's allocation of a dataset was set, below a project if one is named; `epsilon` and `amount` are the new total, per
    /// period if the allocation renews.
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
    /// A steward froze the dataset: nothing is drawn from it until it is unfrozen.
    Frozen { dataset: String, reason: String, by: String },
    /// A steward unfroze the dataset: its incidents are counted from 0 again.
    Unfrozen { dataset: String, reason: String, by: String },
    /// An answer was paid for: RESERVED → EXECUTING if something is drawn, durable before data is touched.
    Charged(Box<Charge>),
    /// The answer was stored: EXECUTING → SEALED. `digest` is that of the stored answer, which holds noisy values only.
    Released {
        release: String,
        #[serde(serialize_with = "hex::serialize")]
        digest: Digest,
    },
    /// The answer failed: EXECUTING → BURNED. The charge stands.
    Burned { release: String, cause: Cause },
    /// A stored answer was served to a researcher who pays for the draws that are new to them, or under a new idempotency key; nothing was
    /// drawn. `question` is how this query lays the answer out, as JSON text of the service.
    Served(Box<Serving>),
    /// A ledger that was older than its anchor, or had none, was put back into use: balances become at least these.
    Recovered { reason: String, by: String, anchor_seq: Option<u64>, balances: Vec<Balance> },
    /// The allocation of a dataset's statistics account was set; `epsilon` and `amount` are the new total, per period if the allocation
    /// renews.
    StatisticsGranted {
        dataset: String,
        epsilon: Epsilon,
        amount: Price,
        period_days: Option<u32>,
        reason: String,
        by: String,
    },
    /// A published statistic now shows this stored answer, laid out as it was asked for under this key; the key's `body` is the digest
    /// of the query and its accuracy.
    Published { statistic: String, key: KeyUse, release: String, edition: String },
    /// A statistic was due and was not drawn; it keeps showing what it showed.
    RefreshSkipped { statistic: String, why: String },
    /// A researcher requested an allocation with this new total.
    Requested { researcher: String, dataset: String, epsilon: Epsilon, reason: String },
    /// A steward declined the request made by entry number `request`. Ledgers that are older than [`Act::RequestGranted`] also hold
    /// granted requests; there the grant is an entry of its own, before this one.
    RequestDecided { request: u64, granted: bool, reason: String, by: String },
    /// Several acts declared by files took effect together, all or none; `managed` names everything that the files declare.
    Applied { reason: String, by: String, managed: Vec<String>, acts: Vec<SingleAct> },
    /// A steward agreed that a statistic is drawn, now and on its schedule, as long as its query stays the same and a draw costs at most
    /// `amount`. `question` is the digest of the query and its accuracy; `face` is what its readers see (title, unit of measure, chart,
    /// whether it is public), as JSON text of the service.
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
    /// A viewer was added and given a token, and may see the statistics of these datasets only.
    ViewerAdded {
        name: String,
        #[serde(serialize_with = "hex::serialize")]
        token: Digest,
        datasets: Vec<String>,
        by: String,
    },
    /// From now on the viewer may see the statistics of these datasets only.
    ViewingSet { name: String, datasets: Vec<String>, by: String },
    /// A steward granted the request made by entry number `request`; the rest is as for [`Act::Granted`].
    RequestGranted {
        request: u64,
        researcher: String,
        dataset: String,
        project: Option<String>,
        epsilon: Epsilon,
        amount: Price,
        period_days: Option<u32>,
        reason: String,
        by: String,
    },
    /// An answer that is made of points of noise paths was paid for: RESERVED → EXECUTING if a point is new, durable before data is touched
    /// and before any noise is drawn. The researcher pays for the level of each point beyond the best that they have paid for.
    ChargedByPath(Box<PathCharge>),
    /// A stored answer was served like [`Act::Served`], to a researcher who pays for the levels that are new to them.
    ServedByPath(Box<Serving>),
    /// A person was given another token, which has a name and may expire. A person who is new was added with it.
    TokenIssued(Box<IssuedToken>) = 28,
    /// The token of this name was revoked; [`Act::TokenRevoked`] revokes all of a person.
    NamedTokenRevoked { name: String, token_name: String, by: String } = 29,
    /// A person was given a token like [`Act::TokenIssued`], and what proofs of it are checked with is kept, too.
    TokenIssuedWithVerifier(Box<VerifiedToken>) = 30,
    /// A person has this role from now on. `datasets` are those whose statistics they see as a viewer; `None` leaves that as it was.
    RoleSet { name: String, role: Role, datasets: Option<Vec<String>>, by: String } = 31,
}

/// One act of an [`Act::Applied`]: any act except another `Applied`. Its bytes are the act's own.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize)]
#[serde(transparent)]
pub struct SingleAct(pub Act);

/// The variant number that the bytes of [`Act::Applied`] begin with.
const APPLIED: u8 = 19;

impl BorshDeserialize for SingleAct {
    /// Refuses acts nested within acts at the first level, so that endlessly nested bytes are not read to their end.
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        match u8::deserialize_reader(reader)? {
            APPLIED => Err(std::io::ErrorKind::InvalidData.into()),
            number => Act::deserialize_variant(reader, number).map(Self),
        }
    }
}

/// The charge of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Charge {
    /// Id that the release will have.
    pub release: String,
    /// Name of the researcher whose account paid.
    pub researcher: String,
    /// Name of the dataset that was charged.
    pub dataset: String,
    /// The edition that the answer is computed from.
    pub edition: String,
    /// Digest of the canonical plan, without its accuracy.
    #[serde(serialize_with = "hex::serialize")]
    pub view: Digest,
    /// The query as canonical SQL.
    pub sql: String,
    /// Number of rows that count per unit.
    pub rows_per_unit: u32,
    /// The purpose that the researcher declared.
    pub purpose: Option<String>,
    /// The measurements that are drawn anew, in the plan's order.
    pub drawn: Vec<NewDraw>,
    /// Stored vectors that the answer is also computed from.
    pub uses: Vec<DrawId>,
    /// The price at which each measurement of the answer has the accuracy it has; at least what was asked for.
    pub worth: Vec<Price>,
    /// What each account pays.
    pub legs: Postings,
    /// Number of noisy cells drawn, counted against the dataset's lifetime limit.
    pub cells: u64,
    /// The δ of the threshold, counted against what the dataset sets aside; 0 if there is no threshold.
    pub threshold_delta: Delta,
    /// The idempotency key that the request was sent under.
    pub key: Option<KeyUse>,
    /// The researcher's account right after the charge.
    pub account: AccountMark,
}

/// The charge of one answer that is made of points of noise paths.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct PathCharge {
    /// The charge. Its `uses` are draws that its researcher paid for one by one, before there were paths.
    #[serde(flatten)]
    pub charge: Charge,
    /// The points that the answer is made of. A step may build on the new points of those before it.
    pub steps: Vec<PathStep>,
}

/// A stored answer that was served again.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Serving {
    /// Id of the stored answer.
    pub release: String,
    /// Name of the researcher it was served to.
    pub researcher: String,
    /// What the query was and how it lays the answer out, as text of the service. Older ledgers have `None` where there is no key.
    pub question: Option<String>,
    /// The idempotency key that the request was sent under.
    pub key: Option<KeyUse>,
    /// What each account pays; the dataset pays nothing.
    pub legs: Postings,
    /// The researcher's account right after the answer was served.
    pub account: AccountMark,
}

/// A researcher's account at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct AccountMark {
    /// What was spent in the current period; over the account's life if the allocation does not renew.
    pub spent: Price,
    /// What was spent over the account's life.
    pub lifetime: Price,
    /// The allocation, as an amount.
    pub amount: Price,
    /// What can still be charged: the least that is left of this account and of those above it.
    pub left: Price,
    /// The allocation, as the ε it was granted as.
    pub epsilon: Epsilon,
}

/// One entry of the hash chain.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// Version number of the canonical bytes, [`SCHEMA_VERSION`].
    pub v: u8,
    /// Number of the entry, counted from 1 without gaps.
    pub seq: u64,
    /// When it was appended, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
    /// Hash of the entry before; [`GENESIS`] for the first.
    #[serde(serialize_with = "hex::serialize")]
    pub previous: Digest,
    /// What the entry records.
    #[serde(flatten)]
    pub act: Act,
}

impl Entry {
    /// Makes the entry that follows entry number `seq`, whose hash is `previous`.
    #[must_use]
    pub fn following(seq: u64, previous: Digest, at_ms: u64, act: Act) -> Self {
        Self { v: SCHEMA_VERSION, seq: seq.saturating_add(1), at_ms, previous, act }
    }

    /// Encodes the entry as its canonical bytes.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        // Unwrap safety: writing to memory does not fail, and an entry holds no NaN, which Borsh refuses.
        borsh::to_vec(self).expect("an entry is plain data")
    }

    /// Decodes canonical bytes; `None` if they are not exactly one entry of this version.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        borsh::from_slice::<Self>(bytes).ok().filter(|entry| entry.v == SCHEMA_VERSION)
    }

    /// Hashes canonical bytes, which contain the predecessor's hash.
    #[must_use]
    pub fn hash(bytes: &[u8]) -> Digest {
        *blake3::hash(bytes).as_bytes()
    }
}

impl Act {
    /// The names of all kinds of acts, as JSON shows them.
    pub const KINDS: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// The charge that the act records, whether by path or draw by draw; `None` for any other act.
    #[must_use]
    pub fn charge(&self) -> Option<&Charge> {
        if let Self::Charged(charge) = self {
            return Some(charge);
        }
        let Self::ChargedByPath(by_path) = self else { return None };
        Some(&by_path.charge)
    }

    /// The token that the act gives to a person, with or without a verifier; `None` for any other act, and for a first token of old.
    #[must_use]
    pub fn issued(&self) -> Option<&IssuedToken> {
        if let Self::TokenIssued(issued) = self {
            return Some(issued);
        }
        let Self::TokenIssuedWithVerifier(verified) = self else { return None };
        Some(&verified.issued)
    }

    /// The name of this act's kind, as JSON shows it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The kind under which people look for acts of a kind: a charge is a charge, whether by path or draw by draw, and a token a token.
    #[must_use]
    pub fn shown_kind(kind: &str) -> &str {
        kind.strip_suffix("-by-path").or(kind.strip_suffix("-with-verifier")).unwrap_or(kind)
    }

    /// The serving, if a stored answer was served again.
    #[must_use]
    pub fn serving(&self) -> Option<&Serving> {
        if let Self::Served(serving) = self {
            return Some(serving);
        }
        let Self::ServedByPath(by_path) = self else { return None };
        Some(by_path)
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
