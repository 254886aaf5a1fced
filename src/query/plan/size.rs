//! Limit on the size of an answer as it is shown.

use super::parts::Plan;
use crate::query::error::{Code, QueryError};

/// Largest number of cells that an answer may show: its rows times the columns of its outputs, with their bounds and errors. Limiting the
/// noisy cells is not enough, because one measurement can be selected under many names. A server holds about 200 bytes for each cell while
/// it writes the answer.
pub const SHOWN_CELLS_MAX: u64 = 2_000_000;

impl Plan {
    /// Number of cells that the answer shows, before HAVING and LIMIT remove any rows. Groups without a public list are counted as the
    /// number that the policy declares.
    #[must_use]
    pub fn shown_cells(&self) -> u64 {
        let Some(text) = &self.computation.text else { return self.layout.cells() };
        let totals = u64::from(self.layout.sets.is_some());
        u64::from(text.groups_max).saturating_add(totals).saturating_mul(self.layout.width())
    }

    /// Checks that the answer shows at most [`SHOWN_CELLS_MAX`] cells.
    ///
    /// # Errors
    /// [`Code::TooManyGroups`] if it shows more.
    pub fn check_shown(&self) -> Result<(), QueryError> {
        let (cells, columns) = (self.shown_cells(), self.layout.width());
        if cells <= SHOWN_CELLS_MAX {
            return Ok(());
        }
        let message = format!(
            "the answer would show {cells} cells in {} rows of {columns} columns; accepted are at most {SHOWN_CELLS_MAX}, \
             and every estimate comes with its bounds: three or four columns each",
            cells / columns.max(1)
        );
        Err(QueryError::whole(Code::TooManyGroups, message).hint("ask for fewer outputs at a time"))
    }
}
