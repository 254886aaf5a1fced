//! Unit-local tables: what a question makes of the dataset's tables before it adds anything up.
//!
//! Promises plain data. Its bounds, its public terms and the proof that every operator keeps to one unit's rows are in
//! [`crate::query::plan::relation`]; an engine makes the rows.
//!
//! **Columns** of a relation are numbered from 0: a table has its declared columns; a filter, a semi-join and a union have those of their
//! first operand; a map has its terms; a window has those of its operand and then its own; a group has its keys and then its columns; a
//! join has those of the left side and then those of the right one.
//!
//! **The order of rows** within a unit is part of a relation, because windows and first values break ties by it: a table's rows are in the
//! order of their ranks; a filter, a map, a window and a semi-join keep the order; a group's rows come in the order of the first row of each
//! group; a join's rows come in the order of the left side and, among those, of the right one; a union's rows come part by part.

use std::collections::BTreeSet;

use borsh::{BorshDeserialize, BorshSerialize};

use super::PerUnitColumn;
use crate::query::filter::Filter;
use crate::query::syntax::ListedRows;
use crate::query::term::Term;

/// A unit-local table: for each unit some rows that depend on that unit's own rows alone.
///
/// Identities are digests of its encoding: the numbers of variants and the order of fields never change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Relation {
    /// The rows of a table of the dataset whose rank is below a bound.
    Table {
        /// Index of the table; 0 is the only one of a dataset with a single table.
        table: u32,
        /// Number of rows of each unit that are used.
        rows_per_unit: u32,
    } = 0,
    /// The rows for which a condition is true.
    Filter {
        /// The rows that are filtered.
        of: Box<Relation>,
        /// The condition.
        filter: Filter,
    } = 1,
    /// For each row, some terms of it.
    Map {
        /// The rows that the terms are of.
        of: Box<Relation>,
        /// The terms.
        columns: Vec<Term>,
    } = 2,
    /// Each row with values that depend on the other rows of its unit.
    Window {
        /// The rows.
        of: Box<Relation>,
        /// The further columns.
        columns: Vec<WindowColumn>,
    } = 3,
    /// One row for each unit and each combination of the keys' values in its rows; without keys, one row for each unit that has a row.
    Group {
        /// The rows that are grouped.
        of: Box<Relation>,
        /// What they are grouped by beside the unit. Missing values form a group.
        keys: Vec<Term>,
        /// What is computed from the rows of each group.
        columns: Vec<PerUnitColumn>,
    } = 4,
    /// Pairs of a row of the left side and a row of the right side of the same unit.
    Join {
        /// The left side.
        left: Box<Relation>,
        /// The right side.
        right: Box<Relation>,
        /// The condition on a pair, whose columns are those of both sides; `None` for all pairs.
        on: Option<Filter>,
        /// Whether a row of the left side without a pair is kept, with missing values on the right.
        is_left: bool,
    } = 5,
    /// The rows of which the unit has, or has no, row in another relation.
    Semi {
        /// The rows that are kept or not.
        of: Box<Relation>,
        /// Where the unit's rows are looked for.
        other: Box<Relation>,
        /// The condition on a pair, whose columns are those of both; `None` if any row of the unit will do.
        on: Option<Filter>,
        /// Whether rows without a pair are kept instead of those with one.
        is_anti: bool,
    } = 6,
    /// Pairs of a row and a row of a public table.
    Public {
        /// The rows.
        of: Box<Relation>,
        /// Index of the public table.
        table: u32,
        /// Terms of a row, each with the column of the public table that it must equal: numbers by value, days, and labels by their text.
        equal: Vec<(Term, u32)>,
        /// A further condition on a pair, whose columns are those of the row and then all of the public table.
        on: Option<Filter>,
        /// Whether a row without a pair is kept, with missing values.
        is_left: bool,
    } = 7,
    /// The rows of several relations, whose columns have the same domains.
    Union {
        /// The relations.
        parts: Vec<Relation>,
    } = 8,
    /// Pairs of a row and a row that the question writes itself, as with a public table.
    Listed {
        /// The unit's rows, each of which may meet several of the constants' rows.
        of: Box<Relation>,
        /// The rows of constants.
        listed: ListedRows,
        /// Terms of a row, each with the column of the constants that it must equal.
        equal: Vec<(Term, u32)>,
        /// A further condition on a pair, whose columns are those of the row and then all of the constants.
        on: Option<Filter>,
        /// Whether a row without a pair is kept, with missing values.
        is_left: bool,
    } = 9,
}

/// A column that depends on the rows of one unit in an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct WindowColumn {
    /// What is computed.
    pub function: WindowFunction,
    /// Terms that split a unit's rows into partitions. Missing values are equal to each other.
    pub partition: Vec<Term>,
    /// The order of rows in a partition; rows that are equal in it keep the order that they have in the relation.
    pub order: Vec<RowSortKey>,
    /// The rows around a row that the function is of; functions by rank, lag and lead look at the whole partition.
    pub frame: FrameBounds,
}

/// A sort key of rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct RowSortKey {
    /// The number or the day that is sorted by; categories and truth values sort by their codes.
    pub by: Term,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// Whether missing values come first.
    pub nulls_first: bool,
}

/// The window functions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum WindowFunction {
    /// `ROW_NUMBER()`: the number of the row in its partition, from 1.
    RowNumber = 0,
    /// `RANK()`: 1 and the number of rows before its peers.
    Rank = 1,
    /// `DENSE_RANK()`: 1 and the number of groups of peers before its own.
    DenseRank = 2,
    /// `LAG(a, n)`: the value of the row n before; missing if there is none.
    Lag(Term, u32) = 3,
    /// `LEAD(a, n)`: the value of the row n after; missing if there is none.
    Lead(Term, u32) = 4,
    /// `NTH_VALUE(a, n)`: the value of the n-th row of the frame, from 1; `FIRST_VALUE` for n = 1.
    Nth(Term, u32) = 5,
    /// `LAST_VALUE(a)`: the value of the last row of the frame.
    Last(Term) = 6,
    /// An aggregate of the rows of the frame; if there are none, a count is 0 and anything else is missing.
    Aggregate(PerUnitColumn) = 7,
    /// `NTILE(n)`: the number of the row's part, from 1, where the rows of a partition are cut into n parts of the same size, of which the
    /// first ones have one row more if they must.
    Ntile(u32) = 8,
}

/// The rows around a row that a window function is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct FrameBounds {
    /// How bounds are counted.
    pub by: FrameBy,
    /// Where it begins.
    pub start: FrameBound,
    /// Where it ends, inclusive.
    pub end: FrameBound,
}

/// How the bounds of a frame are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum FrameBy {
    /// In rows.
    Rows = 0,
    /// By the value of the only sort key, in steps of its grid; the current row means all of its peers.
    Range = 1,
}

/// A bound of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum FrameBound {
    /// The first row of the partition.
    First = 0,
    /// So much before the current row.
    Before(u64) = 1,
    /// The current row.
    Current = 2,
    /// So much after the current row.
    After(u64) = 3,
    /// The last row of the partition.
    Last = 4,
}

impl FrameBounds {
    /// The whole partition, which is the frame of a window without an order.
    pub const WHOLE: Self = Self { by: FrameBy::Range, start: FrameBound::First, end: FrameBound::Last };
    /// SQL's frame of a window with an order: everything up to the current row and its peers.
    pub const RUNNING: Self = Self { by: FrameBy::Range, start: FrameBound::First, end: FrameBound::Current };
}

/// The number of the part, from 0, of the row at a place among so many, where NTILE cuts them into so many parts of the same size, of which
/// the first ones have one row more if they must.
#[must_use]
pub fn ntile(place: usize, rows: usize, parts: usize) -> usize {
    let parts = parts.max(1);
    let (size, larger) = (rows / parts, rows % parts);
    let of_larger = larger * (size + 1);
    if place < of_larger { place / (size + 1) } else { larger + (place - of_larger) / size.max(1) }
}

impl WindowFunction {
    /// Adds the indices of the columns that the function reads.
    fn declared(&self, found: &mut BTreeSet<usize>) {
        match self {
            Self::RowNumber | Self::Rank | Self::DenseRank | Self::Ntile(_) => {}
            Self::Lag(of, _) | Self::Lead(of, _) | Self::Nth(of, _) | Self::Last(of) => of.declared(found),
            Self::Aggregate(column) => column.declared(found),
        }
    }

    fn nodes(&self) -> u64 {
        match self {
            Self::RowNumber | Self::Rank | Self::DenseRank | Self::Ntile(_) => 1,
            Self::Lag(of, _) | Self::Lead(of, _) | Self::Nth(of, _) | Self::Last(of) => 1 + of.nodes(),
            Self::Aggregate(column) => 1 + column.nodes(),
        }
    }
}

impl WindowColumn {
    /// Adds the indices of the columns that the window reads.
    pub fn declared(&self, found: &mut BTreeSet<usize>) {
        self.function.declared(found);
        self.partition.iter().for_each(|term| term.declared(found));
        self.order.iter().for_each(|order| order.by.declared(found));
    }

    fn nodes(&self) -> u64 {
        // Sorting a unit's rows takes a few comparisons for each of them.
        const SORTS: u64 = 8;
        let partition: u64 = self.partition.iter().map(Term::nodes).sum();
        SORTS + self.function.nodes() + partition + self.order.iter().map(|order| order.by.nodes()).sum::<u64>()
    }
}

impl Relation {
    /// The relations that this one is made of.
    #[must_use]
    pub fn operands(&self) -> Vec<&Self> {
        match self {
            Self::Table { .. } => Vec::new(),
            Self::Filter { of, .. }
            | Self::Map { of, .. }
            | Self::Window { of, .. }
            | Self::Group { of, .. }
            | Self::Public { of, .. }
            | Self::Listed { of, .. } => vec![of],
            Self::Join { left, right, .. } => vec![left, right],
            Self::Semi { of, other, .. } => vec![of, other],
            Self::Union { parts } => parts.iter().collect(),
        }
    }

    /// The indices of the dataset's tables that it is made from.
    pub fn tables(&self, found: &mut BTreeSet<u32>) {
        if let Self::Table { table, .. } = self {
            found.insert(*table);
        }
        self.operands().into_iter().for_each(|of| of.tables(found));
    }

    /// The number of operators.
    #[must_use]
    pub fn operators(&self) -> u64 {
        1 + self.operands().into_iter().map(Self::operators).sum::<u64>()
    }

    /// Cost of making the relation for one row of its largest table, in column reads, without what joins multiply.
    #[must_use]
    pub fn looks(&self) -> u64 {
        // Copying a row takes about as long as computing a few columns.
        const COPY: u64 = 8;
        let own = match self {
            Self::Table { .. } | Self::Union { .. } => COPY,
            Self::Filter { filter, .. } => COPY + filter.nodes(),
            Self::Map { columns, .. } => COPY + columns.iter().map(Term::nodes).sum::<u64>(),
            Self::Window { columns, .. } => COPY + columns.iter().map(WindowColumn::nodes).sum::<u64>(),
            Self::Group { keys, columns, .. } => {
                let keys: u64 = keys.iter().map(Term::nodes).sum();
                COPY + keys + columns.iter().map(PerUnitColumn::nodes).sum::<u64>()
            }
            Self::Join { on, .. } | Self::Semi { on, .. } => COPY + on.as_ref().map_or(0, Filter::nodes),
            Self::Public { equal, on, .. } | Self::Listed { equal, on, .. } => {
                let equal: u64 = equal.iter().map(|(term, _)| term.nodes()).sum();
                COPY + equal + on.as_ref().map_or(0, Filter::nodes)
            }
        };
        own + self.operands().into_iter().map(Self::looks).sum::<u64>()
    }
}
