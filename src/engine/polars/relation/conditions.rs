//! Conditions: which rows of a frame, or which pairs of rows of two frames, they are true of.

use super::frame::{FrameColumn, UnitFrame};
use crate::engine::polars::compile::Compiler;
use crate::engine::polars::program::{ConditionId, RowProgram};
use crate::engine::polars::stored::Block;
use crate::engine::polars::window::Window;
use crate::query::filter::Filter;
use crate::query::terms::policy::Terms;
use std::collections::BTreeSet;

/// A condition with the columns that it reads.
pub(super) struct CompiledCondition {
    program: RowProgram,
    id: ConditionId,
    reads: BTreeSet<usize>,
}

impl CompiledCondition {
    /// Compiles a condition on columns with these terms.
    pub(super) fn of(filter: &Filter, terms: &Terms) -> Self {
        let mut compiler = Compiler::of(terms);
        let id = compiler.condition(filter);
        let mut reads = BTreeSet::new();
        filter.declared(&mut reads);
        Self { program: compiler.finish(), id, reads }
    }

    /// The rows that the condition is true of, in ascending order.
    pub(super) fn rows(&self, frame: &UnitFrame<'_>) -> Vec<u32> {
        let block = frame.block();
        let mut rows = Vec::with_capacity(frame.rows());
        let mut start = 0;
        for window in Window::all(&block, 0..frame.rows(), &self.program) {
            extend(&mut rows, start, window.holds(self.id, true));
            start += window.len() as u32;
        }
        rows
    }

    /// The pairs that the condition is true of, as bytes that are 1. The columns are those of both sides.
    pub(super) fn pairs(&self, sides: [&[Option<FrameColumn<'_>>]; 2], rows: [&[u32]; 2]) -> Vec<u8> {
        let column = |index: &usize| {
            let (side, place) = match index.checked_sub(sides[0].len()) {
                None => (0, *index),
                Some(place) => (1, place),
            };
            let column = sides[side].get(place)?.as_ref()?;
            Some((*index, FrameColumn::from(column.picked(rows[side]))))
        };
        let columns: Vec<(usize, FrameColumn<'_>)> = self.reads.iter().filter_map(column).collect();
        let columns = columns.iter().map(|(index, column)| (*index, column.column())).collect();
        let block = Block { rows: rows[0].len(), columns, units: None, ranks: None };
        let mut found = Vec::with_capacity(block.rows);
        for window in Window::all(&block, 0..block.rows, &self.program) {
            found.extend_from_slice(window.holds(self.id, true));
        }
        found
    }
}

/// Adds the numbers, from `start` on, of the rows whose byte is 1.
pub(super) fn extend(rows: &mut Vec<u32>, start: u32, holds: &[u8]) {
    // Every number is written and the next one overwrites it unless it counts, so that no branch depends on a row.
    let mut end = rows.len();
    rows.resize(end + holds.len() + 1, 0);
    for (row, holds) in (start..).zip(holds) {
        rows[end] = row;
        end += usize::from(*holds);
    }
    rows.truncate(end);
}
