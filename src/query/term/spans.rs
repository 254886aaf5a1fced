//! Distances between days, and days so many months away.
//!
//! Promises the calendar's exact rules: a month that is added ends at the last day of a shorter month, and an age counts the months that
//! are complete, both as PostgreSQL does. All functions are total.

use borsh::{BorshDeserialize, BorshSerialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::calendar::{Period, civil, days};

/// Days beyond these bounds count as the bound; 2^40 days are three thousand million years.
const DAY_MAX: i64 = 1 << 40;

/// How the distance between two days is counted.
///
/// Stored answers hold the numbers of the variants: neither they nor their order change.
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
#[strum(serialize_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Span {
    /// Borders of years that lie between the days, as `DATEDIFF(year, a, b)` counts.
    Year = 0,
    /// Borders of quarters that lie between the days.
    Quarter = 1,
    /// Borders of months that lie between the days.
    Month = 2,
    /// Borders of weeks that lie between the days; a week begins on Sunday, as `DATEDIFF(week, a, b)` has it.
    Week = 3,
    /// Complete years, as `EXTRACT(YEAR FROM AGE(b, a))` counts.
    AgeYears = 4,
    /// Complete months beyond the complete years, −11 to 11, as `EXTRACT(MONTH FROM AGE(b, a))` counts.
    AgeMonths = 5,
}

impl Span {
    /// Name of the span in identities and, for borders, in `DATEDIFF`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// A day as 32 · (number of its month) + (day of the month): the quotient of a difference by 32, cut towards 0, is the number of complete
/// months, because days of the month differ by at most 30.
#[must_use]
pub fn month_and_day(day: i64) -> i64 {
    let day = day.clamp(-DAY_MAX, DAY_MAX);
    32 * Period::Month.ordinal(day) + civil(day).2
}

/// Number of the week that contains a day; a week begins on Sunday.
#[must_use]
pub fn sunday_week(day: i64) -> i64 {
    // 1970-01-04 was a Sunday.
    day.clamp(-DAY_MAX, DAY_MAX).saturating_sub(3).div_euclid(7)
}

/// The same day of the month so many months later, or the last day of that month if it is shorter.
#[must_use]
pub fn later(day: i64, months: i32) -> i64 {
    let day = day.clamp(-DAY_MAX, DAY_MAX);
    let (year, month, of_month) = civil(day);
    let ordinal = year * 12 + month - 1 + i64::from(months);
    let (year, month) = (ordinal.div_euclid(12), ordinal.rem_euclid(12) + 1);
    let first = days(year, month, 1);
    let next = Period::Month.first(ordinal + 1);
    (first + of_month - 1).min(next - 1)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::{Date, date};

    use super::*;

    fn day(text: &str) -> i64 {
        crate::query::terms::domain::date_days(text).expect("a day").into()
    }

    #[test]
    fn months_are_added_as_postgresql_adds_them() {
        for (from, months, to) in [
            ("2024-01-31", 1, "2024-02-29"),
            ("2023-01-31", 1, "2023-02-28"),
            ("2024-02-29", 12, "2025-02-28"),
            ("2024-02-29", -12, "2023-02-28"),
            ("2024-03-31", -1, "2024-02-29"),
            ("2024-12-15", 1, "2025-01-15"),
        ] {
            assert_eq!(later(day(from), months), day(to), "{from} + {months}");
        }
        for n in (-900_000..900_000_i64).step_by(1_237) {
            let start: Date = date(1970, 1, 1) + n.days();
            for months in [-25, -1, 0, 1, 7, 14] {
                let moved = start + months.months();
                assert_eq!(date(1970, 1, 1) + later(n, months).days(), moved, "{start} + {months}");
            }
        }
    }

    #[test]
    fn ages_are_postgresqls() {
        // SELECT AGE(to, from) in PostgreSQL 16: years and months.
        for (from, to, years, months) in [
            ("2000-02-29", "2001-02-28", 0, 11),
            ("2000-02-29", "2001-03-01", 1, 0),
            ("1957-06-13", "2001-04-10", 43, 9),
            ("2001-01-31", "2001-02-28", 0, 0),
            ("2001-01-31", "2001-03-01", 0, 1),
            ("2001-04-10", "1957-06-13", -43, -9),
            ("2020-05-05", "2020-05-05", 0, 0),
        ] {
            let apart = month_and_day(day(to)) - month_and_day(day(from));
            assert_eq!((apart / 384, apart / 32 - 12 * (apart / 384)), (years, months), "{from} to {to}");
        }
    }

    #[test]
    fn every_integer_is_a_day() {
        for day in [i64::MIN, -1, 0, 1, i64::MAX] {
            let _ = (later(day, i32::MIN), later(day, i32::MAX), month_and_day(day), sunday_week(day));
        }
        let week = |text: &str| sunday_week(day(text));
        assert_eq!(week("2024-01-07") - week("2024-01-06"), 1);
        assert_eq!(week("2024-01-13"), week("2024-01-07"));
    }
}
