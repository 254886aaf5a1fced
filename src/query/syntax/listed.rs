//! Rows that a question writes itself: `VALUES` and `GENERATE_SERIES` in FROM.
//!
//! Promises plain data that names no table: such rows are public, as everything in the text of a question is.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::query::terms::domain::{Column, DECIMALS, Domain, Grid};
use crate::query::terms::labels::Labels;
use crate::query::terms::policy::PublicTable;

/// Rows of constants.
///
/// Identities are digests of its encoding: the numbers of variants and the order of fields never change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ListedRows {
    /// The number of rows.
    pub rows: u64,
    /// The columns, each with one value for each row.
    pub columns: Vec<ListedColumn>,
}

/// A column of such rows; `None` stands for NULL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ListedColumn {
    /// Numbers in multiples of 1e-9.
    Numbers(Vec<Option<i128>>) = 0,
    /// Days from 1970-01-01.
    Days(Vec<Option<i32>>) = 1,
    /// Texts as they are written, which become the labels of a category.
    Texts(Vec<Option<String>>) = 2,
    /// `TRUE` and `FALSE`.
    Truths(Vec<Option<bool>>) = 3,
}

impl ListedRows {
    /// The rows as a public table, whose columns have the smallest domains that hold their values. `None` if a number does not fit.
    #[must_use]
    pub fn table(&self) -> Option<PublicTable> {
        let columns = self.columns.iter().map(ListedColumn::stored).collect::<Option<Vec<_>>>()?;
        let (columns, values): (Vec<Column>, Vec<_>) = columns.into_iter().unzip();
        let (columns, rows) = (columns.into(), self.rows);
        Some(PublicTable { name: String::new(), columns, rows, values, orders: Default::default() })
    }
}

impl ListedColumn {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Days(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Truths(values) => values.len(),
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column, and its values as a sealed table would store them.
    fn stored(&self) -> Option<(Column, Vec<Option<i64>>)> {
        let (domain, values) = match self {
            Self::Numbers(numbers) => numbers_stored(numbers)?,
            Self::Days(days) => {
                let (min, max) = (days.iter().flatten().min().copied()?, days.iter().flatten().max().copied()?);
                let domain = Domain::Date { min, max: max.max(min.saturating_add(1)) };
                (domain, days.iter().map(|day| day.map(i64::from)).collect())
            }
            Self::Texts(texts) => {
                let mut different: Vec<String> = texts.iter().flatten().cloned().collect();
                different.sort();
                different.dedup();
                let labels = Labels::from(different);
                let codes = texts.iter().map(|text| text.as_ref().and_then(|text| labels.code(text)).map(i64::from));
                let codes = codes.collect();
                (Domain::Category(labels), codes)
            }
            Self::Truths(truths) => (Domain::Boolean, truths.iter().map(|truth| truth.map(i64::from)).collect()),
        };
        let nullable = values.iter().any(Option::is_none);
        Some((Column { name: String::new(), title: None, domain, per_unit: false, nullable }, values))
    }
}

/// Numbers on the coarsest decimal grid that holds them.
fn numbers_stored(numbers: &[Option<i128>]) -> Option<(Domain, Vec<Option<i64>>)> {
    let mut step = 10_i128.pow(DECIMALS);
    while step > 1 && numbers.iter().flatten().any(|nanos| nanos % step != 0) {
        step /= 10;
    }
    let (low, high) = (*numbers.iter().flatten().min()?, *numbers.iter().flatten().max()?);
    let grid = Grid::new(step == 10_i128.pow(DECIMALS), low, high.max(low.checked_add(step)?), step)?;
    let centre = i128::from(grid.centre());
    let stored = |nanos: &Option<i128>| match nanos {
        None => Some(None),
        Some(nanos) => i64::try_from(nanos / step - centre).ok().map(Some),
    };
    Some((Domain::Number(grid), numbers.iter().map(stored).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_smallest_domains_that_hold_their_values() {
        let unit = 10_i128.pow(DECIMALS);
        let rows = |column: ListedColumn| ListedRows { rows: column.len() as u64, columns: vec![column] };
        for (column, domain, values) in [
            (
                ListedColumn::Numbers(vec![Some(2 * unit), None, Some(5 * unit)]),
                Domain::Number(Grid { integer: true, step: unit as i64, low: 2, high: 5 }),
                // The centre is 3.
                vec![Some(-1), None, Some(2)],
            ),
            (
                ListedColumn::Numbers(vec![Some(unit / 2)]),
                Domain::Number(Grid { integer: false, step: (unit / 10) as i64, low: 5, high: 6 }),
                vec![Some(0)],
            ),
            (ListedColumn::Days(vec![Some(7), Some(-3)]), Domain::Date { min: -3, max: 7 }, vec![Some(7), Some(-3)]),
            (
                ListedColumn::Texts(vec![Some("b".to_owned()), Some("a".to_owned()), None]),
                Domain::Category(Labels::from(vec!["a".to_owned(), "b".to_owned()])),
                vec![Some(1), Some(0), None],
            ),
            (ListedColumn::Truths(vec![Some(true), Some(false)]), Domain::Boolean, vec![Some(1), Some(0)]),
        ] {
            let nullable = values.iter().any(Option::is_none);
            let table = rows(column).table().expect("a table");
            assert_eq!((&table.columns[0].domain, table.columns[0].nullable), (&domain, nullable));
            assert_eq!(table.values, [values]);
        }
        let wide = ListedColumn::Numbers(vec![Some(1), Some(i128::from(i64::MAX) * unit)]);
        assert_eq!(rows(wide).table(), None);
    }
}
