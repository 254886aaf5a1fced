//! The engine of this process: it evaluates computations over the tables that it holds.

use super::stored_columns::StoredColumns;
use super::table::{Loaded, guarded};
use super::vectors;
use crate::engine::port::{Engine, EngineFault, Host};
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;
use crate::query::terms::edition::Manifest;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// Sealed tables that this process holds or maps, by edition. They are checked as a whole when they are loaded.
#[derive(Default)]
pub struct PolarsEngine {
    pub(super) tables: HashMap<String, Loaded>,
}

impl PolarsEngine {
    /// Makes an engine without tables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Host for PolarsEngine {
    fn load(&mut self, state: &Path, manifest: &Manifest) -> Result<(), EngineFault> {
        let file = File::open(manifest.table_path(state)).map_err(|_| EngineFault)?;
        let loaded = Loaded::open(file, &manifest.facts(), manifest.terms.clone())?;
        let columns = StoredColumns::all(&loaded.terms);
        if !(0..loaded.blocks()).all(|block| loaded.check(block, &columns)) {
            return Err(EngineFault);
        }
        self.tables.insert(manifest.edition.clone(), loaded);
        Ok(())
    }
}

impl Engine for PolarsEngine {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let loaded = self.tables.get(edition).ok_or(EngineFault)?;
        Ok(Private::new(loaded.exact(computation, 0..loaded.blocks())?))
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.tables.contains_key(edition)
    }
}

impl Loaded {
    /// Returns the exact vectors of the rows of some blocks, unlocked: only an engine or a worker calls this, which locks them at once or
    /// sends them to a server that does. Vectors of disjoint ranges of blocks add up, because a unit's rows are all in one block.
    pub(in crate::engine) fn exact(
        &self,
        computation: &Computation,
        blocks: Range<usize>,
    ) -> Result<Exact, EngineFault> {
        guarded(|| vectors::exact(self, computation, blocks))
    }
}
