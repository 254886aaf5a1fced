//! Tests of parameters.

use super::super::statements::{Piece, read};
use super::*;

fn statement(sql: &str) -> Statement {
    read(Piece { text: sql.to_owned(), before: 0 }, &|_| false).unwrap_or_else(|fault| panic!("{fault}"))
}

fn column(name: &str) -> Option<Parameter> {
    let (of, sample) = match name {
        "age" => (Type::Int8, "0"),
        "cost" => (Type::Numeric, "0"),
        "region" => (Type::Text, "'north'"),
        "visited" => (Type::Date, "DATE '2020-01-01'"),
        _ => return None,
    };
    Some(Parameter { of, sample: sample.to_owned() })
}

#[test]
fn a_parameter_is_of_the_column_beside_it() {
    for (condition, types) in [
        ("age > $1", vec![Type::Int8]),
        ("$1 <= age AND region = $2", vec![Type::Int8, Type::Text]),
        ("visited BETWEEN $1 AND $2", vec![Type::Date, Type::Date]),
        ("region NOT IN ($1, 'east', $2)", vec![Type::Text, Type::Text]),
        ("cost > CAST($1 AS numeric) AND age = $2::int", vec![Type::Numeric, Type::Int8]),
        ("nothing = $1", vec![Type::Text]),
        ("v.age <> $2 AND v.\"region\" LIKE $1", vec![Type::Text, Type::Int8]),
    ] {
        let statement = statement(&format!("SELECT COUNT(*) FROM visits v WHERE {condition}"));
        let found = of_question(&statement, &[], &column).expect("parameters");
        assert_eq!(found.iter().map(|one| one.of).collect::<Vec<_>>(), types, "{condition}");
    }
    let declared = of_question(&statement("SELECT COUNT(*) FROM v WHERE age > $1"), &[23], &column).expect("one");
    assert_eq!(declared, [Parameter { of: Type::Int4, sample: "0".into() }]);
    assert!(of_question(&statement("SELECT COUNT(*) FROM v WHERE age > $1"), &[600], &column).is_err());
}

#[test]
fn a_value_becomes_one_literal_whatever_its_text() {
    let statement = statement("SELECT COUNT(*) FROM visits WHERE region = $2 AND age > $1 AND region <> $2");
    let texts = ["-5", "x' OR '1'='1"].map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let cells = [
        cell(Some(&texts[0]), Format::Text, Type::Int8).expect("a number"),
        cell(Some(&texts[1]), Format::Text, Type::Text).expect("a text"),
    ];
    let literals = cells.map(|cell| literal(&cell).expect("a literal"));
    assert_eq!(
        filled(&statement, &literals).expect("SQL"),
        "SELECT COUNT(*) FROM visits WHERE region = 'x'' OR ''1''=''1' AND age > (-5) AND region <> 'x'' OR ''1''=''1'"
    );
    for (text, of) in [
        ("x", Type::Int8),
        ("1; DROP", Type::Numeric),
        ("2020-13-01", Type::Date),
        ("maybe", Type::Bool),
        ("a\0", Type::Text),
    ] {
        assert!(cell(Some(&Bytes::copy_from_slice(text.as_bytes())), Format::Text, of).is_err(), "{text}");
    }
    assert!(literal_of(&Cell::Text("1e400".into()), Type::Numeric).is_err());
    assert_eq!(literal_of(&Cell::Text("-1.5".into()), Type::Numeric), Ok("(-1.5)".into()));
}

#[test]
fn binary_values_are_read() {
    for (bytes, of, read) in [
        (vec![0, 0, 0, 7], Type::Int4, Cell::Int(7)),
        (vec![255, 255], Type::Int2, Cell::Int(-1)),
        (vec![0, 0, 0, 0], Type::Date, Cell::Date(10_957)),
        (vec![1], Type::Bool, Cell::Bool(true)),
        (1.5_f64.to_be_bytes().to_vec(), Type::Float8, Cell::Float(1.5)),
    ] {
        assert_eq!(cell(Some(&Bytes::from(bytes)), Format::Binary, of), Ok(read));
    }
    for of in [Type::Int4, Type::Date, Type::Float8, Type::Numeric, Type::Interval] {
        assert_eq!(
            cell(Some(&Bytes::from_static(&[1, 2, 3])), Format::Binary, of).expect_err("short").state,
            state::BINARY
        );
    }
}

#[test]
fn a_value_that_stands_at_many_places_does_not_make_a_statement_endless() {
    let statement = statement(&format!("SELECT COUNT(*) FROM visits WHERE region IN ({}$1)", "$1, ".repeat(5_000)));
    assert!(filled(&statement, &["'north'".to_owned()]).is_ok());
    let fault = filled(&statement, &[format!("'{}'", "x".repeat(100_000))]).expect_err("too long");
    assert_eq!(fault.state, "54000");
}
