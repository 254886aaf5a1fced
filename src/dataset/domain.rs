//! Columns and their domains: the public promise of what a value can be.
//!
//! Promises the one mapping between values as people write them and the integers that are stored. It knows no files.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::labels::Labels;
use crate::privacy::units::unscaled;

/// Decimals in which bounds and steps are declared.
pub const DECIMALS: u32 = 9;
const UNIT: i128 = 1_000_000_000;

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Lower-case name.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// What a value can be.
    pub domain: Domain,
    /// One value per unit, that of rank 0.
    pub per_unit: bool,
    /// Whether values may be missing; public, never learnt from data.
    pub nullable: bool,
}

/// What a value can be, and so how it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Domain {
    /// One of a list; stored as its index.
    Category(Labels),
    /// False or true; stored as 0 or 1.
    Boolean,
    /// A number on a grid; stored as steps from the centre.
    Number(Grid),
    /// A day; stored as days from 1970-01-01.
    Date {
        /// The first day.
        min: i32,
        /// The last day.
        max: i32,
    },
    /// Any text, of which no list is public; stored as a number in an order that means nothing.
    Text {
        /// Different values in a table at the most: the declared capacity.
        values_max: u32,
        /// Groups by it that a unit counts in, those of its first rows.
        groups_per_unit: u32,
    },
}

/// The multiples of `step` from `low` to `high` steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Grid {
    /// Declared as `integer`.
    pub integer: bool,
    /// The step in 1e-9.
    pub step: i64,
    /// The least value in steps.
    pub low: i64,
    /// The greatest value in steps.
    pub high: i64,
}

impl Grid {
    /// The grid of the bounds, all in 1e-9; nothing where a bound is no multiple of the step or they are in the wrong order.
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

    /// The centre c of the range in steps: stored values are about it, so that a unit moves a sum least.
    #[must_use]
    pub fn centre(&self) -> i64 {
        let middle = (i128::from(self.low) + i128::from(self.high)).div_euclid(2);
        // Unwrap safety: the middle of two i64 is an i64.
        i64::try_from(middle).expect("the middle lies between the bounds")
    }

    /// R, the largest distance from the centre in steps.
    #[must_use]
    pub fn radius(&self) -> u64 {
        self.high.abs_diff(self.centre()).max(self.low.abs_diff(self.centre()))
    }

    /// The least and the greatest value as numbers, for display.
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        let number = |steps: i64| (i128::from(steps) * i128::from(self.step)) as f64 / UNIT as f64;
        (number(self.low), number(self.high))
    }

    /// The step as a number, for display.
    #[must_use]
    pub fn step_value(&self) -> f64 {
        self.step as f64 / UNIT as f64
    }

    /// Decimals of the step.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        let (mut step, mut decimals) = (self.step, DECIMALS);
        while decimals > 0 && step % 10 == 0 {
            step /= 10;
            decimals -= 1;
        }
        decimals
    }

    /// `steps` as exact decimal text.
    #[must_use]
    pub fn text(&self, steps: i128) -> String {
        unscaled(steps * i128::from(self.step), DECIMALS)
    }
}

impl Domain {
    /// The word for it in a policy.
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

    /// The labels of a column that can be grouped by: categories and booleans.
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        match self {
            Self::Category(values) => Some(values.clone()),
            Self::Boolean => Some(["false", "true"].map(str::to_owned).into_iter().collect()),
            Self::Number(_) | Self::Date { .. } | Self::Text { .. } => None,
        }
    }

    /// The stored code of a label, for what has labels.
    #[must_use]
    pub fn code(&self, label: &str) -> Option<u32> {
        match self {
            Self::Category(values) => values.code(label),
            Self::Boolean => ["false", "true"].iter().zip(0..).find(|(word, _)| **word == label).map(|(_, code)| code),
            Self::Number(_) | Self::Date { .. } | Self::Text { .. } => None,
        }
    }

    /// Least and greatest value as text, for numbers and dates.
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
                write!(out, "a {} from {min} to {max}", self.type_name())
            }
            (Self::Text { .. }, _) => out.write_str("text without a public list"),
            (Self::Boolean | Self::Number(_) | Self::Date { .. }, _) => out.write_str("true or false"),
        }
    }
}

/// Days from 1970-01-01 of a date like `2024-02-29`.
#[must_use]
pub fn date_days(text: &str) -> Option<i32> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| shape)?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// A day as text.
#[must_use]
pub fn date_text(days: i32) -> String {
    NaiveDate::default()
        .checked_add_signed(chrono::Duration::days(days.into()))
        .map_or_else(|| format!("day {days}"), |date| date.format("%Y-%m-%d").to_string())
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
