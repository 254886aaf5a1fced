//! Joined tables with one row per unit, resolved while the dataset is sealed.
//!
//! Promises that every row of a unit gets the values of the unit's own rows in the table, and only
//! those. If a unit has several rows there, they become one, column by column, by the rule of
//! [`super::single`], independent of other units and of the order of rows; and they are counted.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::Report;
use super::SealError;
use super::SourceFacts;
use super::cells::digests;
use super::ids::Withdrawn;
use super::opened::{EncodedColumns, Opened};
use super::single::{Sameness, better};
use super::staging::{Staging, manifest};
use super::table::TableWriter;
use crate::engine::seal::cells::Texts;
use crate::engine::seal::encode::NULL;
use crate::engine::seal::encode::{ColumnCounts, by_value};
use crate::engine::seal::spill::Row;
use crate::query::terms::domain::Column;
use crate::query::terms::edition::{Manifest, of_table};
use crate::query::terms::policy::Policy;
use crate::query::terms::reading::Conflicts;

/// One joined table in memory.
pub(super) struct JoinedRows {
    name: String,
    /// The table's index among the joined tables of the policy.
    place: usize,
    shown: String,
    columns: Vec<Column>,
    encoded: EncodedColumns,
    /// The values of each unit's row, by the unit's id.
    rows: HashMap<String, Vec<i64>>,
    /// The id that has each numeric value; `None` if several ids have it.
    values: HashMap<String, Option<String>>,
    doubled: u64,
    unmatched: u64,
    by_value: HashSet<String>,
}

/// Checks that every source exists and has the right columns.
pub(super) fn check_sources(policy: &Policy) -> Result<(), SealError> {
    for (join, spec) in policy.terms.joins.iter().zip(&policy.joined) {
        Opened::new(policy, spec, join.places())?;
    }
    Ok(())
}

/// Reads every table, without the rows of units that withdrew.
pub(super) fn read(policy: &Policy, withdrawn: &mut Withdrawn, key: &[u8; 32]) -> Result<Vec<JoinedRows>, SealError> {
    (0..policy.terms.joins.len()).map(|place| JoinedRows::read(policy, place, withdrawn, key)).collect()
}

/// The different rows of each unit, collected while a table is read.
#[derive(Default)]
struct Gathered {
    rows: HashMap<String, Vec<Vec<i64>>>,
}

impl Gathered {
    /// Adds a row unless an equal one is known. Returns whether the unit had a row before.
    fn add(&mut self, id: &str, values: Vec<i64>) -> bool {
        match self.rows.get_mut(id) {
            None => {
                self.rows.insert(id.to_owned(), vec![values]);
                false
            }
            Some(known) => {
                if !known.contains(&values) {
                    known.push(values);
                }
                true
            }
        }
    }
}

impl JoinedRows {
    fn read(policy: &Policy, place: usize, withdrawn: &mut Withdrawn, key: &[u8; 32]) -> Result<Self, SealError> {
        let join = &policy.terms.joins[place];
        let opened = Opened::new(policy, &policy.joined[place], join.places())?;
        let (mut gathered, mut doubled) = (Gathered::default(), HashSet::new());
        let mut encoded = opened.rows(withdrawn, key, |rows| {
            for (row, id) in rows.ids().into_iter().flatten().enumerate() {
                let mut values = Vec::new();
                rows.extend(row, &mut values);
                if gathered.add(id, values) {
                    doubled.insert(id.to_owned());
                }
            }
            Ok(())
        })?;
        let columns = policy.terms.columns[join.places()].to_vec();
        let rows: HashMap<_, _> =
            gathered.rows.into_iter().map(|(id, rows)| (id, settled(&columns, &mut encoded, &rows))).collect();
        if let Some((column, counts)) = columns
            .iter()
            .zip(&encoded.counts)
            .find(|(_, counts)| counts.conflicts > 0 && policy.reading.conflicts == Conflicts::Refuse)
        {
            let (path, column) = (opened.shown(), column.name.clone());
            return Err(SealError::Conflicts { path, column, count: counts.conflicts });
        }
        let mut values: HashMap<String, Option<String>> = HashMap::new();
        for id in rows.keys() {
            let known = values.entry(by_value(id).into_owned()).or_insert_with(|| Some(id.clone()));
            *known = known.take().filter(|known| known == id);
        }
        let (shown, doubled) = (opened.shown(), doubled.len() as u64);
        let name = join.name.clone();
        Ok(Self { name, place, shown, columns, encoded, rows, values, doubled, unmatched: 0, by_value: HashSet::new() })
    }

    /// The values of a unit: those of its id, or of the only id that is the same number.
    fn of_unit(&mut self, id: &str) -> Option<&Vec<i64>> {
        if self.rows.contains_key(id) {
            return self.rows.get(id);
        }
        let known = self.values.get(by_value(id).as_ref())?.as_ref()?;
        if !self.by_value.contains(id) {
            self.by_value.insert(id.to_owned());
        }
        self.rows.get(known)
    }

    /// Appends to a row whether its unit has a row in this table, and then the values of that row.
    pub(super) fn extend(&mut self, values: &mut Vec<i64>, id: Option<&str>) {
        match id.and_then(|id| self.of_unit(id)) {
            Some(own) => {
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

    /// Adds to the report what was changed in this table, and to `texts` its texts.
    pub(super) fn report(&self, report: &mut Report, texts: &mut Texts) {
        report.unjoined.push((self.name.clone(), self.unmatched));
        report.doubled.push((self.name.clone(), self.doubled));
        report.joined_by_value.push((self.name.clone(), self.by_value.len() as u64));
        report.ids_spelled_twice += self.encoded.spelled_twice;
        report.sources.push(SourceFacts::of(self.shown.clone(), &self.encoded.read));
        report.columns.push((String::new(), ColumnCounts::default()));
        texts.push(HashMap::new());
        let own = self.columns.iter().zip(&self.encoded.counts);
        report.columns.extend(own.map(|(column, counts)| (column.name.clone(), counts.clone())));
        texts.extend(self.encoded.texts.iter().cloned());
    }

    /// Seals the table by itself, beside the edition of its dataset. Returns its
    /// name, its manifest, and the folder that holds it until it is published.
    pub(super) fn seal(
        self,
        policy: &Policy,
        editions: &Path,
        edition: &str,
        key: &[u8; 32],
    ) -> Result<(String, Manifest, Staging), SealError> {
        let terms = policy.terms.of_table(&policy.terms.joins[self.place]);
        let edition = of_table(edition, &self.name);
        let staging = Staging::create(editions, &edition)?;
        let mut table = TableWriter::create(&staging.dir, &terms, self.encoded.texts, self.shown)?;
        let mut rows: Vec<Row> = Vec::with_capacity(self.rows.len());
        for (id, values) in self.rows {
            let (unit, order) = digests(key, Some(&id), 0, &values);
            rows.push(Row { unit, order, values });
        }
        // Sorted, so that their order reveals nothing about the source.
        rows.sort_unstable();
        for part in rows.chunks(ROWS_OF_A_PART) {
            table.take(part, 0, &terms)?;
        }
        let written = table.finish(&mut Report::default())?;
        let manifest = manifest(&edition, &policy.name, terms, written, Vec::new())?;
        Ok((self.name, manifest, staging))
    }
}

/// Merges a unit's rows into one, and counts whether they contradicted each other.
fn settled(columns: &[Column], encoded: &mut EncodedColumns, rows: &[Vec<i64>]) -> Vec<i64> {
    let mut values = rows.first().cloned().unwrap_or_default();
    for (index, column) in columns.iter().enumerate() {
        let (mut contradicts, mut filled) = (false, false);
        for row in rows.iter().skip(1) {
            let (value, sameness) = better(column, &encoded.texts[index], values[index], row[index]);
            values[index] = value;
            contradicts |= sameness == Sameness::Contradicts;
            filled |= sameness == Sameness::Filled;
        }
        encoded.counts[index].conflicts += u64::from(contradicts);
        encoded.counts[index].filled += u64::from(filled);
    }
    values
}

/// The number of rows that are written at once.
const ROWS_OF_A_PART: usize = 1 << 18;
