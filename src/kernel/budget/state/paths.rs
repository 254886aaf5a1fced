//! Noise paths as the ledger knows them: which points of each view are stored.
//!
//! Promises that a path has one point at each level, that a new point is made from its neighbours, and that one answer at a time makes points
//! of a path. Points are there once the answer that made them is stored.

use std::collections::{BTreeSet, HashMap};

use super::fault::FoldFault;
use super::fold::FoldResult;
use super::noise_path::{NoisePath, PathRise, PathView, PointPlace, PointSource, RiseSource};
use super::numbers::{DrawNo, ReleaseNo};
use super::{Branch, LedgerState};
use crate::kernel::budget::entry::{Digest, NewDraw};
use crate::kernel::budget::steps::{DerivedSource, PathStep, PointOrigin, levels_given};
use crate::kernel::path::PathGap;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::mechanism::Mechanism;
use crate::kernel::privacy::sensitivity::Sensitivity;

impl LedgerState {
    /// The noise path of a view; `None` if nothing of it is stored.
    #[must_use]
    pub fn path(&self, view: &Digest) -> Option<&NoisePath> {
        self.paths.get(view)
    }

    /// Where the point of a view at a level is stored; `None` if there is none.
    #[must_use]
    pub fn point(&self, view: &Digest, level: Price) -> Option<PointSource> {
        Some(match *self.paths.get(view)?.points.get(&level)? {
            PointPlace::Drawn(draw) => PointSource::Drawn(self.draw_id(draw)),
            PointPlace::Mean { coarser, draw } => PointSource::Mean { coarser, draw: self.draw_id(draw) },
            PointPlace::Stored { release, index } => {
                PointSource::Stored { release: self.card(release).id.clone(), index }
            }
        })
    }

    /// The sensitivity that a view's draws were certified for; `None` if nothing was drawn of it. Draws of one view may differ in it if a
    /// later version of the program knows a better bound.
    pub fn sensitivities(&self, view: &Digest) -> impl Iterator<Item = Sensitivity> {
        let draws = self.views.get(view).map(Vec::as_slice).unwrap_or_default();
        draws.iter().map(|number| self.draw(*number).certified.sensitivity)
    }

    /// Whether a stored answer is paid for by the levels of its views. Otherwise it is paid for draw by draw: Laplace noise does not make
    /// paths, and an answer that hides groups is a whole.
    #[must_use]
    pub fn is_by_path(&self, number: ReleaseNo) -> bool {
        let card = self.card(number);
        !card.is_whole && self.has_paths(&self.account(card.dataset).dataset)
    }

    /// Whether the noise of a dataset's answers makes paths.
    fn has_paths(&self, dataset: &str) -> bool {
        self.datasets.get(dataset).is_some_and(|whole| match whole.cap.accountant {
            Accountant::Gaussian { .. } => true,
            Accountant::Pure => false,
        })
    }

    /// Whether the stored answer of this id is paid for by levels, like [`LedgerState::is_by_path`].
    #[must_use]
    pub fn is_served_by_path(&self, release: &str) -> bool {
        self.names.get(release).is_some_and(|number| self.is_by_path(*number))
    }

    /// Checks that steps follow from the stored points, one after the other, and use each of the answer's draws once.
    pub(super) fn check_steps(&self, drawn: &[NewDraw], steps: &[PathStep]) -> FoldResult {
        let mut views: HashMap<Digest, PathView<'_>> = HashMap::new();
        let mut unused: BTreeSet<u32> = (0..).zip(drawn).map(|(index, _)| index).collect();
        let (mut derived, mut derived_from): (BTreeSet<Digest>, BTreeSet<Digest>) = Default::default();
        for step in steps {
            let path = self.paths.get(&step.view);
            let seen = views.entry(step.view).or_insert_with(|| PathView { path, new: Vec::new() });
            match &step.origin {
                PointOrigin::Stored if seen.has(step.level) => continue,
                PointOrigin::Stored => return Err(FoldFault::UnknownPoint),
                PointOrigin::Drawn { from, draw } => {
                    let new = usize::try_from(*draw).ok().and_then(|draw| drawn.get(draw));
                    let new = new.filter(|new| new.view == step.view && unused.remove(draw));
                    let level = new.and_then(|new| from.checked_add(new.certified.price));
                    if seen.finest() != *from || level != Some(step.level) {
                        return Err(FoldFault::MisplacedPoint);
                    }
                }
                PointOrigin::Between { finer, coarser, noise } => {
                    let gap = PathGap { level: step.level, finer: *finer, coarser: *coarser };
                    if seen.gap(step.level) != Some(gap) || noise.mechanism != Mechanism::DiscreteGaussian {
                        return Err(FoldFault::MisplacedPoint);
                    }
                }
                PointOrigin::Derived { from, sources } => {
                    self.check_sources(step, sources)?;
                    let worth = sources.iter().try_fold(*from, |sum, source| sum.checked_add(source.worth));
                    if seen.finest() != *from || worth != Some(step.level) || seen.has(step.level) {
                        return Err(FoldFault::MisplacedPoint);
                    }
                    // What a view is derived from is derived from nothing, in the same answer, too.
                    let is_derived = sources.iter().any(|source| derived.contains(&source.view));
                    if is_derived || derived_from.contains(&step.view) {
                        return Err(FoldFault::MisplacedPoint);
                    }
                    derived.insert(step.view);
                    derived_from.extend(sources.iter().map(|source| source.view));
                }
            }
            if path.is_some_and(|path| path.under_way.is_some()) {
                return Err(FoldFault::PathTaken);
            }
            seen.new.push(step.level);
        }
        if unused.is_empty() { Ok(()) } else { Err(FoldFault::MisplacedPoint) }
    }

    /// Checks that a view is derived from the finest points of other views, each once, whose noise is their own.
    fn check_sources(&self, step: &PathStep, sources: &[DerivedSource]) -> FoldResult {
        if self.paths.get(&step.view).is_some_and(|path| !path.may_be_derived()) || sources.is_empty() {
            return Err(FoldFault::MisplacedPoint);
        }
        let mut before = self.paths.get(&step.view).map(|path| path.origins.clone()).unwrap_or_default();
        for source in sources {
            let path = self.paths.get(&source.view).ok_or(FoldFault::UnknownPoint)?;
            if !path.has(source.level) {
                return Err(FoldFault::UnknownPoint);
            }
            if source.view == step.view || !path.may_be_source() || !before.insert(source.view) {
                return Err(FoldFault::MisplacedPoint);
            }
        }
        Ok(())
    }

    /// Checks that points which an answer by steps makes and draws of one that is paid for draw by draw do not come onto one path beside each
    /// other. Draws make the finest point finer when they are stored, and the points would not lie where their steps say. Draws of an answer
    /// that hides groups (a δ for a threshold says so) come onto no path.
    ///
    /// Nothing is charged that does not keep to this. Entries are folded all the same: earlier versions of the program wrote such ones.
    pub(super) fn check_untaken(
        &self,
        branch: &Branch,
        drawn: &[NewDraw],
        (steps, threshold_delta): (Option<&[PathStep]>, Delta),
    ) -> FoldResult {
        let path = |view: &Digest| self.paths.get(view);
        let is_taken = match steps {
            Some(steps) => steps.iter().any(|step| step.is_new() && path(&step.view).is_some_and(NoisePath::is_taken)),
            None if threshold_delta > Delta::ZERO || !self.has_paths(&self.account(branch.dataset).dataset) => false,
            None => drawn.iter().any(|new| path(&new.view).is_some_and(|path| path.under_way.is_some())),
        };
        if is_taken { Err(FoldFault::PathTaken) } else { Ok(()) }
    }

    /// Begins the draws of an answer that is paid for draw by draw: until it has ended, no other answer is charged that makes a point of their
    /// views' paths.
    pub(super) fn begin_draws(&mut self, number: ReleaseNo) {
        self.each_drawn(number, |path| path.drawing = path.drawing.saturating_add(1));
    }

    fn end_draws(&mut self, number: ReleaseNo) {
        self.each_drawn(number, |path| path.drawing = path.drawing.saturating_sub(1));
    }

    /// Changes the path of each draw of an answer that is paid for draw by draw, if its draws go on paths.
    fn each_drawn(&mut self, number: ReleaseNo, change: impl Fn(&mut NoisePath)) {
        if !self.is_by_path(number) {
            return;
        }
        for draw in self.card(number).drawn.clone().map(DrawNo) {
            let view = self.draw(draw).view;
            let path = self.paths.entry(view).or_default();
            change(path);
            if path.is_untouched() {
                self.paths.remove(&view);
            }
        }
    }

    /// Begins the new points of an answer: until it has ended, no other answer makes one on the same paths.
    pub(super) fn begin_points(&mut self, number: ReleaseNo, steps: &[PathStep]) {
        for step in steps.iter().filter(|step| step.is_new()) {
            self.paths.entry(step.view).or_default().under_way = Some(number);
            if let PointOrigin::Derived { sources, .. } = &step.origin {
                sources.iter().for_each(|source| self.paths.entry(source.view).or_default().is_source = true);
            }
        }
        self.under_way.insert(number, steps.into());
    }

    /// Ends an answer: if it was stored, its points are on their paths, and its researcher and their project know their levels.
    pub(super) fn end_points(&mut self, number: ReleaseNo, is_stored: bool) -> FoldResult {
        let Some(steps) = self.under_way.remove(&number) else {
            self.end_draws(number);
            return if is_stored { self.lengthen(number) } else { Ok(()) };
        };
        let first = self.card(number).drawn.start;
        let mut index = 0_u32;
        for step in steps.iter().filter(|step| step.is_new()) {
            let path = self.paths.entry(step.view).or_default();
            path.under_way = None;
            if !is_stored {
                if path.is_untouched() {
                    self.paths.remove(&step.view);
                }
                continue;
            }
            let place = match &step.origin {
                PointOrigin::Drawn { draw, .. } if !step.has_vector() => {
                    PointPlace::Drawn(DrawNo(first.checked_add(*draw).ok_or(FoldFault::ReleasesFull)?))
                }
                PointOrigin::Drawn { .. } | PointOrigin::Between { .. } | PointOrigin::Derived { .. } => {
                    let place = PointPlace::Stored { release: number, index };
                    index = index.checked_add(1).ok_or(FoldFault::ReleasesFull)?;
                    place
                }
                PointOrigin::Stored => continue,
            };
            if let PointOrigin::Derived { from, sources } = &step.origin {
                path.origins.extend(sources.iter().map(|source| source.view));
                let by = RiseSource::Derived(sources.as_slice().into());
                path.rises.insert(step.level, PathRise { from: *from, by });
            }
            path.points.insert(step.level, place);
        }
        if is_stored {
            let account = self.card(number).researcher;
            self.know(account, &levels_given(&steps));
        }
        Ok(())
    }

    /// Puts the draws of an answer from before there were paths on the paths of their views: each makes the finest point finer.
    fn lengthen(&mut self, number: ReleaseNo) -> FoldResult {
        if !self.is_by_path(number) {
            return Ok(());
        }
        for draw in self.card(number).drawn.clone().map(DrawNo) {
            let (view, price) = (self.draw(draw).view, self.price(draw));
            let path = self.paths.entry(view).or_default();
            let coarser = path.finest();
            let level = coarser.checked_add(price).ok_or(FoldFault::PriceOverflow)?;
            let place =
                if coarser == Price::ZERO { PointPlace::Drawn(draw) } else { PointPlace::Mean { coarser, draw } };
            path.points.insert(level, place);
            path.rises.insert(level, PathRise { from: coarser, by: RiseSource::Draw(draw) });
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "paths_tests.rs"]
pub(super) mod tests;
