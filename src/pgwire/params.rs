//! Parameters: values that a client binds to `$1`, `$2`, …, and how a question takes them.
//!
//! Promises that a value becomes one literal of its type and nothing else, whatever its text, and that the type of a parameter that a client
//! leaves open follows from the column it stands beside.

use std::collections::HashMap;

use bytes::Bytes;
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

use super::fault::{DoorFault, state};
use super::frames::FRAME_BYTES_MAX;
use super::statements::Statement;
use super::table::{Cell, Type};
use super::values::{self, Format};
use super::{numeric, oids};
use crate::query::error::shown;
use crate::query::parse::plain_tokens;
use crate::query::terms::domain::{date_days, date_text};

/// How far a parameter's column is looked for, in words before it.
const WORDS_BACK_MAX: usize = 2_100;

/// A parameter of a question: its type, and a value that it could have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    /// The type that the parameter is sent as.
    pub(super) of: Type,
    /// A literal that is accepted at its place, to plan the question with.
    pub(super) sample: String,
}

impl Parameter {
    /// A parameter of a type that nothing else is known of.
    fn plain(of: Type) -> Self {
        let sample = match of {
            Type::Bool => "TRUE",
            Type::Date | Type::Timestamp | Type::Timestamptz => "DATE '2000-01-01'",
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric | Type::Oid => "1",
            _ => "'x'",
        };
        Self { of, sample: sample.to_owned() }
    }
}

/// Reads a bound value of a type.
///
/// # Errors
/// [`DoorFault`] if the bytes are no value of it.
pub(super) fn cell(bytes: Option<&Bytes>, format: Format, of: Type) -> Result<Cell, DoorFault> {
    let Some(bytes) = bytes else { return Ok(Cell::Null) };
    match format {
        Format::Text => {
            let text = std::str::from_utf8(bytes).map_err(|_| encoding())?;
            of_text(text, of)
        }
        Format::Binary => of_binary(bytes, of).ok_or_else(|| {
            DoorFault::new(state::BINARY, format!("incorrect binary data format for a parameter of type {of:?}"))
        }),
    }
}

fn encoding() -> DoorFault {
    DoorFault::new(state::ENCODING, "a parameter is not UTF-8")
}

fn of_text(text: &str, of: Type) -> Result<Cell, DoorFault> {
    if text.contains('\0') {
        return Err(encoding());
    }
    let trimmed = text.trim();
    let found = match of {
        Type::Bool => match trimmed.to_lowercase().as_str() {
            "t" | "true" | "1" | "on" | "yes" => Some(Cell::Bool(true)),
            "f" | "false" | "0" | "off" | "no" => Some(Cell::Bool(false)),
            _ => None,
        },
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Oid => trimmed.parse().ok().map(Cell::Int),
        Type::Float4 | Type::Float8 => trimmed.parse().ok().map(Cell::Float),
        Type::Numeric => {
            trimmed.parse::<f64>().ok().filter(|value| value.is_finite()).map(|_| Cell::Text(trimmed.to_owned()))
        }
        Type::Date => date_days(trimmed.get(..10).unwrap_or(trimmed)).map(Cell::Date),
        _ => Some(Cell::Text(text.to_owned())),
    };
    found.ok_or_else(|| {
        DoorFault::new(state::NOT_A_VALUE, format!("invalid input for a parameter of type {of:?}: \"{}\"", shown(text)))
    })
}

fn of_binary(bytes: &Bytes, of: Type) -> Option<Cell> {
    let bytes = bytes.as_ref();
    Some(match of {
        Type::Bool => Cell::Bool(*bytes.first()? != 0),
        Type::Int2 => Cell::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::Int4 => Cell::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::Int8 => Cell::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        Type::Oid | Type::Reg => Cell::Int(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::Float4 => Cell::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::Float8 => Cell::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::Numeric => Cell::Text(numeric::read(bytes)?),
        Type::Date => Cell::Date(values::days(i32::from_be_bytes(bytes.try_into().ok()?))?),
        Type::Timestamp | Type::Timestamptz => {
            Cell::Moment(values::micros(i64::from_be_bytes(bytes.try_into().ok()?))?)
        }
        Type::Text | Type::Varchar | Type::Name | Type::Char => {
            Cell::Text(std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?.to_owned())
        }
        Type::Interval
        | Type::Int2Vector
        | Type::OidVector
        | Type::Int2Array
        | Type::Int4Array
        | Type::OidArray
        | Type::TextArray
        | Type::NameArray
        | Type::CharArray => return None,
    })
}

/// A value as a literal of SQL.
///
/// # Errors
/// [`DoorFault`] if a question takes no such value.
pub(super) fn literal(cell: &Cell) -> Result<String, DoorFault> {
    let refused = || DoorFault::new(state::UNSUPPORTED, "a question takes no parameter of this type");
    let number = |text: String| if text.starts_with('-') { format!("({text})") } else { text };
    match cell {
        Cell::Null => Ok("NULL".to_owned()),
        Cell::Bool(truth) => Ok(if *truth { "TRUE" } else { "FALSE" }.to_owned()),
        Cell::Int(value) => Ok(number(value.to_string())),
        Cell::Float(value) if value.is_finite() => Ok(number(value.to_string())),
        Cell::Text(text) => Ok(format!("'{}'", text.replace('\'', "''"))),
        Cell::Date(days) => Ok(format!("DATE '{}'", date_text(*days))),
        Cell::Moment(micros) => {
            let text = values::moment_text(*micros).ok_or_else(refused)?;
            Ok(if text.len() == 10 { format!("DATE '{text}'") } else { format!("TIMESTAMP '{text}'") })
        }
        Cell::Float(_) | Cell::List(_) => Err(refused()),
    }
}

/// The statement's text with these literals at the places of its parameters, number by number.
///
/// # Errors
/// [`DoorFault`] if it would be longer than a frame: one value can stand at many places.
pub(super) fn filled(statement: &Statement, literals: &[String]) -> Result<String, DoorFault> {
    let literal = |number: &usize| literals.get(number - 1).map_or("NULL", String::as_str);
    let values = statement.holes.iter().map(|(_, number)| literal(number).len());
    let bytes = values.fold(statement.piece.text.len(), usize::saturating_add);
    if bytes > FRAME_BYTES_MAX {
        let message =
            format!("the statement has {bytes} bytes with its values; accepted are at most {FRAME_BYTES_MAX}");
        return Err(DoorFault::new(state::TOO_MUCH, message));
    }
    let (mut out, mut from) = (String::with_capacity(bytes), 0);
    for (range, number) in &statement.holes {
        out.push_str(&statement.piece.text[from..range.start]);
        out.push_str(literal(number));
        from = range.end;
    }
    out.push_str(&statement.piece.text[from..]);
    Ok(out)
}

/// A literal of a parameter's value: the digits of numbers stand without quotes.
pub(super) fn literal_of(cell: &Cell, of: Type) -> Result<String, DoorFault> {
    match (of, cell) {
        (Type::Numeric, Cell::Text(digits)) => {
            let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
            match is_plain {
                true if digits.starts_with('-') => Ok(format!("({digits})")),
                true => Ok(digits.clone()),
                false => literal(&Cell::Float(digits.parse().unwrap_or(f64::NAN))),
            }
        }
        (_, cell) => literal(cell),
    }
}

/// The parameters of a question: as the client declared them, or as the columns beside them are; `column` knows a column's type and a value.
pub(super) fn of_question(
    statement: &Statement,
    declared: &[u32],
    column: &dyn Fn(&str) -> Option<Parameter>,
) -> Result<Vec<Parameter>, DoorFault> {
    let tokens = plain_tokens(&statement.piece.text).map_err(DoorFault::from)?;
    let tokens: Vec<&TokenWithSpan> = tokens
        .iter()
        .filter(|token| {
            !matches!(token.token, Token::Whitespace(Whitespace::Space | Whitespace::Tab | Whitespace::Newline))
        })
        .collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Placeholder(name) = &token.token {
            first.entry(name).or_insert(at);
        }
    }
    let one = |number: usize| {
        let name = format!("${number}");
        let beside = first.get(name.as_str()).and_then(|at| beside(&tokens, *at, column));
        match declared.get(number - 1).copied().filter(|oid| !matches!(*oid, 0 | oids::UNKNOWN)) {
            None => Ok(beside.unwrap_or_else(|| Parameter::plain(Type::Text))),
            Some(oid) => {
                let of = oids::known(oid).ok_or_else(|| {
                    let message = format!("the type with OID {oid} of parameter {name} is not supported");
                    DoorFault::new(state::UNSUPPORTED, message)
                })?;
                let sample = beside.map_or_else(|| Parameter::plain(of).sample, |beside| beside.sample);
                Ok(Parameter { of, sample })
            }
        }
    };
    (1..=statement.parameters()).map(one).collect()
}

/// What the words beside a parameter say of it.
fn beside(tokens: &[&TokenWithSpan], at: usize, column: &dyn Fn(&str) -> Option<Parameter>) -> Option<Parameter> {
    let word = |at: usize| tokens.get(at).map(|token| token.token.to_string().to_uppercase());
    let named = |at: usize| match tokens.get(at).map(|token| &token.token) {
        Some(Token::Word(name)) => column(&name.value.to_lowercase()),
        _ => None,
    };
    let cast = |at: usize| cast_type(&word(at)?).map(Parameter::plain);
    match word(at + 1).as_deref() {
        Some("::") => return cast(at + 2),
        Some("AS") => return cast(at + 2),
        Some("=" | "<" | ">" | "<=" | ">=" | "<>" | "!=") if named(at + 2).is_some() => return named(at + 2),
        _ => {}
    }
    for back in (at.saturating_sub(WORDS_BACK_MAX)..at).rev() {
        match word(back)?.as_str() {
            "LIMIT" | "OFFSET" => return Some(Parameter::plain(Type::Int8)),
            "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" | "LIKE" | "ILIKE" | "BETWEEN" | "IN" => {
                let before = back.checked_sub(1)?;
                let is_negated = matches!(word(before)?.as_str(), "NOT");
                return named(if is_negated { before.checked_sub(1)? } else { before });
            }
            // Other items of a list, and the first end of a BETWEEN.
            "(" | "," | "AND" | "DATE" | "TIMESTAMP" | "CAST" | "-" => {}
            text if text.starts_with(['$', '\'']) || text.starts_with(|c: char| c.is_ascii_digit()) => {}
            _ => return None,
        }
    }
    None
}

fn cast_type(word: &str) -> Option<Type> {
    Some(match word {
        "INT" | "INTEGER" | "BIGINT" | "INT8" | "INT4" | "SMALLINT" => Type::Int8,
        "NUMERIC" | "DECIMAL" => Type::Numeric,
        "FLOAT8" | "FLOAT" | "DOUBLE" | "REAL" => Type::Float8,
        "DATE" => Type::Date,
        "TIMESTAMP" => Type::Timestamp,
        "TEXT" | "VARCHAR" => Type::Text,
        "BOOL" | "BOOLEAN" => Type::Bool,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
