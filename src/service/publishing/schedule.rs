//! The schedule of statistics: days, weeks and months in one time zone.
//!
//! Periods follow each other without gap or overlap, whatever a zone does to its clocks, and a clock that runs backwards does not
//! bring a period back. The module is pure; the present is an argument.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::query::file::Refresh;

/// The time zone in which days begin.
#[derive(Debug, Clone)]
pub struct CalendarZone(TimeZone);

impl Default for CalendarZone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl CalendarZone {
    /// The zone with an IANA name like `Europe/Berlin`; `None` if there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// A moment, given in milliseconds since 1970 in UTC, as the clocks of the zone show it.
    fn shown(&self, at_ms: u64) -> DateTime {
        let moment = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        moment.unwrap_or(Timestamp::MAX).to_zoned_datetime(self.0.clone()).datetime()
    }

    /// The day of a moment, given in milliseconds since 1970 in UTC.
    fn day(&self, at_ms: u64) -> Date {
        self.shown(at_ms).date()
    }

    /// The first day of the period that contains a moment; `None` if there are no periods.
    fn first_day(&self, refresh: Refresh, at_ms: u64) -> Option<Date> {
        let day = self.day(at_ms);
        match refresh {
            Refresh::Never | Refresh::OnNewEdition => None,
            Refresh::Daily => Some(day),
            Refresh::Weekly => {
                let since_monday = i64::from(day.weekday().since(Weekday::Monday));
                Some(day.checked_sub(since_monday.days()).unwrap_or(day))
            }
            Refresh::Monthly => Some(day.first_of_month()),
        }
    }

    /// The period that contains a moment, named by the date on which it began, so that periods sort by time; `None` if there are
    /// no periods.
    #[must_use]
    pub fn period(&self, refresh: Refresh, at_ms: u64) -> Option<String> {
        self.first_day(refresh, at_ms).map(|day| day.to_string())
    }

    /// Whether a later period than that of `last_ms` has begun.
    #[must_use]
    pub fn has_turned(&self, refresh: Refresh, last_ms: u64, now_ms: u64) -> bool {
        self.first_day(refresh, now_ms) > self.first_day(refresh, last_ms)
    }

    /// When the period after that of a moment begins, in milliseconds since 1970 in UTC. If the zone skips midnight that day, the
    /// period begins right after the gap.
    #[must_use]
    pub fn next_ms(&self, refresh: Refresh, at_ms: u64) -> Option<u64> {
        let first = self.first_day(refresh, at_ms)?;
        let next = match refresh {
            Refresh::Never | Refresh::OnNewEdition => return None,
            Refresh::Daily => first.checked_add(1.day()),
            Refresh::Weekly => first.checked_add(1.week()),
            Refresh::Monthly => first.checked_add(1.month()),
        };
        let begins = next.ok()?.to_zoned_datetime(self.0.clone()).ok()?;
        u64::try_from(begins.timestamp().as_millisecond()).ok()
    }

    /// The date of a moment, as `2026-11-26`.
    #[must_use]
    pub fn date(&self, at_ms: u64) -> String {
        self.day(at_ms).to_string()
    }

    /// The date of a moment and the time of day in hours and minutes, as `2026-11-26 14:05`.
    #[must_use]
    pub fn minute(&self, at_ms: u64) -> String {
        let shown = self.shown(at_ms);
        format!("{} {:02}:{:02}", shown.date(), shown.hour(), shown.minute())
    }
}
