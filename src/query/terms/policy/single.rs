//! The single table of a dataset, with the tables of one row a unit that it is joined with.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::column_table::ColumnTable;
use super::columns::{ColumnContext, columns};
use super::dataset::TableReading;
use super::faults::PolicyFaults;
use super::limits::{COLUMNS_MAX, ROWS_MAX, ROWS_PER_UNIT_MAX};
use super::names::is_identifier;
use super::source::source;
use super::tables::{DatasetTable, JoinTable};
use super::terms::{JoinedTable, TableTerms, Unit};
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::reading::Rules;
use crate::query::terms::source::SourceSpec;

/// What a policy says about its tables.
pub(super) struct DeclaredTables {
    pub(super) source: SourceSpec,
    pub(super) max_rows_per_unit: u32,
    pub(super) max_rows: u64,
    pub(super) columns: Vec<Column>,
    pub(super) rules: Vec<Rules>,
    pub(super) joins: Vec<JoinedTable>,
    pub(super) joined: Vec<SourceSpec>,
    /// The terms and the sources of several tables.
    pub(super) terms: Vec<TableTerms>,
    pub(super) sources: Vec<TableReading>,
}

/// Checks the table of a dataset that has one. `tables_named` are the names of tables that are taken.
pub(super) fn single(
    dataset: &DatasetTable,
    (own, joined): (Vec<Spanned<ColumnTable>>, Vec<Spanned<JoinTable>>),
    shared: &ColumnContext<'_>,
    tables_named: &mut HashSet<String>,
    faults: &mut PolicyFaults<'_>,
) -> Option<DeclaredTables> {
    if !tables_named.insert(dataset.name.get_ref().clone()) {
        let name = dataset.name.get_ref();
        faults.add(dataset.name.span(), format!("table \"{name}\" is named twice; the dataset's table has its name"));
    }
    let from = match &dataset.source {
        Some(given) => source(given, faults),
        None => {
            let message =
                "source is missing; name a file, a folder or a query, or declare several tables, each as [[table]]";
            faults.add(dataset.name.span(), message);
            None
        }
    };
    let max_rows = match &dataset.max_rows {
        Some(given) => faults.count("max_rows", given, ROWS_MAX),
        None => {
            faults.add(dataset.name.span(), format!("max_rows is missing; accepted is 1 to {ROWS_MAX}"));
            None
        }
    };
    let max_rows_per_unit = rows_per_unit(dataset, shared.unit, faults);
    within(&dataset.max_rows_per_unit, (max_rows_per_unit, max_rows), faults);
    let mut names = HashSet::new();
    count(own.len(), (0..0, "[[column]]"), faults);
    let (mut columns, mut rules) = columns(own, shared, (max_rows, max_rows_per_unit), &mut names, faults);
    let all = (&mut columns, &mut rules);
    let (joins, joined) = joins(joined, (shared, max_rows), all, (tables_named, &mut names), faults);
    Some(DeclaredTables {
        source: from?,
        max_rows_per_unit: max_rows_per_unit?,
        max_rows: max_rows?.into(),
        columns,
        rules,
        joins,
        joined,
        terms: Vec::new(),
        sources: Vec::new(),
    })
}

/// Checks the number of columns of a table, which are declared under `word`.
pub(super) fn count(columns: usize, (span, word): (Range<usize>, &str), faults: &mut PolicyFaults<'_>) {
    if columns == 0 || columns > COLUMNS_MAX {
        faults.add(span, format!("{columns} columns; declare 1 to {COLUMNS_MAX}, each as {word}"));
    }
}

/// Checks that a unit cannot have more rows than the table.
pub(super) fn within(
    given: &Option<Spanned<i64>>,
    (rows, most): (Option<u32>, Option<u32>),
    faults: &mut PolicyFaults<'_>,
) {
    if let (Some(given), Some(rows), Some(most)) = (given, rows, most)
        && rows > most
    {
        faults.add(given.span(), format!("max_rows_per_unit is {rows}; accepted is at most max_rows, {most}"));
    }
}

/// Reads the tables with one row per unit. Appends the columns of each to `all`, after a column that says whether the unit has a row.
fn joins(
    tables: Vec<Spanned<JoinTable>>,
    (shared, max_rows): (&ColumnContext<'_>, Option<u32>),
    (all, all_rules): (&mut Vec<Column>, &mut Vec<Rules>),
    (tables_named, names): (&mut HashSet<String>, &mut HashSet<String>),
    faults: &mut PolicyFaults<'_>,
) -> (Vec<JoinedTable>, Vec<SourceSpec>) {
    let (mut joins, mut sources): (Vec<JoinedTable>, _) = (Vec::new(), Vec::new());
    for table in tables {
        let span = table.span();
        let table = table.into_inner();
        let name = table.name.get_ref().clone();
        if *shared.unit == Unit::Row {
            faults.add(span.clone(), "with privacy_unit = \"row\" rows have no id to be joined by; remove [[join]]");
        }
        if !is_identifier(&name) {
            faults.add(table.name.span(), format!("table name \"{name}\" is not a lower-case identifier"));
        } else if !tables_named.insert(name.clone()) {
            faults.add(table.name.span(), format!("table \"{name}\" is named twice"));
        }
        sources.extend(source(&table.source, faults));
        let presence = all.len();
        let domain = Domain::Boolean;
        all.push(Column { name: String::new(), title: None, domain, per_unit: true, nullable: false });
        all_rules.push(Rules::default());
        count(table.column.len(), (span, "[[join.column]]"), faults);
        let (columns, rules) = columns(table.column, shared, (max_rows, Some(1)), names, faults);
        all_rules.extend(rules);
        joins.push(JoinedTable { name, presence, columns: columns.len() });
        all.extend(columns.into_iter().map(|column| Column { per_unit: true, ..column }));
    }
    (joins, sources)
}

fn rows_per_unit(dataset: &DatasetTable, unit: &Unit, faults: &mut PolicyFaults<'_>) -> Option<u32> {
    if let (Unit::Row, Some(exclude)) = (unit, &dataset.exclude) {
        faults.add(exclude.span(), "exclude names units, and with privacy_unit = \"row\" rows have no id; remove it");
    }
    match (unit, &dataset.max_rows_per_unit) {
        (Unit::Row, None) => Some(1),
        (Unit::Row, Some(given)) if *given.get_ref() == 1 => Some(1),
        (Unit::Row, Some(given)) => {
            let shown = given.get_ref();
            let message = format!("max_rows_per_unit is {shown}; with privacy_unit = \"row\" it is 1 or left out");
            faults.add(given.span(), message);
            None
        }
        (Unit::Column(_), Some(given)) => faults.count("max_rows_per_unit", given, ROWS_PER_UNIT_MAX),
        (Unit::Column(_), None) => {
            let message = format!("max_rows_per_unit is missing; accepted is 1 to {ROWS_PER_UNIT_MAX}");
            faults.add(dataset.privacy_unit.span(), message);
            None
        }
    }
}
