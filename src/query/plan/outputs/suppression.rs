//! Small counts: which counts of a question decide what is hidden, if the policy hides small ones.
//!
//! Promises that no further measurement is made for this purpose: a sum about 0 whose rows the question does not count is shown as it is.

use crate::query::answer::formula::RunningSum;
use crate::query::answer::{CountSource, PartSuppression, Suppression};
use crate::query::computation::Measure;
use crate::query::plan::counting::counting;
use crate::query::term::Term;
use crate::query::term::context::TermContext;

/// Determines what is hidden if a count is below `below`: a whole group with so few rows or units, and any value that is computed from so
/// few of its rows. `bases` are the measurements by the index that outputs use for them, `steps` the summands of running sums.
pub(super) fn suppression(
    below: u32,
    bases: &[Measure],
    steps: Vec<RunningSum>,
    known: &TermContext<'_>,
) -> Suppression {
    let is_whole = |measure: &Measure| matches!(measure, Measure::Rows | Measure::Units);
    let counts = (0..bases.len()).filter(|at| is_whole(&bases[*at])).collect();
    let is_whole_step = |step: &RunningSum| match &bases[step.vector] {
        Measure::PrefixSums { measure, .. } => is_whole(measure),
        other => is_whole(other),
    };
    let (steps, parts): (Vec<RunningSum>, Vec<RunningSum>) = steps.into_iter().partition(is_whole_step);
    let mut parts: Vec<PartSuppression> = parts
        .into_iter()
        .map(|step| PartSuppression { of: vec![step.vector], counted: CountSource::Step(Box::new(step)) })
        .collect();
    for (at, measure) in bases.iter().enumerate() {
        let counted = match measure {
            Measure::NonNull { .. } | Measure::UnitsWhere { .. } => Some(CountSource::Measured(at)),
            Measure::Sum { column } => of_sum(at, column, bases, known),
            Measure::Bins { column, .. } => of_bins(column, bases, known),
            Measure::Rows | Measure::Units | Measure::PrefixSums { .. } | Measure::Over { .. } => None,
        };
        parts.extend(counted.map(|counted| PartSuppression { counted, of: vec![at] }));
    }
    Suppression { below, counts, steps, parts }
}

/// The count of the rows of a sum, if the question has one; a sum of zeros and ones is its own count.
fn of_sum(at: usize, column: &Term, bases: &[Measure], known: &TermContext<'_>) -> Option<CountSource> {
    let is_count = column.grid(known).is_some_and(|grid| (grid.low, grid.high) == (0, 1));
    if is_count {
        return Some(CountSource::Measured(at));
    }
    counted(column, bases, known)
}

/// The count of the values of a histogram: the question's own count of them, or the total over the coarsest histogram.
fn of_bins(column: &Term, bases: &[Measure], known: &TermContext<'_>) -> Option<CountSource> {
    let bins = bases.iter().enumerate().filter_map(|(at, measure)| match measure {
        Measure::Bins { column: other, count, .. } if other == column => Some((*count, at)),
        _ => None,
    });
    let coarsest = bins.min().map(|(bins, vector)| CountSource::Bins { vector, bins });
    counted(column, bases, known).or(coarsest)
}

fn counted(column: &Term, bases: &[Measure], known: &TermContext<'_>) -> Option<CountSource> {
    let count = counting(None, Some(column.clone()), known);
    bases.iter().position(|measure| *measure == count).map(CountSource::Measured)
}
