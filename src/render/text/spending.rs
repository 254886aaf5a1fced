//! Prices and balances in words: the share of the account, which adds up, with ε beside it.
//!
//! Reads prices and accounts as they travel in JSON, and says what is there: a server that does not tell the share of a price is quoted
//! in ε alone.

use serde::Serialize;
use serde_json::Value;

use crate::render::reading::number;
use crate::service::views::significant;

/// The number of significant digits of ε that people read.
const EPSILON_DIGITS: i32 = 3;

/// An ε with three significant digits. A text that is no number stays as it is.
#[must_use]
pub fn epsilon(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), |value: f64| significant(value, EPSILON_DIGITS))
}

/// What an answer costs: `costs 0.63 % of your account (ε 0.0123), 93.68 % left, about 148 more like it`.
#[must_use]
pub fn price(price: &impl Serialize, account: Option<&impl Serialize>) -> String {
    let (price, account) = (json(price), account.map(json).unwrap_or_default());
    let amount = epsilon(price["epsilon"].as_str().unwrap_or("–"));
    let (taken, left) = (part(&price["fraction"]), remaining(&account));
    let decimals = taken.map_or(1, decimals);
    let left = left.map_or_else(String::new, |left| format!(", {} left", per_cent(left, decimals)));
    if amount == "0" {
        return format!("costs nothing{left}");
    }
    let more = match account["like_this_remaining"].as_u64() {
        None => String::new(),
        Some(0) => ", no other like it fits".to_owned(),
        Some(fits) => format!(", about {} more like it", number(fits as f64, None)),
    };
    match taken {
        Some(taken) => format!("costs {} of your account (ε {amount}){left}{more}", share(taken, &account, decimals)),
        None => format!("costs ε {amount}{left}{more}"),
    }
}

/// What is left of an account: `93.68 % of ε 1 left`.
#[must_use]
pub fn balance(account: &impl Serialize) -> String {
    let account = json(account);
    let cap = epsilon(account["epsilon_cap"].as_str().unwrap_or("–"));
    remaining(&account)
        .map_or_else(|| format!("ε {cap} in all"), |left| format!("{} of ε {cap} left", per_cent(left, 1)))
}

/// The share of the account that is taken, as the difference of what is left before and after, so that the printed numbers add up.
fn share(taken: f64, account: &Value, decimals: usize) -> String {
    let Some(left) = remaining(account) else { return per_cent(taken, decimals) };
    let power = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    let units = floor(left + taken, decimals) - floor(left, decimals);
    format!("{:.decimals$} %", units / power)
}

/// A share in per cent, rounded down.
fn per_cent(share: f64, decimals: usize) -> String {
    let power = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    format!("{:.decimals$} %", floor(share, decimals) / power)
}

/// A share in units of the last decimal of its per cent, rounded down but for the error of floats.
fn floor(share: f64, decimals: usize) -> f64 {
    const SLACK: f64 = 1e-6;
    (share * 100.0 * 10_f64.powi(i32::try_from(decimals).unwrap_or(0)) + SLACK).floor()
}

/// The decimals at which a share in per cent has two significant digits: at least 1, and at most 6.
fn decimals(share: f64) -> usize {
    (1..6).find(|decimals| floor(share, *decimals) >= 10.0).unwrap_or(if share == 0.0 { 1 } else { 6 })
}

/// The share of the account that is left.
fn remaining(account: &Value) -> Option<f64> {
    part(&account["fraction_remaining"]).or_else(|| Some((1.0 - part(&account["fraction_spent"])?).max(0.0)))
}

fn part(value: &Value) -> Option<f64> {
    value.as_str()?.parse().ok()
}

fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_price_says_what_the_server_tells() {
        let told = |costs: Value, account: Value| price(&costs, Some(&account));
        let (before, after) = (json!({"epsilon": "0.0123456"}), json!({"fraction_spent": "0.0632"}));
        assert_eq!(told(before, after.clone()), "costs ε 0.0123, 93.6 % left");
        let account = json!({"fraction_remaining": "0.936812", "like_this_remaining": 1480});
        assert_eq!(
            told(json!({"epsilon": "0.0123456", "fraction": "0.0063"}), account),
            "costs 0.63 % of your account (ε 0.0123), 93.68 % left, about 1\u{202f}480 more like it"
        );
        assert_eq!(told(json!({"epsilon": "0"}), after), "costs nothing, 93.6 % left");
        assert_eq!(price(&json!({"epsilon": "1"}), None::<&Value>), "costs ε 1");
        assert_eq!(balance(&json!({"epsilon_cap": "2", "fraction_spent": "0.25"})), "75.0 % of ε 2 left");
    }
}
