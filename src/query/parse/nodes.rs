//! Places and names in a query, and refusals of what stands there.

use sqlparser::ast::{Expr, Ident, Value, ValueWithSpan};
use sqlparser::tokenizer::{Location, Span};

use crate::query::error::{Code, Position, QueryError};
use crate::query::syntax::Name;

pub(super) fn position(location: Location) -> Position {
    Position { line: location.line, column: location.column }
}

pub(super) fn start(span: Span) -> Position {
    position(span.start)
}

pub(super) fn name(ident: &Ident) -> Name {
    let text = if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() };
    Name { of: None, text, at: start(ident.span) }
}

/// A column with the names of its table, and of the table's dataset, before it.
pub(super) fn qualified(parts: &[Ident], at: Position) -> Result<Name, QueryError> {
    match parts {
        [of, column] | [_, of, column] => Ok(Name { of: Some(name(of).text), at, ..name(column) }),
        _ => Err(unsupported(at, "a column's name has at most two others before it")
            .hint("write table.column, or dataset.table.column")),
    }
}

pub(super) fn unsupported(at: Position, message: impl std::fmt::Display) -> QueryError {
    QueryError::at(Code::UnsupportedSql, at, message)
}

/// Refuses `what` if it is present.
pub(super) fn absent(there: bool, at: Position, what: &str) -> Result<(), QueryError> {
    if there { Err(unsupported(at, format!("{what} is not supported"))) } else { Ok(()) }
}

/// Whether an expression is NULL.
pub(super) fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_null(inner),
        Expr::Value(ValueWithSpan { value: Value::Null, .. }) => true,
        _ => false,
    }
}
