//! Row-local conditions on stored integers.
//!
//! Promises SQL's three truth values: a missing value makes a comparison neither true nor false. Conditions are row-local by construction,
//! as every variant reads only the columns of one row.

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};

use super::term::Term;
use super::term::context::TermContext;
use crate::query::terms::domain::Domain;

/// A condition on the values of one row. Conditions that are equal under the rules of [`Filter::canonical`] have equal canonical values.
///
/// Stored answers hold the codes of the variants, and identities depend on the order that codes and fields have: neither changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Filter {
    /// A stored integer lies within both bounds; never true if `low` is above `high`.
    Range {
        /// Term whose value is compared.
        column: Term,
        /// Least value in the range, inclusive.
        low: i64,
        /// Greatest value in the range, inclusive.
        high: i64,
    } = 0,
    /// A code is one of a list.
    Members {
        /// Term whose code is looked up.
        column: Term,
        /// The codes, in ascending order.
        codes: Vec<u32>,
    } = 1,
    /// A stored integer is one of a list; never true if the list is empty.
    Values {
        /// Term whose value is looked up.
        column: Term,
        /// The integers, in ascending order.
        values: Vec<i64>,
    } = 2,
    /// The value is missing: SQL's IS NULL.
    Missing {
        /// Term whose value may be missing.
        column: Term,
    } = 3,
    /// Negation: the condition is false.
    Not(Box<Filter>) = 4,
    /// Conjunction: every condition is true.
    All(Vec<Filter>) = 5,
    /// Disjunction: at least one condition is true.
    Any(Vec<Filter>) = 6,
}

/// Limit on the rounds of simplifying a condition; conditions that people write need only a few.
const ROUNDS_MAX: usize = 64;

impl Filter {
    /// The condition that is true of every row, or of none: a conjunction or a disjunction without parts.
    #[must_use]
    pub fn constant(truth: bool) -> Self {
        if truth { Self::All(Vec::new()) } else { Self::Any(Vec::new()) }
    }

    /// The truth of a condition that is the same for every row; `None` for all other conditions.
    #[must_use]
    pub fn as_constant(&self) -> Option<bool> {
        match self {
            Self::All(parts) if parts.is_empty() => Some(true),
            Self::Any(parts) if parts.is_empty() => Some(false),
            Self::Range { .. }
            | Self::Members { .. }
            | Self::Values { .. }
            | Self::Missing { .. }
            | Self::Not(_)
            | Self::All(_)
            | Self::Any(_) => None,
        }
    }

    /// Number of comparisons and connectives: the cost of evaluating the condition for one row.
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

    /// Cost of processing the condition as a whole: its nodes and the members of its lists.
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

    /// The terms that the condition reads, one for each comparison.
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

    /// Two facts that follow from the public terms: whether the condition can be unknown for a row, and whether it has the same truth for
    /// all rows of a unit. Both are found in one pass over the terms, because terms may contain conditions, which contain terms again.
    #[must_use]
    pub fn facts(&self, known: &TermContext<'_>) -> (bool, bool) {
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

    /// Whether the condition can be unknown (neither true nor false) for a row, by the public terms.
    #[must_use]
    pub fn may_be_unknown(&self, known: &TermContext<'_>) -> bool {
        self.facts(known).0
    }

    /// Whether the condition has the same truth for all rows of a unit.
    #[must_use]
    pub fn is_per_unit(&self, known: &TermContext<'_>) -> bool {
        self.facts(known).1
    }

    /// The simplest form of this condition under the public terms: no rule can shorten it further.
    #[must_use]
    pub(super) fn simplest(self, known: &TermContext<'_>) -> Self {
        // Each step may enable the other: removing a NOT may allow a merge, and a merged condition may have a shorter form.
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

    /// Flattens, sorts and merges the parts of a condition. Order, redundant nesting and double NOT disappear, `BETWEEN` becomes the same
    /// as two comparisons, and `IN` the same as equalities joined by OR.
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::Not(inner) => match inner.canonical() {
                Self::Not(twice) => *twice,
                Self::All(parts) if parts.is_empty() => Self::Any(parts),
                Self::Any(parts) if parts.is_empty() => Self::All(parts),
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

    /// Pushes NOT down to single conditions, and removes it where the domain has an equivalent: the other half of a range, or the other
    /// categories if there are no more of those. A missing value stays neither true nor false.
    fn settled(self, known: &TermContext<'_>) -> Self {
        match self {
            Self::Not(inner) => inner.settled(known).negated(known),
            Self::All(parts) => Self::All(parts.into_iter().map(|part| part.settled(known)).collect()),
            Self::Any(parts) => Self::Any(parts.into_iter().map(|part| part.settled(known)).collect()),
            Self::Members { column, codes } => members(column, codes, known),
            plain @ (Self::Range { .. } | Self::Values { .. } | Self::Missing { .. }) => plain,
        }
    }

    fn negated(self, known: &TermContext<'_>) -> Self {
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
                // Keep NOT over these categories or list all others, whichever is shorter; if these are all categories, there are no others
                // to list.
                if rest == 0 || (!codes.is_empty() && codes.len() < rest) {
                    return Self::Not(Box::new(Self::Members { column, codes }));
                }
                let codes = complement(&column, &codes, known);
                Self::Members { column, codes }
            }
            // De Morgan's laws hold in three-valued logic, too.
            Self::All(parts) => Self::Any(parts.into_iter().map(|part| part.negated(known)).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(|part| part.negated(known)).collect()),
            other @ (Self::Values { .. } | Self::Missing { .. }) => Self::Not(Box::new(other)),
        }
    }
}

/// Number of values that a column of categories or truth values can have.
fn values(column: &Term, known: &TermContext<'_>) -> usize {
    let (_, last) = stored_bounds(&known.facts(column).domain);
    usize::try_from(last).unwrap_or(0).saturating_add(1)
}

/// The codes of a column that are not among `codes`, in ascending order.
fn complement(column: &Term, codes: &[u32], known: &TermContext<'_>) -> Vec<u32> {
    let (all, mut codes) = (0..u32::try_from(values(column, known)).unwrap_or(0), codes.iter().peekable());
    all.filter(|code| codes.next_if_eq(&code).is_none()).collect()
}

/// A condition on categories that lists either the accepted or the excluded ones, whichever are fewer.
fn members(column: Term, codes: Vec<u32>, known: &TermContext<'_>) -> Filter {
    // The complement is written out only if it is shorter than the given list, so that the work never depends on the size of the domain
    // alone.
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
            // One part that is never true decides a conjunction, and one that is always true a disjunction.
            Filter::Any(inner) if all && inner.is_empty() => return Filter::Any(inner),
            Filter::All(inner) if !all && inner.is_empty() => return Filter::All(inner),
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

/// Merges ranges of one column under AND into one range; a missing value makes all of them unknown alike.
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

/// Merges lists of one column under AND: accepted categories into one list, and excluded categories or values into another. A missing value
/// makes all of them unknown alike. Lists without a common member stay as they are.
fn intersect_lists(parts: Vec<Filter>) -> Vec<Filter> {
    let (mut meant, mut not_meant) = (BTreeMap::<Term, BTreeSet<u32>>::new(), BTreeMap::<Term, BTreeSet<u32>>::new());
    let mut not_values = BTreeMap::<Term, BTreeSet<i64>>::new();
    let mut rest = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Filter::Members { column, codes } => match meant.get_mut(&column) {
                // Lists are in ascending order.
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

/// Merges lists and single values of one column under OR into one list; a missing value makes all of them unknown alike.
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

/// Bounds of the canonical empty range.
pub(super) const NEVER: (i64, i64) = (1, 0);

/// Least and greatest stored integer of a domain.
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
