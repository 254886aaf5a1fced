//! What a draft has seen of one column, read exactly as sealing reads it.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataType, Series};

use crate::engine::seal::encode::cells::{Cells, MomentZone};
use crate::engine::seal::encode::number::{Number, without_zero_decimals};
use crate::engine::seal::source::SourceColumn;
use crate::query::terms::day::Days;

/// The largest number of different texts that are counted.
pub(super) const TEXTS_MAX: usize = 20_000;
/// Texts that often mean a missing value.
const MARKS: [&str; 16] =
    ["NA", "N/A", "n/a", "#N/A", "NULL", "Null", "null", "None", "none", "NaN", "nan", ".", "-", "--", "?", "\\N"];
/// Formats of days, apart from year-month-day, that a draft tries.
pub(super) const FORMATS: [&str; 17] = [
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%b %d, %Y",
    "%Y/%m/%d %H:%M",
];

/// What was seen of one column.
pub(super) struct Seen {
    /// The column's name in the policy.
    pub(super) name: String,
    /// The column's name in the source.
    pub(super) source: String,
    pub(super) dtype: DataType,
    pub(super) values: u64,
    pub(super) nulls: u64,
    /// Each different text with its number of occurrences; `None` once there are more than [`TEXTS_MAX`].
    pub(super) texts: Option<BTreeMap<String, u64>>,
    /// The texts that were seen and that often mean a missing value.
    pub(super) marks: BTreeSet<String>,
    pub(super) points: Option<Numbers>,
    commas: Option<Numbers>,
    pub(super) days: Vec<DaysSeen>,
    pub(super) booleans: bool,
    pub(super) utc: bool,
    pub(super) multiline: bool,
    /// Whether the column's type does not hold single values, like a list.
    pub(super) unreadable: bool,
    pub(super) longest: usize,
}

/// The numbers of a column that holds nothing else.
#[derive(Clone)]
pub(super) struct Numbers {
    point: u8,
    pub(super) whole: bool,
    pub(super) decimals: u32,
    pub(super) low: f64,
    pub(super) high: f64,
    any: bool,
    /// Whether some of them have a decimal sign.
    signs: bool,
}

/// The days of a column that holds nothing else, in one format; `None` for the formats that are always recognised.
pub(super) struct DaysSeen {
    pub(super) format: Option<&'static str>,
    days: Days,
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Numbers {
    fn new(point: u8) -> Self {
        Self { point, whole: true, decimals: 0, low: f64::INFINITY, high: f64::NEG_INFINITY, any: false, signs: false }
    }

    fn take(&mut self, number: Number) {
        let Some(text) = number.text() else { return };
        let value: f64 = text.parse().unwrap_or(0.0);
        self.any = true;
        self.decimals = self.decimals.max(text.split_once('.').map_or(0, |(_, decimals)| decimals.len() as u32));
        self.whole &= number.is_whole();
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
    }
}

impl Seen {
    pub(super) fn new(name: String, column: &SourceColumn) -> Self {
        let zone = None;
        let days = std::iter::once(None).chain(FORMATS.into_iter().map(Some));
        let days = days.map(|format| DaysSeen { format, days: Days::new(format, zone), low: i64::MAX, high: i64::MIN });
        Self {
            name,
            source: column.name.clone(),
            dtype: column.dtype.clone(),
            values: 0,
            nulls: 0,
            texts: Some(BTreeMap::new()),
            marks: BTreeSet::new(),
            points: Some(Numbers::new(b'.')),
            commas: Some(Numbers::new(b',')),
            days: days.collect(),
            booleans: true,
            utc: false,
            multiline: false,
            unreadable: false,
            longest: 0,
        }
    }

    pub(super) fn take(&mut self, series: &Series) {
        let Some(cells) = Cells::of(series) else {
            self.unreadable = true;
            return;
        };
        if let Cells::Moments(moments) = &cells {
            self.utc |= matches!(moments.zone, MomentZone::Utc);
            moments.seconds().for_each(|seconds| self.moment(seconds, &moments.zone));
            return;
        }
        let is_text = series.dtype().is_string();
        for text in cells.texts().into_iter().flatten() {
            match text {
                None => self.nulls += 1,
                Some(text) if is_text && MARKS.contains(&text.as_ref()) => {
                    self.count(&text);
                    self.marks.insert(text.into_owned());
                }
                Some(text) => {
                    self.values += 1;
                    self.count(&text);
                    self.value(&text);
                }
            }
        }
    }

    /// Counts a value of a column of moments, as the day in the column's own time zone.
    fn moment(&mut self, seconds: Option<i64>, zone: &MomentZone) {
        let Some(seconds) = seconds else {
            self.nulls += 1;
            return;
        };
        self.values += 1;
        let day = zone.day(seconds);
        self.days.truncate(1);
        for seen in &mut self.days {
            (seen.low, seen.high) = (seen.low.min(day), seen.high.max(day));
        }
        (self.points, self.commas, self.booleans, self.texts) = (None, None, false, None);
    }

    fn count(&mut self, text: &str) {
        self.longest = self.longest.max(text.chars().count());
        self.multiline |= text.contains(['\n', '\r']);
        let Some(texts) = &mut self.texts else { return };
        if let Some(count) = texts.get_mut(text) {
            *count += 1;
        } else if texts.len() < TEXTS_MAX {
            texts.insert(text.to_owned(), 1);
        } else {
            self.texts = None;
        }
    }

    fn value(&mut self, text: &str) {
        for numbers in [&mut self.points, &mut self.commas] {
            let Some(known) = numbers else { continue };
            match Number::parse(text, known.point) {
                Some(number) => {
                    known.signs |= text.as_bytes().contains(&known.point);
                    known.take(number);
                }
                None => *numbers = None,
            }
        }
        let whole = without_zero_decimals(text).unwrap_or(text);
        let mut utc = false;
        self.days.retain_mut(|seen| match seen.days.parse(whole) {
            Some(day) => {
                utc |= day.of_utc;
                (seen.low, seen.high) = (seen.low.min(day.days), seen.high.max(day.days));
                true
            }
            None => false,
        });
        self.utc |= utc;
        let words = ["0", "1", "0.0", "1.0", "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off"];
        self.booleans = self.booleans && words.iter().any(|word| text.eq_ignore_ascii_case(word));
    }

    /// Whether the column holds numbers only if the comma is the decimal sign.
    pub(super) fn has_decimal_commas(&self) -> bool {
        self.points.is_none() && self.commas.as_ref().is_some_and(|numbers| numbers.any && numbers.signs)
    }

    /// Whether the column holds numbers only if the point is the decimal sign.
    pub(super) fn has_decimal_points(&self) -> bool {
        self.commas.is_none() && self.points.as_ref().is_some_and(|numbers| numbers.any && numbers.signs)
    }

    pub(super) fn take_commas(&mut self) {
        if self.dtype.is_string() {
            self.points = self.commas.clone();
        }
    }

    /// The number of different texts without the marks of missing values; `None` if there were too many to count.
    pub(super) fn different(&self) -> Option<usize> {
        self.texts.as_ref().map(|texts| texts.len() - self.marks.len())
    }
}
