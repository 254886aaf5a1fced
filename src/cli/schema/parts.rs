//! Parts that the schemas are built from: patterns of names and numbers, and descriptions of values.

use serde_json::{Value, json};

use crate::kernel::privacy::amounts::DECIMAL_CHARS_MAX;

/// A decimal number of at least 0, as a text, which is exact where a float is not.
pub(super) const DECIMAL: &str = "^[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";
/// A decimal number with an optional sign, as a text.
pub(super) const SIGNED: &str = "^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";
/// Pattern of the names of datasets and columns.
pub(super) const IDENTIFIER: &str = "^[a-z_][a-z0-9_]{0,62}$";
/// Pattern of the names of people and projects.
pub(super) const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$";

/// A whole schema: an object with a name and a title.
pub(super) fn document(name: &str, title: &str, object: Value) -> Value {
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
pub(super) fn object(about: &str, properties: Value, required: &[&str]) -> Value {
    json!({
        "description": about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

pub(super) fn text(about: &str) -> Value {
    json!({"description": about, "type": "string"})
}

/// A text that must not be empty.
pub(super) fn path(about: &str) -> Value {
    json!({"description": about, "type": "string", "minLength": 1})
}

pub(super) fn matching(about: &str, pattern: &str) -> Value {
    json!({"description": about, "type": "string", "pattern": pattern})
}

pub(super) fn decimal(about: &str) -> Value {
    json!({"description": about, "type": "string", "pattern": DECIMAL, "maxLength": DECIMAL_CHARS_MAX})
}

pub(super) fn flag(about: &str) -> Value {
    json!({"description": about, "type": "boolean", "default": false})
}

pub(super) fn whole(about: &str, most: i64) -> Value {
    json!({"description": about, "type": "integer", "minimum": 1, "maximum": most})
}

pub(super) fn one_of<T: Copy + Into<&'static str>>(about: &str, values: &[T]) -> Value {
    let words: Vec<&str> = values.iter().map(|value| (*value).into()).collect();
    json!({"description": about, "type": "string", "enum": words})
}

pub(super) fn list(about: &str, items: Value) -> Value {
    json!({"description": about, "type": "array", "items": items})
}
