//! Independent noise: which sources of a measurement may be added up, and which of them are worth most.
//!
//! Sources are independent if they share no root ([`NoiseRoot`](crate::kernel::budget::state::NoiseRoot)).

use std::collections::BTreeSet;

use super::parts::{AnswerPart, NeededMeasurement, PathSource};
use crate::kernel::privacy::amounts::Price;

/// The most choices that are tried for the best sum of independent sources.
const CHOICES_MAX: u32 = 4_096;

/// Whether measurements whose noise must be independent are made of points that share noise.
pub(super) fn share_noise(wanted: &[NeededMeasurement], parts: &[AnswerPart]) -> bool {
    let (mut taken, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let independent = wanted.iter().zip(parts).filter(|(one, _)| one.is_independent && seen.insert(one.view));
    independent.flat_map(|(_, part)| &part.points).any(|source| {
        let is_shared = !source.roots.is_disjoint(&taken);
        taken.extend(source.roots.iter().copied());
        is_shared
    })
}

/// What sources with independent noise are worth together.
pub(super) fn sum(sources: &[PathSource]) -> Price {
    sources.iter().fold(Price::ZERO, |sum, source| sum.saturating_add(source.worth))
}

/// Sources that share no root and are worth most together; of equally good ones, the most exact, and those that come first. If there are very
/// many, they are the best of those that were looked at.
pub(super) fn independent(sources: impl Iterator<Item = PathSource>) -> Vec<PathSource> {
    let mut all: Vec<PathSource> = sources.collect();
    all.sort_by_key(|source| std::cmp::Reverse(source.worth));
    let mut search =
        IndependentSearch { all: &all, chosen: Vec::new(), best: (Price::ZERO, Vec::new()), left: CHOICES_MAX };
    search.from(0, Price::ZERO);
    let mut best = search.best.1.into_iter().peekable();
    let mut place = 0_usize;
    all.retain(|_| {
        let is_chosen = best.next_if_eq(&place).is_some();
        place += 1;
        is_chosen
    });
    all
}

/// A search for the sources that share no root and are worth most, the most exact first. The first choice takes each source that it can.
struct IndependentSearch<'a> {
    all: &'a [PathSource],
    chosen: Vec<usize>,
    best: (Price, Vec<usize>),
    left: u32,
}

impl IndependentSearch<'_> {
    fn from(&mut self, place: usize, worth: Price) {
        let rest = self.all.get(place..).unwrap_or_default();
        if worth > self.best.0 {
            self.best = (worth, self.chosen.clone());
        }
        if self.left == 0 || worth.saturating_add(sum(rest)) <= self.best.0 {
            return;
        }
        self.left -= 1;
        let Some(source) = rest.first() else { return };
        if self.chosen.iter().all(|one| self.all[*one].roots.is_disjoint(&source.roots)) {
            self.chosen.push(place);
            self.from(place + 1, worth.saturating_add(source.worth));
            self.chosen.pop();
        }
        self.from(place + 1, worth);
    }
}
