//! A table with one row per unit: what a subquery computes from each unit's rows.
//!
//! Promises plain data; its bounds and its public terms are derived in [`crate::query::plan::subquery`].

use std::collections::BTreeSet;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::query::filter::Filter;
use crate::query::syntax::Spread;
use crate::query::term::{Constant, Term};

/// A table with one row per unit, computed by a subquery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PerUnitTable {
    /// Rows of the unit that are aggregated; `None` for all of them.
    pub filter: Option<Filter>,
    /// The columns of the table, in ascending order.
    pub columns: Vec<PerUnitColumn>,
}

/// One column of a table with one row per unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum PerUnitColumn {
    /// A declared column that holds one value per unit, by its index.
    Own(usize),
    /// `COUNT(*)`: the unit's number of rows.
    Rows,
    /// `COUNT(a)`: the number of rows in which a is present.
    Present(Term),
    /// `SUM(a)`: the sum over the unit's rows.
    Sum(Term),
    /// `AVG(a)`: the mean over the unit's rows, rounded to a grid [`MEAN_PARTS`] times finer than that of a.
    Mean(Term),
    /// `MIN(a)`: the least value.
    Least(Term),
    /// `MAX(a)`: the greatest value.
    Greatest(Term),
    /// `BOOL_OR(a)`: whether the condition is true of any row.
    Any(Filter),
    /// `BOOL_AND(a)`: whether the condition is true of every row.
    Every(Filter),
    /// `(ARRAY_AGG(a ORDER BY b))[1]`: the first value by an order.
    First {
        /// The value a of the first row.
        of: Term,
        /// The value b that rows are ordered by.
        by: Term,
        /// Whether the greatest b comes first.
        descending: bool,
        /// Rows that take part; `None` for all of them.
        filter: Option<Filter>,
    },
    /// `COUNT(DISTINCT a)`: the number of different values.
    Distinct(Term),
    /// `STDDEV(a)` and the other statistics of squares, rounded to a grid [`MEAN_PARTS`] times finer than that of a, halves up.
    Spread(Spread, Term),
    /// `PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY a)`, rounded to a grid [`MEAN_PARTS`] times finer than that of a, halves away from 0.
    Percentile(Constant, Term),
}

/// How many times finer the grid of a mean is than that of the averaged values.
pub const MEAN_PARTS: i64 = 100;

impl PerUnitColumn {
    fn filters(&self) -> Option<&Filter> {
        match self {
            Self::Any(filter) | Self::Every(filter) | Self::First { filter: Some(filter), .. } => Some(filter),
            Self::Own(_)
            | Self::Rows
            | Self::Present(_)
            | Self::Sum(_)
            | Self::Mean(_)
            | Self::Least(_)
            | Self::Greatest(_)
            | Self::Distinct(_)
            | Self::Spread(..)
            | Self::Percentile(..)
            | Self::First { filter: None, .. } => None,
        }
    }

    /// Cost of evaluating this column for one row.
    pub(super) fn nodes(&self) -> u64 {
        let terms = match self {
            Self::Own(_) | Self::Rows | Self::Any(_) | Self::Every(_) => 1,
            Self::Present(term)
            | Self::Sum(term)
            | Self::Mean(term)
            | Self::Least(term)
            | Self::Greatest(term)
            | Self::Distinct(term)
            | Self::Spread(_, term)
            | Self::Percentile(_, term) => term.nodes(),
            Self::First { of, by, .. } => of.nodes() + by.nodes(),
        };
        terms + self.filters().map_or(0, Filter::nodes)
    }

    /// Adds the indices of the dataset's columns that this column reads.
    pub fn declared(&self, found: &mut BTreeSet<usize>) {
        match self {
            Self::Rows => {}
            Self::Own(index) => {
                found.insert(*index);
            }
            Self::Present(term)
            | Self::Sum(term)
            | Self::Mean(term)
            | Self::Least(term)
            | Self::Greatest(term)
            | Self::Distinct(term)
            | Self::Spread(_, term)
            | Self::Percentile(_, term) => term.declared(found),
            Self::Any(filter) | Self::Every(filter) => filter.declared(found),
            Self::First { of, by, descending: _, filter } => {
                of.declared(found);
                by.declared(found);
                filter.iter().for_each(|filter| filter.declared(found));
            }
        }
    }
}

impl PerUnitTable {
    /// Adds the indices of the dataset's columns that the table is made from.
    pub fn declared(&self, found: &mut BTreeSet<usize>) {
        self.filter.iter().for_each(|filter| filter.declared(found));
        self.columns.iter().for_each(|column| column.declared(found));
    }

    /// Cost of computing the table for one row of the dataset.
    #[must_use]
    pub fn looks(&self) -> u64 {
        // Each column is computed and then folded.
        const FOLDS: u64 = 2;
        let columns: u64 = self.columns.iter().map(|column| FOLDS + column.nodes()).sum();
        FOLDS + columns + self.filter.as_ref().map_or(0, Filter::nodes)
    }
}
