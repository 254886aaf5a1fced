//! How large an answer may be as it is shown.

use super::Plan;
use crate::query::error::{Code, QueryError};

/// Cells of an answer at the most, as it is shown: its groups times the columns of its outputs, with their bounds and errors. One
/// measurement can be selected under many names, so this is no matter of the noisy cells alone. A server holds some 200 bytes for each while it
/// writes the answer.
pub const SHOWN_CELLS_MAX: u64 = 2_000_000;

impl Plan {
    /// Cells of the answer as it is shown, before HAVING and LIMIT leave any out; of groups without a public list, as many as were declared.
    #[must_use]
    pub fn shown_cells(&self) -> u64 {
        let Some(text) = &self.computation.text else { return self.layout.cells() };
        let totals = u64::from(self.layout.sets.is_some());
        u64::from(text.groups_max).saturating_add(totals).saturating_mul(self.layout.width())
    }

    /// Whether the answer is small enough to be shown.
    ///
    /// # Errors
    /// [`Code::TooManyGroups`].
    pub fn check_shown(&self) -> Result<(), QueryError> {
        let (cells, columns) = (self.shown_cells(), self.layout.width());
        if cells <= SHOWN_CELLS_MAX {
            return Ok(());
        }
        let message = format!(
            "the answer would show {cells} cells in {} rows of {columns} columns; accepted are at most {SHOWN_CELLS_MAX}: \
             group by fewer columns, or select fewer outputs at a time",
            cells / columns.max(1)
        );
        Err(QueryError::whole(Code::TooManyGroups, message)
            .hint("an estimate stands with its bounds, and a mean with its error, too: three or four columns each"))
    }
}
