//! Portals and prepared statements: what a session keeps between its frames.

use std::sync::Arc;

use super::fault::Notice;
use super::statements::Statement;
use super::table::{Cell, Column, Table};
use super::values::Format;
use crate::service::asking::rooms::Reservation;

/// Largest number of prepared statements of a session.
pub(super) const STATEMENTS_MAX: usize = 512;
/// Largest number of portals and cursors of a session.
pub(super) const PORTALS_MAX: usize = 128;

/// A prepared statement.
pub(super) struct Prepared {
    /// The statement; `None` if its text is empty.
    pub(super) statement: Option<Arc<Statement>>,
    /// Types of the parameters by their OIDs, as far as the client declared them; 0 is none.
    pub(super) declared: Vec<u32>,
}

/// Parameters with the formats they came in.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound {
    /// Types of the parameters.
    pub(super) params: Vec<super::table::Type>,
    /// Values of the parameters.
    pub(super) cells: Vec<Cell>,
}

/// What a statement came to.
pub(super) enum Outcome {
    /// Rows, with their tag: `SELECT` is followed by their number.
    Rows(Rows),
    /// Rows for a file.
    Copy(Rows, super::copy::CopyStyle),
    /// Nothing but a tag.
    Done(String),
    /// Nothing, as the text is empty.
    Empty,
}

/// Rows that are sent, and how far that has come.
pub(super) struct Rows {
    /// All rows of the portal; fetching them in parts computes nothing more.
    pub(super) table: Arc<Table>,
    /// How many have been sent.
    pub(super) sent: usize,
    /// How many may be sent; all of them unless a FETCH takes fewer.
    pub(super) end: usize,
    /// The word of the tag.
    pub(super) tag: &'static str,
    /// What is said before the rows, once.
    pub(super) notice: Option<Notice>,
    /// The memory that the rows take.
    pub(super) room: Reservation,
}

impl Rows {
    /// All rows of a table.
    pub(super) fn all(table: Table, tag: &'static str) -> Self {
        let end = table.rows.len();
        Self { table: Arc::new(table), sent: 0, end, tag, notice: None, room: Reservation::default() }
    }

    /// The next rows, at most `max` if it is not 0, and whether these are the last.
    pub(super) fn next(&mut self, max: usize) -> (Arc<Table>, std::ops::Range<usize>, bool) {
        let end = if max == 0 { self.end } else { self.end.min(self.sent.saturating_add(max)) };
        let range = self.sent..end;
        self.sent = end;
        (Arc::clone(&self.table), range, end == self.end)
    }

    /// The tag after this many rows.
    pub(super) fn tagged(&self, rows: usize) -> String {
        match self.tag {
            "SELECT" | "FETCH" | "COPY" => format!("{} {rows}", self.tag),
            tag => tag.to_owned(),
        }
    }
}

/// A statement that is being run.
pub(super) struct Portal {
    /// The statement; `None` if its text is empty.
    pub(super) statement: Option<Arc<Statement>>,
    /// The parameters.
    pub(super) bound: Bound,
    /// Formats of the results.
    pub(super) results: Vec<Format>,
    /// What it came to, once it was executed.
    pub(super) outcome: Option<Outcome>,
    /// Columns of the result, once they are known.
    pub(super) columns: Option<Vec<Column>>,
    /// Whether it is a cursor, and whether that outlives its transaction.
    pub(super) cursor: Option<bool>,
}

/// The format of each column; `None` if there are neither as many as columns, nor one, nor none.
pub(super) fn formats(given: &[Format], columns: usize) -> Option<Vec<Format>> {
    match given {
        [] => Some(vec![Format::Text; columns]),
        [one] => Some(vec![*one; columns]),
        several if several.len() == columns => Some(several.to_vec()),
        _ => None,
    }
}
