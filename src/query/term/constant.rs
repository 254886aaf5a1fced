//! Decimal constants.

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;

/// A decimal constant: `digits` · 10^−`decimals`. A constant that was written with a point keeps at least one decimal, because SQL divides
/// by 10 and by 10.0 differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Constant {
    /// All digits, with the sign, as one integer.
    pub digits: i64,
    /// Number of digits after the point.
    pub decimals: u32,
}

impl Constant {
    /// Creates a constant in its shortest form.
    #[must_use]
    pub fn new(mut digits: i64, mut decimals: u32) -> Self {
        while decimals > 1 && digits % 10 == 0 {
            (digits, decimals) = (digits / 10, decimals - 1);
        }
        Self { digits, decimals }
    }

    /// Creates a constant without a point, if its value needs none.
    #[must_use]
    pub fn shortest(digits: i64, decimals: u32) -> Self {
        let short = Self::new(digits, decimals);
        if short.digits % 10 == 0 && short.decimals == 1 {
            Self { digits: short.digits / 10, decimals: 0 }
        } else {
            short
        }
    }

    /// The value as a float, for use after the noise.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.digits as f64 / 10_f64.powi(self.decimals.cast_signed())
    }

    /// Parses a decimal number; `None` if its digits do not fit 64 bits, or if it has more than nine decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const DECIMALS_MAX: usize = 9;
        let (sign, body) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = if fraction.len() > 1 { fraction.trim_end_matches('0') } else { fraction };
        let fraction = if fraction.is_empty() && body.contains('.') { "0" } else { fraction };
        if (whole.is_empty() && fraction.is_empty())
            || !plain(whole)
            || !plain(fraction)
            || fraction.len() > DECIMALS_MAX
        {
            return None;
        }
        let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self::new(sign * digits, u32::try_from(fraction.len()).ok()?))
    }
}

/// Exact value of a constant, as a fraction.
#[must_use]
pub fn exact(number: Constant) -> RBig {
    RBig::from_parts(IBig::from(number.digits), UBig::from(10_u8).pow(number.decimals as usize))
}
