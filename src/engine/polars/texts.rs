//! Groups by a text column without a public list.
//!
//! Promises one cell for each text that occurs in a row after the filter and after each unit was cut to its first groups, and no other
//! cells, in the order of the texts. The filter and the cut look only at one unit's own rows, in the order of their ranks, so other units
//! change neither.

use super::table::Loaded;
use super::window::Window;
use crate::query::computation::{Computation, TextKey};
use crate::query::terms::policy::Unit;

/// The cells of texts, which are numbered by their codes; the last cell is that of rows without a text.
pub(super) struct TextCells {
    column: usize,
    groups: usize,
    /// The number of groups that a unit counts in, if it may have rows in more.
    groups_per_unit: Option<u32>,
}

impl TextCells {
    pub(super) fn of(text: &TextKey, loaded: &Loaded, computation: &Computation) -> Self {
        let is_one = loaded.terms.unit == Unit::Row || loaded.terms.columns[text.column].per_unit;
        let is_within = is_one || text.groups_per_unit >= computation.rows_per_unit;
        let groups = loaded.texts.get(&text.column).map_or(0, Vec::len) + 1;
        Self { column: text.column, groups, groups_per_unit: (!is_within).then_some(text.groups_per_unit) }
    }

    /// Number of cells.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// What the cut of units to their first groups begins with; `None` if no unit has to be cut.
    pub(super) fn first(&self) -> Option<First> {
        let most = self.groups_per_unit?;
        Some(First { unit: None, groups: 0, most, taken: vec![None; self.groups] })
    }

    /// The cell of each row of a window; the number of cells for rows that do not count.
    pub(super) fn cells(&self, window: &Window<'_>, counted: Option<&[u8]>, first: Option<&mut First>) -> Vec<u32> {
        let none = self.groups as u32;
        let mut cells = window.texts(self.column, none - 1);
        for (cell, row) in cells.iter_mut().zip(counted.unwrap_or_default()) {
            *cell = if *row == 1 { *cell } else { none };
        }
        if let (Some(first), Some(units)) = (first, window.units()) {
            for (cell, unit) in cells.iter_mut().zip(units) {
                if *cell != none && !first.takes(*unit, *cell) {
                    *cell = none;
                }
            }
        }
        cells
    }
}

/// Keeps track of the first groups of the unit whose rows are being scanned.
pub(super) struct First {
    unit: Option<u32>,
    /// Number of groups that the unit counts in so far.
    groups: u32,
    most: u32,
    /// For each group, by code, the last unit that was accepted into it; the last element stands for a missing text.
    taken: Vec<Option<u32>>,
}

impl First {
    /// Whether a row of this unit and this group counts.
    fn takes(&mut self, unit: u32, cell: u32) -> bool {
        if self.unit != Some(unit) {
            (self.unit, self.groups) = (Some(unit), 0);
        }
        let Some(taken) = self.taken.get_mut(cell as usize) else { return false };
        if *taken == Some(unit) {
            return true;
        }
        let is_free = self.groups < self.most;
        if is_free {
            self.groups += 1;
            *taken = Some(unit);
        }
        is_free
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
