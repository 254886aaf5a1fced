//! One value of a table.

use crate::kernel::privacy::amounts::unscaled;
use crate::query::terms::domain::date_text;

/// The value of one cell of a [`super::Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value: SQL's NULL.
    Missing,
    /// A group key that the row is a total over. It is shown as a word, and in data as NULL.
    Total,
    /// Text of a group key: a category.
    Text(String),
    /// Day of a group key, in days since 1970-01-01; of a longer period its first day.
    Date(i32),
    /// Truth value of a boolean group key.
    Boolean(bool),
    /// Exact decimal number, stored as a multiple of 10⁻⁹.
    Decimal(i128),
    /// Floating-point number: means, formulas and standard errors.
    Float(f64),
}

impl Cell {
    /// The value as plain text; `None` if it is missing, or a total over the key.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Missing | Self::Total => None,
            Self::Text(text) => Some(text.clone()),
            Self::Date(days) => Some(date_text(*days)),
            Self::Boolean(truth) => Some(truth.to_string()),
            Self::Decimal(value) => Some(unscaled(*value, 9)),
            Self::Float(value) => Some(value.to_string()),
        }
    }
}
