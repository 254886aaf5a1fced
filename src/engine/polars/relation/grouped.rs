//! One row for each unit and each combination of keys among its rows.
//!
//! Promises groups in the order of their first rows. Without keys, or if the rows of each group come one after the other, no row is moved.

use super::frame::{FrameColumn, UnitFrame};
use super::order::{SortKeys, ascending};
use crate::engine::polars::compile::{Compiler, IntegerForm};
use crate::engine::polars::operands::Values;
use crate::engine::polars::per_unit::{UnitColumn, ends};
use crate::engine::polars::program::{RowProgram, ValueId};
use crate::engine::polars::window::Window;
use crate::query::computation::PerUnitColumn;
use crate::query::term::Term;
use crate::query::terms::policy::Terms;
use polars::prelude::PolarsResult;
use std::collections::BTreeSet;

/// A grouping within units.
pub(super) struct GroupStep {
    program: RowProgram,
    keys: Vec<ValueId>,
    /// The wanted ones among the keys.
    wanted: Vec<bool>,
    /// The aggregates that are wanted.
    columns: Vec<Option<UnitColumn>>,
}

impl GroupStep {
    /// Compiles a grouping of rows whose terms are `of`, into rows whose terms are `made`.
    pub(super) fn of(
        (keys, columns): (&[Term], &[PerUnitColumn]),
        wanted: &BTreeSet<usize>,
        of: &Terms,
        made: &Terms,
    ) -> Self {
        let mut compiler = Compiler::of(of);
        let own: Vec<ValueId> = keys.iter().map(|key| compiler.value(key, IntegerForm::Stored)).collect();
        let domains = made.columns.iter().skip(keys.len()).map(|column| &column.domain);
        let column = |(at, (column, domain))| {
            wanted.contains(&(keys.len() + at)).then(|| UnitColumn::of(column, domain, &mut compiler))
        };
        let columns = columns.iter().zip(domains).enumerate().map(column).collect();
        let wanted = (0..keys.len()).map(|at| wanted.contains(&at)).collect();
        Self { program: compiler.finish(), keys: own, wanted, columns }
    }

    pub(super) fn evaluate(&self, of: &UnitFrame<'_>) -> PolarsResult<UnitFrame<'static>> {
        let rows = of.rows();
        let mut keys: Vec<Values> = self.keys.iter().map(|_| Values::with_room(rows)).collect();
        let needed = |column: &Option<UnitColumn>| column.as_ref().map(|column| column.needed(rows));
        let mut needs: Vec<Option<Vec<Values>>> = self.columns.iter().map(needed).collect();
        let block = of.block();
        for window in Window::all(&block, 0..rows, &self.program) {
            self.keys.iter().zip(&mut keys).for_each(|(key, into)| into.extend(window.value(*key), None));
            for (column, into) in self.columns.iter().zip(&mut needs) {
                column.iter().zip(into).for_each(|(column, into)| column.read(&window, None, into));
            }
        }
        let groups = Groups::of(&keys, ends(&of.units)?);
        let firsts = groups.firsts();
        let key = |(key, is_wanted): (Values, &bool)| {
            is_wanted.then(|| FrameColumn::from(FrameColumn::from(key).picked(&firsts)))
        };
        let keys = keys.into_iter().zip(&self.wanted).map(key);
        let column = |(column, needs): (&Option<UnitColumn>, Option<Vec<Values>>)| {
            let (column, needs) = (column.as_ref()?, needs?);
            Some(FrameColumn::from(column.folded(&groups.ends, &groups.in_order(needs))))
        };
        let columns = self.columns.iter().zip(needs).map(column);
        let units = firsts.iter().map(|row| of.units[*row as usize]).collect::<Vec<_>>();
        Ok(UnitFrame { units: units.into(), columns: keys.chain(columns).collect() })
    }
}

/// The rows of each group.
struct Groups {
    /// The rows, group by group; `None` if they come like that.
    order: Option<Vec<u32>>,
    /// Where the rows of each group end.
    ends: Vec<usize>,
}

impl Groups {
    /// Splits the rows of each unit by their keys.
    fn of(keys: &[Values], units: Vec<usize>) -> Self {
        if keys.is_empty() {
            return Self { order: None, ends: units };
        }
        let key = |key: &Values| {
            let (values, present) = (key.values.clone(), key.present.clone());
            ascending(Values { values, present }, false, true)
        };
        let keys = SortKeys(keys.iter().map(key).collect());
        let sorted = keys.sorted(&units);
        let rows = units.last().copied().unwrap_or(0);
        let row = |place: usize| sorted.as_ref().map_or(place, |rows| rows[place] as usize);
        let (mut order, mut ends) = (Vec::with_capacity(rows), Vec::with_capacity(units.len()));
        // For each group of a unit, its first row and the places of its rows.
        let mut groups: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        let mut start = 0;
        for unit in units {
            groups.clear();
            for place in start..unit {
                match groups.last_mut() {
                    Some((_, places)) if keys.is_same(keys.0.len(), row(place - 1), row(place)) => places.end += 1,
                    _ => groups.push((row(place), place..place + 1)),
                }
            }
            groups.sort_unstable_by_key(|(first, _)| *first);
            for (_, places) in &groups {
                order.extend(places.clone().map(|place| row(place) as u32));
                ends.push(order.len());
            }
            start = unit;
        }
        let is_moved = order.iter().zip(0..).any(|(row, place)| *row != place);
        Self { order: is_moved.then_some(order), ends }
    }

    /// The first row of each group.
    fn firsts(&self) -> Vec<u32> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied()).take(self.ends.len());
        starts.map(|place| self.order.as_ref().map_or(place as u32, |order| order[place])).collect()
    }

    fn in_order(&self, needs: Vec<Values>) -> Vec<Values> {
        match &self.order {
            None => needs,
            Some(order) => needs.into_iter().map(|values| FrameColumn::from(values).picked(order)).collect(),
        }
    }
}
