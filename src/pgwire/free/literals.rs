//! Expressions with their types, and how those without one get it.

use rusqlite::types::Value as Stored;
use sqlparser::ast::{Expr, Value};

use super::casts;
use super::error::{FreeError, UNSUPPORTED};
use super::kind::{Base, Kind};
use super::translate::Translator;
use crate::pgwire::frames::PARAMETERS_MAX;

/// An expression in SQLite's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) sql: String,
    pub(super) kind: Kind,
    pub(super) open: Open,
}

/// Why an expression has no type of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Open {
    /// The expression has a type of its own, which nothing around it changes.
    No,
    /// A quoted literal.
    Text(String),
    /// SQL's NULL, which takes the type of what stands beside it.
    Null,
    /// A parameter, numbered from 0.
    Parameter(usize),
}

impl Typed {
    /// An expression with a type.
    pub(super) fn new(sql: impl Into<String>, kind: Kind) -> Self {
        Self { sql: sql.into(), kind, open: Open::No }
    }

    /// An expression of type `bool`, which SQLite computes as 0 or 1.
    pub(super) fn truth(sql: impl Into<String>) -> Self {
        Self::new(sql, Kind::BOOL)
    }

    fn open(sql: String, open: Open) -> Self {
        Self { sql, kind: Kind::UNKNOWN, open }
    }
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// The place in the select list that a number names, from 1.
pub(super) fn ordinal(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn stored(value: &Stored) -> String {
    match value {
        Stored::Null | Stored::Blob(_) => "NULL".to_owned(),
        Stored::Integer(number) => number.to_string(),
        Stored::Real(number) => format!("{number:e}"),
        Stored::Text(text) => quoted(text),
    }
}

impl Translator<'_> {
    /// A literal or a parameter.
    pub(super) fn literal(&mut self, value: &Value) -> Result<Typed, FreeError> {
        Ok(match value {
            Value::Number(text, _) => {
                let kind = match text.parse::<i64>() {
                    Ok(number) if i32::try_from(number).is_ok() => Kind::INT4,
                    Ok(_) => Kind::INT8,
                    Err(_) => Kind::NUMERIC,
                };
                let number: f64 = text.parse().map_err(|_| FreeError::new("42601", "a number that cannot be read"))?;
                let sql = if kind == Kind::NUMERIC { format!("{number:e}") } else { text.clone() };
                Typed::new(sql, kind)
            }
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => Typed::open(quoted(text), Open::Text(text.clone())),
            Value::DollarQuotedString(text) => Typed::open(quoted(&text.value), Open::Text(text.value.clone())),
            Value::Boolean(truth) => Typed::truth(if *truth { "1" } else { "0" }),
            Value::Null => Typed::open("NULL".to_owned(), Open::Null),
            Value::Placeholder(name) => {
                let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
                let place = number.and_then(|number| number.checked_sub(1)).filter(|place| *place < PARAMETERS_MAX);
                let place = place.ok_or_else(|| FreeError::new("42P02", format!("there is no parameter {name}")))?;
                if self.parameters.len() <= place {
                    self.parameters.resize(place + 1, None);
                }
                let sql = format!("?{}", place + 1);
                match self.parameters[place] {
                    Some(kind) => Typed::new(sql, kind),
                    None => Typed::open(sql, Open::Parameter(place)),
                }
            }
            other => return Err(FreeError::new(UNSUPPORTED, format!("the literal {other} is not supported"))),
        })
    }

    /// Gives an expression without a type this one; any other stays as it is.
    pub(super) fn fit(&mut self, typed: Typed, to: Kind) -> Result<Typed, FreeError> {
        let to = if to.is_unknown() { Kind::TEXT } else { to };
        Ok(match typed.open {
            Open::No => typed,
            Open::Null => Typed::new("NULL", to),
            Open::Text(text) => Typed::new(stored(&casts::read(&text, to, self.names)?), to),
            Open::Parameter(place) => {
                self.parameters[place].get_or_insert(to);
                Typed::new(typed.sql, to)
            }
        })
    }

    /// An expression as this type, as `::` makes it.
    pub(super) fn cast(&mut self, typed: Typed, to: Kind) -> Result<Typed, FreeError> {
        if typed.open != Open::No {
            return self.fit(typed, to);
        }
        let from = typed.kind;
        let is_text =
            |kind: Kind| !kind.is_array && matches!(kind.base, Base::Text | Base::Varchar | Base::Name | Base::Char);
        let is_id = |kind: Kind| {
            !kind.is_array && (kind.base.is_oid() || matches!(kind.base, Base::Int4 | Base::Int8 | Base::Int2))
        };
        let stays = from == to
            || (is_text(from) && matches!(to, Kind::TEXT) | (to == Kind::of(Base::Varchar)))
            || (is_id(from) && is_id(to));
        if stays {
            return Ok(Typed::new(typed.sql, to));
        }
        Ok(Typed::new(format!("pg_cast({}, '{}', '{}')", typed.sql, from.name(), to.name()), to))
    }

    /// Two expressions that are compared: what has no type takes that of the other one.
    pub(super) fn pair(&mut self, left: Typed, right: Typed) -> Result<(Typed, Typed), FreeError> {
        let (left_kind, right_kind) = (left.kind, right.kind);
        let left = self.fit(left, right_kind)?;
        let right = self.fit(right, left_kind)?;
        let is_moment = |kind: Kind| matches!(kind.base, Base::Timestamp | Base::Timestamptz);
        if left.kind.base == Base::Date && is_moment(right.kind) {
            let kind = right.kind;
            return Ok((self.cast(left, kind)?, right));
        }
        if right.kind.base == Base::Date && is_moment(left.kind) {
            let kind = left.kind;
            return Ok((left, self.cast(right, kind)?));
        }
        Ok((left, right))
    }
}
