//! The rows of a public table that a row meets by equal values.
//!
//! Promises one look-up for a row: the values of the public table are translated to the integers that a row would store them as, once for
//! all rows. Numbers are equal by value, whatever their grids, days by day, and labels by their text; a label is also equal to the number
//! that it is the decimal text of. A missing value equals nothing.

use crate::engine::polars::operands::Values;
use crate::query::term::Constant;
use crate::query::terms::domain::{DECIMALS, Domain, Grid};
use std::collections::HashMap;
use std::ops::Range;

/// The rows of a public table by the values that rows are compared with.
pub(super) struct Matches {
    by: Lookup,
    /// The rows, of which those with equal values stand together in the table's order.
    rows: Vec<u32>,
}

enum Lookup {
    /// By one integer, in a table that begins with this one: where the rows of each begin, and where the last ones end.
    Dense(i64, Vec<u32>),
    One(HashMap<i64, Range<u32>>),
    Several(HashMap<Box<[i64]>, Range<u32>>),
}

/// Span of integers up to which they are looked up in a table.
const DENSE_MAX: u64 = 1 << 22;

/// The values of a public column as the integers that a column of another domain stores.
pub(super) fn translated(own: &Domain, public: &Domain, values: &[Option<i64>]) -> Vec<Option<i64>> {
    match (own, public) {
        (Domain::Number(own), Domain::Number(grid)) => each(values, |value| stored(own, nanos(grid, value))),
        (Domain::Date { .. }, Domain::Date { .. }) | (Domain::Boolean, Domain::Boolean) => values.to_vec(),
        (Domain::Category(own), Domain::Category(labels)) if own == labels => values.to_vec(),
        (Domain::Category(own), Domain::Category(labels)) => {
            let codes: Vec<Option<i64>> = labels.iter().map(|label| own.code(label).map(i64::from)).collect();
            each(values, |code| codes.get(usize::try_from(code).ok()?).copied().flatten())
        }
        (Domain::Number(own), Domain::Category(labels)) => {
            let codes: Vec<Option<i64>> = labels.iter().map(|label| number(own, label)).collect();
            each(values, |code| codes.get(usize::try_from(code).ok()?).copied().flatten())
        }
        (Domain::Category(own), Domain::Number(grid)) => {
            let text = |value: i64| grid.text(i128::from(value) + i128::from(grid.centre()));
            each(values, |value| own.code(&text(value)).map(i64::from))
        }
        (
            Domain::Number(_) | Domain::Date { .. } | Domain::Boolean | Domain::Category(_) | Domain::Text { .. },
            Domain::Number(_) | Domain::Date { .. } | Domain::Boolean | Domain::Category(_) | Domain::Text { .. },
        ) => vec![None; values.len()],
    }
}

fn each(values: &[Option<i64>], of: impl Fn(i64) -> Option<i64>) -> Vec<Option<i64>> {
    values.iter().map(|value| value.and_then(&of)).collect()
}

/// A stored number in multiples of 1e-9.
fn nanos(grid: &Grid, value: i64) -> i128 {
    (i128::from(value) + i128::from(grid.centre())) * i128::from(grid.step)
}

/// The integer that a number is stored as on a grid; `None` if it does not lie on it.
fn stored(grid: &Grid, nanos: i128) -> Option<i64> {
    let step = i128::from(grid.step);
    let steps = nanos.checked_div(step).filter(|steps| steps * step == nanos)?;
    i64::try_from(steps - i128::from(grid.centre())).ok()
}

/// The integer that the number is stored as whose decimal text a label is.
fn number(grid: &Grid, label: &str) -> Option<i64> {
    let Constant { digits, decimals } = Constant::parse(label)?;
    let value = stored(grid, i128::from(digits) * 10_i128.pow(DECIMALS.checked_sub(decimals)?))?;
    (grid.text(i128::from(value) + i128::from(grid.centre())) == label).then_some(value)
}

impl Matches {
    /// Numbers the rows of a table by the translated values of the compared columns.
    pub(super) fn of(columns: &[Vec<Option<i64>>], rows: usize) -> Self {
        if let [only] = columns {
            return Self::of_one(only);
        }
        let key =
            |row: usize| columns.iter().map(|column| column.get(row).copied().flatten()).collect::<Option<Box<_>>>();
        let mut keyed: Vec<(Box<[i64]>, u32)> = (0..rows).filter_map(|row| Some((key(row)?, row as u32))).collect();
        keyed.sort_unstable();
        let (runs, rows) = runs(keyed);
        Self { by: Lookup::Several(runs.into_iter().collect()), rows }
    }

    /// Numbers the rows of a table by one column.
    fn of_one(values: &[Option<i64>]) -> Self {
        let mut keyed: Vec<(i64, u32)> =
            values.iter().zip(0..).filter_map(|(value, row)| Some(((*value)?, row))).collect();
        if !keyed.is_sorted() {
            keyed.sort_unstable();
        }
        let (runs, rows) = runs(keyed);
        let ends = runs.first().zip(runs.last()).map(|(first, last)| (first.0, last.0));
        let span = ends.and_then(|(low, high)| Some((low, u64::try_from(high.checked_sub(low)?).ok()?)));
        let Some((low, span)) = span.filter(|(_, span)| *span < DENSE_MAX) else {
            return Self { by: Lookup::One(runs.into_iter().collect()), rows };
        };
        let mut starts = vec![0; span as usize + 2];
        for (key, range) in runs {
            starts[(key - low) as usize + 1] = range.end - range.start;
        }
        for place in 1..starts.len() {
            starts[place] += starts[place - 1];
        }
        Self { by: Lookup::Dense(low, starts), rows }
    }

    /// The largest number of rows that one row can meet.
    pub(super) fn most(&self) -> u64 {
        let most = match &self.by {
            Lookup::Dense(_, starts) => starts.windows(2).map(|pair| pair[1] - pair[0]).max(),
            Lookup::One(ranges) => ranges.values().map(|range| range.end - range.start).max(),
            Lookup::Several(ranges) => ranges.values().map(|range| range.end - range.start).max(),
        };
        most.unwrap_or(0).into()
    }

    /// The rows that a row with these values meets, in the table's order.
    pub(super) fn find(&self, values: &[Values], row: usize) -> &[u32] {
        let range = match &self.by {
            Lookup::Dense(low, starts) => values[0].get(row).and_then(|value| {
                let place = usize::try_from(value.checked_sub(*low)?).ok()?;
                Some(*starts.get(place)?..*starts.get(place + 1)?)
            }),
            Lookup::One(ranges) => values[0].get(row).and_then(|value| ranges.get(&value).cloned()),
            Lookup::Several(ranges) => {
                let key: Option<Box<[i64]>> = values.iter().map(|values| values.get(row)).collect();
                key.and_then(|key| ranges.get(&key).cloned())
            }
        };
        range.map_or(&[], |range| &self.rows[range.start as usize..range.end as usize])
    }
}

/// The places of the rows of each key, and the rows, given rows that are sorted by key.
fn runs<K: PartialEq>(keyed: Vec<(K, u32)>) -> (Vec<(K, Range<u32>)>, Vec<u32>) {
    let mut runs: Vec<(K, Range<u32>)> = Vec::new();
    let mut rows = Vec::with_capacity(keyed.len());
    for (key, row) in keyed {
        rows.push(row);
        let end = rows.len() as u32;
        match runs.last_mut() {
            Some((last, range)) if *last == key => range.end = end,
            Some(_) | None => runs.push((key, end - 1..end)),
        }
    }
    (runs, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Grid = Grid { integer: true, step: 1_000_000_000, low: -10, high: 30 };
    const HALVES: Grid = Grid { integer: false, step: 500_000_000, low: 0, high: 9 };

    fn labels(labels: &[&str]) -> Domain {
        Domain::Category(labels.iter().map(|label| (*label).to_owned()).collect())
    }

    #[test]
    fn numbers_are_equal_by_value_and_labels_by_their_text() {
        let of = |own: &Domain, public: &Domain, values: &[i64]| {
            translated(own, public, &values.iter().copied().map(Some).collect::<Vec<_>>())
        };
        let (whole, halves) = (Domain::Number(WHOLE), Domain::Number(HALVES));
        // The centres are 10 and 4: the halves 0, 1/2, 1 and 4½ are stored as −4, −3, −2 and 5.
        assert_eq!(of(&whole, &halves, &[-4, -3, -2, 5]), [Some(-10), None, Some(-9), None]);
        assert_eq!(of(&halves, &whole, &[-10, -9, 15]), [Some(-4), Some(-2), Some(46)]);
        let texts = labels(&["1", "1.0", "01", "-0", "0", "+2", "2.5", "x", "-7", "1e1"]);
        let codes: Vec<i64> = (0..10).collect();
        let expected = [Some(-9), None, None, None, Some(-10), None, None, None, Some(-17), None];
        assert_eq!(of(&whole, &texts, &codes), expected);
        assert_eq!(of(&halves, &texts, &[0, 6, 1]), [Some(-2), Some(1), None]);
        assert_eq!(of(&texts, &halves, &[-2, 1, -4, -3]), [Some(0), Some(6), Some(4), None]);
        assert_eq!(
            of(&labels(&["b", "1", "a"]), &labels(&["a", "b", "c", "1"]), &[0, 1, 2, 3]),
            [Some(2), Some(0), None, Some(1)]
        );
        assert_eq!(of(&Domain::Boolean, &whole, &[-9]), [None]);
    }

    #[test]
    fn rows_are_found_in_the_order_of_the_table() {
        let column = |values: &[i64]| Values { values: values.to_vec(), present: None };
        let far = 1 << 40;
        for scale in [1, far] {
            let values = [Some(3 * scale), None, Some(-2 * scale), Some(3 * scale)];
            let one = Matches::of(&[values.to_vec()], 4);
            assert_eq!(one.most(), 2);
            let asked = [column(&[3 * scale, -2 * scale, 0, i64::MIN, i64::MAX])];
            let found: Vec<&[u32]> = (0..5).map(|row| one.find(&asked, row)).collect();
            assert_eq!(found, [&[0, 3][..], &[2], &[], &[], &[]]);
            let two = Matches::of(&[values.to_vec(), vec![Some(1), Some(1), None, Some(1)]], 4);
            assert_eq!(two.find(&[column(&[3 * scale]), column(&[1])], 0), [0, 3]);
            assert_eq!(two.find(&[column(&[-2 * scale]), column(&[1])], 0), [0_u32; 0]);
        }
        let missing = Values { values: vec![3], present: Some(vec![0]) };
        assert_eq!(Matches::of(&[vec![Some(3)]], 1).find(&[missing], 0), [0_u32; 0]);
        assert_eq!(Matches::of(&[Vec::new()], 0).most(), 0);
    }
}
