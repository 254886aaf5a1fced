//! The bytes of a stored answer: the order of its fields, and the part of it that its charge is compared with.
//!
//! Promises one place for the order. Version 3 is one byte with that number, then [`Head`], [`Drawn`], [`Points`] and [`Rest`] in Borsh.
//! Version 2 had no points, because it is older than noise paths. The first version was JSON, which begins with a brace.

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
pub const VERSION: u8 = 3;

/// The version before there were points of noise paths.
pub const WITHOUT_POINTS: u8 = 2;

/// The first byte of an answer of the first version.
pub const JSON_BEGINS: u8 = b'{';

/// What a list of answers shows: the release's id and subject, the SQL, ε, the researcher, the purpose and the time.
pub type Head = (String, Subject, String, String, String, Option<String>, u64);

/// What was drawn: the version of the release, its mechanism, vectors, price and groups.
pub type Drawn = (u32, Mechanism, Vec<NoisyVector>, Price, Option<ReleasedGroups>);

/// The combined vectors, the releases they derive from, the layout, what was paid, the accountant, δ and the rows per unit.
pub type Rest = (Option<Vec<NoisyVector>>, Vec<String>, Layout, Price, Accountant, Option<Delta>, u32);

/// The points of noise paths that were made for the answer, apart from its draws, in the order of their steps.
pub type Points = Vec<NoisyVector>;

/// Reads the bytes that follow the version byte; `None` if they are no answer.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Head, Drawn, Points, Rest)> {
    borsh::from_slice(bytes).ok()
}

/// Reads the bytes that follow the version byte of [`WITHOUT_POINTS`]; `None` if they are no answer.
#[must_use]
pub fn read_without_points(bytes: &[u8]) -> Option<(Head, Drawn, Points, Rest)> {
    let (head, drawn, rest) = borsh::from_slice(bytes).ok()?;
    Some((head, drawn, Points::new(), rest))
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
    /// Number of points of noise paths that are stored beside the draws.
    pub(super) points: usize,
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
            (&VERSION, rest) => read(rest).map(Self::of_parts),
            (&WITHOUT_POINTS, rest) => read_without_points(rest).map(Self::of_parts),
            _ => None,
        }
    }

    fn of_parts(((id, ..), (_, _, vectors, _, groups), points, _): (Head, Drawn, Points, Rest)) -> Self {
        let draw = |NoisyVector { law, price, cells }: NoisyVector| OutlineDraw { law, price, cells: cells.len() };
        let draws = vectors.into_iter().map(draw).collect();
        Self { id, draws, points: points.len(), groups: groups.map(|groups| groups.labels.len()) }
    }

    fn of_json(bytes: &[u8]) -> Option<Self> {
        let AnswerJson { release, .. } = serde_json::from_slice(bytes).ok()?;
        let draw = |DrawJson { law, price, cells }: DrawJson| OutlineDraw { law, price, cells: cells.len() };
        Some(Self {
            id: release.id,
            draws: release.measurements.into_iter().map(draw).collect(),
            points: 0,
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
