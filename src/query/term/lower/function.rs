//! Functions of one integer, each total and without any other input.

use std::sync::Arc;

use super::Side;
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::real::RealFunction;
use crate::query::term::spans::{later, month_and_day, sunday_week};

/// A total function of one integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegerFunction {
    /// The absolute value, saturating.
    Absolute,
    /// The value times a fraction, rounded to the nearest integer, halves away from 0.
    Rounded {
        /// Numerator of the fraction.
        numerator: i64,
        /// Denominator of the fraction, above 0.
        denominator: i64,
    },
    /// The quotient by this divisor, truncated towards 0.
    Cut(i64),
    /// The first day of the period that contains a day.
    Truncated(Period),
    /// The number of the period that contains a day.
    Ordinal(Period),
    /// A part of a date, such as its year.
    Extracted(DatePart),
    /// The value times a fraction, rounded to one side.
    Toward {
        /// The side.
        side: Side,
        /// Numerator of the fraction.
        numerator: i64,
        /// Denominator of the fraction, above 0.
        denominator: i64,
    },
    /// The remainder of a division by this number, with the sign of the dividend.
    Remainder(i64),
    /// The sign: −1, 0 or 1.
    Sign,
    /// A function of the value times a positive fraction, in steps of 10⁻⁴.
    Real {
        /// The function.
        function: RealFunction,
        /// Numerator of the fraction.
        numerator: i64,
        /// Denominator of the fraction, above 0.
        denominator: i64,
    },
    /// The day so many months later.
    Later(i32),
    /// 32 · (number of the month) + (day of the month) of a day.
    MonthAndDay,
    /// The first day of the period with a number.
    First(Period),
    /// The number of the week that contains a day, from Sunday on.
    SundayWeek,
    /// The entry at the distance of the value from `low`; the first or the last one beyond the table.
    Table {
        /// The value of the first entry.
        low: i64,
        /// The results.
        entries: Arc<[i64]>,
    },
    /// The entry at the distance of the value's period from that of `first`, the number of a period.
    Labelled {
        /// The period.
        period: Period,
        /// Number of the first entry's period.
        first: i64,
        /// The results.
        entries: Arc<[i64]>,
    },
    /// The number of these ascending edges that are at or below the value.
    Bucket(Arc<[i64]>),
}

/// Numbers of periods beyond this one count as it.
const ORDINAL_MAX: i64 = 1 << 40;

impl IntegerFunction {
    /// Computes the function's value.
    #[must_use]
    pub fn apply(&self, value: i64) -> i64 {
        match self {
            Self::Absolute => value.saturating_abs(),
            Self::Rounded { numerator, denominator } => {
                let (value, denominator) = (i128::from(value) * i128::from(*numerator), i128::from(*denominator));
                let size = (2 * value.abs() + denominator) / (2 * denominator);
                i64::try_from(size * value.signum()).unwrap_or(i64::MAX)
            }
            Self::Cut(divisor) => value.checked_div(*divisor).unwrap_or(0),
            Self::Truncated(period) => period.first(period.ordinal(value)),
            Self::Ordinal(period) => period.ordinal(value),
            Self::Extracted(part) => part.of(value),
            Self::Toward { side, numerator, denominator } => {
                let above = i128::from(value) * i128::from(*numerator);
                i64::try_from(side.quotient(above, i128::from(*denominator).max(1))).unwrap_or(i64::MAX)
            }
            Self::Remainder(by) => value.checked_rem(*by).unwrap_or(0),
            Self::Sign => value.signum(),
            Self::Real { function, numerator, denominator } => function.apply(*numerator, *denominator, value),
            Self::Later(months) => later(value, *months),
            Self::MonthAndDay => month_and_day(value),
            Self::First(period) => period.first(value.clamp(-ORDINAL_MAX, ORDINAL_MAX)),
            Self::SundayWeek => sunday_week(value),
            Self::Table { low, entries } => entry(entries, value.saturating_sub(*low)),
            Self::Labelled { period, first, entries } => entry(entries, period.ordinal(value).saturating_sub(*first)),
            Self::Bucket(edges) => edges.partition_point(|edge| *edge <= value) as i64,
        }
    }
}

/// The entry at a place, or the nearest one.
fn entry(entries: &[i64], place: i64) -> i64 {
    let last = entries.len().saturating_sub(1);
    let place = usize::try_from(place.max(0)).unwrap_or(last).min(last);
    entries.get(place).copied().unwrap_or(0)
}
