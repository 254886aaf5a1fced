//! Encodes the values of a batch into stored integers.
//!
//! Promises a row-by-row mapping that is the same for all file formats: whole floats and decimals are integers, text is read as CSV text
//! is, a text that is empty after trimming is missing, numbers compare by value, and text stays text. It clamps and rounds to the grid,
//! looks categories up, and counts what it changed for the steward's report. Its messages never contain a value of a file.

mod bulk;
mod counts;
pub(crate) mod cells;
mod id;
pub(crate) mod number;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::tz::TimeZone;
use polars::prelude::*;

use crate::query::terms::day::{self, Days};
use crate::query::terms::domain::{Domain, Grid, date_text};
use crate::query::terms::reading::Rules;
use bulk::Bulk;
use cells::{Cells, MomentZone};
pub use counts::ColumnCounts;
pub(crate) use id::{by_value, check_id, ids};
use number::{Number, without_zero_decimals};

/// The stored integer of a missing value. No other stored integer comes near it, because grids are below 2⁶².
pub const NULL: i64 = i64::MIN;

/// The settings that all columns of a source share.
#[derive(Debug, Clone)]
pub struct Context {
    /// The decimal sign of numbers, as an ASCII byte.
    pub point: u8,
    /// The time zone in which people lived, for moments given in UTC; `None` if the steward did not say.
    pub zone: Option<TimeZone>,
}

/// The encoder of one column. It turns batches into stored integers and counts what it changed.
#[derive(Debug)]
pub struct Encoder {
    domain: Domain,
    /// The codes of listed texts, with the labels and words that the rules add.
    codes: HashMap<String, i64>,
    /// The codes of listed numbers by their canonical text, for columns of numbers.
    numbers: HashMap<String, i64>,
    missing: Marks,
    point: u8,
    days: Days,
    texts: HashMap<i64, String>,
    key: [u8; 32],
    bulk: Bulk,
    /// What was changed or could not be read so far.
    pub counts: ColumnCounts,
}

/// The texts, numbers and days that mean a missing value.
#[derive(Debug, Default)]
struct Marks {
    texts: Vec<String>,
    numbers: Vec<Number>,
    days: Vec<i64>,
}

/// The error that a column of the source has a type from which the domain cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongType {
    /// The type in the source, in words.
    pub found: String,
    /// The types that are accepted, in words.
    pub accepted: &'static str,
}

/// A function that describes the place of a batch's row in its source, in words.
pub type PlaceOf<'a> = &'a dyn Fn(usize) -> String;

/// Checks whether a source type can be read as the domain. Text can be read as every domain.
///
/// # Errors
/// [`WrongType`] if it cannot.
pub fn check_type(domain: &Domain, found: &DataType) -> Result<(), WrongType> {
    let text = matches!(
        found,
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) | DataType::Binary | DataType::Null
    );
    let number = found.is_primitive_numeric() || found.is_decimal();
    let moment = matches!(found, DataType::Date | DataType::Datetime(..));
    let (fits, accepted) = match domain {
        Domain::Category(_) | Domain::Text { .. } => {
            (number || found.is_bool() || found == &DataType::Date, "text, numbers, booleans or dates")
        }
        Domain::Boolean => (found.is_bool() || number, "booleans, text, or the numbers 0 and 1"),
        Domain::Number(Grid { integer: true, .. }) => (number, "integers, text, or floats and decimals that are whole"),
        Domain::Number(Grid { integer: false, .. }) => (number, "numbers or text"),
        Domain::Date { .. } => (moment || number, "dates, date-times, text, or numbers like 20201231"),
    };
    let known =
        !matches!(found, DataType::Datetime(_, Some(zone)) if day::zone_of(zone).is_none() && !day::is_utc(zone));
    if (text || fits) && known { Ok(()) } else { Err(WrongType { found: name_of(found), accepted }) }
}

/// The name of a type, in words that a steward knows.
pub(crate) fn name_of(found: &DataType) -> String {
    match found {
        DataType::List(_) => "lists".to_owned(),
        DataType::Struct(_) => "structures".to_owned(),
        DataType::Boolean => "booleans".to_owned(),
        DataType::Date => "dates".to_owned(),
        DataType::Datetime(_, None) => "date-times".to_owned(),
        DataType::Datetime(_, Some(zone)) => format!("date-times of the zone {zone}"),
        DataType::Time => "times of the day".to_owned(),
        DataType::Duration(_) => "durations".to_owned(),
        DataType::String => "text".to_owned(),
        other => other.to_string(),
    }
}

impl Encoder {
    /// Creates an encoder for a column of this domain. `key` is the secret key of this sealing.
    #[must_use]
    pub fn new(domain: &Domain, rules: &Rules, context: &Context, key: &[u8; 32]) -> Self {
        let mut days = Days::new(rules.format.as_deref(), context.zone.as_ref());
        let codes = codes(domain, rules);
        let numbers = by_number(&codes);
        let missing = Marks::of(&rules.missing, &mut days);
        let (texts, bulk, counts) = (HashMap::new(), Bulk::default(), ColumnCounts::default());
        Self {
            domain: domain.clone(),
            codes,
            numbers,
            missing,
            point: context.point,
            days,
            texts,
            key: *key,
            bulk,
            counts,
        }
    }

    /// Encodes one batch into one integer, or [`NULL`], per row.
    ///
    /// # Errors
    /// [`WrongType`] if the type cannot be read; [`check_type`] rules that out for all batches of a source.
    pub fn encode(&mut self, series: &Series, place: PlaceOf<'_>) -> Result<Vec<i64>, WrongType> {
        check_type(&self.domain, series.dtype())?;
        let wrong = || WrongType { found: name_of(series.dtype()), accepted: "another type" };
        let cells = Cells::of(series).ok_or_else(wrong)?;
        let mut out = Vec::with_capacity(cells.len());
        match self.domain.clone() {
            Domain::Category(_) => self.listed(&cells, place, &mut out),
            Domain::Text { .. } => self.free_texts(&cells, &mut out),
            Domain::Boolean => self.booleans(&cells, place, &mut out),
            Domain::Number(grid) => self.numbers(&cells, grid, place, &mut out),
            Domain::Date { min, max } => self.dates(&cells, (min.into(), max.into()), place, &mut out),
        }
        .ok_or_else(wrong)?;
        self.counts.nulls += out.iter().filter(|value| **value == NULL).count() as u64;
        Ok(out)
    }

    /// The texts read so far, by the integers that stand for them.
    #[must_use]
    pub fn free(&self) -> &HashMap<i64, String> {
        &self.texts
    }

    /// The counts of the whole column. Call it once every batch has been encoded.
    #[must_use]
    pub fn finished(&self) -> ColumnCounts {
        let named = |(value, count)| Some((self.clamped_text(value)?, count));
        let clamped_values = self.bulk.values(self.counts.clamped).into_iter().filter_map(named).collect();
        ColumnCounts { clamped_values, ..self.counts.clone() }
    }

    fn clamped_text(&self, value: i128) -> Option<String> {
        match &self.domain {
            // A saturated value has no text.
            Domain::Number(grid) => value.checked_mul(grid.step.into()).map(|_| grid.text(value)),
            Domain::Date { .. } => i32::try_from(value).ok().map(date_text),
            Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => None,
        }
    }

    /// The code of a text: looked up as it is, then without decimals that are all
    /// zero, then, for numbers, by value if the list has that value only once.
    fn code(&self, text: &str, is_number: bool) -> Option<i64> {
        let exact = self.codes.get(text).or_else(|| self.codes.get(without_zero_decimals(text)?));
        exact.or_else(|| self.numbers.get(text).filter(|_| is_number)).copied()
    }

    fn listed(&mut self, cells: &Cells, place: PlaceOf<'_>, out: &mut Vec<i64>) -> Option<()> {
        let is_number = cells.are_numbers();
        for (row, text) in cells.texts()?.enumerate() {
            let text = text.filter(|text| !self.missing.has(text, is_number));
            let code = text.map(|text| self.code(&text, is_number));
            if code == Some(None) {
                self.counts.unlisted += 1;
                self.counts.first_unlisted.get_or_insert_with(|| place(row));
            }
            out.push(code.flatten().unwrap_or(NULL));
        }
        Some(())
    }

    /// Identifies each text by a keyed digest, so that nobody can craft two texts with the
    /// same digest, and so that the order of a unit's rows depends only on their values.
    fn free_texts(&mut self, cells: &Cells, out: &mut Vec<i64>) -> Option<()> {
        let is_number = cells.are_numbers();
        for text in cells.texts()? {
            let Some(text) = text.filter(|text| !self.missing.has(text, is_number)) else {
                out.push(NULL);
                continue;
            };
            let kept = plain(&text);
            self.counts.clamped += u64::from(kept != text);
            let name = text_name(&self.key, &kept);
            if let Entry::Vacant(new) = self.texts.entry(name) {
                new.insert(kept);
            }
            out.push(name);
        }
        Some(())
    }

    fn booleans(&mut self, cells: &Cells, place: PlaceOf<'_>, out: &mut Vec<i64>) -> Option<()> {
        if let Cells::Flags(values) = cells {
            out.extend(values.iter().map(|flag| flag.map_or(NULL, i64::from)));
            return Some(());
        }
        let is_number = cells.are_numbers();
        for (row, text) in cells.texts()?.enumerate() {
            let text = text.filter(|text| !self.missing.has(text, is_number));
            let code = text.map(|text| self.code(&text, is_number).or_else(|| self.usual_boolean(&text)));
            out.push(self.read(code, row, place));
        }
        Some(())
    }

    /// Recognises the usual words for true and false; `None` if the policy has its own lists.
    fn usual_boolean(&self, text: &str) -> Option<i64> {
        if !self.codes.is_empty() {
            return None;
        }
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(&["1", "1.0", "true", "t", "yes", "y", "on"]) {
            Some(1)
        } else {
            is(&["0", "0.0", "false", "f", "no", "n", "off"]).then_some(0)
        }
    }

    fn numbers(&mut self, cells: &Cells, grid: Grid, place: PlaceOf<'_>, out: &mut Vec<i64>) -> Option<()> {
        if let Some(numbers) = cells.numbers() {
            for (row, number) in numbers.enumerate() {
                let value = number.map(|number| self.on_grid(number, grid));
                out.push(self.read(value, row, place));
            }
            return Some(());
        }
        for (row, text) in cells.texts()?.enumerate() {
            let text = text.filter(|text| !self.missing.has(text, false));
            let value = text.map(|text| self.on_grid(Number::parse(&text, self.point)?, grid));
            out.push(self.read(value, row, place));
        }
        Some(())
    }

    /// The number's distance from the grid's centre in steps, clamped to the bounds. NaN and marks of missing values become [`NULL`];
    /// `None` for a fraction if the grid takes only whole numbers.
    fn on_grid(&mut self, number: Number, grid: Grid) -> Option<i64> {
        if self.missing.numbers.iter().any(|mark| mark.is(number)) {
            return Some(NULL);
        }
        if grid.integer && !number.is_whole() {
            return None;
        }
        let Some(steps) = number.steps(grid) else { return Some(NULL) };
        let kept = steps.clamp(grid.low.into(), grid.high.into());
        self.clamped(steps, kept);
        // Unwrap safety: it lies between two i64, and so does its distance from their middle.
        Some(i64::try_from(kept - i128::from(grid.centre())).expect("a kept value is near the centre"))
    }

    fn dates(&mut self, cells: &Cells, bounds: (i64, i64), place: PlaceOf<'_>, out: &mut Vec<i64>) -> Option<()> {
        match cells {
            Cells::Days(days) => out.extend(days.iter().map(|day| self.within(day.map(i64::from), bounds))),
            Cells::Moments(moments) => {
                for seconds in moments.seconds() {
                    let day = seconds.map(|seconds| self.day_of(seconds, &moments.zone));
                    out.push(self.within(day, bounds));
                }
            }
            Cells::Nothing(_)
            | Cells::Text(_)
            | Cells::Flags(_)
            | Cells::Whole(_)
            | Cells::Float(_)
            | Cells::Single(_)
            | Cells::Decimal(..) => {
                let is_number = cells.are_numbers();
                for (row, text) in cells.texts()?.enumerate() {
                    let text = text.filter(|text| !self.missing.has(text, is_number));
                    let day = text.map(|text| self.days.parse(without_zero_decimals(&text).unwrap_or(&text)));
                    self.counts.utc_days += u64::from(day.flatten().is_some_and(|day| day.of_utc));
                    let value = day.map(|day| day.map(|day| self.within(Some(day.days), bounds)));
                    out.push(self.read(value, row, place));
                }
            }
        }
        Some(())
    }

    fn day_of(&mut self, seconds: i64, zone: &MomentZone) -> i64 {
        match zone {
            MomentZone::Unsaid => seconds.div_euclid(86_400),
            MomentZone::Of(zone) => day::local(zone, seconds),
            MomentZone::Utc => {
                let day = self.days.of_moment(seconds);
                self.counts.utc_days += u64::from(day.of_utc);
                day.days
            }
        }
    }

    fn within(&mut self, day: Option<i64>, (min, max): (i64, i64)) -> i64 {
        let Some(day) = day.filter(|day| !self.missing.days.contains(day)) else { return NULL };
        let kept = day.clamp(min, max);
        self.clamped(day.into(), kept.into());
        kept
    }

    fn clamped(&mut self, value: i128, kept: i128) {
        if value != kept {
            self.counts.clamped += 1;
            self.bulk.count(value);
        }
    }

    /// Resolves a value that is present, missing (`None`) or unreadable (`Some(None)`), and counts the last kind.
    fn read(&mut self, value: Option<Option<i64>>, row: usize, place: PlaceOf<'_>) -> i64 {
        if value == Some(None) {
            self.counts.unreadable += 1;
            self.counts.first_unreadable.get_or_insert_with(|| place(row));
        }
        value.flatten().unwrap_or(NULL)
    }
}

impl Marks {
    fn of(missing: &[String], days: &mut Days) -> Self {
        let texts: Vec<String> = missing.iter().map(|mark| mark.trim().to_owned()).collect();
        let numbers = texts.iter().filter_map(|mark| Number::parse(mark, b'.')).collect();
        let days = texts.iter().filter_map(|mark| days.parse(mark)).map(|day| day.days).collect();
        Self { texts, numbers, days }
    }

    fn has(&self, text: &str, is_number: bool) -> bool {
        self.texts.iter().any(|mark| mark == text)
            || (is_number
                && Number::parse(text, b'.').is_some_and(|number| self.numbers.iter().any(|mark| mark.is(number))))
    }
}

/// The codes of the texts that a column may hold.
fn codes(domain: &Domain, rules: &Rules) -> HashMap<String, i64> {
    let trimmed = |text: &String| text.trim().to_owned();
    match domain {
        Domain::Category(values) => {
            let mut codes: HashMap<_, _> =
                (0..).zip(values.iter()).map(|(code, value)| (trimmed(value), code)).collect();
            let labels: Vec<_> = rules
                .labels
                .iter()
                .filter_map(|(text, value)| Some((trimmed(text), *codes.get(value.trim())?)))
                .collect();
            codes.extend(labels);
            codes
        }
        Domain::Boolean => {
            let (no, yes) =
                (rules.no.iter().map(|text| (trimmed(text), 0)), rules.yes.iter().map(|text| (trimmed(text), 1)));
            no.chain(yes).collect()
        }
        Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => HashMap::new(),
    }
}

/// The codes of those texts that are numbers, by canonical text. Numbers that stand for two different codes are left out.
fn by_number(codes: &HashMap<String, i64>) -> HashMap<String, i64> {
    let mut numbers: HashMap<String, Option<i64>> = HashMap::new();
    for (text, code) in codes {
        if let Some(number) = Number::parse(text, b'.').and_then(Number::text) {
            let known = numbers.entry(number).or_insert(Some(*code));
            *known = known.filter(|known| known == code);
        }
    }
    numbers.into_iter().filter_map(|(text, code)| Some((text, code?))).collect()
}

/// The largest length of a stored text, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// Shortens a text to at most 200 bytes, and replaces characters that could act on a terminal which shows them: control characters, and
/// those that change the direction of the surrounding text.
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

/// The integer that stands for a text while it is being sealed: 63 bits of its keyed digest.
fn text_name(key: &[u8; 32], text: &str) -> i64 {
    let digest = blake3::keyed_hash(key, text.as_bytes());
    let bytes: [u8; 8] = std::array::from_fn(|at| digest.as_bytes()[at]);
    i64::from_le_bytes(bytes) & i64::MAX
}
