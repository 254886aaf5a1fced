//! What a policy file says about its dataset, after it has been checked.

use std::path::PathBuf;
use std::sync::Arc;

use super::terms::Terms;
use crate::query::terms::domain::Column;
use crate::query::terms::reading::{Conflicts, Rules};
use crate::query::terms::source::SourceSpec;
use crate::query::terms::stated::StatedColumn;

/// A checked policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The dataset's name, in lower case.
    pub name: String,
    /// A title for people to read.
    pub title: Option<String>,
    /// Where the dataset's rows are read from, relative to the policy's file; no file if the dataset declares several tables.
    pub source: SourceSpec,
    /// Where the rows of several tables are read from, in the order of [`Terms::tables`].
    pub tables: Vec<TableReading>,
    /// A file that lists the units whose rows are left out, relative to the policy's file.
    pub exclude: Option<PathBuf>,
    /// The sources of the joined tables, in the order of [`Terms::joins`], relative to the policy's file.
    pub joined: Vec<SourceSpec>,
    /// How the sources are read.
    pub reading: ReadingRules,
    /// The quantum to which answers are padded, in milliseconds; `None` if they are not padded. It can change without sealing anew.
    pub pad_ms: Option<u32>,
    /// The steward's public statement of how many rows the dataset has about, for expected errors. It can change without sealing anew.
    pub about_rows: Option<u64>,
    /// The public terms: everything that queries depend on.
    pub terms: Terms,
    /// The text that was checked, as a steward wrote it.
    pub text: Arc<str>,
}

impl Policy {
    /// What the policy states of the values of its columns.
    #[must_use]
    pub fn stated(&self) -> Vec<StatedColumn> {
        let own = std::iter::once((&self.name, &self.terms.columns[..], &self.reading.rules));
        let several = self.terms.tables.iter().zip(&self.tables);
        let several = several.map(|(table, reading)| (&table.name, &table.columns[..], &reading.rules));
        let of_table = |(table, columns, rules): (&String, &[Column], &Vec<Rules>)| {
            let one = |(column, rules): (&Column, &Rules)| {
                Some(StatedColumn { table: table.clone(), column: column.name.clone(), values: rules.stated? })
            };
            columns.iter().zip(rules).filter_map(one).collect::<Vec<_>>()
        };
        own.chain(several).flat_map(of_table).collect()
    }
}

/// How one of several tables is read. No query depends on any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReading {
    /// Where the table's rows are read from, relative to the policy's file.
    pub source: SourceSpec,
    /// How the values of each column are read, in the order of the table's columns.
    pub rules: Vec<Rules>,
    /// Whether a unit's rows are merged into one.
    pub is_single: bool,
}

/// How the sources of a dataset are read. No query depends on any of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadingRules {
    /// The name of the unit's column in the sources, if it differs from its name in the policy.
    pub unit_source: Option<String>,
    /// Texts that mean a missing value, in every column and in the unit's.
    pub missing: Vec<String>,
    /// The time zone to which moments given in UTC are converted.
    pub zone: Option<String>,
    /// What sealing does if a unit's rows contradict each other.
    pub conflicts: Conflicts,
    /// How the values of each column are read, in the order of [`Terms::columns`].
    pub rules: Vec<Rules>,
}
