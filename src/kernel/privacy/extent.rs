//! How far an exact vector can go at all: bounds over every table within the declared capacity, with their proofs.
//!
//! The bounds follow from the policy and the question, never from a row, so checking a vector against them tells nothing about the table.
//! A vector beyond them was not computed from a conforming table, and is not released. A vector within them may still be wrong: the check
//! notices no other lie.
//!
//! A conforming table has at most n rows, and the steps before the aggregate (filters, public keys, the first groups of a unit by text)
//! leave a row out or put it into one cell. So with nᵢ rows in cell i, Σnᵢ ≤ n, and for a vector y:
//!
//! * **count** (also of non-nulls, and of bins, of which each row falls into one at the most): 0 ≤ yᵢ ≤ nᵢ. Each cell is from 0 to n,
//!   and all together are at most n.
//! * **sum** of integers about a centre c, |x − c| ≤ R: |yᵢ| ≤ R·nᵢ. Each cell is from −nR to nR, and Σ|yᵢ| ≤ nR.
//! * **distinct units**: a unit counts in a cell where it has a row, so that 0 ≤ yᵢ ≤ nᵢ: as for counts.
//! * **weighted counts** along an ordered key, with weights w ≥ 0 that are W at the most and ‖w‖₁ together: a row adds wₖ to cells of its line,
//!   each weight to one cell at the most. Each cell is from 0 to nW, and all together are at most n·‖w‖₁.
//!
//! In a table of one row a unit, each row is made of at least one row of the dataset, so there are at most n of them, too; the radius is then
//! that of the values of this table. All bounds are reached: by n rows at one end of the range, in one cell (the first, for weights).

use super::sensitivity::Statistic;

/// Bounds on a vector of exact integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    is_signed: bool,
    cell_max: u64,
    total_max: u64,
}

impl Extent {
    /// The bounds of `statistic` over tables of at most `rows_max` rows; proofs in the module's text.
    ///
    /// `None` where they do not fit an integer of 62 bits; a checked policy rules that out.
    #[must_use]
    pub fn of(statistic: Statistic, rows_max: u64) -> Option<Self> {
        let (is_signed, of_cell, of_all) = match statistic {
            Statistic::Count | Statistic::DistinctUnits { .. } => (false, 1, 1),
            Statistic::Sum { radius } => (true, radius, radius),
            Statistic::Weighted { l1, largest, .. } => (false, largest, l1),
        };
        let times = |bound: u64| rows_max.checked_mul(bound).filter(|product| *product < 1 << 62);
        Some(Self { is_signed, cell_max: times(of_cell)?, total_max: times(of_all)? })
    }

    /// Whether every cell, and all cells together, lie within the bounds.
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

    const COUNT: Statistic = Statistic::Count;
    const UNITS: Statistic = Statistic::DistinctUnits { cells_reachable: 3 };
    const SUM: Statistic = Statistic::Sum { radius: 7 };
    const WEIGHTED: Statistic = Statistic::Weighted { l1: 9, l2_squared: 41, largest: 5 };

    #[test]
    fn bounds_are_kept_to_the_last_one() {
        let good: [(Statistic, &[i64]); 9] = [
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
        let bad: [(Statistic, &[i64]); 12] = [
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
        assert!(Extent::of(Statistic::Sum { radius: (1 << 31) - 1 }, 1 << 31).is_some());
        assert_eq!(Extent::of(Statistic::Sum { radius: 1 << 31 }, 1 << 31), None);
        assert_eq!(Extent::of(Statistic::Sum { radius: u64::MAX }, u64::MAX), None);
    }
}
