//! The tables of a dataset that declares several, each with its bounds. They share their units, and one cap.

use std::collections::HashSet;

use toml::Spanned;

use super::column_table::ColumnTable;
use super::columns::{ColumnContext, columns};
use super::dataset::TableReading;
use super::faults::PolicyFaults;
use super::limits::{ROWS_MAX, ROWS_PER_UNIT_MAX, TABLES_MAX};
use super::names::is_identifier;
use super::single::{DeclaredTables, count, within};
use super::source::source;
use super::tables::{DatasetTable, EventTable, JoinTable};
use super::terms::{TableTerms, Unit};
use crate::query::terms::domain::Column;
use crate::query::terms::source::{SourceLocation, SourceSpec};

/// What a policy says in `[[table]]`, `[[column]]` and `[[join]]`.
type PolicyTables = (Vec<Spanned<EventTable>>, Vec<Spanned<ColumnTable>>, Vec<Spanned<JoinTable>>);

/// Checks the tables of a dataset that declares several. `tables_named` are the names of tables that are taken.
pub(super) fn several(
    dataset: &DatasetTable,
    (tables, own, joined): PolicyTables,
    shared: &ColumnContext<'_>,
    tables_named: &mut HashSet<String>,
    faults: &mut PolicyFaults<'_>,
) -> Option<DeclaredTables> {
    misplaced(dataset, (&own, &joined), shared.unit, faults);
    if tables.len() > TABLES_MAX
        && let Some(table) = tables.get(TABLES_MAX)
    {
        faults.add(table.span(), format!("{} tables; accepted are at most {TABLES_MAX}", tables.len()));
    }
    let (number, mut terms, mut sources) = (tables.len(), Vec::new(), Vec::new());
    for given in tables {
        if let Some((own, source)) = table(given, shared, tables_named, faults) {
            terms.push(own);
            sources.push(source);
        }
    }
    // Bounds of the whole dataset are those of its largest tables.
    let max_rows_per_unit = terms.iter().map(|table| table.max_rows_per_unit).max()?;
    let max_rows = terms.iter().map(|table| table.max_rows).max()?;
    (terms.len() == number).then_some(DeclaredTables {
        source: SourceSpec { from: SourceLocation::Files(Vec::new()), ..SourceSpec::file("".as_ref()) },
        max_rows_per_unit,
        max_rows,
        columns: Vec::new(),
        rules: Vec::new(),
        joins: Vec::new(),
        joined: Vec::new(),
        terms,
        sources,
    })
}

/// Reports what belongs to each table, and stands elsewhere.
fn misplaced(
    dataset: &DatasetTable,
    (own, joined): (&[Spanned<ColumnTable>], &[Spanned<JoinTable>]),
    unit: &Unit,
    faults: &mut PolicyFaults<'_>,
) {
    for (key, place) in [
        ("source", dataset.source.as_ref().map(Spanned::span)),
        ("max_rows", dataset.max_rows.as_ref().map(Spanned::span)),
        ("max_rows_per_unit", dataset.max_rows_per_unit.as_ref().map(Spanned::span)),
    ] {
        if let Some(place) = place {
            faults.add(place, format!("{key} of [dataset] is for a single table; write it into each [[table]]"));
        }
    }
    if let Some(column) = own.first() {
        let message = "[[column]] is for a dataset with a single table; below a [[table]], write [[table.column]]";
        faults.add(column.span(), message);
    }
    if let Some(join) = joined.first() {
        let message = "[[join]] is for a dataset with a single table; write a [[table]] with one_row_per_unit = true";
        faults.add(join.span(), message);
    }
    if *unit == Unit::Row {
        let message = "with privacy_unit = \"row\" rows of several tables have nothing in common; name the column of the unit's id, \
                       or declare a dataset for each table";
        faults.add(dataset.privacy_unit.span(), message);
    }
}

fn table(
    given: Spanned<EventTable>,
    shared: &ColumnContext<'_>,
    tables_named: &mut HashSet<String>,
    faults: &mut PolicyFaults<'_>,
) -> Option<(TableTerms, TableReading)> {
    let span = given.span();
    let table = given.into_inner();
    let name = table.name.get_ref().clone();
    if !is_identifier(&name) {
        faults.add(table.name.span(), format!("table name \"{name}\" is not a lower-case identifier"));
    } else if !tables_named.insert(name.clone()) {
        faults.add(table.name.span(), format!("table \"{name}\" is named twice"));
    }
    let from = source(&table.source, faults);
    let max_rows = faults.count("max_rows", &table.max_rows, ROWS_MAX);
    let max_rows_per_unit = rows_per_unit(&table, faults);
    within(&table.max_rows_per_unit, (max_rows_per_unit, max_rows), faults);
    for column in table.column.iter().map(Spanned::get_ref).filter(|column| column.r#type.get_ref() == "text") {
        let message = "type text is for datasets with a single table; make it a category with values or values_from, or remove it";
        faults.add(column.r#type.span(), message);
    }
    count(table.column.len(), (span, "[[table.column]]"), faults);
    let (columns, rules) = columns(table.column, shared, (max_rows, max_rows_per_unit), &mut HashSet::new(), faults);
    let is_single = table.one_row_per_unit.is_some_and(|given| *given.get_ref());
    // A unit's rows are merged into one, so a unit has a single value in each column.
    let columns =
        columns.into_iter().map(|column| Column { per_unit: column.per_unit || is_single, ..column }).collect();
    let (max_rows_per_unit, max_rows) = (max_rows_per_unit?, u64::from(max_rows?));
    let terms = TableTerms { name, title: table.title, columns, max_rows_per_unit, max_rows };
    Some((terms, TableReading { source: from?, rules, is_single }))
}

fn rows_per_unit(table: &EventTable, faults: &mut PolicyFaults<'_>) -> Option<u32> {
    let is_single = table.one_row_per_unit.as_ref().is_some_and(|given| *given.get_ref());
    match (is_single, &table.max_rows_per_unit) {
        (true, None) => Some(1),
        (true, Some(given)) => {
            faults
                .add(given.span(), "max_rows_per_unit and one_row_per_unit = true are both given; remove one of them");
            None
        }
        (false, Some(given)) => faults.count("max_rows_per_unit", given, ROWS_PER_UNIT_MAX),
        (false, None) => {
            let message = format!(
                "max_rows_per_unit is missing; accepted is 1 to {ROWS_PER_UNIT_MAX}, or write one_row_per_unit = true"
            );
            faults.add(table.name.span(), message);
            None
        }
    }
}
