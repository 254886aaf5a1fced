//! The polars engine: evaluates computations as polars expressions over tables held in memory.

pub(crate) mod histograms;
#[cfg(test)]
mod neighbours_tests;
pub(crate) mod texts;
pub(crate) mod per_unit;
mod table;
mod expressions;
mod vectors;
mod evaluate;

pub use self::evaluate::PolarsEngine;
pub(super) use self::table::{BLOCK_ROWS, Loaded, StoredColumns};
