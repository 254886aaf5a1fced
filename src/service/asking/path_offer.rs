//! Offers along noise paths: what a measurement is made of, at the level that is asked for and not above it.
//!
//! What the asker has paid for comes first: the best point that they have of the measurement, and of others whose cells add up to it. If that
//! is not enough, their point on the measurement's own path is moved up by what is missing, and they pay for that alone: to a point that is
//! stored, to one between stored points, to one that is derived from other measurements' points, or, where nothing stored is as exact, to one
//! that is drawn from data.
//!
//! Only sources whose noise is independent are added up. A source has the noise of its own view and of the views that its path is derived
//! from, its *roots*; two sources are independent if they share no root.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::parts::{AnswerPart, NeededMeasurement, PathSource, SourcePoint, is_enough};
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::state::{Branch, KnownView, LedgerState, NoisePath, PointSource};
use crate::kernel::budget::steps::{DerivedSource, PathStep, PointOrigin};
use crate::kernel::path::{PathGap, worth_of};
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::sensitivity::Sensitivity;
use crate::query::derive::Derivation;

/// The most views that a measurement's path is derived from at once.
const SEEDS_MAX: usize = 4;
/// A path is derived from points that are worth at least this part of what is missing.
const SEED_PART: u64 = 64;

/// Whether all draws of the measurements' views were certified for the sensitivities that they have now. They are not if a later version of
/// the program knows a better bound; then levels cannot be compared, and everything is drawn anew.
pub(super) fn are_comparable(book: &LedgerState, wanted: &[NeededMeasurement]) -> bool {
    wanted.iter().all(|one| book.sensitivities(&one.view).all(|sensitivity| sensitivity == one.sought.sensitivity))
}

/// Whether measurements whose noise must be independent have paths that share the noise of a view.
pub(super) fn share_noise(book: &LedgerState, wanted: &[NeededMeasurement]) -> bool {
    let mut taken = BTreeSet::new();
    let mut seen = BTreeSet::new();
    wanted.iter().filter(|one| one.is_independent && seen.insert(one.view)).any(|one| {
        let roots = roots(&one.view, book.path(&one.view));
        let is_shared = !roots.is_disjoint(&taken);
        taken.extend(roots);
        is_shared
    })
}

/// Makes the parts of an answer, measurement by measurement, with the steps along their paths.
pub(super) struct PathPlanner<'a> {
    book: &'a LedgerState,
    branch: Branch,
    steps: Vec<PathStep>,
    draws: u32,
}

impl<'a> PathPlanner<'a> {
    pub(super) fn new(book: &'a LedgerState, branch: Branch) -> Self {
        Self { book, branch, steps: Vec::new(), draws: 0 }
    }

    /// The parts of an answer that gives each measurement the worth in `asked`, and its steps.
    pub(super) fn parts(mut self, wanted: &[NeededMeasurement], asked: &[Price]) -> (Vec<AnswerPart>, Vec<PathStep>) {
        let mut parts: Vec<AnswerPart> = Vec::with_capacity(wanted.len());
        for (place, one) in wanted.iter().enumerate() {
            let is_it = |other: &&NeededMeasurement| other.view == one.view;
            // A view that the question measures twice is one point, at the higher of the two levels.
            let part = match wanted[..place].iter().position(|other| other.view == one.view) {
                Some(before) => AnswerPart { fresh: Price::ZERO, ..parts[before].clone() },
                None => {
                    let same = wanted.iter().zip(asked).filter(|(other, _)| is_it(other)).map(|(_, asked)| *asked);
                    self.part(one, same.max().unwrap_or_default())
                }
            };
            parts.push(part);
        }
        (parts, self.steps)
    }

    fn part(&mut self, wanted: &NeededMeasurement, asked: Price) -> AnswerPart {
        let own = self.known(&wanted.view, None, wanted);
        let derived: Vec<PathSource> = wanted
            .ancestors
            .iter()
            .filter_map(|ancestor| self.known(&ancestor.view, Some(&ancestor.derivation), wanted))
            .collect();
        let all = independent(own.iter().chain(&derived).cloned());
        if is_enough(sum(&all), asked) {
            return self.made_of(all, Price::ZERO);
        }
        let path = self.book.path(&wanted.view);
        let roots = roots(&wanted.view, path);
        let apart: Vec<PathSource> = derived.into_iter().filter(|source| source.roots.is_disjoint(&roots)).collect();
        let mut beside = independent(apart.into_iter());
        if is_enough(sum(&beside), asked) {
            return self.made_of(beside, Price::ZERO);
        }
        if let Some(own) = own.filter(|own| is_enough(own.worth, asked.left_after(sum(&beside)))) {
            beside.push(own);
            return self.made_of(beside, Price::ZERO);
        }
        let mut climb = self.climb(wanted, asked, &beside);
        if climb.fresh > Price::ZERO && !beside.is_empty() {
            // What the asker has of a view cannot be used beside a path that is derived from the best point of that view. The dataset comes
            // first: nothing is drawn from data that follows from what is stored.
            let alone = self.climb(wanted, asked, &[]);
            if alone.fresh < climb.fresh {
                (climb, beside) = (alone, Vec::new());
            }
        }
        let roots = roots.into_iter().chain(climb.seeds()).collect();
        let Climb { steps, level, fresh } = climb;
        self.draws = self.draws.saturating_add(u32::from(fresh > Price::ZERO));
        self.steps.extend(steps);
        let (view, point) = (wanted.view, SourcePoint::Level(level));
        beside.insert(0, PathSource { view, point, derivation: None, worth: level, roots });
        self.made_of(beside, fresh)
    }

    /// What the asker has paid for of a view, and what that is worth for a measurement; `None` if nothing.
    fn known(
        &self,
        view: &Digest,
        derivation: Option<&Arc<Derivation>>,
        wanted: &NeededMeasurement,
    ) -> Option<PathSource> {
        let known = self.book.known_view(self.branch.researcher, view)?;
        let worth = match derivation {
            None => known.level(),
            Some(derivation) => self.worth(view, known.level(), derivation, wanted)?,
        };
        let (point, roots) = match known {
            KnownView::Point(level) => (SourcePoint::Level(level), roots(view, self.book.path(view))),
            KnownView::Draws(_, draws) => {
                let draws = draws.into_iter().map(|draw| (draw, self.book.draw_id(draw))).collect();
                (SourcePoint::Draws(draws), BTreeSet::from([*view]))
            }
        };
        Some(PathSource { view: *view, point, derivation: derivation.cloned(), worth, roots })
    }

    /// What a point of another view is worth for a measurement.
    fn worth(&self, view: &Digest, level: Price, derivation: &Derivation, wanted: &NeededMeasurement) -> Option<Price> {
        let mut held = self.book.sensitivities(view);
        let first: Sensitivity = held.next()?;
        if !held.all(|other| other == first) {
            return None;
        }
        worth_of(level, (wanted.sought.sensitivity.l2_squared(), first.l2_squared()), derivation.summed_max)
    }

    /// The way up the path of a measurement that is made of a point of it and of the sources `beside`: to the level that those leave missing,
    /// or to a stored point just below it.
    fn climb(&self, wanted: &NeededMeasurement, asked: Price, beside: &[PathSource]) -> Climb {
        let level = asked.left_after(sum(beside));
        let path = self.book.path(&wanted.view);
        let mut climb = Climb { steps: Vec::new(), level, fresh: Price::ZERO };
        if let Some(near) = path.and_then(|path| path.at_most(level)).filter(|near| is_enough(*near, level)) {
            climb.level = near;
            climb.step(wanted, near, PointOrigin::Stored);
            return climb;
        }
        if let Some(gap) = path.and_then(|path| path.gap(level)) {
            climb.step_between(wanted, gap);
            return climb;
        }
        let from = path.map_or(Price::ZERO, NoisePath::finest);
        let taken = beside.iter().flat_map(|source| source.roots.iter().copied()).collect();
        let sources = self.sources(wanted, level.left_after(from), &taken);
        let finest = sources.iter().fold(from, |sum, source| sum.saturating_add(source.worth));
        if !sources.is_empty() {
            climb.step(wanted, finest, PointOrigin::Derived { from, sources });
        }
        if finest > level {
            let coarser = Some(from).filter(|from| *from > Price::ZERO);
            climb.step_between(wanted, PathGap { level, finer: finest, coarser });
        } else if is_enough(finest, level) {
            climb.level = finest;
            climb.step(wanted, finest, PointOrigin::Stored);
        } else {
            climb.fresh = level.left_after(finest);
            climb.step(wanted, level, PointOrigin::Drawn { from: finest, draw: self.draws });
        }
        climb
    }

    /// Stored points of other views that the path may be derived from, the most exact first, until they are worth what is missing.
    fn sources(&self, wanted: &NeededMeasurement, missing: Price, taken: &BTreeSet<Digest>) -> Vec<DerivedSource> {
        let path = self.book.path(&wanted.view);
        let (derived, derived_from) = self.derived_here();
        if path.is_some_and(|path| !path.may_be_derived()) || derived_from.contains(&wanted.view) {
            return Vec::new();
        }
        let before = roots(&wanted.view, path);
        let source = |ancestor: &super::derivations::Ancestor| {
            let view = ancestor.view;
            // Cells of unequal sums would be more exact than their level says, and cheaper than what they are made of.
            if !ancestor.derivation.is_even || derived.contains(&view) {
                return None;
            }
            let path = self.book.path(&view).filter(|path| path.may_be_source())?;
            let level = path.finest();
            let worth = self.worth(&view, level, &ancestor.derivation, wanted)?;
            let is_new = !before.contains(&view) && !taken.contains(&view);
            let is_worth_it = worth.quanta() > missing.quanta() / SEED_PART;
            (is_new && is_worth_it).then_some(DerivedSource { view, level, worth })
        };
        let mut all: Vec<DerivedSource> = wanted.ancestors.iter().filter_map(source).collect();
        all.sort_by_key(|source| std::cmp::Reverse(source.worth));
        let mut seen = BTreeSet::new();
        all.retain(|source| seen.insert(source.view));
        let mut left = missing;
        let mut is_needed = |source: &DerivedSource| {
            let is_needed = left > Price::ZERO;
            left = left.left_after(source.worth);
            is_needed
        };
        all.into_iter().take(SEEDS_MAX).take_while(|source| is_needed(source)).collect()
    }

    /// The views whose paths this answer derives from others, and those that it derives them from.
    fn derived_here(&self) -> (BTreeSet<Digest>, BTreeSet<Digest>) {
        let (mut derived, mut derived_from) = (BTreeSet::new(), BTreeSet::new());
        for step in &self.steps {
            if let PointOrigin::Derived { sources, .. } = &step.origin {
                derived.insert(step.view);
                derived_from.extend(sources.iter().map(|source| source.view));
            }
        }
        (derived, derived_from)
    }

    /// A part made of these sources; those that no step has made yet are stored points.
    fn made_of(&mut self, points: Vec<PathSource>, fresh: Price) -> AnswerPart {
        for PathSource { view, point, .. } in &points {
            let SourcePoint::Level(level) = *point else { continue };
            if !self.steps.iter().any(|step| step.view == *view && step.level == level && step.is_given()) {
                self.steps.push(PathStep { view: *view, level, cells: 0, origin: PointOrigin::Stored });
            }
        }
        let origins = self.origins(&points);
        AnswerPart { sources: Vec::new(), fresh, worth: sum(&points), points, origins }
    }

    /// Ids of the releases that the sources of a part come from, each once, oldest first.
    fn origins(&self, points: &[PathSource]) -> Vec<String> {
        let mut found = Vec::new();
        for source in points {
            match &source.point {
                SourcePoint::Draws(draws) => found.extend(draws.iter().map(|(_, id)| id.release.clone())),
                SourcePoint::Level(level) => {
                    self.releases(&source.view, *level, &mut found);
                    let own = self.steps.iter().filter(|step| step.view == source.view);
                    own.for_each(|step| self.parents(step, &mut found));
                }
            }
        }
        found.sort_by_key(|id| self.book.release(id).map_or(0, |card| card.seq));
        found.dedup();
        found
    }

    fn parents(&self, step: &PathStep, found: &mut Vec<String>) {
        match &step.origin {
            PointOrigin::Stored => {}
            PointOrigin::Drawn { from, .. } => self.releases(&step.view, *from, found),
            PointOrigin::Between { finer, coarser, .. } => {
                self.releases(&step.view, *finer, found);
                coarser.iter().for_each(|coarser| self.releases(&step.view, *coarser, found));
            }
            PointOrigin::Derived { from, sources } => {
                self.releases(&step.view, *from, found);
                sources.iter().for_each(|source| self.releases(&source.view, source.level, found));
            }
        }
    }

    /// The releases that a stored point's vector is read from.
    fn releases(&self, view: &Digest, level: Price, found: &mut Vec<String>) {
        let mut at = Some(level);
        while let Some(source) = at.and_then(|level| self.book.point(view, level)) {
            at = None;
            match source {
                PointSource::Drawn(id) => found.push(id.release),
                PointSource::Stored { release, .. } => found.push(release),
                PointSource::Mean { coarser, draw } => {
                    found.push(draw.release);
                    at = Some(coarser);
                }
            }
        }
    }
}

/// The way up a path to a level.
struct Climb {
    steps: Vec<PathStep>,
    /// Level of the point at the end.
    level: Price,
    /// Price of what has to be drawn from data for it.
    fresh: Price,
}

impl Climb {
    fn step(&mut self, wanted: &NeededMeasurement, level: Price, origin: PointOrigin) {
        let step = PathStep { view: wanted.view, level, cells: 0, origin };
        let cells = if step.is_new() { wanted.sought.cells } else { 0 };
        self.steps.push(PathStep { cells, ..step });
    }

    fn step_between(&mut self, wanted: &NeededMeasurement, gap: PathGap) {
        // Unwrap safety: the levels of a gap are in their order, and no two are so near that no noise lies between them.
        let noise = gap.noise(wanted.sought.sensitivity).expect("a gap has room for a point");
        self.step(wanted, gap.level, PointOrigin::Between { finer: gap.finer, coarser: gap.coarser, noise });
    }

    /// The views that the path is newly derived from.
    fn seeds(&self) -> Vec<Digest> {
        let of = |step: &PathStep| match &step.origin {
            PointOrigin::Derived { sources, .. } => sources.iter().map(|source| source.view).collect(),
            PointOrigin::Stored | PointOrigin::Drawn { .. } | PointOrigin::Between { .. } => Vec::new(),
        };
        self.steps.iter().flat_map(of).collect()
    }
}

fn sum(sources: &[PathSource]) -> Price {
    sources.iter().fold(Price::ZERO, |sum, source| sum.saturating_add(source.worth))
}

/// The views whose noise the points of a view's path have.
fn roots(view: &Digest, path: Option<&NoisePath>) -> BTreeSet<Digest> {
    path.into_iter().flat_map(NoisePath::origins).copied().chain([*view]).collect()
}

/// Sources that share no root, the most exact first; of equally exact ones, those that come first.
fn independent(sources: impl Iterator<Item = PathSource>) -> Vec<PathSource> {
    let mut all: Vec<PathSource> = sources.collect();
    all.sort_by_key(|source| std::cmp::Reverse(source.worth));
    let mut taken = BTreeSet::new();
    all.retain(|source| {
        let is_new = source.roots.is_disjoint(&taken);
        if is_new {
            taken.extend(source.roots.iter().copied());
        }
        is_new
    });
    all
}

#[cfg(test)]
#[path = "path_offer_tests.rs"]
mod tests;
