//! Tests of COPY.

use sqlparser::tokenizer::Whitespace;

use super::super::table::{Table, Type};
use super::*;
use crate::query::parse::plain_tokens;

fn of(sql: &str) -> Result<(Source, CopyStyle), DoorFault> {
    let tokens = plain_tokens(sql).expect("tokens");
    let plain: Vec<&TokenWithSpan> = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(Whitespace::Space | Whitespace::Newline) | Token::EOF))
        .collect();
    read(&plain, &|token| usize::try_from(token.span.start.column).expect("a column") - 1)
}

fn table() -> Table {
    let column = |name: &str, of| Column { name: name.into(), of };
    Table {
        columns: vec![column("a", Type::Int4), column("b", Type::Text)],
        rows: vec![
            vec![Cell::Int(1), Cell::Text("x,\"y\"".into())],
            vec![Cell::Null, Cell::Text("tab\tline\nslash\\".into())],
            vec![Cell::Int(2), Cell::Text(String::new())],
        ],
    }
}

/// All rows as one text.
fn whole(style: &CopyStyle, table: &Table) -> Vec<u8> {
    let mut out = style.head(&table.columns).unwrap_or_default();
    for row in &table.rows {
        style.row(&table.columns, row, &mut out).expect("a row");
    }
    out.put_slice(style.tail().unwrap_or_default());
    out.to_vec()
}

#[test]
fn rows_are_written_as_postgresql_writes_them() {
    for (options, written) in [
        ("", "1\tx,\"y\"\n\\N\ttab\\tline\\nslash\\\\\n2\t\n"),
        ("WITH (FORMAT csv, HEADER)", "a,b\n1,\"x,\"\"y\"\"\"\n,\"tab\tline\nslash\\\"\n2,\"\"\n"),
        ("CSV HEADER NULL 'none' DELIMITER ';'", "a;b\n1;\"x,\"\"y\"\"\"\nnone;\"tab\tline\nslash\\\"\n2;\n"),
        ("(FORMAT csv, HEADER false, NULL 'x')", "1,\"x,\"\"y\"\"\"\nx,\"tab\tline\nslash\\\"\n2,\n"),
    ] {
        let (_, style) = of(&format!("COPY (SELECT 1) TO STDOUT {options}")).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(String::from_utf8(whole(&style, &table())).expect("text"), written, "{options}");
    }
    let (_, style) = of("COPY (SELECT 1) TO STDOUT (FORMAT binary)").expect("a style");
    let bytes = whole(&style, &Table { rows: vec![vec![Cell::Int(1), Cell::Null]], ..table() });
    let head = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    assert_eq!(bytes, [&head[..], &[0, 2, 0, 0, 0, 4, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255]].concat());
}

#[test]
fn only_what_comes_out_is_copied() {
    let sql = "COPY (SELECT (1)) TO STDOUT";
    let (source, _) = of(sql).expect("a source");
    let Source::Query(range) = source else { panic!("{source:?}") };
    assert_eq!(&sql[range], "SELECT (1)");
    let sql = "COPY published.costs TO STDOUT";
    let (source, _) = of(sql).expect("a source");
    let Source::Table(range) = source else { panic!("{source:?}") };
    assert_eq!(sql[range].trim(), "published.costs");
    for sql in [
        "COPY visits FROM STDIN",
        "COPY visits TO '/tmp/x'",
        "COPY (SELECT 1) TO PROGRAM 'x'",
        "COPY (SELECT 1",
        "COPY visits (a) TO STDOUT",
        "COPY (SELECT 1) TO STDOUT (FORMAT parquet)",
        "COPY (SELECT 1) TO STDOUT (WORDS 'x')",
    ] {
        assert_eq!(of(sql).expect_err(sql).state, state::UNSUPPORTED);
    }
}
