//! The columns of a policy file: checks their types and fields, and reports
//! faults with their place. How values are read is in [`super::rules`].

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::column_table::ColumnTable;
use super::faults::PolicyFaults;
use super::limits::{TEXTS_MAX, VALUE_CHARS_MAX, VALUES_MAX};
use super::names::{SEEN_HINT, is_identifier, is_seen};
use super::numbers::decimal;
use super::public::PublicLists;
use super::rules::{labelled_values, rules};
use super::terms::Unit;
use crate::query::terms::domain::{Column, Domain, Grid, date_days};
use crate::query::terms::reading::Rules;

/// `max_values` if a policy does not declare it.
const TEXTS_DEFAULT: u32 = 10_000;
/// capacity × bound stays below 2 to this power.
const SUM_LOG2_MAX: u32 = 62;

/// What all columns of a dataset share.
pub(super) struct ColumnContext<'a> {
    /// The privacy unit, whose column is not declared.
    pub(super) unit: &'a Unit,
    /// The dataset's own marks of missing values.
    pub(super) missing: &'a [String],
    /// The lists that public tables give.
    pub(super) lists: &'a PublicLists<'a>,
}

/// Checks the declared columns and how their values are read. `names` are the names already taken.
pub(super) fn columns(
    tables: Vec<Spanned<ColumnTable>>,
    shared: &ColumnContext<'_>,
    (max_rows, max_rows_per_unit): (Option<u32>, Option<u32>),
    names: &mut HashSet<String>,
    faults: &mut PolicyFaults<'_>,
) -> (Vec<Column>, Vec<Rules>) {
    let ColumnContext { unit, missing, lists } = shared;
    let (mut columns, mut all) = (Vec::new(), Vec::new());
    for table in tables {
        let span = table.span();
        let table = table.into_inner();
        let name = table.name.get_ref().clone();
        if !is_identifier(&name) {
            faults.add(table.name.span(), format!("column name \"{name}\" is not a lower-case identifier"));
        } else if !names.insert(name.clone()) {
            faults.add(table.name.span(), format!("column \"{name}\" is declared twice"));
        } else if matches!(unit, Unit::Column(unit) if *unit == name) {
            let message = format!("\"{name}\" is the privacy unit; it is not declared as a column");
            faults.add(table.name.span(), message);
        }
        if let Some(domain) = domain(&table, span, (max_rows_per_unit, lists), faults) {
            capacity(&table, &domain, max_rows, faults);
            all.push(rules(&table, &domain, missing, faults));
            let (per_unit, nullable, title) = (table.per_unit, table.nullable, table.title);
            columns.push(Column { name, title, domain, per_unit, nullable });
        }
    }
    (columns, all)
}

fn domain(
    table: &ColumnTable,
    span: Range<usize>,
    (max_rows_per_unit, lists): (Option<u32>, &PublicLists<'_>),
    faults: &mut PolicyFaults<'_>,
) -> Option<Domain> {
    let kind = table.r#type.get_ref().as_str();
    let of_texts = [
        ("max_values", table.max_values.as_ref().map(Spanned::span)),
        ("max_groups_per_unit", table.max_groups_per_unit.as_ref().map(Spanned::span)),
    ];
    for (field, place) in of_texts.into_iter().filter(|_| kind != "text") {
        if let Some(place) = place {
            faults.add(place, format!("{field} is for a column of type text; remove it"));
        }
    }
    let misplaced: &[(&str, Option<Range<usize>>)] = match kind {
        "category" => &[("min", at(&table.min)), ("max", at(&table.max)), ("step", at(&table.step))],
        "boolean" | "text" => &[
            ("min", at(&table.min)),
            ("max", at(&table.max)),
            ("step", at(&table.step)),
            ("values", table.values.as_ref().map(Spanned::span)),
        ],
        "date" => &[("step", at(&table.step)), ("values", table.values.as_ref().map(Spanned::span))],
        _ => &[("values", table.values.as_ref().map(Spanned::span))],
    };
    for (field, place) in misplaced {
        if let Some(place) = place {
            faults.add(place.clone(), format!("{field} is not for a column of type {kind}; remove it"));
        }
    }
    if let Some(given) = table.values_from.as_ref().filter(|_| kind != "category") {
        faults.add(given.span(), format!("values_from is not for a column of type {kind}; remove it"));
    }
    match kind {
        "category" if table.values_from.is_some() => listed(table, lists, faults),
        "category" => category(table, span, faults),
        "boolean" => Some(Domain::Boolean),
        "text" => text(table, max_rows_per_unit, faults),
        "decimal" | "integer" => number(table, kind == "integer", span, faults),
        "date" => date(table, span, faults),
        other => {
            let accepted = "category, decimal, integer, boolean, date and text";
            faults.add(table.r#type.span(), format!("type \"{other}\" is not known; accepted are {accepted}"));
            None
        }
    }
}

fn text(table: &ColumnTable, max_rows_per_unit: Option<u32>, faults: &mut PolicyFaults<'_>) -> Option<Domain> {
    let values_max = match &table.max_values {
        None => TEXTS_DEFAULT,
        Some(given) => faults.count("max_values", given, TEXTS_MAX)?,
    };
    let rows = max_rows_per_unit.unwrap_or(1);
    let groups_per_unit = match &table.max_groups_per_unit {
        None if table.per_unit => 1,
        None => rows,
        Some(given) if table.per_unit && *given.get_ref() != 1 => {
            faults.add(given.span(), "max_groups_per_unit is 1 if the column is per_unit; remove it");
            return None;
        }
        Some(given) => faults.count("max_groups_per_unit", given, rows.into())?,
    };
    Some(Domain::Text { values_max, groups_per_unit })
}

fn at(value: &Option<Spanned<toml::Value>>) -> Option<Range<usize>> {
    value.as_ref().map(Spanned::span)
}

/// A category whose list is a column of a public table.
fn listed(table: &ColumnTable, lists: &PublicLists<'_>, faults: &mut PolicyFaults<'_>) -> Option<Domain> {
    let given = table.values_from.as_ref()?;
    if let Some(values) = &table.values {
        faults.add(
            values.span(),
            "values and values_from are both given; a category has one list, so remove one of them",
        );
    }
    if lists.is_unread(given.get_ref()) {
        return None;
    }
    faults.take(given.span(), "values_from", lists.of_column(given.get_ref())).map(Domain::Category)
}

fn category(table: &ColumnTable, span: Range<usize>, faults: &mut PolicyFaults<'_>) -> Option<Domain> {
    let Some(values) = &table.values else {
        let labelled = labelled_values(table).filter(|values| !values.is_empty());
        if labelled.is_none() {
            let message = "values is missing; a category lists its values, like [\"north\", \"south\"], or takes them from a public table, \
                           like values_from = \"regions.code\"";
            faults.add(span, message);
        }
        return labelled.map(|values| Domain::Category(values.into()));
    };
    let list = values.get_ref();
    if list.is_empty() || list.len() > VALUES_MAX {
        faults.add(values.span(), format!("{} values; a category has 1 to {VALUES_MAX}", list.len()));
        return None;
    }
    let mut seen = HashSet::new();
    for value in list {
        let text = value.get_ref();
        if text.chars().count() > VALUE_CHARS_MAX || text.chars().any(char::is_control) {
            let message = format!("a value has at most {VALUE_CHARS_MAX} characters and no control characters");
            faults.add(value.span(), message);
        } else if is_seen(text) {
            faults.add(value.span(), format!("\"{text}\" is a draft's: {SEEN_HINT}"));
        } else if !seen.insert(text.trim()) {
            faults.add(value.span(), format!("value \"{text}\" is listed twice, apart from blanks around it"));
        }
    }
    Some(Domain::Category(list.iter().map(|value| value.get_ref().clone()).collect()))
}

fn number(table: &ColumnTable, integer: bool, span: Range<usize>, faults: &mut PolicyFaults<'_>) -> Option<Domain> {
    let mut bound = |name: &str, value: &Option<Spanned<toml::Value>>, default: Option<i128>| match value {
        Some(value) => {
            let read = decimal(value.get_ref(), integer);
            faults.take(value.span(), name, read)
        }
        None if default.is_some() => default,
        None => {
            faults.add(span.clone(), format!("{name} is missing; write it as a decimal string, like \"0\""));
            None
        }
    };
    let one = integer.then_some(1_000_000_000);
    let (min, max, step) =
        (bound("min", &table.min, None), bound("max", &table.max, None), bound("step", &table.step, one));
    let (min, max, step) = (min?, max?, step?);
    let grid = Grid::new(integer, min, max, step);
    if grid.is_none() {
        let place = at(&table.max).unwrap_or(span);
        faults.add(
            place,
            "min, max and step do not fit: min is below max, step above 0, and both bounds are multiples of step",
        );
    }
    grid.map(Domain::Number)
}

fn date(table: &ColumnTable, span: Range<usize>, faults: &mut PolicyFaults<'_>) -> Option<Domain> {
    let mut bound = |name: &str, value: &Option<Spanned<toml::Value>>| {
        let Some(value) = value else {
            faults.add(span.clone(), format!("{name} is missing; write a date, like 2020-01-01"));
            return None;
        };
        let text = match value.get_ref() {
            toml::Value::Datetime(date) => date.to_string(),
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let fault = if is_seen(&text) {
            format!("\"{text}\" is a draft's: {SEEN_HINT}")
        } else {
            format!("{text} is not a date like 2020-01-01")
        };
        faults.take(value.span(), name, date_days(&text).ok_or(fault))
    };
    let (min, max) = (bound("min", &table.min), bound("max", &table.max));
    let (min, max) = (min?, max?);
    if min >= max {
        faults.add(at(&table.max).unwrap_or(span), "max is not after min");
        return None;
    }
    Some(Domain::Date { min, max })
}

/// Checks that capacity × bound < 2⁶², so that no sum over a conforming table overflows an i64, with room to spare.
fn capacity(table: &ColumnTable, domain: &Domain, max_rows: Option<u32>, faults: &mut PolicyFaults<'_>) {
    let (Domain::Number(grid), Some(rows)) = (domain, max_rows) else { return };
    let bound = grid.low.unsigned_abs().max(grid.high.unsigned_abs()).max(grid.radius());
    let product = u128::from(bound) * u128::from(rows);
    if product >= 1 << SUM_LOG2_MAX {
        let message = format!(
            "max_rows × the largest value in steps is {product}; accepted is less than 2^{SUM_LOG2_MAX}: \
             narrow the bounds, widen the step or lower max_rows"
        );
        faults.add(at(&table.max).unwrap_or(0..0), message);
    }
}
