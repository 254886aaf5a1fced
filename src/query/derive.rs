//! Derived measurements: a count or a sum whose cells are sums of cells of another measurement.
//!
//! Promises that, over every table, the derived vector of exact values is the vector that would have been measured. So a stored noisy
//! vector answers more questions than the one it was drawn for, as post-processing. This module is pure; it sees only plans and terms.
//!
//! # When one measurement is a sum of cells of another
//!
//! Both count or sum the same value over rows of the same rank. The source has keys L and filter G, the target keys K ⊆ L and filter F.
//! Split each filter's conjunction into the conjuncts that name key columns of L only, and the rest. Two conditions must hold: the rests
//! are equal, and every cell of the source whose codes make F's part true makes G's part true. A row's codes of L determine in which cell
//! of the source it lies and whether F's part is true of it. So the rows of a target cell are exactly the rows of those source cells that
//! have its codes of K and make F's part true, and counts and sums add up over disjoint sets of rows. This requires every row of the target
//! to be in some cell of the source: if the source's own filter excluded some groups, the target's filter must exclude them, too.
//!
//! Counts of distinct units add up only if no unit is in two of the summed cells: if every key that the target drops holds one value per
//! unit, or if each target cell is a single source cell.

use super::computation::{Coarsening, Computation, Measure, PlanKey, codes};
use super::filter::Filter;
use super::term::Term;
use super::term::coding::{self, CategoryLists};
use super::term::context::TermContext;

/// How the cells of a target measurement are sums of cells of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// For each source cell, the target cell that it is added to; `None` if it is not used.
    target_of: Vec<Option<usize>>,
    /// Number of cells of the target.
    cells: usize,
    /// Largest number of source cells in one target cell; the variance of a derived cell is at most this times that of a source cell.
    pub summed_max: u64,
    /// Whether every target cell sums equally many source cells, apart from those that sum none, which are zero in every table.
    pub is_even: bool,
}

impl Derivation {
    /// One total of this many cells.
    #[cfg(test)]
    pub(crate) fn of_total(cells: u64) -> Self {
        Self { target_of: (0..cells).map(|_| Some(0)).collect(), cells: 1, summed_max: cells, is_even: true }
    }

    /// Computes the target's vector: each cell is the sum of its source cells.
    #[must_use]
    pub fn apply<T: Clone + std::ops::AddAssign<T> + Default>(&self, source: &[T]) -> Vec<T> {
        let mut target = vec![T::default(); self.cells];
        for (value, cell) in source.iter().zip(&self.target_of) {
            if let Some(cell) = cell {
                target[*cell] += value.clone();
            }
        }
        target
    }
}

/// Splits a filter's conjunction into the conjuncts that name columns of `keys` only, and the others.
#[must_use]
pub fn split(filter: Option<&Filter>, keys: &[Term]) -> (Vec<Filter>, Vec<Filter>) {
    let conjuncts: &[Filter] = match filter {
        None => &[],
        Some(Filter::All(parts)) => parts,
        Some(one) => std::slice::from_ref(one),
    };
    conjuncts.iter().cloned().partition(|part| part.leaves().into_iter().all(|leaf| keys.contains(leaf)))
}

/// How `measure` of `target` is a sum of cells of `measure` of `source`; `None` if it is not. `known` are the terms that the target sees.
#[must_use]
pub fn derive(
    target: &Computation,
    source: &Computation,
    measure: &Measure,
    known: &TermContext<'_>,
) -> Option<Derivation> {
    let source_keys: Vec<Term> = source.keys.iter().map(|key| key.column.clone()).collect();
    // The target may have fewer groups: a condition excludes those that it lacks.
    let same = |key: &PlanKey, other: &PlanKey| key.column == other.column && other.holds(key);
    let kept: Option<Vec<usize>> =
        target.keys.iter().map(|key| source.keys.iter().position(|other| same(key, other))).collect();
    let kept = kept?;
    let ((wanted, rest), (held, source_rest)) =
        (split(target.filter.as_ref(), &source_keys), split(source.filter.as_ref(), &source_keys));
    let needs_disjoint_units = match measure.coarsening() {
        Coarsening::Sum => false,
        Coarsening::SumOfUnits => true,
        // A histogram has several cells for each group, and weighted sums add up differently.
        Coarsening::SumByBin | Coarsening::Unknown => return None,
    };
    let table = |of: &'_ Computation| (of.rows_per_unit, of.units.clone(), of.left.clone(), of.relation.clone());
    let is_same_table = table(target) == table(source);
    if !is_same_table || rest != source_rest {
        return None;
    }
    // The source may cover fewer groups than exist: every row of the target must be in one of them.
    let lists = if target.relation.is_some() { CategoryLists::Narrowed } else { CategoryLists::Whole };
    let holds = |key: &PlanKey| {
        let left = coding::key(&key.column, known, target.filter.as_ref(), lists).ok()?;
        key.holds(&left).then_some(())
    };
    source.keys.iter().try_for_each(holds)?;
    let cells = usize::try_from(target.groups()).ok()?;
    let mut target_of = Vec::with_capacity(usize::try_from(source.groups()).ok()?);
    let mut summed = vec![0_u64; cells];
    for cell in 0..source.groups() {
        let codes = codes(source.keys.iter().map(PlanKey::size), cell);
        let is_in = truth_of_all(&wanted, &source.keys, &codes, known)?;
        if is_in && !truth_of_all(&held, &source.keys, &codes, known)? {
            return None;
        }
        let mut kept_codes =
            target.keys.iter().zip(&kept).map(|(key, place)| code_of(&source.keys[*place], codes[*place], key));
        let is_missing = |code: &Kept| matches!(code, Kept::Missing);
        if is_in && kept_codes.clone().any(|code| is_missing(&code)) {
            return None;
        }
        let place = kept_codes.try_fold(0, |place, code| match code {
            Kept::Code { code, size } => Some(place * size + code),
            Kept::Empty | Kept::Missing => None,
        });
        let place = place.and_then(|place| usize::try_from(place).ok()).filter(|_| is_in);
        if let Some(place) = place {
            summed[place] += 1;
        }
        target_of.push(place);
    }
    let summed_max = summed.iter().copied().max().filter(|most| *most > 0)?;
    let is_even = summed.iter().all(|count| *count == 0 || *count == summed_max);
    let dropped = source.keys.iter().enumerate().filter(|(place, _)| !kept.contains(place));
    let one_cell_per_unit = summed_max == 1 || dropped.map(|(_, key)| key).all(|key| known.facts(&key.column).per_unit);
    (one_cell_per_unit || !needs_disjoint_units).then_some(Derivation { target_of, cells, summed_max, is_even })
}

/// What a code of a source's key is in the target's key over the same term.
enum Kept {
    /// A code of the target's key, which has this size.
    Code { code: u64, size: u64 },
    /// A value that no row of the target has: the target's groups are all that its condition leaves.
    Empty,
    /// The group of missing values, which the target's key does not have.
    Missing,
}

fn code_of(key: &PlanKey, code: u64, target: &PlanKey) -> Kept {
    let size = target.size();
    match u32::try_from(code).ok().filter(|code| *code < key.codes) {
        None if target.nullable => Kept::Code { code: target.codes.into(), size },
        None => Kept::Missing,
        Some(code) => match target.code(key.value(code)) {
            Some(code) => Kept::Code { code: code.into(), size },
            None => Kept::Empty,
        },
    }
}

/// Whether all conditions are true of a cell's codes; `None` if one of them is not a condition on codes.
fn truth_of_all(filters: &[Filter], keys: &[PlanKey], codes: &[u64], known: &TermContext<'_>) -> Option<bool> {
    for filter in filters {
        if truth(filter, keys, codes, known)? != Some(true) {
            return Some(false);
        }
    }
    Some(true)
}

/// Truth of a condition for a cell's codes, in three-valued logic: the inner `None` is unknown, and the outer `None` means that it is not a
/// condition on codes.
fn truth(filter: &Filter, keys: &[PlanKey], codes: &[u64], known: &TermContext<'_>) -> Option<Option<bool>> {
    let code = |column: &Term| {
        let place = keys.iter().position(|key| key.column == *column)?;
        let is_missing = codes[place] == u64::from(keys[place].codes);
        Some(if is_missing { None } else { u32::try_from(codes[place]).ok() })
    };
    // A comparison of stored integers, which all rows of a cell have in common unless it is one of a longer period.
    let stored = |column: &Term, is: &dyn Fn(i64) -> bool| {
        let place = keys.iter().position(|key| key.column == *column)?;
        match code(column)? {
            None => Some(None),
            Some(code) => coding::stored(&keys[place], code, known).map(|value| Some(is(value))),
        }
    };
    match filter {
        // Codes are in ascending order.
        Filter::Members { column, codes: members } => {
            Some(code(column)?.map(|code| members.binary_search(&code).is_ok()))
        }
        Filter::Missing { column } => Some(Some(code(column)?.is_none())),
        Filter::Not(inner) => Some(truth(inner, keys, codes, known)?.map(|truth| !truth)),
        Filter::All(parts) => {
            let parts = parts.iter().map(|part| truth(part, keys, codes, known)).collect::<Option<Vec<_>>>()?;
            Some(if parts.contains(&Some(false)) { Some(false) } else { parts.into_iter().fold(Some(true), both) })
        }
        Filter::Any(parts) => {
            let parts = parts.iter().map(|part| truth(part, keys, codes, known)).collect::<Option<Vec<_>>>()?;
            let is_true = parts.contains(&Some(true));
            Some(if is_true { Some(true) } else { parts.into_iter().fold(Some(false), both) })
        }
        Filter::Range { column, low, high } => stored(column, &|value| (*low..=*high).contains(&value)),
        Filter::Values { column, values } => stored(column, &|value| values.binary_search(&value).is_ok()),
    }
}

/// `one`, or unknown if either of the two is unknown.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    one.and_then(|one| other.map(|_| one))
}
