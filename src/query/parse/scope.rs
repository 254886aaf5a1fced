//! What is known at a place of a query: the names of `WITH`, the windows of `WINDOW`, and whether aggregates and windows may stand there.
//!
//! Promises that an inner name hides an outer one, and that a query inside of an expression begins with nothing allowed.

use super::size::Size;
use crate::query::syntax::{Expression, Name, RowOrder, Rows, WindowFrame};

/// What is known at one place.
#[derive(Debug, Default)]
pub(super) struct ParseContext {
    /// The queries of `WITH`; later ones hide earlier ones of the same name.
    pub(super) queries: Vec<NamedQuery>,
    /// The windows of this SELECT's `WINDOW`.
    pub(super) windows: Vec<NamedWindow>,
    /// What may stand here besides columns and constants.
    pub(super) allowed: Allowed,
    /// Whether the place is in WHERE.
    pub(super) is_where: bool,
}

/// A name of `WITH`.
#[derive(Debug)]
pub(super) struct NamedQuery {
    pub(super) name: Name,
    /// Its query; `None` while `WITH RECURSIVE` has not reached its end, so that using the name would be recursion.
    pub(super) query: Option<DefinedQuery>,
}

/// The query of a name.
#[derive(Debug)]
pub(super) struct DefinedQuery {
    pub(super) rows: Rows,
    /// New names for its first columns.
    pub(super) columns: Vec<Name>,
    pub(super) size: Size,
}

/// A window of `WINDOW`.
#[derive(Debug)]
pub(super) struct NamedWindow {
    pub(super) name: Name,
    pub(super) window: Pane,
    pub(super) size: Size,
}

/// The rows that a window function sees.
#[derive(Debug, Clone, Default)]
pub(super) struct Pane {
    pub(super) partition: Vec<Expression>,
    pub(super) order: Vec<RowOrder>,
    pub(super) frame: Option<WindowFrame>,
}

/// What may stand in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Allowed {
    /// Columns and constants.
    #[default]
    Row,
    /// Aggregates as well: HAVING of a query that makes rows, and the argument of a window function.
    Aggregates,
    /// Aggregates and windows: the items of a query that makes rows.
    Windows,
}
