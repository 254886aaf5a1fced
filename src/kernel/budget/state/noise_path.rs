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
    /// Views that some of its points are derived from; the noise of those views and of this one is not independent.
    pub(super) origins: BTreeSet<Digest>,
    /// Its points that are derived from other views, by level, with the finest level before and the points that they are derived from.
    pub(super) derived: BTreeMap<Price, (Price, Box<[DerivedSource]>)>,
    /// The answer that is making a new point now.
    pub(super) under_way: Option<ReleaseNo>,
    /// Whether a point of another view's path was ever to be derived from it. It is then never derived itself, so that what a view is derived
    /// from is derived from nothing.
    pub(super) is_source: bool,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownView {
    /// The point of the path at this level.
    Point(Price),
    /// Draws that were paid for one by one, before there were paths, whose prices add up to this level.
    Draws(Price, Vec<DrawNo>),
}

impl KnownView {
    /// The level that is known.
    #[must_use]
    pub fn level(&self) -> Price {
        match self {
            Self::Point(level) | Self::Draws(level, _) => *level,
        }
    }
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
