//! The values of one column of a batch, independent of the format they came in.
//!
//! Promises that types with the same meaning become one kind: numbers of any width, texts of any encoding, moments of any resolution.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use polars::prelude::*;

use super::number::Number;
use crate::query::terms::day;
use crate::query::terms::domain::date_text;

/// The values of a column, by kind.
pub(crate) enum Cells {
    /// A column that never had a value; holds the number of its rows.
    Nothing(usize),
    Text(StringChunked),
    Flags(BooleanChunked),
    Whole(Int128Chunked),
    Float(Float64Chunked),
    Single(Float32Chunked),
    Decimal(Int128Chunked, u32),
    Days(Int32Chunked),
    Moments(Moments),
}

/// Moments in time, or local times whose place is unknown.
pub(crate) struct Moments {
    values: Int64Chunked,
    per_second: i64,
    pub(crate) zone: MomentZone,
}

/// The time zone of moments.
pub(crate) enum MomentZone {
    /// Not stated: days are taken as they are written.
    Unsaid,
    /// UTC, which programs write if they know no other zone.
    Utc,
    /// A known zone.
    Of(TimeZone),
}

impl MomentZone {
    /// The day of a moment, in days since 1970-01-01. The moment is given in seconds since 1970.
    pub(crate) fn day(&self, seconds: i64) -> i64 {
        match self {
            Self::Unsaid | Self::Utc => seconds.div_euclid(86_400),
            Self::Of(zone) => day::local(zone, seconds),
        }
    }
}

impl Cells {
    /// Sorts a column's values into their kind; `None` for types that do not hold single values and for unknown time zones.
    pub(crate) fn of(series: &Series) -> Option<Self> {
        let cast = |to: &DataType| series.cast(to).ok();
        Some(match series.dtype() {
            DataType::Null => Self::Nothing(series.len()),
            DataType::String => Self::Text(series.str().ok()?.clone()),
            DataType::Categorical(..) | DataType::Enum(..) => Self::Text(cast(&DataType::String)?.str().ok()?.clone()),
            DataType::Binary => Self::Text(texts_of(series.binary().ok()?)),
            DataType::Boolean => Self::Flags(series.bool().ok()?.clone()),
            DataType::Float64 => Self::Float(series.f64().ok()?.clone()),
            DataType::Float32 => Self::Single(series.f32().ok()?.clone()),
            kind if kind.is_float() => Self::Single(cast(&DataType::Float32)?.f32().ok()?.clone()),
            DataType::Decimal(_, scale) => {
                let scale = u32::try_from(*scale).ok()?;
                Self::Decimal(series.decimal().ok()?.physical().clone(), scale)
            }
            DataType::Date => Self::Days(series.date().ok()?.physical().clone()),
            DataType::Datetime(unit, zone) => Self::Moments(Moments {
                values: series.datetime().ok()?.physical().clone(),
                per_second: match unit {
                    TimeUnit::Milliseconds => 1_000,
                    TimeUnit::Microseconds => 1_000_000,
                    TimeUnit::Nanoseconds => 1_000_000_000,
                },
                zone: match zone.as_ref().map(|zone| zone.to_string()) {
                    None => MomentZone::Unsaid,
                    Some(name) if day::is_utc(&name) => MomentZone::Utc,
                    Some(name) => MomentZone::Of(day::zone_of(&name)?),
                },
            }),
            kind if kind.is_integer() => Self::Whole(cast(&DataType::Int128)?.i128().ok()?.clone()),
            _ => return None,
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Nothing(len) => *len,
            Self::Text(values) => values.len(),
            Self::Flags(values) => values.len(),
            Self::Whole(values) | Self::Decimal(values, _) => values.len(),
            Self::Float(values) => values.len(),
            Self::Single(values) => values.len(),
            Self::Days(values) => values.len(),
            Self::Moments(moments) => moments.values.len(),
        }
    }

    /// Whether the values have a numeric type and so compare by value, unlike texts.
    pub(crate) fn are_numbers(&self) -> bool {
        matches!(self, Self::Whole(_) | Self::Float(_) | Self::Single(_) | Self::Decimal(..))
    }

    /// Every value as a number, `None` for missing ones. Returns `None` for columns that do not hold numbers.
    pub(crate) fn numbers(&self) -> Option<Box<dyn Iterator<Item = Option<Number>> + '_>> {
        Some(match self {
            Self::Whole(values) => Box::new(values.iter().map(|value| value.map(Number::whole))),
            Self::Float(values) => Box::new(values.iter().map(|value| value.map(Number::float))),
            Self::Single(values) => Box::new(values.iter().map(|value| value.map(Number::single))),
            Self::Decimal(values, scale) => {
                Box::new(values.iter().map(|value| value.map(|value| Number::new(value, *scale))))
            }
            Self::Nothing(_) | Self::Text(_) | Self::Flags(_) | Self::Days(_) | Self::Moments(_) => return None,
        })
    }

    /// Every value as a trimmed text: numbers in canonical form (12.0 is `12`), days like `2020-12-31`, and `None` for values that are
    /// missing or not a number. Returns `None` for moments, which have no single text.
    pub(crate) fn texts(&self) -> Option<Box<dyn Iterator<Item = Option<Cow<'_, str>>> + '_>> {
        Some(match self {
            Self::Nothing(len) => Box::new((0..*len).map(|_| None)),
            Self::Text(values) => Box::new(values.iter().map(|text| text.and_then(known).map(Cow::Borrowed))),
            Self::Flags(values) => {
                Box::new(values.iter().map(|flag| flag.map(|flag| Cow::Borrowed(if flag { "true" } else { "false" }))))
            }
            Self::Days(values) => Box::new(values.iter().map(|days| days.map(|days| Cow::Owned(date_text(days))))),
            Self::Whole(_) | Self::Float(_) | Self::Single(_) | Self::Decimal(..) => {
                let numbers = self.numbers()?;
                Box::new(numbers.map(|number| number.and_then(shown).map(Cow::Owned)))
            }
            Self::Moments(_) => return None,
        })
    }
}

impl Moments {
    /// Every moment, in whole seconds since 1970.
    pub(crate) fn seconds(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        self.values.iter().map(|value| value.map(|value| value.div_euclid(self.per_second)))
    }
}

/// Trims a text. Returns `None` if nothing is left, quoted or not: such a text is missing.
pub(crate) fn known(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// The text of a number: infinities have a word, and NaN is missing.
fn shown(number: Number) -> Option<String> {
    match number {
        Number::Exact { .. } => number.text(),
        Number::Beyond { negative } => Some(if negative { "-inf" } else { "inf" }.to_owned()),
        Number::Missing => None,
    }
}

/// Reads bytes that are UTF-8 as text, and others as hexadecimal digits after `\x`, as databases show them.
fn texts_of(bytes: &BinaryChunked) -> StringChunked {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("\\x{}", hex::encode(bytes)),
    };
    bytes.iter().map(|bytes| bytes.map(text)).collect()
}
