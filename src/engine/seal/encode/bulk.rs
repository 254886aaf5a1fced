//! Finds values outside the bounds that occur again and again. Values like −1, 999 and 1900-01-01 are rarely measurements.
//!
//! Promises bounded memory: counts of rare values are dropped first, and a count never exceeds the true number of occurrences.

/// The number of values that are counted at the same time.
const VALUES_MAX: usize = 64;
/// The number of occurrences from which a value is reported.
const BULK_MIN: u64 = 3;
/// A reported value also makes up at least one in this many of all clamped values.
const BULK_PART: u64 = 10;

/// Approximate counts of the values that were clamped.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    counts: Vec<(i128, u64)>,
}

impl Bulk {
    pub(super) fn count(&mut self, value: i128) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == value) {
            *count += 1;
        } else if self.counts.len() < VALUES_MAX {
            self.counts.push((value, 1));
        } else {
            // Misra and Gries 1982: a value that makes up more than one in 65 of all stays.
            self.counts.iter_mut().for_each(|(_, count)| *count -= 1);
            self.counts.retain(|(_, count)| *count > 0);
        }
    }

    /// The values that make up a large part of the `clamped` ones, the most frequent first.
    pub(super) fn values(&self, clamped: u64) -> Vec<(i128, u64)> {
        let is_bulk = |(_, count): &&(i128, u64)| *count >= BULK_MIN && count.saturating_mul(BULK_PART) >= clamped;
        let mut values: Vec<_> = self.counts.iter().filter(is_bulk).copied().collect();
        values.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_in_bulk_is_named() {
        let mut bulk = Bulk::default();
        for at in 0..1_000 {
            bulk.count(-1);
            bulk.count(if at % 2 == 0 { 999 } else { 1_000 + at });
        }
        let values: Vec<_> = bulk.values(2_000).into_iter().map(|(value, _)| value).collect();
        assert_eq!(values, [-1, 999]);
        let mut few = Bulk::default();
        few.count(7);
        few.count(7);
        assert_eq!(few.values(2), []);
    }
}
