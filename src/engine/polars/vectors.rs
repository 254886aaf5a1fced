//! The exact vectors of a computation: one integer for each public group and measurement.

use super::expressions::Expressions;
use super::table::{Loaded, gathered};
use crate::kernel::privacy::prefix_sums::PrefixSums;
use crate::query::computation::{Computation, Measure};
use polars::prelude::*;

pub(super) const CELL: &str = "cell";

pub(super) fn vectors(loaded: &Loaded, computation: &Computation, groups: usize) -> PolarsResult<Vec<Vec<i64>>> {
    let terms = computation.seen(&loaded.terms);
    let expressions = Expressions { terms: &terms };
    let mut frame = match &computation.units {
        None => loaded.counted(computation.rows_per_unit),
        Some(units) => crate::engine::polars::per_unit::table(loaded, units, computation, &terms)?.lazy(),
    };
    if let Some(filter) = &computation.filter {
        frame = frame.filter(expressions.filter(filter));
    }
    let plain = (0..).zip(&computation.measures).filter_map(|(at, one)| Some((at, expressions.measure(one)?)));
    let measures: Vec<Expr> = plain.map(|(at, one): (usize, Expr)| one.alias(format!("m{at}"))).collect();
    let histograms = crate::engine::polars::histograms::histograms(&frame, &expressions, computation, groups)?;
    let answer = if measures.is_empty() {
        DataFrame::empty()
    } else if computation.keys.is_empty() {
        gathered(frame.select(measures))?
    } else {
        gathered(frame.group_by([expressions.cell(&computation.keys).alias(CELL)]).agg(measures))?
    };
    let cells: Vec<usize> = if computation.keys.is_empty() || measures_are_histograms(computation) {
        vec![0]
    } else {
        let cells = answer.column(CELL)?.cast(&DataType::UInt32)?;
        cells.u32()?.iter().map(|cell| cell.map_or(usize::MAX, |cell| cell as usize)).collect()
    };
    let of = |(at, measure): (usize, &Measure)| match (histograms.get(&at), measure) {
        (Some(vector), _) => Ok(vector.clone()),
        (None, Measure::Over { .. }) => alone(loaded, &computation.alone(measure)),
        (None, Measure::PrefixSums { key, measure }) => rooted(loaded, computation, *key, measure),
        (None, _) => dense(&answer, at, &cells, groups),
    };
    computation.measures.iter().enumerate().map(of).collect()
}

/// Computes the prefix-sum measurement of a count along an ordered key.
pub(super) fn rooted(
    loaded: &Loaded,
    computation: &Computation,
    key: usize,
    measure: &Measure,
) -> PolarsResult<Vec<i64>> {
    let counts = alone(loaded, &computation.alone(measure))?;
    let whole = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let stride = computation.keys[key + 1..].iter().map(|key| whole(key.size())).product::<usize>();
    let groups = whole(computation.keys[key].size());
    let roots = PrefixSums::of(groups);
    let mut vector = vec![0; counts.len()];
    for first in (0..counts.len()).filter(|cell| cell / stride % groups == 0) {
        let along: Vec<i64> = (0..groups).map(|group| counts[first + group * stride]).collect();
        for (group, value) in roots.apply(&along).into_iter().enumerate() {
            vector[first + group * stride] = value;
        }
    }
    Ok(vector)
}

/// Evaluates a computation with a single measurement.
pub(in crate::engine) fn alone(loaded: &Loaded, alone: &Computation) -> PolarsResult<Vec<i64>> {
    let groups = usize::try_from(alone.groups()).unwrap_or(usize::MAX);
    Ok(vectors(loaded, alone, groups)?.swap_remove(0))
}

pub(super) fn measures_are_histograms(computation: &Computation) -> bool {
    let is_own =
        |measure: &Measure| matches!(measure, Measure::Bins { .. } | Measure::Over { .. } | Measure::PrefixSums { .. });
    computation.measures.iter().all(is_own)
}

/// Returns one measurement's vector over all public groups; groups without rows hold 0.
pub(super) fn dense(answer: &DataFrame, at: usize, cells: &[usize], groups: usize) -> PolarsResult<Vec<i64>> {
    let values = answer.column(&format!("m{at}"))?.cast(&DataType::Int64)?;
    let mut vector = vec![0; groups];
    for (cell, value) in cells.iter().zip(values.i64()?.iter()) {
        if let Some(slot) = vector.get_mut(*cell) {
            *slot = value.unwrap_or(0);
        }
    }
    Ok(vector)
}
