//! Conditions and groups of the rows of a strip.
//!
//! Promises that every row has the number of a cell: that of its group, or, if it does not count, the number after the last group, so that
//! adding up needs no branch. No hash table is needed, because groups are public and numbered.

use polars::prelude::*;

use super::fields::Strip;
use super::inputs::{Input, Inputs, Lookup, RowSource};
use super::texts::FirstGroups;
use crate::query::computation::PlanKey;
use crate::query::filter::Filter;
use crate::query::term::Term;

/// A condition on rows: the conjunction of its parts. It holds for the rows for which every part is true.
#[derive(Debug, Clone, Default)]
pub(super) struct RowCondition {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    /// A field is present and lies within both bounds.
    Within { field: usize, low: i64, high: i64 },
    /// A table over one field says so.
    Listed(Lookup<bool>),
}

impl RowCondition {
    /// Adds a part: a filter is true.
    pub(super) fn and(&mut self, filter: &Filter, inputs: &mut Inputs<'_>) -> PolarsResult<()> {
        let part = match filter {
            Filter::All(parts) => return parts.iter().try_for_each(|part| self.and(part, inputs)),
            Filter::Range { column: Term::Column(index), low, high } => {
                Part::Within { field: inputs.field(RowSource::Stored(*index)), low: *low, high: *high }
            }
            other => {
                let truth = RowSource::Truth(other.clone());
                match inputs.lookup(&truth)? {
                    Some(lookup) => Part::Listed(lookup.map(|truth| truth == Some(1))),
                    None => Part::Within { field: inputs.field(truth), low: 1, high: 1 },
                }
            }
        };
        self.parts.push(part);
        Ok(())
    }

    /// Adds a part: the rank of a row within its unit is below a bound.
    pub(super) fn and_rank_below(&mut self, rows_per_unit: u32, inputs: &mut Inputs<'_>) {
        let high = i64::from(rows_per_unit) - 1;
        self.parts.push(Part::Within { field: inputs.field(RowSource::Rank), low: 0, high });
    }

    /// Clears the marks of rows for which the condition does not hold.
    pub(super) fn keep(&self, strips: &[Strip], kept: &mut [bool]) {
        for part in &self.parts {
            match part {
                Part::Within { field, low, high } => {
                    let strip = &strips[*field];
                    for (kept, value) in kept.iter_mut().zip(&strip.values) {
                        *kept &= (low <= value) & (value <= high);
                    }
                    kept.iter_mut().zip(&strip.present).for_each(|(kept, present)| *kept &= present);
                }
                Part::Listed(lookup) => lookup.each(strips, |row, truth| kept[row] &= truth),
            }
        }
    }
}

/// The number that stands for "no group" while codes are added up; adding to it changes nothing.
const NONE: u32 = u32::MAX;

/// One key: what each of its codes adds to the number of a cell.
#[derive(Debug)]
enum KeyCells {
    /// By a table over one field.
    Listed(Lookup<u32>),
    /// By the code in a field.
    Coded { field: usize, codes: u32, missing: u32, stride: u32 },
}

/// How rows are grouped: by keys whose groups are numbered, the last key varying fastest, or by a text.
#[derive(Debug)]
pub(super) struct Grouping {
    keys: Vec<KeyCells>,
    text: Option<TextCells>,
    /// Number of groups.
    pub(super) groups: usize,
}

/// A text column as key: its field, and the cut to each unit's first groups.
#[derive(Debug)]
struct TextCells {
    field: usize,
    first: Option<(Option<usize>, FirstGroups)>,
}

impl Grouping {
    /// Grouping by these keys; by none of them, all rows are one group.
    pub(super) fn by<'a>(keys: impl Iterator<Item = &'a PlanKey>, inputs: &mut Inputs<'_>) -> PolarsResult<Self> {
        let keys: Vec<&PlanKey> = keys.collect();
        let size = |key: &PlanKey| u32::try_from(key.size()).unwrap_or(NONE);
        let groups = keys.iter().fold(1_u32, |groups, key| groups.saturating_mul(size(key)));
        let (mut stride, mut cells) = (groups, Vec::with_capacity(keys.len()));
        for key in keys {
            stride /= size(key).max(1);
            let missing = if key.nullable { key.codes.saturating_mul(stride) } else { NONE };
            let codes = key.codes;
            let cell = move |code: Option<i64>| match code.map(u32::try_from) {
                None => missing,
                Some(Ok(code)) if code < codes => code.saturating_mul(stride),
                Some(_) => NONE,
            };
            cells.push(match inputs.input(RowSource::of_key(key, inputs.terms()))? {
                Input::Lookup(lookup) => KeyCells::Listed(lookup.map(cell)),
                Input::Field(field) => KeyCells::Coded { field, codes, missing, stride },
            });
        }
        Ok(Self { keys: cells, text: None, groups: groups as usize })
    }

    /// Grouping by the codes of a text column, of which there are so many; rows without a text are the last group. `first` cuts each unit
    /// to its first groups, with the number of the unit in `unit`.
    pub(super) fn by_text(field: usize, texts: usize, first: Option<(Option<usize>, FirstGroups)>) -> Self {
        Self { keys: Vec::new(), text: Some(TextCells { field, first }), groups: texts + 1 }
    }

    /// The cell of each row of a strip; that of rows that are not kept is the number of groups.
    pub(super) fn cells(&mut self, strips: &[Strip], kept: &[bool], cells: &mut Vec<u32>) {
        cells.clear();
        cells.resize(kept.len(), 0);
        for key in &self.keys {
            match key {
                KeyCells::Listed(lookup) => {
                    lookup.each(strips, |row, cell| cells[row] = cells[row].saturating_add(cell));
                }
                KeyCells::Coded { field, codes, missing, stride } => {
                    let strip = &strips[*field];
                    let code = |value: i64| u32::try_from(value).ok().filter(|code| code < codes);
                    for (row, (cell, value)) in cells.iter_mut().zip(&strip.values).enumerate() {
                        let coded = code(*value).map_or(NONE, |code| code.saturating_mul(*stride));
                        *cell = cell.saturating_add(if strip.is_present(row) { coded } else { *missing });
                    }
                }
            }
        }
        let none = u32::try_from(self.groups).unwrap_or(NONE);
        if let Some(text) = &mut self.text {
            text.cells(strips, kept, none, cells);
        }
        cells.iter_mut().zip(kept).for_each(|(cell, kept)| *cell = if *kept { (*cell).min(none) } else { none });
    }
}

impl TextCells {
    fn cells(&mut self, strips: &[Strip], kept: &[bool], none: u32, cells: &mut [u32]) {
        let strip = &strips[self.field];
        let missing = none - 1;
        for (row, cell) in cells.iter_mut().enumerate() {
            let code = u32::try_from(strip.values[row]).ok().filter(|code| *code < missing);
            let code = if strip.is_present(row) { code.unwrap_or(none) } else { missing };
            let takes = match &mut self.first {
                Some((unit, first)) if kept[row] => {
                    let unit = unit.map(|unit| strips[unit].values[row]);
                    first.takes(unit.unwrap_or_default(), code as usize)
                }
                Some(_) | None => true,
            };
            *cell = if takes { code } else { none };
        }
    }
}
