//! How values read: the digits of numbers, and the words where there is no value.
//!
//! Promises one rule for pages, charts, files and the terminal: a number is rounded to two significant digits of the half-width of its
//! interval, whatever is smaller than one in a hundred of the noise says nothing. Values themselves are not changed: files and `data`
//! elements keep all digits, unless somebody asks for rounded ones.

use crate::query::answer::Cell;

/// The largest number of decimals that are written.
const DECIMALS_MAX: i32 = 9;

/// Half of the length of an interval, or the distance to its only end; `None` without an end.
#[must_use]
pub fn half_width(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Option<f64> {
    match (low, high) {
        (Some(low), Some(high)) => Some((high - low) / 2.0),
        (Some(end), None) | (None, Some(end)) => value.map(|value| (value - end).abs()),
        (None, None) => None,
    }
}

/// A number for people: rounded to two significant digits of the half-width of its interval, with thin spaces between thousands and a true
/// minus sign, like `3 450 000` or `63.22`. Whole numbers with whole half-widths stay whole.
#[must_use]
pub fn number(value: f64, half_width: Option<f64>) -> String {
    let (value, decimals) = rounded(value, half_width);
    grouped(value, decimals)
}

/// A number for programs, rounded in the same way: plain digits, a point and a hyphen as minus sign.
#[must_use]
pub fn plain(value: f64, half_width: Option<f64>) -> String {
    let (value, decimals) = rounded(value, half_width);
    let text = format!("{value:.decimals$}");
    let is_zero = text.chars().all(|digit| matches!(digit, '0' | '.' | '-'));
    if is_zero { text.replace('-', "") } else { text }
}

/// A standard error for programs, in two significant digits.
#[must_use]
pub fn plain_error(error: f64) -> String {
    plain(error, Some(error))
}

/// The rounded number, and the number of its decimals.
fn rounded(value: f64, half_width: Option<f64>) -> (f64, usize) {
    let Some(width) = half_width.filter(|width| *width > 0.0 && width.is_finite()) else {
        return (value, own_decimals(value));
    };
    // The power of ten of the second significant digit.
    let place = (width.log10().floor() as i32 - 1).max(-DECIMALS_MAX);
    if place <= 0 {
        let is_whole = value.fract() == 0.0 && width.fract() == 0.0;
        return (value, if is_whole { 0 } else { place.unsigned_abs() as usize });
    }
    let unit = 10_f64.powi(place);
    ((value / unit).round() * unit, 0)
}

/// The number of decimals that a number without an interval has by itself.
fn own_decimals(value: f64) -> usize {
    let text = value.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    decimals.min(DECIMALS_MAX.unsigned_abs() as usize)
}

/// A number with so many decimals, a thin space between thousands and a true minus sign.
#[must_use]
pub fn grouped(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let whole = digits.find('.').unwrap_or(digits.len());
    let zero = digits.chars().all(|digit| matches!(digit, '0' | '.'));
    let mut text = String::from(if value < 0.0 && !zero { "\u{2212}" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// The words for a code in `<name>_null` or `<name>_note`: `total` for a key that the row is a total over, and for an estimate `hidden`,
/// `lost in noise`, `no value` or `out of bounds`; `None` for an unknown code.
#[must_use]
pub fn why(code: &str) -> Option<&'static str> {
    Some(match code {
        "total" => "total",
        "hidden" => "hidden",
        "lost-in-noise" => "lost in noise",
        "no-value" => "no value",
        "outside-bounds" => "out of bounds",
        _ => return None,
    })
}

/// A key for people: its label, `total`, or `missing` for the group of missing values.
#[must_use]
pub fn key(cell: &Cell) -> String {
    match cell {
        Cell::Total => "total".to_owned(),
        Cell::Missing => "missing".to_owned(),
        Cell::Text(_) | Cell::Date(_) | Cell::Boolean(_) | Cell::Decimal(_) | Cell::Float(_) => {
            cell.text().unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_their_interval_leaves() {
        for (value, width, people, programs) in [
            (10_412.0, Some(24.0), "10\u{202f}412", "10412"),
            (37_512.0, Some(702.0), "37\u{202f}510", "37510"),
            (3_448_487.0, Some(755_273.0), "3\u{202f}450\u{202f}000", "3450000"),
            (-3.0, Some(24.0), "−3", "-3"),
            (5.0, Some(3.0), "5", "5"),
            (63.217_94, Some(0.37), "63.22", "63.22"),
            (0.125, Some(0.002), "0.1250", "0.1250"),
            (1234.0, None, "1\u{202f}234", "1234"),
            (0.25, None, "0.25", "0.25"),
            (0.25, Some(0.0), "0.25", "0.25"),
            (-0.04, Some(9.0), "0.0", "0.0"),
            (-40.0, Some(9_000.0), "0", "0"),
            (7.0, Some(f64::INFINITY), "7", "7"),
            (1.0 / 3.0, Some(1e-12), "0.333333333", "0.333333333"),
        ] {
            assert_eq!(number(value, width), people);
            assert_eq!(plain(value, width), programs);
        }
        assert_eq!(plain_error(0.012_345), "0.012");
        assert_eq!(plain_error(385.3), "390");
    }

    #[test]
    fn an_interval_with_one_end_has_a_half_width() {
        assert_eq!(half_width(Some(5.0), Some(2.0), Some(10.0)), Some(4.0));
        assert_eq!(half_width(Some(5.0), Some(2.0), None), Some(3.0));
        assert_eq!(half_width(Some(5.0), None, None), None);
        assert_eq!(half_width(None, None, Some(1.0)), None);
    }
}
