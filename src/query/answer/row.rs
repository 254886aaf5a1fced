//! One row of an answer before it is flattened into a table.

use super::cell::Cell;
use super::fine::rounded;
use super::formula::{AbsenceReason, IntervalEstimate, Range};
use super::labels::Label;
use crate::query::terms::domain::date_text;
use std::cmp::Ordering;

/// One row before it is flattened: its cells, and for each output its sort value and its remark, if any.
pub(super) struct AnswerRow {
    pub(super) cells: Vec<Cell>,
    pub(super) sorts: Vec<SortValue>,
    pub(super) said: Vec<Option<Remark>>,
}

/// Remark on an estimate that readers of the answer are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remark {
    /// The estimate is missing, for this reason.
    Absent(AbsenceReason),
    /// The key is missing because the row is a total over it.
    Total,
    /// Noise has carried the estimate out of the range of possible values, at whose limits its interval ends.
    Outside,
}

/// Value that an output is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SortValue {
    /// A missing value, sorted first or last as the sort key says.
    Missing,
    /// Text of a key, compared by code points.
    Text(String),
    /// A number, or the code of a boolean key.
    Number(f64),
}

/// Cells of a formula: the value, the two ends of its interval and its standard error.
const FORMULA_CELLS: usize = 4;

impl AnswerRow {
    pub(super) fn push_key(&mut self, label: &Label, code: usize) {
        self.sorts.push(SortValue::of_key(label, code));
        self.cells.push(label.cell());
        self.said.push(None);
    }

    /// Appends a key that the row is a total over.
    pub(super) fn push_total(&mut self) {
        self.sorts.push(SortValue::Missing);
        self.cells.push(Cell::Total);
        self.said.push(Some(Remark::Total));
    }

    /// Appends an estimate on a grid; `step` is the size of a step in 1e-9. The interval holds every grid point within the noise plus half
    /// a step.
    pub(super) fn push_estimate(&mut self, value: i128, width: i128, step: i128) {
        self.sorts.push(SortValue::Number(value as f64));
        self.cells.extend(
            [value, value.saturating_sub(width), value.saturating_add(width)]
                .map(|steps| Cell::Decimal(steps.saturating_mul(step))),
        );
        self.said.push(None);
    }

    pub(super) fn push_error(&mut self, error: f64) {
        self.cells.push(Cell::Float(rounded(error, error)));
    }

    /// Appends an estimate with its standard error and its interval, which is cut to the possible values.
    pub(super) fn push_formula(&mut self, ends: Result<IntervalEstimate, AbsenceReason>, range: Range) {
        let ends = match ends {
            Ok(ends) => ends,
            // An estimate lost in noise can still be anything that is possible.
            Err(AbsenceReason::LostInNoise) => {
                return self.push_absent(AbsenceReason::LostInNoise, range, FORMULA_CELLS);
            }
            Err(reason) => return self.push_absent(reason, Range::WHOLE, FORMULA_CELLS),
        };
        let shown = |value: f64| rounded(value, ends.std_error);
        let cut = range.cut(ends);
        let (low, high) = (range.nearest(shown(cut.low)), range.nearest(shown(cut.high)));
        // Estimates are never clipped, but rounding must not carry one out of its range.
        let value = shown(ends.value);
        let value = if range.holds_about(ends.value) { range.nearest(value) } else { value };
        self.sorts.push(SortValue::Number(value));
        // An end without a bound is missing, and so is the error of what has no interval.
        let cell = |value: f64| if value.is_finite() { Cell::Float(value) } else { Cell::Missing };
        self.cells.extend([value, low, high, shown(ends.std_error)].map(cell));
        self.said.push((!range.holds(value)).then_some(Remark::Outside));
    }

    /// Appends a label that is no key by itself, or says why it is missing.
    pub(super) fn push_label(&mut self, label: Result<Option<&Label>, AbsenceReason>) {
        match label {
            Ok(label) => {
                self.push_key(label.unwrap_or(&Label::Missing), usize::from(label == Some(&Label::Boolean(true))));
            }
            Err(reason) => {
                self.sorts.push(SortValue::Missing);
                self.cells.push(Cell::Missing);
                self.said.push(Some(Remark::Absent(reason)));
            }
        }
    }

    /// Appends what a row is only sorted by, and which is not shown: the last value that was appended, without its cells.
    pub(super) fn hide_last(&mut self, cells: usize) {
        self.cells.truncate(cells);
        if let Some(said) = self.said.last_mut() {
            *said = None;
        }
    }

    /// The row with nothing but what it shows, which is also what it is sorted by: in a union, steps of different grids are not compared.
    /// `widths` are the numbers of cells of its outputs.
    pub(super) fn shown(mut self, widths: &[usize]) -> Self {
        let mut place = 0;
        self.sorts.clear();
        for width in widths {
            self.sorts.push(self.cells.get(place).map_or(SortValue::Missing, SortValue::of_cell));
            place += width;
        }
        self.said.truncate(widths.len());
        self
    }

    /// Appends a missing estimate in `cells` cells; its interval is the range of possible values.
    pub(super) fn push_absent(&mut self, reason: AbsenceReason, range: Range, cells: usize) {
        let bound = |end: Option<f64>| {
            // Declared bounds are decimals, but the bounds of a square root need not be.
            let decimal = |end: f64| (end * 1e9).round() as i128;
            match end {
                None => Cell::Missing,
                Some(end) if (decimal(end) as f64 / 1e9).total_cmp(&end).is_eq() => Cell::Decimal(decimal(end)),
                Some(end) => Cell::Float(end),
            }
        };
        self.sorts.push(SortValue::Missing);
        self.cells.extend([Cell::Missing, bound(range.low), bound(range.high)]);
        self.cells.extend(std::iter::repeat_n(Cell::Missing, cells.saturating_sub(3)));
        self.said.push(Some(Remark::Absent(reason)));
    }
}

impl SortValue {
    pub(super) fn of_key(label: &Label, code: usize) -> Self {
        match label {
            Label::Missing => Self::Missing,
            Label::Text(text) => Self::Text(text.clone()),
            Label::Date(days) => Self::Text(date_text(*days)),
            Label::Boolean(_) => Self::Number(code as f64),
            Label::Integer(value) => Self::Number(*value as f64),
            Label::Decimal(nanos) => Self::Number(*nanos as f64),
        }
    }

    /// What is shown as a value to sort by.
    fn of_cell(cell: &Cell) -> Self {
        match cell {
            Cell::Missing | Cell::Total => Self::Missing,
            Cell::Text(text) => Self::Text(text.clone()),
            Cell::Date(days) => Self::Text(date_text(*days)),
            Cell::Boolean(truth) => Self::Number(f64::from(u8::from(*truth))),
            Cell::Decimal(nanos) => Self::Number(*nanos as f64 / 1e9),
            Cell::Float(value) => Self::Number(*value),
        }
    }

    /// Compares two values that rows are sorted by.
    pub(super) fn compare(&self, other: &Self, descending: bool, nulls_first: bool) -> Ordering {
        let direct = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return if nulls_first { Ordering::Less } else { Ordering::Greater },
            (_, Self::Missing) => return if nulls_first { Ordering::Greater } else { Ordering::Less },
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
        };
        if descending { direct.reverse() } else { direct }
    }
}
