//! Public tables, read from their sources with the types of what they hold.
//!
//! Promises that a column's type follows from its values and not from the format of its file: whole numbers are integers, other numbers
//! are decimals on the coarsest grid that holds them all, `true` and `false` are booleans, days are dates, and everything else is a
//! category whose labels are the column's different values, in the order of their first occurrence. A number that is written with zeros in
//! front, like a code, is a text. Messages name no value.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::Series;

use crate::engine::seal::encode::cells::{Cells, Moments};
use crate::engine::seal::encode::number::Number;
use crate::engine::seal::source::{DecimalMark, Source, SourceError, SourceSpec, WantedColumn};
use crate::query::terms::domain::{Column, DECIMALS, Domain, Grid, date_days, date_text};
use crate::query::terms::labels::Labels;
use crate::query::terms::policy::limits::{PUBLIC_ROWS_MAX, VALUE_CHARS_MAX};
use crate::query::terms::policy::{Policy, PolicyError, PublicRows, is_label};

/// One in multiples of 1e-9.
const ONE: i128 = 1_000_000_000;
/// Numbers whose magnitude reaches this many steps are codes.
const STEPS_MAX: i128 = 1 << 60;

impl Policy {
    /// Reads and checks a policy file and its public tables. Paths of sources are taken relative to it.
    ///
    /// # Errors
    /// [`PolicyError`] with every fault that was found.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        Self::load_with(path, &mut read_public)
    }
}

/// Why a public table cannot be used.
#[derive(Debug, thiserror::Error)]
enum PublicFault {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It has too many rows.
    #[error("it has more than {PUBLIC_ROWS_MAX} rows; a public table has at most so many")]
    TooManyRows,
    /// It has no row.
    #[error("it has no row")]
    NoRow,
    /// A column has no value.
    #[error("column \"{column}\" has no value in any row; leave it out")]
    NoValue {
        /// The name of the column.
        column: String,
    },
    /// A column has a type that is not read.
    #[error("column \"{column}\" holds neither text, numbers, booleans nor days")]
    Type {
        /// The name of the column.
        column: String,
    },
    /// A text is too long or cannot be shown.
    #[error(
        "column \"{column}\" holds a text of more than {VALUE_CHARS_MAX} characters or with control characters; shorten it, or leave the column out"
    )]
    Label {
        /// The name of the column.
        column: String,
    },
    /// A number has too many decimals.
    #[error("column \"{column}\" holds numbers with more than {DECIMALS} decimals; round them in the source")]
    Decimals {
        /// The name of the column.
        column: String,
    },
}

/// The texts of a column, by their codes.
#[derive(Default)]
struct Texts {
    labels: Vec<String>,
    codes: HashMap<String, u32>,
    rows: Vec<Option<u32>>,
}

/// Reads the columns of these names from a public table's source, as [`Policy::parse_with`] wants it.
///
/// # Errors
/// Says why the table cannot be used, and names no value of it.
pub fn read_public(spec: &SourceSpec, columns: &[String]) -> Result<PublicRows, Box<dyn std::error::Error>> {
    Ok(read(spec, columns)?)
}

/// Reads the columns of these names from a public table's source.
fn read(spec: &SourceSpec, columns: &[String]) -> Result<PublicRows, PublicFault> {
    let source = Source::open(spec)?;
    let wanted: Vec<WantedColumn<'_>> = columns.iter().map(|name| WantedColumn { name, source: None }).collect();
    let places: Vec<(usize, bool)> = source.find_all(&wanted)?.into_iter().map(|place| (place, false)).collect();
    let mut texts: Vec<Texts> = columns.iter().map(|_| Texts::default()).collect();
    source.batches::<PublicFault>(&places, |batch| {
        for ((name, texts), series) in columns.iter().zip(&mut texts).zip(&batch.columns) {
            texts.take(series).ok_or_else(|| PublicFault::Type { column: name.clone() })?;
        }
        let is_too_long = texts.first().is_some_and(|texts| texts.rows.len() > PUBLIC_ROWS_MAX);
        if is_too_long { Err(PublicFault::TooManyRows) } else { Ok(()) }
    })?;
    if texts.first().is_none_or(|texts| texts.rows.is_empty()) {
        return Err(PublicFault::NoRow);
    }
    let point = match spec.decimal {
        DecimalMark::Point => b'.',
        DecimalMark::Comma => b',',
    };
    columns.iter().zip(texts).map(|(name, texts)| texts.column(name, point)).collect()
}

impl Texts {
    /// Adds the rows of a batch; `None` if they are of a type that has no texts.
    fn take(&mut self, series: &Series) -> Option<()> {
        let cells = Cells::of(series)?;
        if let Cells::Moments(moments) = &cells {
            days(moments).for_each(|day| self.push(day.as_deref()));
            return Some(());
        }
        cells.texts()?.for_each(|text| self.push(text.as_deref()));
        Some(())
    }

    fn push(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.rows.push(None) };
        let code = match self.codes.get(text) {
            Some(code) => *code,
            None => {
                // There are at most as many texts as rows, whose number is bounded.
                let code = self.labels.len() as u32;
                self.labels.push(text.to_owned());
                self.codes.insert(text.to_owned(), code);
                code
            }
        };
        self.rows.push(Some(code));
    }

    /// The column with its domain, and the stored integer of each row.
    fn column(self, name: &str, point: u8) -> Result<(Column, Vec<Option<i64>>), PublicFault> {
        if self.labels.is_empty() {
            return Err(PublicFault::NoValue { column: name.to_owned() });
        }
        let (domain, stored) = typed(&self.labels, name, point)?;
        if matches!(domain, Domain::Category(_)) && !self.labels.iter().all(|label| is_label(label)) {
            return Err(PublicFault::Label { column: name.to_owned() });
        }
        let value = |code: &Option<u32>| code.and_then(|code| stored.get(code as usize)).copied();
        let values: Vec<Option<i64>> = self.rows.iter().map(value).collect();
        let nullable = values.contains(&None);
        Ok((Column { name: name.to_owned(), title: None, domain, per_unit: false, nullable }, values))
    }
}

/// The domain that holds these different texts, and the stored integer of each.
fn typed(texts: &[String], name: &str, point: u8) -> Result<(Domain, Vec<i64>), PublicFault> {
    if texts.iter().all(|text| matches!(text.as_str(), "true" | "false")) {
        return Ok((Domain::Boolean, texts.iter().map(|text| i64::from(text == "true")).collect()));
    }
    if let Some(days) = texts.iter().map(|text| date_days(text)).collect::<Option<Vec<i32>>>() {
        let (min, max) = (days.iter().min().copied().unwrap_or(0), days.iter().max().copied().unwrap_or(0));
        let domain = Domain::Date { min, max: max.max(min.saturating_add(1)) };
        return Ok((domain, days.into_iter().map(i64::from).collect()));
    }
    let numbers = texts.iter().map(|text| plain_number(text, point)).collect::<Option<Vec<Number>>>();
    match numbers {
        Some(numbers) => {
            let too_fine = || PublicFault::Decimals { column: name.to_owned() };
            let nanos = numbers.into_iter().map(nanos).collect::<Option<Vec<i128>>>().ok_or_else(too_fine)?;
            Ok(on_grid(&nanos).unwrap_or_else(|| listed(texts)))
        }
        None => Ok(listed(texts)),
    }
}

fn listed(texts: &[String]) -> (Domain, Vec<i64>) {
    let codes = (0..).zip(texts).map(|(code, _)| code).collect();
    (Domain::Category(Labels::from(texts.to_vec())), codes)
}

/// Reads a number that is written as people write numbers: without zeros in front, without an exponent, and with digits on both sides of
/// its decimal sign.
fn plain_number(text: &str, point: u8) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // Numbers that are read from columns of numbers have a decimal point, whatever the file's decimal sign.
    let (whole, decimals) = match digits.split_once([char::from(point), '.']) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (digits, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = all_digits(whole) && decimals.is_none_or(all_digits) && (whole == "0" || !whole.starts_with('0'));
    if !is_plain {
        return None;
    }
    Number::parse(&text.replace(char::from(point), "."), b'.')
}

/// A number in multiples of 1e-9; `None` if it has more decimals.
fn nanos(number: Number) -> Option<i128> {
    match number {
        Number::Exact { mantissa, scale } => match DECIMALS.checked_sub(scale) {
            Some(power) => mantissa.checked_mul(10_i128.pow(power)),
            None => {
                let rest = 10_i128.pow(scale - DECIMALS);
                (mantissa % rest == 0).then_some(mantissa / rest)
            }
        },
        Number::Beyond { negative } => Some(if negative { i128::MIN } else { i128::MAX }),
        Number::Missing => None,
    }
}

/// The coarsest grid that holds these numbers, and the distance of each from its centre; `None` if they are too large.
fn on_grid(nanos: &[i128]) -> Option<(Domain, Vec<i64>)> {
    let integer = nanos.iter().all(|nano| nano % ONE == 0);
    let step = if integer { ONE } else { nanos.iter().fold(0, |step, nano| divisor(step, *nano)) };
    let (low, high) = (nanos.iter().min().copied()?, nanos.iter().max().copied()?);
    if step <= 0 || (low / step).checked_abs()? >= STEPS_MAX || (high / step).checked_abs()? >= STEPS_MAX {
        return None;
    }
    // A grid has at least two values.
    let grid = Grid::new(integer, low, high.max(low + step), step)?;
    let stored = |nano: &i128| i64::try_from(nano / step - i128::from(grid.centre())).ok();
    Some((Domain::Number(grid), nanos.iter().map(stored).collect::<Option<_>>()?))
}

/// The greatest common divisor, which is not negative unless a number is beyond all bounds.
fn divisor(one: i128, other: i128) -> i128 {
    let (mut one, mut other) = (one.checked_abs().unwrap_or(0), other.checked_abs().unwrap_or(0));
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

fn days(moments: &Moments) -> impl Iterator<Item = Option<String>> + '_ {
    let day = |seconds: i64| i32::try_from(moments.zone.day(seconds)).ok().map(date_text);
    moments.seconds().map(move |seconds| seconds.and_then(day))
}

#[cfg(test)]
#[path = "public_tests.rs"]
mod tests;
