//! Small counts: which counts of a question hide what, where the policy hides small ones.
//!
//! Promises that nothing more is measured for it: a sum about 0 that nothing of the question counts is shown as it is.

use super::{Measure, counting};
use crate::query::answer::formula::Run;
use crate::query::answer::{Counted, Part, Small};
use crate::query::term::Term;
use crate::query::term::known::Known;

/// What is hidden where a count is below `below`: all of a group whose rows or units are so few, and whatever else is counted with what
/// is made of it. `bases` are the measurements by the number that outputs have for them, `steps` the counts that running sums are made of.
pub(super) fn small(below: u32, bases: &[Measure], steps: Vec<Run>, known: &Known<'_>) -> Small {
    let is_whole = |measure: &Measure| matches!(measure, Measure::Rows | Measure::Units);
    let counts = (0..bases.len()).filter(|at| is_whole(&bases[*at])).collect();
    let is_whole_step = |step: &Run| match &bases[step.vector] {
        Measure::Rooted { measure, .. } => is_whole(measure),
        other => is_whole(other),
    };
    let (steps, parts): (Vec<Run>, Vec<Run>) = steps.into_iter().partition(is_whole_step);
    let mut parts: Vec<Part> =
        parts.into_iter().map(|step| Part { of: vec![step.vector], counted: Counted::Step(Box::new(step)) }).collect();
    for (at, measure) in bases.iter().enumerate() {
        let counted = match measure {
            Measure::NonNull { .. } | Measure::UnitsWhere { .. } => Some(Counted::Measured(at)),
            Measure::Sum { column } => of_sum(at, column, bases, known),
            Measure::Bins { column, .. } => of_bins(column, bases, known),
            Measure::Rows | Measure::Units | Measure::Rooted { .. } | Measure::Over { .. } => None,
        };
        parts.extend(counted.map(|counted| Part { counted, of: vec![at] }));
    }
    Small { below, counts, steps, parts }
}

/// What counts the rows of a sum, where the question counts them; of zeros and ones the sum itself.
fn of_sum(at: usize, column: &Term, bases: &[Measure], known: &Known<'_>) -> Option<Counted> {
    let is_count = column.grid(known).is_some_and(|grid| (grid.low, grid.high) == (0, 1));
    if is_count {
        return Some(Counted::Measured(at));
    }
    counted(column, bases, known)
}

/// What counts the values of a histogram: the question's own count of them, or all bins of the coarsest one.
fn of_bins(column: &Term, bases: &[Measure], known: &Known<'_>) -> Option<Counted> {
    let bins = bases.iter().enumerate().filter_map(|(at, measure)| match measure {
        Measure::Bins { column: other, count, .. } if other == column => Some((*count, at)),
        _ => None,
    });
    let coarsest = bins.min().map(|(bins, vector)| Counted::Bins { vector, bins });
    counted(column, bases, known).or(coarsest)
}

fn counted(column: &Term, bases: &[Measure], known: &Known<'_>) -> Option<Counted> {
    let count = counting(None, Some(column.clone()), known);
    bases.iter().position(|measure| *measure == count).map(Counted::Measured)
}
