//! Amounts as people see them, at every door: as ε, next to the share that they make up. Views hold numbers; JSON has them as decimal text.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::kernel::budget::entry::{AccountMark, Postings};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::privacy::threshold::Threshold;
use crate::service::shares::{AccountShare, like_this};

/// A number that JSON holds as decimal text with this many significant digits.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoundedNumber<const DIGITS: i32>(f64);

/// A part of a whole.
pub type Fraction = RoundedNumber<12>;

/// Reads an ε that a server reports. Unlike one that is asked for, it may be 0 or above 100.
pub(crate) fn reported<'de, D: Deserializer<'de>>(from: D) -> Result<Epsilon, D::Error> {
    Epsilon::parse_total(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Reads an ε that a server reports if there is one, as [`reported`] does.
pub(crate) fn reported_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Epsilon>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| Epsilon::parse_total(&text)).transpose().map_err(D::Error::custom)
}

/// The amounts of an account in ε. For an account that renews they are those of the present period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountView {
    /// The ε of the cap or the allocation.
    #[schema(value_type = String)]
    pub epsilon_cap: Epsilon,
    /// What was spent, as ε, rounded up.
    #[serde(deserialize_with = "reported")]
    #[schema(value_type = String)]
    pub epsilon_spent: Epsilon,
    /// The largest ε that could still be charged at once.
    #[serde(deserialize_with = "reported")]
    #[schema(value_type = String)]
    pub epsilon_remaining: Epsilon,
    /// Spent divided by the cap, both in the accountant's own measure (which adds up, unlike ε).
    #[schema(value_type = String)]
    pub fraction_spent: Fraction,
    /// The share of the cap that is left, in the accountant's own measure. It adds up exactly: what is left before an answer is what is
    /// left afterwards and the answer's `price.fraction`.
    #[schema(value_type = String)]
    pub fraction_remaining: AccountShare,
    /// How many more answers at the price of this one would fit, or at the last price, where several accounts are listed; absent for what
    /// cost nothing. It counts all accounts that would pay: this one and those above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like_this_remaining: Option<u64>,
}

impl AccountView {
    /// The view of a researcher's account with these amounts.
    #[must_use]
    pub fn of(accountant: Accountant, mark: &AccountMark) -> Self {
        Self {
            epsilon_cap: mark.epsilon,
            epsilon_spent: accountant.epsilon_spent(mark.spent),
            epsilon_remaining: accountant.epsilon_within(mark.left),
            fraction_spent: Fraction::of(mark.spent, mark.amount),
            fraction_remaining: AccountShare::left(mark.spent, mark.amount),
            like_this_remaining: None,
        }
    }

    /// The view with the number of answers at this price that would fit what is left.
    #[must_use]
    pub fn counting(self, mark: &AccountMark, price: Price) -> Self {
        Self { like_this_remaining: like_this(mark.left, price), ..self }
    }
}

/// What a question whose price does not fit may cost at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The largest ε at which it would be answered; 0 if none fits.
    pub largest_epsilon: Epsilon,
    /// The margin that it gives: the widest of counts and sums, or that of the only output; `None` if there is none, or nothing fits.
    pub margin: Option<RoundedNumber<9>>,
    /// Whether that margin is asked for by the name of the only output, because there is no count or sum.
    pub is_named: bool,
}

/// How groups are chosen that are shown, if their list is not public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ThresholdView {
    /// The smallest noisy number of units at which a group is shown.
    #[schema(value_type = String)]
    pub units: RoundedNumber<9>,
    /// The part that the answer takes of the δ that is set aside for thresholds.
    pub delta: String,
    /// Largest number of groups in which one unit counts.
    pub groups_per_unit: u32,
}

impl ThresholdView {
    /// The view of a threshold over noise of this law; `None` if it has no threshold value.
    #[must_use]
    pub fn of(threshold: &Threshold, law: &NoiseLaw) -> Option<Self> {
        let units = threshold.shown(law)?.into();
        Some(Self { units, delta: threshold.delta.to_string(), groups_per_unit: threshold.groups_per_unit })
    }
}

/// What each account pays, as ε.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LegsView {
    /// What the dataset pays: the price of what is newly drawn.
    #[serde(deserialize_with = "reported")]
    #[schema(value_type = String)]
    pub dataset: Epsilon,
    /// What the project pays for what is new to it; absent if that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "reported_if_any")]
    #[schema(value_type = Option<String>)]
    pub project: Option<Epsilon>,
    /// What the researcher pays for what is new to them.
    #[serde(deserialize_with = "reported")]
    #[schema(value_type = String)]
    pub researcher: Epsilon,
}

impl LegsView {
    /// Shows the legs of a charge, which are what each account pays, as ε.
    #[must_use]
    pub fn of(accountant: Accountant, legs: &Postings) -> Self {
        let epsilon = |leg| accountant.epsilon_spent(leg);
        Self {
            dataset: epsilon(legs.dataset),
            project: (legs.project > Price::ZERO).then(|| epsilon(legs.project)),
            researcher: epsilon(legs.researcher),
        }
    }
}

impl Fraction {
    /// `spent / amount`; 1 if the amount is zero.
    #[must_use]
    pub fn of(spent: Price, amount: Price) -> Self {
        if amount == Price::ZERO { Self(1.0) } else { Self(spent.quanta() as f64 / amount.quanta() as f64) }
    }

    /// The fraction in per cent with one decimal, rounded up.
    #[must_use]
    pub fn per_cent(self) -> String {
        format!("{:.1} %", (1_000.0 * self.rounded()).ceil() / 10.0)
    }
}

impl<const DIGITS: i32> RoundedNumber<DIGITS> {
    /// The number before it is rounded.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0
    }

    /// The number that its text stands for.
    #[must_use]
    pub fn rounded(self) -> f64 {
        self.to_string().parse().unwrap_or(self.0)
    }
}

impl<const DIGITS: i32> From<f64> for RoundedNumber<DIGITS> {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

impl<const DIGITS: i32> fmt::Display for RoundedNumber<DIGITS> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&significant(self.0, DIGITS))
    }
}

impl<const DIGITS: i32> From<RoundedNumber<DIGITS>> for String {
    fn from(number: RoundedNumber<DIGITS>) -> Self {
        number.to_string()
    }
}

impl<const DIGITS: i32> TryFrom<String> for RoundedNumber<DIGITS> {
    type Error = std::num::ParseFloatError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// A positive number as a plain decimal with `digits` significant digits, without trailing zeros.
#[must_use]
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let decimals = (digits - 1 - value.abs().log10().floor() as i32).clamp(0, 40) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A moment in UTC as RFC 3339 text; `at_ms` is in milliseconds since 1970.
#[must_use]
pub fn timestamp(at_ms: u64) -> String {
    let moment = i64::try_from(at_ms).ok().and_then(|at_ms| jiff::Timestamp::from_millisecond(at_ms).ok());
    moment.map_or_else(String::new, |moment| format!("{moment:.3}"))
}
