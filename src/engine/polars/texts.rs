//! Groups by a text column without a public list.
//!
//! Promises one cell for each text that occurs in a row after the filter and after each unit was cut to its first groups, and no other
//! cells, in the order of the texts. The filter and the cut look only at one unit's own rows, in the order of their ranks, so other units
//! change neither.

use polars::prelude::*;

use crate::engine::polars::expressions::Expressions;
use crate::engine::polars::table::{Loaded, gathered};
use crate::kernel::vault::private::Exact;
use crate::query::computation::{Computation, Measure, TextKey};
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name};
use crate::query::terms::policy::Unit;

const COUNTS: &str = "counts";

/// Returns the exact vectors over the groups that occur.
pub(crate) fn found(loaded: &Loaded, computation: &Computation, text: &TextKey) -> PolarsResult<Exact> {
    let terms = computation.seen(&loaded.terms);
    let expressions = Expressions { terms: &terms };
    let counted = counted(loaded, &expressions, computation, text)?;
    // Totals have no groups.
    let of_groups =
        computation.measures.iter().enumerate().filter_map(|(at, one)| Some((at, expressions.measure(one)?)));
    let measures: Vec<Expr> = of_groups.map(|(at, one)| one.alias(format!("m{at}"))).collect();
    let groups = gathered(counted.group_by([col(column_name(text.column))]).agg(measures))?;
    let codes = groups.column(&column_name(text.column))?.cast(&DataType::UInt32)?;
    let texts = loaded.texts.get(&text.column).map(Vec::as_slice).unwrap_or_default();
    let label = |code: Option<u32>| code.and_then(|code| texts.get(code as usize).cloned());
    let labels: Vec<Option<String>> = codes.u32()?.iter().map(label).collect();
    // A group-by returns groups in no particular order.
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|one, other| labels[*one].cmp(&labels[*other]));
    let vector = |(at, measure): (usize, &Measure)| -> PolarsResult<Vec<i64>> {
        if let Measure::Over { .. } = measure {
            return crate::engine::polars::vectors::alone(loaded, &computation.alone(measure));
        }
        let values = groups.column(&format!("m{at}"))?.cast(&DataType::Int64)?;
        let values: Vec<i64> = values.i64()?.iter().map(|value| value.unwrap_or(0)).collect();
        Ok(order.iter().map(|group| values[*group]).collect())
    };
    let vectors = computation.measures.iter().enumerate().map(vector).collect::<PolarsResult<_>>()?;
    Ok(Exact { vectors, labels: Some(order.iter().map(|group| labels[*group].clone()).collect()) })
}

/// The rows that count: those that pass the filter and belong to the first groups of their unit.
fn counted(
    loaded: &Loaded,
    expressions: &Expressions<'_>,
    computation: &Computation,
    text: &TextKey,
) -> PolarsResult<LazyFrame> {
    let filter = computation.filter.as_ref().map(|filter| expressions.filter(filter));
    let is_one = loaded.terms.unit == Unit::Row || loaded.terms.columns[text.column].per_unit;
    if is_one || text.groups_per_unit >= computation.rows_per_unit {
        let rows = loaded.counted(computation.rows_per_unit);
        return Ok(match filter {
            Some(filter) => rows.filter(filter),
            None => rows,
        });
    }
    let counts = col(RANK_COLUMN).lt(lit(computation.rows_per_unit));
    let counts = match filter {
        Some(filter) => counts.and(filter),
        None => counts,
    };
    let column = col(column_name(text.column)).cast(DataType::UInt32).alias("code");
    let rows = gathered(loaded.table.clone().lazy().select([col(UNIT_COLUMN), column, counts.alias(COUNTS)]))?;
    let (units, codes) = (rows.column(UNIT_COLUMN)?.u32()?.clone(), rows.column("code")?.u32()?.clone());
    // Rows are selected by their position in the table, so the order must be the table's.
    if !loaded.table.column(UNIT_COLUMN)?.u32()?.iter().eq(units.iter()) {
        polars_bail!(ComputeError: "rows came in another order");
    }
    let groups = text.groups_max as usize + 1;
    let mut first = First { unit: None, groups: 0, most: text.groups_per_unit, taken: vec![None; groups] };
    let cells = units.iter().zip(codes.iter()).zip(rows.column(COUNTS)?.bool()?.iter());
    // A null condition passes no filter.
    let kept: BooleanChunked =
        cells.map(|((unit, code), counts)| counts == Some(true) && first.takes(unit, code)).collect();
    Ok(loaded.table.filter(&kept)?.lazy())
}

/// Keeps track of the first groups of the unit whose rows are being scanned.
struct First {
    unit: Option<u32>,
    /// Number of groups that the unit counts in so far.
    groups: u32,
    most: u32,
    /// For each group, by code, the last unit that was accepted into it; the last element stands for a missing text.
    taken: Vec<Option<u32>>,
}

impl First {
    /// Whether a row of this unit and this group counts.
    fn takes(&mut self, unit: Option<u32>, code: Option<u32>) -> bool {
        if self.unit != unit {
            (self.unit, self.groups) = (unit, 0);
        }
        let last = self.taken.len() - 1;
        let Some(taken) = self.taken.get_mut(code.map_or(last, |code| code as usize)) else { return false };
        if *taken == unit {
            return true;
        }
        let is_free = self.groups < self.most;
        if is_free {
            self.groups += 1;
            *taken = unit;
        }
        is_free
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
