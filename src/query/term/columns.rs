//! The columns that a term reads, and terms with their columns renumbered.

use std::collections::BTreeSet;

use super::{Operation, Term};
use crate::query::filter::Filter;

impl Term {
    /// Adds the indices of the columns that the term reads.
    pub fn declared(&self, found: &mut BTreeSet<usize>) {
        match self {
            Self::Column(index) => {
                found.insert(*index);
            }
            Self::Made(made) => {
                made.parts().into_iter().for_each(|part| part.declared(found));
                made.filters().into_iter().for_each(|filter| filter.declared(found));
            }
        }
    }

    /// Replaces every column index by `to`, and puts the operands into their canonical order again.
    #[must_use]
    pub fn renumbered(&self, to: &impl Fn(usize) -> usize) -> Self {
        let of = |term: &Self| term.renumbered(to);
        let all = |terms: &[Self]| terms.iter().map(of).collect::<Vec<_>>();
        let sorted = |terms: &[Self]| {
            let mut all = all(terms);
            all.sort();
            all
        };
        let made = match self {
            Self::Column(index) => return Self::Column(to(*index)),
            Self::Made(made) => &**made,
        };
        Self::of(match made {
            Operation::Constant(constant) => Operation::Constant(*constant),
            Operation::Day(day) => Operation::Day(*day),
            Operation::Plus(parts) => Operation::Plus(sorted(parts)),
            Operation::Negative(inner) => Operation::Negative(of(inner)),
            Operation::Times(parts) => Operation::Times(sorted(parts)),
            Operation::Over(inner, divisor) => Operation::Over(of(inner), *divisor),
            Operation::Absolute(inner) => Operation::Absolute(of(inner)),
            Operation::Least(parts) => Operation::Least(sorted(parts)),
            Operation::Greatest(parts) => Operation::Greatest(sorted(parts)),
            Operation::Rounded(inner, decimals) => Operation::Rounded(of(inner), *decimals),
            Operation::Filled(inner, with) => Operation::Filled(of(inner), of(with)),
            Operation::Case(whens, otherwise) => {
                let arm = |(when, then): &(Filter, Self)| (when.renumbered(to), of(then));
                Operation::Case(whens.iter().map(arm).collect(), otherwise.as_ref().map(of))
            }
            Operation::Choice { whens, otherwise, labels } => {
                let arm = |(when, code): &(Filter, u32)| (when.renumbered(to), *code);
                Operation::Choice {
                    whens: whens.iter().map(arm).collect(),
                    otherwise: *otherwise,
                    labels: labels.clone(),
                }
            }
            Operation::Truth(filter) => Operation::Truth(filter.renumbered(to)),
            Operation::Truncated(inner, period) => Operation::Truncated(of(inner), *period),
            Operation::Extracted(inner, part) => Operation::Extracted(of(inner), *part),
            Operation::Integer(inner) => Operation::Integer(of(inner)),
            Operation::Decimal(inner) => Operation::Decimal(of(inner)),
            Operation::Cut(inner, side, decimals) => Operation::Cut(of(inner), *side, *decimals),
            Operation::Remainder(inner, by) => Operation::Remainder(of(inner), *by),
            Operation::Sign(inner) => Operation::Sign(of(inner)),
            Operation::Real(function, inner) => Operation::Real(*function, of(inner)),
            Operation::Coalesced(parts) => Operation::Coalesced(all(parts)),
            Operation::Text(text) => Operation::Text(text.clone()),
            Operation::Worded(function, parts) => Operation::Worded(*function, all(parts)),
            Operation::Apart(one, other) => {
                let mut pair = [of(one), of(other)];
                pair.sort();
                let [one, other] = pair;
                Operation::Apart(one, other)
            }
            Operation::Formatted(inner, format) => Operation::Formatted(of(inner), format.clone()),
            Operation::Later(inner, months) => Operation::Later(of(inner), *months),
            Operation::Elapsed(span, [from, to]) => Operation::Elapsed(*span, [of(from), of(to)]),
            Operation::Read(inner, format) => Operation::Read(of(inner), format.clone()),
            Operation::Made { year, month, day } => Operation::Made { year: of(year), month: of(month), day: of(day) },
            Operation::Matched(inner, kind, pattern) => Operation::Matched(of(inner), *kind, pattern.clone()),
            Operation::Bucket { of: inner, low, high, count } => {
                Operation::Bucket { of: of(inner), low: *low, high: *high, count: *count }
            }
        })
    }
}

impl Filter {
    /// Adds the indices of the columns that the condition reads.
    pub fn declared(&self, found: &mut BTreeSet<usize>) {
        self.leaves().into_iter().for_each(|leaf| leaf.declared(found));
    }

    /// Replaces every column index by `to`.
    #[must_use]
    pub fn renumbered(&self, to: &impl Fn(usize) -> usize) -> Self {
        let all = |parts: &[Self]| parts.iter().map(|part| part.renumbered(to)).collect();
        match self {
            Self::Range { column, low, high } => Self::Range { column: column.renumbered(to), low: *low, high: *high },
            Self::Members { column, codes } => Self::Members { column: column.renumbered(to), codes: codes.clone() },
            Self::Values { column, values } => Self::Values { column: column.renumbered(to), values: values.clone() },
            Self::Missing { column } => Self::Missing { column: column.renumbered(to) },
            Self::Not(inner) => Self::Not(Box::new(inner.renumbered(to))),
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
        }
    }
}
