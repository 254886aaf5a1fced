//! Days, weeks, months, quarters and years of the proleptic Gregorian calendar, on integers.
//!
//! Promises the same as PostgreSQL's `DATE_TRUNC` and `EXTRACT` of a date; weeks begin on Mondays. Total on every day that a policy
//! can declare. Source of the conversion: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil and its inverse).

use borsh::{BorshDeserialize, BorshSerialize};

/// A stretch of days that a date is truncated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Period {
    /// From the first of January on.
    Year = 0,
    /// Three months.
    Quarter = 1,
    /// A month.
    Month = 2,
    /// From Monday to Sunday.
    Week = 3,
    /// The day itself.
    Day = 4,
}

/// A number that is read off a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Part {
    /// The year.
    Year = 0,
    /// The quarter, 1 to 4.
    Quarter = 1,
    /// The month, 1 to 12.
    Month = 2,
    /// The day of the month, 1 to 31.
    Day = 3,
    /// The day of the week, 0 (Sunday) to 6.
    Dow = 4,
    /// The day of the week, 1 (Monday) to 7.
    Isodow = 5,
    /// The day of the year, 1 to 366.
    Doy = 6,
}

const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Year, month and day of the month of a day from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Days from 1970-01-01 to a day.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH
}

impl Period {
    /// All of them, as words of `DATE_TRUNC`.
    pub const ALL: [(&'static str, Self); 5] = [
        ("year", Self::Year),
        ("quarter", Self::Quarter),
        ("month", Self::Month),
        ("week", Self::Week),
        ("day", Self::Day),
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, period)| *period == self).map_or("", |(word, _)| word)
    }

    /// The number of the period that a day is in; successive periods have successive numbers.
    #[must_use]
    pub fn ordinal(self, day: i64) -> i64 {
        let (year, month, _) = civil(day);
        match self {
            Self::Year => year,
            Self::Quarter => year * 4 + (month - 1) / 3,
            Self::Month => year * 12 + month - 1,
            // 1970-01-05 was a Monday.
            Self::Week => (day - 4).div_euclid(7),
            Self::Day => day,
        }
    }

    /// The first day of the period of that number.
    #[must_use]
    pub fn first(self, ordinal: i64) -> i64 {
        match self {
            Self::Year => days(ordinal, 1, 1),
            Self::Quarter => days(ordinal.div_euclid(4), 3 * ordinal.rem_euclid(4) + 1, 1),
            Self::Month => days(ordinal.div_euclid(12), ordinal.rem_euclid(12) + 1, 1),
            Self::Week => 7 * ordinal + 4,
            Self::Day => ordinal,
        }
    }
}

impl Part {
    /// All of them, as words of `EXTRACT`.
    pub const ALL: [(&'static str, Self); 7] = [
        ("year", Self::Year),
        ("quarter", Self::Quarter),
        ("month", Self::Month),
        ("day", Self::Day),
        ("dow", Self::Dow),
        ("isodow", Self::Isodow),
        ("doy", Self::Doy),
    ];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, part)| *part == self).map_or("", |(word, _)| word)
    }

    /// The part of a day.
    #[must_use]
    pub fn of(self, day: i64) -> i64 {
        let (year, month, of_month) = civil(day);
        match self {
            Self::Year => year,
            Self::Quarter => (month - 1) / 3 + 1,
            Self::Month => month,
            Self::Day => of_month,
            // 1970-01-01 was a Thursday.
            Self::Dow => (day + 4).rem_euclid(7),
            Self::Isodow => (day + 3).rem_euclid(7) + 1,
            Self::Doy => day - days(year, 1, 1) + 1,
        }
    }

    /// Least and greatest part of days from `min` to `max`.
    #[must_use]
    pub fn range(self, min: i64, max: i64) -> (i64, i64) {
        match self {
            Self::Year => (self.of(min), self.of(max)),
            Self::Quarter => (1, 4),
            Self::Month => (1, 12),
            Self::Day => (1, 31),
            Self::Dow => (0, 6),
            Self::Isodow => (1, 7),
            Self::Doy => (1, 366),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::*;

    #[test]
    fn the_calendar_is_chronos() {
        for day in (-1_000_000..1_000_000_i64).step_by(97).chain(-800..800) {
            let date = NaiveDate::default() + chrono::Duration::days(day);
            let (year, month) = (i64::from(date.year()), i64::from(date.month()));
            assert_eq!(civil(day), (year, month, i64::from(date.day())), "{date}");
            assert_eq!(Part::Dow.of(day), i64::from(date.weekday().num_days_from_sunday()));
            assert_eq!(Part::Isodow.of(day), i64::from(date.weekday().number_from_monday()));
            assert_eq!(Part::Doy.of(day), i64::from(date.ordinal()));
            assert_eq!(Part::Quarter.of(day), (month - 1) / 3 + 1);
            for (_, period) in Period::ALL {
                let ordinal = period.ordinal(day);
                assert!(period.first(ordinal) <= day && day < period.first(ordinal + 1), "{period:?} of {date}");
                assert_eq!(period.ordinal(period.first(ordinal)), ordinal);
            }
            assert_eq!(Part::Isodow.of(Period::Week.first(Period::Week.ordinal(day))), 1);
        }
    }
}
