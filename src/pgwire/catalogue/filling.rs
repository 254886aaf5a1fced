//! Rows by the names of their columns.

use rusqlite::types::Value;

use super::fixed::{FixedType, default};
use super::relation::{Attribute, Relation};

/// A value for a column by its name.
pub(super) type Given<'a> = (&'a str, Value);

/// A text as a value of SQLite.
pub(super) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// A whole number.
pub(super) fn whole(number: i64) -> Value {
    Value::Integer(number)
}

/// A truth value as SQLite keeps it: 0 or 1.
pub(super) fn truth(truth: bool) -> Value {
    Value::Integer(truth.into())
}

/// A row with these values; 0, an empty text or NULL in the other columns.
pub(super) fn filled(relation: &Relation, given: &[Given<'_>]) -> Vec<Value> {
    let value = |column: &Attribute| {
        let found = given.iter().find(|(name, _)| *name == column.name);
        found.map_or_else(|| default(column), |(_, value)| value.clone())
    };
    relation.columns.iter().map(value).collect()
}

/// The catalogue's row of a column's type; that of `text` if it has none.
pub(super) fn type_of<'a>(column: &Attribute, types: &'a [FixedType]) -> Option<&'a FixedType> {
    let named = |name: &str| types.iter().find(|one| one.name == name);
    named(&column.type_name).or_else(|| named("text"))
}
