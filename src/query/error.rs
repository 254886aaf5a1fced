//! What is wrong with a query: a code, a place, what was read and what would be accepted.

use std::fmt;

use serde::Serialize;

/// A place in the caller's SQL, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}", self.line, self.column)
    }
}

/// The kind of fault, as in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Not in our subset of SQL, or not SQL.
    UnsupportedSql,
    /// No such dataset for this person.
    UnknownDataset,
    /// It asks for rows, not for aggregates.
    NotAnAggregate,
    /// No such column.
    UnknownColumn,
    /// A literal that no value of the column can equal.
    OutOfDomain,
    /// More cells than one answer holds.
    TooManyGroups,
    /// The accuracy does not go with the query.
    InvalidRequest,
}

/// A refused query. The message is made of the caller's words and the public terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The kind.
    pub code: Code,
    /// What is wrong, with its place.
    pub message: String,
    /// The place.
    pub position: Option<Position>,
    /// The nearest thing that is allowed.
    pub hint: Option<String>,
}

impl QueryError {
    /// A fault at a place; the place is written into the message.
    #[must_use]
    pub fn at(code: Code, position: Position, message: impl fmt::Display) -> Self {
        let message = match position.line {
            0 => message.to_string(),
            _ => format!("{message} at {position}"),
        };
        let position = (position.line > 0).then_some(position);
        Self { code, message, position, hint: None }
    }

    /// A fault of the whole query.
    #[must_use]
    pub fn whole(code: Code, message: impl fmt::Display) -> Self {
        Self::at(code, Position { line: 0, column: 0 }, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The candidate nearest to `word`, if one is near.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let chars = word.chars().count();
    candidates
        // A long word is near nothing; comparing it letter by letter would only take time.
        .filter(|candidate| chars <= candidate.chars().count() + 1 + candidate.len() / 4)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Caller's words in a message, cut to a readable length.
#[must_use]
pub fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 64;
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
