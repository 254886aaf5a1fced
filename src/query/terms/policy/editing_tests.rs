//! Columns are changed where they stand, and nothing else of the text is.

use super::*;

const TEXT: &str = r#"# Of a clinic.
[dataset]
name = "visits"      # the name in SQL

[[column]]
name = "age"
# as the form allows
type = "integer"
min = "seen:3"       # a placeholder
max = 110

[[column]]
name = "day"
type = "date"
min = 2020-01-01
max = "2020-12-31"
nullable = true

# The last one.
[[column]]
name = "ward"
type = "category"
values = ["a", "b"]
labels = { "1" = "a", "2" = "b" }
"#;

fn column(place: &str) -> ColumnFields {
    let place: ColumnPlace = place.parse().expect("a place");
    let all = columns_in(TEXT).expect("TOML");
    all.into_iter().find(|column| column.place == place).expect("a column").fields
}

fn changed(place: &str, fields: &ColumnFields) -> String {
    with_column(TEXT, place.parse().expect("a place"), fields).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn columns_are_found_with_their_lines() {
    let found = columns_in(TEXT).expect("TOML");
    let lines: Vec<_> = found.iter().map(|column| (column.fields.name.as_str(), column.lines)).collect();
    assert_eq!(lines, [("age", (5, 11)), ("day", (12, 19)), ("ward", (20, 24))]);
    assert_eq!(column("column.1").min, "2020-01-01");
    assert_eq!(column("column.0").max, "110");
    assert_eq!(column("column.2").labels[1], ("2".to_owned(), "b".to_owned()));
    assert_eq!(columns_in("[dataset\n"), None);
}

#[test]
fn what_is_not_changed_keeps_its_bytes() {
    for place in ["column.0", "column.1", "column.2"] {
        assert_eq!(changed(place, &column(place)), TEXT);
    }
}

#[test]
fn a_bound_is_replaced_and_its_comments_stay() {
    let text = changed("column.0", &ColumnFields { min: "0".to_owned(), nullable: true, ..column("column.0") });
    assert_eq!(text, TEXT.replace("\"seen:3\"", "\"0\"").replace("max = 110\n", "max = 110\nnullable = true\n"));
    let text = changed("column.1", &ColumnFields { nullable: false, ..column("column.1") });
    assert_eq!(text, TEXT.replace("nullable = true\n", ""));
}

#[test]
fn another_type_has_other_keys() {
    let ward = ColumnFields { r#type: "text".to_owned(), max_values: "1_000".to_owned(), ..column("column.2") };
    let text = changed("column.2", &ward);
    assert!(text.ends_with("name = \"ward\"\ntype = \"text\"\nmax_values = 1000\n"), "{text}");
    let none =
        with_column(TEXT, "column.2".parse().expect("a place"), &ColumnFields { max_values: "x".into(), ..ward });
    assert_eq!(none, Err(EditFault::MaxValues));
}

#[test]
fn values_with_quotes_are_written_as_toml_does() {
    let values = vec!["a \"b\"".to_owned(), "c\\d".to_owned()];
    let text = changed("column.2", &ColumnFields { values: values.clone(), ..column("column.2") });
    let back = columns_in(&text).expect("TOML").pop().expect("a column").fields;
    assert_eq!(back.values, values);
}

#[test]
fn what_is_not_there_is_not_changed() {
    let place = |text: &str| text.parse::<ColumnPlace>();
    let fields = ColumnFields::default();
    assert_eq!(with_column(TEXT, place("column.3").expect("a place"), &fields), Err(EditFault::NoColumn));
    assert_eq!(with_column(TEXT, place("table.0.column.0").expect("a place"), &fields), Err(EditFault::NoColumn));
    assert_eq!(with_column("[", place("column.0").expect("a place"), &fields), Err(EditFault::NotToml));
    for text in ["", "column", "column.x", "column.-1", "joined.0.column.1", "table.0"] {
        assert!(place(text).is_err(), "{text}");
    }
    for text in ["column.2", "table.1.column.2", "join.0.column.7"] {
        assert_eq!(place(text).expect("a place").to_string(), text);
    }
}
