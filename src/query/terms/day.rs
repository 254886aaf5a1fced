//! Reads days from texts, dates, moments and whole numbers.
//!
//! Promises that a moment with a time zone becomes the day that people had there.
//! The day of UTC is taken only if nothing else is known, and this is counted.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// The largest number of different texts whose days are remembered.
const KNOWN_MAX: usize = 65_536;
/// The number of seconds in a day.
const DAY_SECONDS: i64 = 86_400;

/// How days are read in one column.
#[derive(Debug)]
pub(crate) struct Days {
    format: Option<String>,
    /// The time zone to which moments given in UTC are converted.
    zone: Option<TimeZone>,
    known: HashMap<String, Option<Day>>,
}

/// A day as it was read, with whether its time zone was a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    /// The number of days since 1970-01-01.
    pub(crate) days: i64,
    /// Whether the moment was given in UTC and nobody said in which zone people lived.
    pub(crate) of_utc: bool,
}

impl Days {
    pub(crate) fn new(format: Option<&str>, zone: Option<&TimeZone>) -> Self {
        Self { format: format.map(str::to_owned), zone: zone.cloned(), known: HashMap::new() }
    }

    /// The day that a text names: `2020-12-31`, with or without a time after it, `20201231`, or whatever the column's format says.
    pub(crate) fn parse(&mut self, text: &str) -> Option<Day> {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let day = match &self.format {
            Some(format) => formatted(format, text).map(|days| Day { days, of_utc: false }),
            None => self.iso(text),
        };
        if self.known.len() < KNOWN_MAX {
            self.known.insert(text.to_owned(), day);
        }
        day
    }

    fn iso(&self, text: &str) -> Option<Day> {
        if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return compact(text.parse().ok()?).map(|days| Day { days, of_utc: false });
        }
        let days = civil(text.get(..10)?)?;
        let Some((b'T' | b't' | b' ', time)) = text.as_bytes()[10..].split_first() else {
            return (text.len() == 10).then_some(Day { days, of_utc: false });
        };
        let (seconds, offset) = clock(std::str::from_utf8(time).ok()?)?;
        match offset {
            // A moment written with its own offset belongs to the day at that place.
            None => Some(Day { days, of_utc: false }),
            Some(offset) if offset != 0 => Some(Day { days, of_utc: false }),
            Some(_) => Some(self.of_moment(days * DAY_SECONDS + seconds)),
        }
    }

    /// The day of a moment that is given in UTC, in seconds since 1970.
    pub(crate) fn of_moment(&self, seconds: i64) -> Day {
        let Some(zone) = &self.zone else { return Day { days: seconds.div_euclid(DAY_SECONDS), of_utc: true } };
        Day { days: local(zone, seconds), of_utc: false }
    }
}

/// The day of a moment in a time zone. The moment is given in UTC, in seconds since 1970.
pub(crate) fn local(zone: &TimeZone, seconds: i64) -> i64 {
    let offset = Timestamp::from_second(seconds).map_or(0, |moment| zone.to_offset(moment).seconds().into());
    (seconds + offset).div_euclid(DAY_SECONDS)
}

/// Whether a time zone's name means UTC, which is what programs write if they know no other zone.
pub(crate) fn is_utc(name: &str) -> bool {
    matches!(
        name,
        "UTC"
            | "Etc/UTC"
            | "Z"
            | "GMT"
            | "Etc/GMT"
            | "Zulu"
            | "Etc/Zulu"
            | "UCT"
            | "Etc/UCT"
            | "Universal"
            | "Etc/Universal"
    ) || offset(name) == Some(0)
}

/// The time zone of a column: a name of the time zone database, or an offset like `+01:00`. Returns `None` for an unknown name.
pub(crate) fn zone_of(name: &str) -> Option<TimeZone> {
    if let Some(seconds) = offset(name) {
        return jiff::tz::Offset::from_seconds(i32::try_from(seconds).ok()?).ok().map(TimeZone::fixed);
    }
    TimeZone::get(name).ok()
}

/// The days since 1970-01-01 of a date written as the number `yyyymmdd`.
fn compact(number: u32) -> Option<i64> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    days_of(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
}

fn civil(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shape = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    if !shape {
        return None;
    }
    days_of(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

fn days_of(year: i16, month: i8, day: i8) -> Option<i64> {
    Date::new(year, month, day).ok().map(days_since_1970)
}

fn days_since_1970(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_secs() / DAY_SECONDS
}

/// Parses a time of day into seconds, with its offset from UTC in seconds if it has one. Accepts `10:30` and `10:30:00.123`, followed by
/// nothing, `Z`, `+01`, `+0100`, `+01:00` or ` UTC`.
fn clock(text: &str) -> Option<(i64, Option<i64>)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    let mut parts = time.split(':');
    let two = |part: Option<&str>, most: i64| -> Option<i64> {
        let part = part.filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse().ok().filter(|value: &i64| *value <= most)
    };
    let (hour, minute) = (two(parts.next(), 23)?, two(parts.next(), 59)?);
    let second = match parts.next() {
        None => 0,
        Some(part) => {
            let (whole, fraction) = part.split_once('.').map_or((part, None), |(whole, rest)| (whole, Some(rest)));
            if fraction.is_some_and(|rest| rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_digit())) {
                return None;
            }
            // A leap second counts as the last second of its day.
            two(Some(whole), 60)?.min(59)
        }
    };
    if parts.next().is_some() {
        return None;
    }
    let zone = zone.trim_start();
    let offset = match zone {
        "" => None,
        "Z" | "z" | "UTC" | "GMT" => Some(0),
        other => Some(offset(other)?),
    };
    Some((hour * 3600 + minute * 60 + second, offset))
}

/// The seconds of an offset like `+01`, `+0100`, `+01:00` or `-03:30:00`.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let shape = digits.bytes().all(|byte| byte.is_ascii_digit()) && matches!(digits.len(), 2 | 4 | 6);
    if !shape || (rest.contains(':') && rest.split(':').any(|part| part.len() != 2)) {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0_i64), |part| part.parse().ok());
    let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

/// The day of a text in a format of `strptime`, in days since 1970-01-01.
fn formatted(format: &str, text: &str) -> Option<i64> {
    BrokenDownTime::parse(format, text).ok()?.to_date().ok().map(days_since_1970)
}

/// Whether a format determines a day, that is, has a year, a month and a day in known directives.
pub(crate) fn is_format(format: &str) -> bool {
    let example = BrokenDownTime::from(Date::constant(2020, 12, 31).at(13, 45, 59, 0));
    let Ok(text) = example.to_string(format) else { return false };
    formatted(format, &text) == Some(18_627)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str, format: Option<&str>, zone: Option<&str>) -> Option<(i64, bool)> {
        let zone = zone.map(|zone| zone_of(zone).expect("a zone"));
        Days::new(format, zone.as_ref()).parse(text).map(|day| (day.days, day.of_utc))
    }

    #[test]
    fn a_day_is_that_of_the_place() {
        for (text, zone, read) in [
            ("2020-01-01", None, Some((18_262, false))),
            ("2020-01-01 23:59:59", None, Some((18_262, false))),
            ("2020-01-01T00:00:00+01:00", None, Some((18_262, false))),
            ("2020-01-01T00:00:00+01:00", Some("America/New_York"), Some((18_262, false))),
            ("2020-01-01T23:30:00Z", None, Some((18_262, true))),
            ("2020-01-01T23:30:00Z", Some("Europe/Berlin"), Some((18_263, false))),
            ("2020-01-01 00:30:00.123456+00", Some("America/New_York"), Some((18_261, false))),
            ("2020-12-31 22:20:52 UTC", Some("UTC"), Some((18_627, false))),
            ("20201231", None, Some((18_627, false))),
            ("1969-12-31", None, Some((-1, false))),
            ("2020-12-31 garbage", None, None),
            ("2020-12-31T25:00", None, None),
            ("2020-12-31T10:00+1", None, None),
            ("2020-12-31T10:00:00.", None, None),
            ("2020-12-31x", None, None),
            ("2020-13-01", None, None),
            ("20201301", None, None),
            ("2020-1-5", None, None),
            ("31/12/2020", None, None),
            ("٢٠٢٠-01-01", None, None),
        ] {
            assert_eq!(day(text, None, zone), read, "{text} {zone:?}");
        }
    }

    #[test]
    fn formats_are_read_and_checked() {
        for (format, text) in [
            ("%d/%m/%Y", "31/12/2020"),
            ("%m/%d/%Y", "12/31/2020"),
            ("%d.%m.%Y", "31.12.2020"),
            ("%d-%b-%Y", "31-Dec-2020"),
            ("%Y/%m/%d", "2020/12/31"),
            ("%d.%m.%Y %H:%M", "31.12.2020 08:15"),
            ("%d/%m/%y", "31/12/20"),
        ] {
            assert!(is_format(format), "{format}");
            assert_eq!(day(text, Some(format), None), Some((18_627, false)), "{format}");
            assert_eq!(day("x", Some(format), None), None, "{format}");
        }
        for format in ["", "%Y-%m", "%H:%M", "%q", "dd/mm/yyyy", "%d/%m"] {
            assert!(!is_format(format), "{format}");
        }
        assert_eq!(day("31/12/2020 10:00", Some("%d/%m/%Y"), None), None, "more than the format says");
    }

    #[test]
    fn zones_have_names_and_offsets() {
        for name in ["Europe/Berlin", "America/New_York", "+01:00", "-0330", "UTC"] {
            assert!(zone_of(name).is_some(), "{name}");
        }
        assert!(zone_of("Mars/Olympus").is_none());
        assert!(is_utc("+00:00") && is_utc("UTC") && !is_utc("Europe/London") && !is_utc("+01:00"));
        assert_eq!(local(&zone_of("+01:00").expect("a zone"), -1), 0);
    }
}
