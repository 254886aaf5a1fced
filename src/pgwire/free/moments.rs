//! Days and moments: as texts, and cut to a period. Days are counted from 1970-01-01, moments in microseconds.

use jiff::civil::{Date, DateTime, date};
use jiff::{SignedDuration, Span};

const DAY_MICROS: i64 = 86_400_000_000;
const EPOCH: Date = date(1970, 1, 1);

/// The day of a text like `2024-02-29`, also where a time follows.
pub(crate) fn day(text: &str) -> Option<i32> {
    let text = text.trim();
    let date: Date = text.get(..10).unwrap_or(text).parse().ok()?;
    days(date)
}

fn days(date: Date) -> Option<i32> {
    i32::try_from(date.duration_since(EPOCH).as_hours() / 24).ok()
}

/// The moment of a text like `2024-02-29 12:30:00`, in UTC; a date is its midnight.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches("+00").trim_end_matches('Z');
    let at: DateTime = text.parse().ok().or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
    micros(at)
}

fn micros(at: DateTime) -> Option<i64> {
    i64::try_from(at.duration_since(EPOCH.at(0, 0, 0, 0)).as_micros()).ok()
}

fn datetime(at: i64) -> Option<DateTime> {
    EPOCH.at(0, 0, 0, 0).checked_add(SignedDuration::from_micros(at)).ok()
}

/// The text `YYYY-MM-DD` of a day that is counted from 1970-01-01.
pub(crate) fn day_text(day: i64) -> String {
    datetime(day.saturating_mul(DAY_MICROS)).map_or_else(String::new, |at| at.date().to_string())
}

/// A moment as text.
pub(crate) fn moment_text(at: i64) -> String {
    datetime(at).map_or_else(String::new, |at| at.to_string().replace('T', " "))
}

/// A day as a moment, or a moment as a day.
pub(crate) fn between(at: i64, is_day: bool, to_day: bool) -> i64 {
    match (is_day, to_day) {
        (true, false) => at.saturating_mul(DAY_MICROS),
        (false, true) => at.div_euclid(DAY_MICROS),
        (true, true) | (false, false) => at,
    }
}

/// The first moment of the period, such as `month`, in which a moment lies; `None` if the period is not known.
pub(crate) fn truncated(period: &str, at: i64) -> Option<i64> {
    let whole = datetime(at)?;
    let date = whole.date();
    let first = |year: i16, month: i8| Date::new(year, month, 1).ok();
    let cut = |part: i64| Some(at - at.rem_euclid(part));
    let date = match period.to_ascii_lowercase().as_str() {
        "microseconds" => return Some(at),
        "milliseconds" => return cut(1_000),
        "second" => return cut(1_000_000),
        "minute" => return cut(60_000_000),
        "hour" => return cut(3_600_000_000),
        "day" => date,
        "week" => date.checked_sub(Span::new().days(date.weekday().to_monday_zero_offset())).ok()?,
        "month" => first(date.year(), date.month())?,
        "quarter" => first(date.year(), (date.month() - 1) / 3 * 3 + 1)?,
        "year" => first(date.year(), 1)?,
        "decade" => first(date.year().div_euclid(10) * 10, 1)?,
        _ => return None,
    };
    micros(date.at(0, 0, 0, 0))
}

/// A part of a moment, such as its `month`; `None` if the part is not known.
pub(crate) fn part(part: &str, at: i64) -> Option<f64> {
    let whole = datetime(at)?;
    let date = whole.date();
    Some(match part.to_ascii_lowercase().as_str() {
        "epoch" => at as f64 / 1e6,
        "year" => date.year().into(),
        "month" => date.month().into(),
        "day" => date.day().into(),
        "hour" => whole.hour().into(),
        "minute" => whole.minute().into(),
        "second" => f64::from(whole.second()) + f64::from(whole.subsec_nanosecond()) / 1e9,
        "quarter" => f64::from((date.month() - 1) / 3 + 1),
        "week" => date.iso_week_date().week().into(),
        "isoyear" => date.iso_week_date().year().into(),
        "dow" => date.weekday().to_sunday_zero_offset().into(),
        "isodow" => date.weekday().to_monday_one_offset().into(),
        "doy" => date.day_of_year().into(),
        "decade" => f64::from(date.year().div_euclid(10)),
        "century" => f64::from((date.year() - 1).div_euclid(100) + 1),
        _ => return None,
    })
}

/// A moment as text after one of PostgreSQL's patterns, such as `YYYY-MM-DD`; `None` if the moment is out of range.
pub(crate) fn formatted(at: i64, pattern: &str) -> Option<String> {
    const PARTS: [(&str, &str); 14] = [
        ("YYYY", "%Y"),
        ("HH24", "%H"),
        ("HH12", "%I"),
        ("Month", "%B"),
        ("Mon", "%b"),
        ("IYYY", "%G"),
        ("DDD", "%j"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("MI", "%M"),
        ("SS", "%S"),
        ("IW", "%V"),
        ("Dy", "%a"),
        ("YY", "%y"),
    ];
    let at = datetime(at)?;
    let (mut made, mut rest) = (String::new(), pattern);
    while let Some(letter) = rest.chars().next() {
        if let Some((part, format)) = PARTS.iter().find(|(part, _)| rest.starts_with(part)) {
            made.push_str(&at.strftime(format).to_string());
            rest = &rest[part.len()..];
        } else if let Some(tail) = rest.strip_prefix('Q') {
            made.push_str(&((at.month() - 1) / 3 + 1).to_string());
            rest = tail;
        } else {
            if letter != '"' {
                made.push(letter);
            }
            rest = &rest[letter.len_utf8()..];
        }
    }
    Some(made)
}

/// A moment that is an interval like `1 month 2 days` later, or earlier with a `sign` of -1; `None` if the interval cannot be read.
pub(crate) fn later(at: i64, interval: &str, sign: i64) -> Option<i64> {
    let mut span = Span::new();
    let words: Vec<&str> = interval.split_whitespace().collect();
    for pair in words.chunks(2) {
        let [number, unit] = pair else { return None };
        let number = number.parse::<i64>().ok()?.checked_mul(sign)?;
        let years = |number: i64| Span::new().try_years(number).ok();
        let one = match unit.trim_end_matches('s') {
            "year" => years(number)?,
            "month" | "mon" => Span::new().try_months(number).ok()?,
            "week" => Span::new().try_weeks(number).ok()?,
            "day" => Span::new().try_days(number).ok()?,
            "hour" => Span::new().try_hours(number).ok()?,
            "minute" | "min" => Span::new().try_minutes(number).ok()?,
            "second" | "sec" => Span::new().try_seconds(number).ok()?,
            _ => return None,
        };
        let at = datetime(0)?;
        span = span.checked_add((one, at)).ok()?;
    }
    micros(datetime(at)?.checked_add(span).ok()?)
}

#[cfg(test)]
mod tests {
    use super::{day, day_text, formatted, later, moment, moment_text, part, truncated};

    #[test]
    fn texts_and_periods_of_moments() {
        let at = moment("2024-02-29 12:30:00").expect("a moment");
        assert_eq!(moment_text(at), "2024-02-29 12:30:00");
        assert_eq!(day("2024-02-29").map(|day| day_text(day.into())).as_deref(), Some("2024-02-29"));
        let cut = |period| truncated(period, at).map(moment_text);
        assert_eq!(cut("month").as_deref(), Some("2024-02-01 00:00:00"));
        assert_eq!(cut("week").as_deref(), Some("2024-02-26 00:00:00"));
        assert_eq!(cut("fortnight"), None);
        assert_eq!(part("doy", at), Some(60.0));
        assert_eq!(formatted(at, "YYYY-MM \"Q\" HH24:MI").as_deref(), Some("2024-02 1 12:30"));
        assert_eq!(later(at, "1 month", 1).map(moment_text).as_deref(), Some("2024-03-29 12:30:00"));
        assert_eq!(later(at, "1 day", -1).map(moment_text).as_deref(), Some("2024-02-28 12:30:00"));
    }
}
