//! Row-local conditions on stored integers.
//!
//! Promises three truth values as in SQL: a missing value makes a comparison neither true nor false. Row-local by
//! construction: every variant looks at one row's own columns.

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use serde::{Deserialize, Serialize};

use super::error::{Code, QueryError, nearest, shown};
use super::syntax::{Comparison, Condition, Literal, LiteralValue, Name};
use crate::dataset::domain::{Column, Domain, date_days};
use crate::dataset::policy::Terms;

/// A condition in canonical form: conditions that are equal by the rules of [`Filter::canonical`] have equal values.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub enum Filter {
    /// A stored integer lies within both bounds; never, where `low` is above `high`.
    Range {
        /// Index of the column.
        column: usize,
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A code is one of these, ascending.
    Members {
        /// Index of the column.
        column: usize,
        /// The codes.
        codes: Vec<u32>,
    },
    /// A stored integer is one of these, ascending; never, where there are none.
    Values {
        /// Index of the column.
        column: usize,
        /// The integers.
        values: Vec<i64>,
    },
    /// The value is missing.
    Missing {
        /// Index of the column.
        column: usize,
    },
    /// Not so.
    Not(Box<Filter>),
    /// All of them.
    All(Vec<Filter>),
    /// Any of them.
    Any(Vec<Filter>),
}

/// Rounds of bringing a condition into its form; a few are enough for any that people write.
const ROUNDS_MAX: usize = 64;

/// Digits and exponent of a numeric literal stay within this.
const LITERAL_DIGITS_MAX: usize = 400;

impl Filter {
    /// Comparisons and connectives: what a row costs to look at.
    #[must_use]
    pub fn nodes(&self) -> u64 {
        match self {
            Self::Range { .. } | Self::Members { .. } | Self::Values { .. } | Self::Missing { .. } => 1,
            Self::Not(inner) => 1 + inner.nodes(),
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::nodes).sum::<u64>(),
        }
    }

    /// Types a condition.
    ///
    /// # Errors
    /// [`Code::OutOfDomain`] for an unlisted category, [`Code::UnsupportedSql`] for a comparison that a type does not have.
    /// Columns must exist; [`super::plan`] has looked.
    pub fn of(condition: &Condition, terms: &Terms) -> Result<Self, QueryError> {
        let typed = Typed { terms };
        // Each may make work for the other: a NOT that is gone may be merged, and what was merged be said more shortly.
        let mut form = typed.filter(condition)?.canonical();
        for _ in 0..ROUNDS_MAX {
            let next = form.clone().settled(terms).canonical();
            if next == form {
                break;
            }
            form = next;
        }
        Ok(form)
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
    fn settled(self, terms: &Terms) -> Self {
        match self {
            Self::Not(inner) => inner.settled(terms).negated(terms),
            Self::All(parts) => Self::All(parts.into_iter().map(|part| part.settled(terms)).collect()),
            Self::Any(parts) => Self::Any(parts.into_iter().map(|part| part.settled(terms)).collect()),
            Self::Members { column, codes } => members(column, codes, terms),
            plain @ (Self::Range { .. } | Self::Values { .. } | Self::Missing { .. }) => plain,
        }
    }

    fn negated(self, terms: &Terms) -> Self {
        match self {
            Self::Not(inner) => *inner,
            Self::Range { column, low, high } => {
                let (least, greatest) = stored_bounds(&terms.columns[column].domain);
                match (low > high, low == least, high == greatest) {
                    (true, _, _) => Self::Range { column, low: least, high: greatest },
                    (false, true, true) => Self::Range { column, low: NEVER.0, high: NEVER.1 },
                    (false, true, false) => Self::Range { column, low: high + 1, high: greatest },
                    (false, false, true) => Self::Range { column, low: least, high: low - 1 },
                    (false, false, false) => Self::Not(Box::new(Self::Range { column, low, high })),
                }
            }
            Self::Members { column, codes } => match complement(column, &codes, terms) {
                rest if rest.is_empty() => Self::Not(Box::new(Self::Members { column, codes })),
                rest => members(column, rest, terms),
            },
            // De Morgan's laws hold for three truth values, too.
            Self::All(parts) => Self::Any(parts.into_iter().map(|part| part.negated(terms)).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(|part| part.negated(terms)).collect()),
            other @ (Self::Values { .. } | Self::Missing { .. }) => Self::Not(Box::new(other)),
        }
    }
}

/// The codes of a column that are not among `codes`, ascending.
fn complement(column: usize, codes: &[u32], terms: &Terms) -> Vec<u32> {
    let (_, last) = stored_bounds(&terms.columns[column].domain);
    (0..=u32::try_from(last).unwrap_or(0)).filter(|code| codes.binary_search(code).is_err()).collect()
}

/// Categories, by those that are meant or by those that are not, whichever are fewer.
fn members(column: usize, codes: Vec<u32>, terms: &Terms) -> Filter {
    let rest = complement(column, &codes, terms);
    if rest.is_empty() || codes.len() <= rest.len() {
        return Filter::Members { column, codes };
    }
    Filter::Not(Box::new(Filter::Members { column, codes: rest }))
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
    let (mut meant, mut not_meant) = (BTreeMap::<usize, BTreeSet<u32>>::new(), BTreeMap::<usize, BTreeSet<u32>>::new());
    let mut not_values = BTreeMap::<usize, BTreeSet<i64>>::new();
    let mut rest = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Filter::Members { column, codes } => match meant.get_mut(&column) {
                Some(known) if known.iter().any(|code| codes.contains(code)) => {
                    known.retain(|code| codes.contains(code))
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
    let (mut codes, mut values) = (BTreeMap::<usize, BTreeSet<u32>>::new(), BTreeMap::<usize, BTreeSet<i64>>::new());
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
const NEVER: (i64, i64) = (1, 0);

struct Typed<'a> {
    terms: &'a Terms,
}

impl Typed<'_> {
    fn filter(&self, condition: &Condition) -> Result<Filter, QueryError> {
        Ok(match condition {
            Condition::Compare(name, comparison, literal) => self.compare(name, *comparison, literal)?,
            Condition::Between(name, low, high) => Filter::All(vec![
                self.compare(name, Comparison::GreaterOrEqual, low)?,
                self.compare(name, Comparison::LessOrEqual, high)?,
            ]),
            Condition::In(name, literals) => self.members(name, literals)?,
            Condition::IsNull(name) => Filter::Missing { column: self.column(name)?.0 },
            Condition::Column(name) => match self.column(name)? {
                (column, Column { domain: Domain::Boolean, .. }) => Filter::Members { column, codes: vec![1] },
                (_, other) => {
                    let message = format!("\"{}\" is a {}, not a condition", name.text, other.domain.type_name());
                    return Err(
                        QueryError::at(Code::UnsupportedSql, name.at, message).hint("compare it with a constant")
                    );
                }
            },
            Condition::Not(inner) => Filter::Not(Box::new(self.filter(inner)?)),
            Condition::All(parts) => Filter::All(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
            Condition::Any(parts) => Filter::Any(parts.iter().map(|part| self.filter(part)).collect::<Result<_, _>>()?),
        })
    }

    fn column(&self, name: &Name) -> Result<(usize, &Column), QueryError> {
        let missing =
            || QueryError::at(Code::UnknownColumn, name.at, format!("unknown column \"{}\"", shown(&name.text)));
        self.terms.column(&name.text).ok_or_else(missing)
    }

    fn compare(&self, name: &Name, comparison: Comparison, literal: &Literal) -> Result<Filter, QueryError> {
        let (column, declared) = self.column(name)?;
        let equal = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let filter = match &declared.domain {
            Domain::Number(_) | Domain::Date { .. } => {
                let place = ordered(declared, literal)?;
                range(column, &declared.domain, comparison, &place)
            }
            Domain::Category(_) | Domain::Boolean if equal => {
                Filter::Members { column, codes: vec![code(declared, literal)?] }
            }
            Domain::Category(_) | Domain::Boolean => {
                let message = format!("\"{}\" is a {} and has no order", name.text, declared.domain.type_name());
                return Err(
                    QueryError::at(Code::UnsupportedSql, name.at, message).hint("compare with = or <>, or use IN (…)")
                );
            }
        };
        Ok(if comparison == Comparison::NotEqual { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn members(&self, name: &Name, literals: &[Literal]) -> Result<Filter, QueryError> {
        let (column, declared) = self.column(name)?;
        match &declared.domain {
            Domain::Category(_) | Domain::Boolean => {
                let mut codes =
                    literals.iter().map(|literal| code(declared, literal)).collect::<Result<Vec<_>, _>>()?;
                codes.sort_unstable();
                codes.dedup();
                Ok(Filter::Members { column, codes })
            }
            Domain::Number(_) | Domain::Date { .. } => {
                let (least, greatest) = stored_bounds(&declared.domain);
                let mut values = Vec::with_capacity(literals.len());
                for literal in literals {
                    let place = ordered(declared, literal)?;
                    // What lies between two steps or out of bounds equals no value.
                    let whole = i64::try_from(place.floor()).ok().filter(|_| place.floor() == place.ceil());
                    values.extend(whole.filter(|value| (least..=greatest).contains(value)));
                }
                values.sort_unstable();
                values.dedup();
                Ok(Filter::Values { column, values })
            }
        }
    }
}

/// A literal's exact place among the stored integers of an ordered column.
fn ordered(column: &Column, literal: &Literal) -> Result<RBig, QueryError> {
    let place = match (&column.domain, &literal.value) {
        (Domain::Number(grid), LiteralValue::Number(text) | LiteralValue::Text(text)) => {
            exact(text).map(|value| grid.place(&value))
        }
        (Domain::Date { .. }, LiteralValue::Date(text) | LiteralValue::Text(text)) => {
            date_days(text).map(|days| RBig::from(IBig::from(days)))
        }
        _ => None,
    };
    place.ok_or_else(|| {
        let wanted = match column.domain {
            Domain::Date { .. } => "a day like DATE '2024-02-29'",
            _ => "a number",
        };
        mismatch(column, literal, wanted)
    })
}

fn mismatch(column: &Column, literal: &Literal, wanted: &str) -> QueryError {
    let message = format!("{} is no value of \"{}\"; accepted is {wanted}", literal_text(literal), column.name);
    QueryError::at(Code::OutOfDomain, literal.at, message).hint(format!("\"{}\" is {}", column.name, column.domain))
}

fn literal_text(literal: &Literal) -> String {
    match &literal.value {
        LiteralValue::Number(text) => shown(text),
        LiteralValue::Text(text) => format!("'{}'", shown(text)),
        LiteralValue::Date(text) => format!("DATE '{}'", shown(text)),
        LiteralValue::Boolean(truth) => truth.to_string(),
    }
}

fn code(column: &Column, literal: &Literal) -> Result<u32, QueryError> {
    let text = match (&column.domain, &literal.value) {
        (Domain::Boolean, LiteralValue::Boolean(truth)) => return Ok(u32::from(*truth)),
        (_, LiteralValue::Text(text)) | (Domain::Category(_), LiteralValue::Number(text)) => text,
        _ => return Err(mismatch(column, literal, "one of its values")),
    };
    let labels: Vec<&str> = match &column.domain {
        Domain::Category(values) => values.iter().map(String::as_str).collect(),
        Domain::Boolean | Domain::Number(_) | Domain::Date { .. } => vec!["false", "true"],
    };
    let found = (0..).zip(&labels).find(|(_, label)| *label == text);
    found.map(|(code, _)| code).ok_or_else(|| {
        let message = format!("{} is not a value of \"{}\"", literal_text(literal), column.name);
        let error = QueryError::at(Code::OutOfDomain, literal.at, message);
        match nearest(text, labels.iter().copied()) {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint(format!("it is {}", column.domain)),
        }
    })
}

fn range(column: usize, domain: &Domain, comparison: Comparison, place: &RBig) -> Filter {
    let (least, greatest) = stored_bounds(domain);
    let near = |value: IBig| {
        let value = value.max(IBig::from(least) - IBig::ONE).min(IBig::from(greatest) + IBig::ONE);
        // Unwrap safety: it was brought within one of two bounds that are below 2⁶² in size.
        i64::try_from(value).expect("a bound lies near the domain")
    };
    let (above, below) = (near(place.ceil()), near(place.floor()));
    let (low, high) = match comparison {
        Comparison::Equal | Comparison::NotEqual => (above, below),
        Comparison::Less => (least, above - 1),
        Comparison::LessOrEqual => (least, below),
        Comparison::Greater => (below + 1, greatest),
        Comparison::GreaterOrEqual => (above, greatest),
    };
    let (low, high) = (low.max(least), high.min(greatest));
    let (low, high) = if low > high { NEVER } else { (low, high) };
    Filter::Range { column, low, high }
}

/// Least and greatest stored integer of an ordered domain.
#[must_use]
pub fn stored_bounds(domain: &Domain) -> (i64, i64) {
    match domain {
        Domain::Number(grid) => (grid.low - grid.centre(), grid.high - grid.centre()),
        Domain::Date { min, max } => (i64::from(*min), i64::from(*max)),
        Domain::Category(values) => (0, values.len() as i64 - 1),
        Domain::Boolean => (0, 1),
    }
}

/// A decimal literal as an exact fraction.
fn exact(text: &str) -> Option<RBig> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let plain = !digits.is_empty() && digits.len() <= LITERAL_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    let written = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !plain || written.is_empty() || !written.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Beyond these powers of ten a number is above or below every value, or between 0 and every step, all the same.
    let beyond = 2 * LITERAL_DIGITS_MAX as i64;
    let far = if exponent.starts_with('-') { -beyond } else { beyond };
    let power = exponent.parse().unwrap_or(far).clamp(-beyond, beyond) - i64::try_from(fraction.len()).ok()?;
    let magnitude = UBig::from_str_radix(&digits, 10).ok()?;
    let signed = if negative { -IBig::from(magnitude) } else { IBig::from(magnitude) };
    let ten = UBig::from(10_u8).pow(power.unsigned_abs() as usize);
    Some(if power >= 0 { RBig::from(signed * IBig::from(ten)) } else { RBig::from_parts(signed, ten) })
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
