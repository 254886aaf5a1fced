//! The noisy values of one cell, which formulas are evaluated on.

use super::absence::AbsenceReason;
use super::window::{GroupRows, GroupWindow};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::query::answer::{KeyLabels, Label};

/// The noisy values of one cell, in steps, and the laws of their noise.
#[derive(Debug, Clone, Copy)]
pub struct CellValues<'a> {
    /// Value of each measurement in this cell.
    pub values: &'a [f64],
    /// Noise law of each measurement, parallel to `values`.
    pub laws: &'a [NoiseLaw],
    /// All cells of every measurement, in steps.
    pub all: &'a [Vec<f64>],
    /// Index of the cell, which is the group's.
    pub cell: usize,
    /// Whether the values derived from each measurement are hidden in this group; empty if none are.
    pub hidden: &'a [bool],
    /// Labels of each key's groups.
    pub keys: &'a [KeyLabels],
    /// Index of the group of each key, parallel to `keys`; `None` if the row is a total over the key.
    pub places: &'a [Option<usize>],
    /// What is known of each window over the groups, by its place; empty while they are prepared.
    pub windows: &'a [GroupRows],
}

impl<'a> CellValues<'a> {
    /// Label of a key's group in this cell; `None` if the row is a total over the key.
    #[must_use]
    pub fn label(&self, key: usize) -> Option<&'a Label> {
        self.keys.get(key)?.get(self.places.get(key).copied()??)
    }

    /// The prepared rows of a window.
    ///
    /// # Errors
    /// [`AbsenceReason::NoValue`] if they were not prepared.
    pub(in crate::query::answer) fn window(&self, window: &GroupWindow) -> Result<&'a GroupRows, AbsenceReason> {
        self.windows.get(window.place).ok_or(AbsenceReason::NoValue)
    }

    /// Checks that values derived from a measurement may be shown.
    ///
    /// # Errors
    /// [`AbsenceReason::Hidden`] if they may not.
    pub fn shown(&self, measurement: usize) -> Result<(), AbsenceReason> {
        if self.hidden.get(measurement) == Some(&true) { Err(AbsenceReason::Hidden) } else { Ok(()) }
    }
}
