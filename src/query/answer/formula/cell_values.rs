//! The noisy values of one cell, which formulas are evaluated on.

use super::absence::AbsenceReason;
use crate::kernel::privacy::mechanism::NoiseLaw;

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
}

impl CellValues<'_> {
    /// Checks that values derived from a measurement may be shown.
    ///
    /// # Errors
    /// [`AbsenceReason::Hidden`] if they may not.
    pub fn shown(&self, measurement: usize) -> Result<(), AbsenceReason> {
        if self.hidden.get(measurement) == Some(&true) { Err(AbsenceReason::Hidden) } else { Ok(()) }
    }
}
