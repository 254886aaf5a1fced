//! Joins of two frames on the unit, and rows of which the unit has, or has not, a row in another frame.

use super::conditions::{CompiledCondition, extend};
use super::frame::{FrameColumn, UnitFrame};
use super::pairs::{Candidates, Kept, each_pair};
use std::collections::BTreeSet;
use std::ops::Range;

/// A join of two frames on the unit.
pub(super) struct JoinStep {
    pub(super) on: Option<CompiledCondition>,
    pub(super) is_left: bool,
    /// The wanted columns of both sides.
    pub(super) wanted: [BTreeSet<usize>; 2],
}

/// Whether the unit of a row has a row in another frame.
pub(super) struct SemiStep {
    pub(super) on: Option<CompiledCondition>,
    pub(super) is_anti: bool,
    pub(super) wanted: BTreeSet<usize>,
}

/// For each row, the rows of the same unit in another frame.
fn ranges(left: &[u32], right: &[u32]) -> Vec<Range<u32>> {
    let (mut start, mut end) = (0, 0);
    let range = |unit: &u32| {
        while right.get(start).is_some_and(|other| other < unit) {
            start += 1;
        }
        end = end.max(start);
        while right.get(end).is_some_and(|other| other == unit) {
            end += 1;
        }
        start as u32..end as u32
    };
    left.iter().map(range).collect()
}

impl JoinStep {
    pub(super) fn evaluate<'a>(&self, left: UnitFrame<'a>, right: &UnitFrame<'_>) -> UnitFrame<'a> {
        let ranges = ranges(&left.units, &right.units);
        let candidates = |row: usize| Candidates::Range(ranges[row].clone());
        let on = self.on.as_ref().map(|on| (on, [&left.columns[..], &right.columns[..]]));
        let kept = Kept::of(left.rows(), candidates, on, self.is_left);
        let of_right = right.picked_columns(&kept.right, &self.wanted[1]);
        beside(left, &kept.left, &self.wanted[0], of_right)
    }
}

/// Some rows of a frame, each as often as it occurs, with further columns.
pub(super) fn beside<'a>(
    of: UnitFrame<'a>,
    rows: &[u32],
    wanted: &BTreeSet<usize>,
    more: Vec<Option<FrameColumn<'static>>>,
) -> UnitFrame<'a> {
    let is_whole = rows.len() == of.rows() && rows.iter().zip(0..).all(|(row, place)| *row == place);
    let mut all = if is_whole { of } else { of.picked(rows, wanted) };
    all.columns.extend(more);
    all
}

impl SemiStep {
    pub(super) fn evaluate<'a>(&self, of: UnitFrame<'a>, other: &UnitFrame<'_>) -> UnitFrame<'a> {
        let mut has = match &self.on {
            None => self.met(&of.units, &other.units),
            Some(on) => {
                let ranges = ranges(&of.units, &other.units);
                let mut has = vec![0; of.rows()];
                let candidates = |row: usize| Candidates::Range(ranges[row].clone());
                let sides = [&of.columns[..], &other.columns[..]];
                each_pair(of.rows(), candidates, Some((on, sides)), |row, _| has[row as usize] = 1);
                has
            }
        };
        if self.is_anti {
            has.iter_mut().for_each(|has| *has ^= 1);
        }
        let mut rows = Vec::new();
        extend(&mut rows, 0, &has);
        if rows.len() == of.rows() { of } else { of.picked(&rows, &self.wanted) }
    }

    /// The rows whose unit is in another ascending list, as bytes that are 1.
    fn met(&self, units: &[u32], others: &[u32]) -> Vec<u8> {
        let mut others = others.iter().copied();
        let mut other = others.next();
        let is_met = |unit: &u32| {
            while other.is_some_and(|other| other < *unit) {
                other = others.next();
            }
            u8::from(other == Some(*unit))
        };
        units.iter().map(is_met).collect()
    }
}
