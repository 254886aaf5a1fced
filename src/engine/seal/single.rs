//! Finds one value per unit for columns in which a unit's rows may hold several.
//!
//! Promises a rule that depends on the unit's own rows alone and not on chance: a known value comes before a missing one, and of several
//! known ones the smallest wins: the first of the list, the smallest number, the earliest day, the first text in the order of its
//! characters. Units whose rows contradict each other are counted.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::SealError;
use crate::engine::seal::cells::Texts;
use crate::engine::seal::encode::ColumnCounts;
use crate::engine::seal::encode::NULL;
use crate::engine::seal::spill::Row;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::Policy;
use crate::query::terms::reading::Conflicts;

/// Chooses between two stored values of a column, and says whether they contradict each other or one fills the other's gap.
pub(super) fn better(column: &Column, texts: &HashMap<i64, String>, one: i64, other: i64) -> (i64, Sameness) {
    match (one, other) {
        (one, other) if one == other => (one, Sameness::Same),
        (NULL, known) | (known, NULL) => (known, Sameness::Filled),
        (one, other) => {
            let is_less = match column.domain {
                Domain::Text { .. } => texts.get(&one).cmp(&texts.get(&other)),
                Domain::Category(_) | Domain::Boolean | Domain::Number(_) | Domain::Date { .. } => one.cmp(&other),
            } == Ordering::Less;
            (if is_less { one } else { other }, Sameness::Contradicts)
        }
    }
}

/// How two values of a unit agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sameness {
    Same,
    Filled,
    Contradicts,
}

/// The columns with a single value per unit, while parts are being read.
pub(super) struct Single<'a> {
    columns: Vec<(usize, &'a Column)>,
    texts: &'a Texts,
    /// What was found so far for units whose rows have not all been read, by column index and unit.
    met: HashMap<(usize, u128), Met>,
    /// The number of units whose rows contradict each other, and of units that lack the value in some rows, by column index.
    pub(super) counts: HashMap<usize, (u64, u64)>,
}

/// What was found in the rows of a unit.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    contradicts: bool,
    filled: bool,
}

impl<'a> Single<'a> {
    /// Takes the dataset's own columns; joined tables have one row per unit already.
    pub(super) fn new(own: &'a [Column], texts: &'a Texts) -> Self {
        let columns = own.iter().enumerate().filter(|(_, column)| column.per_unit).collect();
        Self { columns, texts, met: HashMap::new(), counts: HashMap::new() }
    }

    /// Gives all rows of a unit the same value. The rows may come in several calls: first
    /// some of them, and finally, with `last`, the others with those that were kept.
    pub(super) fn settle(&mut self, rows: &mut [Row], last: bool) {
        let Some(unit) = rows.first().map(|row| row.unit) else { return };
        for (index, column) in &self.columns {
            let mut met = self.met.remove(&(*index, unit)).unwrap_or_default();
            let first = rows[0].values[*index];
            if rows.iter().any(|row| row.values[*index] != first) {
                let mut value = first;
                for row in &rows[1..] {
                    let (next, sameness) = better(column, &self.texts[*index], value, row.values[*index]);
                    value = next;
                    met.contradicts |= sameness == Sameness::Contradicts;
                    met.filled |= sameness == Sameness::Filled;
                }
                rows.iter_mut().for_each(|row| row.values[*index] = value);
            }
            if !(met.contradicts || met.filled) {
                continue;
            }
            if last {
                let counts = self.counts.entry(*index).or_default();
                counts.0 += u64::from(met.contradicts);
                counts.1 += u64::from(met.filled);
            } else {
                self.met.insert((*index, unit), met);
            }
        }
    }

    /// Whether there is no column to settle.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Writes the counts into the report's columns.
    pub(super) fn report(&self, columns: &mut [(String, ColumnCounts)]) {
        for (index, (conflicts, filled)) in &self.counts {
            let counts = &mut columns[*index].1;
            (counts.conflicts, counts.filled) = (*conflicts, *filled);
        }
    }
}

/// Checks that no unit's rows contradict each other in these columns, if the policy refuses that.
pub(super) fn check_conflicts(
    policy: &Policy,
    path: &str,
    columns: &[(String, ColumnCounts)],
) -> Result<(), SealError> {
    let first = columns.iter().find(|(_, counts)| counts.conflicts > 0);
    match first.filter(|_| policy.reading.conflicts == Conflicts::Refuse) {
        None => Ok(()),
        Some((column, counts)) => {
            let (column, count) = (column.clone(), counts.conflicts);
            Err(SealError::Conflicts { path: path.to_owned(), column, count })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(domain: Domain) -> Column {
        Column { name: "c".to_owned(), title: None, domain, per_unit: true, nullable: true }
    }

    #[test]
    fn the_rule_depends_on_nothing_but_the_rows() {
        let texts: Texts = vec![HashMap::new(), HashMap::from([(9, "alpha".to_owned()), (1, "beta".to_owned())])];
        let own = [column(Domain::Boolean), column(Domain::Text { values_max: 9, groups_per_unit: 1 })];
        let row = |unit, order, values: [i64; 2]| Row { unit, order, values: values.to_vec() };
        let rows = [row(1, 0, [NULL, 1]), row(1, 1, [1, 9]), row(1, 2, [0, NULL])];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut single = Single::new(&own, &texts);
            let mut some: Vec<Row> = order[..2].iter().map(|at| rows[*at].clone()).collect();
            single.settle(&mut some, false);
            some.push(rows[order[2]].clone());
            single.settle(&mut some, true);
            assert!(some.iter().all(|row| row.values == [0, 9]), "{order:?}: {some:?}");
            assert_eq!(single.counts, HashMap::from([(0, (1, 1)), (1, (1, 1))]), "{order:?}");
        }
    }
}
