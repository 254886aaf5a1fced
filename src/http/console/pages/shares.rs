//! Shares of an account in words.

use crate::service::stewarding::accounts::significant;

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

#[cfg(test)]
mod tests {
    use super::percent;

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
