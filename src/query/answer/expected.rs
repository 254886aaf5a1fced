//! Expected errors: how wide the 95 % intervals of an answer will be, before anything is drawn for it.
//!
//! Promises that the intervals are those of the answer itself: values are assumed for the measurements of a group, and the formulas that
//! compute an answer's intervals from noisy values compute them from these. Nothing here reads a row or an unpaid value: values are assumed
//! from public bounds and statements and a number of rows (`assumed`), or are noisy values that the asker has paid for.
//!
//! **How wide an interval is depends on the noise**, too: the same share is shown with a wider interval if noise has made its denominator
//! smaller, and may be lost. So answers are assumed with a few fixed draws of noise (`draws`): the expected half-width is the median of
//! theirs, beside the range that nine of ten of them lie in.
//!
//! **Several groupings** are expected at the finest one, with the variance that its tables have together. **Windows over the groups** take
//! all groups, so they are expected for up to 2,048 groups. **Running sums** are expected at the last group, where they err most.

mod assumed;
mod draws;
mod shape;
mod supposed;
mod widths;

pub use self::assumed::{AssumedGroups, KnownMeasure, KnownValues};
pub use self::shape::{ColumnShape, QuartileLaw, ValueDistribution, ValueHistogram, ValuesFrom};
pub use self::widths::ExpectedWidth;

use self::assumed::{AssumedValues, ReferredMeasure, width as cells_of};
use self::draws::{Draw, NoiseTables};
use self::widths::WidthsOfDraws;
use super::formula::CellValues;
use super::formula::window::GroupRows;
use super::labels::Label;
use super::layout::Layout;
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::query::answer::grouping_sets::{MeasuredTables, variance};
use crate::query::computation::{Measure, codes};

/// Largest number of groups for which windows over the groups are expected.
const CELLS_MAX: usize = 2_048;
/// Largest number of pairs of draws.
const PAIRS_MAX: usize = 24;
/// Least number of pairs of draws: nine of ten half-widths lie between the least and the largest of as many.
const PAIRS_MIN: usize = 9;
/// About as many values are assumed for a group, over all draws.
const VALUES_MAX: usize = 100_000;

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

impl<'a> ExpectedQuestion<'a> {
    /// The half-widths of the shown outputs, in order, for each of the given cells.
    #[must_use]
    pub fn half_widths(&self, groups: &AssumedGroups<'_>, cells: &[usize]) -> Vec<Vec<ExpectedWidth>> {
        let shown = self.shown();
        let count: usize = shown.iter().map(|key| self.layout.keys[*key].len().max(1)).product();
        let has_windows = self.layout.outputs.iter().any(|output| !output.value.windows().is_empty());
        let over_groups = has_windows && count <= CELLS_MAX;
        let measured = self.measured();
        let values: usize = measured.iter().map(|one| cells_of(self.measures[one.measure])).sum();
        let values = values * if over_groups { count } else { 1 };
        let pairs = (VALUES_MAX / (2 * values).max(1)).clamp(PAIRS_MIN, PAIRS_MAX);
        let mut found: Vec<WidthsOfDraws> = cells.iter().map(|_| WidthsOfDraws::default()).collect();
        let tables = NoiseTables::new();
        for draw in Draw::all(pairs, &tables) {
            let widths = if over_groups {
                self.over_groups(groups, (&shown, count), cells, draw)
            } else {
                cells.iter().map(|cell| self.alone(groups, (&shown, *cell), draw)).collect()
            };
            found.iter_mut().zip(widths).for_each(|(found, widths)| found.add(widths));
        }
        found.into_iter().map(WidthsOfDraws::expected).collect()
    }

    /// The half-widths in one cell that no window reads; `None` stands for keys, for what has no interval, and for what is lost in noise.
    fn alone(&self, groups: &AssumedGroups<'_>, (shown, cell): (&[usize], usize), draw: Draw<'_>) -> Vec<Option<f64>> {
        let (measured, values) = self.values(groups, cell, draw);
        let laws: Vec<NoiseLaw> = measured.iter().map(|one| one.law).collect();
        let first: Vec<f64> = values.iter().map(|one| one.first().copied().unwrap_or(0.0)).collect();
        let places = self.places(shown, cell);
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
        self.widths(at, draw)
    }

    /// What the half-width of each shown output rests on, as far as it depends on how a column's values are spread.
    #[must_use]
    pub fn values_from(&self, groups: &AssumedGroups<'_>) -> Vec<Option<ValuesFrom>> {
        let measured = self.measured();
        let assumed = AssumedValues::new(&self.measures, groups, &measured, (0, 1.0), Draw::Expected);
        let shown = self.layout.outputs.iter().filter(|output| !output.value.is_hidden());
        shown.map(|output| assumed.values_from(&output.value.formula()?)).collect()
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
    fn values(&self, groups: &AssumedGroups<'_>, cell: usize, draw: Draw<'_>) -> (Vec<ReferredMeasure>, Vec<Vec<f64>>) {
        let measured = self.measured();
        let rows = groups.rows.get(cell).or(groups.rows.first()).copied().unwrap_or(0.0);
        let mut assumed = AssumedValues::new(&self.measures, groups, &measured, (cell, rows), draw);
        let formulas = self.layout.outputs.iter().filter_map(|output| output.value.formula());
        formulas.for_each(|formula| assumed.suppose(&formula));
        assumed.add_noise();
        let values = assumed.values;
        (measured, values)
    }

    /// The half-widths where a window reads other groups, too.
    fn over_groups(
        &self,
        groups: &AssumedGroups<'_>,
        (shown, count): (&[usize], usize),
        cells: &[usize],
        draw: Draw<'_>,
    ) -> Vec<Vec<Option<f64>>> {
        let of_cells: Vec<_> = (0..count).map(|cell| self.values(groups, cell, draw)).collect();
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
        let one = |cell: &usize| at.get(*cell).map(|at| self.widths(CellValues { windows: &prepared, ..*at }, draw));
        cells.iter().filter_map(one).collect()
    }

    fn widths(&self, at: CellValues<'_>, draw: Draw<'_>) -> Vec<Option<f64>> {
        let shown = self.layout.outputs.iter().filter(|output| !output.value.is_hidden());
        shown.map(|output| widths::of(output, at, draw)).collect()
    }
}
