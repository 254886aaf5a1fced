//! Shares of an account: what was spent, what is left and what a price takes, as parts of the account that add up.
//!
//! Promises exact sums: a price's share is the difference of the shares before and after it, so that shares add up in every digit, also
//! rounded to fewer digits. They are computed from the accountant's integers (precision, or pure ε), because ε itself does not add up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel::privacy::amounts::{DecimalFault, Price, scaled, unscaled};

/// A part of an account, in 1e-18 of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountShare(u128);

impl AccountShare {
    /// The whole account.
    pub const WHOLE: Self = Self(10_u128.pow(Self::DECIMALS));
    /// The share of what cost nothing: 0.
    pub const NONE: Self = Self(0);
    const DECIMALS: u32 = 18;

    /// The share of `amount` that is spent, rounded up. All of an account without an amount is spent.
    #[must_use]
    pub fn spent(spent: Price, amount: Price) -> Self {
        let (spent, amount) = (u128::from(spent.quanta()), u128::from(amount.quanta()));
        if amount == 0 { Self::WHOLE } else { Self((spent * Self::WHOLE.0).div_ceil(amount)) }
    }

    /// The share of `amount` that is left; none if more than the amount is spent.
    #[must_use]
    pub fn left(spent: Price, amount: Price) -> Self {
        Self(Self::WHOLE.0.saturating_sub(Self::spent(spent, amount).0))
    }

    /// The share that a price takes of an account of which `before` is spent: what is spent afterwards less what is spent before.
    #[must_use]
    pub fn taken(price: Price, before: Price, amount: Price) -> Self {
        let after = before.saturating_add(price);
        Self(Self::spent(after, amount).0.saturating_sub(Self::spent(before, amount).0))
    }

    /// The sum of two shares.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The share as a number, for drawing.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::WHOLE.0 as f64
    }

    /// The number of decimals at which this share in per cent has two significant digits: at least 1, and at most 6.
    #[must_use]
    pub fn decimals(self) -> usize {
        const LEAST: usize = 1;
        const MOST: usize = 6;
        let digits = |decimals: &usize| self.per_cent_units(*decimals) >= 10;
        (LEAST..MOST).find(digits).unwrap_or(if self == Self::NONE { LEAST } else { MOST })
    }

    /// The share in whole units of the last of `decimals` decimals of a per cent, rounded down.
    fn per_cent_units(self, decimals: usize) -> u128 {
        self.0 / 10_u128.pow(Self::DECIMALS - 2 - u32::try_from(decimals).unwrap_or(0).min(Self::DECIMALS - 2))
    }

    /// The share in per cent with this number of decimals, rounded down: `93.68 %`. At most 16 decimals are shown.
    #[must_use]
    pub fn per_cent(self, decimals: usize) -> String {
        shown(self.per_cent_units(decimals), decimals)
    }

    /// What is between two shares in per cent, each rounded down to `decimals` decimals, so that the printed numbers add up: the one
    /// left before is the one left after and this.
    #[must_use]
    pub fn per_cent_between(after: Self, before: Self, decimals: usize) -> String {
        shown(before.per_cent_units(decimals).saturating_sub(after.per_cent_units(decimals)), decimals)
    }
}

fn shown(units: u128, decimals: usize) -> String {
    let power = 10_u128.pow(u32::try_from(decimals).unwrap_or(0));
    match decimals {
        0 => format!("{units} %"),
        _ => format!("{}.{:0decimals$} %", units / power, units % power),
    }
}

/// How many answers of `price` fit what is left; `None` if they cost nothing.
#[must_use]
pub fn like_this(left: Price, price: Price) -> Option<u64> {
    left.quanta().checked_div(price.quanta())
}

impl fmt::Display for AccountShare {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&unscaled(i128::try_from(self.0).unwrap_or(i128::MAX), Self::DECIMALS))
    }
}

impl From<AccountShare> for String {
    fn from(share: AccountShare) -> Self {
        share.to_string()
    }
}

impl TryFrom<String> for AccountShare {
    type Error = DecimalFault;
    fn try_from(text: String) -> Result<Self, DecimalFault> {
        let accepted = "0 or more";
        let units = scaled(&text, Self::DECIMALS)?;
        u128::try_from(units).map(Self).map_err(|_| DecimalFault::OutOfRange { text, accepted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn price(quanta: u64) -> Price {
        Price::from_quanta(quanta)
    }

    /// Reads `93.68 %` as 9368.
    fn units(text: &str) -> u128 {
        text.replace([' ', '%', '.'], "").parse().expect("a number")
    }

    /// Over random accounts and prices, shares add up in every digit: in JSON, and in per cent at any number of decimals.
    #[test]
    fn shares_add_up_in_every_digit() {
        let mut rng = StdRng::seed_from_u64(17);
        for _ in 0..10_000 {
            let amount = 10_u64.pow(rng.random_range(1..19)) + rng.random_range(0..1_000);
            let (mut spent, mut taken) = (0_u64, AccountShare::NONE);
            for _ in 0..8 {
                let cost = rng.random_range(0..=(amount - spent) / 3);
                let before = AccountShare::left(price(spent), price(amount));
                let fraction = AccountShare::taken(price(cost), price(spent), price(amount));
                spent += cost;
                let after = AccountShare::left(price(spent), price(amount));
                assert_eq!(fraction.plus(after), before, "{cost} of {amount}");
                taken = taken.plus(fraction);
                assert_eq!(taken.plus(after), AccountShare::WHOLE);
                let decimals = fraction.decimals();
                let printed = units(&AccountShare::per_cent_between(after, before, decimals));
                assert_eq!(printed + units(&after.per_cent(decimals)), units(&before.per_cent(decimals)));
                assert_eq!(AccountShare::try_from(fraction.to_string()), Ok(fraction), "it is read as it is written");
                assert_eq!(fraction == AccountShare::NONE, cost == 0, "what costs something takes something");
            }
        }
    }

    #[test]
    fn as_many_answers_fit_as_fit() {
        for (left, each, fits) in [
            (0, 7, Some(0)),
            (6, 7, Some(0)),
            (7, 7, Some(1)),
            (13, 7, Some(1)),
            (14, 7, Some(2)),
            (u64::MAX, 1, Some(u64::MAX)),
            (5, 0, None),
            (0, 0, None),
        ] {
            assert_eq!(like_this(price(left), price(each)), fits, "{left} / {each}");
        }
    }

    #[test]
    fn two_digits_of_a_share_are_shown() {
        let of = |part: u64| {
            let share = AccountShare::spent(price(part), price(1_000_000_000));
            share.per_cent(share.decimals())
        };
        assert_eq!(of(123_400_000), "12.3 %");
        assert_eq!(of(63_450_000), "6.3 %");
        assert_eq!(of(6_345_000), "0.63 %");
        assert_eq!(of(63_450), "0.0063 %");
        assert_eq!(of(0), "0.0 %");
        assert_eq!(AccountShare::WHOLE.per_cent(2), "100.00 %");
        assert_eq!(AccountShare::spent(price(3), price(0)), AccountShare::WHOLE, "an account of nothing is used up");
        assert_eq!(
            AccountShare::left(price(3), price(2)),
            AccountShare::NONE,
            "an account that was lowered has nothing left"
        );
    }
}
