//! Conditions that no row can meet, by the public terms alone.
//!
//! Promises no false alarm: a condition that is said to be never true is true of no row that the terms allow. Some conditions that can match
//! nothing are not found, such as those that compare two columns.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::{Filter, stored_bounds};
use super::term::Term;
use super::term::context::TermContext;

impl Filter {
    /// Whether no row can meet the condition, whatever the table holds within its declared domains.
    #[must_use]
    pub fn is_never(&self, known: &TermContext<'_>) -> bool {
        match self {
            Self::Range { column, low, high } => {
                let (least, greatest) = stored_bounds(&known.facts(column).domain);
                low > high || *high < least || *low > greatest
            }
            Self::Members { codes, .. } => codes.is_empty(),
            Self::Values { column, values } => {
                let (least, greatest) = stored_bounds(&known.facts(column).domain);
                values.iter().all(|value| !(least..=greatest).contains(value))
            }
            Self::Missing { column } => !known.facts(column).nullable,
            Self::Not(inner) => inner.is_always(known),
            Self::All(parts) => parts.iter().any(|part| part.is_never(known)) || have_no_member(parts),
            Self::Any(parts) => parts.iter().all(|part| part.is_never(known)),
        }
    }

    /// Whether every row either meets the condition or is missing what it compares, so that its negation is never true.
    fn is_always(&self, known: &TermContext<'_>) -> bool {
        match self {
            Self::Range { column, low, high } => {
                let (least, greatest) = stored_bounds(&known.facts(column).domain);
                *low <= least && *high >= greatest
            }
            Self::Members { column, codes } => {
                let (_, last) = stored_bounds(&known.facts(column).domain);
                i64::try_from(codes.len()).is_ok_and(|codes| codes > last)
            }
            Self::Values { .. } | Self::Missing { .. } => false,
            Self::Not(inner) => inner.is_never(known),
            Self::All(parts) => parts.iter().all(|part| part.is_always(known)),
            Self::Any(parts) => parts.iter().any(|part| part.is_always(known)),
        }
    }
}

/// Whether no category of some column is in all of its lists, and outside of those that are excluded.
fn have_no_member(parts: &[Filter]) -> bool {
    let mut meant: BTreeMap<&Term, BTreeSet<u32>> = BTreeMap::new();
    for part in parts {
        if let Filter::Members { column, codes } = part {
            let codes: BTreeSet<u32> = codes.iter().copied().collect();
            match meant.get_mut(column) {
                Some(known) => known.retain(|code| codes.contains(code)),
                None => drop(meant.insert(column, codes)),
            }
        }
    }
    for part in parts {
        if let Filter::Not(inner) = part
            && let Filter::Members { column, codes } = inner.as_ref()
            && let Some(known) = meant.get_mut(column)
        {
            known.retain(|code| !codes.contains(code));
        }
    }
    meant.values().any(BTreeSet::is_empty)
}
