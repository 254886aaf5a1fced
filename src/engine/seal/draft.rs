//! A draft of a policy from a data file, written by the rules that sealing reads by, so that what is drafted seals.
//!
//! Bounds and lists seen in data are a disclosure, and whom a table protects is not in the data: the draft holds placeholders for both, which
//! no check takes until a person has replaced them.

mod columns;
mod people;
mod seen;
mod spec;
mod write;

use std::path::Path;

use super::source::{Source, SourceError, Spec, normalised};
use crate::query::terms::policy::is_identifier;
use people::People;
use seen::Seen;

/// Writes the draft of a policy for a source, which `shown` names in the policy: the path as it was typed.
///
/// # Errors
/// [`SourceError`] where the source cannot be read.
pub fn draft(spec: &Spec, shown: Option<&Path>) -> Result<String, SourceError> {
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

/// Reads every row of these columns.
fn read(source: &Source, places: &[usize], mut taker: impl FnMut(super::source::Batch)) -> Result<u64, SourceError> {
    let wanted: Vec<_> = places.iter().map(|index| (*index, true)).collect();
    let read = source.batches::<SourceError>(&wanted, |batch| {
        taker(batch);
        Ok(())
    })?;
    Ok(read.rows)
}

/// The columns with names that a policy can use: their own, made lower-case identifiers, each once.
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
