//! The marks of entries: when each was appended, what kind of act it is, and whom and which dataset it concerns, in sixteen bytes each.
//!
//! Promises that a search misses no entry that matches, and that it looks at a bounded number of entries at once, so that the ledger's writer
//! never waits for it long.

use std::collections::HashMap;

use crate::kernel::budget::entry::{Act, Entry};

/// Maximum number of entries that one search looks at: some 20 µs under the lock of the state.
const LOOKED_MAX: usize = 16_384;
/// The number of a name that an entry does not have.
const NONE: u32 = 0;
/// Stands for the names of an entry of several acts, and for datasets beyond the numbers of a mark: the entry itself has to be read.
const MANY: u32 = u32::MAX;
const MANY_DATASETS: u16 = u16::MAX;

/// Whom and what an act concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parties<'a> {
    /// Who acted: the asker of a question, or the steward; `None` if the server did.
    pub by: Option<&'a str>,
    /// Whose account, answer or token it is; [`STATISTICS`](crate::kernel::budget::people::STATISTICS) for those of published statistics.
    pub person: Option<&'a str>,
    /// Name of the dataset.
    pub dataset: Option<&'a str>,
}

/// Which entries to find. A field that is `None` lets all entries pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Name of somebody who acted or whom the act concerns.
    pub person: Option<String>,
    /// Name of the dataset that the act concerns.
    pub dataset: Option<String>,
    /// Kind of act, one of [`Act::KINDS`].
    pub act: Option<String>,
    /// The earliest second, in milliseconds since 1970 in UTC.
    pub from_ms: Option<u64>,
    /// The second at which the period ends, not included, in milliseconds since 1970 in UTC.
    pub until_ms: Option<u64>,
}

/// Entries that match a filter, and how far the search came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundEntries {
    /// Numbers of the entries, in the order of the search. An entry of several acts may be among them that does not match.
    pub numbers: Vec<u64>,
    /// Number of the last entry that was looked at; `None` if there was none left.
    pub looked_to: Option<u64>,
}

/// What the trail keeps of one entry; names by their numbers.
#[derive(Debug, Clone, Copy)]
struct TrailMark {
    at_s: u32,
    by: u32,
    person: u32,
    dataset: u16,
    act: u8,
}

/// A filter with numbers in place of names.
struct NumberedFilter {
    person: Option<u32>,
    dataset: Option<u16>,
    act: Option<u8>,
    from_s: u32,
    until_s: u32,
}

impl NumberedFilter {
    fn lets_pass(&self, mark: &TrailMark) -> bool {
        self.act.is_none_or(|act| act == mark.act)
            && self.dataset.is_none_or(|dataset| dataset == mark.dataset || mark.dataset == MANY_DATASETS)
            && self.person.is_none_or(|person| person == mark.person || person == mark.by || mark.person == MANY)
            && self.from_s <= mark.at_s
            && mark.at_s < self.until_s
    }
}

/// The marks of all entries, in their order.
#[derive(Debug, Default)]
pub(super) struct Trail {
    marks: Vec<TrailMark>,
    /// Numbers of people, from 1.
    people: HashMap<Box<str>, u32>,
    /// Numbers of datasets, from 1.
    datasets: HashMap<Box<str>, u16>,
    /// The last entry that each person made, by their number; 0 for none.
    last_by: Vec<u64>,
}

impl Trail {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return NONE };
        if let Some(known) = self.people.get(name) {
            return *known;
        }
        let number = u32::try_from(self.people.len()).unwrap_or(MANY).saturating_add(1);
        self.people.insert(name.into(), number);
        number
    }

    fn dataset(&mut self, name: Option<&str>) -> u16 {
        let Some(name) = name else { return 0 };
        if let Some(known) = self.datasets.get(name) {
            return *known;
        }
        let number = u16::try_from(self.datasets.len()).unwrap_or(MANY_DATASETS).saturating_add(1);
        self.datasets.insert(name.into(), number);
        number
    }

    /// Adds the mark of the next entry.
    pub(super) fn push(&mut self, entry: &Entry, parties: &Parties<'_>) {
        let act = kind_number(entry.act.kind()).unwrap_or(u8::MAX);
        let by = self.number(parties.by);
        let (person, dataset) = if matches!(entry.act, Act::Applied { .. }) {
            (MANY, MANY_DATASETS)
        } else {
            (self.number(parties.person), self.dataset(parties.dataset))
        };
        self.marks.push(TrailMark { at_s: seconds(entry.at_ms), by, person, dataset, act });
        let place = by as usize;
        if by != NONE && by != MANY {
            if self.last_by.len() <= place {
                self.last_by.resize(place.saturating_add(1), 0);
            }
            self.last_by[place] = entry.seq;
        }
    }

    fn numbered(&self, filter: &EntryFilter) -> NumberedFilter {
        // A name without a number is in no entry but those of several acts.
        let person = filter.person.as_deref().map(|name| self.people.get(name).copied().unwrap_or(MANY));
        let dataset = filter.dataset.as_deref().map(|name| self.datasets.get(name).copied().unwrap_or(MANY_DATASETS));
        let act = filter.act.as_deref().map(|kind| kind_number(kind).unwrap_or(u8::MAX));
        let until_s = filter.until_ms.map_or(u32::MAX, seconds);
        NumberedFilter { person, dataset, act, from_s: filter.from_ms.map_or(0, seconds), until_s }
    }

    /// The newest entries before entry number `before` that match, at most `limit` of them.
    pub(super) fn before(&self, filter: &EntryFilter, before: u64, limit: usize) -> FoundEntries {
        let end = usize::try_from(before.saturating_sub(1)).unwrap_or(usize::MAX).min(self.marks.len());
        let marks = self.marks[..end].iter().enumerate().rev();
        self.looked(filter, marks.take(LOOKED_MAX), limit)
    }

    /// The oldest entries after entry number `after` that match, at most `limit` of them.
    pub(super) fn after(&self, filter: &EntryFilter, after: u64, limit: usize) -> FoundEntries {
        let begin = usize::try_from(after).unwrap_or(usize::MAX).min(self.marks.len());
        let marks = self.marks.iter().enumerate().skip(begin);
        self.looked(filter, marks.take(LOOKED_MAX), limit)
    }

    fn looked<'a>(
        &self,
        filter: &EntryFilter,
        marks: impl Iterator<Item = (usize, &'a TrailMark)>,
        limit: usize,
    ) -> FoundEntries {
        let numbered = self.numbered(filter);
        let mut found = FoundEntries::default();
        for (place, mark) in marks {
            let number = (place as u64).saturating_add(1);
            found.looked_to = Some(number);
            if numbered.lets_pass(mark) {
                found.numbers.push(number);
            }
            if found.numbers.len() >= limit {
                break;
            }
        }
        found
    }

    /// Number and time of the last entry that somebody made, in milliseconds since 1970 in UTC.
    pub(super) fn last_act(&self, name: &str) -> Option<(u64, u64)> {
        let number = *self.people.get(name)?;
        let seq = *self.last_by.get(number as usize).filter(|seq| **seq > 0)?;
        let place = usize::try_from(seq.saturating_sub(1)).ok()?;
        self.marks.get(place).map(|mark| (seq, u64::from(mark.at_s).saturating_mul(1_000)))
    }
}

/// The place in [`Act::KINDS`] of the kind under which people look for acts of this kind.
fn kind_number(kind: &str) -> Option<u8> {
    let kind = Act::shown_kind(kind);
    Act::KINDS.iter().position(|known| *known == kind).and_then(|place| u8::try_from(place).ok())
}

fn seconds(at_ms: u64) -> u32 {
    u32::try_from(at_ms / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trail in which every entry of these numbers is about `ada`, and all others about nobody.
    fn trail(entries: u64, about_ada: &[u64]) -> Trail {
        let mut trail = Trail::default();
        for number in 1..=entries {
            let act = Act::RefreshSkipped { statistic: String::new(), why: String::new() };
            let entry = Entry { v: 3, seq: number, at_ms: number.saturating_mul(1_000), previous: [0; 32], act };
            let person = about_ada.contains(&number).then_some("ada");
            trail.push(&entry, &Parties { by: None, person, dataset: Some("visits") });
        }
        trail
    }

    #[test]
    fn a_search_looks_at_a_bounded_number_of_entries_and_misses_none() {
        let wanted = [1, 9_000, 20_000, 20_001, 40_000];
        let trail = trail(40_000, &wanted);
        let filter = EntryFilter { person: Some("ada".into()), ..EntryFilter::default() };
        let (mut found, mut at, mut looks) = (Vec::new(), u64::MAX, 0);
        while at > 1 {
            let page = trail.before(&filter, at, 2);
            let next = page.looked_to.expect("entries are left");
            assert!(at.min(40_001) - next <= LOOKED_MAX as u64 && page.numbers.len() <= 2);
            (at, looks) = (next, looks + 1);
            found.extend(page.numbers);
        }
        found.reverse();
        assert_eq!((found.as_slice(), looks), (wanted.as_slice(), 4));
        let (mut found, mut after) = (Vec::new(), 0);
        while let FoundEntries { numbers, looked_to: Some(looked_to) } = trail.after(&filter, after, 3) {
            found.extend(numbers);
            after = looked_to;
        }
        assert_eq!(found, wanted);
        let filter = EntryFilter { from_ms: Some(9_000_000), until_ms: Some(20_001_000), ..filter };
        assert_eq!(trail.after(&filter, 8_000, 10).numbers, [9_000, 20_000]);
        let nobody = EntryFilter { person: Some("eve".into()), ..EntryFilter::default() };
        assert!(trail.before(&nobody, 100, 10).numbers.is_empty());
    }
}
