//! Parts that the schemas are built from: patterns of names and numbers, and descriptions of values.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::kernel::privacy::amounts::{DECIMAL_CHARS_MAX, DECIMAL_PATTERN};

/// A decimal number with an optional sign, as a text.
pub(super) const SIGNED: &str = "^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";
/// The schema of a file, as the types that read it declare it.
pub(super) fn derived<T: JsonSchema>(name: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let generator = settings.with_transform(RecursiveTransform(without_null)).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("urn:tacit:schema:{name}").into());
    schema.to_value()
}

/// An optional key is left out if it has no value, as TOML has no null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if types.len() == 1 {
            let kind = types.remove(0);
            schema.insert("type".to_owned(), kind);
        }
    }
}

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
    json!({"description": about, "type": "string", "pattern": DECIMAL_PATTERN, "maxLength": DECIMAL_CHARS_MAX})
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
