//! The reasons why nothing was sealed.

use std::io;

use crate::engine::seal::encode::WrongType;
use crate::engine::seal::source::{SourceError, SourceFault};
use crate::kernel::random;

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
        "{path}: column \"{column}\": {} not of type {wanted}, the first in {place}; {accepted}; declare marks of missing values \
         like missing = [\"NA\"]",
        counted(*count, "value is", "values are")
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
        "{path}: column \"{column}\": {} missing{unlisted}, and the policy does not say nullable = true; \
         correct the source or the policy",
        counted(*count, "value is", "values are")
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
        "{path}: {} no \"{column}\", which is the privacy unit, the first in {place}; every row must belong to a unit",
        counted(*count, "row has", "rows have")
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
        "{path}: column \"{column}\": {} (fractions, or too large for their type), the first in {place}; \
         write ids as text or whole numbers",
        counted(*count, "id is not an exact whole number", "ids are not exact whole numbers")
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
        "{path}: column \"{column}\": the rows of {} contradict each other, and a unit has a single value there; correct the source, \
         or write conflicts = \"count\" to take the smallest known value of each",
        counted(*count, "unit", "units")
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
        "{path}: more than the declared max_rows = {rows_max} rows would be kept; raise max_rows or lower max_rows_per_unit"
    )]
    TooManyRows {
        /// The source, as it is shown to people.
        path: String,
        /// The declared capacity, in rows.
        rows_max: u64,
    },
    /// The tables have more units together than can be numbered.
    #[error("the tables have more than {units_max} units together, which is more than can be numbered")]
    TooManyUnits {
        /// The largest number of units.
        units_max: u32,
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
    Chance(#[from] random::NoRandomness),
}

impl SealError {
    /// The error that a column no longer holds what it did when the source was opened.
    pub(super) fn changed(path: &str) -> Self {
        Self::Source(SourceError { path: path.to_owned(), place: None, fault: SourceFault::Changed })
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

/// A number with the words for one or for several, like `1 row has` and `2 rows have`.
fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

impl From<io::Error> for SealError {
    fn from(error: io::Error) -> Self {
        Self::Unwritable { path: "the state directory".to_owned(), kind: error.kind() }
    }
}
