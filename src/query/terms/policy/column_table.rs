//! The shape of one `[[column]]` of a policy file.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::limits::{ROWS_PER_UNIT_MAX, TEXTS_MAX, VALUE_CHARS_MAX, VALUES_MAX};
use super::names::{IDENTIFIER_PATTERN, QUALIFIED_PATTERN};
use super::typical::TypicalTable;
use crate::kernel::privacy::amounts::{DECIMAL_CHARS_MAX, SIGNED_PATTERN};

/// A column that may be asked about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = by_type)]
pub(super) struct ColumnTable {
    /// The column's name.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    pub(super) name: Spanned<String>,
    /// A title for people to read.
    pub(super) title: Option<String>,
    /// The type of its values.
    #[schemars(with = "String")]
    pub(super) r#type: Spanned<String>,
    /// Every value of a category, known without looking at the data.
    #[schemars(with = "Option<Vec<String>>", length(min = 1, max = VALUES_MAX), inner(length(max = VALUE_CHARS_MAX)), extend("uniqueItems" = true))]
    pub(super) values: Option<Spanned<Vec<Spanned<String>>>>,
    /// A column of a public table whose different values are those of a category, like concept.concept_id.
    #[schemars(with = "Option<String>", regex(pattern = QUALIFIED_PATTERN))]
    pub(super) values_from: Option<Spanned<String>>,
    /// The least value, or the first day.
    #[schemars(with = "Option<Value>")]
    pub(super) min: Option<Spanned<toml::Value>>,
    /// The greatest value, or the last day.
    #[schemars(with = "Option<Value>")]
    pub(super) max: Option<Spanned<toml::Value>>,
    /// The grid that values lie on.
    #[schemars(with = "Option<Value>")]
    pub(super) step: Option<Spanned<toml::Value>>,
    /// The largest number of different texts; by default 10000.
    #[schemars(with = "Option<i64>", range(min = 1, max = TEXTS_MAX))]
    pub(super) max_values: Option<Spanned<i64>>,
    /// The largest number of a unit's texts that count.
    #[schemars(with = "Option<i64>", range(min = 1, max = ROWS_PER_UNIT_MAX))]
    pub(super) max_groups_per_unit: Option<Spanned<i64>>,
    /// All rows of a unit have the same value.
    #[serde(default)]
    pub(super) per_unit: bool,
    /// A row may have no value.
    #[serde(default)]
    pub(super) nullable: bool,
    /// The column's name in the source, if it differs.
    #[schemars(with = "Option<String>", length(min = 1))]
    pub(super) source: Option<Spanned<String>>,
    /// Texts that mean a missing value in this column.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) missing: Option<Spanned<Vec<String>>>,
    /// How days are written, as a strptime format like %d/%m/%Y.
    #[schemars(with = "Option<String>")]
    pub(super) format: Option<Spanned<String>>,
    /// Texts that mean true.
    #[serde(rename = "true")]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub(super) yes: Option<Spanned<Vec<String>>>,
    /// Texts that mean false.
    #[serde(rename = "false")]
    #[schemars(with = "Option<Vec<String>>", length(min = 1))]
    pub(super) no: Option<Spanned<Vec<String>>>,
    /// What the source contains, and the value that it stands for.
    #[schemars(with = "Option<BTreeMap<String, String>>", extend("additionalProperties" = {"type": "string", "maxLength": VALUE_CHARS_MAX}))]
    pub(super) labels: Option<Spanned<toml::Table>>,
    /// A public statement of how the values lie, for the errors that quotes expect.
    #[schemars(with = "Option<TypicalTable>")]
    pub(super) typical: Option<Spanned<TypicalTable>>,
    /// A text may contain line ends.
    #[schemars(with = "Option<bool>")]
    pub(super) multiline: Option<Spanned<bool>>,
}

/// Adds to the schema of a column which keys belong to which type, and what their values are there.
fn by_type(schema: &mut Schema) {
    let exact = json!({"anyOf": [
        {"type": "string", "pattern": SIGNED_PATTERN, "maxLength": DECIMAL_CHARS_MAX},
        {"type": "integer"}
    ]});
    let day = json!({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"});
    let numbers = json!({"min": exact, "max": exact, "step": exact, "typical": true});
    let types = [
        (
            "category",
            json!({"values": true, "values_from": true, "labels": true}),
            json!({
                "anyOf": [{"required": ["values"]}, {"required": ["values_from"]}, {"required": ["labels"]}],
                "if": {"required": ["values"]},
                "then": {"properties": {"values_from": false}}
            }),
        ),
        (
            "boolean",
            json!({"true": true, "false": true}),
            json!({"dependentRequired": {"true": ["false"], "false": ["true"]}}),
        ),
        ("decimal", numbers.clone(), json!({"required": ["min", "max", "step"]})),
        ("integer", numbers, json!({"required": ["min", "max"]})),
        ("date", json!({"min": day, "max": day, "format": true}), json!({"required": ["min", "max"]})),
        ("text", json!({"max_values": true, "max_groups_per_unit": true, "multiline": true}), json!({})),
    ];
    let all: BTreeSet<String> =
        types.iter().flat_map(|(_, keys, _)| keys.as_object()).flat_map(Map::keys).cloned().collect();
    let of = |(kind, keys, mut rules): (&str, Value, Value)| {
        let own = |key: &String| (key.clone(), keys.get(key).cloned().unwrap_or(Value::Bool(false)));
        let mut properties: Map<String, Value> = all.iter().map(own).collect();
        properties.insert("type".to_owned(), json!({"const": kind}));
        rules["properties"] = Value::Object(properties);
        rules
    };
    schema.insert("oneOf".to_owned(), types.into_iter().map(of).collect());
}
