//! Questions that are put together to one.

use std::ops::Range;

use super::{Item, Query};

/// Questions whose answers are put together.
#[derive(Debug, Clone, PartialEq)]
pub enum Together {
    /// The rows of one after those of the other: `UNION ALL`.
    Union {
        /// The questions, in order.
        arms: Vec<Query>,
        /// Those among which `UNION` without ALL stands, as ranges of their places: no two of their rows may be equal.
        distinct: Vec<Range<usize>>,
    },
    /// Side by side in one row, as each has a single row: `SELECT (SELECT …), (SELECT …)`.
    Beside {
        /// The questions, in order.
        arms: Vec<Query>,
        /// What the row holds, in order.
        items: Vec<BesideItem>,
    },
}

/// What stands in a row beside other answers.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a row has few of them")]
pub enum BesideItem {
    /// Everything that a question selects, by its place.
    Answer(usize),
    /// What is computed from the values of several questions, each of which is named by its place.
    Made(Item),
}

impl Together {
    /// The questions, in order.
    #[must_use]
    pub fn arms(&self) -> &[Query] {
        match self {
            Self::Union { arms, .. } | Self::Beside { arms, .. } => arms,
        }
    }

    /// The questions, in order.
    pub fn arms_mut(&mut self) -> &mut [Query] {
        match self {
            Self::Union { arms, .. } | Self::Beside { arms, .. } => arms,
        }
    }
}
