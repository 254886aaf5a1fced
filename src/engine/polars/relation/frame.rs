//! Frames: rows of some units on their way from one operator of a relation to the next.
//!
//! Promises rows that are sorted by unit. Columns are borrowed from a block as long as no operator has changed them; a column that was not
//! wanted is absent.

use crate::engine::polars::operands::Values;
use crate::engine::polars::program::{RowProgram, ValueId};
use crate::engine::polars::stored::{Block, BlockColumn, Slice, Stored, Validity, typed};
use crate::engine::polars::window::Window;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Rows of some units, sorted by unit.
pub(super) struct UnitFrame<'a> {
    pub(super) units: Cow<'a, [u32]>,
    /// The columns by their index; `None` for those that nothing reads.
    pub(super) columns: Vec<Option<FrameColumn<'a>>>,
}

/// A column of a frame.
#[derive(Clone)]
pub(super) enum FrameColumn<'a> {
    Stored(BlockColumn<'a>),
    Made(Rc<Values>),
}

/// Stands for no row, where a left join has no pair and where a window function looks beyond its partition.
pub(super) const NO_ROW: u32 = u32::MAX;

impl UnitFrame<'_> {
    pub(super) fn rows(&self) -> usize {
        self.units.len()
    }

    /// The rows as programs read them.
    pub(super) fn block(&self) -> Block<'_> {
        let columns = self.columns.iter().enumerate();
        let columns = columns.filter_map(|(index, column)| Some((index, column.as_ref()?.column())));
        Block { rows: self.rows(), columns: columns.collect(), units: Some(&self.units), ranks: None }
    }

    /// Some of the rows, in ascending order, with these columns.
    pub(super) fn picked(&self, rows: &[u32], wanted: &BTreeSet<usize>) -> UnitFrame<'static> {
        UnitFrame { units: units_of(&self.units, rows).into(), columns: self.picked_columns(rows, wanted) }
    }

    /// These columns of some rows; they are missing in [`NO_ROW`].
    pub(super) fn picked_columns(&self, rows: &[u32], wanted: &BTreeSet<usize>) -> Vec<Option<FrameColumn<'static>>> {
        let pick = |(index, column): (usize, &Option<FrameColumn<'_>>)| {
            column.as_ref().filter(|_| wanted.contains(&index)).map(|column| FrameColumn::from(column.picked(rows)))
        };
        self.columns.iter().enumerate().map(pick).collect()
    }

    /// Works out values of a program for every row.
    pub(super) fn computed(&self, program: &RowProgram, values: &[ValueId]) -> Vec<Values> {
        let mut found: Vec<Values> = values.iter().map(|_| Values::with_room(self.rows())).collect();
        let block = self.block();
        for window in Window::all(&block, 0..self.rows(), program) {
            values.iter().zip(&mut found).for_each(|(value, into)| into.extend(window.value(*value), None));
        }
        found
    }
}

/// The units of some rows.
pub(super) fn units_of(units: &[u32], rows: &[u32]) -> Vec<u32> {
    rows.iter().map(|row| units[*row as usize]).collect()
}

impl From<Values> for FrameColumn<'_> {
    fn from(values: Values) -> Self {
        Self::Made(Rc::new(values))
    }
}

impl FrameColumn<'_> {
    /// The column as programs read it.
    pub(super) fn column(&self) -> BlockColumn<'_> {
        match self {
            Self::Stored(column) => *column,
            Self::Made(values) => {
                let validity = values.present.as_deref().map_or(Validity::All, Validity::Bytes);
                BlockColumn { values: Slice::I64(&values.values), validity }
            }
        }
    }

    /// The values of some rows, missing in [`NO_ROW`].
    pub(super) fn picked(&self, rows: &[u32]) -> Values {
        let BlockColumn { values, validity } = self.column();
        let present = |row: &u32| match validity {
            Validity::All => u8::from(*row != NO_ROW),
            Validity::Bytes(bytes) => bytes.get(*row as usize).copied().unwrap_or(0),
            Validity::Bits(bits) => u8::from((*row as usize) < bits.len() && bits.get_bit(*row as usize)),
        };
        let is_whole = matches!(validity, Validity::All) && !rows.contains(&NO_ROW);
        Values {
            values: typed!(values, values => gathered(values, rows)),
            present: (!is_whole).then(|| rows.iter().map(present).collect()),
        }
    }
}

fn gathered<T: Stored>(values: &[T], rows: &[u32]) -> Vec<i64> {
    rows.iter().map(|row| values.get(*row as usize).map_or(0, |value| value.wide())).collect()
}
