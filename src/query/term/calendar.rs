//! Days, weeks, months, quarters and years of the proleptic Gregorian calendar, on integers.
//!
//! Promises the results of PostgreSQL's `DATE_TRUNC` and `EXTRACT` for dates; weeks begin on Mondays. All functions are total on every day
//! that a policy can declare. Source of the conversion: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil and its
//! inverse).

use borsh::{BorshDeserialize, BorshSerialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// A period that dates are truncated to.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Period {
    /// A year, from the first of January.
    Year = 0,
    /// A quarter, which is three months.
    Quarter = 1,
    /// A calendar month.
    Month = 2,
    /// A week, from Monday to Sunday.
    Week = 3,
    /// A single day.
    Day = 4,
    /// Ten years, from one that can be divided by 10.
    Decade = 5,
    /// A hundred years: the 21st century began on 2001-01-01.
    Century = 6,
    /// A thousand years: the third one began on 2001-01-01.
    Millennium = 7,
}

/// A part of a date that is a number.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "lowercase")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum DatePart {
    /// The calendar year.
    Year = 0,
    /// The quarter of the year, 1 to 4.
    Quarter = 1,
    /// The month of the year, 1 to 12.
    Month = 2,
    /// The day of the month, 1 to 31.
    Day = 3,
    /// The day of the week, 0 (Sunday) to 6.
    Dow = 4,
    /// The day of the week, 1 (Monday) to 7.
    Isodow = 5,
    /// The day of the year, 1 to 366.
    Doy = 6,
    /// The week of ISO 8601, 1 to 53; weeks begin on Monday, and the first one of a year has its first Thursday.
    Week = 7,
    /// The year of ISO 8601 that the day's week belongs to.
    Isoyear = 8,
    /// The year divided by 10.
    Decade = 9,
    /// The century: 2001 is the first year of the 21st one.
    Century = 10,
    /// The millennium: 2001 is the first year of the third one.
    Millennium = 11,
}

const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Year, month and day of the month of a day, which is counted from 1970-01-01.
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Days from 1970-01-01 to the given date.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH
}

/// The Thursday of the week that contains a day; ISO 8601 counts a week to the year of its Thursday.
fn thursday(day: i64) -> i64 {
    // 1970-01-05 was a Monday.
    7 * (day - 4).div_euclid(7) + 7
}

impl Period {
    /// Name of the period in `DATE_TRUNC`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Number of the period that contains a day; consecutive periods have consecutive numbers.
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
            Self::Decade => year.div_euclid(10),
            Self::Century => (year - 1).div_euclid(100),
            Self::Millennium => (year - 1).div_euclid(1_000),
        }
    }

    /// First day of the period with the given number.
    #[must_use]
    pub fn first(self, ordinal: i64) -> i64 {
        match self {
            Self::Year => days(ordinal, 1, 1),
            Self::Quarter => days(ordinal.div_euclid(4), 3 * ordinal.rem_euclid(4) + 1, 1),
            Self::Month => days(ordinal.div_euclid(12), ordinal.rem_euclid(12) + 1, 1),
            Self::Week => 7 * ordinal + 4,
            Self::Day => ordinal,
            Self::Decade => days(10 * ordinal, 1, 1),
            Self::Century => days(100 * ordinal + 1, 1, 1),
            Self::Millennium => days(1_000 * ordinal + 1, 1, 1),
        }
    }
}

impl DatePart {
    /// Name of the part in `EXTRACT`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Value of this part for a day.
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
            Self::Week => (Self::Doy.of(thursday(day)) - 1) / 7 + 1,
            Self::Isoyear => civil(thursday(day)).0,
            Self::Decade => year.div_euclid(10),
            Self::Century => (year - 1).div_euclid(100) + 1,
            Self::Millennium => (year - 1).div_euclid(1_000) + 1,
        }
    }

    /// Least and greatest value of this part for days from `min` to `max`; bounds that are not necessarily attained.
    #[must_use]
    pub fn range(self, min: i64, max: i64) -> (i64, i64) {
        match self {
            Self::Year | Self::Isoyear | Self::Decade | Self::Century | Self::Millennium => {
                (self.of(min), self.of(max))
            }
            Self::Week => (1, 53),
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
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_calendar_is_jiffs() {
        for day in (-1_000_000..1_000_000_i64).step_by(97).chain(-800..800) {
            let date = date(1970, 1, 1) + day.days();
            let (year, month) = (i64::from(date.year()), i64::from(date.month()));
            assert_eq!(civil(day), (year, month, i64::from(date.day())), "{date}");
            assert_eq!(DatePart::Dow.of(day), i64::from(date.weekday().to_sunday_zero_offset()));
            assert_eq!(DatePart::Isodow.of(day), i64::from(date.weekday().to_monday_one_offset()));
            assert_eq!(DatePart::Doy.of(day), i64::from(date.day_of_year()));
            assert_eq!(DatePart::Quarter.of(day), (month - 1) / 3 + 1);
            let week = date.iso_week_date();
            assert_eq!(DatePart::Week.of(day), i64::from(week.week()), "{date}");
            assert_eq!(DatePart::Isoyear.of(day), i64::from(week.year()), "{date}");
            for period in Period::VARIANTS {
                let ordinal = period.ordinal(day);
                assert!(period.first(ordinal) <= day && day < period.first(ordinal + 1), "{period:?} of {date}");
                assert_eq!(period.ordinal(period.first(ordinal)), ordinal);
            }
            assert_eq!(DatePart::Isodow.of(Period::Week.first(Period::Week.ordinal(day))), 1);
        }
    }
}
