//! Layouts: how measurements become columns, and what the groups are called.

use borsh::{BorshDeserialize, BorshSerialize};

use super::Small;
use super::labels::{KeyLabels, Label};
use crate::dataset::domain::Grid;
use crate::privacy::mechanism::NoiseLaw;
use crate::query::formula::{Centred, Formula, Range, Shown};
use crate::query::tables::Sets;
use crate::vault::release::Release;

/// How measurements become columns.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Layout {
    /// Labels of each key's groups, in the order of the computation's keys.
    pub keys: Vec<KeyLabels>,
    /// The groupings, where there are several; outputs are then made of what they hold, and not of measurements by their number.
    pub sets: Option<Sets>,
    /// The columns, as selected.
    pub outputs: Vec<Output>,
    /// Which rows are shown; all of them where it says nothing.
    pub having: Option<Shown>,
    /// Which counts are too small to be shown, with whatever is made of them, where any are.
    pub small: Option<Small>,
    /// How rows are sorted; by the keys where empty.
    pub order: Vec<Sort>,
    /// How many rows are shown.
    pub limit: Option<u64>,
}

/// One selected output.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What it is made of; numbers are indices of measurements.
    pub value: OutputValue,
}

/// What an output is made of.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum OutputValue {
    /// A key.
    Key {
        /// Index of the key.
        index: usize,
    } = 0,
    /// 1 where a row is a total over a key, 0 elsewhere.
    Grouping {
        /// Index of the key.
        index: usize,
    } = 1,
    /// A count.
    Count {
        /// The measurement.
        count: usize,
    } = 2,
    /// S + c·N in steps of the grid.
    Sum {
        /// S.
        sum: usize,
        /// N, where c is not 0.
        count: Option<usize>,
        /// The grid, with its centre c.
        grid: Grid,
    } = 3,
    /// c + S/N in steps of the grid.
    Mean {
        /// S.
        sum: usize,
        /// N.
        count: usize,
        /// The grid, with its centre c.
        grid: Grid,
    } = 4,
    /// Anything else that is made of measurements.
    Formula {
        /// How.
        formula: Formula,
        /// What it can be, by the public bounds of what it is made of: its interval is cut to that.
        range: Range,
    } = 5,
}

impl OutputValue {
    /// What it is made of, as a formula; nothing for a key.
    #[must_use]
    pub fn formula(&self) -> Option<Formula> {
        match self {
            Self::Key { .. } | Self::Grouping { .. } => None,
            Self::Count { count } => Some(Formula::Count(*count)),
            Self::Sum { sum, count, grid } => Some(Formula::Sum(Centred { sum: *sum, count: *count, grid: *grid })),
            Self::Mean { sum, count, grid } => {
                let about = (grid.centre() != 0).then_some(*count);
                Some(Formula::Mean(Centred { sum: *sum, count: about, grid: *grid }, *count))
            }
            Self::Formula { formula, .. } => Some(formula.clone()),
        }
    }

    /// The measurements that it is, for what is no formula.
    pub(super) fn made_of(&self) -> Vec<usize> {
        match self {
            Self::Key { .. } | Self::Grouping { .. } | Self::Formula { .. } => Vec::new(),
            Self::Count { count } => vec![*count],
            Self::Sum { sum, count, .. } => std::iter::once(*sum).chain(*count).collect(),
            Self::Mean { sum, count, .. } => vec![*sum, *count],
        }
    }

    /// Least and greatest of what is summed or averaged; nothing for anything else.
    #[must_use]
    pub fn bounds(&self) -> Option<(String, String)> {
        match self {
            Self::Sum { grid, .. } | Self::Mean { grid, .. } => {
                Some((grid.text(grid.low.into()), grid.text(grid.high.into())))
            }
            Self::Key { .. } | Self::Grouping { .. } | Self::Count { .. } | Self::Formula { .. } => None,
        }
    }

    /// Applies `to` to the index of every measurement.
    pub fn renumber(&mut self, to: &impl Fn(usize) -> usize) {
        match self {
            Self::Key { .. } | Self::Grouping { .. } => {}
            Self::Count { count } => *count = to(*count),
            Self::Sum { sum, count, .. } => {
                *sum = to(*sum);
                *count = count.map(to);
            }
            Self::Mean { sum, count, .. } => {
                *sum = to(*sum);
                *count = to(*count);
            }
            Self::Formula { formula, .. } => formula.renumber(to),
        }
    }
}

/// One sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Sort {
    /// Index of the output.
    pub output: usize,
    /// From high to low.
    pub descending: bool,
    /// Missing values first.
    pub nulls_first: bool,
}

impl Layout {
    /// The same with the groups that were found, where their list is not public.
    #[must_use]
    pub fn with_groups(self, release: &Release) -> Self {
        let Some(groups) = &release.groups else { return self };
        let label = |text: &Option<String>| text.clone().map_or(Label::Missing, Label::Text);
        Self { keys: vec![groups.labels.iter().map(label).collect::<Vec<_>>().into()], ..self }
    }

    /// Cells of the table that it lays out: rows, before HAVING and LIMIT leave any out, times [`Layout::width`].
    #[must_use]
    pub fn cells(&self) -> u64 {
        let rows = |set: &mut dyn Iterator<Item = usize>| {
            set.map(|key| self.keys[key].len() as u64).fold(1, u64::saturating_mul)
        };
        let rows = match &self.sets {
            None => rows(&mut (0..self.keys.len())),
            Some(sets) => sets.shown.iter().map(|set| rows(&mut set.iter().copied())).fold(0, u64::saturating_add),
        };
        rows.saturating_mul(self.width())
    }

    /// Columns of a row: one for a key, three or four for an estimate with its bounds and its error.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.outputs.iter().map(|output| super::suffixes(output, self.sets.is_some()).len() as u64).sum()
    }

    /// The laws of what outputs are made of, from those of the measurements.
    #[must_use]
    pub fn laws(&self, laws: &[NoiseLaw]) -> Vec<NoiseLaw> {
        match &self.sets {
            None => laws.to_vec(),
            Some(sets) => sets.measured.iter().map(|of| laws[of.tables[0].vector]).collect(),
        }
    }
}
