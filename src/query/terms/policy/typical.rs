//! The key `typical` of a column: what a steward states in public of how its values lie.
//!
//! Promises that a statement is consistent: quartiles in order and within the bounds, a mean and a deviation that values within the bounds
//! can have, and a part of missing values only where values may be missing.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::faults::PolicyFaults;
use super::numbers::decimal;
use crate::kernel::privacy::amounts::unscaled;
use crate::query::terms::domain::{DECIMALS, Domain, Grid};
use crate::query::terms::stated::StatedValues;

/// 1, in multiples of 1e-9.
const ONE: i128 = 1_000_000_000;

/// A public statement of how the values of a column lie: its quartiles, its mean and standard deviation, or both.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TypicalTable {
    /// A quarter of the values lie below.
    #[schemars(with = "Option<Value>")]
    low: Option<Spanned<toml::Value>>,
    /// Half of the values lie below.
    #[schemars(with = "Option<Value>")]
    middle: Option<Spanned<toml::Value>>,
    /// Three quarters of the values lie below.
    #[schemars(with = "Option<Value>")]
    high: Option<Spanned<toml::Value>>,
    /// The mean.
    #[schemars(with = "Option<Value>")]
    mean: Option<Spanned<toml::Value>>,
    /// The standard deviation.
    #[schemars(with = "Option<Value>")]
    deviation: Option<Spanned<toml::Value>>,
    /// The part of the rows without a value, from 0 to below 1.
    #[schemars(with = "Option<Value>")]
    missing: Option<Spanned<toml::Value>>,
}

/// Checks what is stated of a column of this domain, which may be nullable; `None` if it is faulty.
pub(super) fn typical(
    given: &Spanned<TypicalTable>,
    (domain, nullable): (&Domain, bool),
    faults: &mut PolicyFaults<'_>,
) -> Option<StatedValues> {
    let Some(grid) = domain.grid() else {
        faults.add(given.span(), "typical is for a column of type decimal or integer; remove it");
        return None;
    };
    let before = faults.found.len();
    let stated = given.get_ref();
    let [low, middle, high] = [("low", &stated.low), ("middle", &stated.middle), ("high", &stated.high)]
        .map(|(name, value)| number(name, value.as_ref(), faults));
    let [mean, deviation, missing] =
        [("mean", &stated.mean), ("deviation", &stated.deviation), ("missing", &stated.missing)]
            .map(|(name, value)| number(name, value.as_ref(), faults));
    if faults.found.len() > before {
        return None;
    }
    let quartiles = match (low, middle, high) {
        (Some(low), Some(middle), Some(high)) => Ok(Some([low, middle, high])),
        (None, None, None) => Ok(None),
        _ => Err("low, middle and high go together: a quarter, a half and three quarters of the values lie below them"),
    };
    let moments = match (mean, deviation) {
        (Some(mean), Some(deviation)) => Ok(Some([mean, deviation])),
        (None, None) => Ok(None),
        _ => Err("mean and deviation go together"),
    };
    let quartiles = faults.take(given.span(), "typical", quartiles)?;
    let moments = faults.take(given.span(), "typical", moments)?;
    let stated = StatedValues { quartiles, moments, missing };
    match fault(&stated, grid, nullable) {
        None => Some(stated),
        Some(message) => {
            faults.add(given.span(), message);
            None
        }
    }
}

fn number(name: &str, value: Option<&Spanned<toml::Value>>, faults: &mut PolicyFaults<'_>) -> Option<i128> {
    let value = value?;
    faults.take(value.span(), &format!("typical.{name}"), decimal(value.get_ref(), false))
}

/// Why values within the bounds cannot lie as stated.
fn fault(stated: &StatedValues, grid: &Grid, nullable: bool) -> Option<String> {
    let end = |steps: i64| i128::from(steps) * i128::from(grid.step);
    let (low, high) = (end(grid.low), end(grid.high));
    let text = |nanos: i128| unscaled(nanos, DECIMALS);
    let bounds = format!("accepted is {} to {}, the column's bounds", text(low), text(high));
    let is_within = |value: i128| (low..=high).contains(&value);
    if stated.quartiles.is_none() && stated.moments.is_none() {
        return Some(
            "typical says nothing of the values; state low, middle and high, or mean and deviation".to_owned(),
        );
    }
    if let Some([first, middle, last]) = stated.quartiles {
        if let Some(outside) = [first, middle, last].into_iter().find(|value| !is_within(*value)) {
            return Some(format!("typical has {}; {bounds}", text(outside)));
        }
        if !(first <= middle && middle <= last) {
            return Some("typical is not in order: low is at most middle, and middle is at most high".to_owned());
        }
    }
    if let Some([mean, deviation]) = stated.moments {
        if !is_within(mean) {
            return Some(format!("typical.mean is {}; {bounds}", text(mean)));
        }
        // No values within bounds are further apart than half of them at each bound.
        let most = (high - low) / 2;
        if deviation <= 0 || deviation > most {
            let (deviation, most) = (text(deviation), text(most));
            return Some(format!(
                "typical.deviation is {deviation}; accepted is above 0 to {most}, half the distance of the bounds"
            ));
        }
    }
    let missing = stated.missing?;
    if !(0..ONE).contains(&missing) {
        return Some(format!("typical.missing is {}; accepted is a part from 0 to below 1, like 0.25", text(missing)));
    }
    (!nullable && missing > 0)
        .then(|| "typical.missing is for a nullable column; remove it, or declare nullable = true".to_owned())
}
