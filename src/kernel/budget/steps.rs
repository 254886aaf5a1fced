//! Steps along noise paths: which point of which view an answer is made of, and what each new point is made from.
//!
//! A step names points by their view and level, because a path has at most one point at each level ([`crate::kernel::path`]). It holds no
//! value.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::mechanism::NoiseLaw;

/// Digest of a view: a measurement without its accuracy.
pub type ViewDigest = [u8; 32];

/// One point of a view's noise path that an answer is made of.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct PathStep {
    /// Digest of the view: a measurement without its accuracy.
    #[serde(serialize_with = "hex::serialize")]
    pub view: ViewDigest,
    /// The point's level: its precision, which is the price of a single draw as exact as it.
    pub level: Price,
    /// Number of cells of a new point's vector; 0 for a stored one.
    pub cells: u64,
    /// What the point is made from.
    pub origin: PointOrigin,
}

/// What a point of a path is made from.
#[derive(Debug, Clone, PartialEq, Serialize, BorshSerialize, BorshDeserialize)]
#[serde(tag = "made", rename_all = "kebab-case")]
pub enum PointOrigin {
    /// The point is stored.
    Stored,
    /// The finest point, at level `from`, and draw number `draw` of the answer, which looks at data and is worth the difference. `from` is
    /// zero if the path has no point yet; then the point is the draw.
    Drawn {
        /// Level of the finest point before; zero if there is none.
        from: Price,
        /// Index of the draw among those of the answer, from 0.
        draw: u32,
    },
    /// Two stored points, or the one that is finer, and noise that looks at nothing.
    Between {
        /// Level of the next finer point.
        finer: Price,
        /// Level of the next coarser point; `None` if there is none.
        coarser: Option<Price>,
        /// The law of the noise that is added.
        noise: NoiseLaw,
    },
    /// The finest point, at level `from`, and sums of cells of other views' points. Nobody is given this point, so that nobody pays for its
    /// level: it is there to make coarser ones from. All of its cells that are not zero in every table are sums
    /// of equally many cells, so that each is as exact as its level says.
    Derived {
        /// Level of the finest point before; zero if there is none.
        from: Price,
        /// The points whose cells are added up, each of another view.
        sources: Vec<DerivedSource>,
    },
}

/// A stored point of another view, whose cells add up to those of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct DerivedSource {
    /// Digest of the other view.
    #[serde(serialize_with = "hex::serialize")]
    pub view: ViewDigest,
    /// Level of its point, on its own path.
    pub level: Price,
    /// The price of a direct draw of this view that is as exact as the sums.
    pub worth: Price,
}

impl PathStep {
    /// Whether whoever gets the answer is given this point, and pays for its level.
    #[must_use]
    pub fn is_given(&self) -> bool {
        match self.origin {
            PointOrigin::Stored | PointOrigin::Drawn { .. } | PointOrigin::Between { .. } => true,
            PointOrigin::Derived { .. } => false,
        }
    }

    /// Whether a new vector is stored for the point, beside the answer's draws from data.
    #[must_use]
    pub fn has_vector(&self) -> bool {
        match self.origin {
            PointOrigin::Between { .. } | PointOrigin::Derived { .. } => true,
            PointOrigin::Drawn { from, .. } => from > Price::ZERO,
            PointOrigin::Stored => false,
        }
    }

    /// Whether the path gets a new point.
    #[must_use]
    pub fn is_new(&self) -> bool {
        match self.origin {
            PointOrigin::Drawn { .. } | PointOrigin::Between { .. } | PointOrigin::Derived { .. } => true,
            PointOrigin::Stored => false,
        }
    }
}

/// The levels that steps give, each view once with the highest, in the order of the views.
#[must_use]
pub fn levels_given(steps: &[PathStep]) -> Vec<(ViewDigest, Price)> {
    let mut levels: Vec<(ViewDigest, Price)> =
        steps.iter().filter(|step| step.is_given()).map(|step| (step.view, step.level)).collect();
    levels.sort_unstable_by_key(|(view, level)| (*view, std::cmp::Reverse(*level)));
    levels.dedup_by_key(|(view, _)| *view);
    levels
}
