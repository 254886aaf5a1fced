//! Formats of days as texts: TO_CHAR.
//!
//! Promises the texts that PostgreSQL writes in English for the patterns of days, and that patterns it does not know are refused and never
//! written as they stand.

use super::calendar::{DatePart, Period};
use crate::query::error::shown;

/// A format that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFormat {
    pieces: Vec<Piece>,
}

/// A pattern of a format that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TO_CHAR does not know the pattern at \"{rest}\"")]
pub struct UnknownPattern {
    /// The format from there on, cut to a readable length.
    pub rest: String,
}

impl UnknownPattern {
    fn at(rest: &str) -> Self {
        Self { rest: shown(rest) }
    }
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// This text.
    Literal(String),
    /// A number of at least this many digits; it is cut to them if the third is true.
    Number(Field, usize, bool),
    /// A name of a month or a weekday.
    Name(Field, Letters, Width),
}

/// What a number or a name is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Century,
    Year,
    Isoyear,
    Quarter,
    Month,
    Week,
    /// Weeks of seven days from 1 January.
    YearWeek,
    /// Weeks of seven days from the first of the month.
    MonthWeek,
    Doy,
    Day,
    /// 1 (Sunday) to 7.
    Weekday,
    /// 1 (Monday) to 7.
    Isodow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    Capital,
    Initial,
    Small,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// Three letters.
    Short,
    /// The whole name, filled with blanks to nine characters.
    Padded,
    /// The whole name.
    Whole,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Patterns of numbers, the longer ones first: name, field, digits, and whether the number is cut to its last digits.
const NUMBERS: [(&str, Field, usize, bool); 20] = [
    ("IYYY", Field::Isoyear, 4, false),
    ("IYY", Field::Isoyear, 3, true),
    ("IDDD", Field::Doy, 0, false),
    ("YYYY", Field::Year, 4, false),
    ("YYY", Field::Year, 3, true),
    ("DDD", Field::Doy, 3, false),
    ("IY", Field::Isoyear, 2, true),
    ("IW", Field::Week, 2, false),
    ("ID", Field::Isodow, 1, false),
    ("YY", Field::Year, 2, true),
    ("MM", Field::Month, 2, false),
    ("DD", Field::Day, 2, false),
    ("WW", Field::YearWeek, 2, false),
    ("CC", Field::Century, 2, false),
    ("I", Field::Isoyear, 1, true),
    ("Y", Field::Year, 1, true),
    ("Q", Field::Quarter, 1, false),
    ("D", Field::Weekday, 1, false),
    ("W", Field::MonthWeek, 1, false),
    ("J", Field::Doy, 0, false),
];

impl DayFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// [`UnknownPattern`], which holds the rest of the text that begins with it.
    pub fn parse(text: &str) -> Result<Self, UnknownPattern> {
        let (mut rest, mut pieces) = (text, Vec::new());
        while let Some(letter) = rest.chars().next() {
            if letter == '"' {
                let (inner, behind) = rest[1..].split_once('"').ok_or_else(|| UnknownPattern::at(rest))?;
                pieces.push(Piece::Literal(inner.to_owned()));
                rest = behind;
            } else if letter.is_alphanumeric() || letter == '\\' {
                let fills = !rest.get(..2).is_some_and(|two| two.eq_ignore_ascii_case("FM"));
                let body = if fills { rest } else { &rest[2..] };
                let found = name(body, fills).or_else(|| number(body, fills));
                let (piece, length) = found.ok_or_else(|| UnknownPattern::at(rest))?;
                pieces.push(piece);
                rest = &body[length..];
                if rest.get(..2).is_some_and(|two| two.eq_ignore_ascii_case("TH")) {
                    return Err(UnknownPattern::at(rest));
                }
            } else {
                pieces.push(Piece::Literal(letter.to_string()));
                rest = &rest[letter.len_utf8()..];
            }
        }
        Ok(Self { pieces })
    }

    /// The longest period whose days all have the same text.
    #[must_use]
    pub fn period(&self) -> Period {
        let mut fields: Vec<Field> = self.fields().collect();
        fields.sort_unstable();
        let within = |allowed: &[Field]| fields.iter().all(|field| allowed.contains(field));
        if within(&[Field::Century, Field::Year]) {
            Period::Year
        } else if within(&[Field::Century, Field::Year, Field::Quarter]) {
            Period::Quarter
        } else if within(&[Field::Century, Field::Year, Field::Quarter, Field::Month]) {
            Period::Month
        } else if within(&[Field::Isoyear, Field::Week]) {
            Period::Week
        } else {
            Period::Day
        }
    }

    /// The text of a day.
    #[must_use]
    pub fn text(&self, day: i64) -> String {
        self.pieces.iter().map(|piece| piece.text(day)).collect()
    }

    /// The numbers that texts are sorted by: those that the format shows, from the longest to the shortest.
    #[must_use]
    pub fn place(&self, day: i64) -> Vec<i64> {
        let mut fields: Vec<Field> = self.fields().collect();
        fields.sort_unstable();
        fields.into_iter().map(|field| field.of(day)).collect()
    }

    fn fields(&self) -> impl Iterator<Item = Field> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Number(field, ..) | Piece::Name(field, ..) => Some(*field),
        })
    }
}

/// A name at the start of a format, with the length of its pattern.
fn name(text: &str, fills: bool) -> Option<(Piece, usize)> {
    let whole = if fills { Width::Padded } else { Width::Whole };
    let known = [
        ("MONTH", Field::Month, whole),
        ("MON", Field::Month, Width::Short),
        ("DAY", Field::Weekday, whole),
        ("DY", Field::Weekday, Width::Short),
    ];
    let (word, field, width) = known.into_iter().find(|(word, ..)| starts(text, word))?;
    let second = text.chars().nth(1)?;
    let letters = match (text.starts_with(char::is_uppercase), second.is_uppercase()) {
        (true, true) => Letters::Capital,
        (true, false) => Letters::Initial,
        (false, _) => Letters::Small,
    };
    Some((Piece::Name(field, letters, width), word.len()))
}

/// A number at the start of a format, with the length of its pattern.
fn number(text: &str, fills: bool) -> Option<(Piece, usize)> {
    let (word, field, digits, is_cut) = NUMBERS.into_iter().find(|(word, ..)| starts(text, word))?;
    // These are known to PostgreSQL and would need another calendar here.
    if digits == 0 {
        return None;
    }
    Some((Piece::Number(field, if fills { digits } else { 1 }, is_cut), word.len())).filter(|_| fills || !is_cut)
}

fn starts(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

impl Piece {
    fn text(&self, day: i64) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Number(field, digits, is_cut) => {
                let value = field.of(day);
                let shown = if *is_cut { value.rem_euclid(10_i64.pow(*digits as u32)) } else { value };
                format!("{shown:0digits$}")
            }
            Self::Name(field, letters, width) => {
                let names: &[&str] = if *field == Field::Month { &MONTHS } else { &WEEKDAYS };
                let place = usize::try_from(field.of(day) - 1).unwrap_or(0);
                let name = names.get(place).copied().unwrap_or("");
                let name = if *width == Width::Short { &name[..name.len().min(3)] } else { name };
                let name = match letters {
                    Letters::Capital => name.to_uppercase(),
                    Letters::Initial => name.to_owned(),
                    Letters::Small => name.to_lowercase(),
                };
                if *width == Width::Padded { format!("{name:9}") } else { name }
            }
        }
    }
}

impl Field {
    fn of(self, day: i64) -> i64 {
        match self {
            Self::Century => DatePart::Century.of(day),
            Self::Year => DatePart::Year.of(day),
            Self::Isoyear => DatePart::Isoyear.of(day),
            Self::Quarter => DatePart::Quarter.of(day),
            Self::Month => DatePart::Month.of(day),
            Self::Week => DatePart::Week.of(day),
            Self::YearWeek => (DatePart::Doy.of(day) - 1) / 7 + 1,
            Self::MonthWeek => (DatePart::Day.of(day) - 1) / 7 + 1,
            Self::Doy => DatePart::Doy.of(day),
            Self::Day => DatePart::Day.of(day),
            Self::Weekday => DatePart::Dow.of(day) + 1,
            Self::Isodow => DatePart::Isodow.of(day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_postgresql_writes_them() {
        let day = |text: &str| i64::from(crate::query::terms::domain::date_days(text).expect("a day"));
        for (format, on, text, period) in [
            ("YYYY-MM", "2024-03-05", "2024-03", Period::Month),
            ("YYYY-MM-DD", "2024-03-05", "2024-03-05", Period::Day),
            ("YYYY", "2024-03-05", "2024", Period::Year),
            ("yyyy-\"Q\"Q", "2024-03-05", "2024-Q1", Period::Quarter),
            ("MM", "2024-03-05", "03", Period::Month),
            ("FMMM/FMDD", "2024-03-05", "3/5", Period::Day),
            ("Mon YYYY", "2024-03-05", "Mar 2024", Period::Month),
            ("MON", "2024-03-05", "MAR", Period::Month),
            ("Month", "2024-03-05", "March    ", Period::Month),
            ("FMmonth", "2024-03-05", "march", Period::Month),
            ("Dy", "2024-03-05", "Tue", Period::Day),
            ("FMDay", "2024-03-05", "Tuesday", Period::Day),
            ("D ID", "2024-03-03", "1 7", Period::Day),
            ("IYYY-IW", "2024-12-30", "2025-01", Period::Week),
            ("IYYY-\"W\"IW", "2021-01-03", "2020-W53", Period::Week),
            ("YYYY-IW", "2024-12-30", "2024-01", Period::Day),
            ("DDD WW W", "2024-02-29", "060 09 5", Period::Day),
            ("YY CC", "2024-02-29", "24 21", Period::Year),
            ("DD.MM.YYYY", "2024-02-29", "29.02.2024", Period::Day),
        ] {
            let read = DayFormat::parse(format).unwrap_or_else(|rest| panic!("{format}: {rest}"));
            assert_eq!((read.text(day(on)).as_str(), read.period()), (text, period), "{format}");
        }
        for (format, rest) in [("HH24:MI", "HH24:MI"), ("YYYY x", "x"), ("DDth", "th"), ("\"open", "\"open")] {
            assert_eq!(DayFormat::parse(format), Err(UnknownPattern { rest: rest.to_owned() }), "{format}");
        }
    }
}
