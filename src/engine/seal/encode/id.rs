//! The ids of units, whatever type a source holds them in.
//!
//! Promises one rule: text stays text (`012` is not `12`), numbers are compared by value (12 and 12.0 are `12`), and ids of different files
//! are compared as they are first and by value second. Ids that spell the same number in two ways are counted.

use std::borrow::Cow;

use polars::prelude::*;

use super::cells::Cells;
use super::number::Number;
use super::{WrongType, name_of};

/// The largest float that stands for a single whole number.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The ids of the rows of one batch.
#[derive(Debug)]
pub(crate) struct Ids {
    /// One id per row; empty if it is missing.
    pub(crate) texts: StringChunked,
    /// The number of rows whose id is an inexact number: a fraction, or too large for its type.
    pub(crate) inexact: u64,
    /// The first such row in the batch, counted from 0.
    pub(crate) first_inexact: Option<usize>,
}

/// Checks whether a type identifies units exactly, or can do so if its numbers are whole.
pub(crate) fn check_id(found: &DataType) -> Result<(), WrongType> {
    let fits = matches!(
        found,
        DataType::String
            | DataType::Categorical(..)
            | DataType::Enum(..)
            | DataType::Binary
            | DataType::Null
            | DataType::Date
    ) || found.is_primitive_numeric()
        || found.is_decimal();
    if fits { Ok(()) } else { Err(WrongType { found: name_of(found), accepted: "text or whole numbers" }) }
}

/// Reads the ids of a column, trimmed. `missing` are the texts that mark a row without an id. Returns `None` if the type cannot hold ids.
pub(crate) fn ids(series: &Series, missing: &[String]) -> Option<Ids> {
    let cells = Cells::of(series)?;
    let (mut inexact, mut first_inexact) = (0, None);
    let mut exact = |row: usize, fits: bool| {
        if !fits {
            inexact += 1;
            first_inexact.get_or_insert(row);
        }
    };
    match &cells {
        Cells::Float(values) => values.iter().enumerate().for_each(|(row, value)| {
            exact(row, value.is_none_or(|value| value.is_nan() || (value.fract() == 0.0 && value.abs() <= EXACT_MAX)));
        }),
        Cells::Single(values) => values.iter().enumerate().for_each(|(row, value)| {
            exact(
                row,
                value.is_none_or(|value| value.is_nan() || (value.fract() == 0.0 && value.abs() <= 16_777_216.0)),
            );
        }),
        Cells::Nothing(_)
        | Cells::Text(_)
        | Cells::Flags(_)
        | Cells::Whole(_)
        | Cells::Decimal(..)
        | Cells::Days(_)
        | Cells::Moments(_) => {}
    }
    let is_missing = |text: &Cow<'_, str>| missing.iter().any(|mark| mark.trim() == text.as_ref());
    let texts = cells.texts()?.map(|text| text.filter(|text| !is_missing(text)).unwrap_or_default());
    let texts = StringChunked::from_iter_values(series.name().clone(), texts);
    Some(Ids { texts, inexact, first_inexact })
}

/// The canonical form of an id for comparison by value: `17`, `017` and `17.0` become the same.
pub(crate) fn by_value(id: &str) -> Cow<'_, str> {
    let looks = id.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    match Number::parse(id, b'.').filter(|_| looks).and_then(Number::text) {
        Some(text) if text != id => Cow::Owned(text),
        Some(_) | None => Cow::Borrowed(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_numbers_are_by_value_and_texts_stay() {
        for (series, read) in [
            (Series::new("id".into(), [12_i64, 7]), ["12", "7"]),
            (Series::new("id".into(), [12.0, 7.0]), ["12", "7"]),
            (Series::new("id".into(), [u64::MAX, 0]), ["18446744073709551615", "0"]),
            (Series::new("id".into(), [" 012 ", "12.0"]), ["012", "12.0"]),
            (Series::new("id".into(), [Some("a"), None]), ["a", ""]),
            (Series::new("id".into(), ["NA", "   "]), ["", ""]),
        ] {
            let ids = ids(&series, &["NA".to_owned()]).expect("a type of ids");
            let texts: Vec<&str> = ids.texts.iter().flatten().collect();
            assert_eq!((texts, ids.inexact), (read.to_vec(), 0), "{series:?}");
        }
        let fraction = ids(&Series::new("id".into(), [12.0, 7.5, 1e300]), &[]).expect("floats");
        assert_eq!((fraction.inexact, fraction.first_inexact), (2, Some(1)));
        for (id, value) in [
            ("017", "17"),
            ("17.0", "17"),
            ("+17", "17"),
            ("1e2", "100"),
            ("A17", "A17"),
            ("nan", "nan"),
            ("17-2", "17-2"),
        ] {
            assert_eq!(by_value(id), value, "{id}");
        }
    }
}
