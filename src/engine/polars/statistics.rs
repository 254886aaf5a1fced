//! Statistics of a few integers: the values of one unit's rows.
//!
//! Promises exact integers: results are rounded once, to a grid that is [`MEAN_PARTS`] times finer than that of the values.

use crate::query::computation::MEAN_PARTS;
use crate::query::syntax::Spread;
use crate::query::term::Constant;

/// The number of different values.
pub(super) fn distinct(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    let changes = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
    (changes + usize::from(!values.is_empty())) as i64
}

/// A statistic of squares, in hundredths of the values' grid, or of its square for a variance; halves are rounded up. `None` if there are
/// too few values.
///
/// With n values a, v = (n·Σa² − (Σa)²) / (n·d), where d is n for a population and n − 1 for a sample. The values' distance from the first
/// one is used, which changes no variance.
pub(super) fn spread(spread: Spread, values: &[i64]) -> Option<i64> {
    let count = values.len() as i128;
    let divisor = match spread {
        Spread::VarSamp | Spread::StddevSamp => count - 1,
        Spread::VarPop | Spread::StddevPop => count,
    };
    let first = i128::from(*values.first()?);
    if divisor < 1 {
        return None;
    }
    let about = values.iter().map(|value| i128::from(*value) - first);
    let (sum, squares) = about.fold((0_i128, 0_i128), |(sum, squares), value| {
        (sum.saturating_add(value), squares.saturating_add(value.saturating_mul(value)))
    });
    let above = count.saturating_mul(squares).saturating_sub(sum.saturating_mul(sum)).max(0);
    let (below, parts) = (count * divisor, i128::from(MEAN_PARTS));
    let rounded = match spread {
        Spread::VarSamp | Spread::VarPop => (2 * parts).saturating_mul(above).saturating_add(below) / (2 * below),
        // The least r with (2r + 1)² > 4·parts²·v is the root rounded to the nearest integer.
        Spread::StddevSamp | Spread::StddevPop => {
            let root = (4 * parts * parts).saturating_mul(above) / below;
            (root.unsigned_abs().isqrt() as i128 + 1) / 2
        }
    };
    i64::try_from(rounded).ok()
}

/// A percentile by linear interpolation, in hundredths of the values' grid, halves away from 0. `None` if there are no values.
pub(super) fn percentile(fraction: Constant, values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    // The place is `above` / `below` from the first value.
    let below = 10_i128.pow(fraction.decimals);
    let above = i128::from(fraction.digits) * last as i128;
    let (place, rest) = (usize::try_from(above / below).ok()?.min(last), above % below);
    let (low, high) = (i128::from(values[place]), i128::from(values[(place + 1).min(last)]));
    let exact = (low * below + (high - low) * rest) * i128::from(MEAN_PARTS);
    let half = if exact < 0 { -below } else { below };
    i64::try_from((2 * exact + half) / (2 * below)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_values_have_the_statistics_that_postgresql_gives() {
        let mut values = [2, 4, 4, 4, 5, 5, 7, 9];
        assert_eq!(distinct(&mut values), 5);
        assert_eq!(spread(Spread::StddevPop, &values), Some(200));
        assert_eq!(spread(Spread::VarPop, &values), Some(400));
        assert_eq!(spread(Spread::VarSamp, &values), Some(457), "4.571…");
        assert_eq!(spread(Spread::StddevSamp, &values), Some(214), "2.138…");
        assert_eq!((spread(Spread::VarSamp, &[3]), spread(Spread::VarPop, &[3])), (None, Some(0)));
        let at = |digits, decimals, values: &mut [i64]| percentile(Constant::new(digits, decimals), values);
        assert_eq!(at(5, 1, &mut [4, 1, 3, 2]), Some(250));
        assert_eq!(at(25, 2, &mut [1, 2, 3, 4]), Some(175));
        assert_eq!(at(333, 3, &mut [-10, 0]), Some(-667), "-6.67");
        assert_eq!((at(5, 1, &mut []), at(1, 0, &mut [7, 8])), (None, Some(800)));
        assert_eq!(distinct(&mut []), 0);
    }
}
