//! Pairs of rows: candidates, and those that a condition is true of.
//!
//! Promises pairs in the order of the left side and, among those, of the right one; and that conditions are worked out for a few thousand
//! candidates at a time, however many there are.

use super::conditions::CompiledCondition;
use super::frame::{FrameColumn, NO_ROW};
use std::ops::Range;

/// Number of candidates that a condition is worked out for at once; tests have few rows.
const BATCH_PAIRS: usize = if cfg!(test) { 5 } else { 1 << 13 };

/// The rows on the right that a row on the left could make a pair with, in ascending order.
pub(super) enum Candidates<'c> {
    Range(Range<u32>),
    List(&'c [u32]),
}

/// A condition on pairs, with the columns of both sides.
pub(super) type PairCondition<'c> = (&'c CompiledCondition, [&'c [Option<FrameColumn<'c>>]; 2]);

impl Candidates<'_> {
    fn each(&self, take: impl FnMut(u32)) {
        match self {
            Self::Range(rows) => rows.clone().for_each(take),
            Self::List(rows) => rows.iter().copied().for_each(take),
        }
    }
}

/// Calls `keep` with each pair that the condition is true of.
pub(super) fn each_pair<'c>(
    rows: usize,
    candidates: impl Fn(usize) -> Candidates<'c>,
    on: Option<PairCondition<'_>>,
    mut keep: impl FnMut(u32, u32),
) {
    let Some((condition, sides)) = on else {
        (0..rows).for_each(|left| candidates(left).each(|right| keep(left as u32, right)));
        return;
    };
    let (mut lefts, mut rights) = (Vec::with_capacity(BATCH_PAIRS), Vec::with_capacity(BATCH_PAIRS));
    let mut decide = |lefts: &mut Vec<u32>, rights: &mut Vec<u32>| {
        let holds = condition.pairs(sides, [lefts, rights]);
        let pairs = lefts.iter().zip(&*rights).zip(holds);
        pairs.filter(|(_, holds)| *holds == 1).for_each(|((left, right), _)| keep(*left, *right));
        lefts.clear();
        rights.clear();
    };
    for left in 0..rows {
        candidates(left).each(|right| {
            lefts.push(left as u32);
            rights.push(right);
            if lefts.len() >= BATCH_PAIRS {
                decide(&mut lefts, &mut rights);
            }
        });
    }
    decide(&mut lefts, &mut rights);
}

/// The kept pairs, as rows of both sides.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) left: Vec<u32>,
    pub(super) right: Vec<u32>,
}

impl Kept {
    /// The pairs that the condition is true of; of a left join also the rows without a pair, which have none on the right.
    pub(super) fn of<'c>(
        rows: usize,
        candidates: impl Fn(usize) -> Candidates<'c>,
        on: Option<PairCondition<'_>>,
        is_left: bool,
    ) -> Self {
        let (left, right) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut kept = Self { left, right };
        each_pair(rows, candidates, on, |left, right| {
            kept.left.push(left);
            kept.right.push(right);
        });
        if is_left { kept.with_all(rows) } else { kept }
    }

    fn with_all(self, rows: usize) -> Self {
        let mut all = Self::default();
        let mut pairs = self.left.into_iter().zip(self.right).peekable();
        for row in 0..rows as u32 {
            let before = all.left.len();
            while let Some((left, right)) = pairs.next_if(|(left, _)| *left == row) {
                all.left.push(left);
                all.right.push(right);
            }
            if all.left.len() == before {
                all.left.push(row);
                all.right.push(NO_ROW);
            }
        }
        all
    }
}
