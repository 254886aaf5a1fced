//! Window functions: values that depend on the other rows of a unit in an order.
//!
//! Promises that the rows of each unit are sorted once for all windows with the same partition and order.

use super::frame::{FrameColumn, NO_ROW, UnitFrame};
use super::frame_values::aggregated;
use super::order::{SortKeys, ascending};
use super::sorted::Sorted;
use super::window_frames::Frames;
use crate::engine::polars::compile::{Compiler, IntegerForm};
use crate::engine::polars::operands::Values;
use crate::engine::polars::per_unit::{UnitColumn, centre, ends};
use crate::engine::polars::program::{RowProgram, ValueId};
use crate::engine::polars::window::Window;
use crate::query::computation::relation::{FrameBounds, WindowColumn, WindowFunction, ntile};
use crate::query::terms::policy::Terms;
use polars::prelude::PolarsResult;
use std::collections::BTreeSet;
use std::ops::Range;

/// The window functions of an operator.
pub(super) struct WindowStep {
    program: RowProgram,
    orders: Vec<Order>,
    /// The wanted functions.
    columns: Vec<Option<WindowValue>>,
}

/// A partition and an order.
#[derive(PartialEq)]
struct Order {
    partition: Vec<ValueId>,
    /// Each key with whether it descends and whether missing values come first.
    keys: Vec<(ValueId, bool, bool)>,
}

struct WindowValue {
    /// Index of its order.
    order: usize,
    function: Function,
    frame: FrameBounds,
    /// The centre about which its values are stored.
    centre: i64,
}

enum Function {
    RowNumber,
    Rank,
    DenseRank,
    Ntile(u32),
    Lag(ValueId, u32),
    Lead(ValueId, u32),
    Nth(ValueId, u32),
    Last(ValueId),
    Aggregate(UnitColumn),
}

impl WindowStep {
    /// Compiles the wanted ones among some functions of rows whose terms are `of`, into rows whose terms are `made`.
    pub(super) fn of(columns: &[WindowColumn], wanted: &BTreeSet<usize>, of: &Terms, made: &Terms) -> Self {
        let mut compiler = Compiler::of(of);
        let mut orders = Vec::new();
        let first = of.columns.len();
        let column = |(at, column): (usize, &WindowColumn)| {
            if !wanted.contains(&(first + at)) {
                return None;
            }
            let mut value = |term| compiler.value(term, IntegerForm::Stored);
            let partition = column.partition.iter().map(&mut value).collect();
            let keys = column.order.iter().map(|key| (value(&key.by), key.descending, key.nulls_first)).collect();
            let order = Order { partition, keys };
            let place = orders.iter().position(|known| *known == order).unwrap_or_else(|| {
                orders.push(order);
                orders.len() - 1
            });
            let domain = &made.columns[first + at].domain;
            let function = match &column.function {
                WindowFunction::RowNumber => Function::RowNumber,
                WindowFunction::Rank => Function::Rank,
                WindowFunction::DenseRank => Function::DenseRank,
                WindowFunction::Ntile(parts) => Function::Ntile(*parts),
                WindowFunction::Lag(of, by) => Function::Lag(value(of), *by),
                WindowFunction::Lead(of, by) => Function::Lead(value(of), *by),
                WindowFunction::Nth(of, number) => Function::Nth(value(of), *number),
                WindowFunction::Last(of) => Function::Last(value(of)),
                WindowFunction::Aggregate(of) => Function::Aggregate(UnitColumn::of(of, domain, &mut compiler)),
            };
            Some(WindowValue { order: place, function, frame: column.frame, centre: centre(domain) })
        };
        let columns = columns.iter().enumerate().map(column).collect();
        Self { program: compiler.finish(), orders, columns }
    }

    /// Adds the functions' values to each row.
    pub(super) fn evaluate<'a>(&self, mut of: UnitFrame<'a>) -> PolarsResult<UnitFrame<'a>> {
        let units = ends(&of.units)?;
        let sorted: Vec<Sorted> = self.orders.iter().map(|order| self.sorted(&of, order, &units)).collect();
        let column = |column: &Option<WindowValue>| {
            let column = column.as_ref()?;
            Some(FrameColumn::from(self.values(&of, column, &sorted[column.order])))
        };
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        of.columns.extend(columns);
        Ok(of)
    }

    fn sorted(&self, of: &UnitFrame<'_>, order: &Order, units: &[usize]) -> Sorted {
        let partition = order.partition.iter().map(|value| (*value, false, true));
        let keys: Vec<_> = partition.chain(order.keys.iter().copied()).collect();
        let values: Vec<ValueId> = keys.iter().map(|(value, ..)| *value).collect();
        let values = of.computed(&self.program, &values).into_iter().zip(&keys);
        let keys = values.map(|(values, (_, descending, nulls_first))| ascending(values, *descending, *nulls_first));
        let keys = SortKeys(keys.collect());
        let rows = keys.sorted(units).unwrap_or_else(|| (0..of.rows() as u32).collect());
        let partition_keys = order.partition.len();
        let mut partitions = Vec::with_capacity(units.len());
        let mut start = 0;
        for unit in units {
            let is_new = |place: usize| !keys.is_same(partition_keys, rows[place - 1] as usize, rows[place] as usize);
            for place in (start + 1..*unit).filter(|_| partition_keys > 0) {
                if is_new(place) {
                    partitions.push(start..place);
                    start = place;
                }
            }
            partitions.push(start..*unit);
            start = *unit;
        }
        Sorted { rows, partitions, keys, partition_keys }
    }

    fn values(&self, of: &UnitFrame<'_>, column: &WindowValue, sorted: &Sorted) -> Values {
        let frames = || Frames::of(&column.frame, sorted);
        let moved = |value: ValueId, source: &dyn Fn(usize, &Range<usize>) -> Option<usize>| {
            let mut sources = vec![NO_ROW; sorted.rows.len()];
            for partition in &sorted.partitions {
                for place in partition.clone() {
                    let source = source(place, partition).and_then(|source| sorted.rows.get(source));
                    sources[sorted.rows[place] as usize] = source.copied().unwrap_or(NO_ROW);
                }
            }
            let of = of.computed(&self.program, &[value]).pop().unwrap_or_else(|| Values::with_room(0));
            FrameColumn::from(of).picked(&sources)
        };
        let before = |by: u32| {
            move |place: usize, partition: &Range<usize>| {
                place.checked_sub(by as usize).filter(|source| *source >= partition.start)
            }
        };
        let after = |by: u32| {
            move |place: usize, partition: &Range<usize>| {
                place.checked_add(by as usize).filter(|source| *source < partition.end)
            }
        };
        match &column.function {
            Function::RowNumber => column.counted(sorted, |_, _, so_far| so_far + 1),
            Function::Rank => column.counted(sorted, |place, partition, so_far| {
                if place > partition.start && sorted.is_peer(place) {
                    so_far
                } else {
                    (place - partition.start) as i64 + 1
                }
            }),
            Function::DenseRank => column.counted(sorted, |place, partition, so_far| {
                if place > partition.start && sorted.is_peer(place) { so_far } else { so_far + 1 }
            }),
            Function::Ntile(parts) => column.counted(sorted, |place, partition, _| {
                ntile(place - partition.start, partition.len(), *parts as usize) as i64 + 1
            }),
            Function::Lag(value, by) => moved(*value, &before(*by)),
            Function::Lead(value, by) => moved(*value, &after(*by)),
            Function::Nth(value, number) => {
                let (frames, number) = (frames(), *number as usize);
                moved(*value, &|place, _| {
                    let frame = frames.of_place(place);
                    let source = number.checked_sub(1).and_then(|by| frame.start.checked_add(by));
                    source.filter(|source| *source < frame.end)
                })
            }
            Function::Last(value) => {
                let frames = frames();
                moved(*value, &|place, _| {
                    let frame = frames.of_place(place);
                    frame.end.checked_sub(1).filter(|source| *source >= frame.start)
                })
            }
            Function::Aggregate(aggregate) => {
                let mut needed = aggregate.needed(of.rows());
                let block = of.block();
                for window in Window::all(&block, 0..of.rows(), &self.program) {
                    aggregate.read(&window, None, &mut needed);
                }
                let by_place = aggregated(aggregate, &needed, &sorted.rows, &frames());
                let mut values = vec![None; of.rows()];
                sorted.rows.iter().zip(by_place).for_each(|(row, value)| values[*row as usize] = value);
                Values::about(&values, aggregate.centre)
            }
        }
    }
}

impl WindowValue {
    /// Numbers the rows of each partition; `next` makes a row's number from that of the row before it, which is 0 for the first row.
    fn counted(&self, sorted: &Sorted, next: impl Fn(usize, &Range<usize>, i64) -> i64) -> Values {
        let mut values = vec![0; sorted.rows.len()];
        for partition in &sorted.partitions {
            let mut so_far = 0;
            for place in partition.clone() {
                so_far = next(place, partition, so_far);
                values[sorted.rows[place] as usize] = so_far.wrapping_sub(self.centre);
            }
        }
        Values { values, present: None }
    }
}
