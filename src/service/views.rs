//! Amounts as people see them, at every door: as ε, in decimal text, next to the share that they make up.

use serde::Serialize;

use crate::kernel::budget::entry::{AccountMark, Postings};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::privacy::threshold::Threshold;

/// The amounts of an account in ε, as decimal text. For an account that renews they are those of the present period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountView {
    /// The ε of the cap or the allocation.
    pub epsilon_cap: String,
    /// What was spent, as ε, rounded up.
    pub epsilon_spent: String,
    /// The largest ε that could still be charged at once.
    pub epsilon_remaining: String,
    /// Spent divided by the cap, both in the accountant's own measure (which adds up, unlike ε).
    pub fraction_spent: String,
}

impl AccountView {
    /// The view of a researcher's account with these amounts.
    #[must_use]
    pub fn of(accountant: Accountant, mark: &AccountMark) -> Self {
        Self {
            epsilon_cap: mark.epsilon.to_string(),
            epsilon_spent: accountant.epsilon_spent(mark.spent).to_string(),
            epsilon_remaining: accountant.epsilon_within(mark.left).to_string(),
            fraction_spent: fraction(mark.spent, mark.amount),
        }
    }
}

/// How groups are chosen that are shown, if their list is not public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ThresholdView {
    /// The smallest noisy number of units at which a group is shown.
    pub units: String,
    /// The part that the answer takes of the δ that is set aside for thresholds.
    pub delta: String,
    /// Largest number of groups in which one unit counts.
    pub groups_per_unit: u32,
}

impl ThresholdView {
    /// The view of a threshold over noise of this law; `None` if it has no threshold value.
    #[must_use]
    pub fn of(threshold: &Threshold, law: &NoiseLaw) -> Option<Self> {
        let units = significant(threshold.shown(law)?, 9);
        Some(Self { units, delta: threshold.delta.to_string(), groups_per_unit: threshold.groups_per_unit })
    }
}

/// What each account pays, as ε.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LegsView {
    /// What the dataset pays: the price of what is newly drawn.
    pub dataset: String,
    /// What the project pays for what is new to it; absent if that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// What the researcher pays for what is new to them.
    pub researcher: String,
}

impl LegsView {
    /// Shows the legs of a charge, which are what each account pays, as ε.
    #[must_use]
    pub fn of(accountant: Accountant, legs: &Postings) -> Self {
        let epsilon = |leg| accountant.epsilon_spent(leg).to_string();
        Self {
            dataset: epsilon(legs.dataset),
            project: (legs.project > Price::ZERO).then(|| epsilon(legs.project)),
            researcher: epsilon(legs.researcher),
        }
    }
}

/// `spent / amount` with twelve significant digits; "1" if the amount is zero.
pub(crate) fn fraction(spent: Price, amount: Price) -> String {
    match (spent.quanta(), amount.quanta()) {
        (0, 1..) => "0".to_owned(),
        (_, 0) => "1".to_owned(),
        (spent, amount) => significant(spent as f64 / amount as f64, 12),
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
