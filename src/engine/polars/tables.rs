//! Tables: functions of one column of a small domain, evaluated once for each value of the domain.

use super::program::{Lookup, RowCondition, RowProgram, ValueNode};
use super::stored::{Block, BlockColumn, Slice, Validity};
use super::window::Window;
use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::term::lower::Step;
use crate::query::terms::domain::Domain;
use std::collections::{BTreeSet, HashMap};

/// Maximum number of integers in a domain that is tabulated.
const TABULATED_MAX: u64 = 1 << 14;
/// Maximum distance of the integers in a list that is looked up in a table.
const MARKED_MAX: u64 = 1 << 16;

/// A declared column that stores few different integers.
pub(super) struct SmallDomain {
    pub(super) column: usize,
    /// The least integer.
    pub(super) low: i64,
    /// Number of integers.
    size: usize,
}

impl SmallDomain {
    /// Returns `None` if the domain is large, or a text's: its codes are not public.
    pub(super) fn of(column: usize, domain: &Domain) -> Option<Self> {
        let (low, high) = match domain {
            Domain::Category(labels) => (0, labels.len() as i64 - 1),
            Domain::Boolean => (0, 1),
            Domain::Date { min, max } => (i64::from(*min), i64::from(*max)),
            Domain::Number(grid) => (grid.low.checked_sub(grid.centre())?, grid.high.checked_sub(grid.centre())?),
            Domain::Text { .. } => return None,
        };
        let size = u64::try_from(high.checked_sub(low)?.checked_add(1)?).ok()?;
        (1..=TABULATED_MAX).contains(&size).then_some(Self { column, low, size: size as usize })
    }

    /// Evaluates something for every integer of the domain, and for a missing value after them.
    pub(super) fn evaluate<R>(&self, program: &RowProgram, evaluate: impl FnOnce(&Window<'_>) -> R) -> R {
        let values: Vec<i64> = (self.low..).take(self.size).chain([0]).collect();
        let mut present = vec![1; self.size];
        present.push(0);
        let only = BlockColumn { values: Slice::I64(&values), validity: Validity::Bytes(&present) };
        let columns = HashMap::from([(self.column, only)]);
        let block = Block { rows: values.len(), columns, units: None, ranks: None };
        evaluate(&Window::new(&block, 0..values.len(), program))
    }
}

/// Whether a table would not be faster than the condition, because it is one comparison with a stored column.
pub(super) fn is_plain_filter(filter: &Filter) -> bool {
    match filter {
        Filter::Range { column, .. }
        | Filter::Members { column, .. }
        | Filter::Values { column, .. }
        | Filter::Missing { column } => matches!(column, Term::Column(_)),
        Filter::Not(_) | Filter::All(_) | Filter::Any(_) => false,
    }
}

/// Whether a table would not be faster: a stored integer about another centre, and a constant under a condition, whose presence is asked
/// for more often than its value.
pub(super) fn is_plain(step: &Step) -> bool {
    match step {
        Step::Stored(_) | Step::Constant(_) => true,
        Step::Plus(parts) => {
            let mut computed = parts.iter().filter(|(part, _)| !matches!(part, Step::Constant(_)));
            computed.next().is_none_or(|(part, _)| is_plain(part)) && computed.next().is_none()
        }
        Step::Case(whens, None) => matches!(&whens[..], [(_, Step::Constant(_))]),
        _ => false,
    }
}

/// A list as a table, if its integers lie close together.
pub(super) fn listed(of: ValueNode, list: &[i64]) -> RowCondition {
    let span = list.first().zip(list.last()).and_then(|(first, last)| last.checked_sub(*first));
    match (list.first(), span.and_then(|span| u64::try_from(span).ok()).filter(|span| *span < MARKED_MAX)) {
        (Some(low), Some(span)) => {
            let mut entries = vec![0; span as usize + 2];
            list.iter().for_each(|value| entries[(value - low) as usize] = 1);
            RowCondition::Marked(of, Lookup { low: *low, entries })
        }
        _ => RowCondition::Listed(of, list.to_vec()),
    }
}

/// Adds the declared columns that a step reads.
pub(super) fn declared(step: &Step, found: &mut BTreeSet<usize>) {
    match step {
        Step::Stored(index) => {
            found.insert(*index);
        }
        Step::Constant(_) => {}
        Step::Plus(parts) => parts.iter().for_each(|(part, _)| declared(part, found)),
        Step::Times(parts) | Step::Least(parts) | Step::Greatest(parts) => {
            parts.iter().for_each(|part| declared(part, found));
        }
        Step::Filled(inner, _) | Step::Apply(_, inner) => declared(inner, found),
        Step::Case(whens, otherwise) => {
            for (filter, then) in whens.iter() {
                filter.declared(found);
                declared(then, found);
            }
            otherwise.iter().for_each(|last| declared(last, found));
        }
        Step::Truth(filter) => filter.declared(found),
    }
}
