//! Orders of a unit's rows by integer keys that are worked out before.
//!
//! Promises a stable order: rows that are equal in all keys keep the order in which they come.

use crate::engine::polars::operands::Values;
use std::cmp::Ordering;

/// The keys that rows are sorted by, from the most significant one on.
pub(super) struct SortKeys(pub(super) Vec<Vec<i64>>);

/// Turns values into integers that ascend in an order. Values fit 62 bits, so both ends are free for missing ones.
pub(super) fn ascending(values: Values, descending: bool, nulls_first: bool) -> Vec<i64> {
    let Values { mut values, present } = values;
    if descending {
        values.iter_mut().for_each(|value| *value = value.wrapping_neg());
    }
    let missing = if nulls_first { i64::MIN } else { i64::MAX };
    for (value, present) in values.iter_mut().zip(present.unwrap_or_default()) {
        *value = if present == 1 { *value } else { missing };
    }
    values
}

impl SortKeys {
    fn compare(&self, one: u32, other: u32) -> Ordering {
        let keys = self.0.iter().map(|key| key[one as usize].cmp(&key[other as usize]));
        keys.fold(Ordering::Equal, Ordering::then)
    }

    /// Whether two rows are equal in the first keys.
    pub(super) fn is_same(&self, keys: usize, one: usize, other: usize) -> bool {
        self.0[..keys].iter().all(|key| key[one] == key[other])
    }

    /// The rows in order within each unit, given where the units' rows end; `None` if they are in order as they are.
    pub(super) fn sorted(&self, ends: &[usize]) -> Option<Vec<u32>> {
        match &self.0[..] {
            [] => None,
            [key] => sorted_by_one(key, ends),
            _ => self.sorted_by_all(ends),
        }
    }

    fn sorted_by_all(&self, ends: &[usize]) -> Option<Vec<u32>> {
        let mut rows: Vec<u32> = (0..ends.last().copied().unwrap_or(0) as u32).collect();
        let (mut start, mut is_sorted) = (0, true);
        for end in ends {
            let unit = &mut rows[start..*end];
            if !unit.is_sorted_by(|one, other| self.compare(*one, *other).is_le()) {
                is_sorted = false;
                unit.sort_unstable_by(|one, other| self.compare(*one, *other).then(one.cmp(other)));
            }
            start = *end;
        }
        (!is_sorted).then_some(rows)
    }
}

/// Sorts by a single key. If the keys lie close together, each is packed into one integer with the number of its row.
fn sorted_by_one(key: &[i64], ends: &[usize]) -> Option<Vec<u32>> {
    let mut start = 0;
    let is_sorted = ends.iter().all(|end| {
        let unit = &key[start..*end];
        start = *end;
        unit.is_sorted()
    });
    if is_sorted {
        return None;
    }
    let (least, greatest) = key.iter().fold((i64::MAX, i64::MIN), |(low, high), key| (low.min(*key), high.max(*key)));
    Some(match u32::try_from(greatest.wrapping_sub(least)) {
        Ok(_) if least <= greatest && greatest.checked_sub(least).is_some() => {
            let packed = |(row, key): (usize, &i64)| (key.wrapping_sub(least) as u64) << 32 | row as u64;
            let mut packed: Vec<u64> = key.iter().enumerate().map(packed).collect();
            sort_each(&mut packed, ends);
            packed.into_iter().map(|packed| packed as u32).collect()
        }
        _ => {
            let mut pairs: Vec<(i64, u32)> = key.iter().copied().zip(0..).collect();
            sort_each(&mut pairs, ends);
            pairs.into_iter().map(|(_, row)| row).collect()
        }
    })
}

/// Sorts each unit's items, which are all different.
fn sort_each<T: Ord>(items: &mut [T], ends: &[usize]) {
    let mut start = 0;
    for end in ends {
        items[start..*end].sort_unstable();
        start = *end;
    }
}
