//! From the values of a batch to stored integers.
//!
//! Promises a row-local mapping: clamp and round to the grid, look up categories, NaN to null. It counts what it changed for the
//! steward's report.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::domain::{Domain, Grid, date_days};

/// A missing value. No stored integer comes near it: grids are below 2⁶².
pub const NULL: i64 = i64::MIN;

/// What the encoding of one column changed or could not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnCounts {
    /// Missing values, after the encoding.
    pub nulls: u64,
    /// Values outside the bounds.
    pub clamped: u64,
    /// Values that no list names; they become null.
    pub unlisted: u64,
    /// Texts that are no value of the type.
    pub unreadable: u64,
    /// The first row (from 1) with such a text.
    pub unreadable_row: Option<u64>,
}

/// The encoder of one column.
#[derive(Debug)]
pub struct Encoder {
    domain: Domain,
    codes: HashMap<String, i64>,
    texts: HashMap<i64, String>,
    key: [u8; 32],
    /// What happened so far.
    pub counts: ColumnCounts,
}

/// The source holds a type that the domain cannot come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongType {
    /// The type in the source.
    pub found: String,
    /// What is accepted.
    pub accepted: &'static str,
}

/// Whether a source type can be read as the domain. CSV text is read as every type.
///
/// # Errors
/// [`WrongType`].
pub fn check_type(domain: &Domain, found: &DataType, is_text: bool) -> Result<(), WrongType> {
    if is_text {
        return Ok(());
    }
    let text = matches!(found, DataType::String | DataType::Categorical(..) | DataType::Enum(..));
    let (fits, accepted) = match domain {
        Domain::Category(_) | Domain::Text { .. } => {
            (text || found.is_integer() || found.is_bool(), "text, integers or booleans")
        }
        Domain::Boolean => (found.is_bool() || found.is_integer(), "booleans, or integers 0 and 1"),
        Domain::Number(Grid { integer: true, .. }) => (found.is_integer(), "integers"),
        Domain::Number(Grid { integer: false, .. }) => (found.is_primitive_numeric() || found.is_decimal(), "numbers"),
        Domain::Date { .. } => (matches!(found, DataType::Date | DataType::Datetime(..)), "dates or date-times"),
    };
    if fits { Ok(()) } else { Err(WrongType { found: found.to_string(), accepted }) }
}

impl Encoder {
    /// An encoder for a column of this domain; `key` is the sealing's own.
    #[must_use]
    pub fn new(domain: &Domain, key: &[u8; 32]) -> Self {
        let codes = match domain {
            Domain::Category(values) => (0..).zip(values).map(|(code, value)| (value.clone(), code)).collect(),
            Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => HashMap::new(),
        };
        Self { domain: domain.clone(), codes, texts: HashMap::new(), key: *key, counts: ColumnCounts::default() }
    }

    /// Encodes one batch, whose rows have these numbers in the source; the result has one integer or [`NULL`] a row.
    ///
    /// # Errors
    /// Polars' own where a cast fails altogether; [`check_type`] rules that out.
    pub fn encode(&mut self, series: &Series, rows: &[u64]) -> PolarsResult<Vec<i64>> {
        let mut out = Vec::with_capacity(series.len());
        let text = series.dtype() == &DataType::String;
        match self.domain.clone() {
            Domain::Category(_) => self.categories(series, &mut out)?,
            Domain::Text { .. } => self.free_texts(series, &mut out)?,
            Domain::Boolean if text => self.texts(series, rows, &mut out, read_boolean)?,
            Domain::Boolean => self.booleans(series, rows, &mut out)?,
            Domain::Number(grid) if series.dtype().is_integer() => self.integers(series, grid, &mut out)?,
            Domain::Number(grid) if text => self.numbers_from_text(series, rows, grid, &mut out)?,
            Domain::Number(grid) => self.floats(series, grid, &mut out)?,
            Domain::Date { min, max } if text => {
                self.texts(series, rows, &mut out, |text| {
                    date_days(text.get(..10)?).filter(|_| is_day(text)).map(i64::from)
                })?;
                self.clamp(&mut out, min.into(), max.into());
            }
            Domain::Date { min, max } => {
                let days = series.cast(&DataType::Date)?;
                out.extend(days.date()?.physical().iter().map(|day| day.map_or(NULL, i64::from)));
                self.clamp(&mut out, min.into(), max.into());
            }
        }
        self.counts.nulls += out.iter().filter(|value| **value == NULL).count() as u64;
        Ok(out)
    }

    fn categories(&mut self, series: &Series, out: &mut Vec<i64>) -> PolarsResult<()> {
        let texts = series.cast(&DataType::String)?;
        for text in texts.str()?.iter() {
            let code = text.map(|text| self.codes.get(text).copied());
            self.counts.unlisted += u64::from(code == Some(None));
            out.push(code.flatten().unwrap_or(NULL));
        }
        Ok(())
    }

    /// A text is named by a keyed digest of it, so that nobody can make two of one name, and how a unit's rows are ordered depends on nothing but their own values.
    fn free_texts(&mut self, series: &Series, out: &mut Vec<i64>) -> PolarsResult<()> {
        let texts = series.cast(&DataType::String)?;
        for text in texts.str()?.iter() {
            let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
                out.push(NULL);
                continue;
            };
            let kept = plain(text);
            self.counts.clamped += u64::from(kept != text);
            let name = text_name(&self.key, &kept);
            if let Entry::Vacant(new) = self.texts.entry(name) {
                new.insert(kept);
            }
            out.push(name);
        }
        Ok(())
    }

    /// The texts that were read, by what stands for them.
    #[must_use]
    pub fn free(&self) -> &HashMap<i64, String> {
        &self.texts
    }

    fn booleans(&mut self, series: &Series, rows: &[u64], out: &mut Vec<i64>) -> PolarsResult<()> {
        let numbers = series.cast(&DataType::Int64)?;
        for (row, value) in rows.iter().zip(numbers.i64()?.iter()) {
            let read = value.filter(|value| matches!(value, 0 | 1));
            if value.is_some() && read.is_none() {
                self.unreadable(*row);
            }
            out.push(read.unwrap_or(NULL));
        }
        Ok(())
    }

    fn texts(
        &mut self,
        series: &Series,
        rows: &[u64],
        out: &mut Vec<i64>,
        read: impl Fn(&str) -> Option<i64>,
    ) -> PolarsResult<()> {
        for (row, text) in rows.iter().zip(series.str()?.iter()) {
            let value = text.map(|text| read(text.trim()));
            if value == Some(None) {
                self.unreadable(*row);
            }
            out.push(value.flatten().unwrap_or(NULL));
        }
        Ok(())
    }

    fn integers(&mut self, series: &Series, grid: Grid, out: &mut Vec<i64>) -> PolarsResult<()> {
        // Values above the greatest i64 saturate: they are beyond every bound all the same.
        let wide = series.cast(&DataType::Int128)?;
        for value in wide.i128()?.iter() {
            let value = value.map(|value| value.clamp(i64::MIN.into(), i64::MAX.into()));
            out.push(value.map_or(NULL, |value| self.on_grid_exactly(value, grid)));
        }
        Ok(())
    }

    fn numbers_from_text(&mut self, series: &Series, rows: &[u64], grid: Grid, out: &mut Vec<i64>) -> PolarsResult<()> {
        for (row, text) in rows.iter().zip(series.str()?.iter()) {
            let Some(text) = text.map(str::trim) else {
                out.push(NULL);
                continue;
            };
            let value = match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => self.on_grid_exactly(whole.into(), grid),
                (_, Ok(value)) if !grid.integer || value.fract() == 0.0 || !value.is_finite() => {
                    self.on_grid(value, grid)
                }
                _ => {
                    self.unreadable(*row);
                    NULL
                }
            };
            out.push(value);
        }
        Ok(())
    }

    fn floats(&mut self, series: &Series, grid: Grid, out: &mut Vec<i64>) -> PolarsResult<()> {
        let wide = series.cast(&DataType::Float64)?;
        for value in wide.f64()?.iter() {
            out.push(value.map_or(NULL, |value| self.on_grid(value, grid)));
        }
        Ok(())
    }

    fn on_grid_exactly(&mut self, value: i128, grid: Grid) -> i64 {
        let step = i128::from(grid.step);
        let scaled = value * 1_000_000_000;
        let away = (scaled.abs() + step / 2) / step;
        self.within(away * scaled.signum(), grid)
    }

    /// NaN is null; ±∞ and everything beyond the bounds clamps; halves round away from zero.
    fn on_grid(&mut self, value: f64, grid: Grid) -> i64 {
        if value.is_nan() {
            return NULL;
        }
        let power = 10_f64.powi(grid.decimals().cast_signed());
        let step = (grid.step_value() * power).round();
        // A float saturates on its way to an integer.
        let steps = (value * power / step).round() as i128;
        self.within(steps, grid)
    }

    fn within(&mut self, steps: i128, grid: Grid) -> i64 {
        let kept = steps.clamp(grid.low.into(), grid.high.into());
        self.counts.clamped += u64::from(kept != steps);
        // Unwrap safety: it lies between two i64, and so does its distance from their middle.
        i64::try_from(kept - i128::from(grid.centre())).expect("a kept value is near the centre")
    }

    fn clamp(&mut self, values: &mut [i64], min: i64, max: i64) {
        for value in values.iter_mut().filter(|value| **value != NULL) {
            let kept = (*value).clamp(min, max);
            self.counts.clamped += u64::from(kept != *value);
            *value = kept;
        }
    }

    fn unreadable(&mut self, row: u64) {
        self.counts.unreadable += 1;
        self.counts.unreadable_row.get_or_insert(row);
    }
}

/// Bytes of a text at the most.
const TEXT_BYTES_MAX: usize = 200;

/// A text of at most 200 bytes, without characters that would speak to whoever's terminal shows them: controls, and those that turn the
/// direction of what stands around them.
fn plain(text: &str) -> String {
    let is_plain = |c: char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut kept = String::new();
    for c in text.chars().map(|c| if is_plain(c) { c } else { char::REPLACEMENT_CHARACTER }) {
        if kept.len() + c.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        kept.push(c);
    }
    kept.trim_end().to_owned()
}

/// What stands for a text while it is sealed: 63 bits of its keyed digest.
fn text_name(key: &[u8; 32], text: &str) -> i64 {
    let digest = blake3::keyed_hash(key, text.as_bytes());
    let bytes: [u8; 8] = std::array::from_fn(|at| digest.as_bytes()[at]);
    i64::from_le_bytes(bytes) & i64::MAX
}

fn read_boolean(text: &str) -> Option<i64> {
    match text {
        "0" | "false" | "False" | "FALSE" => Some(0),
        "1" | "true" | "True" | "TRUE" => Some(1),
        _ => None,
    }
}

/// A day, or a day with a time behind it.
fn is_day(text: &str) -> bool {
    matches!(text.as_bytes().get(10), None | Some(b'T' | b' '))
}
