//! Windows: evaluating a program over a few thousand adjacent rows, which fit the processor's cache with everything computed from them.
//!
//! Promises a total evaluation: no integer in a table makes it fail. Every condition and value is worked out at most once per window, and
//! only if something asks for it.
//!
//! A condition is never worked out as three truth values, but as the rows for which it is true or those for which it is false; rows in
//! neither are unknown. That is Kleene's logic: a conjunction is true if all its parts are, and false if one of them is; negation swaps the
//! two; and a comparison with a missing value is neither.

use super::operands::{Operand, Values, both, looked_up, within};
use super::program::{CodeSource, Coding, ConditionId, KeyId, RowCondition, RowProgram, ValueId, ValueNode};
use super::stored::{Block, Stored, typed};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;

/// Number of rows in a window.
const WINDOW_ROWS: usize = 1 << 12;

/// Adjacent rows of a block, and what has been worked out for them so far.
pub(super) struct Window<'a> {
    block: &'a Block<'a>,
    rows: Range<usize>,
    program: &'a RowProgram,
    present: HashMap<usize, OnceCell<Option<Vec<u8>>>>,
    values: Vec<OnceCell<Values>>,
    presences: Vec<OnceCell<Option<Vec<u8>>>>,
    /// For each condition, the rows for which it is false, and those for which it is true.
    truths: Vec<[OnceCell<Vec<u8>>; 2]>,
    codes: Vec<OnceCell<Vec<u32>>>,
}

impl<'a> Window<'a> {
    /// Cuts rows of a block into windows.
    pub(super) fn all(block: &'a Block<'a>, rows: Range<usize>, program: &'a RowProgram) -> impl Iterator<Item = Self> {
        let end = rows.end;
        let starts = rows.step_by(WINDOW_ROWS);
        starts.map(move |start| Self::new(block, start..(start + WINDOW_ROWS).min(end), program))
    }

    pub(super) fn new(block: &'a Block<'a>, rows: Range<usize>, program: &'a RowProgram) -> Self {
        Self {
            block,
            rows,
            program,
            present: block.columns.keys().map(|index| (*index, OnceCell::new())).collect(),
            values: program.values.iter().map(|_| OnceCell::new()).collect(),
            presences: program.values.iter().map(|_| OnceCell::new()).collect(),
            truths: program.conditions.iter().map(|_| Default::default()).collect(),
            codes: program.keys.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of each row's unit; `None` if every row is a unit.
    pub(super) fn units(&self) -> Option<&'a [u32]> {
        self.block.units.map(|units| &units[self.rows.clone()])
    }

    /// The rows with a rank below this; `None` if there are no ranks.
    pub(super) fn ranked_below(&self, count: u32) -> Option<Vec<u8>> {
        let ranks = self.block.ranks?.part(self.rows.clone());
        Some(within((ranks, None), 0, i64::from(count) - 1, true))
    }

    /// The stored integers of a declared column.
    pub(super) fn column(&self, index: usize) -> Operand<'_> {
        let column = &self.block.columns[&index];
        let present = self.present[&index].get_or_init(|| column.validity.bytes(self.rows.clone()));
        (column.values.part(self.rows.clone()), present.as_deref())
    }

    /// A value of the program.
    pub(super) fn value(&self, id: ValueId) -> Operand<'_> {
        match &self.program.values[id.0] {
            ValueNode::Stored(index) => self.column(*index),
            node @ ValueNode::Case(arms, None) => match &arms[..] {
                // The integer of a row without a value is arbitrary, so it can be the stored one.
                [(_, ValueNode::Stored(index))] => (self.column(*index).0, self.presence(id)),
                _ => self.values[id.0].get_or_init(|| self.compute(node)).operand(),
            },
            node => self.values[id.0].get_or_init(|| self.compute(node)).operand(),
        }
    }

    /// The rows in which a value is present; `None` for all of them.
    pub(super) fn presence(&self, id: ValueId) -> Option<&[u8]> {
        let node = &self.program.values[id.0];
        match node {
            ValueNode::Case(arms, None) if arms.len() == 1 => {}
            _ if self.program.is_read[id.0] => return self.value(id).1,
            _ => {}
        }
        self.presences[id.0].get_or_init(|| self.present(node).map(Cow::into_owned)).as_deref()
    }

    /// The rows for which a condition is true, or those for which it is false, as bytes that are 1.
    pub(super) fn holds(&self, id: ConditionId, wanted: bool) -> &[u8] {
        self.truths[id.0][usize::from(wanted)].get_or_init(|| self.decide(&self.program.conditions[id.0], wanted))
    }

    /// The rows for which a condition is either true or false.
    pub(super) fn known(&self, id: ConditionId) -> Vec<u8> {
        let (yes, no) = (self.holds(id, true), self.holds(id, false));
        yes.iter().zip(no).map(|(yes, no)| yes | no).collect()
    }

    /// The code of each row in a key; [`NO_CELL`](super::program::NO_CELL) for rows in no group.
    pub(super) fn codes(&self, id: KeyId) -> &[u32] {
        self.codes[id.0].get_or_init(|| self.code(&self.program.keys[id.0]))
    }

    /// The code of each row's text, or `missing` for rows without one.
    pub(super) fn texts(&self, column: usize, missing: u32) -> Vec<u32> {
        let (codes, present) = self.column(column);
        // Codes are numbered from 0 and below the code that stands for none.
        let code = |code: i64| u32::try_from(code).unwrap_or(missing).min(missing);
        let mut texts: Vec<u32> = typed!(codes, codes => codes.iter().map(|value| code(value.wide())).collect());
        for (text, present) in texts.iter_mut().zip(present.unwrap_or_default()) {
            *text = if *present == 1 { *text } else { missing };
        }
        texts
    }

    fn code(&self, coding: &Coding) -> Vec<u32> {
        let node = match &coding.code {
            CodeSource::Lookup(column, table) => return looked_up(self.column(*column), table),
            CodeSource::Computed(node) => node,
        };
        self.with(node, |(values, present)| {
            let code = |value: i64| coding.of_value(value);
            let mut codes: Vec<u32> = typed!(values, values => values.iter().map(|value| code(value.wide())).collect());
            let missing = coding.of_missing();
            for (code, present) in codes.iter_mut().zip(present.unwrap_or_default()) {
                *code = if *present == 1 { *code } else { missing };
            }
            codes
        })
    }

    fn decide(&self, condition: &RowCondition, wanted: bool) -> Vec<u8> {
        match condition {
            RowCondition::Range(of, low, high) => self.with(of, |of| within(of, *low, *high, wanted)),
            RowCondition::Marked(of, table) => self.with(of, |of| {
                let mut rows = looked_up((of.0, None), table);
                rows.iter_mut().for_each(|row| *row ^= u8::from(!wanted));
                both(rows, of.1)
            }),
            RowCondition::Listed(of, list) => self.with(of, |(values, present)| {
                let is_listed = |value: i64| u8::from(list.binary_search(&value).is_ok() == wanted);
                both(typed!(values, values => values.iter().map(|value| is_listed(value.wide())).collect()), present)
            }),
            RowCondition::Missing(of) => self.with(of, |(_, present)| match present {
                None => vec![u8::from(!wanted); self.len()],
                Some(present) => present.iter().map(|present| present ^ u8::from(wanted)).collect(),
            }),
            RowCondition::Not(inner) => self.holds(*inner, !wanted).to_vec(),
            RowCondition::All(parts) => self.connect(parts, wanted, wanted),
            RowCondition::Any(parts) => self.connect(parts, wanted, !wanted),
            RowCondition::Lookup(column, table) => {
                let bit = u8::from(!wanted);
                let mut rows = looked_up(self.column(*column), table);
                rows.iter_mut().for_each(|row| *row = *row >> bit & 1);
                rows
            }
        }
    }

    /// The rows for which all parts have the wanted truth, or any part has it.
    fn connect(&self, parts: &[ConditionId], wanted: bool, all: bool) -> Vec<u8> {
        let mut parts = parts.iter().map(|part| self.holds(*part, wanted));
        // Without parts, a conjunction is always true and a disjunction never.
        let Some(first) = parts.next() else { return vec![u8::from(all); self.len()] };
        let mut rows = first.to_vec();
        for part in parts {
            let pairs = rows.iter_mut().zip(part);
            if all { pairs.for_each(|(row, part)| *row &= part) } else { pairs.for_each(|(row, part)| *row |= part) }
        }
        rows
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
