//! Histograms: counts of rows by group and bin; coarser levels are summed from finer ones.
//!
//! Promises one group-by per binned term, however many levels are asked for, as long as the bins of each level divide those of the next.

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::*;

use crate::engine::polars::expressions::Expressions;
use crate::engine::polars::table::gathered;
use crate::query::computation::{Computation, Measure};
use crate::query::term::Term;
use crate::query::term::lower::{IntegerFunction, Step, lower};

const CELL: &str = "cell";
const COUNT: &str = "count";

/// One level of a histogram tree, with the index of its measurement.
struct Level {
    at: usize,
    width: i64,
    count: u32,
}

/// Returns the vectors of a computation's histograms, by the index of their measurement.
pub(crate) fn histograms(
    frame: &LazyFrame,
    expressions: &Expressions<'_>,
    computation: &Computation,
    groups: usize,
) -> PolarsResult<HashMap<usize, Vec<i64>>> {
    let mut of: HashMap<(&Term, i64), Vec<Level>> = HashMap::new();
    for (at, measure) in computation.measures.iter().enumerate() {
        if let Measure::Bins { column, low, width, count } = measure {
            of.entry((column, *low)).or_default().push(Level { at, width: *width, count: *count });
        }
    }
    let mut vectors = HashMap::new();
    for ((term, low), mut levels) in of {
        levels.sort_by_key(|level| level.width);
        let mut finer: Option<(i64, u32, Vec<i64>)> = None;
        for level in levels {
            let vector = match &finer {
                // The finer level's bins divide this level's.
                Some((width, count, counts)) if level.width % width == 0 => {
                    summed(counts, *count as usize, (level.width / width) as usize, level.count as usize)
                }
                Some(_) | None => counted(frame, expressions, computation, (term, low, &level), groups)?,
            };
            finer = Some((level.width, level.count, vector.clone()));
            vectors.insert(level.at, vector);
        }
    }
    Ok(vectors)
}

/// Sums every `parts` bins of each group into one.
fn summed(finer: &[i64], count: usize, parts: usize, wanted: usize) -> Vec<i64> {
    let group = |bins: &[i64]| {
        let mut coarse: Vec<i64> = bins.chunks(parts.max(1)).map(|bins| bins.iter().sum()).collect();
        coarse.resize(wanted, 0);
        coarse
    };
    finer.chunks(count.max(1)).flat_map(group).collect()
}

fn counted(
    frame: &LazyFrame,
    expressions: &Expressions<'_>,
    computation: &Computation,
    (term, low, level): (&Term, i64, &Level),
    groups: usize,
) -> PolarsResult<Vec<i64>> {
    // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
    let value = lower(term, expressions.terms).expect("a typed term can be lowered").step;
    let above = Step::Plus([(value, 1), (Step::Constant(-low), 1)].into());
    let bin = expressions.step(&Step::Apply(IntegerFunction::Cut(level.width), Arc::new(above)));
    let cell = expressions.cell(&computation.keys).cast(DataType::Int64) * lit(i64::from(level.count)) + bin;
    let rows = frame.clone().select([cell.alias(CELL)]).filter(col(CELL).is_not_null());
    let answer = gathered(rows.group_by([col(CELL)]).agg([len().alias(COUNT)]))?;
    let counts = answer.column(COUNT)?.cast(&DataType::Int64)?;
    let mut vector = vec![0; groups * level.count as usize];
    for (cell, count) in answer.column(CELL)?.i64()?.iter().zip(counts.i64()?.iter()) {
        let slot = cell.and_then(|cell| usize::try_from(cell).ok()).and_then(|cell| vector.get_mut(cell));
        if let Some(slot) = slot {
            *slot = count.unwrap_or(0);
        }
    }
    Ok(vector)
}
