//! Tables of one row a unit that a dataset is joined with, resolved while it is sealed.
//!
//! Promises that every row of a unit gets the values of the unit's own row in the table, and those alone: of several rows the one whose keyed
//! hash is least, whatever other units there are and whatever their order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::staging::{Staging, manifest};
use super::table::TableWriter;
use super::{Batch, NULL, Report, SealError, Texts, check_texts, check_types, digests, encode, frame, places};
use crate::dataset::domain::Column;
use crate::dataset::edition::{Manifest, of_table};
use crate::dataset::encode::{ColumnCounts, Encoder};
use crate::dataset::policy::{JoinedTable, Policy};
use crate::dataset::source::{Source, Spec};
use crate::dataset::spill::Row;

/// One table in memory.
pub(super) struct Table {
    name: String,
    columns: Vec<Column>,
    encoders: Vec<Encoder>,
    /// Values by the unit's id, with the hash of the row they are from.
    rows: HashMap<String, (u64, Vec<i64>)>,
    unmatched: u64,
}

/// Looks whether every source is there with the right columns.
pub(super) fn check_sources(policy: &Policy) -> Result<(), SealError> {
    for (join, path) in policy.terms.joins.iter().zip(&policy.joined) {
        check_types(policy.terms.unit_column(), columns(policy, join), path, &Source::open(&Spec::file(path))?)?;
    }
    Ok(())
}

fn columns<'a>(policy: &'a Policy, join: &JoinedTable) -> &'a [Column] {
    &policy.terms.columns[join.places()]
}

/// Reads every table; rows of units that withdrew are left out.
pub(super) fn read(policy: &Policy, excluded: &HashSet<String>, key: &[u8; 32]) -> Result<Vec<Table>, SealError> {
    let tables = policy.terms.joins.iter().zip(&policy.joined);
    tables.map(|(join, path)| Table::read(policy, join, path, excluded, key)).collect()
}

impl Table {
    fn read(
        policy: &Policy,
        join: &JoinedTable,
        path: &Path,
        excluded: &HashSet<String>,
        key: &[u8; 32],
    ) -> Result<Self, SealError> {
        let columns = columns(policy, join);
        let encoders = columns.iter().map(|column| Encoder::new(&column.domain, key)).collect();
        let (name, rows) = (join.name.clone(), HashMap::new());
        let mut table = Self { name, columns: columns.to_vec(), encoders, rows, unmatched: 0 };
        let (mut read, mut null_units) = (0, 0);
        let wanted = columns.iter().map(|column| column.name.as_str()).chain(policy.terms.unit_column());
        let (source, wanted) = (Source::open(&Spec::file(path))?, wanted.collect::<Vec<&str>>());
        source.batches::<SealError>(&places(&source, &wanted)?, |batch| {
            let batch = frame(batch, &wanted)?;
            let height = batch.height() as u64;
            let batch = Batch::without(batch, policy, excluded, read + 1)?;
            read += height;
            let encoded = encode(&table.columns, path, &mut table.encoders, &batch)?;
            check_texts(&table.columns, path, &table.encoders)?;
            for (row, id) in batch.ids.iter().flatten().enumerate() {
                null_units += u64::from(id.is_empty());
                let values: Vec<i64> = encoded.iter().map(|column| column[row]).collect();
                let (_, order) = digests(key, Some(id), 0, values.iter().copied());
                let kept = table.rows.get(id).is_none_or(|(known, _)| order < *known);
                if kept {
                    table.rows.insert(id.clone(), (order, values));
                }
            }
            Ok(())
        })?;
        match policy.terms.unit_column().filter(|_| null_units > 0) {
            None => Ok(table),
            Some(unit) => {
                let (path, column) = (path.display().to_string(), unit.to_owned());
                Err(SealError::NullUnits { path, column, count: null_units })
            }
        }
    }

    /// Puts the values of a unit behind those of one of its rows, after whether it has any.
    pub(super) fn extend(&mut self, values: &mut Vec<i64>, id: Option<&str>) {
        match id.and_then(|id| self.rows.get(id)) {
            Some((_, own)) => {
                values.push(1);
                values.extend(own);
            }
            None => {
                self.unmatched += 1;
                values.push(0);
                values.extend(self.columns.iter().map(|_| NULL));
            }
        }
    }

    /// What was changed in it, for the steward, and its texts.
    pub(super) fn report(&self, report: &mut Report, texts: &mut Texts) {
        report.unjoined.push((self.name.clone(), self.unmatched));
        report.columns.push((String::new(), ColumnCounts::default()));
        texts.push(HashMap::new());
        for (column, one) in self.columns.iter().zip(&self.encoders) {
            texts.push(one.free().clone());
            report.columns.push((column.name.clone(), one.counts.clone()));
        }
    }

    /// Seals it by itself, beside the edition of its dataset: its name, its manifest, and where it lies until it is published.
    pub(super) fn seal(
        self,
        policy: &Policy,
        editions: &Path,
        edition: &str,
        key: &[u8; 32],
    ) -> Result<(String, Manifest, Staging), SealError> {
        let place = policy.terms.joins.iter().position(|join| join.name == self.name).unwrap_or_default();
        let (join, source) = (&policy.terms.joins[place], policy.joined[place].clone());
        let own = Policy { terms: policy.terms.of_table(join), source, joined: Vec::new(), ..policy.clone() };
        let edition = of_table(edition, &self.name);
        let staging = Staging::create(editions, &edition)?;
        let texts = self.encoders.iter().map(|one| one.free().clone()).collect();
        let mut table = TableWriter::create(&staging.dir, &own.terms, texts)?;
        let mut rows: Vec<Row> = Vec::with_capacity(self.rows.len());
        for (id, (order, values)) in self.rows {
            let (unit, _) = digests(key, Some(&id), 0, std::iter::empty());
            rows.push(Row { unit, order, values });
        }
        // Their order says nothing of the source.
        rows.sort_unstable();
        for part in rows.chunks(ROWS_OF_A_PART) {
            table.take(part, 0, &own)?;
        }
        let mut report = Report::default();
        table.finish(&mut report)?;
        let manifest = manifest(&staging, &edition, &policy.name, own.terms, (report.rows_kept, Vec::new()))?;
        Ok((self.name, manifest, staging))
    }
}

/// Rows that are written at once.
const ROWS_OF_A_PART: usize = 1 << 18;
