//! The pass over a sealed table that a computation takes: one, however much is measured.
//!
//! **Why blocks may be added up: exact(A ∪ B) = exact(A) + exact(B)** for sets A and B of blocks without a common unit. A computation is
//! exact(T) = g(Σ φ(r)), where the sum is over the rows r of a table T′ that is made from T. Each step from T to T′ looks at the rows of one
//! unit alone: the bound on ranks, filters and keys look at one row; a table with one row per unit is made from each unit's own rows; and a
//! unit is cut to its first groups by its own rows, in the order of their ranks. Blocks are cut at the borders of units
//! ([`Loaded::block`]), so T′ is the disjoint union of what is made from the blocks, and the sum over T′ is the sum of the blocks' sums. A
//! number of distinct units is such a sum, too: 1 for each unit and each cell that the unit has a row in. The function g is linear (weights
//! of prefix sums; coarse bins from fine ones), so it may be applied to the sum of each set of blocks or to the sum of all.
//!
//! If groups are texts, a group is labelled only if a row counts in it. A row counts in A ∪ B if it counts in A or in B, so the labels of
//! A ∪ B are those of A and those of B, and a label that one of them lacks has cells of 0 there. Vectors are therefore added label by label
//! ([`Private::joined`](crate::kernel::vault::private::Private::joined)).
//!
//! The equation holds for the integers themselves: see [`super::accumulators`] for overflow.

use super::accumulators::{Binning, Places, Sums, Units};
use super::compile::Compiler;
use super::operands::both;
use super::per_unit::UnitFolds;
use super::program::{ConditionId, KeyId, NO_CELL, RowProgram, ValueId};
use super::relation::RelationProgram;
use super::stored::Block;
use super::stored_columns::StoredColumns;
use super::table::Loaded;
use super::texts::{First, TextCells};
use super::window::Window;
use crate::query::computation::{Computation, PlanKey};
use crate::query::terms::policy::Unit;
use polars::prelude::{PolarsResult, polars_bail};
use std::borrow::Cow;

/// A computation, compiled against a sealed table.
pub(super) struct Pass<'a> {
    loaded: &'a Loaded,
    stored: StoredColumns,
    program: RowProgram,
    /// Rows with a rank below this count; `None` for all of them.
    ranks: Option<u32>,
    filter: Option<ConditionId>,
    groupings: Vec<Grouping>,
    statistics: Vec<Statistic>,
    units: Option<UnitFolds>,
    relation: Option<RelationProgram>,
    text: Option<TextCells>,
}

/// How rows are grouped.
#[derive(PartialEq)]
pub(super) enum Grouping {
    /// By these keys, of which the last one varies fastest.
    Keys { keys: Vec<KeyId>, groups: usize },
    /// By a text, whose codes number the cells.
    Text { groups: usize },
}

impl Grouping {
    fn groups(&self) -> usize {
        match self {
            Self::Keys { groups, .. } | Self::Text { groups } => *groups,
        }
    }
}

/// What is added up in each group.
#[derive(PartialEq)]
struct Statistic {
    /// Index of its grouping.
    grouping: usize,
    kind: StatisticKind,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum StatisticKind {
    Rows,
    NonNull(ValueId),
    Sum(ValueId),
    Units,
    UnitsWhere(ConditionId),
    Bins(ValueId, Binning),
}

/// Largest number of cells that a statistic may have here; a plan has far fewer.
const CELLS_MAX: u64 = 1 << 28;

/// What has been added up so far, for each statistic, and how far the unit whose rows are being read has been cut.
pub(super) struct Tallies {
    sums: Vec<Sum>,
    first: Option<First>,
}

enum Sum {
    Sums(Sums),
    Units(Units),
}

impl<'a> Pass<'a> {
    /// Compiles everything but the measurements of a computation.
    pub(super) fn of(loaded: &'a Loaded, computation: &Computation, compiler: &mut Compiler<'_>) -> PolarsResult<Self> {
        let terms = &loaded.terms;
        let relation = computation.relation.as_ref();
        // The bound of a relation holds for all of its rows.
        let is_cut = terms.unit != Unit::Row && computation.rows_per_unit < terms.max_rows_per_unit;
        let is_cut = is_cut && relation.is_none();
        let ranks = is_cut.then_some(computation.rows_per_unit);
        let filter = computation.filter.as_ref().map(|filter| compiler.condition(filter));
        let units = computation.units.as_ref();
        let units = units.map(|units| UnitFolds::of(units, computation, terms, ranks));
        let text = computation.text.as_ref().map(|text| TextCells::of(text, loaded, computation));
        let relation = relation.map(|relation| RelationProgram::of(relation, &computation.declared(), terms));
        Ok(Self {
            loaded,
            stored: StoredColumns::of(computation, terms),
            program: RowProgram::default(),
            // The rows of a table with one row per unit have no ranks.
            ranks: ranks.filter(|_| units.is_none()),
            filter,
            groupings: Vec::new(),
            statistics: Vec::new(),
            units,
            relation: relation.transpose()?,
            text,
        })
    }

    /// Takes over the program, once everything has been compiled.
    pub(super) fn compiled(&mut self, program: RowProgram) {
        self.program = program;
    }

    /// Returns the index of the grouping by these keys.
    pub(super) fn by_keys(&mut self, keys: &[PlanKey], compiler: &mut Compiler<'_>) -> PolarsResult<usize> {
        let groups = keys.iter().fold(1_u64, |groups, key| groups.saturating_mul(key.size()));
        let keys = keys.iter().map(|key| compiler.key(key)).collect();
        Ok(place(&mut self.groupings, Grouping::Keys { keys, groups: cells(groups)? }))
    }

    /// Returns the index of the grouping by the text.
    pub(super) fn by_text(&mut self) -> PolarsResult<usize> {
        let groups = self.text.as_ref().map_or(0, TextCells::groups);
        Ok(place(&mut self.groupings, Grouping::Text { groups: cells(groups as u64)? }))
    }

    /// Returns the index of a statistic.
    pub(super) fn statistic(&mut self, grouping: usize, kind: StatisticKind) -> PolarsResult<usize> {
        if let StatisticKind::Bins(_, binning) = kind {
            cells((self.groupings[grouping].groups() as u64).saturating_mul(u64::from(binning.count)))?;
        }
        Ok(place(&mut self.statistics, Statistic { grouping, kind }))
    }

    /// A tally of no rows.
    pub(super) fn tally(&self) -> Tallies {
        let sum = |statistic: &Statistic| {
            let groups = self.groupings[statistic.grouping].groups();
            match statistic.kind {
                StatisticKind::Units | StatisticKind::UnitsWhere(_) => Sum::Units(Units::of(groups)),
                StatisticKind::Bins(_, binning) => Sum::Sums(Sums::of(groups * binning.count as usize)),
                StatisticKind::Rows | StatisticKind::NonNull(_) | StatisticKind::Sum(_) => Sum::Sums(Sums::of(groups)),
            }
        };
        let first = self.text.as_ref().and_then(TextCells::first);
        Tallies { sums: self.statistics.iter().map(sum).collect(), first }
    }

    /// Adds the rows of a block.
    pub(super) fn add(&self, index: usize, tally: &mut Tallies) -> PolarsResult<()> {
        if let Some(relation) = &self.relation {
            return relation.each(self.loaded, index, |block| self.add_block(block, tally));
        }
        let frame = self.loaded.block(index, &self.stored)?;
        let block = Block::of(&frame, self.stored.declared.iter().copied())?;
        match &self.units {
            None => self.add_block(&block, tally),
            Some(folds) => {
                for rows in folds.pieces(&block)? {
                    self.add_block(&folds.table(&block, rows)?.block(), tally);
                }
            }
        }
        Ok(())
    }

    fn add_block(&self, block: &Block<'_>, tally: &mut Tallies) {
        for window in Window::all(block, 0..block.rows, &self.program) {
            let counted = self.counted(&window);
            let counted = counted.as_deref();
            let first = &mut tally.first;
            let cells: Vec<Option<Vec<u32>>> =
                self.groupings.iter().map(|grouping| self.cells(grouping, &window, counted, first)).collect();
            for (statistic, sum) in self.statistics.iter().zip(&mut tally.sums) {
                let places = match (&cells[statistic.grouping], counted) {
                    (Some(cells), _) => Places::Cells(cells),
                    (None, Some(rows)) => Places::Some(rows),
                    (None, None) => Places::All(window.len()),
                };
                sum.add(statistic.kind, places, self.groupings[statistic.grouping].groups(), &window);
            }
        }
    }

    /// The rows of a window that pass the filter and the bound on ranks; `None` for all of them.
    fn counted<'w>(&self, window: &'w Window<'_>) -> Option<Cow<'w, [u8]>> {
        let passed = self.filter.map(|filter| window.holds(filter, true));
        match self.ranks.and_then(|count| window.ranked_below(count)) {
            Some(ranked) => Some(Cow::Owned(both(ranked, passed))),
            None => passed.map(Cow::Borrowed),
        }
    }

    /// The cell of each row of a window; `None` if there is one cell for all of them.
    fn cells(
        &self,
        grouping: &Grouping,
        window: &Window<'_>,
        counted: Option<&[u8]>,
        first: &mut Option<First>,
    ) -> Option<Vec<u32>> {
        match (grouping, &self.text) {
            (Grouping::Keys { keys, groups }, _) => self.cells_of(keys, *groups, window, counted),
            (Grouping::Text { .. }, Some(text)) => Some(text.cells(window, counted, first.as_mut())),
            (Grouping::Text { .. }, None) => None,
        }
    }

    fn cells_of(&self, keys: &[KeyId], groups: usize, window: &Window<'_>, counted: Option<&[u8]>) -> Option<Vec<u32>> {
        let (first, rest) = keys.split_first()?;
        let mut cells = window.codes(*first).to_vec();
        for key in rest {
            // All groups together are few.
            let size = self.program.keys[key.0].size() as u32;
            cells.iter_mut().zip(window.codes(*key)).for_each(|(cell, code)| {
                let is_in_none = *cell == NO_CELL || *code == NO_CELL;
                *cell = if is_in_none { NO_CELL } else { cell.wrapping_mul(size).wrapping_add(*code) };
            });
        }
        let none = groups as u32;
        match counted {
            None => cells.iter_mut().for_each(|cell| *cell = (*cell).min(none)),
            Some(rows) => cells.iter_mut().zip(rows).for_each(|(cell, row)| {
                *cell = if *row == 1 { (*cell).min(none) } else { none };
            }),
        }
        Some(cells)
    }
}

impl Sum {
    /// Adds the rows of a window.
    fn add(&mut self, kind: StatisticKind, places: Places<'_>, groups: usize, window: &Window<'_>) {
        match (self, kind) {
            (Self::Sums(sums), StatisticKind::Rows) => sums.count(places, None),
            (Self::Sums(sums), StatisticKind::NonNull(value)) => sums.count(places, window.presence(value)),
            (Self::Sums(sums), StatisticKind::Sum(value)) => sums.sum(places, window.value(value)),
            (Self::Sums(sums), StatisticKind::Bins(value, binning)) => {
                let cells = binning.cells(places, groups, window.value(value));
                sums.count(Places::Cells(&cells), None);
            }
            (Self::Units(units), kind) => {
                let only = match kind {
                    StatisticKind::UnitsWhere(condition) => Some(window.holds(condition, true)),
                    _ => None,
                };
                // Without units, such a statistic is not compiled.
                units.count(places, only, window.units().unwrap_or_default());
            }
            // A tally is made for its statistics, so the rest does not occur.
            (Self::Sums(_), StatisticKind::Units | StatisticKind::UnitsWhere(_)) => {}
        }
    }
}

impl Tallies {
    /// The sums of each statistic, cell by cell.
    pub(super) fn finish(self) -> Vec<Vec<i64>> {
        let finish = |sum: Sum| match sum {
            Sum::Sums(sums) => sums.finish(),
            Sum::Units(units) => units.finish(),
        };
        self.sums.into_iter().map(finish).collect()
    }
}

/// The place of an item in a list, to which it is added if it is not in it.
fn place<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    items.iter().position(|known| *known == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}

fn cells(cells: u64) -> PolarsResult<usize> {
    if cells > CELLS_MAX {
        polars_bail!(ComputeError: "too many cells");
    }
    Ok(cells as usize)
}
