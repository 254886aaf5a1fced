//! The engine: a computation over a sealed table gives exact integers, under lock.
//!
//! Promises the port below in plain data, and one implementation of it through polars. Total on data: a conforming table never makes a
//! computation fail, and no words of polars come out.

#[cfg(test)]
mod neighbours;
mod polars;

pub use self::polars::PolarsEngine;

use crate::query::plan::Computation;
use crate::vault::private::{Exact, Private};

/// A computation failed; why stays inside, for it could tell of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the computation failed")]
pub struct EngineFault;

/// What evaluates computations.
pub trait Engine: Send + Sync {
    /// The exact vectors of `computation` over an edition: one a measurement, one integer a group, empty groups included.
    ///
    /// Blocks for as long as the scan takes; never call it on an async thread.
    ///
    /// # Errors
    /// [`EngineFault`].
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault>;
}
