//! Sources of a table: text files, Parquet, Arrow and Excel files, folders of these, and PostgreSQL queries.
//!
//! Promises that a source is read piece by piece, wanted columns only, in bounded memory; that a value or a name which could be read in two
//! ways is refused with its place; and that messages contain neither values nor words of libraries.

mod place;
mod fault;
mod names;
mod format;
mod digest;
mod text;
mod schema;
mod parquet;
mod arrow;
mod sheet;
mod postgres;
mod files;
mod part;
#[cfg(test)]
#[path = "source/source_tests.rs"]
mod tests;
mod batch;
mod open;

pub use crate::query::terms::source::{DecimalMark, Encoding, SourceLocation, SourceSpec};
pub use fault::{FieldsHint, KnownColumns, Packing, SourceError, SourceFault, TextFault};
pub use files::FilesFault;
pub use format::SourceFormat;
pub use names::{WantedColumn, normalised};
pub use place::{RowPlace, RowPlaces, Spot};
pub use postgres::PostgresFault;
pub use sheet::SheetFault;

pub use self::batch::{Batch, Read, SourceColumn};
pub use self::open::Source;
