//! The closed syntax: everything that a query can say, with places, before it meets a dataset.

mod names;

use borsh::{BorshDeserialize, BorshSerialize};

use super::error::Position;
use super::term::calendar::{Part, Period};

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The one dataset.
    pub dataset: Name,
    /// The tables of one row a unit that it is joined with.
    pub joins: Vec<JoinedTable>,
    /// The subquery that makes one row a unit of it, where there is one; it names the same dataset.
    pub person: Option<Box<Query>>,
    /// `DISTINCT`: the selected keys are what is grouped by.
    pub distinct: bool,
    /// What is selected, in order.
    pub items: Vec<Item>,
    /// The row-local condition.
    pub condition: Option<Condition>,
    /// What is grouped by, in order.
    pub keys: Vec<Key>,
    /// The groupings, as places in `keys`, where there are several.
    pub sets: Option<Vec<Vec<usize>>>,
    /// Which rows of the noisy table are shown.
    pub having: Option<Having>,
    /// How the noisy table is sorted.
    pub order: Vec<Order>,
    /// How many of its rows are shown.
    pub limit: Option<u64>,
}

/// `[LEFT] JOIN name USING (unit)`
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedTable {
    /// The table.
    pub name: Name,
    /// By which column.
    pub using: Name,
    /// Whether rows of units without a row in it stay.
    pub is_left: bool,
}

/// A name and its place; folded to lower case unless it was quoted.
#[derive(Debug, Clone)]
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
    /// Something of a row; must be grouped by.
    Key(Expression),
    /// Something of aggregates.
    Output(Output),
    /// `GROUPING(a)`: 1 where a row is a total over a, 0 elsewhere.
    Grouping(Expression),
    /// `*`: rows, which are never given.
    Wildcard,
}

/// A row-local expression.
#[derive(Debug, Clone)]
pub struct Expression {
    /// What it is.
    pub value: Scalar,
    /// Where it stands.
    pub at: Position,
}

/// What a row-local expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A column.
    Column(Name),
    /// A constant.
    Constant(LiteralValue),
    /// `- a`
    Negative(Box<Expression>),
    /// `a + b` and the like.
    Arithmetic(Box<Expression>, Operator, Box<Expression>),
    /// `ABS(a)`
    Absolute(Box<Expression>),
    /// `LEAST(a, …)`
    Least(Vec<Expression>),
    /// `GREATEST(a, …)`
    Greatest(Vec<Expression>),
    /// `ROUND(a, decimals)`
    Round(Box<Expression>, u32),
    /// `COALESCE(a, constant)`
    Coalesce(Box<Expression>, Box<Expression>),
    /// `CASE WHEN … THEN … [ELSE …] END`
    Case(Vec<(Condition, Expression)>, Option<Box<Expression>>),
    /// `DATE_TRUNC('month', a)`
    Truncate(Period, Box<Expression>),
    /// `EXTRACT(year FROM a)`
    Extract(Part, Box<Expression>),
    /// `WIDTH_BUCKET(a, low, high, count)`
    Bucket(Box<Expression>, Literal, Literal, u32),
    /// A condition as a value.
    Truth(Box<Condition>),
    /// a brought between two bounds, and missing where it is: `contribution_bounds => (low, high)` of an aggregate.
    Clamped(Box<Expression>, Literal, Literal),
}

/// `+ - * /`
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Operator {
    /// `+`
    Plus = 0,
    /// `-`
    Minus = 1,
    /// `*`
    Times = 2,
    /// `/`
    Over = 3,
}

/// Something made of aggregates, after the noise.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// An aggregate.
    Aggregate(Box<Aggregate>),
    /// A number.
    Number(Literal),
    /// `- a`
    Negative(Box<Output>),
    /// `a + b` and the like.
    Arithmetic(Box<Output>, Operator, Box<Output>),
    /// `ABS(a)`
    Absolute(Box<Output>),
    /// `SQRT(a)`
    Root(Box<Output>),
    /// `ROUND(a, decimals)`
    Round(Box<Output>, u32),
    /// `NULLIF(a, b)`
    NullIf(Box<Output>, Box<Output>),
    /// `SUM(COUNT(*)) OVER (PARTITION BY … ORDER BY a)`
    Running {
        /// What is counted.
        of: Box<Aggregate>,
        /// a
        by: Box<Expression>,
        /// The other keys.
        within: Vec<Expression>,
    },
    /// Another output by its name; in `HAVING` and `ORDER BY` alone.
    Named(Name),
}

/// A condition on rows of the noisy table.
#[derive(Debug, Clone, PartialEq)]
pub enum Having {
    /// `a op b`
    Compare(Output, Comparison, Output),
    /// `a IS NULL`
    IsNull(Output),
    /// `NOT …`
    Not(Box<Having>),
    /// `… AND …`
    All(Vec<Having>),
    /// `… OR …`
    Any(Vec<Having>),
}

/// An aggregate of rows.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Which.
    pub function: Function,
    /// Of which rows: `FILTER (WHERE …)`.
    pub filter: Option<Condition>,
    /// Where it stands.
    pub at: Position,
}

/// What is aggregated, and how.
#[derive(Debug, Clone, PartialEq)]
pub enum Function {
    /// `COUNT(*)`
    CountRows,
    /// `COUNT(a)`
    Count(Expression),
    /// `COUNT(DISTINCT column)`
    CountDistinct(Name),
    /// `SUM(a)`
    Sum(Expression),
    /// `AVG(a)`
    Avg(Expression),
    /// `VAR_SAMP(a)` and the like.
    Spread(Spread, Expression),
    /// `CORR(y, x)` and the like.
    Pair(Pair, Expression, Expression),
    /// `PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY a)`; `MEDIAN(a)` is that of 0.5.
    Percentile(Literal, Expression),
    /// `MIN(a)`; of one unit alone.
    Min(Expression),
    /// `MAX(a)`; of one unit alone.
    Max(Expression),
    /// `BOOL_OR(a)`; of one unit alone.
    Any(Condition),
    /// `BOOL_AND(a)`; of one unit alone.
    Every(Condition),
    /// `(ARRAY_AGG(a ORDER BY b [DESC]))[1]`; of one unit alone.
    First {
        /// a
        of: Expression,
        /// b
        by: Expression,
        /// From the greatest b down.
        descending: bool,
    },
}

/// Statistics of one variable's squares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Spread {
    /// `VAR_SAMP`, `VARIANCE`
    VarSamp = 0,
    /// `VAR_POP`
    VarPop = 1,
    /// `STDDEV_SAMP`, `STDDEV`
    StddevSamp = 2,
    /// `STDDEV_POP`
    StddevPop = 3,
}

/// Statistics of two variables' products, y before x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Pair {
    /// `CORR`
    Corr = 0,
    /// `COVAR_SAMP`
    CovarSamp = 1,
    /// `COVAR_POP`
    CovarPop = 2,
    /// `REGR_SLOPE`
    RegrSlope = 3,
    /// `REGR_INTERCEPT`
    RegrIntercept = 4,
}

/// A grouping key.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// By something of a row.
    By(Expression),
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
    /// An output by what it is.
    Output(Output),
    /// A key by what it is.
    Key(Expression),
}

/// A row-local condition with SQL's three truth values.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `a op b`
    Compare(Expression, Comparison, Expression),
    /// `a BETWEEN low AND high`
    Between(Expression, Expression, Expression),
    /// `a IN (…)`
    In(Expression, Vec<Literal>),
    /// `a IS NULL`
    IsNull(Expression),
    /// A boolean by itself.
    Is(Expression),
    /// `NOT …`.
    Not(Box<Condition>),
    /// `… AND …`.
    All(Vec<Condition>),
    /// `… OR …`.
    Any(Vec<Condition>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Comparison {
    /// `=`
    Equal = 0,
    /// `<>`
    NotEqual = 1,
    /// `<`
    Less = 2,
    /// `<=`
    LessOrEqual = 3,
    /// `>`
    Greater = 4,
    /// `>=`
    GreaterOrEqual = 5,
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
#[derive(Debug, Clone)]
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

impl Expression {
    /// A column by its name.
    #[must_use]
    pub fn column(name: Name) -> Self {
        Self { at: name.at, value: Scalar::Column(name) }
    }
}

impl Spread {
    /// All of them, by the words for them.
    pub const ALL: [(&'static str, Self); 6] = [
        ("var_samp", Self::VarSamp),
        ("var_pop", Self::VarPop),
        ("stddev_samp", Self::StddevSamp),
        ("stddev_pop", Self::StddevPop),
        ("variance", Self::VarSamp),
        ("stddev", Self::StddevSamp),
    ];
}

impl Pair {
    /// All of them, by the words for them.
    pub const ALL: [(&'static str, Self); 5] = [
        ("corr", Self::Corr),
        ("covar_samp", Self::CovarSamp),
        ("covar_pop", Self::CovarPop),
        ("regr_slope", Self::RegrSlope),
        ("regr_intercept", Self::RegrIntercept),
    ];
}

impl Function {
    /// The word for it, in lower case.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::CountRows | Self::Count(_) | Self::CountDistinct(_) => "count",
            Self::Sum(_) => "sum",
            Self::Avg(_) => "avg",
            Self::Percentile(..) => "percentile_cont",
            Self::Min(_) => "min",
            Self::Max(_) => "max",
            Self::Any(_) => "bool_or",
            Self::Every(_) => "bool_and",
            Self::First { .. } => "array_agg",
            Self::Spread(spread, _) => Spread::ALL.iter().find(|(_, one)| one == spread).map_or("", |(word, _)| word),
            Self::Pair(pair, ..) => Pair::ALL.iter().find(|(_, one)| one == pair).map_or("", |(word, _)| word),
        }
    }
}

impl PartialEq for Name {
    /// The same wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Expression {
    /// The same wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Aggregate {
    /// The same wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.filter == other.filter
    }
}

impl PartialEq for Literal {
    /// The same wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
