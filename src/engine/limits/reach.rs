//! How many rows a relation makes of one row of a table, by the public terms alone.

use std::collections::HashMap;

use crate::query::computation::relation::Relation;
use crate::query::terms::policy::Terms;

/// The facts about a dataset's tables that bound the rows of relations over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// For each table, the largest number of rows of a unit.
    per_unit: Vec<u64>,
    /// For each public table, its number of rows, and for each of its columns the largest number of rows with the same value.
    public: Vec<(u64, Vec<u64>)>,
}

/// The rows of a relation.
#[derive(Clone, Copy)]
struct Made {
    /// The largest number for one unit.
    per_unit: u64,
    /// The largest number for each row of the largest table.
    per_row: u64,
    /// The largest number of rows or pairs that is looked at on the way, for each row of the largest table.
    looked_at: u64,
}

impl Reach {
    pub(super) fn of(terms: &Terms) -> Self {
        let own = terms.tables.is_empty().then_some(u64::from(terms.max_rows_per_unit));
        let of_tables = terms.tables.iter().map(|table| u64::from(table.max_rows_per_unit));
        let public = terms
            .public
            .iter()
            .map(|table| (table.rows, table.values.iter().map(|values| most_alike(values)).collect()));
        Self { per_unit: own.into_iter().chain(of_tables).collect(), public: public.collect() }
    }

    /// The largest number of rows or pairs that the relation looks at for each row of its largest table.
    pub(super) fn rows_made(&self, relation: &Relation) -> u64 {
        self.made(relation).looked_at.max(1)
    }

    fn made(&self, relation: &Relation) -> Made {
        match relation {
            Relation::Table { table, rows_per_unit } => {
                let most = self.per_unit.get(*table as usize).copied().unwrap_or(1);
                Made { per_unit: most.min((*rows_per_unit).into()), per_row: 1, looked_at: 1 }
            }
            Relation::Filter { of, .. }
            | Relation::Map { of, .. }
            | Relation::Window { of, .. }
            | Relation::Group { of, .. } => self.made(of),
            Relation::Join { left, right, .. } => {
                let right = self.made(right);
                self.made(left).times(right.per_unit, right)
            }
            Relation::Semi { of, other, .. } => {
                let (of, other) = (self.made(of), self.made(other));
                Made { looked_at: of.times(other.per_unit, other).looked_at, ..of }
            }
            Relation::Public { of, table, equal, .. } => {
                let of = self.made(of);
                let Some((rows, alike)) = self.public.get(*table as usize) else { return of };
                let of_columns = equal.iter().filter_map(|(_, column)| alike.get(*column as usize).copied());
                of.times(of_columns.min().unwrap_or(*rows), of)
            }
            Relation::Listed { of, listed, .. } => {
                let of = self.made(of);
                of.times(listed.rows, of)
            }
            Relation::Union { parts } => {
                let none = Made { per_unit: 0, per_row: 0, looked_at: 0 };
                parts.iter().map(|part| self.made(part)).fold(none, |sum, part| Made {
                    per_unit: sum.per_unit.saturating_add(part.per_unit),
                    per_row: sum.per_row.saturating_add(part.per_row),
                    looked_at: sum.looked_at.saturating_add(part.looked_at),
                })
            }
        }
    }
}

impl Made {
    /// Pairs of each row with at most so many others, which are made on a way of their own.
    fn times(self, others: u64, way: Self) -> Self {
        let per_row = self.per_row.saturating_mul(others.max(1));
        let looked_at = self.looked_at.max(way.looked_at).max(per_row);
        Self { per_unit: self.per_unit.saturating_mul(others.max(1)), per_row, looked_at }
    }
}

/// The largest number of rows with the same value.
fn most_alike(values: &[Option<i64>]) -> u64 {
    let mut rows: HashMap<i64, u64> = HashMap::new();
    values.iter().flatten().for_each(|value| *rows.entry(*value).or_default() += 1);
    rows.into_values().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::syntax::{ListedColumn, ListedRows};
    use crate::query::term::Term;

    #[test]
    fn joins_multiply_and_filters_do_not() {
        let reach = Reach { per_unit: vec![1, 64, 8], public: vec![(100, vec![1, 20])] };
        let table = |table: u32| Relation::Table { table, rows_per_unit: 32 };
        let join = |left: Relation, right: Relation| Relation::Join {
            left: Box::new(left),
            right: Box::new(right),
            on: None,
            is_left: false,
        };
        let semi = |of: Relation, other: Relation| Relation::Semi {
            of: Box::new(of),
            other: Box::new(other),
            on: None,
            is_anti: false,
        };
        let public = |of: Relation, columns: &[u32]| Relation::Public {
            of: Box::new(of),
            table: 0,
            equal: columns.iter().map(|column| (Term::Column(0), *column)).collect(),
            on: None,
            is_left: true,
        };
        let listed = Relation::Listed {
            of: Box::new(table(1)),
            listed: ListedRows { rows: 12, columns: vec![ListedColumn::Days((0..12).map(Some).collect())] },
            equal: Vec::new(),
            on: None,
            is_left: false,
        };
        for (relation, made) in [
            (listed, 12),
            (table(1), 1),
            (join(table(1), table(0)), 1),
            (join(table(1), table(2)), 8),
            (join(table(0), table(1)), 32),
            (join(join(table(1), table(2)), table(2)), 64),
            (join(semi(table(1), table(2)), table(0)), 8),
            (public(table(1), &[0]), 1),
            (public(table(1), &[1, 0]), 1),
            (public(table(1), &[1]), 20),
            (public(table(1), &[]), 100),
            (Relation::Union { parts: vec![table(1), join(table(1), table(2))] }, 9),
        ] {
            assert_eq!(reach.rows_made(&relation), made, "{relation:?}");
        }
    }
}
