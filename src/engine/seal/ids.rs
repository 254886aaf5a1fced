//! Compares ids between files: who withdrew, and which numbers are spelled in two ways.
//!
//! Promises one rule wherever ids of two files meet: they are compared as they are, then by value, so that 12, 12.0 and 012 match each
//! other. If in doubt, a person too many is left out, because that is the error that hurts nobody.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::engine::seal::encode::by_value;

/// The units whose rows are left out because they withdrew.
#[derive(Debug, Default)]
pub(super) struct Withdrawn {
    exact: HashSet<String>,
    values: HashSet<String>,
    found: HashSet<String>,
}

impl Withdrawn {
    pub(super) fn insert(&mut self, id: &str) {
        if !id.is_empty() {
            self.exact.insert(id.to_owned());
            self.values.insert(by_value(id).into_owned());
        }
    }

    /// Whether a unit withdrew.
    pub(super) fn has(&self, id: &str) -> bool {
        !self.values.is_empty() && (self.exact.contains(id) || self.values.contains(by_value(id).as_ref()))
    }

    /// Records that a row of a withdrawn unit was read.
    pub(super) fn met(&mut self, id: &str) {
        let value = by_value(id);
        if !self.found.contains(value.as_ref()) {
            self.found.insert(value.into_owned());
        }
    }

    /// The number of withdrawn ids that no row had.
    pub(super) fn unmatched(&self) -> u64 {
        (self.values.len() - self.found.len()) as u64
    }
}

/// The number of values that are held before duplicates are dropped.
const HELD: usize = 1 << 20;

/// Counts ids in a text column that are the same number in different spellings, by hashes of their values.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    /// The values of ids that are written as numbers usually are, like `12`.
    plain: Vec<u64>,
    /// The values and spellings of the others, like `012` and `12.0`.
    other: Vec<(u64, u64)>,
    held: usize,
}

impl Spellings {
    pub(super) fn see(&mut self, id: &str) {
        if !id.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
            return;
        }
        let is_plain = !id.starts_with('0') && id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_digit());
        let value = if is_plain { hash(id) } else { hash(by_value(id).as_ref()) };
        if is_plain || value == hash(id) {
            if self.plain.last() != Some(&value) {
                self.plain.push(value);
            }
        } else if self.other.last() != Some(&(value, hash(id))) {
            self.other.push((value, hash(id)));
        }
        if self.plain.len() + self.other.len() >= self.held.max(HELD) {
            self.settle();
            self.held = 2 * (self.plain.len() + self.other.len());
        }
    }

    fn settle(&mut self) {
        self.plain.sort_unstable();
        self.plain.dedup();
        self.other.sort_unstable();
        self.other.dedup();
    }

    /// The number of ids that are the same number as another id in another spelling.
    pub(super) fn twice(&mut self) -> u64 {
        self.settle();
        let same = self.other.chunk_by(|one, next| one.0 == next.0);
        let twice = same.filter(|chunk| chunk.len() > 1 || self.plain.binary_search(&chunk[0].0).is_ok());
        twice.map(|chunk| chunk.len() as u64).sum()
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_in_two_spellings_is_counted() {
        for (ids, twice) in [
            (vec!["12", "13", "12"], 0),
            (vec!["12", "012", "12.0", "13"], 2),
            (vec!["0012", "0013"], 0),
            (vec!["0012", "012"], 2),
            (vec!["A12", "a012", "12-1", ""], 0),
        ] {
            let mut spellings = Spellings::default();
            ids.iter().for_each(|id| spellings.see(id));
            assert_eq!(spellings.twice(), twice, "{ids:?}");
        }
    }

    #[test]
    fn who_withdrew_is_found_however_the_number_is_written() {
        let mut withdrawn = Withdrawn::default();
        ["17", "0042", "p9", ""].into_iter().for_each(|id| withdrawn.insert(id));
        for (id, gone) in [
            ("17", true),
            ("017", true),
            ("17.0", true),
            ("42", true),
            ("p9", true),
            ("P9", false),
            ("170", false),
            ("", false),
        ] {
            assert_eq!(withdrawn.has(id), gone, "{id}");
        }
        withdrawn.met("17.0");
        assert_eq!(withdrawn.unmatched(), 2);
    }
}
