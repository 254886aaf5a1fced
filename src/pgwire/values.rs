//! Values on the wire, as text and in binary, as PostgreSQL 15 writes them.

use bytes::{BufMut, BytesMut};
use jiff::SignedDuration;
use jiff::civil::date;

use super::fault::{DoorFault, state};
use super::table::{Cell, Type};
use super::{numeric, oids};
use crate::query::terms::domain::date_text;

/// Days from 1970-01-01 to 2000-01-01, from which PostgreSQL counts.
const DAYS_TO_2000: i32 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// PostgreSQL's text form of the type.
    Text,
    /// PostgreSQL's binary form of the type.
    Binary,
}

impl Format {
    /// The format with this code.
    ///
    /// # Errors
    /// [`DoorFault`] if there is none.
    pub(super) fn of(code: i16) -> Result<Self, DoorFault> {
        match code {
            0 => Ok(Self::Text),
            1 => Ok(Self::Binary),
            _ => Err(DoorFault::new(state::PROTOCOL, format!("the format code is {code}; accepted are 0 and 1"))),
        }
    }

    /// The code of the format.
    pub(super) fn code(self) -> i16 {
        match self {
            Self::Text => 0,
            Self::Binary => 1,
        }
    }
}

/// Writes a value with its length before it, as rows have it.
///
/// # Errors
/// [`DoorFault`] if the value is not of the type.
pub(super) fn write(cell: &Cell, of: Type, format: Format, out: &mut BytesMut) -> Result<(), DoorFault> {
    if *cell == Cell::Null {
        out.put_i32(-1);
        return Ok(());
    }
    let at = out.len();
    out.put_i32(0);
    match format {
        Format::Text => out.put_slice(text(cell, of).as_bytes()),
        Format::Binary => binary(cell, of, out).ok_or_else(|| unwritable(of))?,
    }
    let length = i32::try_from(out.len() - at - 4).map_err(|_| unwritable(of))?;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn unwritable(of: Type) -> DoorFault {
    DoorFault::new(state::BINARY, format!("a value of type {of:?} has no binary form here"))
        .hint("ask for results as text")
}

/// A value as text; empty for NULL.
pub(super) fn text(cell: &Cell, of: Type) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(truth) => if *truth { "t" } else { "f" }.to_owned(),
        Cell::Int(value) if of == Type::Char => {
            u8::try_from(*value).map_or_else(|_| String::new(), |byte| char::from(byte).to_string())
        }
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => float(*value, of),
        Cell::Text(text) => text.replace('\0', ""),
        Cell::Date(days) => date_text(*days),
        Cell::Moment(micros) => moment(*micros, of),
        Cell::List(items) => list(items, of),
    }
}

fn float(value: f64, of: Type) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if of == Type::Float4 {
        return (value as f32).to_string();
    }
    match value.abs() {
        0.0 => "0".to_owned(),
        // As PostgreSQL, which writes fifteen digits before it takes exponents.
        size if (1e-4..1e15).contains(&size) => value.to_string(),
        _ => {
            let (digits, exponent) = {
                let text = format!("{value:e}");
                let (a, b) = text.split_once('e').unwrap_or((&text, "0"));
                (a.to_owned(), b.to_owned())
            };
            let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent.as_str()), |rest| ("-", rest));
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

fn moment(micros: i64, of: Type) -> String {
    let begin = date(1970, 1, 1).at(0, 0, 0, 0);
    let Ok(at) = begin.checked_add(SignedDuration::from_micros(micros)) else { return String::new() };
    let part = match at.subsec_nanosecond() / 1_000 {
        0 => String::new(),
        part => format!(".{part:06}").trim_end_matches('0').to_owned(),
    };
    let zone = if of == Type::Timestamptz { "+00" } else { "" };
    format!("{}{part}{zone}", at.strftime("%Y-%m-%d %H:%M:%S"))
}

fn list(items: &[Cell], of: Type) -> String {
    let item = oids::item(of).unwrap_or(Type::Text);
    if matches!(of, Type::Int2Vector | Type::OidVector) {
        return items.iter().map(|cell| text(cell, item)).collect::<Vec<_>>().join(" ");
    }
    let quoted = |cell: &Cell| match cell {
        Cell::Null => "NULL".to_owned(),
        cell => {
            let text = text(cell, item);
            let is_plain = !text.is_empty()
                && !text.eq_ignore_ascii_case("null")
                && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\\' | '{' | '}' | ','));
            if is_plain { text } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
        }
    };
    format!("{{{}}}", items.iter().map(quoted).collect::<Vec<_>>().join(","))
}

/// Writes a value in binary; `None` if the value is not of the type.
fn binary(cell: &Cell, of: Type, out: &mut BytesMut) -> Option<()> {
    match (of, cell) {
        (Type::Bool, Cell::Bool(truth)) => out.put_u8(u8::from(*truth)),
        (Type::Int2, Cell::Int(value)) => out.put_i16(i16::try_from(*value).ok()?),
        (Type::Int4, Cell::Int(value)) => out.put_i32(i32::try_from(*value).ok()?),
        (Type::Int8, Cell::Int(value)) => out.put_i64(*value),
        (Type::Oid | Type::Reg, Cell::Int(value)) => out.put_u32(u32::try_from(*value).ok()?),
        (Type::Char, Cell::Int(value)) => out.put_u8(u8::try_from(*value).ok()?),
        (Type::Float4, Cell::Float(value)) => out.put_f32(*value as f32),
        (Type::Float8, Cell::Float(value)) => out.put_f64(*value),
        (Type::Float8, Cell::Int(value)) => out.put_f64(*value as f64),
        (Type::Numeric, Cell::Int(value)) => numeric::write(&value.to_string(), out)?,
        (Type::Numeric, Cell::Text(digits)) => numeric::write(digits, out)?,
        (Type::Numeric, Cell::Float(value)) => numeric::write(&value.to_string(), out)?,
        (Type::Date, Cell::Date(days)) => out.put_i32(days.checked_sub(DAYS_TO_2000)?),
        (Type::Timestamp | Type::Timestamptz, Cell::Moment(micros)) => {
            out.put_i64(micros.checked_sub(i64::from(DAYS_TO_2000) * DAY_MICROS)?);
        }
        (_, Cell::List(items)) => array(items, of, out)?,
        (Type::Text | Type::Varchar | Type::Name | Type::Char | Type::Reg, cell) => {
            out.put_slice(text(cell, of).as_bytes())
        }
        (_, _) => return None,
    }
    Some(())
}

fn array(items: &[Cell], of: Type, out: &mut BytesMut) -> Option<()> {
    let item = oids::item(of)?;
    let has_null = items.contains(&Cell::Null);
    out.put_i32(i32::from(!items.is_empty()));
    out.put_i32(i32::from(has_null));
    out.put_u32(oids::of(item).0);
    if items.is_empty() {
        return Some(());
    }
    out.put_i32(i32::try_from(items.len()).ok()?);
    // Vectors count from 0, arrays from 1.
    out.put_i32(i32::from(!matches!(of, Type::Int2Vector | Type::OidVector)));
    items.iter().try_for_each(|cell| write(cell, item, Format::Binary, out).ok())
}

/// The days since 1970-01-01 of a date in binary.
pub(super) fn days(since_2000: i32) -> Option<i32> {
    since_2000.checked_add(DAYS_TO_2000)
}

/// The microseconds since 1970 of a moment in binary.
pub(super) fn micros(since_2000: i64) -> Option<i64> {
    since_2000.checked_add(i64::from(DAYS_TO_2000) * DAY_MICROS)
}

/// A moment as it is written in SQL; a day alone if it is midnight.
pub(super) fn moment_text(micros: i64) -> Option<String> {
    match micros % DAY_MICROS {
        0 => i32::try_from(micros / DAY_MICROS).ok().map(date_text),
        _ => Some(moment(micros, Type::Timestamp)).filter(|text| !text.is_empty()),
    }
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
