//! The values that a term can have, as they follow from the domains of its columns and from a condition.
//!
//! Promises a list that holds every value of a row that passes the condition. It is exact where the term can be worked out for every
//! combination of the values of its columns, and a list of multiples otherwise. Nothing is learnt from data.

use std::collections::{BTreeSet, HashMap};

use super::Term;
use super::context::TermContext;
use super::lower::Step;
use crate::query::filter::Filter;
use crate::query::terms::domain::{Column, Domain};

/// Largest number of operations that one term is worked out with, over all combinations of values of its columns.
const WORK_MAX: u64 = 1 << 20;
/// Number of operations that count as one step of planning: they are done for many rows at once.
const PER_STEP: u64 = 16;

/// The values of a term, worked out for every combination of the values of its columns.
pub(super) struct Occurring {
    /// The integers that occur, in ascending order.
    pub(super) values: Vec<i64>,
    /// Whether the term is missing for some combination.
    pub(super) is_missing: bool,
}

/// Works out a program for every combination of the values of its columns, where the condition can be true; `None` if there are too many.
pub(super) fn occurring(step: &Step, term: &Term, parts: &[Filter], known: &TermContext<'_>) -> Option<Occurring> {
    let mut columns = BTreeSet::new();
    term.declared(&mut columns);
    let inside = parts.iter().filter(|part| {
        let mut read = BTreeSet::new();
        part.declared(&mut read);
        read.is_subset(&columns)
    });
    let inside: Vec<&Filter> = inside.collect();
    let mut lists: Vec<(usize, Stored<'_>)> = Vec::with_capacity(columns.len());
    let mut rows = 1_u64;
    for index in columns {
        let stored = Stored::of(index, &known.columns[index], &inside)?;
        rows = rows.checked_mul(stored.size())?;
        lists.push((index, stored));
    }
    let work = rows.checked_mul(term.nodes() + inside.iter().map(|part| part.nodes()).sum::<u64>())?;
    if work > WORK_MAX {
        return None;
    }
    known.steps().spend(work / PER_STEP);
    let combinations = Combinations::of(&lists, usize::try_from(rows).ok()?, known);
    let is_in = inside.into_iter().fold(vec![true; combinations.rows], |mut is_in, part| {
        let truths = combinations.truths(part);
        is_in.iter_mut().zip(truths).for_each(|(is_in, truth)| *is_in &= truth == Some(true));
        is_in
    });
    let found = combinations.values(step);
    let found = found.into_iter().zip(is_in).filter(|(_, is_in)| *is_in);
    let (mut values, mut is_missing) = (Vec::new(), false);
    for (value, _) in found {
        match value {
            Some(value) => values.push(value),
            None => is_missing = true,
        }
    }
    values.sort_unstable();
    values.dedup();
    Some(Occurring { values, is_missing })
}

/// The values that several programs have together, for every combination of the values of their columns, in ascending order; `None` if there
/// are too many to work out.
pub(in crate::query) fn occurring_together(
    steps: &[Step],
    terms: &[Term],
    known: &TermContext<'_>,
) -> Option<Vec<Vec<Option<i64>>>> {
    let mut columns = BTreeSet::new();
    terms.iter().for_each(|term| term.declared(&mut columns));
    let mut lists: Vec<(usize, Stored<'_>)> = Vec::with_capacity(columns.len());
    let mut rows = 1_u64;
    for index in columns {
        let stored = Stored::of(index, &known.columns[index], &[])?;
        rows = rows.checked_mul(stored.size())?;
        lists.push((index, stored));
    }
    let work = rows.checked_mul(terms.iter().map(Term::nodes).sum())?;
    if work > WORK_MAX {
        return None;
    }
    known.steps().spend(work / PER_STEP);
    let combinations = Combinations::of(&lists, usize::try_from(rows).ok()?, known);
    let values: Vec<Vec<Option<i64>>> = steps.iter().map(|step| combinations.values(step)).collect();
    let row = |at: usize| values.iter().map(|values| values.get(at).copied().flatten()).collect();
    let rows: BTreeSet<Vec<Option<i64>>> = (0..combinations.rows).map(row).collect();
    Some(rows.into_iter().collect())
}

/// The stored integers that a column can have where the conditions are true.
struct Stored<'a> {
    low: i64,
    high: i64,
    /// The integers, if they are listed.
    listed: Option<&'a [i64]>,
    is_nullable: bool,
}

impl<'a> Stored<'a> {
    /// Returns `None` for text, whose codes are not public.
    fn of(index: usize, column: &Column, parts: &[&'a Filter]) -> Option<Self> {
        let (low, high) = match &column.domain {
            Domain::Category(labels) => (0, labels.len() as i64 - 1),
            Domain::Boolean => (0, 1),
            Domain::Date { min, max } => (i64::from(*min), i64::from(*max)),
            Domain::Number(grid) => (grid.low.checked_sub(grid.centre())?, grid.high.checked_sub(grid.centre())?),
            Domain::Text { .. } => return None,
        };
        let mut stored = Self { low, high, listed: None, is_nullable: column.nullable };
        for part in parts {
            match part {
                Filter::Range { column: Term::Column(of), low, high } if *of == index => {
                    (stored.low, stored.high) = (stored.low.max(*low), stored.high.min(*high));
                    stored.is_nullable = false;
                }
                Filter::Values { column: Term::Column(of), values } if *of == index => {
                    stored.listed = Some(values);
                    stored.is_nullable = false;
                }
                _ => {}
            }
        }
        Some(stored)
    }

    fn values(&self) -> Vec<Option<i64>> {
        let is_in = |value: &&i64| (self.low..=self.high).contains(*value);
        let values: Vec<Option<i64>> = match self.listed {
            Some(listed) => listed.iter().filter(is_in).map(|value| Some(*value)).collect(),
            None => (self.low..=self.high).map(Some).collect(),
        };
        values.into_iter().chain(self.is_nullable.then_some(None)).collect()
    }

    /// Largest number of values, with the missing one.
    fn size(&self) -> u64 {
        let all = self.high.checked_sub(self.low).and_then(|span| u64::try_from(span).ok()).map_or(0, |span| span + 1);
        let listed = self.listed.map_or(u64::MAX, |listed| listed.len() as u64);
        all.min(listed) + u64::from(self.is_nullable)
    }
}

/// All combinations of the values of some columns, as rows.
struct Combinations<'a> {
    rows: usize,
    columns: HashMap<usize, Vec<Option<i64>>>,
    known: &'a TermContext<'a>,
}

impl<'a> Combinations<'a> {
    fn of(lists: &[(usize, Stored<'_>)], rows_max: usize, known: &'a TermContext<'a>) -> Self {
        let lists: Vec<(usize, Vec<Option<i64>>)> =
            lists.iter().map(|(index, stored)| (*index, stored.values())).collect();
        let rows = lists.iter().map(|(_, values)| values.len()).product::<usize>().min(rows_max);
        let (mut columns, mut repeated) = (HashMap::with_capacity(lists.len()), 1);
        for (index, values) in lists {
            // Each value stands in as many rows as the columns before have combinations, and the list is repeated.
            let each = values.iter().flat_map(|value| std::iter::repeat_n(*value, repeated));
            let column: Vec<Option<i64>> = each.collect();
            repeated *= values.len();
            columns.insert(index, column.iter().copied().cycle().take(rows).collect());
        }
        Self { rows, columns, known }
    }

    fn values(&self, step: &Step) -> Vec<Option<i64>> {
        let all = |parts: &[Step]| parts.iter().map(|part| self.values(part)).collect::<Vec<_>>();
        let constant = |value: Option<i64>| vec![value; self.rows];
        match step {
            Step::Stored(index) => self.columns.get(index).cloned().unwrap_or_else(|| constant(None)),
            Step::Constant(value) => constant(Some(*value)),
            Step::Plus(parts) => parts.iter().fold(constant(Some(0)), |sums, (part, factor)| match part {
                Step::Constant(value) => {
                    let added = value.wrapping_mul(*factor);
                    sums.into_iter().map(|sum| sum.map(|sum| sum.wrapping_add(added))).collect()
                }
                part => combined(sums, self.values(part), |sum, value| {
                    Some(sum?.wrapping_add(value?.wrapping_mul(*factor)))
                }),
            }),
            Step::Times(parts) => all(parts).into_iter().fold(constant(Some(1)), |products, part| {
                combined(products, part, |product, value| Some(product?.wrapping_mul(value?)))
            }),
            Step::Least(parts) => all(parts).into_iter().fold(constant(None), |least, part| {
                combined(least, part, |least, value| least.into_iter().chain(value).min())
            }),
            Step::Greatest(parts) => all(parts)
                .into_iter()
                .fold(constant(None), |greatest, part| combined(greatest, part, |greatest, value| greatest.max(value))),
            Step::Filled(inner, with) => self.values(inner).into_iter().map(|value| value.or(Some(*with))).collect(),
            Step::Case(whens, otherwise) => {
                let mut chosen = otherwise.as_ref().map_or_else(|| constant(None), |last| self.values(last));
                // Earlier conditions overwrite later ones.
                for (filter, then) in whens.iter().rev() {
                    let then = self.values(then);
                    let chosen = chosen.iter_mut().zip(self.truths(filter)).zip(then);
                    chosen
                        .filter(|((_, truth), _)| *truth == Some(true))
                        .for_each(|((chosen, _), then)| *chosen = then);
                }
                chosen
            }
            Step::Truth(filter) => self.truths(filter).into_iter().map(|truth| truth.map(i64::from)).collect(),
            Step::Apply(function, inner) => {
                self.values(inner).into_iter().map(|value| value.map(|value| function.apply(value))).collect()
            }
        }
    }

    /// The stored integers of a term.
    fn stored(&self, term: &Term) -> Vec<Option<i64>> {
        match term {
            Term::Column(index) => self.columns.get(index).cloned().unwrap_or_else(|| vec![None; self.rows]),
            Term::Made(_) => {
                let lowered = self.known.lower(term).ok().and_then(|lowered| lowered.as_ref().clone().stored().ok());
                lowered.map_or_else(|| vec![None; self.rows], |step| self.values(&step))
            }
        }
    }

    fn truths(&self, filter: &Filter) -> Vec<Option<bool>> {
        let compared = |column: &Term, is: &dyn Fn(i64) -> bool| {
            self.stored(column).into_iter().map(|value| value.map(is)).collect::<Vec<_>>()
        };
        match filter {
            Filter::Range { column, low, high } => compared(column, &|value| (*low..=*high).contains(&value)),
            Filter::Members { column, codes } => {
                compared(column, &|value| u32::try_from(value).is_ok_and(|code| codes.binary_search(&code).is_ok()))
            }
            Filter::Values { column, values } => compared(column, &|value| values.binary_search(&value).is_ok()),
            Filter::Missing { column } => self.stored(column).into_iter().map(|value| Some(value.is_none())).collect(),
            Filter::Not(inner) => self.truths(inner).into_iter().map(|truth| truth.map(|truth| !truth)).collect(),
            Filter::All(parts) => self.connected(parts, false),
            Filter::Any(parts) => self.connected(parts, true),
        }
    }

    /// The conjunction or the disjunction of conditions: `strong` is the truth that decides it alone.
    fn connected(&self, parts: &[Filter], strong: bool) -> Vec<Option<bool>> {
        parts.iter().fold(vec![Some(!strong); self.rows], |so_far, part| {
            combined(so_far, self.truths(part), |one, other| match (one, other) {
                (Some(truth), _) | (_, Some(truth)) if truth == strong => Some(strong),
                (Some(_), Some(_)) => Some(!strong),
                _ => None,
            })
        })
    }
}

fn combined<T>(
    one: Vec<Option<T>>,
    other: Vec<Option<T>>,
    with: impl Fn(Option<T>, Option<T>) -> Option<T>,
) -> Vec<Option<T>> {
    one.into_iter().zip(other).map(|(one, other)| with(one, other)).collect()
}

/// The integers that a program's values differ by: every value is `rest` plus a multiple of `by`, where `by` is 0 for a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Multiples {
    pub(super) by: i64,
    pub(super) rest: i64,
}

impl Multiples {
    const ANY: Self = Self { by: 1, rest: 0 };

    /// The multiples that a program's values are among.
    pub(super) fn of(step: &Step) -> Self {
        let united = |parts: &mut dyn Iterator<Item = &Step>| {
            let mut parts = parts.map(Self::of);
            let first = parts.next().unwrap_or(Self::ANY);
            parts.fold(first, Self::united)
        };
        match step {
            Step::Stored(_) | Step::Apply(..) | Step::Truth(_) => Self::ANY,
            Step::Constant(value) => Self { by: 0, rest: *value },
            Step::Plus(parts) => parts.iter().fold(Self { by: 0, rest: 0 }, |sum, (part, factor)| {
                sum.plus(Self::of(part).times(Self { by: 0, rest: *factor }))
            }),
            Step::Times(parts) => {
                parts.iter().fold(Self { by: 0, rest: 1 }, |product, part| product.times(Self::of(part)))
            }
            Step::Least(parts) | Step::Greatest(parts) => united(&mut parts.iter()),
            Step::Filled(inner, with) => Self::of(inner).united(Self { by: 0, rest: *with }),
            Step::Case(whens, otherwise) => united(&mut whens.iter().map(|(_, then)| then).chain(otherwise.as_deref())),
        }
    }

    /// The least of the values at or above a bound.
    pub(super) fn at_or_above(self, low: i64) -> i64 {
        let (by, low, rest) = (i128::from(self.by.max(1)), i128::from(low), i128::from(self.rest));
        i64::try_from(low + (rest - low).rem_euclid(by)).unwrap_or(i64::MAX)
    }

    /// Brings numbers that were computed with more bits into 64, which makes them less exact and never wrong.
    fn small(by: i128, rest: i128) -> Self {
        match (i64::try_from(by.abs()), i64::try_from(rest)) {
            (Ok(by), Ok(rest)) => Self { by, rest },
            _ => Self::ANY,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self::small(gcd(self.by.into(), other.by.into()), i128::from(self.rest) + i128::from(other.rest))
    }

    fn times(self, other: Self) -> Self {
        let of = |one: i64, other: i64| i128::from(one) * i128::from(other);
        let by = gcd(gcd(of(self.by, other.rest), of(self.rest, other.by)), of(self.by, other.by));
        Self::small(by, of(self.rest, other.rest))
    }

    fn united(self, other: Self) -> Self {
        let apart = i128::from(self.rest) - i128::from(other.rest);
        Self::small(gcd(gcd(self.by.into(), other.by.into()), apart), self.rest.into())
    }
}

fn gcd(one: i128, other: i128) -> i128 {
    let (mut one, mut other) = (one.unsigned_abs(), other.unsigned_abs());
    while other > 0 {
        (one, other) = (other, one % other);
    }
    i128::try_from(one).unwrap_or(1)
}
