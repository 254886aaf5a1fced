//! Why nothing was sealed.

use std::io;

use crate::engine::seal::encode::WrongType;
use crate::engine::seal::source::{Fault, SourceError};
use crate::kernel::random;

/// Why nothing was sealed. No value of a file is in it.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A column has another type.
    #[error("{path}: column \"{column}\" holds {found}; a column of type {wanted} is read from {accepted}")]
    WrongType {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// The type in the source.
        found: String,
        /// The type in the policy.
        wanted: &'static str,
        /// What would be read.
        accepted: &'static str,
    },
    /// Values that are no value of the type.
    #[error(
        "{path}: column \"{column}\": {count} values are no {wanted}, the first in {place}; {accepted}; marks of missing values are named \
         by missing = [\"NA\"]"
    )]
    Unreadable {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// How many.
        count: u64,
        /// The type in the policy.
        wanted: &'static str,
        /// Where the first of them stands.
        place: String,
        /// What would be read.
        accepted: &'static str,
    },
    /// Missing values where the policy promises none.
    #[error(
        "{path}: column \"{column}\": {count} values are missing{unlisted}, and the policy does not say nullable = true; \
         mend the source or the policy"
    )]
    Nulls {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// How many.
        count: u64,
        /// How many of them the policy's list does not name, in words.
        unlisted: String,
    },
    /// Rows without a unit.
    #[error(
        "{path}: {count} rows have no \"{column}\", which is the privacy unit, the first in {place}; every row belongs to somebody"
    )]
    NullUnits {
        /// The source.
        path: String,
        /// The unit's column.
        column: String,
        /// How many.
        count: u64,
        /// Where the first of them stands.
        place: String,
    },
    /// Ids that may stand for several units.
    #[error(
        "{path}: column \"{column}\": {count} ids are fractions, or numbers too large for their type to tell apart, the first in {place}; \
         write ids as text or whole numbers"
    )]
    InexactUnits {
        /// The source.
        path: String,
        /// The unit's column.
        column: String,
        /// How many.
        count: u64,
        /// Where the first of them stands.
        place: String,
    },
    /// Rows of a unit that contradict each other, where the policy refuses that.
    #[error(
        "{path}: column \"{column}\": the rows of {count} units contradict each other, and a unit has one value there; mend the source, \
         or say conflicts = \"count\" to take the least known value of each"
    )]
    Conflicts {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// How many units.
        count: u64,
    },
    /// More rows than were declared.
    #[error(
        "{path}: more than the declared max_rows = {rows_max} rows are kept; raise max_rows or lower max_rows_per_unit"
    )]
    TooManyRows {
        /// The source.
        path: String,
        /// The declared capacity.
        rows_max: u64,
    },
    /// More different texts than were declared.
    #[error(
        "{path}: column \"{column}\" has more than the declared max_values = {values_max} different texts; raise max_values or make it a category"
    )]
    TooManyValues {
        /// The source.
        path: String,
        /// The column.
        column: String,
        /// The declared capacity.
        values_max: u32,
    },
    /// The state directory cannot be written.
    #[error("{path}: cannot be written: {kind}")]
    Unwritable {
        /// The directory.
        path: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// No random key.
    #[error(transparent)]
    Chance(#[from] random::NoChance),
}

impl SealError {
    /// A column does not hold what it did when the source was opened.
    pub(super) fn changed(path: &str) -> Self {
        Self::Source(SourceError { path: path.to_owned(), place: None, fault: Fault::Changed })
    }

    /// A column of a type that it cannot be read from.
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
