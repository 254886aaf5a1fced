//! Aggregates of the rows in frames.
//!
//! Promises that counts, sums and extremes take the same time however large frames are. The frames of consecutive places only move forwards.

use super::window_frames::Frames;
use crate::engine::polars::operands::Values;
use crate::engine::polars::per_unit::{UnitColumn, first_of};
use crate::engine::polars::statistics;
use crate::query::computation::{MEAN_PARTS, PerUnitColumn};
use crate::query::term::lower::IntegerFunction;
use std::collections::VecDeque;
use std::ops::Range;

/// The aggregate of the frame of each place, given the rows by place and what the aggregate needs from each row.
pub(super) fn aggregated(column: &UnitColumn, needed: &[Values], rows: &[u32], frames: &Frames) -> Vec<Option<i64>> {
    match &column.of {
        PerUnitColumn::Rows => frames.all().map(|frame| Some(frame.len() as i64)).collect(),
        PerUnitColumn::Present(_) => running(&needed[0], rows, frames, |_, count| Some(count)),
        PerUnitColumn::Sum(_) => running(&needed[0], rows, frames, |sum, count| (count > 0).then_some(sum)),
        PerUnitColumn::Mean(_) => running(&needed[0], rows, frames, |sum, count| {
            let rounded = IntegerFunction::Rounded { numerator: MEAN_PARTS, denominator: count.max(1) };
            (count > 0).then(|| rounded.apply(sum))
        }),
        PerUnitColumn::Least(_) | PerUnitColumn::Every(_) => {
            extremes(&needed[0], rows, frames, |better, worse| better <= worse)
        }
        PerUnitColumn::Greatest(_) | PerUnitColumn::Any(_) => {
            extremes(&needed[0], rows, frames, |better, worse| better >= worse)
        }
        // The value is the same in every row of a unit.
        PerUnitColumn::Own(_) => {
            frames.all().map(|frame| rows[frame].first().and_then(|row| needed[0].get(*row as usize))).collect()
        }
        PerUnitColumn::Distinct(_) => {
            lists(rows, frames, |rows| Some(statistics::distinct(&mut list(&needed[0], rows))))
        }
        PerUnitColumn::Spread(spread, _) => {
            lists(rows, frames, |rows| statistics::spread(*spread, &list(&needed[0], rows)))
        }
        PerUnitColumn::Percentile(fraction, _) => {
            lists(rows, frames, |rows| statistics::percentile(*fraction, &mut list(&needed[0], rows)))
        }
        PerUnitColumn::First { descending, .. } => {
            lists(rows, frames, |rows| first_of(rows.iter().map(|row| *row as usize), needed, *descending))
        }
    }
}

/// Makes values from the sum of each frame and its number of present values, which are differences of running sums.
fn running(values: &Values, rows: &[u32], frames: &Frames, of: impl Fn(i64, i64) -> Option<i64>) -> Vec<Option<i64>> {
    let mut so_far = Vec::with_capacity(rows.len() + 1);
    let (mut sum, mut count) = (0_i64, 0_i64);
    so_far.push((sum, count));
    for row in rows {
        if let Some(value) = values.get(*row as usize) {
            (sum, count) = (sum.wrapping_add(value), count + 1);
        }
        so_far.push((sum, count));
    }
    let value = |Range { start, end }: Range<usize>| {
        let (before, after) = (so_far[start], so_far[end]);
        of(after.0.wrapping_sub(before.0), after.1 - before.1)
    };
    frames.all().map(value).collect()
}

/// The best present value of each frame.
fn extremes(values: &Values, rows: &[u32], frames: &Frames, is_better: impl Fn(i64, i64) -> bool) -> Vec<Option<i64>> {
    // The places that could still be the best of a frame, with their values, from the best one on.
    let mut best: VecDeque<(usize, i64)> = VecDeque::new();
    let mut read = 0;
    let frame_best = |frame: Range<usize>| {
        read = read.max(frame.start);
        let new = rows.iter().enumerate().take(frame.end).skip(read);
        for (place, value) in new.filter_map(|(place, row)| Some((place, values.get(*row as usize)?))) {
            while best.pop_back_if(|(_, worse)| is_better(value, *worse)).is_some() {}
            best.push_back((place, value));
        }
        read = read.max(frame.end);
        while best.pop_front_if(|(place, _)| *place < frame.start).is_some() {}
        best.front().map(|(_, value)| *value)
    };
    frames.all().map(frame_best).collect()
}

/// Works out something for the rows of each frame, and once for frames that are the same.
fn lists(rows: &[u32], frames: &Frames, of: impl Fn(&[u32]) -> Option<i64>) -> Vec<Option<i64>> {
    let mut last: Option<(Range<usize>, Option<i64>)> = None;
    let value = |frame: Range<usize>| match &last {
        Some((known, value)) if *known == frame => *value,
        Some(_) | None => {
            let value = of(&rows[frame.clone()]);
            last = Some((frame, value));
            value
        }
    };
    frames.all().map(value).collect()
}

/// The present values of some rows.
fn list(values: &Values, rows: &[u32]) -> Vec<i64> {
    rows.iter().filter_map(|row| values.get(*row as usize)).collect()
}
