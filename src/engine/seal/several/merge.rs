//! Merges the sorted parts of several tables, unit by unit, into the file of an edition.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::path::Path;

use super::rows::SpilledTable;
use crate::engine::seal::blocks::BlockWriter;
use crate::engine::seal::cells::SPELLING_BITS;
use crate::engine::seal::error::SealError;
use crate::engine::seal::report::Report;
use crate::engine::seal::single::Single;
use crate::engine::seal::spill::{Parts, Row};
use crate::files;
use crate::kernel::budget::entry::Digest;
use crate::query::terms::edition::layout::Blocks;
use crate::query::terms::edition::new_table_path;
use crate::query::terms::policy::{Policy, TableReading, TableTerms};

/// The tables while they are being merged.
pub(super) struct Merge<'a> {
    tables: Vec<MergedTable<'a>>,
    writer: BlockWriter,
    /// Number of units so far.
    units: u32,
    /// Number of units that are spelled differently in some tables.
    by_value: u64,
}

/// One of the tables, and what happened to its rows so far.
struct MergedTable<'a> {
    terms: &'a TableTerms,
    shown: &'a str,
    /// Whether a unit's rows are merged into one.
    is_single: bool,
    single: Single<'a>,
    /// Units of which some rows were merged before all were read.
    met: HashSet<u128>,
    /// Number of units with several rows that were merged into one.
    doubled: u64,
    cut: u64,
    kept: u64,
    units: u64,
}

impl<'a> Merge<'a> {
    /// Begins the file of an edition in `dir`.
    pub(super) fn begin(policy: &'a Policy, tables: &'a [SpilledTable], dir: &Path) -> Result<Self, SealError> {
        let writer = BlockWriter::new(files::create_private(&new_table_path(dir))?, &policy.terms);
        let all = policy.terms.tables.iter().zip(&policy.tables).zip(tables);
        let table = |((terms, reading), rows): ((&'a TableTerms, &'a TableReading), &'a SpilledTable)| MergedTable {
            terms,
            shown: &rows.shown,
            is_single: reading.is_single,
            single: Single::new(&terms.columns, &rows.encoded.texts),
            met: HashSet::new(),
            doubled: 0,
            cut: 0,
            kept: 0,
            units: 0,
        };
        Ok(Self { tables: all.map(table).collect(), writer, units: 0, by_value: 0 })
    }

    /// Takes one part of each table.
    pub(super) fn take(&mut self, parts: &mut [Parts], index: usize) -> Result<(), SealError> {
        let mut all = Vec::with_capacity(parts.len());
        for (table, parts) in self.tables.iter_mut().zip(parts.iter_mut()) {
            all.push(table.read(parts, index)?);
        }
        let mut at = vec![0; all.len()];
        while let Some(number) = all.iter().zip(&at).filter_map(|(rows, at)| rows.get(*at)).map(number_of).min() {
            let ranges: Vec<Range<usize>> = all.iter().zip(&at).map(|(rows, at)| run(rows, *at, number)).collect();
            at = ranges.iter().map(|range| range.end).collect();
            let runs: Vec<&[Row]> = all.iter().zip(ranges).map(|(rows, range)| &rows[range]).collect();
            self.take_number(&runs)?;
        }
        for (rows, parts) in all.into_iter().zip(parts) {
            parts.reuse(rows);
        }
        Ok(())
    }

    /// Takes the rows of all ids that are the same number: of one unit, or of a unit for each spelling if a table has several.
    fn take_number(&mut self, runs: &[&[Row]]) -> Result<(), SealError> {
        let ends = runs.iter().flat_map(|rows| rows.first().into_iter().chain(rows.last())).map(|row| row.unit);
        if ends.clone().min() == ends.max() {
            return self.take_unit(runs);
        }
        if runs.iter().all(|rows| rows.first().map(|row| row.unit) == rows.last().map(|row| row.unit)) {
            self.by_value += 1;
            return self.take_unit(runs);
        }
        let spellings: BTreeSet<u128> = runs.iter().flat_map(|rows| rows.iter().map(|row| row.unit)).collect();
        for spelling in spellings {
            let of_spelling = |rows: &&'_ [Row]| {
                let start = rows.partition_point(|row| row.unit < spelling);
                start..rows.partition_point(|row| row.unit <= spelling)
            };
            let own: Vec<&[Row]> = runs.iter().map(|rows| &rows[of_spelling(rows)]).collect();
            self.take_unit(&own)?;
        }
        Ok(())
    }

    /// Adds the rows that one unit keeps in each table.
    fn take_unit(&mut self, runs: &[&[Row]]) -> Result<(), SealError> {
        for (index, (table, rows)) in self.tables.iter_mut().zip(runs).enumerate() {
            assert!(rows.len() <= table.terms.max_rows_per_unit as usize, "a part comes cut");
            table.count(rows.len())?;
            for (rank, row) in rows.iter().enumerate() {
                self.writer.push(index, (self.units, rank), |column| row.values[column]);
            }
        }
        self.units = self.units.checked_add(1).ok_or(SealError::TooManyUnits { units_max: u32::MAX })?;
        Ok(self.writer.end_unit()?)
    }

    /// Completes the file and the report. Returns the digest of the file's index, and where its blocks are.
    pub(super) fn finish(self, report: &mut Report) -> Result<(Digest, Blocks), SealError> {
        (report.units, report.units_by_value) = (self.units.into(), self.by_value);
        let mut columns = &mut report.columns[..];
        for (table, facts) in self.tables.into_iter().zip(&mut report.tables) {
            let (own, rest) = columns.split_at_mut(table.terms.columns.len());
            table.single.report(own);
            columns = rest;
            if table.is_single {
                report.doubled.push((table.terms.name.clone(), table.doubled));
            } else {
                facts.rows_cut = table.cut;
            }
            (facts.rows_kept, facts.units) = (table.kept, table.units);
            report.rows_cut += facts.rows_cut;
            report.rows_kept += table.kept;
        }
        Ok(self.writer.finish(&[])?)
    }
}

impl MergedTable<'_> {
    /// Reads a part, settles columns with a single value per unit, and cuts each unit to the rows that it keeps.
    fn read(&mut self, parts: &mut Parts, index: usize) -> Result<Vec<Row>, SealError> {
        let most = self.terms.max_rows_per_unit as usize;
        let (single, met, doubled, is_single) = (&mut self.single, &mut self.met, &mut self.doubled, self.is_single);
        let nothing = single.is_empty();
        let mut settle = |rows: &mut [Row], last: bool| {
            if is_single && let Some(unit) = rows.first().map(|row| row.unit) {
                let has_several = rows.len() > 1 || met.contains(&unit);
                if last {
                    *doubled += u64::from(has_several);
                } else if has_several {
                    met.insert(unit);
                }
            }
            if !nothing {
                single.settle(rows, last);
            }
        };
        let (rows, cut) = parts.take(index, Some(most), &mut settle)?;
        self.met.clear();
        self.cut += cut;
        Ok(rows)
    }

    fn count(&mut self, rows: usize) -> Result<(), SealError> {
        self.kept += rows as u64;
        self.units += u64::from(rows > 0);
        let rows_max = self.terms.max_rows;
        if self.kept > rows_max {
            return Err(SealError::TooManyRows { path: self.shown.to_owned(), rows_max });
        }
        Ok(())
    }
}

/// What the ids that are one number have in common.
fn number_of(row: &Row) -> u128 {
    row.unit >> SPELLING_BITS
}

/// The rows from `start` on whose ids are this number.
fn run(rows: &[Row], start: usize, number: u128) -> Range<usize> {
    let own = rows[start..].iter().take_while(|row| number_of(row) == number);
    start..start + own.count()
}
