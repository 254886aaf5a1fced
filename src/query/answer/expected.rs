//! Expected errors: how wide the 95 % intervals of an answer will be, before anything is drawn for it.
//!
//! Promises that the intervals are those of the answer itself: values are assumed for the measurements of a group, and the formulas that compute an answer's intervals from noisy values compute them from these. Nothing here
//! reads a row or an unpaid value: values are assumed from public bounds and a number of rows (`assumed`), or are noisy values that the
//! asker has paid for.
//!
//! **Several groupings** are expected at the finest one, with the variance that its tables have together. **Windows over the groups** take
//! all groups, so they are expected for up to 2,048 groups. **Running sums** are expected at the last group, where they err most.

mod assumed;

pub use self::assumed::{AssumedGroups, ColumnShape, KnownMeasure, ValueHistogram};

use self::assumed::AssumedValues;
use super::formula::window::GroupRows;
use super::formula::{CellValues, Formula, Range};
use super::labels::Label;
use super::layout::{Layout, Output, OutputValue};
use crate::kernel::privacy::certificate::NORMAL_975;
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::query::answer::grouping_sets::{MeasuredTables, variance};
use crate::query::computation::{Measure, codes};

/// Largest number of groups for which windows over the groups are expected.
const CELLS_MAX: usize = 2_048;

/// A question whose errors are expected.
#[derive(Clone)]
pub struct ExpectedQuestion<'a> {
    /// The measurements.
    pub measures: Vec<&'a Measure>,
    /// How measurements become outputs.
    pub layout: &'a Layout,
    /// Noise law of each measurement.
    pub laws: Vec<NoiseLaw>,
}

/// What an output refers to by an index: a measurement, with the law that its values have in the grouping that is expected.
struct ReferredMeasure {
    measure: usize,
    law: NoiseLaw,
}

impl<'a> ExpectedQuestion<'a> {
    /// The half-widths of the shown outputs, in order, for each of the given cells. `None` stands for keys, for what has no interval, and
    /// for what is lost in noise.
    #[must_use]
    pub fn half_widths(&self, groups: &AssumedGroups<'_>, cells: &[usize]) -> Vec<Vec<Option<f64>>> {
        let shown = self.shown();
        let count: usize = shown.iter().map(|key| self.layout.keys[*key].len().max(1)).product();
        let has_windows = self.layout.outputs.iter().any(|output| !output.value.windows().is_empty());
        if has_windows && count <= CELLS_MAX {
            return self.over_groups(groups, &shown, count, cells);
        }
        let one = |cell: &usize| {
            let (measured, values) = self.values(groups, *cell);
            let laws: Vec<NoiseLaw> = measured.iter().map(|one| one.law).collect();
            let first: Vec<f64> = values.iter().map(|one| one.first().copied().unwrap_or(0.0)).collect();
            let places = self.places(&shown, *cell);
            let at = CellValues {
                values: &first,
                laws: &laws,
                all: &values,
                cell: 0,
                hidden: &[],
                keys: &self.layout.keys,
                places: &places,
                windows: &[],
            };
            self.widths(at)
        };
        cells.iter().map(one).collect()
    }

    /// Whether the half-width of each shown output rests on a guess of how a column's values are spread, because nothing is known of them.
    #[must_use]
    pub fn guesses(&self, groups: &AssumedGroups<'_>) -> Vec<bool> {
        let measures: Vec<_> = self.measured().iter().map(|one| one.measure).collect();
        let assumed = AssumedValues::new(&self.measures, groups, &measures, 0, 1.0);
        let shown = self.layout.outputs.iter().filter(|output| !output.value.is_hidden());
        shown.map(|output| output.value.formula().is_some_and(|formula| assumed.guesses(&formula))).collect()
    }

    /// Number of groups of the grouping that is expected.
    #[must_use]
    pub fn cells(&self) -> u64 {
        let sizes = self.shown().into_iter().map(|key| (self.layout.keys[key].len() as u64).max(1));
        sizes.fold(1, u64::saturating_mul)
    }

    /// The labels of a group, one for each key of the grouping that is expected.
    #[must_use]
    pub fn labels(&self, cell: usize) -> Vec<&'a Label> {
        let places = self.places(&self.shown(), cell);
        self.layout.keys.iter().zip(places).filter_map(|(labels, place)| labels.get(place?)).collect()
    }

    /// Indices of the keys of the grouping that is expected: the finest one.
    fn shown(&self) -> Vec<usize> {
        match &self.layout.sets {
            None => (0..self.layout.keys.len()).collect(),
            Some(sets) => sets.shown.iter().max_by_key(|keys| keys.len()).cloned().unwrap_or_default(),
        }
    }

    fn places(&self, shown: &[usize], cell: usize) -> Vec<Option<usize>> {
        let mut places = vec![None; self.layout.keys.len()];
        // Groups that are only found have no labels yet.
        let of_keys = codes(shown.iter().map(|key| (self.layout.keys[*key].len() as u64).max(1)), cell as u64);
        shown.iter().zip(of_keys).for_each(|(key, code)| places[*key] = usize::try_from(code).ok());
        places
    }

    /// What outputs refer to, by index.
    fn measured(&self) -> Vec<ReferredMeasure> {
        let Some(sets) = &self.layout.sets else {
            return self.laws.iter().enumerate().map(|(measure, law)| ReferredMeasure { measure, law: *law }).collect();
        };
        let shown = self.shown();
        let sizes: Vec<usize> = self.layout.keys.iter().map(|labels| labels.len()).collect();
        let one = |tables: &MeasuredTables| {
            let own = tables.tables.iter().find(|table| table.keys == shown).unwrap_or(&tables.tables[0]);
            let law = self.laws[own.vector];
            if !tables.adds_up {
                return ReferredMeasure { measure: own.vector, law };
            }
            let variance_of = |vector: usize| self.laws[vector].std_error().powi(2);
            let of_tables = tables.tables.iter().map(|table| (table.keys.clone(), variance_of(table.vector)));
            let variances: Vec<(Vec<usize>, f64)> = of_tables.collect();
            let error = variance(&variances, &sizes, &shown).sqrt();
            ReferredMeasure { measure: own.vector, law: NoiseLaw { scale: law.scale * error / law.std_error(), ..law } }
        };
        sets.measured.iter().map(one).collect()
    }

    /// The assumed values of one cell, for each index that outputs refer to.
    fn values(&self, groups: &AssumedGroups<'_>, cell: usize) -> (Vec<ReferredMeasure>, Vec<Vec<f64>>) {
        let measured = self.measured();
        let rows = groups.rows.get(cell).or(groups.rows.first()).copied().unwrap_or(0.0);
        let measures: Vec<_> = measured.iter().map(|one| one.measure).collect();
        let mut assumed = AssumedValues::new(&self.measures, groups, &measures, cell, rows);
        let formulas = self.layout.outputs.iter().filter_map(|output| output.value.formula());
        formulas.for_each(|formula| assumed.suppose(&formula));
        (measured, assumed.values)
    }

    /// The half-widths where a window reads other groups, too.
    fn over_groups(
        &self,
        groups: &AssumedGroups<'_>,
        shown: &[usize],
        count: usize,
        cells: &[usize],
    ) -> Vec<Vec<Option<f64>>> {
        let of_cells: Vec<_> = (0..count).map(|cell| self.values(groups, cell)).collect();
        let Some((measured, _)) = of_cells.first() else { return Vec::new() };
        let laws: Vec<NoiseLaw> = measured.iter().map(|one| one.law).collect();
        let all: Vec<Vec<f64>> = (0..laws.len())
            .map(|index| of_cells.iter().flat_map(|(_, values)| values[index].iter().copied()).collect())
            .collect();
        let firsts: Vec<Vec<f64>> = of_cells
            .iter()
            .map(|(_, values)| values.iter().map(|one| one.first().copied().unwrap_or(0.0)).collect())
            .collect();
        let places: Vec<_> = (0..count).map(|cell| self.places(shown, cell)).collect();
        let at: Vec<CellValues<'_>> = (0..count)
            .map(|cell| CellValues {
                values: &firsts[cell],
                laws: &laws,
                all: &all,
                cell,
                hidden: &[],
                keys: &self.layout.keys,
                places: &places[cell],
                windows: &[],
            })
            .collect();
        let mut windows: Vec<_> = self.layout.outputs.iter().flat_map(|output| output.value.windows()).collect();
        windows.sort_by_key(|window| window.place);
        windows.dedup_by_key(|window| window.place);
        let left = vec![true; count];
        let prepared: Vec<GroupRows> = windows.into_iter().map(|window| GroupRows::new(window, &at, &left)).collect();
        let one = |cell: &usize| at.get(*cell).map(|at| self.widths(CellValues { windows: &prepared, ..*at }));
        cells.iter().filter_map(one).collect()
    }

    fn widths(&self, at: CellValues<'_>) -> Vec<Option<f64>> {
        let shown = self.layout.outputs.iter().filter(|output| !output.value.is_hidden());
        shown.map(|output| width(output, at)).collect()
    }
}

/// The half-width of one output, cut to what is possible as an answer's intervals are.
///
/// Where the assumed value is at a bound or beyond it, the cut interval would be too narrow, since the answer's estimate may well lie inside:
/// there it is the whole half-width, at most that of everything possible.
fn width(output: &Output, at: CellValues<'_>) -> Option<f64> {
    let formula = output.value.formula()?;
    if let Formula::Run(run) = &formula {
        return Some(NORMAL_975 * at.laws.get(run.vector)?.std_error() * run.worst_variance().sqrt());
    }
    if formula.has_run() {
        return None;
    }
    let (ends, range) = (formula.ends(at).ok()?, range(&output.value));
    let cut = range.cut(ends);
    let (width, shown) = (ends.high - ends.low, cut.high - cut.low);
    let half_width = if range.has_inside(ends.value) { shown } else { width.min(range.width()) } / 2.0;
    // The lesser of a number and of none would be the number.
    Some(half_width).filter(|half_width| half_width.is_finite() && !width.is_nan())
}

fn range(value: &OutputValue) -> Range {
    match value {
        OutputValue::Mean { grid, .. } => {
            let (low, high) = grid.bounds();
            Range::new(low, high)
        }
        OutputValue::Formula { range, .. } => *range,
        OutputValue::Hidden(value) => range(value),
        OutputValue::Key { .. }
        | OutputValue::Grouping { .. }
        | OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Words(_) => Range::WHOLE,
    }
}
