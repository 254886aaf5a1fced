//! Values between this door's tables and SQLite.

use rusqlite::types::{Value, ValueRef};
use serde_json::Value as Json;

use super::casts;
use super::error::FreeError;
use super::kind::{Base, Kind};
use super::moments;
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::table::{Cell, Type};

/// A value as it is stored.
fn stored(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(truth) => Value::Integer((*truth).into()),
        Cell::Int(number) | Cell::Moment(number) => Value::Integer(*number),
        Cell::Float(number) => Value::Real(*number),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Date(day) => Value::Integer((*day).into()),
        Cell::List(cells) => {
            let list = cells.iter().map(|cell| casts::to_json(stored(cell))).collect();
            Value::Text(Json::Array(list).to_string())
        }
    }
}

/// A parameter as a value of the type that it stands for.
pub(super) fn bound(cell: &Cell, kind: Kind, names: &Names) -> Result<Value, FreeError> {
    Ok(match cell {
        Cell::Text(text) => casts::read(text, kind, names)?,
        Cell::List(cells) => {
            let element = kind.element().unwrap_or(Kind::TEXT);
            let list = cells.iter().map(|cell| bound(cell, element, names).map(casts::to_json));
            Value::Text(Json::Array(list.collect::<Result<_, _>>()?).to_string())
        }
        Cell::Date(day) if matches!(kind.base, Base::Timestamp | Base::Timestamptz) => {
            Value::Integer(moments::between((*day).into(), true, false))
        }
        Cell::Int(number) if kind.base.is_text() && !kind.is_array => Value::Text(number.to_string()),
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Date(_) | Cell::Moment(_) => stored(cell),
    })
}

/// A result of SQLite's as a value of its type. What has no such value is NULL.
pub(super) fn cell_of(value: ValueRef<'_>, kind: Kind, names: &Names) -> Cell {
    let value = match value {
        ValueRef::Null | ValueRef::Blob(_) => return Cell::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
    };
    let sent = kind.sent();
    if let Some(element) = kind.element() {
        let Some(list) = casts::list(&value) else { return Cell::Null };
        let is_text = matches!(sent, Type::TextArray | Type::NameArray | Type::CharArray);
        let one = |json: &Json| {
            let value = casts::of_json(json);
            match value {
                Value::Integer(number) if !is_text => Cell::Int(number),
                value => casts::shown(&value, element, names).map_or(Cell::Null, Cell::Text),
            }
        };
        return Cell::List(list.iter().map(one).collect());
    }
    match (sent, value) {
        (Type::Bool, Value::Integer(truth)) => Cell::Bool(truth != 0),
        (Type::Bool, Value::Real(truth)) => Cell::Bool(truth != 0.0),
        (Type::Int2 | Type::Int4 | Type::Int8 | Type::Oid, Value::Integer(number)) => Cell::Int(number),
        (Type::Int2 | Type::Int4 | Type::Int8 | Type::Oid, Value::Real(number)) => Cell::Int(number as i64),
        (Type::Int2 | Type::Int4 | Type::Int8 | Type::Oid, Value::Text(text)) => {
            text.trim().parse().map_or(Cell::Null, Cell::Int)
        }
        (Type::Float4 | Type::Float8, Value::Integer(number)) => Cell::Float(number as f64),
        (Type::Float4 | Type::Float8, Value::Real(number)) => Cell::Float(number),
        (Type::Float4 | Type::Float8, Value::Text(text)) => text.trim().parse().map_or(Cell::Null, Cell::Float),
        (Type::Date, Value::Integer(day)) => i32::try_from(day).map_or(Cell::Null, Cell::Date),
        (Type::Timestamp | Type::Timestamptz, Value::Integer(at)) => Cell::Moment(at),
        (_, value) => casts::shown(&value, kind, names).map_or(Cell::Null, Cell::Text),
    }
}

/// About how many bytes a row takes.
pub(super) fn size_of_row<'c>(cells: impl Iterator<Item = &'c Cell>) -> usize {
    cells.map(size_of).fold(std::mem::size_of::<Vec<Cell>>(), usize::saturating_add)
}

/// About how many bytes a value takes.
fn size_of(cell: &Cell) -> usize {
    let inner = match cell {
        Cell::Text(text) => text.len(),
        Cell::List(cells) => cells.iter().map(size_of).sum(),
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Date(_) | Cell::Moment(_) => 0,
    };
    inner + std::mem::size_of::<Cell>()
}
