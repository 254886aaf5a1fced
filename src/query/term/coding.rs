//! Grouping keys: how the value of a term becomes the code of a group, and the labels of the groups.
//!
//! Promises that the groups of a key are public: they follow from the declared domain and the question's own condition, never from data.

use std::sync::Arc;

use super::calendar::Period;
use super::context::TermContext;
use super::lower::{IntegerFunction, Program, Step, ValueKind, lower, narrowed};
use super::{Operation, Term};
use crate::query::answer::Label;
use crate::query::computation::PlanKey;
use crate::query::filter::{Filter, NEVER};
use crate::query::terms::domain::{Domain, date_text};
use crate::query::terms::policy::Terms;

/// Largest number of groups of one key.
const GROUPS_MAX: i64 = 10_000;

/// Why a term cannot be a grouping key, and what to use instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFault {
    /// What is wrong with the term.
    pub message: String,
    /// The form that would be accepted.
    pub hint: &'static str,
}

/// Period by which a date is grouped; a day unless the term truncates it.
fn period(term: &Term) -> Period {
    match term {
        Term::Made(made) => match **made {
            Operation::Truncated(_, period) => period,
            _ => Period::Day,
        },
        Term::Column(_) => Period::Day,
    }
}

/// The groups of a key: the values that the term can have under the condition.
///
/// # Errors
/// [`KeyFault`] for a term with too many values, or whose values cannot be listed.
pub fn key(term: &Term, known: &TermContext<'_>, filter: Option<&Filter>) -> Result<PlanKey, KeyFault> {
    // Unwrap safety: the term was typed against these terms.
    let whole = known.lower(term).expect("a typed term can be lowered");
    let left = narrow(term, known, filter);
    let (low, high) = match whole.kind {
        ValueKind::Category(_) | ValueKind::Boolean => left.unwrap_or((whole.low, whole.high)),
        ValueKind::Date => {
            let (low, high) = left.unwrap_or((whole.low, whole.high));
            (period(term).ordinal(low), period(term).ordinal(high))
        }
        ValueKind::Integer | ValueKind::Decimal if whole.scale.is_one() => left.unwrap_or((whole.low, whole.high)),
        ValueKind::Integer | ValueKind::Decimal => {
            let message =
                format!("a {} on a grid of {} cannot be grouped by", whole.word(), whole.scale.to_f64().value());
            return Err(KeyFault {
                message,
                hint: "group by WIDTH_BUCKET(column, low, high, count), or by ROUND(column)",
            });
        }
    };
    let count = high.saturating_sub(low).saturating_add(1);
    if count > GROUPS_MAX {
        let message =
            format!("a {} of {count} values cannot be grouped by; accepted are at most {GROUPS_MAX}", whole.word());
        let hint = match whole.kind {
            ValueKind::Date => "group by DATE_TRUNC('month', column), or look at fewer years in WHERE",
            ValueKind::Integer | ValueKind::Decimal | ValueKind::Category(_) | ValueKind::Boolean => {
                "group by WIDTH_BUCKET(column, low, high, count), or look at fewer values in WHERE"
            }
        };
        return Err(KeyFault { message, hint });
    }
    // Unwrap safety: the count is at most `GROUPS_MAX`.
    let codes = u32::try_from(count).expect("a key has few groups");
    let nullable = whole.nullable && left.is_none() && !is_present(term, filter);
    Ok(PlanKey { column: term.clone(), low, codes, nullable })
}

/// The conjuncts of a condition, which are all true of every row that passes it.
fn conjuncts(filter: Option<&Filter>) -> &[Filter] {
    match filter {
        None => &[],
        Some(Filter::All(parts)) => parts,
        Some(one) => std::slice::from_ref(one),
    }
}

/// Whether a condition excludes missing values of a term: no comparison is true of a missing value.
fn is_present(term: &Term, filter: Option<&Filter>) -> bool {
    let compares = |part: &Filter| match part {
        Filter::Range { column, .. } | Filter::Members { column, .. } | Filter::Values { column, .. } => column == term,
        Filter::Missing { .. } | Filter::Not(_) | Filter::All(_) | Filter::Any(_) => false,
    };
    conjuncts(filter).iter().any(|part| match part {
        Filter::Not(inner) => compares(inner) || matches!(&**inner, Filter::Missing { column } if column == term),
        other => compares(other),
    })
}

/// Range of a term that is monotone in one declared column, under the ranges of a conjunction; `None` if there are none.
fn narrow(term: &Term, known: &TermContext<'_>, filter: Option<&Filter>) -> Option<(i64, i64)> {
    let column = match term {
        Term::Column(index) => *index,
        Term::Made(made) => match &**made {
            Operation::Truncated(Term::Column(index), _) | Operation::Bucket { of: Term::Column(index), .. } => *index,
            Operation::Extracted(Term::Column(index), part) if *part == super::calendar::DatePart::Year => *index,
            Operation::Formatted(Term::Column(index), _) if is_rising(term, known) => *index,
            _ => return None,
        },
    };
    let about = |part: &Filter| match part {
        Filter::Range { column: Term::Column(of), low, high } if *of == column && (*low, *high) != NEVER => {
            Some((*low, *high))
        }
        _ => None,
    };
    // Ranges of one column under AND have been merged into one range.
    let (low, high) = conjuncts(filter).iter().find_map(about)?;
    let centre = match &known.columns[column].domain {
        Domain::Number(grid) => grid.centre(),
        Domain::Date { .. } | Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => 0,
    };
    let Program { low, high, .. } = narrowed(column, known, (low.saturating_add(centre), high.saturating_add(centre)));
    let of = |value: i64| match &known.lower(term).ok()?.step {
        Step::Apply(function, _) => Some(function.apply(value)),
        _ => Some(value),
    };
    Some((of(low)?, of(high)?))
}

/// Whether later days have later texts.
fn is_rising(term: &Term, known: &TermContext<'_>) -> bool {
    match known.lower(term).as_deref().map(|lowered| &lowered.step) {
        Ok(Step::Apply(IntegerFunction::Labelled { entries, .. }, _)) => entries.is_sorted(),
        Ok(_) | Err(_) => false,
    }
}

/// The program of a row's code, which is 0 for the first group.
#[must_use]
pub fn code(key: &PlanKey, terms: &Terms) -> Step {
    if let Term::Column(index) = key.column
        && matches!(terms.columns[index].domain, Domain::Category(_) | Domain::Boolean)
    {
        return Step::Stored(index);
    }
    // Unwrap safety: the term was typed against these terms.
    let lowered = lower(&key.column, terms).expect("a typed term can be lowered");
    let step = match lowered.kind {
        ValueKind::Date => Step::Apply(IntegerFunction::Ordinal(period(&key.column)), Arc::new(lowered.step)),
        ValueKind::Integer | ValueKind::Decimal | ValueKind::Category(_) | ValueKind::Boolean => lowered.step,
    };
    Step::Plus([(step, 1), (Step::Constant(-key.low), 1)].into())
}

/// The labels of a key's groups, in the order of their codes.
#[must_use]
pub fn labels(key: &PlanKey, known: &TermContext<'_>) -> Vec<Label> {
    // Unwrap safety: the term was typed against these terms.
    let kind = known.lower(&key.column).expect("a typed term can be lowered").kind.clone();
    let value = |code: u32| key.low + i64::from(code);
    let label = |code: u32| match &kind {
        ValueKind::Category(labels) => Label::Text(labels[value(code) as usize].clone()),
        ValueKind::Boolean => Label::Boolean(value(code) == 1),
        ValueKind::Date => {
            let first = period(&key.column).first(value(code));
            Label::Text(date_text(i32::try_from(first).unwrap_or_default()))
        }
        ValueKind::Integer | ValueKind::Decimal => Label::Integer(value(code)),
    };
    let missing = key.nullable.then_some(Label::Missing);
    (0..key.codes).map(label).chain(missing).collect()
}
