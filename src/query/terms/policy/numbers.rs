//! Numbers of a policy file: decimals as texts, and whole numbers.

use super::names::{SEEN_HINT, is_seen};
use crate::kernel::privacy::amounts::{DecimalFault, scaled};

/// Why a bound or a step of a column of numbers cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NumberFault {
    /// It is a placeholder of a draft.
    #[error("\"{text}\" is a draft's: {SEEN_HINT}")]
    Seen { text: String },
    /// It is a text that is no decimal number.
    #[error(transparent)]
    Decimal(#[from] DecimalFault),
    /// It is neither a text nor a whole number.
    #[error("{value} is not a decimal string, like \"0.01\"")]
    Kind { value: toml::Value },
    /// The column holds whole numbers, and this is none.
    #[error("{value} is not a whole number; declare the column as decimal")]
    Fraction { value: toml::Value },
}

/// A number of a policy in multiples of 1e-9; a whole one if `integer`.
pub(super) fn decimal(value: &toml::Value, integer: bool) -> Result<i128, NumberFault> {
    let scaled = match value {
        toml::Value::String(text) if is_seen(text) => return Err(NumberFault::Seen { text: text.clone() }),
        toml::Value::String(text) => scaled(text, crate::query::terms::domain::DECIMALS)?,
        toml::Value::Integer(whole) => i128::from(*whole) * 1_000_000_000,
        other => return Err(NumberFault::Kind { value: other.clone() }),
    };
    if integer && scaled % 1_000_000_000 != 0 {
        return Err(NumberFault::Fraction { value: value.clone() });
    }
    Ok(scaled)
}
