//! Drafts of policies: reads a data file by the same rules as sealing, so that what is drafted can be sealed.
//!
//! To publish bounds and lists seen in the data would be a disclosure, and whom a table protects cannot be learnt from the data. The draft
//! therefore holds placeholders for both, which no check accepts until a person has replaced them.

mod columns;
mod people;
mod seen;
mod spec;
mod write;

use std::path::Path;

use super::source::{Source, SourceError, SourceSpec, normalised};
use crate::query::terms::policy::is_identifier;
use people::People;
use seen::Seen;

/// Writes the draft of a policy for a source. `shown` is the path to write into the policy, as the user typed it.
///
/// # Errors
/// [`SourceError`] if the source cannot be read.
pub fn draft(spec: &SourceSpec, shown: Option<&Path>) -> Result<String, SourceError> {
    let (spec, source) = spec::opened(spec)?;
    let places: Vec<usize> = (0..source.columns().len()).filter(|at| !source.columns()[*at].is_unread()).collect();
    let mut seen = columns_of(&source, &places);
    let rows = read(&source, &places, |batch| {
        seen.iter_mut().zip(&batch.columns).for_each(|(seen, series)| seen.take(series));
    })?;
    let spec = spec::with_decimal(spec, &mut seen);
    let mut people = People::candidates(&seen, rows);
    if !people.is_empty() {
        read(&source, &places, |batch| people.take(&batch.columns))?;
    }
    people.rank();
    Ok(write::policy(&spec, shown, (&source, rows), &seen, &people))
}

/// Reads every row of the columns at these indices, and returns the number of rows.
fn read(source: &Source, places: &[usize], mut taker: impl FnMut(super::source::Batch)) -> Result<u64, SourceError> {
    let wanted: Vec<_> = places.iter().map(|index| (*index, true)).collect();
    let read = source.batches::<SourceError>(&wanted, |batch| {
        taker(batch);
        Ok(())
    })?;
    Ok(read.rows)
}

/// The columns at these indices, with names that a policy can use: the source's own, made into unique lower-case identifiers.
fn columns_of(source: &Source, places: &[usize]) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for index in places.iter().copied() {
        let column = &source.columns()[index];
        let plain = normalised(&column.name);
        let plain = if is_identifier(&plain) { plain } else { format!("column_{}", index + 1) };
        let mut name = plain.clone();
        let mut number = 2;
        while seen.iter().any(|known| known.name == name) {
            name = format!("{plain:.58}_{number}");
            number += 1;
        }
        seen.push(Seen::new(name, column));
    }
    seen
}
