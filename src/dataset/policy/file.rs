//! The shape of a policy file and the check of every field, with its place.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{Fault, Policy, SetAside, Terms, Unit, is_identifier};
use crate::dataset::domain::{Column, Domain, Grid, date_days};
use crate::privacy::accountant::Accountant;
use crate::privacy::units::{Delta, Epsilon, scaled};

const ROWS_MAX: i64 = 4_000_000_000;
const ROWS_PER_UNIT_MAX: i64 = 65_535;
const COLUMNS_MAX: usize = 512;
const PAD_MS_MAX: i64 = 60_000;
const MIN_CELL_MAX: i64 = 1_000_000;
const VALUES_MAX: usize = 10_000;
/// Different texts of a column at the most, and where the policy says nothing.
const TEXTS_MAX: i64 = 100_000;
const TEXTS_DEFAULT: u32 = 10_000;
/// Answers that share what is set aside for thresholds, where the policy says nothing.
const THRESHOLDS_DEFAULT: u64 = 100;
const VALUE_CHARS_MAX: usize = 256;
/// capacity × bound stays below 2 to this power.
const SUM_LOG2_MAX: u32 = 62;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    dataset: DatasetTable,
    #[serde(default)]
    column: Vec<Spanned<ColumnTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetTable {
    name: Spanned<String>,
    title: Option<String>,
    source: Spanned<String>,
    privacy_unit: Spanned<String>,
    exclude: Option<Spanned<String>>,
    max_rows_per_unit: Option<Spanned<i64>>,
    max_rows: Spanned<i64>,
    accountant: Option<Spanned<String>>,
    cap: Spanned<CapTable>,
    max_epsilon_per_query: Option<Spanned<String>>,
    #[serde(default)]
    oversubscribe: bool,
    pad_ms: Option<Spanned<i64>>,
    min_cell: Option<Spanned<i64>>,
    threshold_delta: Option<Spanned<String>>,
    threshold_delta_per_query: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapTable {
    epsilon: Spanned<String>,
    delta: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    name: Spanned<String>,
    title: Option<String>,
    r#type: Spanned<String>,
    values: Option<Spanned<Vec<Spanned<String>>>>,
    min: Option<Spanned<toml::Value>>,
    max: Option<Spanned<toml::Value>>,
    step: Option<Spanned<toml::Value>>,
    max_values: Option<Spanned<i64>>,
    max_groups_per_unit: Option<Spanned<i64>>,
    #[serde(default)]
    per_unit: bool,
    #[serde(default)]
    nullable: bool,
}

pub(super) fn parse(text: &str) -> Result<Policy, Vec<Fault>> {
    let mut faults = Faults { text, found: Vec::new() };
    let file: PolicyFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            faults.add(error.span().unwrap_or(0..0), error.message().trim().replace('\n', "; "));
            return Err(faults.found);
        }
    };
    let policy = check(file, &mut faults);
    match policy {
        Some(policy) if faults.found.is_empty() => Ok(policy),
        _ => {
            faults.found.sort_by_key(|fault| (fault.line, fault.column));
            Err(faults.found)
        }
    }
}

struct Faults<'a> {
    text: &'a str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        self.found.push(Fault { line, column, message: message.into() });
    }

    /// The value, or a fault at `span`.
    fn take<T, E: ToString>(&mut self, span: Range<usize>, name: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(span, format!("{name}: {}", error.to_string()))).ok()
    }

    fn count(&mut self, name: &str, value: &Spanned<i64>, max: i64) -> Option<u32> {
        let count = *value.get_ref();
        let accepted = u32::try_from(count).ok().filter(|_| (1..=max).contains(&count));
        let message = || format!("{name} is {count}; accepted is 1 to {max}");
        self.take(value.span(), name, accepted.ok_or_else(message))
    }
}

fn check(file: PolicyFile, faults: &mut Faults<'_>) -> Option<Policy> {
    let dataset = file.dataset;
    if !is_identifier(dataset.name.get_ref()) {
        let shown = dataset.name.get_ref();
        faults.add(
            dataset.name.span(),
            format!("dataset name \"{shown}\" is not a lower-case identifier, like \"visits\""),
        );
    }
    if dataset.source.get_ref().is_empty() {
        faults.add(dataset.source.span(), "source is empty; name a Parquet, CSV or Arrow file");
    }
    let unit = unit(&dataset, faults);
    let max_rows = faults.count("max_rows", &dataset.max_rows, ROWS_MAX);
    let max_rows_per_unit = rows_per_unit(&dataset, &unit, faults);
    if let (Some(given), Some(rows), Some(most)) = (&dataset.max_rows_per_unit, max_rows_per_unit, max_rows)
        && rows > most
    {
        faults.add(given.span(), format!("max_rows_per_unit is {rows}; accepted is at most max_rows, {most}"));
    }
    let (accountant, threshold) = accountant(&dataset, faults).unzip();
    let threshold = threshold.flatten();
    let cap = epsilon("cap.epsilon", &dataset.cap.get_ref().epsilon, faults);
    let query = match &dataset.max_epsilon_per_query {
        Some(text) => epsilon("max_epsilon_per_query", text, faults),
        None => cap,
    };
    let pad_ms = dataset.pad_ms.as_ref().and_then(|given| faults.count("pad_ms", given, PAD_MS_MAX));
    let min_cell = dataset.min_cell.as_ref().and_then(|given| faults.count("min_cell", given, MIN_CELL_MAX));
    let columns = columns(file.column, &unit, (max_rows, max_rows_per_unit), faults);
    Some(Policy {
        name: dataset.name.into_inner(),
        title: dataset.title,
        pad_ms,
        source: PathBuf::from(dataset.source.into_inner()),
        exclude: dataset.exclude.map(|file| PathBuf::from(file.into_inner())),
        terms: Terms {
            unit,
            max_rows_per_unit: max_rows_per_unit?,
            max_rows: max_rows?.into(),
            accountant: accountant?,
            cap: cap?,
            max_epsilon_per_query: query?,
            oversubscribe: dataset.oversubscribe,
            columns,
            min_cell,
            threshold,
        },
    })
}

fn unit(dataset: &DatasetTable, faults: &mut Faults<'_>) -> Unit {
    let name = dataset.privacy_unit.get_ref();
    if !is_identifier(name) {
        let message =
            format!("privacy_unit \"{name}\" is neither \"row\" nor a column, which is a lower-case identifier");
        faults.add(dataset.privacy_unit.span(), message);
    }
    if name == "row" { Unit::Row } else { Unit::Column(name.clone()) }
}

fn rows_per_unit(dataset: &DatasetTable, unit: &Unit, faults: &mut Faults<'_>) -> Option<u32> {
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

/// The accountant, and what of the cap's δ is set aside for thresholds.
fn accountant(dataset: &DatasetTable, faults: &mut Faults<'_>) -> Option<(Accountant, Option<SetAside>)> {
    let cap = dataset.cap.get_ref();
    let name = dataset.accountant.as_ref().map_or("gaussian", |name| name.get_ref());
    match (name, &cap.delta) {
        ("gaussian", Some(delta)) => {
            let delta = faults.take(delta.span(), "cap.delta", Delta::parse(delta.get_ref()))?;
            let aside = set_aside(dataset, delta, faults)?;
            let delta = aside.map_or(delta, |aside| delta.left_after(aside.delta));
            Some((Accountant::Gaussian { delta }, aside))
        }
        ("gaussian", None) => {
            faults.add(dataset.cap.span(), "cap.delta is missing; the gaussian accountant needs one, like \"1e-9\"");
            None
        }
        ("pure", None) => {
            let given = [&dataset.threshold_delta, &dataset.threshold_delta_per_query];
            for given in given.into_iter().flatten() {
                faults.add(given.span(), "a threshold takes a delta, and the pure accountant has none; remove it");
            }
            Some((Accountant::Pure, None))
        }
        ("pure", Some(delta)) => {
            faults.add(delta.span(), "cap.delta is given, and the pure accountant takes none; remove it");
            None
        }
        (other, _) => {
            let span = dataset.accountant.as_ref().map_or(0..0, Spanned::span);
            faults.add(span, format!("accountant \"{other}\" is not known; accepted are \"gaussian\" and \"pure\""));
            None
        }
    }
}

/// What of the cap's δ is set aside for thresholds: none where the policy does not say.
fn set_aside(dataset: &DatasetTable, delta: Delta, faults: &mut Faults<'_>) -> Option<Option<SetAside>> {
    let Some(given) = &dataset.threshold_delta else {
        if let Some(each) = &dataset.threshold_delta_per_query {
            faults.add(each.span(), "threshold_delta_per_query is part of threshold_delta, which is missing");
        }
        return Some(None);
    };
    let all = faults.take(given.span(), "threshold_delta", Delta::parse(given.get_ref()))?;
    if all >= delta {
        let message =
            format!("threshold_delta is {all}; accepted is less than cap.delta, {delta}, which it is part of");
        faults.add(given.span(), message);
        return None;
    }
    let Some(each) = &dataset.threshold_delta_per_query else {
        let share = Delta::from_attos((all.attos() / THRESHOLDS_DEFAULT).max(1));
        return Some(Some(SetAside { delta: all, per_query: share }));
    };
    let per_query = faults.take(each.span(), "threshold_delta_per_query", Delta::parse(each.get_ref()))?;
    if per_query > all {
        let message = format!("threshold_delta_per_query is {per_query}; accepted is at most threshold_delta, {all}");
        faults.add(each.span(), message);
        return None;
    }
    Some(Some(SetAside { delta: all, per_query }))
}

fn epsilon(name: &str, text: &Spanned<String>, faults: &mut Faults<'_>) -> Option<Epsilon> {
    faults.take(text.span(), name, Epsilon::parse(text.get_ref()))
}

fn columns(
    tables: Vec<Spanned<ColumnTable>>,
    unit: &Unit,
    (max_rows, max_rows_per_unit): (Option<u32>, Option<u32>),
    faults: &mut Faults<'_>,
) -> Vec<Column> {
    if tables.is_empty() || tables.len() > COLUMNS_MAX {
        faults.add(0..0, format!("{} columns; declare 1 to {COLUMNS_MAX}, each as [[column]]", tables.len()));
    }
    let mut names = HashSet::new();
    let mut columns = Vec::new();
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
        if let Some(domain) = domain(&table, span, max_rows_per_unit, faults) {
            capacity(&table, &domain, max_rows, faults);
            let (per_unit, nullable, title) = (table.per_unit, table.nullable, table.title);
            columns.push(Column { name, title, domain, per_unit, nullable });
        }
    }
    columns
}

fn domain(
    table: &ColumnTable,
    span: Range<usize>,
    max_rows_per_unit: Option<u32>,
    faults: &mut Faults<'_>,
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
    match kind {
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

fn text(table: &ColumnTable, max_rows_per_unit: Option<u32>, faults: &mut Faults<'_>) -> Option<Domain> {
    let values_max = match &table.max_values {
        None => TEXTS_DEFAULT,
        Some(given) => faults.count("max_values", given, TEXTS_MAX)?,
    };
    let rows = max_rows_per_unit.unwrap_or(1);
    let groups_per_unit = match &table.max_groups_per_unit {
        None if table.per_unit => 1,
        None => rows,
        Some(given) if table.per_unit && *given.get_ref() != 1 => {
            faults.add(given.span(), "max_groups_per_unit is 1 where the column is per_unit; remove it");
            return None;
        }
        Some(given) => faults.count("max_groups_per_unit", given, rows.into())?,
    };
    Some(Domain::Text { values_max, groups_per_unit })
}

fn at(value: &Option<Spanned<toml::Value>>) -> Option<Range<usize>> {
    value.as_ref().map(Spanned::span)
}

fn category(table: &ColumnTable, span: Range<usize>, faults: &mut Faults<'_>) -> Option<Domain> {
    let Some(values) = &table.values else {
        faults.add(span, "values is missing; a category lists its values, like [\"north\", \"south\"]");
        return None;
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
        } else if !seen.insert(text.as_str()) {
            faults.add(value.span(), format!("value \"{text}\" is listed twice"));
        }
    }
    Some(Domain::Category(list.iter().map(|value| value.get_ref().clone()).collect()))
}

fn number(table: &ColumnTable, integer: bool, span: Range<usize>, faults: &mut Faults<'_>) -> Option<Domain> {
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

fn decimal(value: &toml::Value, integer: bool) -> Result<i128, String> {
    let scaled = match value {
        toml::Value::String(text) => {
            scaled(text, crate::dataset::domain::DECIMALS).map_err(|fault| fault.to_string())?
        }
        toml::Value::Integer(whole) => i128::from(*whole) * 1_000_000_000,
        other => return Err(format!("{other} is not a decimal string, like \"0.01\"")),
    };
    if integer && scaled % 1_000_000_000 != 0 {
        return Err(format!("{value} is not a whole number; declare the column as decimal"));
    }
    Ok(scaled)
}

fn date(table: &ColumnTable, span: Range<usize>, faults: &mut Faults<'_>) -> Option<Domain> {
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
        faults.take(value.span(), name, date_days(&text).ok_or(format!("{text} is not a date like 2020-01-01")))
    };
    let (min, max) = (bound("min", &table.min), bound("max", &table.max));
    let (min, max) = (min?, max?);
    if min >= max {
        faults.add(at(&table.max).unwrap_or(span), "max is not after min");
        return None;
    }
    Some(Domain::Date { min, max })
}

/// capacity × bound < 2⁶², so that no sum over any conforming table overflows an i64, with room.
fn capacity(table: &ColumnTable, domain: &Domain, max_rows: Option<u32>, faults: &mut Faults<'_>) {
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
