//! The parts of an answer: what a question needs, and what each of its measurements is made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::derivations::Ancestor;
use crate::kernel::budget::entry::{Digest, DrawId};
use crate::kernel::budget::state::{DrawNo, NoiseRoot};
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::certificate::MeasurementSpec;
use crate::query::derive::Derivation;

/// A measurement that the question needs.
#[derive(Debug, Clone)]
pub(crate) struct NeededMeasurement {
    /// Digest that identifies the measurement without its accuracy.
    pub(crate) view: Digest,
    /// The measurement's sensitivity and its number of cells.
    pub(crate) sought: MeasurementSpec,
    /// If set, the measurement is reused only as part of the whole answer; nothing else is ever computed from its noise.
    pub(crate) is_whole: bool,
    /// If set, its noise must be independent of that of the question's other measurements, as the intervals of what is computed from several of
    /// them suppose.
    pub(crate) is_independent: bool,
    /// Stored measurements that this one can be derived from.
    pub(crate) ancestors: Vec<Ancestor>,
}

/// A stored draw that a measurement can be computed from, paid for as a draw.
#[derive(Debug, Clone)]
pub(crate) struct StoredVector {
    pub(super) draw: DrawNo,
    /// Id of the draw that is valid outside of the ledger's state, too.
    pub(crate) id: DrawId,
    /// Digest of the view that was drawn.
    pub(crate) view: Digest,
    /// How to derive the measurement from it; `None` if it is a draw of the measurement itself.
    pub(crate) derivation: Option<Arc<Derivation>>,
    /// What the vector is worth for this measurement: the price of a direct draw of the same accuracy.
    pub(super) worth: Price,
    /// What the vector cost when it was drawn.
    pub(super) price: Price,
    /// Whether the researcher has already paid for it.
    pub(super) is_paid: bool,
}

/// What one measurement of an answer is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnswerPart {
    /// Stored draws that are used as they are.
    pub(crate) sources: Vec<StoredVector>,
    /// Points of noise paths that are combined.
    pub(crate) points: Vec<PathSource>,
    /// Price of what is drawn anew; zero if nothing is.
    pub(crate) fresh: Price,
    /// Price of a single draw as exact as all of this together.
    pub(crate) worth: Price,
    /// Ids of the releases that the points come from.
    pub(crate) origins: Vec<String>,
}

/// What an answer uses of one view: a point of its path, or draws from before there were paths.
#[derive(Debug, Clone)]
pub(crate) struct PathSource {
    /// Digest of the view.
    pub(crate) view: Digest,
    /// What is used of it.
    pub(crate) point: SourcePoint,
    /// How to derive the measurement from it; `None` if the view is the measurement itself.
    pub(crate) derivation: Option<Arc<Derivation>>,
    /// What it is worth for the measurement.
    pub(super) worth: Price,
    /// The parts of its noise.
    pub(super) roots: BTreeSet<NoiseRoot>,
}

/// A vector of a view.
#[derive(Debug, Clone)]
pub(crate) enum SourcePoint {
    /// The point at this level of the view's path.
    Level(Price),
    /// The mean of draws that were paid for one by one.
    Draws(Vec<(DrawNo, DrawId)>),
}

impl PathSource {
    /// Whether its noise is not that of its own view's path alone.
    pub(crate) fn is_derived(&self) -> bool {
        self.roots.iter().any(|root| *root != NoiseRoot::View(self.view))
    }
}

impl AnswerPart {
    pub(super) fn of(source: &StoredVector) -> Self {
        Self { sources: vec![source.clone()], worth: source.worth, ..Self::default() }
    }

    /// The draws that it uses, each with its id.
    fn draws(&self) -> impl Iterator<Item = (DrawNo, &DrawId)> {
        let of_points = self.points.iter().flat_map(|source| match &source.point {
            SourcePoint::Draws(draws) => draws.as_slice(),
            SourcePoint::Level(_) => &[],
        });
        let used = self.sources.iter().map(|source| (source.draw, &source.id));
        used.chain(of_points.map(|(draw, id)| (*draw, id)))
    }
}

/// The draws used by all parts, sorted, each once.
pub(super) fn uses(parts: &[AnswerPart]) -> Vec<DrawNo> {
    let mut uses: Vec<_> = parts.iter().flat_map(AnswerPart::draws).map(|(draw, _)| draw).collect();
    uses.sort_unstable();
    uses.dedup();
    uses
}

/// The ids of the draws used by all parts, each once.
pub(crate) fn use_ids(parts: &[AnswerPart]) -> Vec<DrawId> {
    let mut uses: Vec<_> = parts.iter().flat_map(AnswerPart::draws).collect();
    uses.sort_by_key(|(draw, _)| *draw);
    uses.dedup_by_key(|(draw, _)| *draw);
    uses.into_iter().map(|(_, id)| id.clone()).collect()
}

/// Ids of the releases that all parts come from, each once.
pub(crate) fn origins(parts: &[AnswerPart]) -> Vec<String> {
    let used = use_ids(parts).into_iter().map(|id| id.release);
    let mut found: Vec<String> = Vec::new();
    for id in parts.iter().flat_map(|made| made.origins.iter().cloned()).chain(used) {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Whether `worth` is at least `asked`, up to one part in a billion.
pub(super) fn is_enough(worth: Price, asked: Price) -> bool {
    worth.saturating_add(Price::from_quanta(asked.quanta() / 1_000_000_000)) >= asked
}
