//! What accounts know of noise paths: the best level of each view that they have paid for, and what more costs them.
//!
//! Promises that nothing is charged for a level twice, that nobody is credited with more than they paid for, and that what somebody knows never
//! becomes less by what others ask.

use std::collections::{BTreeMap, BTreeSet};

use super::noise_path::{KnownView, NoiseRoot, PathRise, RiseSource};
use super::numbers::DrawNo;
use super::{AccountNo, LedgerState};
use crate::kernel::budget::entry::{AccountKind, Digest};
use crate::kernel::privacy::amounts::Price;

impl LedgerState {
    /// The parts that the noise of a view's point at this level has. What was added to the path above that level is not among them, so that they
    /// stay the same whatever is asked later.
    #[must_use]
    pub fn roots(&self, view: &Digest, level: Price) -> BTreeSet<NoiseRoot> {
        let below = self.paths.get(view).into_iter().flat_map(|path| path.rises.values());
        let mut roots = BTreeSet::from([NoiseRoot::View(*view)]);
        for rise in below.take_while(|rise| rise.from < level) {
            match &rise.by {
                RiseSource::Draw(draw) => drop(roots.insert(NoiseRoot::Draw(*draw))),
                // What a view is derived from is derived from nothing itself, so this goes one step deep.
                RiseSource::Derived(sources) => {
                    sources.iter().for_each(|source| roots.extend(self.roots(&source.view, source.level)));
                }
            }
        }
        roots
    }

    /// What an account has paid for of a view.
    #[must_use]
    pub fn known_view(&self, account: AccountNo, view: &Digest) -> KnownView {
        let level = self.level_paid(account, view);
        KnownView { level, draws: self.paid_draws(account, view).filter(|draw| !self.is_below(*draw, level)).collect() }
    }

    /// The level of the finest point of a view's path that an account can see; zero if none. It is the best that it has paid for, or one that
    /// follows from others that it can see: derived from points of other views, or made of a coarser point and a draw that it paid for.
    ///
    /// Draws that were made independently of each other count only in the order in which they lie on the path. Whoever paid for a later one
    /// alone sees no point of the path with it: the points near its level are made of the earlier draws, too.
    #[must_use]
    pub fn level_paid(&self, account: AccountNo, view: &Digest) -> Price {
        let paid = self.levels.get(&(account, *view)).copied().unwrap_or_default();
        self.seen_from(paid, (account, view), |draw| self.has_paid(account, draw)).0
    }

    /// The level of the finest point that an account sees of a view from the point at `level` on, with draws that it has; and how much of what
    /// that is above `level` follows from points of other views.
    fn seen_from(
        &self,
        level: Price,
        (account, view): (AccountNo, &Digest),
        has: impl Fn(DrawNo) -> bool,
    ) -> (Price, Price) {
        let rises = self.paths.get(view).into_iter().flat_map(|path| &path.rises);
        rises.fold((level, Price::ZERO), |(known, derived), (level, PathRise { from, by })| {
            let sees_all = known >= *from
                && match by {
                    RiseSource::Draw(draw) => has(*draw),
                    RiseSource::Derived(sources) => {
                        sources.iter().all(|one| self.level_paid(account, &one.view) >= one.level)
                    }
                };
            match by {
                _ if !sees_all => (known, derived),
                RiseSource::Draw(_) => (known.max(*level), derived),
                RiseSource::Derived(_) => (known.max(*level), derived.saturating_add(level.left_after(known))),
            }
        })
    }

    /// Whether a draw that is paid for as a draw tells nothing to whoever sees the view's point at `level`: that point is made of it.
    fn is_below(&self, draw: DrawNo, level: Price) -> bool {
        let path = self.paths.get(&self.draw(draw).view);
        let below = path.into_iter().flat_map(|path| path.rises.range(..=level));
        below.into_iter().any(|(_, rise)| matches!(rise.by, RiseSource::Draw(one) if one == draw))
    }

    /// The stored draws of a view that an account paid for one by one. Those of an answer that is only ever used as a whole are not among
    /// them: nothing else is made of their noise.
    pub(super) fn paid_draws(&self, account: AccountNo, view: &Digest) -> impl Iterator<Item = DrawNo> {
        let draws = self.views.get(view).map(Vec::as_slice).unwrap_or_default();
        let is_known = move |draw: &&DrawNo| {
            let release = self.draw(**draw).release;
            self.has_paid(account, **draw) && self.is_sealed(release) && !self.card(release).is_whole
        };
        draws.iter().filter(is_known).copied()
    }

    pub(super) fn price(&self, draw: DrawNo) -> Price {
        self.draw(draw).certified.price
    }

    /// What an account pays for points of paths at these levels, and for draws from before there were paths: for each view, by how much it then
    /// holds more than before.
    pub(super) fn leg_by_path(&self, account: AccountNo, levels: &[(Digest, Price)], draws: &[DrawNo]) -> Price {
        let mut wanted: BTreeMap<Digest, (Price, BTreeSet<DrawNo>)> = BTreeMap::new();
        for (view, level) in levels {
            let (best, _) = wanted.entry(*view).or_default();
            *best = (*best).max(*level);
        }
        for draw in draws.iter().filter(|draw| !self.has_paid(account, **draw)) {
            wanted.entry(self.draw(*draw).view).or_default().1.insert(*draw);
        }
        let more = |(view, (level, draws)): (&Digest, &(Price, BTreeSet<DrawNo>))| {
            let before = self.held(account, view, (Price::ZERO, &BTreeSet::new()));
            self.held(account, view, (*level, draws)).left_after(before)
        };
        wanted.iter().map(more).fold(Price::ZERO, Price::saturating_add)
    }

    /// What an account holds of a view once it is given the point at `level` and the draws `new`: the level of the finest point that it then sees,
    /// and the prices of the draws beside that point. A draw that the point is made of is in its level, so that nobody pays for it again. What
    /// would follow from other views' points above `level` is not held: nobody pays for that.
    fn held(&self, account: AccountNo, view: &Digest, (level, new): (Price, &BTreeSet<DrawNo>)) -> Price {
        let given = self.level_paid(account, view).max(level);
        let has = |draw| new.contains(&draw) || self.has_paid(account, draw);
        let (seen, derived) = self.seen_from(given, (account, view), has);
        let draws: BTreeSet<DrawNo> = self.paid_draws(account, view).chain(new.iter().copied()).collect();
        let beside = draws.into_iter().filter(|draw| !self.is_below(*draw, seen)).map(|draw| self.price(draw));
        beside.fold(seen.left_after(derived), Price::saturating_add)
    }

    /// Records that a researcher's account, and its project's, has paid for these levels.
    pub(super) fn know(&mut self, researcher: AccountNo, levels: &[(Digest, Price)]) {
        let project =
            self.account(researcher).parent.filter(|parent| self.account(*parent).kind == AccountKind::Project);
        for account in [Some(researcher), project].into_iter().flatten() {
            for (view, level) in levels {
                let known = self.levels.entry((account, *view)).or_default();
                *known = (*known).max(*level);
            }
        }
    }
}
