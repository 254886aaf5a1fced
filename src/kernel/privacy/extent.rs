//! Bounds on exact vectors that hold for every table within its declared capacity, with their proofs.
//!
//! The bounds follow from the policy and the query, never from a row, so checking a vector against them reveals nothing about the table.
//! A vector outside them was not computed from a conforming table and is not released. A vector within them may still be wrong: the check
//! detects no other error.
//!
//! A conforming table has at most n rows, and the steps before the aggregate (filters, public keys, the cut to a unit's first groups by
//! text) either drop a row or put it into one cell. So with nᵢ rows in cell i, Σnᵢ ≤ n, and for a vector y:
//!
//! * **count** (also of non-nulls, and of histogram bins, of which each row falls into at most one): 0 ≤ yᵢ ≤ nᵢ. Each cell lies between 0
//!   and n, and all cells together are at most n.
//! * **sum** of integers about a centre c, |x − c| ≤ R: |yᵢ| ≤ R·nᵢ. Each cell lies between −nR and nR, and Σ|yᵢ| ≤ nR.
//! * **distinct units**: a unit counts in a cell in which it has a row, so 0 ≤ yᵢ ≤ nᵢ, as for counts.
//! * **weighted counts** along an ordered key, with weights w ≥ 0, largest weight W and sum ‖w‖₁: a row adds the weights wₖ to cells of its
//!   line, each weight to at most one cell. Each cell lies between 0 and nW, and all cells together are at most n·‖w‖₁.
//!
//! In a table with one row per unit, each row is made from at least one row of the dataset, so there are again at most n of them; the
//! radius is then that of the values of this table. All bounds are reached: by n rows at one end of the range, in one cell (the first cell,
//! for weights).

use super::sensitivity::Aggregation;

/// Bounds on a vector of exact integers: on each cell, and on the sum of the cells' magnitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    is_signed: bool,
    cell_max: u64,
    total_max: u64,
}

impl Extent {
    /// Returns the bounds of `statistic` over tables of at most `rows_max` rows; proofs in the module's documentation.
    ///
    /// `None` if the bounds do not fit an integer of 62 bits, which a checked policy rules out.
    #[must_use]
    pub fn of(statistic: Aggregation, rows_max: u64) -> Option<Self> {
        let (is_signed, of_cell, of_all) = match statistic {
            Aggregation::Count | Aggregation::DistinctUnits { .. } => (false, 1, 1),
            Aggregation::Sum { radius } => (true, radius, radius),
            Aggregation::Weighted { l1, largest, .. } => (false, largest, l1),
        };
        let times = |bound: u64| rows_max.checked_mul(bound).filter(|product| *product < 1 << 62);
        Some(Self { is_signed, cell_max: times(of_cell)?, total_max: times(of_all)? })
    }

    /// Returns whether every cell, and the sum of all cells' magnitudes, lie within the bounds.
    #[must_use]
    pub fn holds(&self, vector: &[i64]) -> bool {
        let fits = |cell: &i64| (self.is_signed || *cell >= 0) && cell.unsigned_abs() <= self.cell_max;
        let total: u128 = vector.iter().map(|cell| u128::from(cell.unsigned_abs())).sum();
        vector.iter().all(fits) && total <= u128::from(self.total_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: Aggregation = Aggregation::Count;
    const UNITS: Aggregation = Aggregation::DistinctUnits { cells_reachable: 3 };
    const SUM: Aggregation = Aggregation::Sum { radius: 7 };
    const WEIGHTED: Aggregation = Aggregation::Weighted { l1: 9, l2_squared: 41, largest: 5 };

    #[test]
    fn bounds_are_kept_to_the_last_one() {
        let good: [(Aggregation, &[i64]); 9] = [
            (COUNT, &[]),
            (COUNT, &[0, 0]),
            (COUNT, &[10]),
            (COUNT, &[4, 6]),
            (UNITS, &[0, 10]),
            (SUM, &[-70]),
            (SUM, &[-35, 35]),
            (WEIGHTED, &[50, 40]),
            (WEIGHTED, &[45, 45]),
        ];
        for (statistic, vector) in good {
            assert!(Extent::of(statistic, 10).expect("bounds").holds(vector), "{statistic:?} {vector:?}");
        }
        let bad: [(Aggregation, &[i64]); 12] = [
            (COUNT, &[11]),
            (COUNT, &[-1]),
            (COUNT, &[5, 6]),
            (COUNT, &[i64::MIN]),
            (COUNT, &[i64::MAX, i64::MAX]),
            (UNITS, &[11, 0]),
            (UNITS, &[12, -2]),
            (SUM, &[71]),
            (SUM, &[-36, 35]),
            (SUM, &[i64::MIN, 0]),
            (WEIGHTED, &[51]),
            (WEIGHTED, &[50, 41]),
        ];
        for (statistic, vector) in bad {
            assert!(!Extent::of(statistic, 10).expect("bounds").holds(vector), "{statistic:?} {vector:?}");
        }
    }

    #[test]
    fn what_does_not_fit_has_no_bounds() {
        assert!(Extent::of(Aggregation::Sum { radius: (1 << 31) - 1 }, 1 << 31).is_some());
        assert_eq!(Extent::of(Aggregation::Sum { radius: 1 << 31 }, 1 << 31), None);
        assert_eq!(Extent::of(Aggregation::Sum { radius: u64::MAX }, u64::MAX), None);
    }
}
