//! The cells of an answer's table: keys, estimates with as many digits as their intervals give meaning to, and their intervals.

use std::collections::HashMap;
use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

use super::bars::ErrorBar;
use crate::render::reading::{number, why};
use crate::service::asking::body::{CellValue, OutputColumn};
use crate::terminal::{Screen, TextColumn, text_width};

/// The number of hexadecimal digits of an id that people read.
const ID_DIGITS: usize = 8;
/// An interval counts as symmetric if its halves differ by less than this part.
const SYMMETRIC: f64 = 0.1;

/// A value as text, with a dash in place of an absent one.
pub(super) fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// How the error of an estimate is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// Both ends of the interval.
    Intervals,
    /// The half-width, or both halves where they differ.
    HalfWidths,
}

impl ErrorForm {
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Intervals => "95 % interval",
            Self::HalfWidths => "95 %",
        }
    }
}

/// The values of one row, by the names of their cells.
pub(super) struct ReadRow<'a>(pub(super) &'a HashMap<String, Option<CellValue>>);

impl ReadRow<'_> {
    fn value(&self, name: &str) -> Option<&CellValue> {
        self.0.get(name)?.as_ref()
    }

    fn remark(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            CellValue::Text(text) => Some(text),
            CellValue::Truth(_) | CellValue::Number(_) => None,
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.value(name)? {
            CellValue::Number(number) => number.as_f64(),
            CellValue::Text(_) | CellValue::Truth(_) => None,
        }
    }

    /// The value of a key; a row that is a total over the key says so, and so does the group of missing values.
    pub(super) fn key(&self, name: &str) -> String {
        match (self.value(name), self.remark(&format!("{name}_null"))) {
            (None, Some("total")) => "total".to_owned(),
            (None, _) => "missing".to_owned(),
            (Some(value), _) => value.to_string(),
        }
    }

    fn estimate(&self, name: &str) -> Estimate {
        let end = |suffix: &str| self.number(&format!("{name}_{suffix}"));
        let (value, low, high) = (self.number(name), end("low"), end("high"));
        let note = self.remark(&format!("{name}_null")).filter(|_| value.is_none()).and_then(why);
        let is_outside = self.remark(&format!("{name}_note")) == Some("outside-bounds");
        Estimate { value, low, high, words: self.remark(name).map(str::to_owned), note, is_outside }
    }
}

/// The column of a key: numbers are aligned on the right.
pub(super) fn key_column(name: &str, rows: &[ReadRow<'_>]) -> TextColumn {
    let is_number = |row: &ReadRow<'_>| matches!(row.value(name), Some(CellValue::Number(_)) | None);
    let has_number = rows.iter().any(|row| row.number(name).is_some());
    if has_number && rows.iter().all(is_number) { TextColumn::number(name) } else { TextColumn::text(name) }
}

/// One estimate with its interval.
struct Estimate {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    /// A value that is words, as `CASE` may give.
    words: Option<String>,
    /// The reason why there is no value.
    note: Option<&'static str>,
    is_outside: bool,
}

impl Estimate {
    fn half_width(&self) -> Option<f64> {
        self.low.zip(self.high).map(|(low, high)| (high - low) / 2.0)
    }

    fn number(&self, value: Option<f64>, screen: &Screen) -> String {
        or_dash(value.map(|value| screen.number(number(value, self.half_width()))))
    }

    /// The value, or the reason why there is none.
    fn shown(&self, screen: &Screen) -> String {
        match (self.value, &self.words, &self.note) {
            (Some(_), _, _) if self.is_outside => format!("{} (out of bounds)", self.number(self.value, screen)),
            (Some(_), _, _) => self.number(self.value, screen),
            (None, Some(words), _) => words.clone(),
            (None, None, note) => or_dash(note.as_ref()),
        }
    }

    /// The half-width of the interval, or both halves; the ends where there is no value, or none that lies between them.
    fn halves(&self, screen: &Screen) -> String {
        let (Some(value), Some(low), Some(high)) = (self.value, self.low, self.high) else {
            return format!("{} … {}", self.number(self.low, screen), self.number(self.high, screen));
        };
        let (below, above) = (value - low, high - value);
        if below < 0.0 || above < 0.0 {
            return format!("{} … {}", self.number(self.low, screen), self.number(self.high, screen));
        }
        if (below - above).abs() <= SYMMETRIC * below.max(above) {
            return format!("± {}", self.number(self.half_width(), screen));
        }
        format!("−{} +{}", self.number(Some(below), screen), self.number(Some(above), screen))
    }
}

/// One column of estimates, and what is in each of its rows.
pub(super) struct Estimates {
    name: String,
    is_count: bool,
    rows: Vec<Estimate>,
}

impl Estimates {
    pub(super) fn read(column: &OutputColumn, rows: &[ReadRow<'_>]) -> Self {
        let is_count = column.aggregate.as_deref() == Some("count");
        let rows = rows.iter().map(|row| row.estimate(&column.name)).collect();
        Self { name: column.name.clone(), is_count, rows }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_count(&self) -> bool {
        self.is_count
    }

    /// What error bars are drawn of.
    pub(super) fn points(&self) -> Vec<ErrorBar> {
        let point = |one: &Estimate| ErrorBar { value: one.value, interval: one.low.zip(one.high) };
        self.rows.iter().map(point).collect()
    }

    /// The two cells of each row: the value and its error, with the ends of intervals below each other.
    pub(super) fn cells(&self, form: ErrorForm, screen: &Screen) -> Vec<[String; 2]> {
        let values = self.rows.iter().map(|one| one.shown(screen));
        if form == ErrorForm::HalfWidths {
            return values.zip(&self.rows).map(|(value, one)| [value, one.halves(screen)]).collect();
        }
        let end = |of: fn(&Estimate) -> Option<f64>| -> Vec<String> {
            self.rows.iter().map(|one| one.number(of(one), screen)).collect()
        };
        let (lows, highs) = (end(|one| one.low), end(|one| one.high));
        let widest = |ends: &[String]| ends.iter().map(|end| text_width(end)).max().unwrap_or(0);
        let (low_width, high_width) = (widest(&lows), widest(&highs));
        let interval = |low: &String, high: &String| {
            format!("{} … {}", right(low, low_width), right(high, high_width)).trim_end().to_owned()
        };
        let intervals = lows.iter().zip(&highs).map(|(low, high)| interval(low, high));
        values.zip(intervals).map(|(value, interval)| [value, interval]).collect()
    }
}

fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text_width(text))))
}

/// The expected margin of an output, with three significant digits, and the size of a group that it is expected for, if that is told.
pub(super) fn margin(column: &OutputColumn, screen: &Screen) -> [String; 2] {
    let margin = match column.margin.map(|margin| margin.rounded()) {
        Some(margin) => format!("± {}", screen.number(number(margin, Some(margin / 10.0)))),
        None => "in each row".to_owned(),
    };
    let told = serde_json::to_value(column).unwrap_or_default();
    let size = told["assumed_group_size"].as_f64();
    let rough = if told["rough"] == true { ", a rough guess" } else { "" };
    let size = size.map(|size| format!("{} rows{rough}", screen.number(number(size, None))));
    [margin, size.unwrap_or_default()]
}

/// The margins that a quote expects in groups of known size, a line for each of the first few.
pub(super) fn groups(quote: &impl Serialize, screen: &Screen) -> Vec<String> {
    const GROUPS_SHOWN: usize = 5;
    let told = serde_json::to_value(quote).unwrap_or_default();
    let known = told["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let digits = |value: f64| screen.number(number(value, Some(value / 10.0)));
    let line = |group: &Value| {
        let labels: Vec<&str> = group["group"].as_array()?.iter().filter_map(Value::as_str).collect();
        let rows = screen.number(number(group["rows"].as_f64()?, None));
        let margin =
            |(name, margin): (&String, &Value)| Some(format!("{name} ± {}", digits(margin.as_str()?.parse().ok()?)));
        let margins: Vec<String> = group["margins"].as_object()?.iter().filter_map(margin).collect();
        Some(screen.wrapped(&format!("{}, about {rows} rows: {}", labels.join(" · "), margins.join(", "))))
    };
    known.iter().take(GROUPS_SHOWN).filter_map(line).collect()
}

/// An id as people read it: its kind and the first few digits, which commands take for the whole.
#[must_use]
pub fn short_id(id: &str) -> &str {
    let start = id.find('_').map_or(0, |at| at + 1);
    id.char_indices().nth(start + ID_DIGITS).map_or(id, |(end, _)| &id[..end])
}
