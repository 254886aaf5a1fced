//! Groups by a text column without a public list.
//!
//! Promises one cell for each text that occurs in a row after the filter and after each unit was cut to its first groups, and no other
//! cells, in the order of the texts. The filter and the cut look only at one unit's own rows, in the order of their ranks, so other units
//! change neither.

use super::table::Loaded;

/// The labels of the groups that occur, sorted, with `None` first for rows without a text, and for each of them its code. `rows` holds the
/// number of rows of each code, the last one that of rows without a text.
pub(super) fn labels(loaded: &Loaded, column: usize, rows: &[i64]) -> (Vec<Option<String>>, Vec<usize>) {
    let texts = loaded.texts.get(&column).map(Vec::as_slice).unwrap_or_default();
    let occurring = rows.iter().enumerate().filter(|(_, rows)| **rows > 0);
    let mut found: Vec<(Option<String>, usize)> = occurring.map(|(code, _)| (texts.get(code).cloned(), code)).collect();
    found.sort();
    found.into_iter().unzip()
}

/// Keeps track of the first groups of the unit whose rows are being scanned.
#[derive(Debug)]
pub(super) struct FirstGroups {
    unit: Option<i64>,
    /// Number of groups that the unit counts in so far.
    groups: u32,
    most: u32,
    /// For each group, by code, the last unit that was accepted into it; the last element stands for a missing text.
    taken: Vec<Option<i64>>,
}

impl FirstGroups {
    /// Begins without a unit; each counts in its first `most` of so many groups.
    pub(super) fn new(most: u32, groups: usize) -> Self {
        Self { unit: None, groups: 0, most, taken: vec![None; groups] }
    }

    /// Whether a row of this unit and this group counts.
    pub(super) fn takes(&mut self, unit: i64, code: usize) -> bool {
        if self.unit != Some(unit) {
            (self.unit, self.groups) = (Some(unit), 0);
        }
        let Some(taken) = self.taken.get_mut(code) else { return false };
        if *taken == self.unit {
            return true;
        }
        let is_free = self.groups < self.most;
        if is_free {
            self.groups += 1;
            *taken = self.unit;
        }
        is_free
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
