//! The tables and columns of a dataset, as `GET /v1/datasets` shows them.

use std::cell::RefCell;

use serde::Serialize;

use crate::kernel::privacy::amounts::unscaled;
use crate::query::terms::domain::{Column, DECIMALS, Domain};
use crate::query::terms::labels::Labels;
use crate::query::terms::policy::limits::VALUES_MAX;
use crate::query::terms::policy::{JoinedTable, PublicTable, TableTerms, Terms};
use crate::query::terms::stated::{StatedColumn, StatedValues};

/// A table with one row per unit that a dataset can be joined with.
#[derive(Serialize, utoipa::ToSchema)]
pub struct JoinBody {
    /// The table's name in SQL, as in `FROM visits JOIN patients USING (patient_id)`.
    name: String,
    columns: Vec<DatasetColumn>,
}

/// A table whose rows belong to units.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TableBody {
    /// The table's name in SQL.
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The largest number of a unit's rows that count.
    max_rows_per_unit: u32,
    /// The largest number of rows in the table.
    max_rows: u64,
    columns: Vec<DatasetColumn>,
}

/// A table that is published as it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PublicBody {
    /// The table's name in SQL.
    name: String,
    /// The number of its rows.
    rows: u64,
    columns: Vec<DatasetColumn>,
}

/// A column as its policy declares it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DatasetColumn {
    name: String,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The values of a category; left out if there are more than 10000, and of public tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    values: Option<Labels>,
    /// The number of values, if they are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    values_count: Option<u64>,
    /// The column of a public table whose different values these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    values_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// The largest number of different texts in a column without a public list.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_values: Option<u32>,
    /// The number of groups that a unit can count in when grouping by this column.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_groups_per_unit: Option<u32>,
    per_unit: bool,
    nullable: bool,
    /// The steward's public statement of how the values lie, for expected errors. It is what the policy says, and never computed from rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    typical: Option<TypicalBody>,
}

/// What a policy states of how the values of a column lie, as decimal texts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TypicalBody {
    /// A quarter of the values lie below.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<String>,
    /// Half of the values lie below.
    #[serde(skip_serializing_if = "Option::is_none")]
    middle: Option<String>,
    /// Three quarters of the values lie below.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<String>,
    /// The mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<String>,
    /// The standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation: Option<String>,
    /// The part of the rows without a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

impl From<&StatedValues> for TypicalBody {
    fn from(stated: &StatedValues) -> Self {
        let text = |nanos: i128| unscaled(nanos, DECIMALS);
        let quartile = |place: usize| stated.quartiles.map(|quartiles| text(quartiles[place]));
        let (mean, deviation) = stated.moments.map(|[mean, deviation]| (text(mean), text(deviation))).unzip();
        let missing = stated.missing.map(text);
        Self { low: quartile(0), middle: quartile(1), high: quartile(2), mean, deviation, missing }
    }
}

/// A dataset while its tables are being described.
pub(super) struct Described<'a> {
    terms: &'a Terms,
    stated: &'a [StatedColumn],
    /// Lists of labels and the columns that they come from, so that each is looked up once.
    sources: RefCell<Vec<(&'a Labels, Option<String>)>>,
}

impl<'a> Described<'a> {
    pub(super) fn of(terms: &'a Terms, stated: &'a [StatedColumn]) -> Self {
        Self { terms, stated, sources: RefCell::default() }
    }

    /// What is stated of a column; `table` is the one that declares it, if the dataset has several.
    fn typical(&self, table: Option<&str>, column: &Column) -> Option<TypicalBody> {
        let is_own =
            |stated: &&StatedColumn| stated.column == column.name && table.is_none_or(|table| stated.table == table);
        self.stated.iter().find(is_own).map(|stated| TypicalBody::from(&stated.values))
    }

    pub(super) fn columns(&self, table: Option<&str>, columns: &'a [Column]) -> Vec<DatasetColumn> {
        let column = |column: &'a Column| {
            let plain = DatasetColumn { typical: self.typical(table, column), ..DatasetColumn::from(column) };
            match &column.domain {
                Domain::Category(labels) => {
                    let is_short = labels.len() <= VALUES_MAX;
                    let (values, count) =
                        if is_short { (plain.values, None) } else { (None, Some(labels.len() as u64)) };
                    DatasetColumn { values, values_count: count, values_from: self.source(labels), ..plain }
                }
                Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => plain,
            }
        };
        columns.iter().map(column).collect()
    }

    pub(super) fn join(&self, join: &JoinedTable) -> JoinBody {
        JoinBody { name: join.name.clone(), columns: self.columns(None, &self.terms.columns[join.places()]) }
    }

    /// All tables of the dataset with this name.
    pub(super) fn tables(&self, dataset: &str) -> Vec<TableBody> {
        let terms = self.terms;
        let several = terms.tables.iter().map(|table: &'a TableTerms| TableBody {
            name: table.name.clone(),
            title: table.title.clone(),
            max_rows_per_unit: table.max_rows_per_unit,
            max_rows: table.max_rows,
            columns: self.columns(Some(&table.name), &table.columns),
        });
        if !terms.tables.is_empty() {
            return several.collect();
        }
        let (max_rows_per_unit, max_rows) = (terms.max_rows_per_unit, terms.max_rows);
        let table = |name: &str, max_rows_per_unit: u32, columns: &'a [Column]| TableBody {
            name: name.to_owned(),
            title: None,
            max_rows_per_unit,
            max_rows,
            columns: self.columns(None, columns),
        };
        let joined = terms.joins.iter().map(|join| table(&join.name, 1, &terms.columns[join.places()]));
        std::iter::once(table(dataset, max_rows_per_unit, terms.own())).chain(joined).collect()
    }

    pub(super) fn public(&self) -> Vec<PublicBody> {
        let table = |table: &PublicTable| PublicBody {
            name: table.name.clone(),
            rows: table.rows,
            columns: table.columns.iter().map(DatasetColumn::of_public).collect(),
        };
        self.terms.public.iter().map(table).collect()
    }

    /// The column of a public table that a list comes from.
    fn source(&self, labels: &'a Labels) -> Option<String> {
        if self.terms.public.is_empty() {
            return None;
        }
        let mut known = self.sources.borrow_mut();
        if let Some((_, source)) = known.iter().find(|(known, _)| *known == labels) {
            return source.clone();
        }
        let source = self.terms.list_source(labels);
        known.push((labels, source.clone()));
        source
    }
}

impl DatasetColumn {
    /// A column of a public table, whose values a query lists.
    fn of_public(column: &Column) -> Self {
        let plain = Self::from(column);
        let count = plain.values.as_ref().map(|values| values.len() as u64);
        Self { values: None, values_count: count, ..plain }
    }
}

impl From<&Column> for DatasetColumn {
    fn from(column: &Column) -> Self {
        let (min, max) = column.domain.bounds().unzip();
        let step = match &column.domain {
            Domain::Number(grid) => Some(unscaled(grid.step.into(), 9)),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => None,
        };
        let values = match &column.domain {
            Domain::Category(values) => Some(values.clone()),
            Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => None,
        };
        let (max_values, max_groups_per_unit) = match column.domain {
            Domain::Text { values_max, groups_per_unit } => (Some(values_max), Some(groups_per_unit)),
            Domain::Category(_) | Domain::Boolean | Domain::Number(_) | Domain::Date { .. } => (None, None),
        };
        Self {
            name: column.name.clone(),
            r#type: column.domain.type_name(),
            title: column.title.clone(),
            values,
            values_count: None,
            values_from: None,
            min,
            max,
            step,
            max_values,
            max_groups_per_unit,
            per_unit: column.per_unit,
            nullable: column.nullable,
            typical: None,
        }
    }
}
