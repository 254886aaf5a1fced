//! The ports of an engine: what evaluates computations over sealed tables, and what loads them.

use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::edition::Manifest;
use std::path::Path;

/// A computation failed. The cause is not passed on, because it could reveal something about rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the computation failed")]
pub struct EngineFault;

/// The port to whatever evaluates computations over sealed tables.
pub trait Engine: Send + Sync {
    /// Returns the exact vectors of `computation` over an edition: one vector per measurement, one integer per group, including empty
    /// groups.
    ///
    /// Blocks for as long as the scan takes; never call it on an async thread.
    ///
    /// # Errors
    /// [`EngineFault`] if the edition is not loaded or the evaluation fails.
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault>;

    /// Whether an edition could be evaluated now; if not, nothing should be charged.
    fn is_ready(&self, edition: &str) -> bool;
}

/// The port to whatever loads sealed tables.
pub trait Host {
    /// Loads an edition, whose manifest has already been checked.
    ///
    /// # Errors
    /// [`EngineFault`] if the table cannot be read.
    fn load(&mut self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault>;
}
