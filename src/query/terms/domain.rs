//! Columns and their domains: the public declaration of which values a column can hold.
//!
//! Promises one mapping between values as people write them and the integers that are stored. It knows no files.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Unit};
use serde::{Deserialize, Serialize};

use super::labels::Labels;
use crate::kernel::privacy::amounts::unscaled;

/// The number of decimals in which bounds and steps are declared.
pub const DECIMALS: u32 = 9;
const UNIT: i128 = 1_000_000_000;

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name in SQL, in lower case.
    pub name: String,
    /// A title for people to read.
    pub title: Option<String>,
    /// The values that the column can hold.
    pub domain: Domain,
    /// Whether every unit has a single value in this column; it is then taken from the unit's row of rank 0.
    pub per_unit: bool,
    /// Whether values may be missing. This is public and never learnt from the data.
    pub nullable: bool,
}

/// The values that a column can hold, and thus how they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Domain {
    /// One of a list of labels, stored as its index in the list.
    Category(Labels),
    /// False or true, stored as 0 or 1.
    Boolean,
    /// A number on a grid, stored as its distance from the grid's centre in steps.
    Number(Grid),
    /// A day, stored as the number of days since 1970-01-01.
    Date {
        /// The first day allowed, in days since 1970-01-01.
        min: i32,
        /// The last day allowed, in days since 1970-01-01.
        max: i32,
    },
    /// Any text, without a public list of values. It is stored as a number whose order carries no meaning.
    Text {
        /// The declared capacity: the largest number of different values in a table.
        values_max: u32,
        /// The number of groups that a unit can count in when grouping by this column; those of its first rows are kept.
        groups_per_unit: u32,
    },
}

/// The grid of a numeric column: the multiples of `step` from `low` to `high`, both counted in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Grid {
    /// Whether the column was declared as `integer`, and not as `decimal`.
    pub integer: bool,
    /// The distance between neighbouring values, in multiples of 1e-9.
    pub step: i64,
    /// The smallest value, in steps.
    pub low: i64,
    /// The largest value, in steps.
    pub high: i64,
}

impl Grid {
    /// Creates the grid for these bounds and this step, all in multiples of 1e-9. Returns `None`
    /// if a bound is not a multiple of the step, or if the bounds are in the wrong order.
    #[must_use]
    pub fn new(integer: bool, min: i128, max: i128, step: i128) -> Option<Self> {
        if step <= 0 || min >= max || min % step != 0 || max % step != 0 {
            return None;
        }
        Some(Self {
            integer,
            step: i64::try_from(step).ok()?,
            low: i64::try_from(min / step).ok()?,
            high: i64::try_from(max / step).ok()?,
        })
    }

    /// The centre c of the range, in steps. Values are stored relative to it, which minimises how far one unit can move a sum.
    #[must_use]
    pub fn centre(&self) -> i64 {
        let middle = (i128::from(self.low) + i128::from(self.high)).div_euclid(2);
        // Unwrap safety: the midpoint of two i64 is an i64.
        i64::try_from(middle).expect("the middle lies between the bounds")
    }

    /// The radius R: the largest distance of a value from the centre, in steps.
    #[must_use]
    pub fn radius(&self) -> u64 {
        self.high.abs_diff(self.centre()).max(self.low.abs_diff(self.centre()))
    }

    /// The smallest and the largest value as floating-point numbers, for display.
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        let number = |steps: i64| (i128::from(steps) * i128::from(self.step)) as f64 / UNIT as f64;
        (number(self.low), number(self.high))
    }

    /// The step as a floating-point number, for display.
    #[must_use]
    pub fn step_value(&self) -> f64 {
        self.step as f64 / UNIT as f64
    }

    /// The number of decimals that the step has.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        let (mut step, mut decimals) = (self.step, DECIMALS);
        while decimals > 0 && step % 10 == 0 {
            step /= 10;
            decimals -= 1;
        }
        decimals
    }

    /// Formats `steps` as an exact decimal number.
    #[must_use]
    pub fn text(&self, steps: i128) -> String {
        unscaled(steps * i128::from(self.step), DECIMALS)
    }
}

impl Domain {
    /// The type's name in a policy, like `category`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Category(_) => "category",
            Self::Boolean => "boolean",
            Self::Number(Grid { integer: true, .. }) => "integer",
            Self::Number(Grid { integer: false, .. }) => "decimal",
            Self::Date { .. } => "date",
            Self::Text { .. } => "text",
        }
    }

    /// The grid of a column of numbers; `None` for other domains.
    #[must_use]
    pub fn grid(&self) -> Option<&Grid> {
        match self {
            Self::Number(grid) => Some(grid),
            Self::Category(_) | Self::Boolean | Self::Date { .. } | Self::Text { .. } => None,
        }
    }

    /// The labels of a category or boolean, in the order of their codes; `None` for other domains.
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        match self {
            Self::Category(values) => Some(values.clone()),
            Self::Boolean => Some(["false", "true"].map(str::to_owned).into_iter().collect()),
            Self::Number(_) | Self::Date { .. } | Self::Text { .. } => None,
        }
    }

    /// The stored code of a label; `None` if the label is unknown or the domain has no labels.
    #[must_use]
    pub fn code(&self, label: &str) -> Option<u32> {
        match self {
            Self::Category(values) => values.code(label),
            Self::Boolean => ["false", "true"].iter().zip(0..).find(|(word, _)| **word == label).map(|(_, code)| code),
            Self::Number(_) | Self::Date { .. } | Self::Text { .. } => None,
        }
    }

    /// The smallest and the largest value as text, for numbers and dates; `None` for other domains.
    #[must_use]
    pub fn bounds(&self) -> Option<(String, String)> {
        match self {
            Self::Number(grid) => Some((grid.text(grid.low.into()), grid.text(grid.high.into()))),
            Self::Date { min, max } => Some((date_text(*min), date_text(*max))),
            Self::Category(_) | Self::Boolean | Self::Text { .. } => None,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.bounds()) {
            (Self::Category(values), _) => {
                let shown: Vec<_> = values.iter().take(8).map(|value| format!("'{value}'")).collect();
                let rest = if values.len() > shown.len() { ", …" } else { "" };
                write!(out, "one of {}{rest}", shown.join(", "))
            }
            (Self::Number(_) | Self::Date { .. }, Some((min, max))) => {
                let (name, article) = (self.type_name(), if self.type_name().starts_with('i') { "an" } else { "a" });
                write!(out, "{article} {name} from {min} to {max}")
            }
            (Self::Text { .. }, _) => out.write_str("text without a public list"),
            (Self::Boolean | Self::Number(_) | Self::Date { .. }, _) => out.write_str("true or false"),
        }
    }
}

/// The day that is number 0.
const EPOCH: Date = date(1970, 1, 1);

/// Parses a date like `2024-02-29` into days since 1970-01-01. Returns `None` for any other text.
#[must_use]
pub fn date_days(text: &str) -> Option<i32> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date: Date = text.parse().ok().filter(|_| shape)?;
    EPOCH.until((Unit::Day, date)).ok().map(|span| span.get_days())
}

/// Formats a day, given in days since 1970-01-01, like `2024-02-29`.
#[must_use]
pub fn date_text(days: i32) -> String {
    let date = EPOCH.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
    date.map_or_else(|_| format!("day {days}"), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_back() {
        for (text, days) in [("1970-01-01", 0), ("2024-02-29", 19_782), ("1969-12-31", -1)] {
            assert_eq!(date_days(text), Some(days));
            assert_eq!(date_text(days), text);
        }
        for text in ["2023-02-29", "2023-2-01", "23-02-01", "2023-02-01T00", "٢٠٢٣-01-01"] {
            assert_eq!(date_days(text), None, "{text}");
        }
    }

    #[test]
    fn the_centre_halves_the_range() {
        let grid = Grid::new(false, 0, 5000 * UNIT, UNIT / 100).expect("a grid");
        assert_eq!((grid.centre(), grid.radius(), grid.decimals()), (250_000, 250_000, 2));
        let odd = Grid::new(true, -3 * UNIT, 2 * UNIT, UNIT).expect("a grid");
        assert_eq!((odd.centre(), odd.radius()), (-1, 3));
        assert_eq!(Grid::new(true, 0, 10 * UNIT, 3 * UNIT), None);
    }
}
