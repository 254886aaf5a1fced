//! `tacit schema`: JSON Schemas of the files that people write, for editors and for checks before a file is used.
//!
//! Every file that is accepted fits its schema. What a schema cannot express is checked by the readers of the files: `tacit
//! policy check`, `tacit plan`, `tacit serve`.

mod config;
mod declared;
mod policy;
mod query;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use strum::VariantArray;

use super::CommandFailure;
use crate::kernel::privacy::amounts::DECIMAL_CHARS_MAX;
use crate::terminal::say;

/// The kinds of files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, strum::Display, VariantArray)]
#[strum(serialize_all = "lowercase")]
enum Name {
    /// The server's configuration, tacit.toml.
    Config,
    /// The policy of a dataset.
    Policy,
    /// Files that declare people, projects, grants and statistics, for tacit plan and tacit apply.
    Declared,
    /// The headers of a query file, each as a text.
    Query,
}

impl Name {
    fn schema(self) -> Value {
        match self {
            Self::Config => config::schema(),
            Self::Policy => policy::schema(),
            Self::Declared => declared::schema(),
            Self::Query => query::schema(),
        }
    }
}

#[derive(Args)]
pub(super) struct SchemaOptions {
    /// The schema to print. By default all schemas are printed, in one object.
    #[arg(value_enum)]
    name: Option<Name>,
}

pub(super) fn run(options: &SchemaOptions) -> Result<(), CommandFailure> {
    let shown = match options.name {
        Some(name) => name.schema(),
        None => Name::VARIANTS.iter().map(|name| (name.to_string(), name.schema())).collect(),
    };
    say(format!("{shown:#}"));
    Ok(())
}

/// A decimal number of at least 0, as a text, which is exact where a float is not.
const DECIMAL: &str = "^[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";
/// A decimal number with an optional sign, as a text.
const SIGNED: &str = "^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";
/// Pattern of the names of datasets and columns.
const IDENTIFIER: &str = "^[a-z_][a-z0-9_]{0,62}$";
/// Pattern of the names of people and projects.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$";

/// A whole schema: an object with a name and a title.
fn document(name: &str, title: &str, object: Value) -> Value {
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:tacit:schema:{name}"),
        "title": title
    });
    if let (Value::Object(document), Value::Object(object)) = (&mut document, object) {
        document.extend(object);
    }
    document
}

/// An object with these keys and no others.
fn object(about: &str, properties: Value, required: &[&str]) -> Value {
    json!({
        "description": about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

fn text(about: &str) -> Value {
    json!({"description": about, "type": "string"})
}

/// A text that must not be empty.
fn path(about: &str) -> Value {
    json!({"description": about, "type": "string", "minLength": 1})
}

fn matching(about: &str, pattern: &str) -> Value {
    json!({"description": about, "type": "string", "pattern": pattern})
}

fn decimal(about: &str) -> Value {
    json!({"description": about, "type": "string", "pattern": DECIMAL, "maxLength": DECIMAL_CHARS_MAX})
}

fn flag(about: &str) -> Value {
    json!({"description": about, "type": "boolean", "default": false})
}

fn whole(about: &str, most: i64) -> Value {
    json!({"description": about, "type": "integer", "minimum": 1, "maximum": most})
}

fn one_of<T: Copy + Into<&'static str>>(about: &str, values: &[T]) -> Value {
    let words: Vec<&str> = values.iter().map(|value| (*value).into()).collect();
    json!({"description": about, "type": "string", "enum": words})
}

fn list(about: &str, items: Value) -> Value {
    json!({"description": about, "type": "array", "items": items})
}

#[cfg(test)]
#[path = "schema/schema_tests.rs"]
mod tests;
