//! Days read from texts in a format: TO_DATE and TO_TIMESTAMP.
//!
//! Promises the day that PostgreSQL reads, for formats of these patterns: years of four digits, months by number or English name, days of the
//! month, and the time of a day. A text that is read otherwise, or that PostgreSQL refuses, is no day here.

use super::calendar::{civil, days};
use super::formats::MONTHS;

/// A format that days are read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingFormat {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    MonthName,
    Day,
    /// Hours, minutes, seconds, thousandths or millionths: digits, the first number that is too large, and millionths of a second in one.
    Time(usize, i64, i64),
    /// Any character that is neither a letter nor a digit.
    Separator,
    /// This character.
    Literal(char),
}

/// Patterns, the longer ones first.
const PATTERNS: [(&str, Piece); 11] = [
    ("YYYY", Piece::Year),
    ("MONTH", Piece::MonthName),
    ("MON", Piece::MonthName),
    ("HH24", Piece::Time(2, 24, 3_600_000_000)),
    ("MM", Piece::Month),
    ("DD", Piece::Day),
    ("MI", Piece::Time(2, 60, 60_000_000)),
    ("SS", Piece::Time(2, 60, 1_000_000)),
    ("MS", Piece::Time(3, 1_000, 1_000)),
    ("US", Piece::Time(6, 1_000_000, 1)),
    ("FM", Piece::Separator),
];

/// What a text was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The day, from 1970-01-01.
    pub day: i32,
    /// Millionths of a second since the day began.
    pub micros: i64,
}

impl ReadingFormat {
    /// Reads a format; `None` if it has another pattern, or no year.
    #[must_use]
    pub fn parse(format: &str) -> Option<Self> {
        let (mut rest, mut pieces) = (format, Vec::new());
        while let Some(letter) = rest.chars().next() {
            let known = PATTERNS
                .into_iter()
                .find(|(word, _)| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
            if letter == '"' {
                let (inner, behind) = rest.get(1..)?.split_once('"')?;
                pieces.extend(inner.chars().map(Piece::Literal));
                rest = behind;
            } else if let Some((word, piece)) = known {
                // FM only says that digits may be left out, as they always may.
                pieces.extend((piece != Piece::Separator).then_some(piece));
                rest = rest.get(word.len()..)?;
            } else if letter == 'T' && pieces.last() == Some(&Piece::Day) {
                pieces.push(Piece::Literal(letter));
                rest = rest.get(1..)?;
            } else if letter.is_alphanumeric() || letter == '\\' {
                return None;
            } else {
                pieces.push(Piece::Separator);
                rest = rest.get(letter.len_utf8()..)?;
            }
        }
        let is_once = |wanted: fn(&Piece) -> bool| pieces.iter().filter(|piece| wanted(piece)).count() <= 1;
        let is_plain = pieces.contains(&Piece::Year)
            && is_once(|piece| *piece == Piece::Year)
            && is_once(|piece| matches!(piece, Piece::Month | Piece::MonthName))
            && is_once(|piece| *piece == Piece::Day);
        is_plain.then_some(Self { pieces })
    }

    /// The moment that a text names; parts that the format leaves out are the first ones.
    #[must_use]
    pub fn moment(&self, text: &str) -> Option<Moment> {
        let (mut rest, mut year, mut month, mut day, mut micros) = (text, None, 1, 1, 0);
        for (place, piece) in self.pieces.iter().enumerate() {
            // Digits of the next pattern follow at once, so that this one has all of its own.
            let is_tight =
                matches!(self.pieces.get(place + 1), Some(Piece::Year | Piece::Month | Piece::Day | Piece::Time(..)));
            match piece {
                Piece::Year => year = Some(number(&mut rest, 4, true)?),
                Piece::Month => month = number(&mut rest, 2, is_tight)?,
                Piece::Day => day = number(&mut rest, 2, is_tight)?,
                Piece::Time(digits, end, size) => {
                    let value = number(&mut rest, *digits, is_tight || *digits > 2)?;
                    micros += value * size;
                    if value >= *end {
                        return None;
                    }
                }
                Piece::MonthName => {
                    let long = MONTHS.iter().position(|name| starts(rest, name));
                    let found = long.or_else(|| MONTHS.iter().position(|name| starts(rest, &name[..3])))?;
                    rest = &rest[if long.is_some() { MONTHS[found].len() } else { 3 }..];
                    month = i64::try_from(found).ok()? + 1;
                    rest = rest.trim_start_matches(' ');
                }
                Piece::Separator => {
                    let letter = rest.chars().next().filter(|letter| !letter.is_alphanumeric());
                    rest = letter.map_or(Some(rest), |letter| rest.get(letter.len_utf8()..))?;
                }
                Piece::Literal(letter) => rest = rest.strip_prefix(*letter)?,
            }
        }
        let year = year.filter(|year| *year > 0)?;
        if !rest.is_empty() || !(1..=12).contains(&month) || day < 1 {
            return None;
        }
        let found = days(year, month, day);
        let day = i32::try_from(found).ok().filter(|_| civil(found) == (year, month, day))?;
        Some(Moment { day, micros })
    }
}

/// The number at the start of a text: exactly so many digits, or at most so many.
fn number(rest: &mut &str, digits: usize, is_exact: bool) -> Option<i64> {
    let end = rest.bytes().take(digits).take_while(u8::is_ascii_digit).count();
    let (number, behind) = rest.split_at_checked(end).filter(|_| end > 0 && (end == digits || !is_exact))?;
    *rest = behind;
    number.parse().ok()
}

fn starts(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::terms::domain::date_text;

    #[test]
    fn texts_are_read_as_postgresql_reads_them() {
        for (format, text, wanted, is_later) in [
            ("YYYY-MM-DD", "2024-02-29", "2024-02-29", false),
            ("YYYY-MM-DD", "2024-2-9", "2024-02-09", false),
            ("YYYYMMDD", "20240229", "2024-02-29", false),
            ("DD.MM.YYYY", "29.02.2024", "2024-02-29", false),
            ("YYYY-MM", "2024-03", "2024-03-01", false),
            ("YYYY", "2024", "2024-01-01", false),
            ("YYYYMM", "202403", "2024-03-01", false),
            ("Mon YYYY", "Mar 2024", "2024-03-01", false),
            ("DD Month YYYY", "5 march 2024", "2024-03-05", false),
            ("YYYY-MM-DD HH24:MI:SS.US", "2024-03-01 00:00:00.000000", "2024-03-01", false),
            ("YYYY-MM-DD HH24:MI:SS", "2024-03-01 12:30:00", "2024-03-01", true),
            ("YYYY-MM-DD\"T\"HH24:MI", "2024-03-01T00:00", "2024-03-01", false),
        ] {
            let read = ReadingFormat::parse(format).and_then(|reading| reading.moment(text));
            let read = read.unwrap_or_else(|| panic!("{text} in {format}"));
            assert_eq!((date_text(read.day).as_str(), read.micros > 0), (wanted, is_later), "{text} in {format}");
        }
        for (format, text) in [
            ("YYYY-MM-DD", "2023-02-29"),
            ("YYYY-MM-DD", "2024-13-01"),
            ("YYYY-MM-DD", "2024-03-01x"),
            ("YYYYMMDD", "202403"),
            ("YYYY-MM-DD HH24", "2024-03-01 24"),
            ("Mon YYYY", "Mai 2024"),
        ] {
            assert_eq!(
                ReadingFormat::parse(format).and_then(|reading| reading.moment(text)),
                None,
                "{text} in {format}"
            );
        }
        for format in ["MM-DD", "YY-MM-DD", "YYYY-MM-DD TZ", "IYYY-IW", "YYYY YYYY"] {
            assert_eq!(ReadingFormat::parse(format), None, "{format}");
        }
    }
}
