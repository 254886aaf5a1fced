//! Tests that accepted files fit their schema, and that files with misspelt or missing keys do not.

use serde_json::{Map, Value};

use strum::VariantArray;

use super::Name;
use crate::config::Config;
use crate::query::file::QueryFile;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::Policy;
use crate::service::stewarding::declared::{self, DeclaredFile};

const CONFIG: &str = r#"
listen = "127.0.0.1:8080"
allow_plaintext = true
public_url = "https://tacit.clinic.example"
state_dir = "state"
anchor = "elsewhere/anchor"
queries_dir = "queries"
policies = ["visits.toml"]
[tls]
certificate = "tls.crt"
key = "tls.key"
[statistics]
time_zone = "Europe/Berlin"
origins = ["*", "https://clinic.example"]
[[webhook]]
url = "https://hooks.example/tacit"
secret_file = "hook.secret"
events = ["spent-80", "refused"]
[uploads]
bytes_max = 1_000_000
count_max = 5
days_max = 1
[operator]
name = "The data office of St. Mary's"
contact = "data@mary.example"
address = "1 Main Street"
basis = "Art. 9(2)(j) GDPR"
withdraw = "Write to us."
"#;

const POLICY: &str = r#"
[dataset]
name = "visits"
source = "visits.csv"
privacy_unit = "patient_id"
max_rows_per_unit = 4
max_rows = 1000
cap = { epsilon = "1", delta = "1e-9" }
[[column]]
name = "smoker"
type = "boolean"
"#;

/// A policy whose rows are the units, with columns that list no values.
const BY_ROW: &str = r#"
[dataset]
name = "visits"
source = { files = ["2024.csv", "2025.csv"] }
privacy_unit = "row"
max_rows = 1000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "age"
type = "integer"
min = "0"
max = 120
per_unit = true
[[column]]
name = "cost"
type = "decimal"
min = "-1.5"
max = "1e3"
step = "0.5"
nullable = true
"#;

/// A policy with every key that describes how a source is written.
const AS_WRITTEN: &str = r#"
[dataset]
name = "visits"
source = { file = "visits.csv", separator = ";", decimal = ",", encoding = "windows-1252", header = true, quoted = true, multiline = ["Notes"] }
privacy_unit = "patient_id"
unit_source = "Patient ID"
time_zone = "Europe/Berlin"
missing = ["NA", "-1"]
conflicts = "refuse"
max_rows_per_unit = 4
max_rows = 1000
cap = { epsilon = "1", delta = "1e-9" }
[[column]]
name = "smoker"
source = "Smoker?"
type = "boolean"
true = ["J"]
false = ["N"]
[[column]]
name = "sex"
type = "category"
missing = ["9"]
labels = { "0" = "f", "1" = "m" }
[[column]]
name = "born"
type = "date"
min = 1900-01-01
max = 2025-12-31
format = "%d/%m/%Y"
[[column]]
name = "note"
type = "text"
multiline = true
[[join]]
name = "patients"
source = { postgresql = "host=db dbname=clinic", query = "SELECT * FROM patients" }
[[join.column]]
name = "insurer"
type = "category"
values = ["private", "public"]
"#;

/// A policy with several tables, and with a public one.
const SEVERAL: &str = r#"
[dataset]
name = "clinic"
privacy_unit = "patient_id"
cap = { epsilon = "1", delta = "1e-9" }
[[table]]
name = "patients"
title = "Patients"
source = "patients.csv"
one_row_per_unit = true
max_rows = 1000
[[table.column]]
name = "insurer"
type = "category"
values_from = "insurers.code"
labels = { "9" = "a" }
[[table]]
name = "visits"
source = { file = "visits.csv", separator = ";" }
max_rows_per_unit = 4
max_rows = 4000
[[table.column]]
name = "cost"
type = "integer"
min = 0
max = 100
[[public]]
name = "insurers"
source = "insurers.csv"
columns = ["code"]
"#;

const DECLARED: &str = r#"
[[person]]
name = "ada"
role = "researcher"
[[person]]
name = "vic"
role = "viewer"
datasets = ["visits"]
[[project]]
name = "heart"
dataset = "visits"
epsilon = "1"
[[grant]]
researcher = "ada"
dataset = "visits"
project = "heart"
epsilon = "0.5"
period_days = 30
reason = "thesis"
[[statistics]]
dataset = "visits"
epsilon = "1"
period_days = 365
"#;

const DEMO: &str = include_str!("../../demo/visits.toml");
const RANDHIE: &str = include_str!("../../../tests/data/randhie.toml");
const BY_REGION: &str = include_str!("../../../queries/01-visits-by-region.sql");
const BY_DRUG: &str = include_str!("../../../queries/14-patients-by-drug.sql");

/// TOML as JSON; a date becomes its text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json_of(value))).collect(),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(whole) => whole.into(),
        toml::Value::Float(float) => float.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
    }
}

fn headers(sql: &str) -> Value {
    let lines = sql.lines().map_while(|line| line.strip_prefix("-- ")?.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), Value::from(value.trim()))).collect()
}

fn list(given: &Value) -> &[Value] {
    given.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        other => panic!("the schema says type {other:?}"),
    }
}

fn has_all(object: &Map<String, Value>, keys: &Value) -> bool {
    list(keys).iter().all(|key| key.as_str().is_some_and(|key| object.contains_key(key)))
}

/// Whether a value fits a schema, as far as our schemas use JSON Schema. Patterns are not checked.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let Value::Object(rules) = schema else { return *schema == Value::Bool(true) };
    rules.iter().all(|(rule, given)| holds(root, rules, (rule.as_str(), given), value))
}

fn holds(root: &Value, rules: &Map<String, Value>, (rule, given): (&str, &Value), value: &Value) -> bool {
    let (object, items) = (value.as_object(), value.as_array());
    let fitting = || list(given).iter().filter(|schema| fits(root, schema, value)).count();
    let bound = given.as_u64().unwrap_or_default();
    match rule {
        "$ref" => {
            let name = given.as_str().and_then(|name| name.strip_prefix('#')).expect("a name");
            fits(root, root.pointer(name).expect("a definition"), value)
        }
        "type" => is_type(given, value),
        "const" => value == given,
        "enum" => list(given).contains(value),
        "required" => object.is_none_or(|object| has_all(object, given)),
        "properties" => object.is_none_or(|object| {
            object.iter().all(|(key, value)| given.get(key).is_none_or(|schema| fits(root, schema, value)))
        }),
        "additionalProperties" => object.is_none_or(|object| {
            let is_named = |key: &String| rules.get("properties").is_some_and(|named| named.get(key).is_some());
            object.iter().all(|(key, value)| is_named(key) || fits(root, given, value))
        }),
        "dependentRequired" => object.is_none_or(|object| {
            let needs = given.as_object().expect("keys").iter();
            needs.filter(|(key, _)| object.contains_key(*key)).all(|(_, keys)| has_all(object, keys))
        }),
        "items" => items.is_none_or(|items| items.iter().all(|item| fits(root, given, item))),
        "minItems" => items.is_none_or(|items| items.len() as u64 >= bound),
        "maxItems" => items.is_none_or(|items| items.len() as u64 <= bound),
        "minimum" => value.as_i64().is_none_or(|whole| u64::try_from(whole).is_ok_and(|whole| whole >= bound)),
        "maximum" => value.as_i64().is_none_or(|whole| u64::try_from(whole).is_ok_and(|whole| whole <= bound)),
        "allOf" => fitting() == list(given).len(),
        "anyOf" => fitting() > 0,
        "oneOf" => fitting() == 1,
        "if" => {
            let branch = if fits(root, given, value) { "then" } else { "else" };
            rules.get(branch).is_none_or(|schema| fits(root, schema, value))
        }
        "then" | "else" | "$defs" | "$schema" | "$id" | "title" | "description" | "default" => true,
        "pattern" | "format" | "minLength" | "maxLength" | "uniqueItems" => true,
        other => panic!("the schema says {other}, which is not looked at here"),
    }
}

/// A column of a public table that has the value `a` in its only row.
fn list_of_one(name: &str) -> (Column, Vec<Option<i64>>) {
    let domain = Domain::Category(vec!["a".to_owned()].into());
    (Column { name: name.to_owned(), title: None, domain, per_unit: false, nullable: false }, vec![Some(0)])
}

/// Whether the reader of such files accepts the text.
fn is_taken(name: Name, text: &str) -> bool {
    match name {
        Name::Config => {
            let dir = tempfile::tempdir().expect("a folder");
            let path = dir.path().join("tacit.toml");
            std::fs::write(&path, text).expect("a file");
            Config::load(&path).is_ok()
        }
        Name::Policy => {
            Policy::parse_with(text, &mut |_, names| Ok(names.iter().map(|name| list_of_one(name)).collect())).is_ok()
        }
        Name::Declared => declared::parse(&[DeclaredFile { name: "a.toml".to_owned(), text: text.to_owned() }]).is_ok(),
        Name::Query => QueryFile::parse(text).is_ok(),
    }
}

fn is_fitting(name: Name, text: &str) -> bool {
    let value = match name {
        Name::Query => headers(text),
        Name::Config | Name::Policy | Name::Declared => {
            json_of(toml::Value::Table(toml::from_str(text).expect("TOML")))
        }
    };
    let schema = name.schema();
    fits(&schema, &schema, &value)
}

#[test]
fn what_is_taken_fits_its_schema() {
    for (name, text) in [
        (Name::Config, CONFIG),
        (Name::Config, "state_dir = \"s\"\npolicies = []"),
        (Name::Policy, POLICY),
        (Name::Policy, AS_WRITTEN),
        (Name::Policy, SEVERAL),
        (Name::Policy, BY_ROW),
        (Name::Policy, DEMO),
        (Name::Policy, RANDHIE),
        (Name::Declared, DECLARED),
        (Name::Declared, ""),
        (Name::Query, BY_REGION),
        (Name::Query, BY_DRUG),
    ] {
        assert!(is_taken(name, text), "{text}");
        assert!(is_fitting(name, text), "{text}");
    }
}

#[test]
fn what_is_misspelt_or_left_out_does_not_fit() {
    let swapped = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for (name, text) in [
        (Name::Config, swapped(CONFIG, "state_dir", "statedir")),
        (Name::Config, swapped(CONFIG, "[tls]", "[limits]\n[tls]")),
        (Name::Config, swapped(CONFIG, "spent-80", "spent-90")),
        (Name::Config, swapped(CONFIG, "key = \"tls.key\"", "")),
        (Name::Config, swapped(CONFIG, "basis =", "legal_basis =")),
        (Name::Config, swapped(CONFIG, "name = \"The data office of St. Mary's\"", "")),
        (Name::Policy, swapped(POLICY, "boolean", "bool")),
        (Name::Policy, swapped(POLICY, "boolean", "category")),
        (Name::Policy, swapped(POLICY, "\"boolean\"", "\"boolean\"\nmin = \"0\"")),
        (Name::Policy, swapped(POLICY, "\"boolean\"", "\"decimal\"\nmin = \"0\"\nmax = \"1\"")),
        (Name::Policy, swapped(AS_WRITTEN, "separator", "seperator")),
        (Name::Policy, swapped(AS_WRITTEN, "\"refuse\"", "\"ignore\"")),
        (Name::Policy, swapped(AS_WRITTEN, "multiline = true", "format = \"%Y\"")),
        (Name::Policy, swapped(AS_WRITTEN, "file = \"visits.csv\"", "file = \"a.csv\", files = [\"b.csv\"]")),
        (Name::Policy, swapped(AS_WRITTEN, "query = \"SELECT * FROM patients\"", "sheet = \"1\"")),
        (Name::Policy, swapped(AS_WRITTEN, "false = [\"N\"]", "")),
        (Name::Policy, swapped(AS_WRITTEN, "min = 1900-01-01", "min = 1900")),
        (Name::Policy, swapped(BY_ROW, "max_rows = 1000", "max_rows = 1000\nunit_source = \"Id\"")),
        (Name::Policy, swapped(BY_ROW, "min = \"0\"", "min = true")),
        (Name::Policy, swapped(POLICY, "max_rows = 1000", "max_rows = 0")),
        (Name::Policy, swapped(POLICY, "max_rows_per_unit = 4", "")),
        (Name::Policy, swapped(POLICY, ", delta = \"1e-9\"", "")),
        (Name::Policy, swapped(POLICY, "cap =", "accountant = \"pure\"\ncap =")),
        (Name::Policy, swapped(POLICY, "patient_id", "row")),
        (Name::Policy, swapped(POLICY, "cap =", "threshold_delta_per_query = \"1e-12\"\ncap =")),
        (Name::Policy, swapped(POLICY, "max_rows = 1000", "")),
        (Name::Policy, swapped(POLICY, "source = \"visits.csv\"", "")),
        (Name::Policy, swapped(SEVERAL, "one_row_per_unit = true", "one_row_per_unit = true\nmax_rows_per_unit = 1")),
        (Name::Policy, swapped(SEVERAL, "max_rows_per_unit = 4", "")),
        (Name::Policy, swapped(SEVERAL, "values_from =", "values = [\"a\"]\nvalues_from =")),
        (Name::Policy, swapped(SEVERAL, "min = 0", "min = 0\nvalues_from = \"insurers.code\"")),
        (Name::Policy, swapped(SEVERAL, "\"patient_id\"", "\"row\"")),
        (Name::Policy, swapped(SEVERAL, "cap =", "source = \"v.csv\"\ncap =")),
        (Name::Policy, swapped(SEVERAL, "columns = [\"code\"]", "")),
        (Name::Policy, swapped(SEVERAL, "columns = [\"code\"]", "columns = []")),
        (Name::Policy, swapped(SEVERAL, "[[table.column]]", "[[column]]")),
        (Name::Declared, swapped(DECLARED, "[[person]]", "[[people]]")),
        (Name::Declared, swapped(DECLARED, "\"researcher\"", "\"owner\"")),
        (Name::Declared, swapped(DECLARED, "\"viewer\"", "\"steward\"")),
        (Name::Declared, swapped(DECLARED, "[\"visits\"]", "\"visits\"")),
        (Name::Declared, swapped(DECLARED, "period_days = 30", "period_days = 3661")),
        (Name::Declared, swapped(DECLARED, "epsilon = \"0.5\"", "epsilon = 0.5")),
        (Name::Declared, swapped(DECLARED, "epsilon = \"0.5\"", "")),
        (Name::Query, swapped(BY_REGION, "chart: bar", "chart: pie")),
        (Name::Query, swapped(BY_REGION, "-- title: ", "-- heading: ")),
        (Name::Query, swapped(BY_REGION, "-- margin: 500", "-- margin: 500\n-- epsilon: 1")),
    ] {
        assert!(!is_taken(name, &text), "{text}");
        assert!(!is_fitting(name, &text), "{text}");
    }
}

/// Editors find a schema by its name, and every key has a description.
#[test]
fn schemas_are_named_and_described() {
    for name in Name::VARIANTS {
        let schema = name.schema();
        assert_eq!(schema["$id"], format!("urn:tacit:schema:{}", name));
        assert_eq!(schema["additionalProperties"], false);
        let keys = schema["properties"].as_object().expect("keys");
        assert!(keys.values().all(|key| key["description"].is_string() || key["$ref"].is_string()), "{}", name);
    }
}
