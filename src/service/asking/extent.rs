//! The size of an answer: the memory that it takes while it is composed, laid out and encoded, estimated from its shape.

use super::answer::Answer;
use super::price::Priced;
use super::rooms::{PICTURE_BYTES_MAX, Rendering};
use super::stored::StoredAnswer;
use crate::query::answer::{Label, Layout, Output, OutputValue};

/// Bytes of one cell of a table.
const CELL_BYTES: usize = 32;
/// Bytes of one cell in a columnar table or in an encoding of one.
const ENCODED_BYTES: usize = 16;
/// Bytes of one cell in a workbook: in its tree of cells, as XML and packed.
const WORKBOOK_BYTES: usize = 224;
/// Bytes of one output on a page, while the page is built and put into its frame.
const PAGE_BYTES: usize = 320;
/// Bytes of the pixels of a chart in a picture without its bars, and of one bar.
const PICTURE_CHART_BYTES: usize = 8 << 20;
const PICTURE_BAR_BYTES: usize = 700_000;
/// Bytes of a row in addition to its cells.
const ROW_BYTES: usize = 96;
/// Bytes of a text in addition to its characters.
const TEXT_BYTES: usize = 48;
/// Bytes of a noisy cell in all of its forms: in memory, as stored, and as a float.
const NOISY_BYTES: usize = 96;

/// The size of an answer, in terms of what is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnswerSize {
    rows: usize,
    /// Number of selected columns.
    outputs: usize,
    /// Number of cells in a row: estimates are accompanied by their intervals.
    columns: usize,
    /// Number of bytes in a row's keys, on average.
    letters: usize,
    /// Number of noisy cells that the answer is computed from.
    noisy: usize,
}

impl AnswerSize {
    /// The extent of a stored answer in one of its layouts.
    pub(crate) fn stored(layout: &Layout, stored: &StoredAnswer) -> Self {
        Self::new(layout, noisy(stored), None)
    }

    /// The extent of a question's answer before anything is known of it.
    pub(crate) fn planned(priced: &Priced) -> Self {
        let plan = &priced.plan;
        // The groups of a text column are not known yet; their largest number is declared.
        let found = plan.computation.text.as_ref().map(|_| usize(plan.computation.groups()));
        Self::new(&plan.layout, sought(priced), found)
    }

    fn new(layout: &Layout, noisy: usize, found: Option<usize>) -> Self {
        let rows = found.map_or_else(|| rows(layout), |found| found.saturating_add(1));
        let letters = |layout: &Layout, output: &Output| match &output.value {
            OutputValue::Key { index } => layout.keys.get(*index).map_or(0, |labels| average(labels)),
            _ => 0,
        };
        // In a union, the longest labels that one of the answers has.
        let letters_of = |layout: &Layout| layout.outputs.iter().map(|output| letters(layout, output)).sum();
        Self {
            rows,
            outputs: layout.outputs.len(),
            columns: layout.outputs.iter().map(columns).sum(),
            letters: layout.answers().iter().map(|answer| letters_of(answer.layout)).max().unwrap_or(0),
            noisy,
        }
    }

    /// Bytes needed to render an answer of this extent.
    pub(crate) fn bytes(&self, rendering: Rendering) -> usize {
        let of_cells = match rendering {
            Rendering::Nothing => 0,
            // Beside its cells, each output may have a column of remarks.
            Rendering::Data => self.columns.saturating_add(self.outputs).saturating_mul(CELL_BYTES + ENCODED_BYTES),
            Rendering::Workbook => {
                self.columns.saturating_add(self.outputs).saturating_mul(CELL_BYTES + WORKBOOK_BYTES)
            }
            Rendering::Page | Rendering::Picture => {
                self.outputs.saturating_mul(PAGE_BYTES).saturating_add(self.columns * CELL_BYTES)
            }
        };
        let of_row = of_cells
            .saturating_add(self.outputs.saturating_mul(CELL_BYTES))
            .saturating_add(self.letters.saturating_mul(2))
            .saturating_add(ROW_BYTES);
        let rows = if rendering == Rendering::Nothing { 0 } else { self.rows };
        let pixels = if rendering == Rendering::Picture { self.pixels() } else { 0 };
        rows.saturating_mul(of_row).saturating_add(self.noisy.saturating_mul(NOISY_BYTES)).saturating_add(pixels)
    }

    /// Bytes of the pixels of the answer's chart.
    fn pixels(&self) -> usize {
        let of_chart = self.rows.saturating_mul(PICTURE_BAR_BYTES).saturating_add(PICTURE_CHART_BYTES);
        self.outputs.saturating_mul(of_chart).min(PICTURE_BYTES_MAX)
    }
}

/// Number of rows in a table before any is filtered out.
fn rows(layout: &Layout) -> usize {
    usize(layout.rows())
}

fn noisy(stored: &StoredAnswer) -> usize {
    stored.vectors().iter().map(|one| one.cells.len()).sum()
}

fn sought(priced: &Priced) -> usize {
    usize(priced.plan.sought.iter().fold(0, |all, one| all.saturating_add(one.cells)))
}

/// Up to this many outputs (over all rows) and noisy cells, laying out an answer takes less time than handing it to another
/// thread.
const LIGHT_OUTPUTS_MAX: usize = 128;
const LIGHT_NOISY_MAX: usize = 512;

fn is_light(layout: &Layout, noisy: usize) -> bool {
    let outputs = rows(layout).saturating_mul(layout.outputs.len());
    layout.sets.is_none() && layout.arms.is_empty() && outputs <= LIGHT_OUTPUTS_MAX && noisy <= LIGHT_NOISY_MAX
}

impl Answer {
    /// Whether laying out and encoding the answer takes less time than handing it to another thread.
    #[must_use]
    pub fn is_light(&self) -> bool {
        is_light(&self.layout, noisy(&self.stored))
    }
}

impl Priced {
    /// Whether the question's answer will be a light one.
    pub(crate) fn is_light(&self) -> bool {
        self.plan.computation.text.is_none() && is_light(&self.plan.layout, sought(self))
    }
}

/// Largest number of cells that one output adds to a row.
fn columns(output: &Output) -> usize {
    match output.value {
        OutputValue::Key { .. } | OutputValue::Grouping { .. } | OutputValue::Words(_) => 1,
        OutputValue::Hidden(_) => 0,
        OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. }
        | OutputValue::Formula { .. } => 4,
    }
}

/// Bytes of a label, on average.
fn average(labels: &[Label]) -> usize {
    let letters = labels.iter().map(|label| match label {
        Label::Text(text) => text.len() + TEXT_BYTES,
        Label::Boolean(_) | Label::Integer(_) | Label::Decimal(_) | Label::Date(_) | Label::Missing => 0,
    });
    letters.sum::<usize>().div_ceil(labels.len().max(1))
}

pub(super) fn usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::answer::{Cell, Limit, ShownGroups};

    fn layout(keys: &[usize], outputs: usize) -> Layout {
        let key = |index| Output { name: format!("k{index}"), value: OutputValue::Key { index } };
        let count = |at| Output { name: format!("n{at}"), value: OutputValue::Count { count: 0 } };
        Layout {
            keys: keys.iter().map(|size| (0..*size).map(|at| Label::Integer(at as i64)).collect()).collect(),
            sets: None,
            outputs: (0..keys.len()).map(key).chain((0..outputs).map(count)).collect(),
            shown: ShownGroups::default(),
            small: None,
            order: Vec::new(),
            limit: Limit::First(1),
            arms: Vec::new(),
        }
    }

    #[test]
    fn room_is_for_all_rows_and_columns_whatever_is_shown_of_them() {
        assert_eq!(size_of::<Cell>(), CELL_BYTES);
        for (keys, outputs) in [(&[10, 7][..], 1), (&[100_000], 1), (&[1_000, 100], 5), (&[], 120)] {
            let (layout, rows) = (layout(keys, outputs), keys.iter().product::<usize>());
            let extent = AnswerSize::new(&layout, rows, None);
            let cells = rows * (keys.len() + 4 * outputs);
            for rendering in [Rendering::Data, Rendering::Workbook, Rendering::Page, Rendering::Picture] {
                assert!(extent.bytes(rendering) >= cells * CELL_BYTES, "{keys:?} {outputs}");
            }
            assert!(extent.bytes(Rendering::Nothing) <= rows * NOISY_BYTES);
            assert_eq!(is_light(&layout, rows), rows * (keys.len() + outputs) <= LIGHT_OUTPUTS_MAX);
        }
        let found = AnswerSize::new(&layout(&[0], 1), 10, Some(usize::MAX));
        assert_eq!(found.bytes(Rendering::Data), usize::MAX, "nothing wraps");
    }
}
