//! The reasons why nothing was sealed.

use std::io;

use crate::chance;
use crate::dataset::encode::WrongType;
use crate::dataset::source::{Fault, SourceError};

/// The reason why nothing was sealed. It never contains a value of a file.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A column of the source has a type from which it cannot be read.
    #[error("{path}: column \"{column}\" holds {found}; a column of type {wanted} is read from {accepted}")]
    WrongType {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the column.
        column: String,
        /// The type in the source, in words.
        found: String,
        /// The type in the policy.
        wanted: &'static str,
        /// The types from which the column can be read.
        accepted: &'static str,
    },
    /// Some values are not valid for the column's type.
    #[error(
        "{path}: column \"{column}\": {count} values are no {wanted}, the first in {place}; {accepted}; marks of missing values are named \
         by missing = [\"NA\"]"
    )]
    Unreadable {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the column.
        column: String,
        /// The number of unreadable values.
        count: u64,
        /// The type in the policy.
        wanted: &'static str,
        /// The place of the first of them, in words.
        place: String,
        /// A hint on how such values are written.
        accepted: &'static str,
    },
    /// Some values are missing though the policy does not allow it.
    #[error(
        "{path}: column \"{column}\": {count} values are missing{unlisted}, and the policy does not say nullable = true; \
         mend the source or the policy"
    )]
    Nulls {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the column.
        column: String,
        /// The number of missing values.
        count: u64,
        /// A phrase that says how many of them are missing from the policy's list; empty if none is.
        unlisted: String,
    },
    /// Some rows have no unit.
    #[error(
        "{path}: {count} rows have no \"{column}\", which is the privacy unit, the first in {place}; every row belongs to somebody"
    )]
    NullUnits {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the unit's column.
        column: String,
        /// The number of rows without a unit.
        count: u64,
        /// The place of the first of them, in words.
        place: String,
    },
    /// Some ids may stand for several units.
    #[error(
        "{path}: column \"{column}\": {count} ids are fractions, or numbers too large for their type to tell apart, the first in {place}; \
         write ids as text or whole numbers"
    )]
    InexactUnits {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the unit's column.
        column: String,
        /// The number of inexact ids.
        count: u64,
        /// The place of the first of them, in words.
        place: String,
    },
    /// Rows of a unit contradict each other, and the policy refuses that.
    #[error(
        "{path}: column \"{column}\": the rows of {count} units contradict each other, and a unit has one value there; mend the source, \
         or say conflicts = \"count\" to take the least known value of each"
    )]
    Conflicts {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the column.
        column: String,
        /// The number of units whose rows contradict each other.
        count: u64,
    },
    /// More rows would be kept than the policy declares.
    #[error(
        "{path}: more than the declared max_rows = {rows_max} rows are kept; raise max_rows or lower max_rows_per_unit"
    )]
    TooManyRows {
        /// The source, as it is shown to people.
        path: String,
        /// The declared capacity, in rows.
        rows_max: u64,
    },
    /// A column has more different texts than the policy declares.
    #[error(
        "{path}: column \"{column}\" has more than the declared max_values = {values_max} different texts; raise max_values or make it a category"
    )]
    TooManyValues {
        /// The source, as it is shown to people.
        path: String,
        /// The name of the column.
        column: String,
        /// The declared number of different texts.
        values_max: u32,
    },
    /// The state directory cannot be written.
    #[error("{path}: cannot be written: {kind}")]
    Unwritable {
        /// The path of the directory.
        path: String,
        /// The kind of error that the system reports.
        kind: io::ErrorKind,
    },
    /// The system gave no random key.
    #[error(transparent)]
    Chance(#[from] chance::NoChance),
}

impl SealError {
    /// The error that a column no longer holds what it did when the source was opened.
    pub(super) fn changed(path: &str) -> Self {
        Self::Source(SourceError { path: path.to_owned(), place: None, fault: Fault::Changed })
    }

    /// The error that a column has a type from which it cannot be read.
    pub(super) fn wrong_type(
        path: &str,
        column: &str,
        wanted: &'static str,
        WrongType { found, accepted }: WrongType,
    ) -> Self {
        Self::WrongType { path: path.to_owned(), column: column.to_owned(), found, wanted, accepted }
    }
}

impl From<io::Error> for SealError {
    fn from(error: io::Error) -> Self {
        Self::Unwritable { path: "the state directory".to_owned(), kind: error.kind() }
    }
}
