//! The policy of a dataset: the steward's TOML file, checked as a whole.
//!
//! Promises that a [`Policy`] is consistent: its domains are finite grids, and capacity × bound fits 62 bits, so that no sum over a
//! conforming table overflows. Every fault of a file is reported with its line and column.

mod column_table;
mod columns;
mod dataset;
pub mod editing;
mod faults;
mod file;
pub mod limits;
mod load;
mod names;
mod numbers;
mod orders;
mod public;
mod public_table;
mod rules;
mod several;
#[cfg(test)]
mod several_tests;
mod single;
mod source;
mod tables;
mod terms;
mod terms_form;
mod typical;

pub use self::dataset::{Policy, ReadingRules, TableReading};
pub use self::faults::{PolicyError, PolicyFault};
pub use self::load::BYTES_MAX;
pub use self::names::{IDENTIFIER_PATTERN, SEEN, is_identifier};
pub use self::orders::{ColumnOrder, Orders};
pub use self::public::{PublicRows, ReadPublic, is_label};
pub use self::public_table::{PublicTable, PublicTables};
pub use self::tables::PolicyFile;
pub use self::terms::{JoinedTable, TableTerms, Terms, ThresholdReserve, Unit};
