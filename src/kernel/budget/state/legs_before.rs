//! The legs of entries from before draws were credited in the order in which they lie on a path.
//!
//! Promises that what an earlier version of the program charged still folds, and that its rule counts no longer once an entry is there that
//! only today's rule explains: whoever wrote that entry writes no entry by the earlier rule after it, and the earlier version cannot read on.
//! The legs of an entry, of all its accounts together, are those of one rule.

use std::collections::HashMap;

use super::admit::AnswerCost;
use super::fault::FoldFault;
use super::noise_path::{PathRise, RiseSource};
use super::numbers::DrawNo;
use super::{AccountNo, Branch, LedgerState};
use crate::kernel::budget::entry::{Digest, Postings};
use crate::kernel::privacy::amounts::Price;

impl LedgerState {
    /// Checks the legs of an entry, and returns whether only today's rule counts from then on.
    pub(super) fn check_legs(
        &self,
        branch: &Branch,
        cost: &AnswerCost<'_>,
        legs: &Postings,
    ) -> Result<bool, FoldFault> {
        let is_of_today = self.legs(branch, cost) == *legs;
        if self.is_by_order {
            return if is_of_today { Ok(true) } else { Err(FoldFault::WrongLegs) };
        }
        let by_path = |account, levels: &_, draws: &_| self.leg_by_path_before(account, levels, draws);
        let is_of_before = self.legs_by(branch, cost, by_path) == *legs;
        match (is_of_today, is_of_before) {
            (_, true) => Ok(false),
            (true, false) => Ok(true),
            (false, false) => Err(FoldFault::WrongLegs),
        }
    }

    /// What an account paid for levels and draws: for each view, what lay beyond the best level that it had paid for.
    fn leg_by_path_before(&self, account: AccountNo, levels: &[(Digest, Price)], draws: &[DrawNo]) -> Price {
        let mut wanted: HashMap<Digest, Price> = HashMap::new();
        for (view, level) in levels {
            let known = wanted.entry(*view).or_default();
            *known = (*known).max(*level);
        }
        let mut of_draws: HashMap<Digest, Price> = HashMap::new();
        for draw in draws {
            let new = if self.has_paid(account, *draw) { Price::ZERO } else { self.price(*draw) };
            let sum = of_draws.entry(self.draw(*draw).view).or_default();
            *sum = sum.saturating_add(new);
        }
        for (view, new) in of_draws {
            let known = wanted.entry(view).or_default();
            *known = (*known).max(self.draws_before(account, &view).saturating_add(new));
        }
        let beyond = |(view, level): (&Digest, &Price)| level.left_after(self.level_before(account, view));
        wanted.iter().map(beyond).fold(Price::ZERO, Price::saturating_add)
    }

    /// The sum of what an account paid for the draws of a view. It counted as a level, in whatever order the draws lie on the path.
    fn draws_before(&self, account: AccountNo, view: &Digest) -> Price {
        self.paid_draws(account, view).map(|draw| self.price(draw)).fold(Price::ZERO, Price::saturating_add)
    }

    /// The best level of a view that an account had paid for: one that it was given or that follows from other views, or the sum of its draws.
    fn level_before(&self, account: AccountNo, view: &Digest) -> Price {
        let paid = self.levels.get(&(account, *view)).copied().unwrap_or_default();
        let rises = self.paths.get(view).into_iter().flat_map(|path| &path.rises);
        let point = rises.fold(paid, |known, (level, PathRise { from, by })| {
            let sees_all = known >= *from
                && match by {
                    RiseSource::Draw(_) => false,
                    RiseSource::Derived(sources) => {
                        sources.iter().all(|one| self.level_before(account, &one.view) >= one.level)
                    }
                };
            if sees_all { known.max(*level) } else { known }
        });
        point.max(self.draws_before(account, view))
    }
}

#[cfg(test)]
#[path = "legs_before_tests.rs"]
mod tests;
