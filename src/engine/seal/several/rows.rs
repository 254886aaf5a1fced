//! The rows of one of several tables, read from their source and spread over parts by unit.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use crate::engine::seal::cells::shared_digests;
use crate::engine::seal::error::SealError;
use crate::engine::seal::ids::Withdrawn;
use crate::engine::seal::opened::{EncodedColumns, Opened};
use crate::engine::seal::spill::{Parts, Spill};

/// A table whose rows were read and spilled.
pub(super) struct SpilledTable {
    /// The source, as it is shown to people.
    pub(super) shown: String,
    /// The folder with the table's parts.
    pub(super) dir: PathBuf,
    pub(super) encoded: EncodedColumns,
}

impl SpilledTable {
    /// Encodes every row, and spreads the rows over parts by unit.
    pub(super) fn spill(
        opened: &Opened<'_>,
        dir: PathBuf,
        (withdrawn, key): (&mut Withdrawn, &[u8; 32]),
        progress: &dyn Fn(u64),
    ) -> Result<(Self, Parts), SealError> {
        fs::DirBuilder::new().mode(0o700).create(&dir)?;
        let mut spill = Spill::create(&dir, opened.columns().len())?;
        let mut values = Vec::new();
        let encoded = opened.rows(withdrawn, key, |rows| {
            for (row, id) in rows.ids().into_iter().flatten().enumerate() {
                values.clear();
                rows.extend(row, &mut values);
                let (unit, order) = shared_digests(key, id, &values);
                spill.push(unit, order, values.iter().copied())?;
            }
            progress(rows.last);
            Ok(())
        })?;
        Ok((Self { shown: opened.shown(), dir, encoded }, spill.finish()?))
    }
}
