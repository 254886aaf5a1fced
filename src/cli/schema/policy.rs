//! The schema of a policy.
//!
//! It has exactly the keys of `crate::dataset::policy`, and it says which of them go together.

use serde_json::{Value, json};

use super::parts::{SIGNED, decimal, document, flag, list, matching, object, one_of, path, text, whole};
use crate::kernel::privacy::amounts::DECIMAL_CHARS_MAX;
use crate::query::terms::policy::IDENTIFIER_PATTERN;
use crate::query::terms::policy::limits::{
    COLUMNS_MAX, MIN_CELL_MAX, PAD_MS_MAX, ROWS_MAX, ROWS_PER_UNIT_MAX, TEXTS_MAX, VALUE_CHARS_MAX, VALUES_MAX,
};

pub(super) fn schema() -> Value {
    let properties = json!({
        "dataset": {"$ref": "#/$defs/dataset"},
        "column": columns("every column that may be asked about"),
        "join": list("tables of one row a unit", json!({"$ref": "#/$defs/join"}))
    });
    let mut policy = object("a dataset's source, its columns and its lifetime cap", properties, &["dataset", "column"]);
    policy["allOf"] = json!([{
        "if": {"properties": {"dataset": {"properties": {"privacy_unit": {"const": "row"}}}}},
        "then": {"properties": {"join": {"maxItems": 0}}}
    }]);
    policy["$defs"] = json!({"dataset": dataset(), "column": column(), "join": join()});
    document("policy", "the policy of a dataset", policy)
}

fn columns(about: &str) -> Value {
    let mut columns = list(about, json!({"$ref": "#/$defs/column"}));
    columns["minItems"] = json!(1);
    columns["maxItems"] = json!(COLUMNS_MAX);
    columns
}

fn dataset() -> Value {
    let properties = json!({
        "name": matching("the name in FROM", IDENTIFIER_PATTERN),
        "title": text("a title for people to read"),
        "source": source("a file, a folder, a pattern like visits/**/*.parquet, or a table with more details"),
        "privacy_unit": matching("what the guarantee protects: the column with the unit's id, or row", IDENTIFIER_PATTERN),
        "unit_source": text("the name of the unit's column in the sources, if it differs"),
        "time_zone": text("the time zone of the data's events, like Europe/Berlin, if the source has their moments in UTC"),
        "missing": texts("texts that mean a missing value, in all columns"),
        "conflicts": one_of("what to do with rows of a unit that contradict each other in a column of one value a unit; by default count", &["count", "refuse"]),
        "exclude": text("a file of units that asked to be left out"),
        "max_rows_per_unit": whole("largest number of a unit's rows that count", ROWS_PER_UNIT_MAX),
        "max_rows": whole("largest number of rows in the table", ROWS_MAX),
        "accountant": one_of("how losses add up; by default gaussian", &["gaussian", "pure"]),
        "cap": cap(),
        "max_epsilon_per_query": decimal("the most that one query may cost; by default the cap"),
        "oversubscribe": flag("allocations may sum to more than the cap"),
        "pad_ms": whole("the quantum that answers are padded to, in milliseconds", PAD_MS_MAX),
        "min_cell": whole("the smallest count that is shown", MIN_CELL_MAX),
        "threshold_delta": decimal("the part of the cap's delta that is set aside for texts without a list"),
        "threshold_delta_per_query": decimal("what one query may take of threshold_delta; by default a hundredth")
    });
    let required = ["name", "source", "privacy_unit", "max_rows", "cap"];
    let mut dataset = object("the table and its guarantee", properties, &required);
    dataset["dependentRequired"] = json!({"threshold_delta_per_query": ["threshold_delta"]});
    dataset["allOf"] = json!([of_units(), of_accountants()]);
    dataset
}

fn cap() -> Value {
    let properties = json!({
        "epsilon": decimal("the epsilon of the lifetime guarantee, above 0 and at most 100"),
        "delta": decimal("its delta, from 1e-18 to 0.01; the pure accountant has none")
    });
    object("the lifetime cap, which can only rise", properties, &["epsilon"])
}

/// A path, or a table with more details of a file or with a database query.
fn source(about: &str) -> Value {
    let properties = json!({
        "file": path("a file, a folder, or a pattern like visits/**/*.parquet"),
        "files": {"description": "several files, folders or patterns", "anyOf": [{"type": "string"}, texts("paths")]},
        "postgresql": text("a database, like host=… dbname=… user=…; the password comes from PGPASSWORD or ~/.pgpass"),
        "query": text("the query that reads the database"),
        "separator": text("the character between fields, like ;"),
        "decimal": one_of("the character before decimals", &[".", ","]),
        "encoding": text("utf-8, utf-16, latin-1 or windows-1252"),
        "header": flag("the first line names the columns; by default true"),
        "quoted": flag("values may be quoted; by default true"),
        "multiline": texts("undeclared columns of the file whose quoted values may contain line ends"),
        "sheet": text("the sheet of a workbook")
    });
    json!({"anyOf": [path(about), object("a source with more details", properties, &[])]})
}

fn texts(about: &str) -> Value {
    list(about, json!({"type": "string"}))
}

/// If every row is a unit, no unit can be excluded and each has one row.
fn of_units() -> Value {
    json!({
        "if": {"properties": {"privacy_unit": {"const": "row"}}},
        "then": {"properties": {"exclude": false, "max_rows_per_unit": {"const": 1}}},
        "else": {"required": ["max_rows_per_unit"]}
    })
}

/// The gaussian accountant needs a δ, the pure one has none.
fn of_accountants() -> Value {
    json!({
        "if": {"properties": {"accountant": {"const": "pure"}}, "required": ["accountant"]},
        "then": {
            "properties": {
                "cap": {"properties": {"delta": false}},
                "threshold_delta": false,
                "threshold_delta_per_query": false
            }
        },
        "else": {"properties": {"cap": {"required": ["delta"]}}}
    })
}

fn join() -> Value {
    let properties = json!({
        "name": matching("the name in JOIN", IDENTIFIER_PATTERN),
        "source": source("where its rows are read from, one per unit"),
        "column": columns("every column of the table that may be asked about")
    });
    object("a table of one row a unit", properties, &["name", "source", "column"])
}

/// A column of each type, with the keys that belong to the type.
fn column() -> Value {
    let step = || number("the grid that values lie on");
    let of_texts = json!({
        "max_values": whole("largest number of different texts; by default 10000", TEXTS_MAX),
        "max_groups_per_unit": whole("largest number of a unit's texts that count", ROWS_PER_UNIT_MAX),
        "multiline": flag("a text may contain line ends")
    });
    let mut category = of("category", json!({"values": values(), "labels": labels()}), &[]);
    category["anyOf"] = json!([{"required": ["values"]}, {"required": ["labels"]}]);
    let types = [
        category,
        of("boolean", json!({"true": texts("texts that mean true"), "false": texts("texts that mean false")}), &[]),
        of(
            "decimal",
            json!({"min": number("the least value"), "max": number("the greatest value"), "step": step()}),
            &["min", "max", "step"],
        ),
        of(
            "integer",
            json!({"min": number("the least value"), "max": number("the greatest value"), "step": step()}),
            &["min", "max"],
        ),
        of(
            "date",
            json!({"min": date("the first day"), "max": date("the last day"), "format": text("how days are written, as a strptime format like %d/%m/%Y")}),
            &["min", "max"],
        ),
        of("text", of_texts, &[]),
    ];
    json!({"description": "a column that may be asked about", "oneOf": types})
}

fn of(kind: &str, keys: Value, required: &[&str]) -> Value {
    let mut properties = json!({
        "name": matching("the column's name", IDENTIFIER_PATTERN),
        "title": text("a title for people to read"),
        "source": text("the column's name in the source, if it differs"),
        "missing": texts("texts that mean a missing value in this column"),
        "type": {"description": "the type of its values", "const": kind},
        "per_unit": flag("all rows of a unit have the same value"),
        "nullable": flag("a row may have no value")
    });
    if let (Value::Object(properties), Value::Object(keys)) = (&mut properties, keys) {
        properties.extend(keys);
    }
    let required = [&["name", "type"][..], required].concat();
    object(&format!("a column of type {kind}"), properties, &required)
}

fn labels() -> Value {
    json!({
        "description": "what the source contains, and the value that it stands for",
        "type": "object", "additionalProperties": {"type": "string", "maxLength": VALUE_CHARS_MAX}
    })
}

fn values() -> Value {
    let value = json!({"type": "string", "maxLength": VALUE_CHARS_MAX});
    let mut values = list("every value, known without looking at the data", value);
    values["minItems"] = json!(1);
    values["maxItems"] = json!(VALUES_MAX);
    values["uniqueItems"] = json!(true);
    values
}

/// An exact number: a decimal as a text, or a whole number.
fn number(about: &str) -> Value {
    let decimal = json!({"type": "string", "pattern": SIGNED, "maxLength": DECIMAL_CHARS_MAX});
    json!({"description": about, "anyOf": [decimal, {"type": "integer"}]})
}

fn date(about: &str) -> Value {
    json!({"description": about, "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
}
