//! Stages of sealing that datasets with one table and with several have in common.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::engine::seal::encode::{ColumnCounts, check_id, ids as ids_of};
use crate::engine::seal::error::SealError;
use crate::engine::seal::ids::Withdrawn;
use crate::engine::seal::source::{Source, SourceSpec, WantedColumn};
use crate::query::terms::edition::EDITIONS;
use crate::query::terms::policy::Policy;
use crate::query::terms::reading::Conflicts;

/// The folder of all editions, which is created if it does not exist.
pub(super) fn editions(state: &Path) -> Result<PathBuf, SealError> {
    let editions = state.join(EDITIONS);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&editions)?;
    Ok(editions)
}

/// Reads the ids of the policy's `exclude` file, from its column with the unit's name.
pub(super) fn withdrawn(policy: &Policy) -> Result<Withdrawn, SealError> {
    let mut all = Withdrawn::default();
    let (Some(path), Some(name)) = (&policy.exclude, policy.terms.unit_column()) else { return Ok(all) };
    let source = Source::open(&SourceSpec::file(path))?;
    let found = source.find_all(&[WantedColumn { name, source: policy.reading.unit_source.as_deref() }])?;
    let column = found.first().copied().unwrap_or_default();
    let wrong = |wrong| SealError::wrong_type(&source.shown(), name, "unit", wrong);
    check_id(&source.columns()[column].dtype).map_err(wrong)?;
    source.batches::<SealError>(&[(column, false)], |batch| {
        let ids = batch.columns.first().and_then(|series| ids_of(series, &policy.reading.missing));
        let ids = ids.ok_or_else(|| SealError::changed(&source.shown()))?;
        ids.texts.iter().flatten().for_each(|id| all.insert(id));
        Ok(())
    })?;
    Ok(all)
}

/// Checks that no unit's rows contradict each other in these columns, if the policy refuses that.
pub(super) fn check_conflicts(
    policy: &Policy,
    path: &str,
    columns: &[(String, ColumnCounts)],
) -> Result<(), SealError> {
    let first = columns.iter().find(|(_, counts)| counts.conflicts > 0);
    match first.filter(|_| policy.reading.conflicts == Conflicts::Refuse) {
        None => Ok(()),
        Some((column, counts)) => {
            let (column, count) = (column.clone(), counts.conflicts);
            Err(SealError::Conflicts { path: path.to_owned(), column, count })
        }
    }
}
