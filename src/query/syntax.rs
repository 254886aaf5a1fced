//! The closed syntax: everything that a query can say, with places, before it meets a dataset.

use super::error::Position;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The one table.
    pub dataset: Name,
    /// What is selected, in order.
    pub items: Vec<Item>,
    /// The row-local condition.
    pub condition: Option<Condition>,
    /// What is grouped by, in order.
    pub keys: Vec<Key>,
    /// How the noisy table is sorted.
    pub order: Vec<Order>,
    /// How many of its rows are shown.
    pub limit: Option<u64>,
}

/// A name and its place; folded to lower case unless it was quoted.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub at: Position,
}

/// One selected thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub value: ItemValue,
    /// The name it is given.
    pub alias: Option<Name>,
    /// Where it stands.
    pub at: Position,
}

/// What is selected.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemValue {
    /// A column by itself; must be grouped by.
    Column(Name),
    /// An aggregate.
    Aggregate(Aggregate),
    /// `*`: rows, which are never given.
    Wildcard,
    /// Some other expression of columns: rows again.
    Expression,
}

/// An aggregate of rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// `COUNT(*)`.
    CountRows,
    /// `COUNT(column)`.
    Count(Name),
    /// `COUNT(DISTINCT column)`.
    CountDistinct(Name),
    /// `SUM(column)`.
    Sum(Name),
    /// `AVG(column)`.
    Avg(Name),
}

/// A grouping key.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// By a column.
    Column(Name),
    /// By the n-th selected item, from 1.
    Ordinal(u64, Position),
}

/// One sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// By what.
    pub by: OrderBy,
    /// Where it stands.
    pub at: Position,
    /// From high to low.
    pub descending: bool,
    /// Missing values before all others; by default as in PostgreSQL.
    pub nulls_first: bool,
}

/// What the noisy table is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderBy {
    /// An output by its name.
    Name(String),
    /// The n-th output, from 1.
    Ordinal(u64),
    /// An output by its aggregate.
    Aggregate(Aggregate),
}

/// A row-local condition with SQL's three truth values.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `column op literal`.
    Compare(Name, Comparison, Literal),
    /// `column BETWEEN low AND high`.
    Between(Name, Literal, Literal),
    /// `column IN (…)`.
    In(Name, Vec<Literal>),
    /// `column IS NULL`.
    IsNull(Name),
    /// A boolean column by itself.
    Column(Name),
    /// `NOT …`.
    Not(Box<Condition>),
    /// `… AND …`.
    All(Vec<Condition>),
    /// `… OR …`.
    Any(Vec<Condition>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison with its sides exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

/// A constant and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The value as written.
    pub value: LiteralValue,
    /// Where it stands.
    pub at: Position,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiteralValue {
    /// A number, sign included, as written.
    Number(String),
    /// Quoted text.
    Text(String),
    /// `DATE '…'`.
    Date(String),
    /// `TRUE` or `FALSE`.
    Boolean(bool),
}
