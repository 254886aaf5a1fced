//! Row-local conditions on stored integers.
//!
//! Promises three truth values as in SQL: a missing value makes a comparison neither true nor false. Row-local by
//! construction: every variant looks at one row's own columns.

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};

use super::term::Term;
use super::term::known::Known;
use crate::dataset::domain::Domain;

/// A condition in canonical form: conditions that are equal by the rules of [`Filter::canonical`] have equal values.
///
/// Stored answers hold the codes of the variants, and identities depend on the order that codes and fields have: neither changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Filter {
    /// A stored integer lies within both bounds; never, where `low` is above `high`.
    Range {
        /// Of what.
        column: Term,
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    } = 0,
    /// A code is one of these, ascending.
    Members {
        /// Of what.
        column: Term,
        /// The codes.
        codes: Vec<u32>,
    } = 1,
    /// A stored integer is one of these, ascending; never, where there are none.
    Values {
        /// Of what.
        column: Term,
        /// The integers.
        values: Vec<i64>,
    } = 2,
    /// The value is missing.
    Missing {
        /// Of what.
        column: Term,
    } = 3,
    /// Not so.
    Not(Box<Filter>) = 4,
    /// All of them.
    All(Vec<Filter>) = 5,
    /// Any of them.
    Any(Vec<Filter>) = 6,
}

/// Rounds of bringing a condition into its form; a few are enough for any that people write.
const ROUNDS_MAX: usize = 64;

impl Filter {
    /// Comparisons and connectives: what a row costs to look at.
    #[must_use]
    pub fn nodes(&self) -> u64 {
        match self {
            Self::Range { column, .. }
            | Self::Members { column, .. }
            | Self::Values { column, .. }
            | Self::Missing { column } => column.nodes(),
            Self::Not(inner) => 1 + inner.nodes(),
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::nodes).sum::<u64>(),
        }
    }

    /// What it takes to look at it as a whole: its nodes, and the members of its lists.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Range { column, .. } | Self::Missing { column } => 1 + column.weight(),
            Self::Members { column, codes } => 1 + column.weight() + codes.len() as u64,
            Self::Values { column, values } => 1 + column.weight() + values.len() as u64,
            Self::Not(inner) => 1 + inner.weight(),
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::weight).sum::<u64>(),
        }
    }

    /// What it looks at.
    pub fn leaves(&self) -> Vec<&Term> {
        match self {
            Self::Range { column, .. }
            | Self::Members { column, .. }
            | Self::Values { column, .. }
            | Self::Missing { column } => vec![column],
            Self::Not(inner) => inner.leaves(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::leaves).collect(),
        }
    }

    /// Whether it can be neither true nor false of a row, by the public terms; and whether it is the same of all rows of a unit. Each term
    /// is looked at once, for terms may hold conditions, and those terms.
    #[must_use]
    pub fn facts(&self, known: &Known<'_>) -> (bool, bool) {
        match self {
            Self::Range { column, .. } | Self::Members { column, .. } | Self::Values { column, .. } => {
                let facts = known.facts(column);
                (facts.nullable, facts.per_unit)
            }
            Self::Missing { column } => (false, known.facts(column).per_unit),
            Self::Not(inner) => inner.facts(known),
            Self::All(parts) | Self::Any(parts) => parts.iter().fold((false, true), |(unknown, per_unit), part| {
                let facts = part.facts(known);
                (unknown || facts.0, per_unit && facts.1)
            }),
        }
    }

    /// Whether it can be neither true nor false of a row, by the public terms.
    #[must_use]
    pub fn may_be_unknown(&self, known: &Known<'_>) -> bool {
        self.facts(known).0
    }

    /// Whether it is the same of all rows of a unit.
    #[must_use]
    pub fn is_per_unit(&self, known: &Known<'_>) -> bool {
        self.facts(known).1
    }

    /// The simplest form that this has under the terms: nothing that one rule can shorten is left.
    #[must_use]
    pub(super) fn simplest(self, known: &Known<'_>) -> Self {
        // Each may make work for the other: a NOT that is gone may be merged, and what was merged be said more shortly.
        let mut form = self.canonical();
        for _ in 0..ROUNDS_MAX {
            known.steps().spend(form.weight());
            let next = form.clone().settled(known).canonical();
            if next == form {
                break;
            }
            form = next;
        }
        form
    }

    /// Flattens, sorts and merges: order, redundant nesting, doubled NOT, `BETWEEN` against two comparisons and `IN` against
    /// equalities joined by OR vanish.
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::Not(inner) => match inner.canonical() {
                Self::Not(twice) => *twice,
                other => Self::Not(Box::new(other)),
            },
            Self::All(parts) => connect(parts, true),
            Self::Any(parts) => connect(parts, false),
            Self::Values { column, values } => match values[..] {
                [] => Self::Range { column, low: NEVER.0, high: NEVER.1 },
                [one] => Self::Range { column, low: one, high: one },
                _ => Self::Values { column, values },
            },
            plain @ (Self::Range { .. } | Self::Members { .. } | Self::Missing { .. }) => plain,
        }
    }

    /// Takes NOT down to single conditions, and away where the domain says what is left: half a range, the other categories where they are no more. What is
    /// missing stays neither true nor false.
    fn settled(self, known: &Known<'_>) -> Self {
        match self {
            Self::Not(inner) => inner.settled(known).negated(known),
            Self::All(parts) => Self::All(parts.into_iter().map(|part| part.settled(known)).collect()),
            Self::Any(parts) => Self::Any(parts.into_iter().map(|part| part.settled(known)).collect()),
            Self::Members { column, codes } => members(column, codes, known),
            plain @ (Self::Range { .. } | Self::Values { .. } | Self::Missing { .. }) => plain,
        }
    }

    fn negated(self, known: &Known<'_>) -> Self {
        match self {
            Self::Not(inner) => *inner,
            Self::Range { column, low, high } => {
                let (least, greatest) = stored_bounds(&known.facts(&column).domain);
                match (low > high, low == least, high == greatest) {
                    (true, _, _) => Self::Range { column, low: least, high: greatest },
                    (false, true, true) => Self::Range { column, low: NEVER.0, high: NEVER.1 },
                    (false, true, false) => Self::Range { column, low: high + 1, high: greatest },
                    (false, false, true) => Self::Range { column, low: least, high: low - 1 },
                    (false, false, false) => Self::Not(Box::new(Self::Range { column, low, high })),
                }
            }
            Self::Members { column, codes } => {
                let rest = values(&column, known).saturating_sub(codes.len());
                // Of all categories but these, or of these, whichever are fewer; of all of them there are no others.
                if rest == 0 || (!codes.is_empty() && codes.len() < rest) {
                    return Self::Not(Box::new(Self::Members { column, codes }));
                }
                let codes = complement(&column, &codes, known);
                Self::Members { column, codes }
            }
            // De Morgan's laws hold for three truth values, too.
            Self::All(parts) => Self::Any(parts.into_iter().map(|part| part.negated(known)).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(|part| part.negated(known)).collect()),
            other @ (Self::Values { .. } | Self::Missing { .. }) => Self::Not(Box::new(other)),
        }
    }
}

/// How many values a column of categories or truth values has.
fn values(column: &Term, known: &Known<'_>) -> usize {
    let (_, last) = stored_bounds(&known.facts(column).domain);
    usize::try_from(last).unwrap_or(0).saturating_add(1)
}

/// The codes of a column that are not among `codes`, ascending.
fn complement(column: &Term, codes: &[u32], known: &Known<'_>) -> Vec<u32> {
    let (all, mut codes) = (0..u32::try_from(values(column, known)).unwrap_or(0), codes.iter().peekable());
    all.filter(|code| codes.next_if_eq(&code).is_none()).collect()
}

/// Categories, by those that are meant or by those that are not, whichever are fewer.
fn members(column: Term, codes: Vec<u32>, known: &Known<'_>) -> Filter {
    // A complement is written out where it is shorter than what is there, so that no work grows with the domain alone.
    let rest = values(&column, known).saturating_sub(codes.len());
    if rest == 0 || codes.len() <= rest {
        return Filter::Members { column, codes };
    }
    let codes = complement(&column, &codes, known);
    Filter::Not(Box::new(Filter::Members { column, codes }))
}

fn connect(parts: Vec<Filter>, all: bool) -> Filter {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts.into_iter().map(Filter::canonical) {
        match part {
            Filter::All(inner) if all => flat.extend(inner),
            Filter::Any(inner) if !all => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.sort();
    flat.dedup();
    let mut flat = if all { intersect_lists(intersect_ranges(flat)) } else { unite_lists(flat) };
    match (flat.len(), all) {
        (1, _) => flat.remove(0),
        (_, true) => Filter::All(flat),
        (_, false) => Filter::Any(flat),
    }
}

/// Ranges of one column under AND are one range: missing makes all of them unknown alike.
fn intersect_ranges(parts: Vec<Filter>) -> Vec<Filter> {
    let mut merged: Vec<Filter> = Vec::with_capacity(parts.len());
    for part in parts {
        if let (Filter::Range { column, low, high }, Some(Filter::Range { column: same, low: lower, high: upper })) =
            (&part, merged.last_mut())
            && column == same
        {
            (*lower, *upper) = ((*lower).max(*low), (*upper).min(*high));
            if *lower > *upper {
                (*lower, *upper) = NEVER;
            }
        } else {
            merged.push(part);
        }
    }
    merged
}

/// Categories of one column under AND are one list, and so are those that are not meant, categories or values: missing makes all of
/// them unknown alike. Lists that have nothing in common stay as they are.
fn intersect_lists(parts: Vec<Filter>) -> Vec<Filter> {
    let (mut meant, mut not_meant) = (BTreeMap::<Term, BTreeSet<u32>>::new(), BTreeMap::<Term, BTreeSet<u32>>::new());
    let mut not_values = BTreeMap::<Term, BTreeSet<i64>>::new();
    let mut rest = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Filter::Members { column, codes } => match meant.get_mut(&column) {
                // Lists ascend.
                Some(known) if codes.iter().any(|code| known.contains(code)) => {
                    known.retain(|code| codes.binary_search(code).is_ok())
                }
                Some(_) => rest.push(Filter::Members { column, codes }),
                None => drop(meant.insert(column, codes.into_iter().collect())),
            },
            Filter::Not(inner) => match *inner {
                Filter::Members { column, codes } => not_meant.entry(column).or_default().extend(codes),
                Filter::Values { column, values } => not_values.entry(column).or_default().extend(values),
                Filter::Range { column, low, high } if low == high => {
                    not_values.entry(column).or_default().insert(low);
                }
                other => rest.push(Filter::Not(Box::new(other))),
            },
            other => rest.push(other),
        }
    }
    for (column, codes) in &mut meant {
        let Some(not) = not_meant.get(column) else { continue };
        if codes.iter().any(|code| !not.contains(code)) {
            codes.retain(|code| !not.contains(code));
            not_meant.remove(column);
        }
    }
    let list = |codes: BTreeSet<u32>| codes.into_iter().collect();
    rest.extend(meant.into_iter().map(|(column, codes)| Filter::Members { column, codes: list(codes) }));
    let not = |filter: Filter| Filter::Not(Box::new(filter));
    rest.extend(not_meant.into_iter().map(|(column, codes)| not(Filter::Members { column, codes: list(codes) })));
    rest.extend(
        not_values
            .into_iter()
            .map(|(column, values)| not(Filter::Values { column, values: values.into_iter().collect() }.canonical())),
    );
    rest.sort();
    rest
}

/// Lists and single values of one column under OR are one list: missing makes all of them unknown alike.
fn unite_lists(parts: Vec<Filter>) -> Vec<Filter> {
    let (mut codes, mut values) = (BTreeMap::<Term, BTreeSet<u32>>::new(), BTreeMap::<Term, BTreeSet<i64>>::new());
    let mut rest = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Filter::Members { column, codes: more } => codes.entry(column).or_default().extend(more),
            Filter::Values { column, values: more } => values.entry(column).or_default().extend(more),
            Filter::Range { column, low, high } if low == high => {
                values.entry(column).or_default().insert(low);
            }
            other => rest.push(other),
        }
    }
    let codes = codes.into_iter().map(|(column, codes)| Filter::Members { column, codes: codes.into_iter().collect() });
    let values = values
        .into_iter()
        .map(|(column, values)| Filter::Values { column, values: values.into_iter().collect() }.canonical());
    rest.extend(codes.chain(values));
    rest.sort();
    rest
}

/// The one empty range.
pub(super) const NEVER: (i64, i64) = (1, 0);

/// Least and greatest stored integer of an ordered domain.
#[must_use]
pub fn stored_bounds(domain: &Domain) -> (i64, i64) {
    match domain {
        Domain::Number(grid) => (grid.low - grid.centre(), grid.high - grid.centre()),
        Domain::Date { min, max } => (i64::from(*min), i64::from(*max)),
        Domain::Category(values) => (0, values.len() as i64 - 1),
        Domain::Boolean | Domain::Text { .. } => (0, 1),
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
