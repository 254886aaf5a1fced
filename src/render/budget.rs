//! Prices and balances in words: shares of an account that add up, with ε beside them.
//!
//! Promises numbers that can be added by hand: a price and what is left are printed with the same decimals, and what was left before is their
//! sum. ε stands beside them with three significant digits, because it does not add up.

use crate::render::reading::number;
use crate::service::shares::AccountShare;
use crate::service::views::{AccountView, significant};

/// What an answer costs an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost<'a> {
    /// The share of the account that it takes.
    pub fraction: AccountShare,
    /// The same as ε, as decimal text.
    pub epsilon: &'a str,
    /// The share of the account that is left afterwards.
    pub left: AccountShare,
    /// How many more answers like it fit afterwards; `None` if that is not known or it costs nothing.
    pub like_this: Option<u64>,
}

impl<'a> Cost<'a> {
    /// The cost of an answer, from the account after it.
    #[must_use]
    pub fn new(fraction: AccountShare, epsilon: &'a str, after: &AccountView) -> Self {
        Self { fraction, epsilon, left: after.fraction_remaining, like_this: after.like_this_remaining }
    }

    /// The share that it takes in per cent, such as `0.63 %`: two significant digits, and the decimals of [`Cost::left`].
    #[must_use]
    pub fn share(&self) -> String {
        AccountShare::per_cent_between(self.left, self.left.plus(self.fraction), self.fraction.decimals())
    }

    /// The share that is left in per cent, with the decimals of [`Cost::share`].
    #[must_use]
    pub fn left(&self) -> String {
        self.left.per_cent(self.fraction.decimals())
    }
}

/// An ε with three significant digits. A text that is no number stays as it is.
#[must_use]
pub fn epsilon(text: &str) -> String {
    const DIGITS: i32 = 3;
    text.parse().map_or_else(|_| text.to_owned(), |value: f64| significant(value, DIGITS))
}

/// A share in per cent with three significant digits, and never `0 %` or `100 %` for what is not quite that.
#[must_use]
pub fn percent(part: f64) -> String {
    let percent = 100.0 * part.max(0.0);
    match percent {
        percent if percent > 0.0 && percent < 0.001 => "less than 0.001 %".to_owned(),
        percent if percent < 100.0 && percent > 99.9 => "more than 99.9 %".to_owned(),
        percent => format!("{} %", significant(percent, 3)),
    }
}

/// How many more answers fit, in words: `about 156 more like it`.
#[must_use]
pub fn more(like_this: u64) -> String {
    match like_this {
        0 => "no other like it fits".to_owned(),
        1 => "1 more like it".to_owned(),
        fits => format!("about {} more like it", number(fits as f64, None)),
    }
}

/// What an answer costs: `costs 0.63 % of your account (ε 0.0123), 93.68 % left, about 148 more like it`.
#[must_use]
pub fn price(cost: &Cost<'_>) -> String {
    if cost.fraction == AccountShare::NONE {
        return format!("costs nothing; {} left", cost.left());
    }
    let more = cost.like_this.map_or_else(String::new, |fits| format!(", {}", more(fits)));
    format!("costs {} of your account (ε {}), {} left{more}", cost.share(), epsilon(cost.epsilon), cost.left())
}

/// What is left of an account: `93.68 % of ε 1 left`.
#[must_use]
pub fn balance(account: &AccountView) -> String {
    const DECIMALS: usize = 2;
    let cap = epsilon(&account.epsilon_cap.to_string());
    format!("{} of ε {cap} left", account.fraction_remaining.per_cent(DECIMALS))
}

/// How many more answers at the last one's price fit, in words: `about 148 more like the last`.
#[must_use]
pub fn more_like_the_last(fits: u64) -> String {
    match fits {
        0 => "no other like the last fits".to_owned(),
        1 => "1 more like the last".to_owned(),
        fits => format!("about {} more like the last", number(fits as f64, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privacy::amounts::Price;

    fn cost(spent: u64, price: u64, like_this: Option<u64>) -> Cost<'static> {
        let [amount, before, price] = [1_000_000, spent, price].map(Price::from_quanta);
        let left = AccountShare::left(before.saturating_add(price), amount);
        Cost { fraction: AccountShare::taken(price, before, amount), epsilon: "0.0123456", left, like_this }
    }

    #[test]
    fn a_price_is_said_in_words_that_add_up() {
        for (spent, paid, like_this, said) in [
            (56_900, 6_300, Some(148), "costs 0.63 % of your account (ε 0.0123), 93.68 % left, about 148 more like it"),
            (0, 125_000, Some(7), "costs 12.5 % of your account (ε 0.0123), 87.5 % left, about 7 more like it"),
            (990_000, 10_000, Some(0), "costs 1.0 % of your account (ε 0.0123), 0.0 % left, no other like it fits"),
            (980_000, 10_000, Some(1), "costs 1.0 % of your account (ε 0.0123), 1.0 % left, 1 more like it"),
            (
                0,
                1,
                Some(12_345),
                "costs 0.00010 % of your account (ε 0.0123), 99.99990 % left, about 12\u{202f}345 more like it",
            ),
            (56_900, 0, None, "costs nothing; 94.3 % left"),
        ] {
            assert_eq!(price(&cost(spent, paid, like_this)), said);
        }
    }

    #[test]
    fn epsilons_have_three_digits() {
        for (text, shown) in
            [("0.326983", "0.327"), ("4", "4"), ("0.1", "0.1"), ("12.3456", "12.3"), ("–", "–"), ("0", "0")]
        {
            assert_eq!(epsilon(text), shown);
        }
    }

    #[test]
    fn shares_are_told_with_three_digits() {
        for (part, told) in [
            (0.0, "0 %"),
            (1e-9, "less than 0.001 %"),
            (0.000_123_4, "0.0123 %"),
            (0.063_04, "6.3 %"),
            (0.937, "93.7 %"),
            (0.999_99, "more than 99.9 %"),
            (1.0, "100 %"),
            (1.25, "125 %"),
        ] {
            assert_eq!(percent(part), told, "{part}");
        }
    }
}
