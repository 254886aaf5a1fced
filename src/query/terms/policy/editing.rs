//! Changing one column in the text of a policy, which keeps its comments and everything else as it was written.
//!
//! Promises nothing about whether the text is a policy: a draft has columns, too, and its placeholders are replaced here. What it writes is
//! checked with the rest, by [`super::Policy::parse`].

mod place;

use toml_edit::{Array, Document, DocumentMut, InlineTable, Item, Table, Value};

pub use self::place::{ColumnPlace, Within};
use crate::files::LineColumn;

/// The largest number of columns of a text that are listed.
pub const COLUMNS_LISTED_MAX: usize = 2_048;

/// What a column declares, as texts for a person to change. A key that is not declared is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnFields {
    /// The column's name in SQL.
    pub name: String,
    /// A title for people to read.
    pub title: String,
    /// The type: category, decimal, integer, boolean, date or text.
    pub r#type: String,
    /// The values of a category, in order.
    pub values: Vec<String>,
    /// What the source contains and the value that it stands for, in order.
    pub labels: Vec<(String, String)>,
    /// The column of a public table that lists the values of a category.
    pub values_from: String,
    /// The least number or the first day.
    pub min: String,
    /// The greatest number or the last day.
    pub max: String,
    /// The grid of a number.
    pub step: String,
    /// How days are written in the source.
    pub format: String,
    /// The largest number of different texts.
    pub max_values: String,
    /// Whether each unit has one value.
    pub per_unit: bool,
    /// Whether a value may be missing.
    pub nullable: bool,
}

/// A column as the text declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredColumn {
    /// Where it stands.
    pub place: ColumnPlace,
    /// The name of the table that it is declared in; empty for the dataset's only table.
    pub table: String,
    /// Its first line and its last one, counted from 1.
    pub lines: (usize, usize),
    /// What it declares.
    pub fields: ColumnFields,
}

/// Why a column was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditFault {
    /// The text is not TOML, so that no column can be found in it.
    #[error("the text is not TOML; mend its faults first")]
    NotToml,
    /// There is no such column any more.
    #[error("the text has no such column any more; choose it again from the table")]
    NoColumn,
    /// A number of texts is no whole number.
    #[error("the largest number of different texts is not a whole number, like 10000")]
    MaxValues,
}

/// The columns that a text declares, in its order, at most [`COLUMNS_LISTED_MAX`]; `None` if it is not TOML.
#[must_use]
pub fn columns_in(text: &str) -> Option<Vec<DeclaredColumn>> {
    let document = Document::parse(text).ok()?;
    let root = document.as_table();
    let mut found = Vec::new();
    let mut take = |table: &str, within: Within, of: &Table| {
        for (index, column) in tables(of, "column").enumerate() {
            let start = column.span().map_or(0, |span| span.start);
            let lines = lines_from(text, start);
            let place = ColumnPlace { within, column: index };
            found.push(DeclaredColumn { place, table: table.to_owned(), lines, fields: fields(column) });
        }
    };
    take("", Within::Dataset, root);
    for (index, table) in tables(root, "table").enumerate() {
        take(&text_of(table, "name"), Within::Table(index), table);
    }
    for (index, table) in tables(root, "join").enumerate() {
        take(&text_of(table, "name"), Within::Join(index), table);
    }
    found.sort_by_key(|column| column.lines);
    found.truncate(COLUMNS_LISTED_MAX);
    Some(found)
}

/// The text with other fields in one of its columns. Keys that belong to columns of another type are removed.
///
/// # Errors
/// [`EditFault`].
pub fn with_column(text: &str, place: ColumnPlace, wanted: &ColumnFields) -> Result<String, EditFault> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditFault::NotToml)?;
    let column = column_mut(document.as_table_mut(), place).ok_or(EditFault::NoColumn)?;
    let present = fields(column);
    let keys = keys_of(&wanted.r#type);
    column.retain(|key, _| !TYPED.contains(&key) || keys.contains(&key));
    let has = |key: &str| keys.contains(&key);
    for (key, before, after) in [
        ("name", &present.name, &wanted.name),
        ("title", &present.title, &wanted.title),
        ("type", &present.r#type, &wanted.r#type),
        ("min", &present.min, &wanted.min),
        ("max", &present.max, &wanted.max),
        ("step", &present.step, &wanted.step),
        ("format", &present.format, &wanted.format),
        ("values_from", &present.values_from, &wanted.values_from),
    ] {
        let is_of_type = !TYPED.contains(&key) || has(key);
        if is_of_type && before != after {
            set(column, key, Some(after.as_str()).filter(|text| !text.is_empty()).map(Value::from));
        }
    }
    if has("values") && present.values != wanted.values {
        let list: Array = wanted.values.iter().map(String::as_str).collect();
        set(column, "values", (!list.is_empty()).then_some(Value::Array(list)));
    }
    if has("labels") && present.labels != wanted.labels {
        let table: InlineTable = wanted.labels.iter().map(|(text, value)| (text.as_str(), value.as_str())).collect();
        set(column, "labels", (!table.is_empty()).then_some(Value::InlineTable(table)));
    }
    if has("max_values") && present.max_values != wanted.max_values {
        let plain = wanted.max_values.replace('_', "");
        let count = (!plain.is_empty()).then(|| plain.parse::<i64>().map_err(|_| EditFault::MaxValues)).transpose()?;
        set(column, "max_values", count.map(Value::from));
    }
    for (key, before, after) in
        [("per_unit", present.per_unit, wanted.per_unit), ("nullable", present.nullable, wanted.nullable)]
    {
        if before != after {
            set(column, key, after.then_some(Value::from(true)));
        }
    }
    Ok(document.to_string())
}

/// Keys that belong to columns of some types only.
const TYPED: [&str; 12] = [
    "values",
    "labels",
    "values_from",
    "min",
    "max",
    "step",
    "format",
    "max_values",
    "max_groups_per_unit",
    "multiline",
    "true",
    "false",
];

/// Those of [`TYPED`] that a type has; all of them for a type that is not known.
fn keys_of(r#type: &str) -> &'static [&'static str] {
    match r#type {
        "category" => &["values", "labels", "values_from"],
        "boolean" => &["true", "false"],
        "decimal" | "integer" => &["min", "max", "step"],
        "date" => &["min", "max", "format"],
        "text" => &["max_values", "max_groups_per_unit", "multiline"],
        _ => &TYPED,
    }
}

/// Sets a key, or removes it. A comment behind the value stays.
fn set(column: &mut Table, key: &str, value: Option<Value>) {
    let Some(mut value) = value else {
        column.remove(key);
        return;
    };
    match column.get_mut(key) {
        Some(Item::Value(known)) => {
            *value.decor_mut() = known.decor().clone();
            *known = value;
        }
        _ => {
            column.insert(key, Item::Value(value));
        }
    }
}

fn column_mut(root: &mut Table, place: ColumnPlace) -> Option<&mut Table> {
    let of = match place.within {
        Within::Dataset => root,
        Within::Table(index) => root.get_mut("table")?.as_array_of_tables_mut()?.get_mut(index)?,
        Within::Join(index) => root.get_mut("join")?.as_array_of_tables_mut()?.get_mut(index)?,
    };
    of.get_mut("column")?.as_array_of_tables_mut()?.get_mut(place.column)
}

fn tables<'a>(of: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    of.get(key).and_then(Item::as_array_of_tables).into_iter().flat_map(|tables| tables.iter())
}

fn fields(column: &Table) -> ColumnFields {
    let text = |key: &str| text_of(column, key);
    let is = |key: &str| column.get(key).and_then(Item::as_bool).unwrap_or(false);
    let values = column.get("values").and_then(Item::as_array);
    let labels = column.get("labels").and_then(Item::as_table_like);
    ColumnFields {
        name: text("name"),
        title: text("title"),
        r#type: text("type"),
        values: values.into_iter().flatten().map(plain).collect(),
        labels: labels
            .into_iter()
            .flat_map(|labels| labels.iter())
            .map(|(key, item)| (key.to_owned(), item.as_value().map(plain).unwrap_or_default()))
            .collect(),
        values_from: text("values_from"),
        min: text("min"),
        max: text("max"),
        step: text("step"),
        format: text("format"),
        max_values: text("max_values"),
        per_unit: is("per_unit"),
        nullable: is("nullable"),
    }
}

fn text_of(table: &Table, key: &str) -> String {
    table.get(key).and_then(Item::as_value).map(plain).unwrap_or_default()
}

/// A value as a person types it into a field: texts without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.value().clone(),
        Value::Integer(number) => number.value().to_string(),
        Value::Datetime(moment) => moment.value().to_string(),
        Value::Float(_) | Value::Boolean(_) | Value::Array(_) | Value::InlineTable(_) => {
            value.clone().decorated("", "").to_string()
        }
    }
}

/// The lines of a column that begins at this byte: up to the next header of a table.
fn lines_from(text: &str, start: usize) -> (usize, usize) {
    let first = LineColumn::of(text, start).line;
    let is_header = |line: &str| line.starts_with('[');
    let rest = text.lines().skip(first).position(is_header);
    (first, rest.map_or_else(|| text.lines().count().max(first), |lines| first + lines))
}

#[cfg(test)]
#[path = "editing_tests.rs"]
mod tests;
