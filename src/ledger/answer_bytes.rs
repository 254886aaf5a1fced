//! The bytes of a stored answer: the order of its fields, and the part of it that its charge is compared with.
//!
//! Promises one place for the order. Version 2 is one byte with that number, then [`Head`], [`Drawn`] and [`Rest`] in Borsh. The first
//! version was JSON, which begins with a brace.

use borsh::BorshDeserialize;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::Subject;
use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::kernel::vault::release::{NoisyVector, ReleasedGroups};
use crate::query::answer::Layout;

/// The present version, which is the first byte of an answer.
pub const VERSION: u8 = 2;

/// The first byte of an answer of the first version.
pub const JSON_BEGINS: u8 = b'{';

/// What a list of answers shows: the release's id and subject, the SQL, ε, the researcher, the purpose and the time.
pub type Head = (String, Subject, String, String, String, Option<String>, u64);

/// What was drawn: the version of the release, its mechanism, vectors, price and groups.
pub type Drawn = (u32, Mechanism, Vec<NoisyVector>, Price, Option<ReleasedGroups>);

/// The combined vectors, the releases they derive from, the layout, what was paid, the accountant, δ and the rows per unit.
pub type Rest = (Option<Vec<NoisyVector>>, Vec<String>, Layout, Price, Accountant, Option<Delta>, u32);

/// Reads the bytes that follow the version byte; `None` if they are no answer.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Head, Drawn, Rest)> {
    borsh::from_slice(bytes).ok()
}

/// Reads only the head from the bytes that follow the version byte.
#[must_use]
pub fn read_head(mut bytes: &[u8]) -> Option<Head> {
    Head::deserialize(&mut bytes).ok()
}

/// The part of a stored answer that is checked against its charge. The answer's digest in the hash chain covers all of it.
pub(super) struct Outline {
    pub(super) id: String,
    pub(super) draws: Vec<OutlineDraw>,
    /// Number of groups that are shown, if their list is not public.
    pub(super) groups: Option<usize>,
}

/// A drawn vector without its cells.
pub(super) struct OutlineDraw {
    pub(super) law: NoiseLaw,
    pub(super) price: Price,
    /// Number of noisy cells in the vector.
    pub(super) cells: usize,
}

impl Outline {
    /// Reads the outline of a stored answer of any version; `None` if the bytes are no answer.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&JSON_BEGINS, _) => Self::of_json(bytes),
            (&VERSION, rest) => {
                let ((id, ..), (_, _, vectors, _, groups), _) = read(rest)?;
                let draw =
                    |NoisyVector { law, price, cells }: NoisyVector| OutlineDraw { law, price, cells: cells.len() };
                let draws = vectors.into_iter().map(draw).collect();
                Some(Self { id, draws, groups: groups.map(|groups| groups.labels.len()) })
            }
            _ => None,
        }
    }

    fn of_json(bytes: &[u8]) -> Option<Self> {
        let AnswerJson { release, .. } = serde_json::from_slice(bytes).ok()?;
        let draw = |DrawJson { law, price, cells }: DrawJson| OutlineDraw { law, price, cells: cells.len() };
        Some(Self {
            id: release.id,
            draws: release.measurements.into_iter().map(draw).collect(),
            groups: release.groups.map(|groups| groups.labels.len()),
        })
    }
}

// The JSON of the first version. Its names are spelled here, so that renaming a field changes nothing.

#[derive(Deserialize)]
struct AnswerJson {
    #[serde(rename = "release")]
    release: ReleaseJson,
    #[serde(rename = "layout")]
    _layout: IgnoredAny,
}

#[derive(Deserialize)]
struct ReleaseJson {
    #[serde(rename = "id")]
    id: String,
    #[serde(rename = "measurements")]
    measurements: Vec<DrawJson>,
    #[serde(rename = "groups")]
    groups: Option<GroupsJson>,
}

#[derive(Deserialize)]
struct GroupsJson {
    #[serde(rename = "labels")]
    labels: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct DrawJson {
    #[serde(rename = "law")]
    law: NoiseLaw,
    #[serde(rename = "price")]
    price: Price,
    #[serde(rename = "cells")]
    cells: Vec<IgnoredAny>,
}
