//! What is read of a source: batches of columns, and what became known of the whole.

use crate::engine::seal::source::place::RowPlaces;
use polars::prelude::{DataType, Series};

/// The number of rows in one batch.
pub(super) const BATCH_ROWS: usize = 65_536;
/// The largest number of batches that wait to be taken.
pub(super) const BATCHES_WAITING_MAX: usize = 2;

/// A column of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    /// The column's name in the source.
    pub name: String,
    /// The column's type: strings in every text format, and [`DataType::Unknown`] for types that cannot be read.
    pub dtype: DataType,
    /// The type in words, for messages.
    pub kind: String,
}

impl SourceColumn {
    pub(super) fn new(name: impl Into<String>, dtype: DataType) -> Self {
        let kind = dtype.to_string();
        Self { name: name.into(), dtype, kind }
    }

    /// Whether the column has a type that cannot be read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(self.dtype, DataType::Unknown(_))
    }
}

/// Some consecutive rows of the wanted columns.
#[derive(Debug, Clone)]
pub struct Batch {
    /// One series per wanted column, in the order in which they were wanted.
    pub columns: Vec<Series>,
    /// The places of the rows in the source.
    pub places: RowPlaces,
}

/// What was read of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The number of rows, without a header and blank lines.
    pub rows: u64,
    /// The size of the files as they are stored, in bytes; 0 for a database.
    pub bytes: u64,
    /// The number of lines of text files, including the header.
    pub lines: u64,
    /// The number of empty lines.
    pub blank_lines: u64,
    /// The number of values of text files that contain line breaks.
    pub multiline_values: u64,
    /// The BLAKE3 digest of the files' bytes as they are stored, in the order in which they were read; `None` for a database.
    pub digest: Option<String>,
}
