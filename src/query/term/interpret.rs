//! Terms and conditions worked out for one row, for rows that are public.
//!
//! Promises the values that an engine computes. It is slow: the rows of people are for the engine.

use super::Term;
use super::context::TermContext;
use super::lower::Step;
use crate::query::filter::Filter;

/// The integers of one row by their column, as a table stores them; `None` where a value is missing.
pub type StoredRow<'r> = &'r dyn Fn(usize) -> Option<i64>;

/// The stored integer of a term for a row; `None` if it is missing.
#[must_use]
pub fn stored(term: &Term, row: StoredRow<'_>, known: &TermContext<'_>) -> Option<i64> {
    match term {
        Term::Column(index) => row(*index),
        Term::Made(_) => {
            let lowered = known.lower(term).ok()?;
            value(&lowered.as_ref().clone().stored().ok()?, row, known)
        }
    }
}

/// The truth of a condition for a row; `None` if it is unknown.
#[must_use]
pub fn truth(filter: &Filter, row: StoredRow<'_>, known: &TermContext<'_>) -> Option<bool> {
    match filter {
        Filter::Range { column, low, high } => Some((*low..=*high).contains(&stored(column, row, known)?)),
        Filter::Members { column, codes } => {
            let value = stored(column, row, known)?;
            Some(u32::try_from(value).is_ok_and(|code| codes.binary_search(&code).is_ok()))
        }
        Filter::Values { column, values } => Some(values.binary_search(&stored(column, row, known)?).is_ok()),
        Filter::Missing { column } => Some(stored(column, row, known).is_none()),
        Filter::Not(inner) => truth(inner, row, known).map(|truth| !truth),
        Filter::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, row, known)).collect();
            let is_false = parts.contains(&Some(false));
            if is_false || parts.iter().all(Option::is_some) { Some(!is_false) } else { None }
        }
        Filter::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, row, known)).collect();
            let is_true = parts.contains(&Some(true));
            if is_true || parts.iter().all(Option::is_some) { Some(is_true) } else { None }
        }
    }
}

fn value(step: &Step, row: StoredRow<'_>, known: &TermContext<'_>) -> Option<i64> {
    let of = |step: &Step| value(step, row, known);
    match step {
        Step::Stored(index) => row(*index),
        Step::Constant(constant) => Some(*constant),
        Step::Plus(parts) => {
            parts.iter().try_fold(0_i64, |sum, (part, factor)| Some(sum.wrapping_add(of(part)?.wrapping_mul(*factor))))
        }
        Step::Times(parts) => parts.iter().try_fold(1_i64, |product, part| Some(product.wrapping_mul(of(part)?))),
        Step::Least(parts) => parts.iter().filter_map(of).min(),
        Step::Greatest(parts) => parts.iter().filter_map(of).max(),
        Step::Filled(inner, with) => Some(of(inner).unwrap_or(*with)),
        Step::Case(whens, otherwise) => {
            let arm = whens.iter().find(|(when, _)| truth(when, row, known) == Some(true));
            match (arm, otherwise) {
                (Some((_, then)), _) => of(then),
                (None, Some(otherwise)) => of(otherwise),
                (None, None) => None,
            }
        }
        Step::Truth(filter) => truth(filter, row, known).map(i64::from),
        Step::Apply(function, inner) => Some(function.apply(of(inner)?)),
    }
}
