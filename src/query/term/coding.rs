//! Grouping keys: how the value of a term becomes the code of a group, and the labels of the groups.
//!
//! Promises that the groups of a key are public: they follow from the declared domain and the question's own condition, never from data.

use std::sync::Arc;

use super::calendar::{DatePart, Period};
use super::context::{KeyRule, TermContext};
use super::lower::{IntegerFunction, Program, Step, ValueKind, lower, narrowed};
use super::values::{Multiples, Occurring, occurring};
use super::{Operation, Term};
use crate::query::answer::Label;
use crate::query::computation::PlanKey;
use crate::query::filter::{Filter, NEVER};
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::Terms;

/// Largest number of groups of one key.
const GROUPS_MAX: i64 = 10_000;

/// Why a term cannot be a grouping key, and what to use instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFault {
    /// What is wrong with the term.
    pub message: String,
    /// How to ask it in parts, if there is a way.
    pub hint: Option<&'static str>,
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

/// Which groups a category has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryLists {
    /// Those of all declared values, which is how questions of a single table have always been planned.
    Whole,
    /// Those of the values that the condition leaves.
    Narrowed,
}

/// The groups of a key: the values that the term can have under the condition.
///
/// # Errors
/// [`KeyFault`] for a term with too many values.
pub fn key(
    term: &Term,
    known: &TermContext<'_>,
    filter: Option<&Filter>,
    lists: CategoryLists,
) -> Result<PlanKey, KeyFault> {
    // Unwrap safety: the term was typed against these terms.
    let whole = known.lower(term).expect("a typed term can be lowered");
    let left = narrow(term, known, filter);
    let (low, high) = match whole.kind {
        ValueKind::Category(_) | ValueKind::Boolean => left.unwrap_or((whole.low, whole.high)),
        ValueKind::Date => {
            let (low, high) = left.unwrap_or((whole.low, whole.high));
            (period(term).ordinal(low), period(term).ordinal(high))
        }
        ValueKind::Integer | ValueKind::Decimal => left.unwrap_or((whole.low, whole.high)),
    };
    let found = match category(term, known, filter).filter(|_| lists == CategoryLists::Narrowed) {
        Some(values) => Some(Occurring { values, is_missing: false }),
        None => occurring_in(term, known, filter, (low, high)),
    };
    let is_missing = found.as_ref().is_none_or(|found| found.is_missing);
    let nullable = whole.nullable && left.is_none() && !is_present(term, filter) && is_missing;
    let plain = |low: i64, high: i64| listed(term, &whole, Groups { low, high, values: None, nullable });
    match found.map(|found| found.values) {
        None => plain(low, high),
        Some(values) => match (values.first(), values.last()) {
            // The codes of a category are numbered from 0, or by a list.
            (Some(first), Some(last))
                if last.saturating_sub(*first) == values.len() as i64 - 1
                    && (*first == 0 || !matches!(whole.kind, ValueKind::Category(_))) =>
            {
                plain(*first, *last)
            }
            (Some(first), Some(last)) => {
                let (low, high) = (*first, *last);
                listed(term, &whole, Groups { low, high, values: Some(values), nullable })
            }
            // No row can be in a group, so any groups will do.
            _ => plain(low, high),
        },
    }
}

/// The groups of a key before it is known whether they are few enough.
struct Groups {
    low: i64,
    high: i64,
    /// The values, if there are gaps between them.
    values: Option<Vec<i64>>,
    nullable: bool,
}

fn listed(term: &Term, whole: &Program, groups: Groups) -> Result<PlanKey, KeyFault> {
    let Groups { low, high, values, nullable } = groups;
    let between = high.saturating_sub(low).saturating_add(1);
    let count = values.as_ref().map_or(between, |values| values.len() as i64);
    if count > GROUPS_MAX {
        let message =
            format!("a {} of {count} values cannot be grouped by; accepted are at most {GROUPS_MAX}", whole.word());
        let hint = match whole.kind {
            ValueKind::Date | ValueKind::Integer | ValueKind::Decimal => {
                Some("ask for some of its values at a time; write WHERE … to choose them")
            }
            ValueKind::Category(_) | ValueKind::Boolean => None,
        };
        return Err(KeyFault { message, hint });
    }
    // Unwrap safety: the count is at most `GROUPS_MAX`.
    let codes = u32::try_from(count).expect("a key has few groups");
    Ok(PlanKey { column: term.clone(), low, codes, nullable, values })
}

/// The codes of a category that a condition leaves; `None` if these are all of them.
fn category(term: &Term, known: &TermContext<'_>, filter: Option<&Filter>) -> Option<Vec<i64>> {
    let Term::Column(index) = term else { return None };
    let Domain::Category(labels) = &known.columns[*index].domain else { return None };
    let (mut meant, mut others) = (Vec::new(), Vec::new());
    for part in conjuncts(filter) {
        match part {
            Filter::Members { column, codes } if column == term => meant.push(codes),
            Filter::Not(inner) => match &**inner {
                Filter::Members { column, codes } if column == term => others.push(codes),
                _ => {}
            },
            _ => {}
        }
    }
    if meant.is_empty() && others.is_empty() {
        return None;
    }
    known.steps().spend(labels.len() as u64 / 16);
    let has = |codes: &&Vec<u32>, code: u32| codes.binary_search(&code).is_ok();
    let is_left = |code: &u32| meant.iter().all(|one| has(one, *code)) && !others.iter().any(|one| has(one, *code));
    let left: Vec<i64> = (0..u32::try_from(labels.len()).ok()?).filter(is_left).map(i64::from).collect();
    (!left.is_empty() && left.len() < labels.len()).then_some(left)
}

/// The integers between two bounds that a term can have under a condition; `None` if these are all of them.
fn occurring_in(
    term: &Term,
    known: &TermContext<'_>,
    filter: Option<&Filter>,
    (low, high): (i64, i64),
) -> Option<Occurring> {
    if known.steps().rule() == KeyRule::Bounds {
        return None;
    }
    let step = coded(term, known)?;
    let parts = conjuncts(filter);
    // The bounds of these are exact, and need not be worked out value by value.
    let column = match term {
        Term::Column(index) => Some(*index),
        Term::Made(made) => match &**made {
            Operation::Truncated(Term::Column(index), _)
            | Operation::Extracted(Term::Column(index), DatePart::Year) => Some(*index),
            _ => None,
        },
    };
    let is_listed = |part: &Filter| match part {
        Filter::Values { column: Term::Column(of), .. } => Some(*of) == column,
        _ => false,
    };
    if column.is_some() && !parts.iter().any(is_listed) {
        return None;
    }
    occurring(&step, term, parts, known).or_else(|| {
        let multiples = Multiples::of(&step);
        if multiples.by < 2 {
            return None;
        }
        let first = multiples.at_or_above(low);
        let count = (i128::from(high) - i128::from(first)).div_euclid(multiples.by.into()) + 1;
        // One more than are accepted are enough to refuse them.
        let count = usize::try_from(count.clamp(0, i128::from(GROUPS_MAX) + 1)).ok()?;
        let values = std::iter::successors(Some(first), |value| value.checked_add(multiples.by)).take(count);
        Some(Occurring { values: values.collect(), is_missing: true })
    })
}

/// The program of the integer that a row's group is found by; `None` for categories and conditions, whose codes are always all listed.
fn coded(term: &Term, known: &TermContext<'_>) -> Option<Step> {
    let lowered = known.lower(term).ok()?;
    match lowered.kind {
        ValueKind::Date => Some(Step::Apply(IntegerFunction::Ordinal(period(term)), Arc::new(lowered.step.clone()))),
        ValueKind::Integer | ValueKind::Decimal => Some(lowered.step.clone()),
        ValueKind::Category(_) | ValueKind::Boolean => None,
    }
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
            Operation::Extracted(Term::Column(index), part) if *part == DatePart::Year => *index,
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
    // The values of a key with gaps are numbered by their list.
    if key.values.is_some() { step } else { Step::Plus([(step, 1), (Step::Constant(-key.low), 1)].into()) }
}

/// The stored integer that the rows of a group have in common; `None` if it is the group of a longer period, or is not stored by value.
#[must_use]
pub fn stored(key: &PlanKey, code: u32, known: &TermContext<'_>) -> Option<i64> {
    let value = key.value(code);
    match &*known.facts(&key.column).domain {
        Domain::Number(grid) => value.checked_sub(grid.centre()),
        Domain::Date { .. } => (period(&key.column) == Period::Day).then_some(value),
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => None,
    }
}

/// The labels of a key's groups, in the order of their codes.
#[must_use]
pub fn labels(key: &PlanKey, known: &TermContext<'_>) -> Vec<Label> {
    // Unwrap safety: the term was typed against these terms.
    let whole = known.lower(&key.column).expect("a typed term can be lowered");
    let label = |code: u32| match &whole.kind {
        ValueKind::Category(labels) => Label::Text(labels[key.value(code) as usize].clone()),
        ValueKind::Boolean => Label::Boolean(key.value(code) == 1),
        ValueKind::Date => {
            let first = period(&key.column).first(key.value(code));
            Label::Date(i32::try_from(first).unwrap_or_default())
        }
        ValueKind::Integer | ValueKind::Decimal if whole.scale.is_one() => Label::Integer(key.value(code)),
        // Unwrap safety: a typed term has a domain, so that its grid is a whole number of 10⁻⁹.
        ValueKind::Integer | ValueKind::Decimal => match whole.domain().expect("a typed term has a domain") {
            Domain::Number(grid) => Label::Decimal(i128::from(key.value(code)) * i128::from(grid.step)),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => Label::Missing,
        },
    };
    let missing = key.nullable.then_some(Label::Missing);
    (0..key.codes).map(label).chain(missing).collect()
}
