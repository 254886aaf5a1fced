//! What a person asks: the SQL, how accurate the answer should be, and the purpose.
//!
//! Every door builds its questions here: [`RequestedAccuracy::new`] reads the accuracy, and [`Ask::checked`] keeps the question within its limits.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::privacy::amounts::{DecimalFault, Epsilon, scaled};
use crate::query::error::shown;

/// Largest length of a declared purpose, in characters.
pub const PURPOSE_CHARS_MAX: usize = 500;

/// One question as a person asks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The text of the SQL.
    pub sql: String,
    /// How accurate the answer should be; `None` for free questions.
    pub accuracy: Option<RequestedAccuracy>,
    /// How many rows of each unit count, if fewer than the policy's maximum.
    pub rows_per_unit: Option<u32>,
    /// Number of rows that a group is assumed to have, if a margin of a mean depends on it.
    pub group_size: Option<u64>,
    /// The declared purpose, which the ledger keeps.
    pub purpose: Option<String>,
}

/// Why a question is refused before its SQL is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskFault {
    /// The purpose is longer than [`PURPOSE_CHARS_MAX`].
    #[error("the purpose has more than {PURPOSE_CHARS_MAX} characters")]
    LongPurpose,
    /// Groups are assumed to have no rows.
    #[error("the field \"group_size\" is 0; accepted is 1 row or more")]
    EmptyGroups,
    /// The accuracy is given twice.
    #[error("both epsilon and margin are given; accepted is one of them")]
    TwoAccuracies,
    /// The margins are an empty list.
    #[error("the field \"margin\" names no output")]
    NoOutput,
    /// Two margins are given for one output.
    #[error("margin names \"{}\" twice", shown(name))]
    DoubledOutput {
        /// The output's name.
        name: String,
    },
    /// The accuracy is not a number that is accepted.
    #[error("{}: {fault}", shown(name))]
    Amount {
        /// What the number is of: `epsilon`, `margin`, or the name of an output.
        name: String,
        /// What is wrong with the number.
        fault: DecimalFault,
    },
}

/// A margin as it is written: one for all counts and sums, or one for each named output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarginText {
    /// One margin for every count and sum.
    Every(String),
    /// Margins by output name.
    Named(Vec<(String, String)>),
}

impl Ask {
    /// The question, provided that it is within its limits. The SQL is read later.
    ///
    /// # Errors
    /// [`AskFault::LongPurpose`] and [`AskFault::EmptyGroups`].
    pub fn checked(self) -> Result<Self, AskFault> {
        if self.purpose.as_ref().is_some_and(|purpose| purpose.chars().count() > PURPOSE_CHARS_MAX) {
            return Err(AskFault::LongPurpose);
        }
        if self.group_size == Some(0) {
            return Err(AskFault::EmptyGroups);
        }
        Ok(self)
    }
}

/// How accurate an answer should be.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestedAccuracy {
    /// Spend at most this ε.
    Epsilon(Epsilon),
    /// Give every count and sum this 95 % half-width.
    Margin(Margin),
    /// Give each named output its 95 % half-width.
    Margins(BTreeMap<String, Margin>),
}

impl RequestedAccuracy {
    /// Reads an accuracy as it is written: an ε, a margin, or neither.
    ///
    /// # Errors
    /// [`AskFault`] if both are given, if a number is not accepted, or if the margins name no output or one of them twice.
    pub fn new(epsilon: Option<&str>, margin: Option<&MarginText>) -> Result<Option<Self>, AskFault> {
        match (epsilon, margin) {
            (Some(_), Some(_)) => Err(AskFault::TwoAccuracies),
            (None, None) => Ok(None),
            (Some(text), None) => match Epsilon::parse(text) {
                Ok(epsilon) => Ok(Some(Self::Epsilon(epsilon))),
                Err(fault) => Err(AskFault::Amount { name: "epsilon".to_owned(), fault }),
            },
            (None, Some(MarginText::Every(text))) => margin_of("margin", text).map(|margin| Some(Self::Margin(margin))),
            (None, Some(MarginText::Named(margins))) => named(margins).map(|margins| Some(Self::Margins(margins))),
        }
    }
}

fn named(texts: &[(String, String)]) -> Result<BTreeMap<String, Margin>, AskFault> {
    let mut names = BTreeSet::new();
    if let Some((name, _)) = texts.iter().find(|(name, _)| !names.insert(name)) {
        return Err(AskFault::DoubledOutput { name: name.clone() });
    }
    if names.is_empty() {
        return Err(AskFault::NoOutput);
    }
    texts.iter().map(|(name, text)| margin_of(name, text).map(|margin| (name.clone(), margin))).collect()
}

fn margin_of(name: &str, text: &str) -> Result<Margin, AskFault> {
    Margin::parse(text).map_err(|fault| AskFault::Amount { name: name.to_owned(), fault })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies_are_read_as_they_are_written() {
        let named = |margins: &[(&str, &str)]| {
            let one = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
            Some(MarginText::Named(margins.iter().map(one).collect()))
        };
        let every = |text: &str| Some(MarginText::Every(text.to_owned()));
        let epsilon = RequestedAccuracy::Epsilon(Epsilon::parse("0.1").expect("an epsilon"));
        let margins = BTreeMap::from([("n".to_owned(), Margin(25.0)), ("s".to_owned(), Margin(0.5))]);
        for (epsilon, margin, expected) in [
            (None, None, Ok(None)),
            (Some("0.1"), None, Ok(Some(epsilon))),
            (None, every("25"), Ok(Some(RequestedAccuracy::Margin(Margin(25.0))))),
            (None, named(&[("n", "25"), ("s", "0.5")]), Ok(Some(RequestedAccuracy::Margins(margins)))),
            (Some("0.1"), every("25"), Err("both epsilon and margin are given; accepted is one of them")),
            (None, named(&[]), Err("the field \"margin\" names no output")),
            (None, named(&[("n", "1"), ("n", "2")]), Err("margin names \"n\" twice")),
            (
                None,
                named(&[("n", "x")]),
                Err("n: \"x\" is not a decimal number; write digits with at most one point, like \"0.25\""),
            ),
        ] {
            let read = RequestedAccuracy::new(epsilon, margin.as_ref());
            assert_eq!(read.map_err(|fault| fault.to_string()), expected.map_err(str::to_owned));
        }
    }

    #[test]
    fn questions_are_kept_within_their_limits() {
        let ask = |chars: usize, group_size| Ask {
            sql: String::new(),
            accuracy: None,
            rows_per_unit: None,
            group_size,
            purpose: Some("é".repeat(chars)),
        };
        assert!(ask(PURPOSE_CHARS_MAX, Some(1)).checked().is_ok());
        assert!(ask(0, None).checked().is_ok());
        assert_eq!(ask(PURPOSE_CHARS_MAX + 1, None).checked(), Err(AskFault::LongPurpose));
        assert_eq!(ask(1, Some(0)).checked(), Err(AskFault::EmptyGroups));
    }
}
