//! Reads the list of the units that withdrew.

use super::SealError;
use super::ids::Withdrawn;
use crate::engine::seal::encode::{check_id, ids as ids_of};
use crate::engine::seal::source::{Source, SourceSpec, WantedColumn};
use crate::query::terms::policy::Policy;

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
