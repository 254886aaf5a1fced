//! Tests of policies with several tables and with public ones.

use super::{Policy, PolicyFault, PublicRows};
use crate::query::terms::domain::{Column, Domain, Grid};
use crate::query::terms::labels::Labels;

const POLICY: &str = r#"
[dataset]
name = "omop"
privacy_unit = "person_id"
cap = { epsilon = "4", delta = "1e-9" }

[[table]]
name = "person"
title = "People"
source = "person.parquet"
one_row_per_unit = true
max_rows = 10_000
[[table.column]]
name = "gender_concept_id"
type = "category"
values_from = "concept.concept_id"

[[table]]
name = "condition"
source = "condition.parquet"
max_rows_per_unit = 64
max_rows = 200_000
[[table.column]]
name = "condition_concept_id"
type = "category"
values_from = "concept.concept_id"

[[public]]
name = "concept"
source = "concept.parquet"
columns = ["concept_id", "concept_name"]
"#;

/// A public table whose columns of ids are numbers, and whose other columns are categories.
fn public(names: &[String], rows: i64) -> PublicRows {
    let column = |name: &String| {
        let of_ids = name.ends_with("_id");
        let domain = match of_ids {
            true => Domain::Number(Grid { integer: true, step: 1_000_000_000, low: 0, high: 2_000_000 }),
            false => Domain::Category(Labels::from(vec!["male".to_owned(), "female".to_owned()])),
        };
        let value = |row: i64| Some(if of_ids { row - 1_000_000 + 8_507 } else { row % 2 });
        let column = Column { name: name.clone(), title: None, domain, per_unit: false, nullable: false };
        (column, (0..rows).map(value).collect())
    };
    names.iter().map(column).collect()
}

fn parsed(text: &str) -> Result<Policy, Vec<PolicyFault>> {
    Policy::parse_with(text, &mut |_, names| Ok(public(names, 3)))
}

/// The faults of a policy, a line each.
fn faults(text: &str) -> String {
    let faults = parsed(text).expect_err(text);
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn tables_have_bounds_of_their_own() {
    let Policy { terms, tables, .. } = parsed(POLICY).expect("a policy");
    let bounds: Vec<_> =
        terms.tables.iter().map(|table| (table.name.as_str(), table.max_rows_per_unit, table.max_rows)).collect();
    assert_eq!(bounds, [("person", 1, 10_000), ("condition", 64, 200_000)]);
    assert_eq!((terms.max_rows_per_unit, terms.max_rows, terms.columns.len()), (64, 200_000, 0));
    assert!(terms.tables[0].columns[0].per_unit && !terms.tables[1].columns[0].per_unit);
    assert_eq!(tables.iter().map(|table| table.is_single).collect::<Vec<_>>(), [true, false]);
    let lists = [0, 1].map(|table| terms.tables[table].columns[0].domain.labels().expect("labels"));
    assert_eq!(lists[0][..], ["8507", "8508", "8509"]);
    assert_eq!(lists[0].as_ptr(), lists[1].as_ptr(), "the list is shared");
    assert_eq!(terms.table(1).expect("a table").columns[0].name, "condition_concept_id");
}

#[test]
fn a_single_table_may_have_public_ones() {
    let text = "[dataset]\nname = \"v\"\nsource = \"v.csv\"\nprivacy_unit = \"p\"\nmax_rows = 9\nmax_rows_per_unit = 2\n\
                cap = { epsilon = \"1\", delta = \"1e-9\" }\n[[column]]\nname = \"sex\"\ntype = \"category\"\n\
                values_from = \"c.name\"\n[[public]]\nname = \"c\"\nsource = \"c.csv\"\ncolumns = [\"name\"]\n";
    let policy = parsed(text).expect("a policy");
    assert_eq!(policy.terms.columns[0].domain.labels().expect("labels")[..], ["male", "female"]);
    let faults = faults(&text.replace("name = \"c\"", "name = \"v\""));
    assert!(faults.contains("table \"v\" is named twice"), "{faults}");
    let faults = Policy::parse(text).expect_err("no folder");
    let [only] = &faults[..] else { panic!("{faults:?}") };
    assert!(only.message.contains("this policy is not read from a file"), "{only}");
}

/// A part of the policy, what stands there instead, and the fault that it is.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "one_row_per_unit = true",
        "",
        "line 8, column 8: max_rows_per_unit is missing; accepted is 1 to 65535, or write one_row_per_unit = true",
    ),
    ("one_row_per_unit = true", "one_row_per_unit = true\nmax_rows_per_unit = 1", "are both given; remove one of them"),
    ("max_rows_per_unit = 64", "max_rows_per_unit = 200_001", "accepted is 1 to 65535"),
    (
        "max_rows = 200_000",
        "max_rows = 60",
        "line 21, column 21: max_rows_per_unit is 64; accepted is at most max_rows, 60",
    ),
    ("name = \"condition\"", "name = \"person\"", "line 19, column 8: table \"person\" is named twice"),
    ("name = \"condition\"", "name = \"Condition\"", "table name \"Condition\" is not a lower-case identifier"),
    ("name = \"concept\"", "name = \"person\"", "table \"person\" is named twice"),
    (
        "\"concept.concept_id\"",
        "\"concepts.concept_id\"",
        "line 16, column 15: values_from: there is no [[public]] table \"concepts\"; there are concept",
    ),
    (
        "\"concept.concept_id\"",
        "\"concept.id\"",
        "the public table \"concept\" has no column \"id\"; its columns are concept_id, concept_name",
    ),
    ("\"concept.concept_id\"", "\"concept\"", "\"concept\" is not a table and a column, like \"concept.concept_id\""),
    ("values_from =", "values = [\"a\"]\nvalues_from =", "values and values_from are both given"),
    ("type = \"category\"", "type = \"boolean\"", "values_from is not for a column of type boolean; remove it"),
    (
        "type = \"category\"\nvalues_from = \"concept.concept_id\"",
        "type = \"text\"",
        "type text is for datasets with a single table",
    ),
    ("name = \"gender_concept_id\"", "name = \"person_id\"", "\"person_id\" is the privacy unit"),
    ("[\"concept_id\", \"concept_name\"]", "[]", "line 31, column 11: 0 columns; a public table names 1 to 16"),
    ("[\"concept_id\", \"concept_name\"]", "[\"concept_id\", \"concept_id\"]", "column \"concept_id\" is named twice"),
    ("columns = [\"concept_id\", \"concept_name\"]", "", "missing field `columns`"),
    (
        "cap =",
        "source = \"x.csv\"\ncap =",
        "line 5, column 10: source of [dataset] is for a single table; write it into each [[table]]",
    ),
    ("cap =", "max_rows = 5\ncap =", "max_rows of [dataset] is for a single table"),
    (
        "\"person_id\"",
        "\"row\"",
        "line 4, column 16: with privacy_unit = \"row\" rows of several tables have nothing in common",
    ),
    (
        "[[public]]",
        "[[join]]\nname = \"j\"\nsource = \"j.csv\"\n[[join.column]]\nname = \"a\"\ntype = \"boolean\"\n[[public]]",
        "[[join]] is for a dataset with a single table; write a [[table]] with one_row_per_unit = true",
    ),
    (
        "[[public]]",
        "[[column]]\nname = \"a\"\ntype = \"boolean\"\n[[public]]",
        "below a [[table]], write [[table.column]]",
    ),
];

#[test]
fn every_fault_has_its_place() {
    for (from, to, fault) in FAULTS.iter().copied() {
        assert!(POLICY.contains(from), "{from}");
        let faults = faults(&POLICY.replacen(from, to, 1));
        assert!(faults.contains(fault), "{to}: {faults}");
    }
}

#[test]
fn a_dataset_without_source_says_both_ways() {
    let text = "[dataset]\nname = \"v\"\nprivacy_unit = \"p\"\nmax_rows_per_unit = 2\ncap = { epsilon = \"1\", delta = \"1e-9\" }\n\
                [[column]]\nname = \"sex\"\ntype = \"boolean\"\n";
    let faults = faults(text);
    assert!(
        faults.contains(
            "line 2, column 8: source is missing; name a file, a folder or a query, or declare several tables"
        )
    );
    assert!(faults.contains("max_rows is missing; accepted is 1 to 4000000000"), "{faults}");
}

#[test]
fn lists_and_tables_are_bounded() {
    let many = |rows: i64| Policy::parse_with(POLICY, &mut |_, names| Ok(public(names, rows)));
    assert!(many(500_000).is_ok());
    let faults = many(500_001).expect_err("too many values");
    assert!(
        faults[0].message.contains("500001 different values; a category from a public table has at most 500000"),
        "{faults:?}"
    );
    let wide = POLICY.replace(
        "concept_name\"]",
        &(0..14).map(|at| format!("x{at}\", \"")).chain(["y\"]".to_owned()]).collect::<String>(),
    );
    let faults = Policy::parse_with(
        &wide.replace("[[public]]", "[[public]]\nname = \"other\"\nsource = \"o.csv\"\ncolumns = [\"a\"]\n[[public]]"),
        &mut |_, names| Ok(public(names, 1_000_000)),
    );
    let faults = faults.expect_err("too large");
    assert!(
        faults.iter().any(|fault| fault.message.contains("accepted are at most 134217728 for all of them")),
        "{faults:?}"
    );
}
