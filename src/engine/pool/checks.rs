//! Which chunks of a sealed table, one column of one block each, have been found to be as they were sealed.
//!
//! Promises that a chunk counts as checked only once a worker has said so, and that damage, once found, is never forgotten.

use crate::engine::polars::StoredColumns;
use crate::engine::port::EngineFault;
use crate::query::terms::edition::layout::{Holds, stored_columns};
use crate::query::terms::policy::Terms;
use std::ops::Range;

/// Maximum number of blocks that are checked in one go.
const CHECK_BLOCKS: u64 = 8;
/// Number of checks in a row that may end their worker before a block counts as damaged: reading a mapped file that has been cut ends a process.
const LOSSES_MAX: u32 = 3;

/// Blocks and columns that one worker checks in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) blocks: Range<u64>,
    pub(super) columns: StoredColumns,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckOutcome {
    /// Everything is as it was sealed.
    Sound,
    /// This block is not.
    Bad(u64),
    /// The worker ended during the check.
    Lost,
    /// The worker had ended before the check.
    Unasked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Unchecked,
    /// A question waits for it.
    Wanted,
    Taken,
    Sound,
}

/// The chunks of one edition. Before the first worker is ready, it is not known which there are, and there are none.
#[derive(Default)]
pub(super) struct Checks {
    has_begun: bool,
    /// The stored columns, each with the number of its table.
    columns: Vec<(u32, Holds)>,
    /// Whether the dataset has several tables.
    several: bool,
    /// By column, then by block; empty if everything was checked when the table was loaded.
    chunks: Vec<Vec<Chunk>>,
    losses: u32,
    bad: Option<u64>,
}

impl Checks {
    /// Takes note of the size of the tables that are sealed under these terms, as the first worker reports it.
    pub(super) fn begin(&mut self, terms: &Terms, blocks: u64, is_checked: bool) {
        if self.has_begun {
            return;
        }
        (self.has_begun, self.several) = (true, !terms.tables.is_empty());
        self.columns = stored_columns(terms).into_iter().map(|column| (column.table, column.holds)).collect();
        if !is_checked && let Ok(blocks) = usize::try_from(blocks) {
            self.chunks = vec![vec![Chunk::Unchecked; blocks]; self.columns.len()];
        }
    }

    /// The block that was found to be damaged.
    pub(super) fn bad(&self) -> Option<u64> {
        self.bad
    }

    /// Puts all chunks of these columns first.
    pub(super) fn want(&mut self, columns: &StoredColumns) {
        for place in self.places(columns) {
            let unchecked = self.chunks[place].iter_mut().filter(|chunk| **chunk == Chunk::Unchecked);
            unchecked.for_each(|chunk| *chunk = Chunk::Wanted);
        }
    }

    /// Whether all chunks of these columns are sound; an error if the table is damaged anywhere.
    pub(super) fn are_sound(&self, columns: &StoredColumns) -> Result<bool, EngineFault> {
        if self.bad.is_some() {
            return Err(EngineFault);
        }
        Ok(self.places(columns).iter().all(|place| self.chunks[*place].iter().all(|chunk| *chunk == Chunk::Sound)))
    }

    /// Takes the next chunks that a question waits for.
    pub(super) fn take_wanted(&mut self) -> Option<Check> {
        self.take(Chunk::Wanted)
    }

    /// Takes the next chunks that nobody waits for.
    pub(super) fn take_unchecked(&mut self) -> Option<Check> {
        self.take(Chunk::Unchecked)
    }

    /// Whether there is anything to take.
    pub(super) fn has_work(&self) -> bool {
        let is_open = |chunk: &Chunk| matches!(chunk, Chunk::Wanted | Chunk::Unchecked);
        self.bad.is_none() && self.chunks.iter().flatten().any(is_open)
    }

    /// Takes note of how a check ended. Returns the damaged block if this is the first damage.
    pub(super) fn finish(&mut self, check: &Check, outcome: CheckOutcome) -> Option<u64> {
        let (becomes, bad) = match outcome {
            CheckOutcome::Sound => {
                self.losses = 0;
                (Chunk::Sound, None)
            }
            CheckOutcome::Unasked => (Chunk::Wanted, None),
            CheckOutcome::Bad(block) => (Chunk::Wanted, Some(block)),
            CheckOutcome::Lost => {
                self.losses += 1;
                (Chunk::Wanted, (self.losses >= LOSSES_MAX).then_some(check.blocks.start))
            }
        };
        for place in self.places(&check.columns) {
            check.blocks.clone().for_each(|block| self.chunks[place][block as usize] = becomes);
        }
        if self.bad.is_some() {
            return None;
        }
        self.bad = bad;
        bad
    }

    /// The first block with chunks in this state, with all its columns in this state, and the blocks after it that are alike.
    fn take(&mut self, state: Chunk) -> Option<Check> {
        if self.bad.is_some() {
            return None;
        }
        let blocks = self.chunks.first().map_or(0, Vec::len);
        let open = |chunks: &[Vec<Chunk>], block: usize| -> Vec<usize> {
            (0..chunks.len()).filter(|place| chunks[*place][block] == state).collect()
        };
        let start = (0..blocks).find(|block| self.chunks.iter().any(|column| column[*block] == state))?;
        let places = open(&self.chunks, start);
        let alike =
            (start..blocks).take(CHECK_BLOCKS as usize).take_while(|block| open(&self.chunks, *block) == places);
        let end = start + alike.count();
        for place in &places {
            self.chunks[*place][start..end].fill(Chunk::Taken);
        }
        let mut columns = StoredColumns::default();
        places.iter().for_each(|place| columns.insert(self.columns[*place], self.several));
        Some(Check { blocks: start as u64..end as u64, columns })
    }

    /// The places of columns. The units and ranks of one of several tables come with every check of its columns.
    fn places(&self, columns: &StoredColumns) -> Vec<usize> {
        let is_wanted = |place: &usize| columns.has(self.columns[*place].0, self.columns[*place].1);
        (0..self.chunks.len()).filter(is_wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, CheckOutcome, Checks};
    use crate::engine::polars::StoredColumns;
    use crate::engine::port::EngineFault;
    use crate::query::terms::policy::{Policy, Terms};

    fn columns(declared: &[usize], unit: bool) -> StoredColumns {
        StoredColumns { declared: declared.iter().copied().collect(), unit, rank: false, ..StoredColumns::default() }
    }

    fn begun(blocks: u64) -> Checks {
        let mut checks = Checks::default();
        checks.begin(&terms(), blocks, false);
        checks
    }

    /// The terms of a table with three columns.
    fn terms() -> Terms {
        let column = |name: &str| format!("[[column]]\nname = \"{name}\"\ntype = \"boolean\"\n");
        let head = "[dataset]\nname = \"t\"\nsource = \"t.csv\"\nprivacy_unit = \"u\"\nmax_rows_per_unit = 4\nmax_rows = 9\n\
                    cap = { epsilon = \"1\", delta = \"1e-9\" }\n";
        let text = format!("{head}{}{}{}", column("a"), column("b"), column("c"));
        Policy::parse(&text).expect("a policy").terms
    }

    #[test]
    fn what_a_question_reads_is_checked_before_the_rest() {
        let (mut checks, read) = (begun(10), columns(&[1], true));
        checks.want(&read);
        assert_eq!(checks.are_sound(&read), Ok(false));
        let wanted: Vec<Check> = std::iter::from_fn(|| checks.take_wanted()).collect();
        let expected = [0..8, 8..10].map(|blocks| Check { blocks, columns: read.clone() });
        assert_eq!(wanted, expected);
        wanted.iter().for_each(|check| assert_eq!(checks.finish(check, CheckOutcome::Sound), None));
        assert_eq!(checks.are_sound(&read), Ok(true));
        assert_eq!(checks.are_sound(&columns(&[0, 1], true)), Ok(false));
        let rest = checks.take_unchecked().expect("the rest");
        assert_eq!(rest.columns, StoredColumns { declared: [0, 2].into(), rank: true, ..StoredColumns::default() });
        checks.finish(&rest, CheckOutcome::Sound);
        let last = checks.take_unchecked().expect("the last two blocks");
        assert_eq!(last.blocks, 8..10);
        checks.finish(&last, CheckOutcome::Sound);
        assert!(!checks.has_work() && checks.take_unchecked().is_none());
    }

    #[test]
    fn damage_is_reported_once_and_never_forgotten() {
        let (mut checks, read) = (begun(10), columns(&[0], false));
        checks.want(&read);
        let (first, second) = (checks.take_wanted().expect("a check"), checks.take_wanted().expect("another"));
        assert_eq!(checks.finish(&first, CheckOutcome::Bad(5)), Some(5));
        assert_eq!(checks.finish(&second, CheckOutcome::Bad(9)), None, "one is enough");
        assert_eq!((checks.bad(), checks.are_sound(&columns(&[2], false))), (Some(5), Err(EngineFault)));
        assert!(!checks.has_work());
    }

    #[test]
    fn a_check_that_ends_workers_is_damage() {
        let (mut checks, read) = (begun(2), columns(&[0], false));
        checks.want(&read);
        let outcomes = [CheckOutcome::Unasked, CheckOutcome::Lost, CheckOutcome::Lost, CheckOutcome::Unasked];
        for (outcome, reported) in
            outcomes.map(|outcome| (outcome, None)).into_iter().chain([(CheckOutcome::Lost, Some(0))])
        {
            let check = checks.take_wanted().expect("it is taken again");
            assert_eq!(checks.finish(&check, outcome), reported);
        }
        assert!(checks.take_wanted().is_none());
    }

    #[test]
    fn a_table_that_was_checked_as_a_whole_is_sound() {
        let mut checks = Checks::default();
        checks.begin(&terms(), 10, true);
        assert_eq!(checks.are_sound(&columns(&[0, 1, 2], true)), Ok(true));
        assert!(!checks.has_work());
    }
}
