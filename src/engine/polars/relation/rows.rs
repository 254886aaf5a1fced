//! Operators that look at one row at a time: tables, filters and maps; and unions.

use super::conditions::{CompiledCondition, extend};
use super::frame::{FrameColumn, UnitFrame};
use crate::engine::polars::compile::{Compiler, IntegerForm};
use crate::engine::polars::operands::within;
use crate::engine::polars::program::{RowProgram, ValueId};
use crate::engine::polars::stored::Block;
use crate::query::term::Term;
use crate::query::terms::policy::Terms;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The rows of a table.
pub(super) struct TableRows {
    /// The table's place among those that the relation reads.
    pub(super) place: usize,
    pub(super) arity: usize,
    pub(super) wanted: BTreeSet<usize>,
    /// Rows with a rank below this count; `None` for all of them.
    pub(super) ranks: Option<u32>,
}

impl TableRows {
    /// Borrows the rows, unless some of them do not count.
    pub(super) fn evaluate<'a>(&self, tables: &[Block<'a>]) -> UnitFrame<'a> {
        let table = &tables[self.place];
        let wanted = |index: usize| self.wanted.contains(&index).then(|| table.columns.get(&index)).flatten();
        let columns = (0..self.arity).map(|index| wanted(index).copied().map(FrameColumn::Stored)).collect();
        let frame = UnitFrame { units: Cow::Borrowed(table.units.unwrap_or_default()), columns };
        let Some((count, ranks)) = self.ranks.zip(table.ranks) else { return frame };
        let counted = within((ranks, None), 0, i64::from(count) - 1, true);
        let mut rows = Vec::new();
        extend(&mut rows, 0, &counted);
        if rows.len() == frame.rows() { frame } else { frame.picked(&rows, &self.wanted) }
    }
}

/// Keeps the rows that a condition is true of.
pub(super) fn filtered<'a>(
    of: UnitFrame<'a>,
    condition: &CompiledCondition,
    wanted: &BTreeSet<usize>,
) -> UnitFrame<'a> {
    let rows = condition.rows(&of);
    if rows.len() == of.rows() { of } else { of.picked(&rows, wanted) }
}

/// Terms of a row.
pub(super) struct MapStep {
    program: RowProgram,
    columns: Vec<Option<MapColumn>>,
}

enum MapColumn {
    /// A column as it is.
    Own(usize),
    /// A computed value.
    Value(ValueId),
}

impl MapStep {
    /// Compiles the wanted ones among some terms over columns with these public terms.
    pub(super) fn of(columns: &[Term], wanted: &BTreeSet<usize>, terms: &Terms) -> Self {
        let mut compiler = Compiler::of(terms);
        let column = |(index, term): (usize, &Term)| {
            wanted.contains(&index).then(|| match term {
                Term::Column(index) => MapColumn::Own(*index),
                Term::Made(_) => MapColumn::Value(compiler.value(term, IntegerForm::Stored)),
            })
        };
        let columns = columns.iter().enumerate().map(column).collect();
        Self { program: compiler.finish(), columns }
    }

    pub(super) fn evaluate<'a>(&self, of: UnitFrame<'a>) -> UnitFrame<'a> {
        let value = |column: &Option<MapColumn>| match column {
            Some(MapColumn::Value(value)) => Some(*value),
            Some(MapColumn::Own(_)) | None => None,
        };
        let values: Vec<ValueId> = self.columns.iter().filter_map(value).collect();
        let mut computed = of.computed(&self.program, &values).into_iter();
        let column = |column: &Option<MapColumn>| match column.as_ref()? {
            MapColumn::Own(index) => of.columns.get(*index).cloned().flatten(),
            MapColumn::Value(_) => computed.next().map(FrameColumn::from),
        };
        let columns = self.columns.iter().map(column).collect();
        UnitFrame { units: of.units, columns }
    }
}

/// The rows of several frames, unit by unit and part by part.
pub(super) fn union<'a>(parts: Vec<UnitFrame<'a>>, wanted: &BTreeSet<usize>) -> UnitFrame<'a> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else { return UnitFrame { units: Cow::Borrowed(&[]), columns: Vec::new() } };
    parts.fold(first, |one, other| both(&one, &other, wanted))
}

/// The rows of two frames: for each unit those of the first one and then those of the other.
fn both(one: &UnitFrame<'_>, other: &UnitFrame<'_>, wanted: &BTreeSet<usize>) -> UnitFrame<'static> {
    let (rows, at) = (one.rows() + other.rows(), one.rows() as u32);
    let (mut units, mut order) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut left = 0;
    for (row, unit) in (at..).zip(&other.units[..]) {
        while left < one.rows() && one.units[left] <= *unit {
            units.push(one.units[left]);
            order.push(left as u32);
            left += 1;
        }
        units.push(*unit);
        order.push(row);
    }
    units.extend_from_slice(&one.units[left..]);
    order.extend(left as u32..at);
    let column = |index: usize| {
        let (one, other) = (one.columns.get(index)?.as_ref()?, other.columns.get(index)?.as_ref()?);
        // Both one behind the other, and then in order.
        let mut all = one.picked(&(0..at).collect::<Vec<_>>());
        let behind = FrameColumn::from(other.picked(&(0..rows as u32 - at).collect::<Vec<_>>()));
        let block = behind.column();
        all.extend((block.values, block.validity.bytes(0..rows - at as usize).as_deref()), None);
        Some(FrameColumn::from(FrameColumn::from(all).picked(&order)))
    };
    let columns = (0..one.columns.len()).map(|index| wanted.contains(&index).then(|| column(index)).flatten());
    UnitFrame { columns: columns.collect(), units: units.into() }
}
