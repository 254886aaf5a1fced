//! The rows around each row that a window function is of.
//!
//! Promises that the ends of frames never move backwards from one place to the next.

use super::sorted::Sorted;
use crate::query::computation::relation::{FrameBound, FrameBounds, FrameBy};
use std::ops::Range;

/// For each place in an order, the places of its frame.
pub(super) struct Frames(Vec<Range<u32>>);

impl Frames {
    /// The frames of all rows.
    pub(super) fn of(bounds: &FrameBounds, sorted: &Sorted) -> Self {
        let mut frames = Vec::with_capacity(sorted.rows.len());
        for partition in &sorted.partitions {
            let mut peers = partition.start..partition.start;
            for place in partition.clone() {
                if place >= peers.end {
                    let end = (place + 1..partition.end).find(|next| !sorted.is_peer(*next)).unwrap_or(partition.end);
                    peers = place..end;
                }
                let around = Around { sorted, partition, peers: &peers, place };
                let start = around.start(bounds);
                frames.push(start as u32..around.end(bounds).max(start) as u32);
            }
        }
        Self(frames)
    }

    pub(super) fn of_place(&self, place: usize) -> Range<usize> {
        self.0[place].start as usize..self.0[place].end as usize
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.0.len()).map(|place| self.of_place(place))
    }
}

/// Where a row stands in its partition.
struct Around<'a> {
    sorted: &'a Sorted,
    partition: &'a Range<usize>,
    /// The places of the rows that are equal in the order.
    peers: &'a Range<usize>,
    place: usize,
}

impl Around<'_> {
    fn start(&self, bounds: &FrameBounds) -> usize {
        let (first, end) = (self.partition.start, self.partition.end);
        match (bounds.by, bounds.start) {
            (_, FrameBound::First) => first,
            (_, FrameBound::Last) => end - 1,
            (FrameBy::Rows, FrameBound::Before(by)) => self.place.saturating_sub(size(by)).max(first),
            (FrameBy::Rows, FrameBound::Current) => self.place,
            (FrameBy::Rows, FrameBound::After(by)) => self.place.saturating_add(size(by)).min(end),
            (FrameBy::Range, FrameBound::Current) => self.peers.start,
            (FrameBy::Range, FrameBound::Before(by)) => {
                self.by_key(-i128::from(by)).map_or(self.peers.start, |(key, bound)| self.first(|of| key[of] >= bound))
            }
            (FrameBy::Range, FrameBound::After(by)) => {
                self.by_key(by.into()).map_or(self.peers.start, |(key, bound)| self.first(|of| key[of] >= bound))
            }
        }
    }

    /// The place behind the last one.
    fn end(&self, bounds: &FrameBounds) -> usize {
        let (first, end) = (self.partition.start, self.partition.end);
        match (bounds.by, bounds.end) {
            (_, FrameBound::First) => first + 1,
            (_, FrameBound::Last) => end,
            (FrameBy::Rows, FrameBound::Before(by)) => (self.place + 1).saturating_sub(size(by)).max(first),
            (FrameBy::Rows, FrameBound::Current) => self.place + 1,
            (FrameBy::Rows, FrameBound::After(by)) => self.place.saturating_add(size(by)).saturating_add(1).min(end),
            (FrameBy::Range, FrameBound::Current) => self.peers.end,
            (FrameBy::Range, FrameBound::Before(by)) => {
                self.by_key(-i128::from(by)).map_or(self.peers.end, |(key, bound)| self.first(|of| key[of] > bound))
            }
            (FrameBy::Range, FrameBound::After(by)) => {
                self.by_key(by.into()).map_or(self.peers.end, |(key, bound)| self.first(|of| key[of] > bound))
            }
        }
    }

    /// The only sort key, and the row's value in it moved by so much. A row without a value is only near others without one, and a value
    /// is never moved as far as those. `None` if there is not exactly one key.
    fn by_key(&self, by: i128) -> Option<(&[i64], i64)> {
        let [key] = &self.sorted.keys.0[self.sorted.partition_keys..] else { return None };
        let own = key[self.sorted.rows[self.place] as usize];
        let moved = (i128::from(own) + by).clamp(i128::from(i64::MIN) + 1, i128::from(i64::MAX) - 1);
        let is_missing = own == i64::MIN || own == i64::MAX;
        Some((key, if is_missing { own } else { moved as i64 }))
    }

    /// The first place of the partition whose row has passed something that all later ones have, too.
    fn first(&self, is_passed: impl Fn(usize) -> bool) -> usize {
        let rows = &self.sorted.rows[self.partition.clone()];
        self.partition.start + rows.partition_point(|row| !is_passed(*row as usize))
    }
}

fn size(by: u64) -> usize {
    usize::try_from(by).unwrap_or(usize::MAX)
}
