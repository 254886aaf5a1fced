//! What a person asks: the SQL, how accurate the answer should be, and the purpose.

use std::collections::BTreeMap;

use crate::kernel::privacy::amounts::{DecimalFault, Epsilon, scaled};

/// One question as a person asks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The text of the SQL.
    pub sql: String,
    /// How accurate the answer should be; `None` for free questions.
    pub accuracy: Option<Wanted>,
    /// How many rows of each unit count, if fewer than the policy's maximum.
    pub rows_per_unit: Option<u32>,
    /// Number of rows that a group is assumed to have, if a margin of a mean depends on it.
    pub group_size: Option<u64>,
    /// The declared purpose, which the ledger keeps.
    pub purpose: Option<String>,
}

/// How accurate an answer should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// Spend at most this ε.
    Epsilon(Epsilon),
    /// Give every count and sum this 95 % half-width.
    Margin(Margin),
    /// Give each named output its 95 % half-width.
    Margins(BTreeMap<String, Margin>),
}

/// A 95 % half-width, in whatever the output is measured in: a positive decimal.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Margin(f64);

impl Margin {
    const DECIMALS: u32 = 9;

    /// Reads a positive decimal with at most nine decimals.
    ///
    /// # Errors
    /// [`DecimalFault`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DecimalFault> {
        let nanos = scaled(text, Self::DECIMALS)?;
        if nanos <= 0 {
            let accepted = "above 0, with at most nine decimals";
            return Err(DecimalFault::OutOfRange { text: text.chars().take(40).collect(), accepted });
        }
        Ok(Self(nanos as f64 / 1e9))
    }

    /// The half-width as a number.
    #[must_use]
    pub fn width(self) -> f64 {
        self.0
    }
}
