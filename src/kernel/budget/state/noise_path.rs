//! The noise path of one view: at which levels points are stored, and where.

use std::collections::{BTreeMap, BTreeSet};

use super::numbers::{DrawNo, ReleaseNo};
use crate::kernel::budget::entry::{Digest, DrawId};
use crate::kernel::budget::steps::DerivedSource;
use crate::kernel::path::PathGap;
use crate::kernel::privacy::amounts::Price;

/// The noise path of one view.
#[derive(Debug, Default, Clone)]
pub struct NoisePath {
    pub(super) points: BTreeMap<Price, PointPlace>,
    /// Views that some of its points are derived from.
    pub(super) origins: BTreeSet<Digest>,
    /// Its points that brought in noise from elsewhere, by level.
    pub(super) rises: BTreeMap<Price, PathRise>,
    /// The answer that is making a new point now.
    pub(super) under_way: Option<ReleaseNo>,
    /// Number of answers that are paid for draw by draw and are drawing the view now. Their draws will make the finest point finer.
    pub(super) drawing: u32,
    /// Whether a point of another view's path was ever to be derived from it. It is then never derived itself, so that what a view is derived
    /// from is derived from nothing.
    pub(super) is_source: bool,
}

/// A point that was the finest when it was made, and has noise that is not of its own view's path. Every finer point has that noise, too, and
/// no coarser one has it: a coarser point lies below the stored point at `from`, and is made from points and noise below it.
#[derive(Debug, Clone)]
pub(super) struct PathRise {
    /// Level of the finest point before; zero if there was none.
    pub(super) from: Price,
    /// What made it finer.
    pub(super) by: RiseSource,
}

/// What a point has noise of, apart from its own view's path.
#[derive(Debug, Clone)]
pub(super) enum RiseSource {
    /// Sums of cells of other views' points.
    Derived(Box<[DerivedSource]>),
    /// A draw from data that is paid for as a draw.
    Draw(DrawNo),
}

/// A part of a point's noise. Points and draws that have no such part in common have independent noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoiseRoot {
    /// The noise that was drawn for points of this view's path.
    View(Digest),
    /// The noise of a draw that is paid for as a draw.
    Draw(DrawNo),
}

/// Where a point's vector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PointPlace {
    /// A draw from data, which began the path.
    Drawn(DrawNo),
    /// The mean of the point at the level `coarser` and of a draw that was made before there were paths.
    Mean { coarser: Price, draw: DrawNo },
    /// A vector that is stored beside the draws of a release.
    Stored { release: ReleaseNo, index: u32 },
}

/// Where a point's vector is, with ids that are valid outside of the ledger's state, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointSource {
    /// It is this draw from data.
    Drawn(DrawId),
    /// It is the mean, weighted by precision, of the point at the level `coarser` of the same path and of a draw from data.
    Mean {
        /// Level of the coarser point.
        coarser: Price,
        /// The draw that makes up the difference.
        draw: DrawId,
    },
    /// It is a vector that is stored beside the draws of a release.
    Stored {
        /// Id of the release.
        release: String,
        /// Index of the vector among those that are stored like this, from 0.
        index: u32,
    },
}

/// What an account can see of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownView {
    /// Level of the finest point of the path that it can see; zero if none.
    pub level: Price,
    /// Draws beside that point which were paid for one by one.
    pub draws: Vec<DrawNo>,
}

impl NoisePath {
    /// Level of the finest point; zero if there is no point.
    #[must_use]
    pub fn finest(&self) -> Price {
        self.points.last_key_value().map_or(Price::ZERO, |(level, _)| *level)
    }

    /// Whether there is a point at exactly this level.
    #[must_use]
    pub fn has(&self, level: Price) -> bool {
        self.points.contains_key(&level)
    }

    /// The finest level of a point that is at most `level`.
    #[must_use]
    pub fn at_most(&self, level: Price) -> Option<Price> {
        self.points.range(..=level).next_back().map(|(level, _)| *level)
    }

    /// The place of a new point at `level`, next to the stored points around it; `None` if no point is finer, or one has this level.
    #[must_use]
    pub fn gap(&self, level: Price) -> Option<PathGap> {
        PathView { path: Some(self), new: Vec::new() }.gap(level)
    }

    /// Whether another view's path may be derived from it now.
    #[must_use]
    pub fn may_be_source(&self) -> bool {
        self.origins.is_empty() && self.under_way.is_none()
    }

    /// Whether it may be derived from other views.
    #[must_use]
    pub fn may_be_derived(&self) -> bool {
        !self.is_source
    }

    /// The levels up to which the noise of its points has the same parts, in ascending order, without zero. Points above the last one have all
    /// of them ([`LedgerState::roots`](super::LedgerState::roots)).
    pub fn bounds(&self) -> impl Iterator<Item = Price> + use<'_> {
        self.rises.values().map(|rise| rise.from).filter(|from| *from > Price::ZERO)
    }

    /// Whether it has no point and no answer makes one.
    pub(super) fn is_untouched(&self) -> bool {
        self.points.is_empty() && !self.is_taken()
    }

    /// Whether an answer makes a point of it now, or will when it is stored.
    pub(super) fn is_taken(&self) -> bool {
        self.under_way.is_some() || self.drawing > 0
    }

    /// The views that some of its points are derived from.
    #[must_use]
    pub fn origins(&self) -> &BTreeSet<Digest> {
        &self.origins
    }
}

/// A path with the points that an answer adds to it, before they are stored.
#[derive(Default)]
pub(super) struct PathView<'a> {
    pub(super) path: Option<&'a NoisePath>,
    pub(super) new: Vec<Price>,
}

impl PathView<'_> {
    pub(super) fn finest(&self) -> Price {
        let stored = self.path.map_or(Price::ZERO, NoisePath::finest);
        self.new.iter().copied().fold(stored, Price::max)
    }

    pub(super) fn has(&self, level: Price) -> bool {
        self.new.contains(&level) || self.path.is_some_and(|path| path.has(level))
    }

    pub(super) fn gap(&self, level: Price) -> Option<PathGap> {
        if self.has(level) {
            return None;
        }
        let stored = self.path.into_iter().flat_map(|path| {
            let above = path.points.range(level..).next();
            let below = path.points.range(..level).next_back();
            above.into_iter().chain(below).map(|(level, _)| *level)
        });
        let near: Vec<Price> = stored.chain(self.new.iter().copied()).collect();
        let finer = near.iter().copied().filter(|other| *other > level).min()?;
        Some(PathGap { level, finer, coarser: near.into_iter().filter(|other| *other < level).max() })
    }
}
