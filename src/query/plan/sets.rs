//! Grouping sets: what is measured for a question with several groupings.

use crate::query::answer::grouping_sets::{GroupingSets, KEYS_MAX, MeasuredTable, MeasuredTables, maximal};
use crate::query::computation::{CELLS_MAX, Coarsening, Measure, PlanKey};
use crate::query::error::{Code, QueryError};
use crate::query::syntax::{Expression, Query};
use crate::query::term::checker as terms_of;
use crate::query::term::context::TermContext;

/// Converts the groupings of a query to indices of the typed keys.
pub(super) fn typed(
    query: &Query,
    grouped: &[Expression],
    keys: &[PlanKey],
    known: &TermContext<'_>,
) -> Result<Option<Vec<Vec<usize>>>, QueryError> {
    let Some(sets) = &query.sets else { return Ok(None) };
    let mut places = Vec::with_capacity(grouped.len());
    for expression in grouped {
        let term = terms_of::expression(expression, known)?;
        places.extend(keys.iter().position(|key| key.column == term));
    }
    let mut all: Vec<Vec<usize>> = Vec::with_capacity(sets.len());
    for set in sets {
        let mut set: Vec<usize> = set.iter().map(|key| places[*key]).collect();
        set.sort_unstable();
        set.dedup();
        if set.len() > KEYS_MAX {
            let message = format!("a grouping by {} keys; accepted are at most {KEYS_MAX}", set.len());
            return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message));
        }
        if all.contains(&set) {
            return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, "a grouping stands twice")
                .hint("leave the second one out"));
        }
        all.push(set);
    }
    check_size(&all, keys, query)?;
    Ok(Some(all))
}

/// Checks that the groupings show at most [`CELLS_MAX`] cells.
fn check_size(sets: &[Vec<usize>], keys: &[PlanKey], query: &Query) -> Result<(), QueryError> {
    let cells = |set: &Vec<usize>| set.iter().fold(1_u64, |all, key| all.saturating_mul(keys[*key].size()));
    let shown = sets.iter().map(cells).fold(0_u64, u64::saturating_add);
    let finest = maximal(sets);
    let measured = finest.iter().map(cells).fold(0_u64, u64::saturating_add);
    if shown > CELLS_MAX {
        return Err(too_many(query, &format!("the groupings have {shown} cells, {measured} of them measured")));
    }
    Ok(())
}

fn too_many(query: &Query, message: &str) -> QueryError {
    let message = format!("{message}, and are too many together");
    QueryError::at(Code::TooManyGroups, query.dataset.at, message)
        .hint("ask for fewer groupings and aggregates at a time")
}

/// Checks the work of reconstructing all aggregates from several measured tables. A step takes about nine nanoseconds, each time the answer
/// is shown.
fn check_work(shown: &[Vec<usize>], keys: &[PlanKey], bases: &[Measure], query: &Query) -> Result<(), QueryError> {
    const WORK_MAX: u64 = 5_000_000;
    let finest = maximal(shown);
    if finest.len() < 2 {
        // Each cell of each histogram is added to a cell of every grouping.
        let cells = bases.iter().filter(|base| base.coarsening() == Coarsening::SumByBin).map(|base| base.cells(keys));
        let bins = cells.fold(0_u64, u64::saturating_add);
        if bins.saturating_mul(shown.len() as u64) > WORK_MAX {
            return Err(too_many(query, &format!("percentiles with {bins} cells of {} groupings", shown.len())));
        }
        return Ok(());
    }
    let aggregates = bases.iter().filter(|base| base.coarsening() != Coarsening::SumOfUnits).count() as u64;
    let cells = |set: &Vec<usize>| set.iter().fold(1_u64, |all, key| all.saturating_mul(keys[*key].size()));
    let measured = finest.iter().map(cells).fold(0_u64, u64::saturating_add);
    // Every subset of a shown set is a component, which is summed from all measured cells.
    let parts = shown.iter().map(|set| 1_u64 << set.len()).fold(0_u64, u64::saturating_add);
    if parts.saturating_mul(measured).saturating_mul(aggregates) > WORK_MAX {
        return Err(too_many(query, &format!("{aggregates} aggregates of groupings with {measured} measured cells")));
    }
    Ok(())
}

/// The measurements from which each of `bases` can be computed for every shown grouping, and which tables they are.
///
/// # Errors
/// [`Code::UnsupportedSql`] for percentiles if several groupings are the finest, as trees of different groupings are not combined;
/// [`Code::TooManyGroups`] if this takes too many passes over the table.
pub(super) fn expanded(
    shown: Vec<Vec<usize>>,
    bases: &[Measure],
    keys: &[PlanKey],
    query: &Query,
) -> Result<(Vec<Measure>, GroupingSets), QueryError> {
    const PASSES_MAX: usize = 128;
    let (all, finest): (Vec<usize>, _) = ((0..keys.len()).collect(), maximal(&shown));
    let over = |set: &Vec<usize>, base: &Measure| match *set == all {
        true => base.clone(),
        false => Measure::Over { keys: set.clone(), measure: Box::new(base.clone()) },
    };
    let mut of_bases = Vec::with_capacity(bases.len());
    for base in bases {
        let adds_up = match base.coarsening() {
            Coarsening::Sum => true,
            Coarsening::SumOfUnits => false,
            Coarsening::SumByBin if finest.len() == 1 => true,
            Coarsening::SumByBin | Coarsening::Unknown => {
                let message = "percentiles of several groupings need one grouping that contains all others";
                return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message)
                    .hint("ask for one grouping at a time"));
            }
        };
        of_bases.push((base, adds_up, if adds_up { &finest } else { &shown }));
    }
    check_work(&shown, keys, bases, query)?;
    // Every grouping except the one over all keys takes a pass over the table, during which others wait.
    let passes: usize = of_bases.iter().map(|(_, _, sets)| sets.iter().filter(|set| **set != all).count()).sum();
    if passes > PASSES_MAX {
        let message = format!("the groupings take {passes} passes over the table; accepted are at most {PASSES_MAX}");
        return Err(QueryError::at(Code::TooManyGroups, query.dataset.at, message)
            .hint("ask for fewer groupings and COUNT(DISTINCT …) at a time"));
    }
    let all_of = of_bases.iter().flat_map(|(base, _, sets)| sets.iter().map(|set| over(set, base)));
    let mut measures: Vec<Measure> = all_of.collect();
    measures.sort_unstable();
    measures.dedup();
    // Unwrap safety: the measurement of every table is in the list.
    let place = |measure: &Measure| measures.binary_search(measure).expect("a measurement that is needed");
    let table = |set: &Vec<usize>, base: &Measure| MeasuredTable { keys: set.clone(), vector: place(&over(set, base)) };
    let tables = of_bases.iter().map(|(base, adds_up, sets)| MeasuredTables {
        adds_up: *adds_up,
        tables: sets.iter().map(|set| table(set, base)).collect(),
        sources: Vec::new(),
    });
    let measured = tables.collect();
    Ok((measures, GroupingSets { shown, measured }))
}
