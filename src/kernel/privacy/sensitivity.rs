//! Sensitivity: how much one unit can change each exact measurement, as a small table with proofs.
//!
//! Neighbours, throughout this module: sealed tables that differ by one unit and all its rows. Knows nothing of noise.
//!
//! A unit has at most k rows after `rank < k`, and every step before the aggregate (filters, public keys) looks at one row at a time, so
//! the rows of all other units contribute the same to both tables. Removing a unit therefore changes the vector of cells by exactly what
//! its own rows contributed:
//!
//! * **count** (also of non-nulls): each row adds 1 to at most one cell; k rows add a non-negative vector with sum at most k. Δ₁ = k, and
//!   Δ₂ ≤ Δ₁ = k, reached when all rows fall into one cell.
//! * **sum** of integers about a centre c, |x − c| ≤ R: each row changes at most one cell by at most R. Δ₁ = kR and Δ₂ ≤ kR, reached when
//!   all rows fall into one cell. (Adding a unit changes the sum by at most Σ|x − c|, not by the range hi − lo: the bound is on the value
//!   itself, which is why the centre matters.)
//! * **distinct units**: a unit adds 1 to each cell in which it has a row: m cells, with m ≤ min(k, g), where g is the number of cells that
//!   its rows can reach. Keys that hold one value per unit (`per_unit`) fix their part of the cell, so g counts only the values of the
//!   other keys, and g = 1 when every key is `per_unit`. Δ₁ = min(k, g), Δ₂ = √min(k, g).

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// What a measurement adds up in each cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// Number of rows, or of rows whose column is not null.
    Count,
    /// Sum of grid integers about the centre of the column's range.
    Sum {
        /// R, the largest distance from the centre, in grid steps.
        radius: u64,
    },
    /// Number of units with at least one row in the cell.
    DistinctUnits {
        /// g, the number of cells that the rows of one unit can reach.
        cells_reachable: u64,
    },
    /// Rows weighted over the cells of an ordered key, with the coefficients of [`super::prefix_sums`].
    Weighted {
        /// The most by which one row can change the vector in ℓ₁.
        l1: u64,
        /// The square of the most by which one row can change the vector in ℓ₂.
        l2_squared: u128,
        /// The largest single weight.
        largest: u64,
    },
}

/// Bounds on the change that one unit can make to a vector of exact integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Sensitivity {
    l1: u64,
    l2_squared: u128,
}

impl Sensitivity {
    /// Returns the bounds of `statistic` when each unit keeps at most `rows_per_unit` rows; proofs in the module's documentation.
    ///
    /// A vector that no unit can change, as the sum of a number that is always 0 or one without cells, has bounds of 1: noise has a scale.
    ///
    /// `None` if k·R does not fit an integer of 62 bits, which a checked policy rules out.
    #[must_use]
    pub fn of(statistic: Aggregation, rows_per_unit: u32) -> Option<Self> {
        let rows = u64::from(rows_per_unit);
        let whole = |l1: u64| Self { l1, l2_squared: u128::from(l1) * u128::from(l1) };
        let bounds = match statistic {
            Aggregation::Count => whole(rows),
            Aggregation::Sum { radius } => rows.checked_mul(radius).filter(|l1| *l1 < 1 << 62).map(whole)?,
            Aggregation::DistinctUnits { cells_reachable } => {
                let cells = rows.min(cells_reachable);
                Self { l1: cells, l2_squared: u128::from(cells) }
            }
            Aggregation::Weighted { l1, l2_squared, largest: _ } => {
                let l1 = rows.checked_mul(l1).filter(|l1| *l1 < 1 << 62)?;
                let rows = u128::from(rows);
                Self { l1, l2_squared: l2_squared.checked_mul(rows * rows)? }
            }
        };
        Some(Self { l1: bounds.l1.max(1), l2_squared: bounds.l2_squared.max(1) })
    }

    /// Δ₁, the largest ℓ₁ distance between neighbours, in the measurement's integer steps.
    #[must_use]
    pub fn l1(self) -> u64 {
        self.l1
    }

    /// Δ₂², the square of the largest ℓ₂ distance between neighbours; an exact integer, although Δ₂ need not be one.
    #[must_use]
    pub fn l2_squared(self) -> u128 {
        self.l2_squared
    }
}
