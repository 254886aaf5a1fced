//! Why a statement over the free tables is refused, as PostgreSQL says it: SQLSTATE, message, position and hint.

/// A refusal. Every field is made of the statement and of public names; no text of a library is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FreeError {
    /// The SQLSTATE, five characters.
    pub sqlstate: &'static str,
    /// What is wrong, in lower case without a full stop.
    pub message: String,
    /// Where in the statement: its line and column, both from 1; `None` if it is about the whole of it.
    pub position: Option<(u64, u64)>,
    /// What would be accepted; `None` if nothing is known.
    pub hint: Option<String>,
}

/// SQLSTATE of what is not built.
pub(crate) const UNSUPPORTED: &str = "0A000";
/// SQLSTATE of a table that does not exist.
pub(crate) const NO_TABLE: &str = "42P01";
/// SQLSTATE of a column that does not exist.
pub(crate) const NO_COLUMN: &str = "42703";
/// SQLSTATE of a name that two columns have.
pub(crate) const AMBIGUOUS: &str = "42702";
/// SQLSTATE of a function that does not exist.
pub(crate) const NO_FUNCTION: &str = "42883";
/// SQLSTATE of a type that does not exist.
pub(crate) const NO_TYPE: &str = "42704";
/// SQLSTATE of a text that cannot be read as a type.
pub(crate) const UNREADABLE: &str = "22P02";
/// SQLSTATE of a limit that was passed.
pub(crate) const TOO_MUCH: &str = "54000";
/// SQLSTATE of a computation that has no value, such as a division by zero.
pub(crate) const NO_VALUE: &str = "22000";
/// SQLSTATE of a fault of this program.
pub(crate) const INTERNAL: &str = "XX000";

impl FreeError {
    /// A refusal of this state and message.
    pub(crate) fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into(), position: None, hint: None }
    }

    /// Says that a form is not supported over the free tables.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::new(UNSUPPORTED, format!("{what} is not supported over catalogues and published statistics"))
    }

    /// Adds the place where it is.
    pub(crate) fn at(mut self, place: sqlparser::tokenizer::Location) -> Self {
        if place.line > 0 {
            self.position = Some((place.line, place.column));
        }
        self
    }

    /// Adds what would be accepted.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
