//! What is asked: SQL, how accurate, and what for.

use std::collections::BTreeMap;

use crate::kernel::privacy::amounts::{DecimalFault, Epsilon, scaled};

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The SQL.
    pub sql: String,
    /// How accurate; nothing for what is free.
    pub accuracy: Option<Wanted>,
    /// Fewer rows per unit than the policy's maximum.
    pub rows_per_unit: Option<u32>,
    /// Rows that a group is assumed to have, where a margin of a mean depends on it.
    pub group_size: Option<u64>,
    /// The declared purpose, kept in the ledger.
    pub purpose: Option<String>,
}

/// How accurate an answer is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// Spend this much.
    Epsilon(Epsilon),
    /// 95 % half-width of every count and sum.
    Margin(Margin),
    /// 95 % half-widths of outputs by name.
    Margins(BTreeMap<String, Margin>),
}

/// A 95 % half-width in the output's own unit: a positive decimal.
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

    /// The half-width.
    #[must_use]
    pub fn width(self) -> f64 {
        self.0
    }
}
