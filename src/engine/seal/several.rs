//! Sealing several tables that share their units.
//!
//! Promises that a unit has one number in all tables, in an order that reveals nothing about the sources; that each table keeps the rows of
//! a unit that it would keep by itself; and that blocks end at the same units in all tables. Tables are spilled and sorted by their units'
//! digests one after another, and then merged part by part, so that memory holds one part of each.
//!
//! Ids of different tables are compared by value, so that 12 and 12.0 are one unit, unless a table has several spellings of a number: they
//! are different units there, and so in all tables.

mod merge;
mod rows;

use std::fs;
use std::path::Path;

use self::merge::Merge;
use self::rows::SpilledTable;
use super::Report;
use super::SealError;
use super::exclude::withdrawn;
use super::ids::Withdrawn;
use super::opened::Opened;
use super::report::{SourceFacts, TableReport};
use super::single::check_conflicts;
use super::spill::PARTS;
use super::staging::{Staging, editions, manifest, publish_all};
use crate::kernel::random;
use crate::query::terms::edition::Manifest;
use crate::query::terms::policy::Policy;

/// Checks that every source exists and has the right columns.
pub(super) fn check_sources(policy: &Policy) -> Result<(), SealError> {
    (0..policy.tables.len()).try_for_each(|index| Opened::table(policy, index).map(|_| ()))
}

/// Seals all tables of a policy into one edition.
pub(super) fn seal(
    policy: &Policy,
    state: &Path,
    key: &[u8; 32],
    progress: &dyn Fn(u64),
) -> Result<(Manifest, Report), SealError> {
    let opened = (0..policy.tables.len()).map(|index| Opened::table(policy, index)).collect::<Result<Vec<_>, _>>()?;
    let mut withdrawn = withdrawn(policy)?;
    let edition = random::id("ed")?;
    let staging = Staging::create(&editions(state)?, &edition)?;

    let (mut tables, mut parts) = (Vec::with_capacity(opened.len()), Vec::with_capacity(opened.len()));
    let mut rows_before = 0;
    for (index, opened) in opened.iter().enumerate() {
        let dir = staging.dir.join(format!("table-{index:02}"));
        let progress = |rows| progress(rows_before + rows);
        let (table, own) = SpilledTable::spill(opened, dir, (&mut withdrawn, key), &progress)?;
        rows_before += table.encoded.read.rows;
        tables.push(table);
        parts.push(own);
    }
    let mut report = begin_report(policy, &tables, &withdrawn);
    let mut merge = Merge::begin(policy, &tables, &staging.dir)?;
    (0..PARTS).try_for_each(|index| merge.take(&mut parts, index))?;
    let written = merge.finish(&mut report)?;
    check_all_conflicts(policy, &tables, &report)?;
    tables.iter().try_for_each(|table| fs::remove_dir(&table.dir))?;
    let manifest = manifest(&edition, &policy.name, policy.terms.clone(), written, Vec::new())?;
    report.write(&staging.dir)?;
    publish_all(state, std::iter::once((&staging, &manifest)))?;
    Ok((manifest, report))
}

/// Starts the report with what is known once every row was read.
fn begin_report(policy: &Policy, tables: &[SpilledTable], withdrawn: &Withdrawn) -> Report {
    let mut report = Report { ids_unmatched: withdrawn.unmatched(), ..Report::default() };
    for (terms, SpilledTable { shown, encoded, .. }) in policy.terms.tables.iter().zip(tables) {
        let (rows_read, rows_excluded) = (encoded.read.rows, encoded.excluded);
        report.rows_read += rows_read;
        report.rows_excluded += rows_excluded;
        report.ids_spelled_twice += encoded.spelled_twice;
        report.sources.push(SourceFacts::of(shown.clone(), &encoded.read));
        report.tables.push(TableReport {
            name: terms.name.clone(),
            rows_read,
            rows_excluded,
            ..TableReport::default()
        });
        let names = terms.columns.iter().map(|column| format!("{}.{}", terms.name, column.name));
        report.columns.extend(names.zip(encoded.counts.iter().cloned()));
    }
    report
}

/// Checks that no unit's rows in a table contradict each other, if the policy refuses that.
fn check_all_conflicts(policy: &Policy, tables: &[SpilledTable], report: &Report) -> Result<(), SealError> {
    let mut columns = &report.columns[..];
    for (terms, table) in policy.terms.tables.iter().zip(tables) {
        let (own, rest) = columns.split_at(terms.columns.len());
        check_conflicts(policy, &table.shown, own)?;
        columns = rest;
    }
    Ok(())
}
