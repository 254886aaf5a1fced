//! The engine: a computation over a sealed table gives exact integers, under lock.
//!
//! Promises the port below in plain data, and two implementations: polars in this process, and worker processes that run it behind
//! walls. Total on data: a conforming table never makes a computation fail, and no words of polars come out.

mod confine;
mod limits;
mod polars;
mod pool;
mod wire;
pub mod worker;
pub mod seal;

use std::path::Path;

pub use self::limits::Limits;
pub use self::polars::PolarsEngine;
pub use self::pool::{Launch, WorkerPool};

use crate::kernel::vault::private::{Exact, Private};
use crate::query::plan::Computation;
use crate::query::terms::edition::Manifest;

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

    /// Whether an edition could be evaluated now; where not, nothing should be charged.
    fn is_ready(&self, edition: &str) -> bool;
}

/// What takes sealed tables in.
pub trait Host {
    /// Takes an edition in; its manifest was checked before.
    ///
    /// # Errors
    /// [`EngineFault`] where the table cannot be read.
    fn load(&mut self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault>;
}
