//! The polars engine: evaluates computations block by block over the columns of sealed tables, and adds up in dense arrays.
//!
//! Polars reads tables and holds their columns. Its expressions are not used: computations are compiled to programs of our own.

#[cfg(test)]
mod neighbours_tests;
#[cfg(test)]
mod formats_tests;
#[cfg(test)]
mod several_tests;
mod stored_columns;
mod table;
mod mapped;
mod stored;
mod program;
mod operands;
mod arithmetic;
mod window;
mod tables;
mod compile;
mod accumulators;
mod texts;
mod statistics;
mod per_unit;
mod relation;
mod pass;
mod vectors;
mod evaluate;

pub use self::evaluate::PolarsEngine;
pub(super) use self::stored_columns::StoredColumns;
pub(super) use self::table::Loaded;
