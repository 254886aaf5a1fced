//! Rows: each group's estimates with their intervals, before sorting and LIMIT.

use std::collections::{HashMap, HashSet};

use super::fine::{coarse, steps, total};
use super::formula::window::GroupRows;
use super::formula::{AbsenceReason, CellValues, IntervalEstimate, Range, Words};
use super::interval;
use super::labels::Label;
use super::layout::{Layout, OutputValue, names};
use super::row::AnswerRow;
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::vault::release::NoisyVector;
use crate::query::computation::codes;
use crate::query::terms::domain::Grid;

/// Appends the rows of one grouping by the keys `shown`. Counts and sums come with their standard errors if `has_errors`.
pub(super) fn rows_of(
    layout: &Layout,
    vectors: &[NoisyVector],
    shown: &[usize],
    has_errors: bool,
    rows: &mut Vec<AnswerRow>,
) {
    let laws: Vec<_> = vectors.iter().map(|one| one.law).collect();
    let cells = shown.iter().map(|key| layout.keys[*key].len()).product();
    let mut widths = HashMap::new();
    // Convert each cell to a float once, as running sums and percentiles read many cells for each group.
    let all: Vec<Vec<f64>> =
        vectors.iter().map(|one| (0..one.cells.len()).map(|cell| steps(one, cell)).collect()).collect();
    let groups = Groups { layout, laws: &laws, all: &all, shown };
    let windows = groups.windows(cells);
    let mut seen = HashSet::new();
    for cell in 0..cells {
        let group = groups.group(cell);
        let at = CellValues { windows: &windows, ..groups.values(&group) };
        if groups.is_left(at) && groups.is_kept(at) && layout.shown.is_first(&group.places, &mut seen) {
            rows.push(row(layout, vectors, at, has_errors, &mut widths));
        }
    }
}

/// The groups of one grouping.
struct Groups<'a> {
    layout: &'a Layout,
    laws: &'a [NoiseLaw],
    all: &'a [Vec<f64>],
    shown: &'a [usize],
}

/// What is known of one group.
struct Group {
    cell: usize,
    values: Vec<f64>,
    hidden: Vec<bool>,
    places: Vec<Option<usize>>,
}

impl Groups<'_> {
    fn group(&self, cell: usize) -> Group {
        let (layout, shown) = (self.layout, self.shown);
        let mut places = vec![None; layout.keys.len()];
        let codes = codes(shown.iter().map(|key| layout.keys[*key].len() as u64), cell as u64);
        shown.iter().zip(codes).for_each(|(key, code)| places[*key] = usize::try_from(code).ok());
        let values = self.all.iter().map(|one| one[cell]).collect();
        let mut group = Group { cell, values, hidden: Vec::new(), places };
        if let Some(small) = &layout.small {
            group.hidden = small.hidden(self.values(&group));
        }
        group
    }

    fn values<'b>(&'b self, group: &'b Group) -> CellValues<'b> {
        CellValues {
            values: &group.values,
            laws: self.laws,
            all: self.all,
            cell: group.cell,
            hidden: &group.hidden,
            keys: &self.layout.keys,
            places: &group.places,
            windows: &[],
        }
    }

    /// Whether HAVING leaves a group.
    fn is_left(&self, at: CellValues<'_>) -> bool {
        self.layout.shown.having.as_ref().is_none_or(|having| having.truth(at) == Some(true))
    }

    /// Whether the condition after windows keeps a group.
    fn is_kept(&self, at: CellValues<'_>) -> bool {
        let Some(output) = self.layout.shown.after else { return true };
        let mut value = &self.layout.outputs[output].value;
        while let OutputValue::Hidden(inner) = value {
            value = inner;
        }
        matches!(value, OutputValue::Words(words) if words.label(at) == Ok(Some(&Label::Boolean(true))))
    }

    /// Prepares the windows over the groups, in the order of their places.
    fn windows(&self, cells: usize) -> Vec<GroupRows> {
        let mut windows: Vec<_> = self.layout.outputs.iter().flat_map(|output| output.value.windows()).collect();
        if windows.is_empty() {
            return Vec::new();
        }
        windows.sort_by_key(|window| window.place);
        windows.dedup_by_key(|window| window.place);
        let groups: Vec<Group> = (0..cells).map(|cell| self.group(cell)).collect();
        let values: Vec<CellValues<'_>> = groups.iter().map(|group| self.values(group)).collect();
        let left: Vec<bool> = values.iter().map(|at| self.is_left(*at)).collect();
        windows.into_iter().map(|window| GroupRows::new(window, &values, &left)).collect()
    }
}

fn row(
    layout: &Layout,
    vectors: &[NoisyVector],
    at: CellValues<'_>,
    has_errors: bool,
    widths: &mut HashMap<usize, i128>,
) -> AnswerRow {
    let (laws, cell, places) = (at.laws, at.cell, at.places);
    let mut row = AnswerRow { cells: Vec::new(), sorts: Vec::new(), said: Vec::new() };
    for (index, output) in layout.outputs.iter().enumerate() {
        if output.value.made_of().iter().any(|measurement| at.shown(*measurement).is_err()) {
            let cells = row.cells.len();
            row.push_absent(AbsenceReason::Hidden, Range::WHOLE, names(output, has_errors).len());
            if output.value.is_hidden() {
                row.hide_last(cells);
            }
            continue;
        }
        let (value, before) = match &output.value {
            OutputValue::Hidden(value) => (&**value, Some(row.cells.len())),
            value => (value, None),
        };
        match value {
            OutputValue::Key { index } => match places[*index] {
                Some(code) => row.push_key(&layout.keys[*index][code], code),
                None => row.push_total(),
            },
            OutputValue::Grouping { index } => {
                row.push_key(&Label::Integer(i64::from(places[*index].is_none())), 0);
            }
            OutputValue::Count { count } => {
                let count = *count;
                let value = coarse(&vectors[count], cell);
                let width = *widths.entry(index).or_insert_with(|| whole_width(&[(1.0, laws[count])]));
                row.push_estimate(value, width, 1_000_000_000);
                if has_errors {
                    row.push_error(laws[count].std_error());
                }
            }
            OutputValue::Sum { sum, count, grid } => {
                let value = total(vectors, *sum, *count, grid, cell);
                let width = *widths.entry(index).or_insert_with(|| whole_width(&sum_terms(laws, *sum, *count, grid)));
                row.push_estimate(value, width, grid.step.into());
                if has_errors {
                    row.push_error(interval::std_error(&sum_terms(laws, *sum, *count, grid)) * grid.step_value());
                }
            }
            OutputValue::Mean { sum, count, grid } => {
                let (s, n) = (at.values[*sum], at.values[*count]);
                let centre = grid.centre() as f64;
                let domain = (grid.low as f64 - centre, grid.high as f64 - centre);
                let (low, high) = grid.bounds();
                let mean = interval::mean(s, laws[*sum], n, laws[*count], domain);
                row.push_formula(of_mean(&mean, grid), Range::new(low, high));
            }
            OutputValue::Formula { formula, range } => row.push_formula(formula.ends(at), *range),
            OutputValue::Words(Words::Key(key)) if places.get(*key) == Some(&None) => row.push_total(),
            OutputValue::Words(words) => row.push_label(words.label(at)),
            // A hidden value is not hidden twice.
            OutputValue::Hidden(_) => row.push_key(&Label::Missing, 0),
        }
        if let Some(cells) = before {
            row.hide_last(cells);
        }
    }
    row
}

fn of_mean(mean: &interval::Mean, grid: &Grid) -> Result<IntervalEstimate, AbsenceReason> {
    let number = |steps: f64| (steps + grid.centre() as f64) * grid.step_value();
    let (estimate, error) = mean.estimate.ok_or(AbsenceReason::LostInNoise)?;
    let std_error = error * grid.step_value();
    Ok(IntervalEstimate { value: number(estimate), low: number(mean.low), high: number(mean.high), std_error })
}

/// ⌊zσ + ½⌋ steps, so that the interval covers a value on the grid after the noise and half a step of rounding.
fn whole_width(terms: &[(f64, NoiseLaw)]) -> i128 {
    (interval::half_width(terms) + 0.5).floor() as i128
}

pub(super) fn sum_terms(laws: &[NoiseLaw], sum: usize, count: Option<usize>, grid: &Grid) -> Vec<(f64, NoiseLaw)> {
    let about = count.map(|count| (grid.centre() as f64, laws[count]));
    std::iter::once((1.0, laws[sum])).chain(about).collect()
}
