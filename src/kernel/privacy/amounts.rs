//! Amounts of privacy loss: exact decimals in, integers inside, exact decimals out.
//!
//! Promises that no amount is ever stored or added as a float, and that text is read exactly or refused. Knows nothing of accounts, queries
//! or data.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Why a decimal text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalFault {
    /// The text is not a plain decimal number.
    #[error("\"{text}\" is not a decimal number; write digits with at most one point, like \"0.25\"")]
    Malformed {
        /// The text as written, cut to forty characters.
        text: String,
    },
    /// The text has more decimals than the type can hold.
    #[error("\"{text}\" is finer than the smallest unit, 1e-{decimals}")]
    TooFine {
        /// The text as written, cut to forty characters.
        text: String,
        /// Number of decimals that the type can hold.
        decimals: u32,
    },
    /// The value lies outside the accepted range.
    #[error("\"{text}\" is out of range; accepted is {accepted}")]
    OutOfRange {
        /// The text as written, cut to forty characters.
        text: String,
        /// The accepted range, in words.
        accepted: &'static str,
    },
}

/// The largest number of characters in a decimal text.
pub const DECIMAL_CHARS_MAX: usize = 40;
/// Pattern of a decimal text with an optional sign.
pub const SIGNED_PATTERN: &str = "^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";
/// Pattern of a decimal text of at least 0.
pub const DECIMAL_PATTERN: &str = "^[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$";

fn shown(text: &str) -> String {
    text.chars().take(DECIMAL_CHARS_MAX).collect()
}

/// Parses a decimal text as an integer count of 10^-`decimals`; an exponent such as `1e-6` is allowed.
///
/// The result is exact: text with more decimals than `decimals` can hold is refused, never rounded.
///
/// # Errors
/// A [`DecimalFault`] that says what was written and what would be accepted.
pub fn scaled(text: &str, decimals: u32) -> Result<i128, DecimalFault> {
    let malformed = || DecimalFault::Malformed { text: shown(text) };
    let too_large = || DecimalFault::OutOfRange { text: shown(text), accepted: "a magnitude below 1e19" };
    if text.len() > DECIMAL_CHARS_MAX || !text.is_ascii() {
        return Err(malformed());
    }
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| malformed())?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || mantissa.ends_with('.') {
        return Err(malformed());
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    let trimmed = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - trimmed.len()).map_err(|_| malformed())?;
    let places = i64::try_from(fraction.len()).map_err(|_| malformed())?;
    let shift = i64::from(decimals) + i64::from(exponent) - places + zeros;
    if shift < 0 {
        return Err(DecimalFault::TooFine { text: shown(text), decimals });
    }
    if shift > 37 || trimmed.len() > 37 {
        return Err(too_large());
    }
    let power = 10_i128.checked_pow(u32::try_from(shift).map_err(|_| too_large())?);
    let value: i128 = trimmed.parse().map_err(|_| malformed())?;
    let value = power
        .and_then(|power| value.checked_mul(power))
        .filter(|value| *value < 10_i128.pow(19 + decimals.min(18)))
        .ok_or_else(too_large)?;
    Ok(if negative { -value } else { value })
}

/// Formats an integer count of 10^-`decimals` as the shortest exact decimal text.
#[must_use]
pub fn unscaled(value: i128, decimals: u32) -> String {
    let power = 10_u128.pow(decimals);
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let fraction = format!("{:0width$}", magnitude % power, width = decimals as usize);
    let fraction = fraction.trim_end_matches('0');
    if decimals == 0 || fraction.is_empty() {
        format!("{sign}{}", magnitude / power)
    } else {
        format!("{sign}{}.{fraction}", magnitude / power)
    }
}

/// A privacy loss ε, stored as a count of 1e-9.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Epsilon(u64);

impl Epsilon {
    /// Number of decimals that an ε can hold.
    pub const DECIMALS: u32 = 9;
    /// The largest ε accepted anywhere, 100, as a count of 1e-9. Beyond it the guarantee is meaningless.
    pub const NANOS_MAX: u64 = 100_000_000_000;

    /// Parses an ε above 0 and at most 100, with at most nine decimals.
    ///
    /// # Errors
    /// A [`DecimalFault`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DecimalFault> {
        let accepted = "above 0 and at most 100, with at most nine decimals";
        let out_of_range = || DecimalFault::OutOfRange { text: shown(text), accepted };
        let nanos = match scaled(text, Self::DECIMALS) {
            Err(DecimalFault::OutOfRange { .. }) => return Err(out_of_range()),
            other => other?,
        };
        match u64::try_from(nanos) {
            Ok(nanos @ 1..=Self::NANOS_MAX) => Ok(Self(nanos)),
            _ => Err(out_of_range()),
        }
    }

    /// Parses an ε that was computed, such as a total: unlike one that is asked for, it may be 0 or above 100.
    ///
    /// # Errors
    /// A [`DecimalFault`] for anything that is not such a decimal.
    pub fn parse_total(text: &str) -> Result<Self, DecimalFault> {
        let accepted = "at least 0, with at most nine decimals";
        let nanos = u64::try_from(scaled(text, Self::DECIMALS)?);
        nanos.map(Self).map_err(|_| DecimalFault::OutOfRange { text: shown(text), accepted })
    }

    /// Makes an ε from a count of 1e-9, without checking its range.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns this ε as a count of 1e-9.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Returns the nearest float, for display and for searches whose result is checked exactly afterwards.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&unscaled(i128::from(self.0), Self::DECIMALS))
    }
}

impl TryFrom<String> for Epsilon {
    type Error = DecimalFault;
    fn try_from(text: String) -> Result<Self, DecimalFault> {
        Self::parse(&text)
    }
}

impl From<Epsilon> for String {
    fn from(epsilon: Epsilon) -> Self {
        epsilon.to_string()
    }
}

/// The δ of (ε, δ)-differential privacy, stored as a count of 1e-18; 0 for `pure`.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Delta(u64);

impl Delta {
    /// Number of decimals that a δ can hold.
    pub const DECIMALS: u32 = 18;
    /// A δ of 0: pure differential privacy.
    pub const ZERO: Self = Self(0);
    /// The largest accepted δ, 0.01, as a count of 1e-18: it would allow one person in a hundred to be exposed outright.
    const ATTOS_MAX: u64 = 10_000_000_000_000_000;

    /// Parses a δ from 1e-18 to 0.01; an exponent is allowed, as in `1e-6`.
    ///
    /// # Errors
    /// A [`DecimalFault`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DecimalFault> {
        let attos = scaled(text, Self::DECIMALS)?;
        match u64::try_from(attos) {
            Ok(attos @ 1..=Self::ATTOS_MAX) => Ok(Self(attos)),
            _ => Err(DecimalFault::OutOfRange { text: shown(text), accepted: "1e-18 to 0.01" }),
        }
    }

    /// Returns this δ as a count of 1e-18.
    #[must_use]
    pub const fn attos(self) -> u64 {
        self.0
    }

    /// Makes a δ from a count of 1e-18, without checking its range.
    #[must_use]
    pub const fn from_attos(attos: u64) -> Self {
        Self(attos)
    }

    /// Adds two δ; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self(self.0.checked_add(other.0)?))
    }

    /// Returns what is left of `self` after subtracting `other`, or 0 if `other` is larger.
    #[must_use]
    pub fn left_after(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the nearest float, for display and for search.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e18
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return out.write_str("0");
        }
        let zeros = self.0.ilog10().min(self.0.trailing_zeros());
        let (mut mantissa, mut exponent) = (self.0, 18);
        for _ in 0..zeros {
            if mantissa.is_multiple_of(10) {
                mantissa /= 10;
                exponent -= 1;
            }
        }
        write!(out, "{mantissa}e-{exponent}")
    }
}

impl TryFrom<String> for Delta {
    type Error = DecimalFault;
    fn try_from(text: String) -> Result<Self, DecimalFault> {
        if text == "0" { Ok(Self::ZERO) } else { Self::parse(&text) }
    }
}

impl From<Delta> for String {
    fn from(delta: Delta) -> Self {
        delta.to_string()
    }
}

/// An amount of privacy loss as a number of the accountant's quanta: 1e-15 of precision μ² for `gaussian`, 1e-9 of ε for `pure`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct Price(u64);

impl Price {
    /// An amount of zero.
    pub const ZERO: Self = Self(0);

    /// Makes an amount from its number of quanta (1e-15 of μ², or 1e-9 of ε).
    #[must_use]
    pub const fn from_quanta(quanta: u64) -> Self {
        Self(quanta)
    }

    /// Returns the number of quanta (1e-15 of μ², or 1e-9 of ε).
    #[must_use]
    pub const fn quanta(self) -> u64 {
        self.0
    }

    /// Adds two amounts; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Adds two amounts; on overflow returns the largest amount, which no cap can hold.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Returns what is left of `self` after subtracting `other`, or zero if `other` is larger.
    #[must_use]
    pub fn left_after(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Above 2^53 a float cannot hold every integer.
    #[test]
    fn amounts_add_up_to_the_quantum() {
        let (large, one) = (Price::from_quanta((1 << 60) + 1), Price::from_quanta(1));
        assert_eq!(large.checked_add(one), Some(Price::from_quanta((1 << 60) + 2)));
        assert_eq!(large.left_after(one), Price::from_quanta(1 << 60));
        assert_eq!(Price::from_quanta(u64::MAX).checked_add(one), None);
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, want) in [
            ("0.1", Ok(100_000_000)),
            ("1", Ok(1_000_000_000)),
            ("0.000000001", Ok(1)),
            ("00.50", Ok(500_000_000)),
            ("1e-3", Ok(1_000_000)),
            ("100", Ok(100_000_000_000)),
            ("100.000000001", Err(())),
            ("0", Err(())),
            ("-0", Err(())),
            ("-1", Err(())),
            ("NaN", Err(())),
            ("inf", Err(())),
            ("1e-400", Err(())),
            ("1e400", Err(())),
            ("0.0000000001", Err(())),
            ("٣", Err(())),
            ("", Err(())),
            (" 1", Err(())),
            ("1.", Err(())),
            (".5", Err(())),
            ("0x1", Err(())),
            ("1_000", Err(())),
            ("+1", Err(())),
            ("1e", Err(())),
            ("1234567890123456789012345678901234567890", Err(())),
        ] {
            let got = Epsilon::parse(text).map(Epsilon::nanos).map_err(|_| ());
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn text_of_amounts_reads_back() {
        for (text, shown) in [("1e-9", "1e-9"), ("0.000001", "1e-6"), ("2.5e-7", "25e-8"), ("0.01", "1e-2")] {
            let delta = Delta::parse(text).expect(text);
            assert_eq!(delta.to_string(), shown);
            assert_eq!(Delta::parse(shown), Ok(delta));
        }
        assert_eq!(Epsilon::from_nanos(938_000_000).to_string(), "0.938");
        assert_eq!(unscaled(-1050, 2), "-10.5");
    }
}
