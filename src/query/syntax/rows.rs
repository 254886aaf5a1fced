//! What stands in FROM, and the queries inside of a query, which make rows and not answers.

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Aggregate, Condition, Expression, Key, ListedRows, Literal, Name};
use crate::query::error::Position;

/// What stands in FROM: tables, queries and their joins.
#[derive(Debug, Clone, PartialEq)]
pub enum FromItem {
    /// A table, `omop.person AS p`.
    Table {
        /// The name of its dataset, if it is written before the table's.
        schema: Option<Name>,
        /// The table's name.
        name: Name,
        /// The name that its columns are qualified with, if it is another one.
        alias: Option<Name>,
    },
    /// A query in parentheses, or the query of a name from WITH.
    Derived {
        /// The query.
        rows: Box<Rows>,
        /// The name that its columns are qualified with.
        alias: Option<Name>,
        /// New names for its first columns.
        columns: Vec<Name>,
    },
    /// Two sources side by side. `a RIGHT JOIN b` is written as `b LEFT JOIN a`, and `a, b` as a join without a condition.
    Joined {
        /// The left side.
        left: Box<FromItem>,
        /// The right side.
        right: Box<FromItem>,
        /// Whether rows of the left side without a pair are kept.
        is_left: bool,
        /// Which rows are paired.
        on: JoinOn,
        /// Position in the SQL.
        at: Position,
    },
}

/// Which rows a join pairs.
#[derive(Debug, Clone, PartialEq)]
pub enum JoinOn {
    /// All of them, as `CROSS JOIN` and a comma do; WHERE may have the condition.
    All,
    /// `ON …`: those for which a condition is true.
    Condition(Box<Condition>),
    /// `USING (…)`: those that are equal in these columns.
    Using(Vec<Name>),
    /// `NATURAL`: those that are equal in all columns of the same name.
    Natural,
}

/// A query that makes rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// A SELECT.
    Select(Box<Select>),
    /// `VALUES …`, or the rows of `GENERATE_SERIES(…)`.
    Listed {
        /// What the rows hold, worked out while parsing.
        listed: ListedRows,
        /// The names of the columns.
        names: Vec<String>,
        /// Position in the SQL.
        at: Position,
    },
    /// `… UNION ALL …` and its kin.
    Set {
        /// How both are combined.
        operator: SetOperator,
        /// Whether `ALL` is written.
        all: bool,
        /// The first query.
        left: Box<Rows>,
        /// The second query.
        right: Box<Rows>,
        /// Position in the SQL.
        at: Position,
    },
}

/// Operator between two queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// `UNION`.
    Union,
    /// `INTERSECT`.
    Intersect,
    /// `EXCEPT`.
    Except,
}

/// A SELECT that makes rows: its expressions may hold aggregates ([`super::Scalar::Aggregate`]) and windows ([`super::Scalar::Window`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// What stands in FROM.
    pub from: FromItem,
    /// What `DISTINCT` says.
    pub distinct: Distinct,
    /// The selected items, in order.
    pub items: Vec<RowItem>,
    /// The condition of WHERE.
    pub condition: Option<Condition>,
    /// The keys of GROUP BY.
    pub keys: Vec<Key>,
    /// The condition of HAVING.
    pub having: Option<Condition>,
    /// The condition of QUALIFY on rows with their windows.
    pub qualify: Option<Condition>,
    /// The keys of ORDER BY; they matter to `DISTINCT ON` alone.
    pub order: Vec<RowOrder>,
    /// Position in the SQL.
    pub at: Position,
}

/// Whether equal rows are merged.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// `SELECT …`: no.
    No,
    /// `SELECT DISTINCT …`: rows that are equal in all columns.
    All,
    /// `SELECT DISTINCT ON (…) …`: of the rows that are equal in these values the first one, in the order of ORDER BY.
    On(Vec<Expression>),
}

/// One selected item of such a query.
#[derive(Debug, Clone, PartialEq)]
pub struct RowItem {
    /// The item.
    pub value: RowValue,
    /// The name given with AS, if any.
    pub alias: Option<Name>,
    /// Position in the SQL.
    pub at: Position,
}

/// Value of a selected item.
#[derive(Debug, Clone, PartialEq)]
pub enum RowValue {
    /// An expression.
    Expression(Expression),
    /// `*`, or `t.*` with the table's name.
    Wildcard(Option<Name>),
}

/// A sort key of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowOrder {
    /// What is sorted by.
    pub by: Expression,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// Whether missing values come before all others; by default as in PostgreSQL, where they are greatest.
    pub nulls_first: bool,
}

/// A window function with its window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowExpression {
    /// What is computed.
    pub function: WindowCall,
    /// The keys of PARTITION BY.
    pub partition: Vec<Expression>,
    /// The keys of ORDER BY.
    pub order: Vec<RowOrder>,
    /// The frame, if one is written.
    pub frame: Option<WindowFrame>,
    /// Position in the SQL.
    pub at: Position,
}

/// The window functions with their arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowCall {
    /// `ROW_NUMBER()`.
    RowNumber,
    /// `RANK()`.
    Rank,
    /// `DENSE_RANK()`.
    DenseRank,
    /// `NTILE(n)`: the number of the row's part, of n parts of the same size.
    Ntile(u32),
    /// `LAG(a, n)`.
    Lag(Expression, u32),
    /// `LEAD(a, n)`.
    Lead(Expression, u32),
    /// `NTH_VALUE(a, n)`; `FIRST_VALUE(a)` for n = 1.
    Nth(Expression, u32),
    /// `LAST_VALUE(a)`.
    Last(Expression),
    /// An aggregate, `SUM(a) OVER (…)`.
    Aggregate(Box<Aggregate>),
}

/// The frame of a window.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct WindowFrame {
    /// Whether bounds count rows (`ROWS`), and not differences of the sort key (`RANGE`).
    pub by_rows: bool,
    /// Where it begins.
    pub start: WindowBound,
    /// Where it ends.
    pub end: WindowBound,
}

/// A bound of a window's frame.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum WindowBound {
    /// `UNBOUNDED PRECEDING`.
    First = 0,
    /// `n PRECEDING`; of `RANGE` over days, a number of days: `INTERVAL '30 days' PRECEDING`.
    Before(u64) = 1,
    /// `CURRENT ROW`.
    Current = 2,
    /// `n FOLLOWING`.
    After(u64) = 3,
    /// `UNBOUNDED FOLLOWING`.
    Last = 4,
}

/// A value that is chosen among one unit's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Which one is chosen.
    pub choice: Choice,
    /// What is returned of the chosen row.
    pub of: Expression,
    /// What rows are ordered by.
    pub by: Expression,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// How a value is chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// `(ARRAY_AGG(a ORDER BY b))[n]`: the n-th one, from 1.
    Nth(u32),
    /// `PERCENTILE_DISC(q) WITHIN GROUP (ORDER BY a)`: the first one that so large a part of all values are not greater than.
    Percentile(Literal),
    /// `MODE() WITHIN GROUP (ORDER BY a)`: the most frequent one, and of several such the first.
    Mode,
}

impl Chosen {
    /// SQL name of the function, in lower case.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.choice {
            Choice::Nth(_) => "array_agg",
            Choice::Percentile(_) => "percentile_disc",
            Choice::Mode => "mode",
        }
    }
}

impl FromItem {
    /// The first table that stands in it, which says which dataset is asked; `None` if it names none.
    #[must_use]
    pub fn first_table(&self) -> Option<(Option<&Name>, &Name)> {
        match self {
            Self::Table { schema, name, .. } => Some((schema.as_ref(), name)),
            Self::Derived { rows, .. } => rows.first_table(),
            Self::Joined { left, right, .. } => left.first_table().or_else(|| right.first_table()),
        }
    }

    /// Adds every table that it names, with those in queries inside of FROM.
    pub fn tables<'a>(&'a self, found: &mut Vec<(Option<&'a Name>, &'a Name)>) {
        match self {
            Self::Table { schema, name, .. } => found.push((schema.as_ref(), name)),
            Self::Derived { rows, .. } => rows.tables(found),
            Self::Joined { left, right, .. } => {
                left.tables(found);
                right.tables(found);
            }
        }
    }
}

impl Rows {
    /// The first table that stands in it; `None` if it names none.
    #[must_use]
    pub fn first_table(&self) -> Option<(Option<&Name>, &Name)> {
        match self {
            Self::Select(select) => select.from.first_table(),
            Self::Listed { .. } => None,
            Self::Set { left, right, .. } => left.first_table().or_else(|| right.first_table()),
        }
    }

    /// Adds every table that it names in FROM.
    pub fn tables<'a>(&'a self, found: &mut Vec<(Option<&'a Name>, &'a Name)>) {
        match self {
            Self::Select(select) => select.from.tables(found),
            Self::Listed { .. } => {}
            Self::Set { left, right, .. } => {
                left.tables(found);
                right.tables(found);
            }
        }
    }

    /// Position in the SQL.
    #[must_use]
    pub fn at(&self) -> Position {
        match self {
            Self::Select(select) => select.at,
            Self::Listed { at, .. } | Self::Set { at, .. } => *at,
        }
    }
}
