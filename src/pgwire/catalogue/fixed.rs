//! What PostgreSQL 15 itself brings along: the columns of its catalogue, its types, and some rows of its tables. Read from `data`.

use std::collections::HashMap;

use rusqlite::types::Value;

use super::relation::{Attribute, Relation, Source};
use crate::pgwire::free::kind::Base;

const RELATIONS: &str = include_str!("data/relations.tsv");
const ROWS: &str = include_str!("data/rows.tsv");

/// Rows of one table: the names of the columns that have values, and the values as PostgreSQL's `COPY` writes them.
#[derive(Debug)]
pub(crate) struct FixedRows {
    names: Vec<&'static str>,
    rows: Vec<Vec<&'static str>>,
}

/// A type of PostgreSQL's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FixedType {
    /// The type's object id.
    pub(crate) oid: i64,
    /// Its name in the catalogue.
    pub(crate) name: &'static str,
    /// The object id of its elements; 0 if it is no array.
    pub(crate) element: i64,
    /// Whether it is an array of the elements, and not a vector.
    pub(crate) is_array: bool,
    /// The number of bytes of a value; -1 if it varies.
    pub(crate) length: i64,
    /// The collation; 0 if it has none.
    pub(crate) collation: i64,
    /// Whether values are passed by value.
    pub(crate) by_value: bool,
    /// The alignment's letter.
    pub(crate) align: &'static str,
    /// The storage's letter.
    pub(crate) storage: &'static str,
}

/// Everything that is fixed.
#[derive(Debug)]
pub(crate) struct Fixed {
    /// The tables of `pg_catalog` and `information_schema`.
    pub(crate) relations: Vec<Relation>,
    /// PostgreSQL 15's own types, with their OIDs.
    pub(crate) types: Vec<FixedType>,
    rows: HashMap<&'static str, FixedRows>,
}

impl Fixed {
    /// Reads the files.
    pub(crate) fn read() -> Self {
        let rows = rows();
        Self { relations: relations(), types: types(&rows), rows }
    }

    /// The fixed rows of a table, with a value for each of its columns.
    pub(crate) fn rows_of(&self, relation: &Relation) -> Vec<Vec<Value>> {
        let Some(fixed) = self.rows.get(relation.name.as_str()) else { return Vec::new() };
        let places: Vec<Option<usize>> =
            relation.columns.iter().map(|column| fixed.names.iter().position(|name| *name == column.name)).collect();
        let row = |row: &Vec<&'static str>| {
            let cells = relation.columns.iter().zip(&places);
            cells
                .map(|(column, place)| match place.and_then(|place| row.get(place)) {
                    Some(text) => value(text, column),
                    None => default(column),
                })
                .collect()
        };
        fixed.rows.iter().map(row).collect()
    }

    /// The names of PostgreSQL's settings.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rows
            .get("pg_settings")
            .into_iter()
            .flat_map(|settings| &settings.rows)
            .filter_map(|row| row.first().copied())
    }

    /// PostgreSQL's own value of a setting.
    pub(crate) fn setting(&self, name: &str) -> Option<&'static str> {
        let rows = &self.rows.get("pg_settings")?.rows;
        rows.iter().find(|row| row.first().is_some_and(|known| known.eq_ignore_ascii_case(name)))?.get(1).copied()
    }

    /// The types of a function's value and of its arguments.
    pub(crate) fn proc_types(&self, oid: i64) -> Option<(i64, Vec<i64>)> {
        let procs = self.rows.get("pg_proc")?;
        let place = |name: &str| procs.names.iter().position(|known| *known == name);
        let (result, arguments) = (place("prorettype")?, place("proargtypes")?);
        let oid = oid.to_string();
        let row = procs.rows.iter().find(|row| row.first() == Some(&oid.as_str()))?;
        let of = row.get(arguments)?.split_whitespace().filter_map(|of| of.parse().ok()).collect();
        Some((row.get(result)?.parse().ok()?, of))
    }

    /// Names and object ids of the functions.
    pub(crate) fn procs(&self) -> impl Iterator<Item = (&'static str, i64)> + '_ {
        let rows = self.rows.get("pg_proc").map_or(&[][..], |procs| &procs.rows[..]);
        rows.iter().filter_map(|row| Some((*row.get(1)?, row.first()?.parse().ok()?)))
    }
}

/// The value of a column that no row says anything about: 0, false or an empty text if it must have one.
pub(crate) fn default(column: &Attribute) -> Value {
    if !column.is_required {
        return Value::Null;
    }
    if column.kind.element().is_some() {
        return Value::Text("[]".to_owned());
    }
    match column.kind.base {
        Base::Float4 | Base::Float8 => Value::Real(0.0),
        base if base.is_text() => Value::Text(String::new()),
        _ => Value::Integer(0),
    }
}

fn value(text: &str, column: &Attribute) -> Value {
    if text == "\\N" {
        return Value::Null;
    }
    let text = text.replace("\\\\", "\\");
    if let Some(element) = column.kind.element() {
        let inner = text.trim_matches(['{', '}']);
        let parts = inner.split([',', ' ']).filter(|part| !part.is_empty());
        let json = |part: &str| match part.parse::<i64>() {
            Ok(number) if !element.base.is_text() => number.into(),
            _ => serde_json::Value::String(part.trim_matches('"').to_owned()),
        };
        return Value::Text(serde_json::Value::Array(parts.map(json).collect()).to_string());
    }
    match column.kind.base {
        Base::Bool => Value::Integer(i64::from(text == "t")),
        Base::RegProc if text == "-" => Value::Integer(0),
        Base::Float4 | Base::Float8 => Value::Real(text.parse().unwrap_or_default()),
        base if base.is_whole() => Value::Integer(text.parse().unwrap_or_default()),
        _ => Value::Text(text),
    }
}

fn relations() -> Vec<Relation> {
    let mut found: Vec<Relation> = Vec::new();
    for line in RELATIONS.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        match (parts.as_slice(), found.last_mut()) {
            (["#", oid, schema, name, relkind], _) => found.push(Relation {
                oid: oid.parse().unwrap_or_default(),
                schema: (*schema).to_owned(),
                name: (*name).to_owned(),
                relkind: if *relkind == "v" { "v" } else { "r" },
                comment: None,
                columns: Vec::new(),
                source: Source::System,
            }),
            ([name, type_name, required], Some(relation)) => {
                let is_required = *required == "1";
                relation.columns.push(Attribute { is_required, ..Attribute::new(*name, type_name) });
            }
            _ => {}
        }
    }
    found
}

fn rows() -> HashMap<&'static str, FixedRows> {
    let mut found = HashMap::new();
    let mut table = "";
    for line in ROWS.lines() {
        let mut parts = line.split('\t');
        if let Some(rest) = line.strip_prefix("#\t") {
            let mut names = rest.split('\t');
            table = names.next().unwrap_or_default();
            found.insert(table, FixedRows { names: names.collect(), rows: Vec::new() });
        } else if let Some(rows) = found.get_mut(table) {
            rows.rows.push(parts.by_ref().collect());
        }
    }
    found
}

fn types(rows: &HashMap<&'static str, FixedRows>) -> Vec<FixedType> {
    let Some(types) = rows.get("pg_type") else { return Vec::new() };
    let place = |name: &str| types.names.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    let places =
        ["oid", "typname", "typelem", "typlen", "typcollation", "typbyval", "typalign", "typstorage", "typcategory"];
    let places = places.map(place);
    let of = |row: &Vec<&'static str>| {
        let text = |at: usize| row.get(places[at]).copied().unwrap_or_default();
        let number = |at: usize| text(at).parse().unwrap_or_default();
        FixedType {
            oid: number(0),
            name: text(1),
            element: number(2),
            is_array: text(8) == "A" && text(1).starts_with('_'),
            length: number(3),
            collation: number(4),
            by_value: text(5) == "t",
            align: text(6),
            storage: text(7),
        }
    };
    types.rows.iter().map(of).collect()
}
