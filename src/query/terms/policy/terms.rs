//! The public terms of a dataset: everything that queries depend on.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::public_table::PublicTables;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::query::terms::columns::Columns;
use crate::query::terms::domain::{Column, Domain, Grid};

/// The public terms of a dataset. A sealed edition holds the terms it was sealed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The privacy unit: who is protected.
    pub unit: Unit,
    /// k: the largest number of rows that a unit keeps.
    pub max_rows_per_unit: u32,
    /// The declared capacity of the table, in rows.
    pub max_rows: u64,
    /// How losses add up, with the δ of the cap.
    pub accountant: Accountant,
    /// The ε of the lifetime cap.
    pub cap: Epsilon,
    /// The largest ε that one query may cost.
    pub max_epsilon_per_query: Epsilon,
    /// Whether allocations may add up to more than the cap, so that those who ask first may leave nothing for the others.
    pub oversubscribe: bool,
    /// The columns that queries see, in the policy's order.
    pub columns: Columns,
    /// Groups with a noisy count below this number are shown without their estimates; `None` shows all groups. This protects nobody more
    /// than the noise does: it keeps figures that are mostly noise out of reports.
    pub min_cell: Option<u32>,
    /// The part of the cap's δ that is set aside for groups without a public list, or `None`. The δ of `accountant` is the rest.
    pub threshold: Option<ThresholdReserve>,
    /// Tables with one row per unit that this one can be joined with. Their columns follow the table's own.
    pub joins: Vec<JoinedTable>,
    /// The tables of a dataset that declares several. Such a dataset has no columns of its own, and its bounds are the largest of its
    /// tables'. Empty for a dataset with a single table.
    pub tables: Vec<TableTerms>,
    /// Tables that are published as they are: code lists, calendars.
    pub public: PublicTables,
}

impl Terms {
    /// The terms of the table with this index by itself: its columns and bounds, under the same cap. A dataset with a single table has that
    /// one alone, with index 0. `None` if there is no such table.
    #[must_use]
    pub fn table(&self, index: usize) -> Option<Cow<'_, Self>> {
        if self.tables.is_empty() {
            // A unit may lack a row in a table that this one is joined with.
            let joined: Vec<_> = self.joins.iter().map(JoinedTable::places).collect();
            let columns = self.columns.nullable(&joined);
            let table = match joined.is_empty() {
                true => Cow::Borrowed(self),
                false => Cow::Owned(self.with(columns, self.max_rows_per_unit, self.max_rows)),
            };
            return (index == 0).then_some(table);
        }
        let TableTerms { columns, max_rows_per_unit, max_rows, .. } = self.tables.get(index)?;
        let (columns, max_rows_per_unit, max_rows) = (columns.clone(), *max_rows_per_unit, *max_rows);
        Some(Cow::Owned(self.with(columns, max_rows_per_unit, max_rows)))
    }

    /// These terms with other columns and bounds, and without tables to join.
    #[must_use]
    pub fn with(&self, columns: Columns, max_rows_per_unit: u32, max_rows: u64) -> Self {
        let (joins, tables) = (Vec::new(), Vec::new());
        Self {
            unit: self.unit.clone(),
            max_rows_per_unit,
            max_rows,
            columns,
            joins,
            tables,
            public: self.public.clone(),
            ..*self
        }
    }

    /// Finds a column by its name, and returns it with its index.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns.place(name).map(|place| (place, &self.columns[place]))
    }

    /// The grid of the column at `index`; `None` if the column is not numeric.
    #[must_use]
    pub fn grid(&self, index: usize) -> Option<Grid> {
        match self.columns.get(index).map(|column| &column.domain) {
            Some(Domain::Number(grid)) => Some(*grid),
            Some(Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. }) | None => None,
        }
    }

    /// The terms of one of the joined tables by itself: one row per unit, under the same cap.
    #[must_use]
    pub fn of_table(&self, join: &JoinedTable) -> Self {
        let columns = self.columns[join.places()].iter().cloned().collect();
        Self { max_rows_per_unit: 1, columns, joins: Vec::new(), ..self.clone() }
    }

    /// The table's own columns, which come before those of joined tables.
    #[must_use]
    pub fn own(&self) -> &[Column] {
        &self.columns[..self.joins.first().map_or(self.columns.len(), |join| join.presence)]
    }

    /// The terms for a question that joins these tables, each given by its index in [`Terms::joins`] and whether it is a left join. Columns
    /// of other tables are hidden, and columns of left-joined tables are nullable.
    #[must_use]
    pub fn joined(&self, wanted: &[(usize, bool)]) -> Cow<'_, Self> {
        if self.joins.is_empty() {
            return Cow::Borrowed(self);
        }
        let places = |is: &dyn Fn(Option<bool>) -> bool| {
            let is_left =
                |place: usize| wanted.iter().find(|(wanted, _)| *wanted == place).map(|(_, is_left)| *is_left);
            let joins = self.joins.iter().enumerate().filter(|(place, _)| is(is_left(*place)));
            joins.map(|(_, join)| join.places()).collect::<Vec<_>>()
        };
        let (left, unjoined) = (places(&|is_left| is_left == Some(true)), places(&|is_left| is_left.is_none()));
        Cow::Owned(Self { columns: self.columns.nullable(&left).hiding(unjoined), ..self.clone() })
    }

    /// The δ of the lifetime guarantee: the δ of the noise plus the δ of all thresholds.
    #[must_use]
    pub fn delta(&self) -> Delta {
        let aside = self.threshold.map_or(Delta::ZERO, |aside| aside.delta);
        // Unwrap safety: both are parts of one declared δ.
        self.accountant.delta().checked_add(aside).expect("parts of one declared δ")
    }

    /// The name of the unit's column; `None` if every row is a unit.
    #[must_use]
    pub fn unit_column(&self) -> Option<&str> {
        match &self.unit {
            Unit::Row => None,
            Unit::Column(name) => Some(name),
        }
    }
}

/// One of several tables of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTerms {
    /// The table's name in SQL.
    pub name: String,
    /// A title for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The columns that queries see, in the policy's order, without the unit's.
    pub columns: Columns,
    /// k: the largest number of rows that a unit keeps in this table; 1 if it has one row per unit.
    pub max_rows_per_unit: u32,
    /// The declared capacity of the table, in rows.
    pub max_rows: u64,
}

/// A joined table with one row per unit. Sealing gives its values to every row of the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedTable {
    /// The table's name in SQL.
    pub name: String,
    /// The index of the column that says whether the unit has a row in this table. No query can name it.
    pub presence: usize,
    /// The number of the table's columns, which follow the presence column directly.
    pub columns: usize,
}

impl JoinedTable {
    /// The indices of the table's columns, without the presence column.
    #[must_use]
    pub fn places(&self) -> Range<usize> {
        self.presence + 1..self.presence + 1 + self.columns
    }
}

/// The δ that is set aside for groups that are released above a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdReserve {
    /// The total set aside for the dataset's lifetime.
    pub delta: Delta,
    /// The part of it that one answer takes.
    pub per_query: Delta,
}

/// The privacy unit: who is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Every row by itself.
    Row,
    /// All rows that share a value in the column of this name.
    Column(String),
}

impl Unit {
    /// The word for it in a policy: the column's name, or `row`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Row => "row",
            Self::Column(name) => name,
        }
    }
}
