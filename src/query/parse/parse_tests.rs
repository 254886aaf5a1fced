//! How texts are read, and what is refused.

#[path = "tests/hoisted_tests.rs"]
mod hoisted;
#[path = "tests/limits_tests.rs"]
mod limits;
#[path = "tests/refusals_tests.rs"]
mod refusals;
#[path = "tests/rows_tests.rs"]
mod rows;
#[path = "tests/sources_tests.rs"]
mod sources;

use super::parse;
use crate::query::error::QueryError;
use crate::query::syntax::{
    Condition, Expression, FromItem, Query, RowItem, RowValue, Rows, Scalar, Select, WindowExpression,
};

fn read(sql: &str) -> Query {
    parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn refused(sql: &str) -> QueryError {
    match parse(sql) {
        Err(error) => error,
        Ok(query) => panic!("{sql} is read as {query:?}"),
    }
}

/// The text of something without its positions.
fn placeless(of: &impl std::fmt::Debug) -> String {
    let text = format!("{of:?}");
    let mut parts = text.split("Position { line: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('}').map_or("", |(_, rest)| rest))
}

/// Checks that two spellings of FROM mean the same.
fn same(one: &str, other: &str) {
    let [one, other] = [one, other].map(|text| placeless(&read(&format!("SELECT COUNT(*) FROM {text}")).from));
    assert_eq!(one, other);
}

/// The SELECT of `(…) AS t`.
fn select(rows: &str) -> Select {
    match read(&format!("SELECT COUNT(*) FROM ({rows}) AS t")).from {
        FromItem::Derived { rows, .. } => match *rows {
            Rows::Select(select) => *select,
            rows @ (Rows::Listed { .. } | Rows::Set { .. }) => panic!("{rows:?}"),
        },
        from @ (FromItem::Table { .. } | FromItem::Joined { .. }) => panic!("{from:?}"),
    }
}

/// The only item of such a SELECT.
fn item(written: &str) -> Scalar {
    match &select(&format!("SELECT {written} FROM visits")).items[..] {
        [RowItem { value: RowValue::Expression(Expression { value, .. }), .. }] => value.clone(),
        other => panic!("{other:?}"),
    }
}

fn window(written: &str) -> WindowExpression {
    match item(written) {
        Scalar::Window(window) => *window,
        other => panic!("{other:?}"),
    }
}

fn condition(written: &str) -> Condition {
    read(&format!("SELECT COUNT(*) FROM visits AS v WHERE {written}")).condition.expect("a condition")
}
