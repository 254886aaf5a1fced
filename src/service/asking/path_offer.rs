//! Offers along noise paths: what a measurement is made of, at the level that is asked for and not above it.
//!
//! What the asker has paid for comes first: the best points that they have of the measurement, and of others whose cells add up to it. If that
//! is not enough, their point on the measurement's own path is moved up by what is missing, and they pay for that alone: to a point that is
//! stored, to one between stored points, to one that is derived from other measurements' points, or, where nothing stored is as exact, to one
//! that is drawn from data.
//!
//! Only sources whose noise is independent are added up. A point has the noise of its own view's path, and that of the points and draws that the
//! path below it was made finer with: its *roots* ([`LedgerState::roots`]). Two sources are independent if they share no root.
//!
//! # What others ask in between
//!
//! * *What was free stays free.* Roots are those of a point and not of its path, so they never change once the point is paid for, and a level
//!   that was paid for stays paid for. So the sources that somebody has, and what the best of their sums is worth, never become less.
//! * *Nobody pays more for a view than the best that they asked for.* Who asks for the level q of a view pays max(0, ℓ − p) for it: p is the
//!   best level of the view that they have paid for, and ℓ ≤ q the level that they get; ℓ is q less what the sources beside it are worth. A draw of
//!   their own that the point at ℓ is made of counts towards p: it was paid for when it stood beside. Over
//!   any history that adds up to at most the largest q, whatever others asked in between. (A stored answer to the same question is served as it
//!   is, and may give more, if it costs no more.)
//! * *What others ask may change which sources can stand beside.* Say A has paid for cells whose sums are worth w of a total, and B had the total
//!   derived from a finer point of the same cells, worth v. A asks for the total at q, with w < q ≤ v. Before, A paid q − w for a draw that the
//!   cells' noise was not in; now the stored point at q has that noise, A's cells cannot stand beside it, and A pays q. It cannot be q − w. The
//!   point y at q is the sums s of the finer cells and noise h; A's sums are s and noise g. h and g are independent, since the copies of cells are
//!   made for all totals alike. So y and A's sums are two independent copies of s, and with V = 1/(1/w − 1/v) + 1/(1/q − 1/v) they are together
//!   worth 1/(1/v + 1/V), which is more than q: for q − w, A would know more than they paid for. The point of the path with
//!   which they would know exactly q lies between q − w and q, so it costs more than q − w, too. A point of A's own, between s and A's sums, would be a second point of
//!   the view at its level, of which a group could collect copies. And the data could be drawn from again, as before B asked; but what follows
//!   from what is stored costs the dataset nothing, and the dataset comes first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::independent::{independent, sum};
use super::parts::{AnswerPart, NeededMeasurement, PathSource, SourcePoint, is_enough};
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::state::{Branch, DrawNo, LedgerState, NoisePath, NoiseRoot, PointSource};
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
        let of_others = wanted.ancestors.iter();
        let mut others: Vec<PathSource> =
            of_others.flat_map(|ancestor| self.known(&ancestor.view, Some(&ancestor.derivation), wanted)).collect();
        let all = independent(own.iter().chain(&others).cloned());
        if is_enough(sum(&all), asked) {
            return self.made_of(all, Price::ZERO);
        }
        // What is not a point of the measurement's own path can stand beside one.
        others.extend(own.into_iter().filter(|source| matches!(source.point, SourcePoint::Draws(_))));
        let mut beside = self.beside(wanted, asked, &others);
        let mut climb = self.climb(wanted, asked, &beside);
        if climb.fresh > Price::ZERO && !beside.is_empty() {
            // What the asker has of a view cannot be used beside a path that is derived from the best point of that view. The dataset comes
            // first: nothing is drawn from data that follows from what is stored.
            let alone = self.climb(wanted, asked, &[]);
            if alone.fresh < climb.fresh {
                (climb, beside) = (alone, Vec::new());
            }
        }
        let mut roots = self.book.roots(&wanted.view, climb.level);
        climb.seeds().for_each(|seed| roots.extend(self.book.roots(&seed.view, seed.level)));
        let Climb { steps, level, fresh } = climb;
        self.draws = self.draws.saturating_add(u32::from(fresh > Price::ZERO));
        self.steps.extend(steps);
        let (view, point) = (wanted.view, SourcePoint::Level(level));
        beside.insert(0, PathSource { view, point, derivation: None, worth: level, roots });
        self.made_of(beside, fresh)
    }

    /// The sources that stand beside a point of a measurement's own path, so that the point is as low as possible. The higher it is, the more noise
    /// it shares with others. Above the last bound, there is a point at every level.
    fn beside(&self, wanted: &NeededMeasurement, asked: Price, others: &[PathSource]) -> Vec<PathSource> {
        let bounds = self.book.path(&wanted.view).into_iter().flat_map(NoisePath::bounds);
        let up_to = |bound: Price| {
            let roots = self.book.roots(&wanted.view, bound);
            let beside = independent(others.iter().filter(|source| source.roots.is_disjoint(&roots)).cloned());
            (asked.left_after(sum(&beside)) <= bound).then_some(beside)
        };
        bounds.chain([Price::from_quanta(u64::MAX)]).find_map(up_to).unwrap_or_default()
    }

    /// What the asker has paid for of a view, and what that is worth for a measurement: the finest point of each stretch of its path whose points
    /// have the same roots, and draws that were paid for one by one. At most one of the points is used.
    fn known(
        &self,
        view: &Digest,
        derivation: Option<&Arc<Derivation>>,
        wanted: &NeededMeasurement,
    ) -> Vec<PathSource> {
        let known = self.book.known_view(self.branch.researcher, view);
        let bounds = self.book.path(view).into_iter().flat_map(NoisePath::bounds);
        let levels = bounds.take_while(|bound| *bound < known.level).chain([known.level]);
        let points = levels
            .filter(|level| *level > Price::ZERO)
            .map(|level| (SourcePoint::Level(level), level, self.book.roots(view, level)));
        let price = |draw: &DrawNo| self.book.draw(*draw).certified.price;
        let of_draws = known.draws.iter().map(price).fold(Price::ZERO, Price::saturating_add);
        let roots = known.draws.iter().map(|draw| NoiseRoot::Draw(*draw)).collect();
        let draws = known.draws.into_iter().map(|draw| (draw, self.book.draw_id(draw))).collect();
        let draws = Some((SourcePoint::Draws(draws), of_draws, roots)).filter(|_| of_draws > Price::ZERO);
        let source = |(point, level, roots): (SourcePoint, Price, BTreeSet<NoiseRoot>)| {
            let worth = match derivation {
                None => level,
                Some(derivation) => self.worth(view, level, derivation, wanted)?,
            };
            Some(PathSource { view: *view, point, derivation: derivation.cloned(), worth, roots })
        };
        points.chain(draws).filter_map(source).collect()
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
        let taken = beside.iter().flat_map(|source| source.roots.iter().copied()).collect::<BTreeSet<NoiseRoot>>();
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
    fn sources(&self, wanted: &NeededMeasurement, missing: Price, taken: &BTreeSet<NoiseRoot>) -> Vec<DerivedSource> {
        let path = self.book.path(&wanted.view);
        let (derived, derived_from) = self.derived_here();
        if path.is_some_and(|path| !path.may_be_derived()) || derived_from.contains(&wanted.view) {
            return Vec::new();
        }
        let origins = path.map(NoisePath::origins);
        let source = |ancestor: &super::derivations::Ancestor| {
            let view = ancestor.view;
            // Cells of unequal sums would be more exact than their level says, and cheaper than what they are made of.
            if !ancestor.derivation.is_even || derived.contains(&view) {
                return None;
            }
            let path = self.book.path(&view).filter(|path| path.may_be_source())?;
            let level = path.finest();
            let worth = self.worth(&view, level, &ancestor.derivation, wanted)?;
            let is_new = view != wanted.view && origins.is_none_or(|origins| !origins.contains(&view));
            let is_new = is_new && self.book.roots(&view, level).is_disjoint(taken);
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

    /// The points that the path is newly derived from.
    fn seeds(&self) -> impl Iterator<Item = &DerivedSource> {
        self.steps.iter().flat_map(|step| match &step.origin {
            PointOrigin::Derived { sources, .. } => sources.as_slice(),
            PointOrigin::Stored | PointOrigin::Drawn { .. } | PointOrigin::Between { .. } => &[],
        })
    }
}

#[cfg(test)]
#[path = "path_offer_tests.rs"]
mod tests;
