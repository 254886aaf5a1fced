//! `SELECT DISTINCT` beside GROUP BY: in which keys rows are distinct.
//!
//! Promises that a row that stands for several groups has the same values in each of them.

use crate::query::answer::formula::{Formula, GroupWindow, HavingCondition, Words};
use crate::query::answer::{Output as Column, OutputValue};
use crate::query::error::{Code, QueryError};
use crate::query::syntax::{GroupFunction, Query};

/// The keys in which rows are distinct; `None` if every group has a row.
///
/// # Errors
/// [`Code::UnsupportedSql`] if rows of the same keys may have different values.
pub(super) fn keys(query: &Query, keys: usize, outputs: &[Column]) -> Result<Option<Vec<usize>>, QueryError> {
    let shown: Vec<usize> = outputs
        .iter()
        .filter_map(|output| match &output.value {
            OutputValue::Key { index } => Some(*index),
            _ => None,
        })
        .collect();
    if !query.distinct || (0..keys).all(|key| shown.contains(&key)) {
        return Ok(None);
    }
    let ordered = outputs.iter().enumerate().filter(|(at, _)| query.after.is_none() || at + 1 < outputs.len());
    let mut values = ordered.map(|(_, output)| &output.value);
    if query.sets.is_none() && values.all(|value| is_same(value, &shown)) {
        let mut distinct = shown;
        distinct.sort_unstable();
        distinct.dedup();
        return Ok(Some(distinct));
    }
    let message = "one row would stand for several groups, which have different values of an output";
    Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message))
}

/// Whether a value is the same in all groups with the same values of some keys.
fn is_same(value: &OutputValue, keys: &[usize]) -> bool {
    match value {
        OutputValue::Key { index } => keys.contains(index),
        OutputValue::Words(words) => is_same_words(words, keys),
        OutputValue::Formula { formula, .. } => is_same_formula(formula, keys),
        OutputValue::Hidden(value) => is_same(value, keys),
        OutputValue::Grouping { .. }
        | OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. } => false,
    }
}

fn is_same_words(words: &Words, keys: &[usize]) -> bool {
    match words {
        Words::Label(_) => true,
        Words::Key(key) => keys.contains(key),
        Words::Case(arms, otherwise) => {
            arms.iter().all(|(when, then)| is_same_condition(when, keys) && is_same_words(then, keys))
                && is_same_words(otherwise, keys)
        }
    }
}

fn is_same_condition(condition: &HavingCondition, keys: &[usize]) -> bool {
    match condition {
        HavingCondition::Compare(left, _, right) => is_same_formula(left, keys) && is_same_formula(right, keys),
        HavingCondition::Missing(of) => is_same_formula(of, keys),
        HavingCondition::Labels(left, _, right) => is_same_words(left, keys) && is_same_words(right, keys),
        HavingCondition::NoLabel(of) => is_same_words(of, keys),
        HavingCondition::Not(inner) => is_same_condition(inner, keys),
        HavingCondition::All(parts) | HavingCondition::Any(parts) => {
            parts.iter().all(|part| is_same_condition(part, keys))
        }
    }
}

fn is_same_formula(formula: &Formula, keys: &[usize]) -> bool {
    match formula {
        Formula::Number(_) | Formula::Missing => true,
        Formula::Key(key) => keys.contains(key),
        Formula::Window(window) => is_same_window(window, keys),
        Formula::Case(arms, otherwise) => {
            arms.iter().all(|(when, then)| is_same_condition(when, keys) && is_same_formula(then, keys))
                && is_same_formula(otherwise, keys)
        }
        Formula::Negative(of) | Formula::Absolute(of) | Formula::Root(of) | Formula::Round(of, _) => {
            is_same_formula(of, keys)
        }
        Formula::Arithmetic(left, _, right) | Formula::NullIf(left, right) => {
            is_same_formula(left, keys) && is_same_formula(right, keys)
        }
        Formula::Call(_, parts) => parts.iter().all(|part| is_same_formula(part, keys)),
        Formula::Grouping(_)
        | Formula::Count(_)
        | Formula::Sum(_)
        | Formula::Mean(..)
        | Formula::Spread(..)
        | Formula::Quantile(_)
        | Formula::Pair(..)
        | Formula::Run(_) => false,
    }
}

/// Whether a window is over whole parts whose groups agree in some keys.
fn is_same_window(window: &GroupWindow, keys: &[usize]) -> bool {
    let is_whole = window.order.is_empty() && window.frame.is_none();
    match window.function {
        GroupFunction::Sum | GroupFunction::Avg | GroupFunction::Min | GroupFunction::Max | GroupFunction::Count => {
            is_whole && window.within.iter().all(|key| keys.contains(key))
        }
        GroupFunction::Total => true,
        GroupFunction::Lag
        | GroupFunction::Lead
        | GroupFunction::FirstValue
        | GroupFunction::LastValue
        | GroupFunction::NthValue
        | GroupFunction::RowNumber
        | GroupFunction::Rank
        | GroupFunction::DenseRank
        | GroupFunction::Ntile
        | GroupFunction::PercentRank
        | GroupFunction::CumeDist
        | GroupFunction::KaplanMeier
        | GroupFunction::CumulativeIncidence => false,
    }
}
