//! Accumulators: counts, sums and numbers of units by cell, in dense arrays.
//!
//! Promises exact sums, and no hash table: public keys give every row the number of its cell. Rows that do not count have a cell of their
//! own after all others, so that no loop branches on a row.
//!
//! **Overflow.** What is released lies within bounds that fit 62 bits (`kernel::privacy::extent`), which are proved for a whole table.
//! Addition in two's complement is addition modulo 2⁶⁴, which is associative and commutative. So whatever the order of rows, and whatever
//! parts of the table are added up first, the final sum is the true one modulo 2⁶⁴, and equal to it as it lies between −2⁶³ and 2⁶³ − 1.
//! No bound on partial sums is needed; as it happens, those of counts, and of any subset of rows, are bounded by the same proof.

use super::operands::Operand;
use super::stored::{Stored, typed};

/// Which cell each row of a window counts in.
#[derive(Clone, Copy)]
pub(super) enum Places<'a> {
    /// All rows count in the only cell.
    All(usize),
    /// The rows whose byte is 1 count in the only cell.
    Some(&'a [u8]),
    /// Rows count in these cells; the number of cells stands for rows that do not count.
    Cells(&'a [u32]),
}

/// Up to this many cells, an accumulator has several arrays that take turns, because adding to one cell in consecutive rows makes the
/// second addition wait for the first one.
const LANES_CELLS_MAX: usize = 1 << 10;
const LANES: usize = 4;

/// Sums by cell.
pub(super) struct Sums {
    /// For each cell, and for rows that do not count, one or [`LANES`] partial sums.
    partial: Vec<i64>,
    lanes: usize,
}

impl Sums {
    pub(super) fn of(cells: usize) -> Self {
        let lanes = if cells <= LANES_CELLS_MAX { LANES } else { 1 };
        Self { partial: vec![0; (cells + 1) * lanes], lanes }
    }

    /// Counts rows, or those in which a value is present.
    pub(super) fn count(&mut self, places: Places<'_>, present: Option<&[u8]>) {
        match (places, present) {
            (Places::All(rows), None) => self.add_one(rows as i64),
            (Places::All(_), Some(rows)) | (Places::Some(rows), None) => self.add_one(ones(rows)),
            (Places::Some(rows), Some(present)) => {
                self.add_one(rows.iter().zip(present).map(|(row, present)| i64::from(row & present)).sum());
            }
            (Places::Cells(cells), None) => self.scatter(cells, std::iter::repeat(1)),
            (Places::Cells(cells), Some(present)) => {
                self.scatter(cells, present.iter().map(|present| i64::from(*present)));
            }
        }
    }

    /// Adds up the values that are present.
    pub(super) fn sum(&mut self, places: Places<'_>, (values, present): Operand<'_>) {
        typed!(values, values => self.sum_of(places, values, present));
    }

    fn sum_of<T: Stored>(&mut self, places: Places<'_>, values: &[T], present: Option<&[u8]>) {
        let all = |values: &[T]| values.iter().fold(0_i64, |sum, value| sum.wrapping_add(value.wide()));
        let kept = |(value, row): (&T, &u8)| if *row == 1 { value.wide() } else { 0 };
        let some = |rows: &[u8]| values.iter().zip(rows).fold(0_i64, |sum, row| sum.wrapping_add(kept(row)));
        match (places, present) {
            (Places::All(_), None) => self.add_one(all(values)),
            (Places::All(_), Some(rows)) | (Places::Some(rows), None) => self.add_one(some(rows)),
            (Places::Some(rows), Some(present)) => {
                let rows: Vec<u8> = rows.iter().zip(present).map(|(row, present)| row & present).collect();
                self.add_one(some(&rows));
            }
            (Places::Cells(cells), None) => self.scatter(cells, values.iter().map(|value| value.wide())),
            (Places::Cells(cells), Some(present)) => self.scatter(cells, values.iter().zip(present).map(kept)),
        }
    }

    fn add_one(&mut self, value: i64) {
        self.partial[0] = self.partial[0].wrapping_add(value);
    }

    fn scatter(&mut self, cells: &[u32], values: impl Iterator<Item = i64>) {
        if self.lanes == LANES {
            for ((row, cell), value) in cells.iter().enumerate().zip(values) {
                let slot = &mut self.partial[*cell as usize * LANES + row % LANES];
                *slot = slot.wrapping_add(value);
            }
        } else {
            for (cell, value) in cells.iter().zip(values) {
                let slot = &mut self.partial[*cell as usize];
                *slot = slot.wrapping_add(value);
            }
        }
    }

    /// The sum of each cell.
    pub(super) fn finish(self) -> Vec<i64> {
        let mut sums: Vec<i64> = self
            .partial
            .chunks(self.lanes)
            .map(|lanes| lanes.iter().fold(0_i64, |sum, lane| sum.wrapping_add(*lane)))
            .collect();
        sums.pop();
        sums
    }
}

/// Number of bytes that are 1.
fn ones(rows: &[u8]) -> i64 {
    // Up to 255 of them fit a byte, in which the processor adds many at once.
    rows.chunks(255).map(|rows| i64::from(rows.iter().fold(0_u8, |sum, row| sum.wrapping_add(*row)))).sum()
}

/// Numbers of distinct units by cell. Rows come sorted by unit, so a unit is new in a cell if it is not the last one that counted there.
pub(super) struct Units {
    /// For each cell, and for rows that do not count, the last unit.
    last: Vec<u32>,
    counts: Vec<i64>,
}

/// Stands for no unit. Units are numbered from 0, and a table has fewer than 2³² rows, so no unit has this number.
const NO_UNIT: u32 = u32::MAX;

impl Units {
    pub(super) fn of(cells: usize) -> Self {
        Self { last: vec![NO_UNIT; cells + 1], counts: vec![0; cells + 1] }
    }

    /// Counts the units of the rows that count and whose byte in `only` is 1.
    pub(super) fn count(&mut self, places: Places<'_>, only: Option<&[u8]>, units: &[u32]) {
        let none = self.counts.len() as u32 - 1;
        let kept = |row: &u8| if *row == 1 { 0 } else { none };
        match (places, only) {
            (Places::All(_), None) => self.mark(std::iter::repeat(0), units),
            (Places::All(_), Some(rows)) | (Places::Some(rows), None) => self.mark(rows.iter().map(kept), units),
            (Places::Some(rows), Some(only)) => {
                self.mark(rows.iter().zip(only).map(|(row, only)| kept(&(row & only))), units);
            }
            (Places::Cells(cells), None) => self.mark(cells.iter().copied(), units),
            (Places::Cells(cells), Some(only)) => {
                self.mark(cells.iter().zip(only).map(|(cell, only)| if *only == 1 { *cell } else { none }), units);
            }
        }
    }

    fn mark(&mut self, cells: impl Iterator<Item = u32>, units: &[u32]) {
        for (cell, unit) in cells.zip(units) {
            let (last, count) = (&mut self.last[cell as usize], &mut self.counts[cell as usize]);
            *count += i64::from(*last != *unit);
            *last = *unit;
        }
    }

    /// The number of units of each cell.
    pub(super) fn finish(mut self) -> Vec<i64> {
        self.counts.pop();
        self.counts
    }
}

/// Puts values into bins of equal width: the quotient of each value's distance from `low`, cut towards 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binning {
    pub(super) low: i64,
    pub(super) width: i64,
    pub(super) count: u32,
}

impl Binning {
    /// The cell of each row in a histogram of `groups` groups, each of which has `count` cells. Rows without a value do not count.
    pub(super) fn cells(self, places: Places<'_>, groups: usize, (values, present): Operand<'_>) -> Vec<u32> {
        let none = (groups as u64 * u64::from(self.count)) as u32;
        let mut cells = typed!(values, values => self.bins(values));
        let within = |group: u32, bin: u32| {
            let is_counted = group < groups as u32 && bin < self.count;
            if is_counted { group * self.count + bin } else { none }
        };
        match places {
            Places::All(_) => cells.iter_mut().for_each(|cell| *cell = within(0, *cell)),
            Places::Some(rows) => {
                cells.iter_mut().zip(rows).for_each(|(cell, row)| *cell = within(u32::from(row ^ 1) * u32::MAX, *cell));
            }
            Places::Cells(groups) => {
                cells.iter_mut().zip(groups).for_each(|(cell, group)| *cell = within(*group, *cell))
            }
        }
        for (cell, present) in cells.iter_mut().zip(present.unwrap_or_default()) {
            *cell = if *present == 1 { *cell } else { none };
        }
        cells
    }

    /// The bin of each value; [`u32::MAX`] for those outside of all bins.
    fn bins<T: Stored>(self, values: &[T]) -> Vec<u32> {
        let above = values.iter().map(|value| value.wide().wrapping_sub(self.low));
        if self.width == 1 {
            return above.map(|above| u32::try_from(above).unwrap_or(u32::MAX)).collect();
        }
        let Some(width) = u32::try_from(self.width).ok().filter(|width| *width > 1) else {
            let bin = |above: i64| above.checked_div(self.width).unwrap_or(-1);
            return above.map(|above| u32::try_from(bin(above)).unwrap_or(u32::MAX)).collect();
        };
        // Multiplying by a reciprocal takes a fifth of the time of a division. It is exact for divisors and dividends of 32 bits with a
        // reciprocal of 64 bits that is rounded up (D. Lemire, O. Kaser, N. Kurz, "Faster remainder by direct computation", 2019).
        let reciprocal = u128::from(u64::MAX / u64::from(width) + 1);
        let bin = |above: i64| match u32::try_from(above) {
            Ok(above) => ((u128::from(above) * reciprocal) >> 64) as u32,
            Err(_) => u32::try_from(above / i64::from(width)).unwrap_or(u32::MAX),
        };
        above.map(bin).collect()
    }

    /// Whether bins of another width can be summed up from these.
    pub(super) fn divides(self, other: Self) -> bool {
        self.low == other.low && other.width % self.width == 0
    }

    /// Sums every few bins of each group into one of `coarser`.
    pub(super) fn summed(self, finer: &[i64], coarser: Self) -> Vec<i64> {
        let parts = usize::try_from(coarser.width / self.width).unwrap_or(usize::MAX).max(1);
        let group = |bins: &[i64]| {
            let mut coarse: Vec<i64> = bins.chunks(parts).map(|bins| bins.iter().sum()).collect();
            coarse.resize(coarser.count as usize, 0);
            coarse
        };
        finer.chunks(self.count.max(1) as usize).flat_map(group).collect()
    }
}

#[cfg(test)]
#[path = "accumulators_tests.rs"]
mod tests;
