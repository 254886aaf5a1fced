//! Faults of a policy file, with their place.

use std::ops::Range;

use toml::Spanned;

use crate::files::LineColumn;

/// One fault of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PolicyFault {
    /// The line of the fault, counted from 1.
    pub line: usize,
    /// The column of the fault in its line, counted from 1 in characters.
    pub column: usize,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// The reason why a policy was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {}", crate::files::because(*kind))]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The kind of error that the system reports.
        kind: std::io::ErrorKind,
    },
    /// The file is larger than any policy may be.
    #[error("{path}: {bytes} bytes; a policy has at most {bytes_max}")]
    TooLarge {
        /// The path of the file.
        path: String,
        /// The file's size, in bytes.
        bytes: u64,
        /// The largest size accepted, in bytes.
        bytes_max: u64,
    },
    /// The file is not a valid policy.
    #[error("{path}: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(&format!("\n{path}: ")))]
    Faulty {
        /// The path of the file.
        path: String,
        /// Every fault that was found, in the order of the file.
        faults: Vec<PolicyFault>,
    },
}

/// Faults that were found so far in the text of a policy file.
pub(super) struct PolicyFaults<'a> {
    pub(super) text: &'a str,
    pub(super) found: Vec<PolicyFault>,
}

impl PolicyFaults<'_> {
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        let LineColumn { line, column } = LineColumn::of(self.text, span.start);
        self.found.push(PolicyFault { line, column, message: message.into() });
    }

    /// Returns the value, or adds a fault at `span` and returns `None`.
    pub(super) fn take<T, E: ToString>(&mut self, span: Range<usize>, name: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(span, format!("{name}: {}", error.to_string()))).ok()
    }

    pub(super) fn count(&mut self, name: &str, value: &Spanned<i64>, max: i64) -> Option<u32> {
        let count = *value.get_ref();
        let accepted = u32::try_from(count).ok().filter(|_| (1..=max).contains(&count));
        let message = || format!("{name} is {count}; accepted is 1 to {max}");
        self.take(value.span(), name, accepted.ok_or_else(message))
    }
}
