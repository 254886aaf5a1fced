//! The polars engine: evaluates computations block by block, terms and conditions as polars expressions, sums in dense arrays.

#[cfg(test)]
mod neighbours_tests;
#[cfg(test)]
mod formats_tests;
mod stored_columns;
mod table;
mod mapped;
mod expressions;
mod fields;
mod inputs;
mod groupings;
mod tallies;
mod histograms;
mod texts;
mod per_unit;
mod vectors;
mod evaluate;

pub use self::evaluate::PolarsEngine;
pub(super) use self::inputs::warm_up;
pub(super) use self::stored_columns::StoredColumns;
pub(super) use self::table::Loaded;
