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

    /// Makes sure that what a computation would read of an edition is as it was sealed, before anything is charged for it. An engine that
    /// finds damage logs where, and the edition is no longer ready.
    ///
    /// May block while a part of the table is read for the first time; never call it on an async thread.
    ///
    /// # Errors
    /// [`EngineFault`] if the edition is not ready, in which case nothing should be charged.
    fn prepare(&self, edition: &str, _computation: &Computation) -> Result<(), EngineFault> {
        if self.is_ready(edition) { Ok(()) } else { Err(EngineFault) }
    }

    /// Loads another edition while others are evaluated. The manifest has already been checked. An engine that cannot do so fails.
    ///
    /// May block until a worker is up; never call it on an async thread.
    ///
    /// # Errors
    /// [`EngineFault`] if the table cannot be read; then the edition is not loaded.
    fn load_beside(&self, _state: &Path, _manifest: &Manifest) -> Result<(), EngineFault> {
        Err(EngineFault)
    }

    /// Lets go of an edition that no question asks any more. An edition that is not loaded is no fault.
    fn unload(&self, _edition: &str) {}
}

/// The port to whatever loads sealed tables.
pub trait Host {
    /// Loads an edition, whose manifest has already been checked.
    ///
    /// # Errors
    /// [`EngineFault`] if the table cannot be read.
    fn load(&mut self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault>;
}
