//! Which stored columns a computation reads.

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};

use super::relation::reads;
use crate::query::computation::{Computation, Measure};
use crate::query::terms::edition::layout::Holds;
use crate::query::terms::policy::{TableTerms, Terms, Unit};

/// The stored columns that a computation reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(in crate::engine) struct StoredColumns {
    /// Indices of the declared columns.
    pub(in crate::engine) declared: BTreeSet<usize>,
    /// Whether it reads the number of each row's unit.
    pub(in crate::engine) unit: bool,
    /// Whether it reads the rank of each row within its unit.
    pub(in crate::engine) rank: bool,
    /// Of a dataset with several tables: the columns that are read of each table, which come with their units and ranks. The other fields
    /// are then empty.
    pub(in crate::engine) tables: BTreeMap<u32, BTreeSet<usize>>,
}

impl StoredColumns {
    /// All columns of all tables.
    pub(in crate::engine) fn all(terms: &Terms) -> Self {
        let all = |(number, table): (u32, &TableTerms)| (number, (0..table.columns.len()).collect());
        if !terms.tables.is_empty() {
            return Self { tables: (0..).zip(&terms.tables).map(all).collect(), ..Self::default() };
        }
        Self { declared: (0..terms.columns.len()).collect(), unit: true, rank: true, tables: BTreeMap::new() }
    }

    /// Whether a column of the table with this number is among them.
    pub(in crate::engine) fn has(&self, table: u32, holds: Holds) -> bool {
        let of_table = self.tables.get(&table);
        match holds {
            Holds::Unit => of_table.is_some() || table == 0 && self.unit,
            Holds::Rank => of_table.is_some() || table == 0 && self.rank,
            Holds::Declared(index) => {
                let is_own = table == 0 && self.declared.contains(&index);
                is_own || of_table.is_some_and(|columns| columns.contains(&index))
            }
        }
    }

    /// Adds a column of the only table, or with `several` a column of one of several tables.
    pub(in crate::engine) fn insert(&mut self, (table, holds): (u32, Holds), several: bool) {
        match (several, holds) {
            (true, Holds::Declared(index)) => {
                self.tables.entry(table).or_default().insert(index);
            }
            (true, Holds::Unit | Holds::Rank) => {
                self.tables.entry(table).or_default();
            }
            (false, Holds::Declared(index)) => {
                self.declared.insert(index);
            }
            (false, Holds::Unit) => self.unit = true,
            (false, Holds::Rank) => self.rank = true,
        }
    }

    /// The columns that a computation reads.
    pub(in crate::engine) fn of(computation: &Computation, terms: &Terms) -> Self {
        if let Some(relation) = &computation.relation {
            let mut tables = reads(relation, &computation.declared(), terms);
            if !terms.tables.is_empty() {
                return Self { tables, ..Self::default() };
            }
            let declared = tables.remove(&0).unwrap_or_default();
            let by_unit = terms.unit != Unit::Row;
            return Self { declared, unit: by_unit, rank: by_unit, tables };
        }
        let declared = match &computation.units {
            // The filter, keys and measurements then refer to the table with one row per unit.
            Some(units) => {
                let mut declared = BTreeSet::new();
                units.declared(&mut declared);
                declared
            }
            None => computation.declared(),
        };
        let by_unit = computation.units.is_some() || computation.text.is_some();
        let unit = by_unit || computation.measures.iter().any(counts_units);
        Self { declared, unit, rank: computation.rows_per_unit < terms.max_rows_per_unit, tables: BTreeMap::new() }
    }
}

fn counts_units(measure: &Measure) -> bool {
    match measure {
        Measure::Units | Measure::UnitsWhere { .. } => true,
        Measure::PrefixSums { measure, .. } | Measure::Over { measure, .. } => counts_units(measure),
        Measure::Rows | Measure::NonNull { .. } | Measure::Sum { .. } | Measure::Bins { .. } => false,
    }
}
