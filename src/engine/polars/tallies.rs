//! Tallies: sums over rows in dense arrays, one integer per cell.
//!
//! Promises exact sums. No intermediate value can be wrong: adding 64-bit integers in two's complement is associative even where it wraps,
//! so if a cell's final sum fits 64 bits, as the plan's bounds say, it comes out whatever the order of rows and blocks.

use super::fields::Strip;
use super::groupings::RowCondition;
use super::inputs::Input;

/// What is added up in each group.
#[derive(Debug)]
pub(super) enum Added {
    /// 1 for each row.
    Rows,
    /// 1 for each row in which an input is present.
    Present(Input),
    /// The input where it is present.
    Sum(Input),
    /// 1 for each unit, whose number is in this field; rows are sorted by unit.
    Units(usize),
    /// 1 for each unit with a row for which the condition holds.
    UnitsWhere(usize, RowCondition),
    /// 1 for each row in the bin that the input names, of so many for each group.
    Bins(Input, usize),
}

/// An array with one sum per cell, and one more for rows that do not count.
#[derive(Debug)]
pub(super) struct CellSums {
    /// The place of the grouping.
    pub(super) grouping: usize,
    pub(super) added: Added,
    groups: usize,
    /// Number of arrays that rows are spread over, so that one addition need not wait for the one before it. A power of 2.
    lanes: usize,
    sums: Vec<i64>,
    /// For each cell, the unit that was counted last.
    marks: Vec<i64>,
}

/// Largest number of cells whose sums are spread over [`LANES`] arrays: all of them together stay in the fastest cache.
const SPREAD_CELLS_MAX: usize = 256;
const LANES: usize = 4;

/// No unit has this number.
const NO_UNIT: i64 = -1;

impl CellSums {
    /// A tally of 0 in each of so many groups.
    pub(super) fn new(grouping: usize, groups: usize, added: Added) -> Self {
        let cells = match &added {
            Added::Bins(_, count) => groups * count,
            Added::Rows | Added::Present(_) | Added::Sum(_) | Added::Units(_) | Added::UnitsWhere(..) => groups,
        };
        let is_marked = matches!(added, Added::Units(_) | Added::UnitsWhere(..));
        let marks = if is_marked { vec![NO_UNIT; groups + 1] } else { Vec::new() };
        let lanes = if cells <= SPREAD_CELLS_MAX { LANES } else { 1 };
        Self { grouping, added, groups, lanes, sums: vec![0; lanes * (cells + 1)], marks }
    }

    /// Whether it counts rows and reads no field.
    pub(super) fn counts_rows(&self) -> bool {
        matches!(self.added, Added::Rows)
    }

    /// Counts so many rows of the only group.
    pub(super) fn count(&mut self, rows: usize) {
        self.sums[0] = self.sums[0].wrapping_add(rows as i64);
    }

    /// Adds the rows of a strip, whose cells are given.
    pub(super) fn add(&mut self, strips: &[Strip], cells: &[u32], scratch: &mut Strip) {
        let (width, lanes) = (self.sums.len() / self.lanes, self.lanes - 1);
        let sums = &mut self.sums;
        let mut one = |row: usize, cell: usize, value: i64| {
            let sum = &mut sums[(row & lanes) * width + cell];
            *sum = sum.wrapping_add(value);
        };
        let numbered = cells.iter().map(|cell| *cell as usize).enumerate();
        match &self.added {
            Added::Rows => numbered.for_each(|(row, cell)| one(row, cell, 1)),
            Added::Present(input) => {
                let values = input.of(strips, scratch);
                if values.present.is_empty() {
                    return numbered.for_each(|(row, cell)| one(row, cell, 1));
                }
                numbered.zip(&values.present).for_each(|((row, cell), present)| one(row, cell, i64::from(*present)));
            }
            Added::Sum(input) => {
                let values = input.of(strips, scratch);
                let rows = numbered.zip(&values.values);
                if values.present.is_empty() {
                    return rows.for_each(|((row, cell), value)| one(row, cell, *value));
                }
                rows.zip(&values.present)
                    .for_each(|(((row, cell), value), present)| one(row, cell, if *present { *value } else { 0 }));
            }
            Added::Units(field) => {
                for ((row, cell), unit) in numbered.zip(&strips[*field].values) {
                    one(row, cell, i64::from(self.marks[cell] != *unit));
                    self.marks[cell] = *unit;
                }
            }
            Added::UnitsWhere(field, condition) => {
                let mut kept = vec![true; cells.len()];
                condition.keep(strips, &mut kept);
                for (((row, cell), unit), kept) in numbered.zip(&strips[*field].values).zip(kept) {
                    let cell = if kept { cell } else { self.groups };
                    one(row, cell, i64::from(self.marks[cell] != *unit));
                    self.marks[cell] = *unit;
                }
            }
            Added::Bins(input, count) => {
                let values = input.of(strips, scratch);
                let last = self.groups * count;
                for ((row, cell), value) in numbered.zip(&values.values) {
                    let bin = usize::try_from(*value).ok().filter(|bin| bin < count && values.is_present(row));
                    one(row, bin.map_or(last, |bin| (cell * count + bin).min(last)), 1);
                }
            }
        }
    }

    /// The sums of all groups.
    pub(super) fn into_sums(self) -> Vec<i64> {
        let width = self.sums.len() / self.lanes;
        let cell =
            |cell: usize| self.sums[cell..].iter().step_by(width).fold(0, |sum: i64, part| sum.wrapping_add(*part));
        (0..width - 1).map(cell).collect()
    }
}
