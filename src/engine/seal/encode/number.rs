//! Exact decimal numbers, as found in texts and in columns of any numeric type.
//!
//! Promises one rule for all formats: a number is the decimal that people read. A float stands for its shortest decimal text, so that 0.285
//! falls on the same point of a grid whether it comes from Parquet, from CSV or from a database. It knows no columns.

use crate::query::terms::domain::Grid;

/// The number of significant digits that are read; a number with more whole digits is beyond every bound.
const DIGITS_MAX: u32 = 28;
/// The number of decimals that are read; further ones cannot affect rounding to a grid of nine decimals.
const SCALE_MAX: u32 = 18;
/// Bounds and steps are declared in multiples of 1e-9.
const NANO: i128 = 1_000_000_000;
const NANO_DECIMALS: u32 = 9;
/// The numbers of decimals to try for a float before formatting it as text.
const SCALES: [u32; 6] = [0, 1, 2, 3, 4, 6];
const POWERS: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// A number as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// The exact value `mantissa` × 10^-`scale`.
    Exact {
        /// The significant digits, at most 28 of them.
        mantissa: i128,
        /// The number of decimals, from 0 to 18.
        scale: u32,
    },
    /// A number beyond every bound: infinite, or with more whole digits than any bound has.
    Beyond {
        /// Whether it is below all bounds instead of above them.
        negative: bool,
    },
    /// Not a number, which counts as a missing value.
    Missing,
}

impl Number {
    /// Creates a whole number.
    pub(crate) fn whole(value: i128) -> Self {
        Self::new(value, 0)
    }

    /// Creates the number `mantissa` × 10^-`scale`, for decimal columns.
    pub(crate) fn new(mantissa: i128, scale: u32) -> Self {
        let (mut mantissa, mut scale, negative) = (mantissa, scale, mantissa < 0);
        while scale > SCALE_MAX {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        let most = 10_i128.pow(DIGITS_MAX);
        while mantissa.unsigned_abs() >= most.unsigned_abs() {
            if scale == 0 {
                return Self::Beyond { negative };
            }
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self::Exact { mantissa, scale }
    }

    /// Converts a float by its shortest decimal text. If a decimal of at most 15 digits
    /// is nearest to this float, it is that text, so the text need not be written.
    pub(crate) fn float(value: f64) -> Self {
        for scale in SCALES {
            let power = POWERS[scale as usize];
            let whole = (value * power).round();
            if whole.abs() < 1e15 && whole / power == value {
                return Self::Exact { mantissa: i128::from(whole as i64), scale };
            }
        }
        Self::parse(&format!("{value:e}"), b'.').unwrap_or(Self::Missing)
    }

    /// Converts a 32-bit float by its own shortest decimal text, which always has at least six digits of precision.
    pub(crate) fn single(value: f32) -> Self {
        for scale in SCALES {
            let power = POWERS[scale as usize];
            let whole = (f64::from(value) * power).round();
            if whole.abs() < 1e6 && (whole / power) as f32 == value {
                return Self::Exact { mantissa: i128::from(whole as i64), scale };
            }
        }
        Self::parse(&format!("{value:e}"), b'.').unwrap_or(Self::Missing)
    }

    /// Parses a number as people and programs write it: a sign, digits, the decimal sign `point` (`.` or `,`), and an exponent; or a word
    /// for infinity or NaN. Returns `None` for any other text, including numbers with thousands separators.
    pub(crate) fn parse(text: &str, point: u8) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, rest) = match bytes.first()? {
            b'-' => (true, &bytes[1..]),
            b'+' => (false, &bytes[1..]),
            _ => (false, bytes),
        };
        let (mut mantissa, mut scale, mut digits, mut seen, mut beyond) = (0_i128, 0_i32, 0, 0, 0_i32);
        let (mut at, mut behind) = (0, false);
        while let Some(byte) = rest.get(at) {
            match byte {
                b'0'..=b'9' => {
                    seen += 1;
                    if digits < DIGITS_MAX {
                        mantissa = mantissa * 10 + i128::from(byte - b'0');
                        digits += u32::from(mantissa != 0);
                        scale += i32::from(behind);
                    } else {
                        beyond = beyond.saturating_add(i32::from(!behind));
                    }
                }
                byte if *byte == point && !behind => behind = true,
                _ => break,
            }
            at += 1;
        }
        if seen == 0 {
            return word(rest, negative);
        }
        let exponent = exponent(&rest[at..])?;
        let scale = i64::from(scale) - i64::from(beyond) - i64::from(exponent);
        Some(Self::shifted(if negative { -mantissa } else { mantissa }, scale, negative))
    }

    fn shifted(mantissa: i128, scale: i64, negative: bool) -> Self {
        if mantissa == 0 {
            return Self::whole(0);
        }
        match u32::try_from(scale) {
            Ok(scale) if scale > SCALE_MAX + DIGITS_MAX => Self::whole(0),
            Ok(scale) => Self::new(mantissa, scale),
            Err(_) => {
                let power = u32::try_from(-scale).ok().filter(|power| *power <= DIGITS_MAX);
                let whole = power.and_then(|power| mantissa.checked_mul(10_i128.pow(power)));
                whole.map_or(Self::Beyond { negative }, Self::whole)
            }
        }
    }

    /// Whether both numbers have the same value.
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Exact { .. }, Self::Exact { .. }) => self.text() == other.text(),
            _ => self == other,
        }
    }

    /// Whether the number has no decimals. A number beyond every bound counts as whole.
    pub(crate) fn is_whole(self) -> bool {
        match self {
            Self::Exact { mantissa, scale } => mantissa % 10_i128.pow(scale) == 0,
            Self::Beyond { .. } | Self::Missing => true,
        }
    }

    /// The nearest multiple of a grid's step, in steps; halves round away from
    /// zero. Numbers beyond every bound saturate. Returns `None` for NaN.
    pub(crate) fn steps(self, grid: Grid) -> Option<i128> {
        match self {
            Self::Exact { mantissa, scale } => {
                let short = NANO_DECIMALS.checked_sub(scale).map(|power| mantissa * 10_i128.pow(power));
                if let Some(scaled) = short.and_then(|scaled| i64::try_from(scaled).ok()) {
                    let (whole, rest) = (
                        scaled.unsigned_abs() / grid.step.unsigned_abs(),
                        scaled.unsigned_abs() % grid.step.unsigned_abs(),
                    );
                    let away = whole + u64::from(rest >= grid.step.unsigned_abs().div_ceil(2));
                    return Some(i128::from(away) * i128::from(scaled.signum()));
                }
                // At most 28 digits times 1e9, and 1e18 times a step below 1e19: both fit.
                let (scaled, step) = (mantissa * NANO, 10_i128.pow(scale) * i128::from(grid.step));
                let whole = scaled.abs() / step;
                let away = i128::from(2 * (scaled.abs() % step) >= step);
                Some((whole + away) * scaled.signum())
            }
            Self::Beyond { negative: true } => Some(i128::MIN),
            Self::Beyond { negative: false } => Some(i128::MAX),
            Self::Missing => None,
        }
    }

    /// The canonical text of the value: no sign but `-`, no superfluous zeros. Returns `None` unless the number is exact.
    pub(crate) fn text(self) -> Option<String> {
        let Self::Exact { mut mantissa, mut scale } = self else { return None };
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        if scale == 0 {
            return Some(mantissa.to_string());
        }
        let (sign, power) = (if mantissa < 0 { "-" } else { "" }, 10_u128.pow(scale));
        let (whole, rest) = (mantissa.unsigned_abs() / power, mantissa.unsigned_abs() % power);
        Some(format!("{sign}{whole}.{rest:0width$}", width = scale as usize))
    }
}

/// Parses what follows the digits: nothing, or an exponent.
fn exponent(rest: &[u8]) -> Option<i32> {
    let Some((b'e' | b'E', power)) = rest.split_first() else { return rest.is_empty().then_some(0) };
    let digits = power.strip_prefix(b"-").or(power.strip_prefix(b"+")).unwrap_or(power);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let most = if power.starts_with(b"-") { -100_000 } else { 100_000 };
    Some(std::str::from_utf8(power).ok()?.parse::<i32>().map_or(most, |power| power.clamp(-100_000, 100_000)))
}

fn word(rest: &[u8], negative: bool) -> Option<Number> {
    let is = |word: &str| rest.eq_ignore_ascii_case(word.as_bytes());
    if is("inf") || is("infinity") { Some(Number::Beyond { negative }) } else { is("nan").then_some(Number::Missing) }
}

/// Removes decimals that are all zero: `12.0` becomes `12`, because programs write a column of whole numbers with gaps that way. Returns
/// `None` for texts like `012` and `12.5`, which stay as they are.
pub(crate) fn without_zero_decimals(text: &str) -> Option<&str> {
    let (whole, decimals) = text.split_once('.')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let zeros = !decimals.is_empty() && decimals.bytes().all(|byte| byte == b'0');
    (plain && zeros && (digits == "0" || !digits.starts_with('0'))).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, read) in [
            ("12", Some("12")),
            ("012", Some("12")),
            ("12.0", Some("12")),
            ("-0.50", Some("-0.5")),
            ("+3", Some("3")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("1.5e3", Some("1500")),
            ("25E-1", Some("2.5")),
            ("0e99999999999", Some("0")),
            ("1e-400", Some("0")),
            ("12345678901234567890123456789012", None),
            ("1e30", None),
            ("inf", None),
            ("NaN", None),
        ] {
            let number = Number::parse(text, b'.').unwrap_or_else(|| panic!("{text}"));
            assert_eq!(number.text().as_deref(), read, "{text}");
        }
        assert_eq!(Number::parse("6,5", b',').and_then(Number::text).as_deref(), Some("6.5"));
        for text in ["", "-", ".", "1,234.50", ">14", "1 000", "0x1f", "1e", "1e+", "12a", "1.2.3", "６"] {
            assert_eq!(Number::parse(text, b'.'), None, "{text}");
        }
        assert_eq!(Number::float(0.1 + 0.2).text().as_deref(), Some("0.30000000000000004"));
        assert_eq!(Number::single(0.1).text().as_deref(), Some("0.1"));
        assert_eq!(Number::float(f64::NEG_INFINITY), Number::Beyond { negative: true });
    }

    #[test]
    fn halves_round_away_from_zero_whatever_the_type() {
        let grid = Grid::new(false, 0, 500 * NANO, NANO / 100).expect("a grid");
        for (number, steps) in [
            (Number::float(0.285), 29),
            (Number::float(-0.285), -29),
            (Number::new(285, 3), 29),
            (Number::new(2849, 4), 28),
            (Number::parse("0.28499999999999999999999999999999", b'.').expect("a number"), 28),
            (Number::whole(3), 300),
        ] {
            assert_eq!(number.steps(grid), Some(steps), "{number:?}");
        }
    }

    #[test]
    fn decimals_that_say_nothing_go_and_zeros_in_front_stay() {
        for (text, whole) in [
            ("12.0", Some("12")),
            ("-5.000", Some("-5")),
            ("0.0", Some("0")),
            ("012.0", None),
            ("12.5", None),
            ("12", None),
            (".0", None),
        ] {
            assert_eq!(without_zero_decimals(text), whole, "{text}");
        }
    }
}
