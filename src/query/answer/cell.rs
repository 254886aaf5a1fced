//! One value of a table.

use crate::kernel::privacy::amounts::unscaled;

/// The value of one cell of a [`super::Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value: SQL's NULL.
    Missing,
    /// Text of a group key: a category, or the first day of a period.
    Text(String),
    /// Truth value of a boolean group key.
    Boolean(bool),
    /// Exact decimal number, stored as a multiple of 10⁻⁹.
    Decimal(i128),
    /// Floating-point number: means, formulas and standard errors.
    Float(f64),
}

impl Cell {
    /// The value as plain text; `None` if it is missing.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.clone()),
            Self::Boolean(truth) => Some(truth.to_string()),
            Self::Decimal(value) => Some(unscaled(*value, 9)),
            Self::Float(value) => Some(value.to_string()),
        }
    }
}
