//! The steps of sealing: spill, gather, sort, cut, write.

use super::cells::digests;
use super::several;
use super::stages::{check_conflicts, editions, withdrawn};
use crate::engine::seal::cells::Texts;
use crate::engine::seal::error::SealError;
use crate::engine::seal::ids::Withdrawn;
use crate::engine::seal::joined::JoinedRows;
use crate::engine::seal::opened::{EncodedColumns, Opened};
use crate::engine::seal::report::{Report, SourceFacts};
use crate::engine::seal::single::Single;
use crate::engine::seal::spill::Spill;
use crate::engine::seal::staging::{Staging, manifest, publish_all};
use crate::engine::seal::table::TableWriter;
use crate::kernel::budget::entry::Digest;
use crate::kernel::random;
use crate::query::terms::edition::Manifest;
use crate::query::terms::edition::layout::Blocks;
use crate::query::terms::policy::Policy;
use std::path::Path;

/// Checks that a policy's sources exist and have the right columns, without reading a row.
///
/// # Errors
/// [`SealError`] if a source cannot be opened, or lacks a column, or has one of the wrong type.
pub fn check_source(policy: &Policy) -> Result<(), SealError> {
    if !policy.tables.is_empty() {
        return several::check_sources(policy);
    }
    Opened::new(policy, &policy.source, 0..policy.terms.own().len())?;
    crate::engine::seal::joined::check_sources(policy)
}

/// Seals the policy's source into a new edition under `state`, with a random key
/// that nobody keeps. `progress` is called with the number of rows read so far.
///
/// # Errors
/// [`SealError`] if sealing fails; then nothing is left behind.
pub fn seal(policy: &Policy, state: &Path, progress: &dyn Fn(u64)) -> Result<(Manifest, Report), SealError> {
    seal_with_key(policy, state, &random::bytes()?, progress)
}

/// Seals like [`seal`], but with the given key: equal keys keep equal rows of equal units, whatever other units there are.
///
/// # Errors
/// [`SealError`] if sealing fails; then nothing is left behind.
pub fn seal_with_key(
    policy: &Policy,
    state: &Path,
    key: &[u8; 32],
    progress: &dyn Fn(u64),
) -> Result<(Manifest, Report), SealError> {
    if !policy.tables.is_empty() {
        return several::seal(policy, state, key, progress);
    }
    let opened = Opened::new(policy, &policy.source, 0..policy.terms.own().len())?;
    crate::engine::seal::joined::check_sources(policy)?;
    let mut withdrawn = withdrawn(policy)?;
    let edition = random::id("ed")?;
    let editions = editions(state)?;
    let staging = Staging::create(&editions, &edition)?;

    let mut tables = crate::engine::seal::joined::read(policy, &mut withdrawn, key)?;
    let mut spill = Spill::create(&staging.dir, policy.terms.columns.len())?;
    let encoded = spill_rows(&opened, &mut spill, (&mut withdrawn, key, &mut tables), progress)?;
    let (mut report, texts) = begin_report(policy, &opened, encoded, &withdrawn, &tables);
    let mut of_tables = Vec::with_capacity(tables.len());
    for table in tables {
        of_tables.push(table.seal(policy, &editions, &edition, key)?);
    }
    let table = TableWriter::create(&staging.dir, &policy.terms, texts.clone(), opened.shown())?;
    let written = drain(policy, spill, table, &texts, &mut report)?;
    check_conflicts(policy, &opened.shown(), &report.columns)?;

    let tables: Vec<_> = of_tables.iter().map(|(name, manifest, _)| (name.clone(), manifest.commitment())).collect();
    let manifest = manifest(&edition, &policy.name, policy.terms.clone(), written, tables)?;
    report.write(&staging.dir)?;
    let tables: Vec<_> = of_tables.iter().map(|(_, own, staging)| (staging, own)).collect();
    publish_all(state, tables.into_iter().chain([(&staging, &manifest)]))?;
    Ok((manifest, report))
}

/// Encodes every row, and spreads the rows over parts by unit.
pub(super) fn spill_rows(
    opened: &Opened<'_>,
    spill: &mut Spill,
    (withdrawn, key, tables): (&mut Withdrawn, &[u8; 32], &mut [JoinedRows]),
    progress: &dyn Fn(u64),
) -> Result<EncodedColumns, SealError> {
    let mut values = Vec::new();
    opened.rows(withdrawn, key, |rows| {
        let mut ids = rows.ids();
        for (row, number) in rows.numbers.iter().enumerate() {
            let id = ids.as_mut().and_then(Iterator::next);
            values.clear();
            rows.extend(row, &mut values);
            tables.iter_mut().for_each(|table| table.extend(&mut values, id));
            let (unit, order) = digests(key, id, *number, &values);
            spill.push(unit, order, values.iter().copied())?;
        }
        progress(rows.last);
        Ok(())
    })
}

/// Starts the report with what is known once every row was read, and returns it with the texts of all columns.
pub(super) fn begin_report(
    policy: &Policy,
    opened: &Opened<'_>,
    encoded: EncodedColumns,
    withdrawn: &Withdrawn,
    tables: &[JoinedRows],
) -> (Report, Texts) {
    let names = policy.terms.own().iter().map(|column| column.name.clone());
    let mut report = Report {
        rows_read: encoded.read.rows,
        rows_excluded: encoded.excluded,
        ids_unmatched: withdrawn.unmatched(),
        ids_spelled_twice: encoded.spelled_twice,
        columns: names.zip(encoded.counts).collect(),
        sources: vec![SourceFacts::of(opened.shown(), &encoded.read)],
        ..Report::default()
    };
    let mut texts = encoded.texts;
    for table in tables {
        table.report(&mut report, &mut texts);
    }
    (report, texts)
}

/// Writes the rows that units keep, after columns with a single value per unit were settled over all of the unit's rows. Returns the
/// digest of the table's index, and where its blocks are.
pub(super) fn drain(
    policy: &Policy,
    spill: Spill,
    mut table: TableWriter,
    texts: &Texts,
    report: &mut Report,
) -> Result<(Digest, Blocks), SealError> {
    let terms = &policy.terms;
    let rows_per_unit = terms.unit_column().map(|_| terms.max_rows_per_unit as usize);
    let mut single = Single::new(terms.own(), texts);
    let nothing = single.is_empty();
    let settle = |rows: &mut [crate::engine::seal::spill::Row], last| {
        if !nothing {
            single.settle(rows, last);
        }
    };
    spill.drain(rows_per_unit, settle, |rows, cut| table.take(rows, cut, terms))?;
    single.report(&mut report.columns);
    table.finish(report)
}
