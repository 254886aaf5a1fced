//! The closed syntax: everything that a query can say, with positions, before it is checked against a dataset.

mod alike;
pub mod calls;
mod listed;
mod names;
mod operators;
pub mod rewrite;
mod tables;
mod together;
mod outputs;
mod rows;

use borsh::{BorshDeserialize, BorshSerialize};
use strum::{EnumMessage, EnumString, IntoStaticStr, VariantArray};

use self::calls::Call;
pub use self::listed::{ListedColumn, ListedRows};
pub use self::operators::{ArithmeticOperator, CastType, Comparison};
pub use self::outputs::{GroupFunction, GroupOrder, GroupWindowCall, ScalarFunction};
pub use self::rows::{
    Choice, Chosen, Distinct, FromItem, JoinOn, RowItem, RowOrder, RowValue, Rows, Select, SetOperator, WindowBound,
    WindowCall, WindowExpression, WindowFrame,
};
pub use self::together::{BesideItem, Together};
use super::error::{Position, QueryError};
use super::term::calendar::{DatePart, Period};
use super::term::lower::Side;

/// One parsed question.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Name of the dataset in FROM; there is exactly one.
    pub dataset: Name,
    /// What stands in FROM.
    pub from: FromItem,
    /// Whether `DISTINCT` is written: the query is then grouped by the selected keys.
    pub distinct: bool,
    /// The selected items, in order.
    pub items: Vec<Item>,
    /// The row-local condition of WHERE.
    pub condition: Option<Condition>,
    /// The keys of GROUP BY, in order and without duplicates.
    pub keys: Vec<Key>,
    /// The grouping sets, as indices into `keys`, if there are several.
    pub sets: Option<Vec<Vec<usize>>>,
    /// The condition of HAVING on rows of the noisy table.
    pub having: Option<Having>,
    /// The condition of a query around the answer, which is applied after windows.
    pub after: Option<Having>,
    /// The question if the rows in FROM are those of groups, or why there is none; `None` if they cannot be.
    pub over_groups: Option<Box<Result<Query, QueryError>>>,
    /// The sort keys of ORDER BY for the noisy table, the most significant first.
    pub order: Vec<OrderItem>,
    /// Largest number of rows shown, from LIMIT or FETCH.
    pub limit: Option<u64>,
    /// The question as text, written in one way.
    pub text: QuestionText,
    /// Number of rows that are passed over first, from OFFSET.
    pub offset: u64,
    /// Whether its answer is put together with others, so that its columns need no names of their own.
    pub is_member: bool,
    /// The questions that this one puts together; `None` if it is a single one. Everything else but the order and the limit is then that of
    /// the first of them.
    pub together: Option<Together>,
}

/// The text of a question. All texts are equal: what a question says is in its other parts.
#[derive(Debug, Clone, Default)]
pub struct QuestionText(pub String);

impl PartialEq for QuestionText {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// A name and its position; folded to lower case unless it was quoted.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name of the table that a column is looked up in, if one is written before it.
    pub of: Option<String>,
    /// The name as it is looked up.
    pub text: String,
    /// Position in the SQL.
    pub at: Position,
}

/// One selected item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The selected expression.
    pub value: ItemValue,
    /// The name given with AS, if any.
    pub alias: Option<Name>,
    /// Position in the SQL.
    pub at: Position,
}

/// Expression of a selected item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemValue {
    /// A row-local expression, which must be one of the grouping keys.
    Key(Expression),
    /// An expression over aggregates.
    Output(OutputExpression),
    /// `GROUPING(a)`: 1 if the row is a total over a, 0 otherwise.
    Grouping(Expression),
    /// `*`, which asks for rows and is always refused.
    Wildcard,
}

/// A row-local expression and its position.
#[derive(Debug, Clone)]
pub struct Expression {
    /// The expression itself.
    pub value: Scalar,
    /// Position in the SQL.
    pub at: Position,
}

/// The forms of a row-local expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A column by its name.
    Column(Name),
    /// A constant value.
    Constant(LiteralValue),
    /// `- a`, the negative.
    Negative(Box<Expression>),
    /// `a + b` and the other operators of arithmetic.
    Arithmetic(Box<Expression>, ArithmeticOperator, Box<Expression>),
    /// `ABS(a)`, the absolute value.
    Absolute(Box<Expression>),
    /// `LEAST(a, …)`, the least of several values.
    Least(Vec<Expression>),
    /// `GREATEST(a, …)`, the greatest of several values.
    Greatest(Vec<Expression>),
    /// `ROUND(a, decimals)`, rounded to that many decimals.
    Round(Box<Expression>, u32),
    /// `COALESCE(a, constant)`, with a replacement for missing values.
    Coalesce(Box<Expression>, Box<Expression>),
    /// `CASE WHEN … THEN … [ELSE …] END`, with its arms in order.
    Case(Vec<(Condition, Expression)>, Option<Box<Expression>>),
    /// `DATE_TRUNC('month', a)`, the first day of a period.
    Truncate(Period, Box<Expression>),
    /// `EXTRACT(year FROM a)`, a part of a date.
    Extract(DatePart, Box<Expression>),
    /// `WIDTH_BUCKET(a, low, high, count)`, the number of a bucket of equal width.
    Bucket(Box<Expression>, Literal, Literal, u32),
    /// A condition used as a value.
    Truth(Box<Condition>),
    /// `contribution_bounds => (low, high)` of an aggregate: a clamped between two bounds; missing values stay missing.
    Clamped(Box<Expression>, Literal, Literal),
    /// A cast or another numeric function of its operands.
    Numeric(Numeric, Vec<Expression>),
    /// A function of texts or days with its operands.
    Call(Call, Vec<Expression>),
    /// An aggregate; only in a query that makes rows.
    Aggregate(Box<Aggregate>),
    /// A window function; only in a query that makes rows.
    Window(Box<WindowExpression>),
    /// A query in parentheses, which has a single value for each unit.
    Subquery(Box<Rows>),
}

/// A numeric function of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numeric {
    /// `CAST(a AS type)`.
    Cast(CastType),
    /// `FLOOR(a)`, `CEIL(a)` or `TRUNC(a, decimals)`.
    Cut(Side, u32),
    /// `MOD(a, b)` or `a % b`.
    Remainder,
    /// `SIGN(a)`.
    Sign,
    /// `SQRT(a)`.
    Root,
    /// `EXP(a)`.
    Exponential,
    /// `LN(a)`.
    Natural,
    /// `LOG(base, a)`.
    Logarithm,
    /// `POWER(a, exponent)`.
    Power,
    /// `NULLIF(a, b)`.
    NullIf,
    /// `NULL` as a result of CASE.
    Null,
}

/// An expression over aggregates, computed after the noise.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputExpression {
    /// A single aggregate.
    Aggregate(Box<Aggregate>),
    /// A constant number.
    Number(Literal),
    /// `- a`, the negative.
    Negative(Box<OutputExpression>),
    /// `a + b` and the other operators of arithmetic.
    Arithmetic(Box<OutputExpression>, ArithmeticOperator, Box<OutputExpression>),
    /// `ABS(a)`, the absolute value.
    Absolute(Box<OutputExpression>),
    /// `SQRT(a)`, the square root.
    Root(Box<OutputExpression>),
    /// `ROUND(a, decimals)`, rounded to that many decimals.
    Round(Box<OutputExpression>, u32),
    /// `NULLIF(a, b)`, which is missing if both are equal.
    NullIf(Box<OutputExpression>, Box<OutputExpression>),
    /// A running sum: `SUM(COUNT(*)) OVER (PARTITION BY … ORDER BY a)`.
    Running {
        /// The count that is summed over the groups.
        of: Box<Aggregate>,
        /// The key a that orders the groups.
        by: Box<Expression>,
        /// The other keys, within whose groups the sum runs.
        within: Vec<Expression>,
    },
    /// Another output by its name; only in `HAVING` and `ORDER BY`.
    Named(Name),
    /// A constant that is no number.
    Label(Literal),
    /// NULL.
    Missing,
    /// An expression of the grouping keys.
    Key(Box<Expression>),
    /// `GROUPING(a)`: 1 if the row is a total over a, 0 otherwise.
    Grouping(Box<Expression>),
    /// `FLOOR(a)` and the other functions of numbers.
    Call(ScalarFunction, Vec<OutputExpression>),
    /// `CASE WHEN … THEN … [ELSE …] END`, with its arms in order.
    Case(Vec<(Having, OutputExpression)>, Option<Box<OutputExpression>>),
    /// A condition used as a value.
    Truth(Box<Having>),
    /// A window over the groups.
    Window(Box<GroupWindowCall>),
}

impl OutputExpression {
    /// Function of an output that is a single aggregate; `None` for any other output.
    #[must_use]
    pub fn function(&self) -> Option<&AggregateFunction> {
        match self {
            Self::Aggregate(aggregate) => Some(&aggregate.function),
            _ => None,
        }
    }
}

/// A condition of HAVING on rows of the noisy table.
#[derive(Debug, Clone, PartialEq)]
pub enum Having {
    /// `a op b`, a comparison of two outputs.
    Compare(OutputExpression, Comparison, OutputExpression),
    /// `a IS NULL`: the output has no estimate.
    IsNull(OutputExpression),
    /// A boolean key, or another truth value, by itself.
    Is(OutputExpression),
    /// `NOT …`, the negation.
    Not(Box<Having>),
    /// `… AND …`, the conjunction.
    All(Vec<Having>),
    /// `… OR …`, the disjunction.
    Any(Vec<Having>),
}

/// An aggregate over rows.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// The aggregate function with its arguments.
    pub function: AggregateFunction,
    /// The condition of `FILTER (WHERE …)`, if any.
    pub filter: Option<Condition>,
    /// Position in the SQL.
    pub at: Position,
}

/// The aggregate functions with their arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum AggregateFunction {
    /// `COUNT(*)`, the number of rows.
    CountRows,
    /// `COUNT(a)`, the number of rows in which a is present.
    Count(Expression),
    /// `COUNT(DISTINCT a)`: the number of distinct units if a is the unit's column; of one unit's rows, in a subquery, the number of
    /// different values.
    CountDistinct(Expression),
    /// `SUM(a)`, the sum of values.
    Sum(Expression),
    /// `AVG(a)`, the mean of values.
    Avg(Expression),
    /// `VAR_SAMP(a)` and the other statistics of one variable's squares.
    Spread(Spread, Expression),
    /// `CORR(y, x)` and the other statistics of two variables.
    Pair(Pair, Expression, Expression),
    /// `PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY a)`; `MEDIAN(a)` has the fraction 0.5.
    Percentile(Literal, Expression),
    /// `MIN(a)`; only over one unit's rows, in a subquery.
    Min(Expression),
    /// `MAX(a)`; only over one unit's rows, in a subquery.
    Max(Expression),
    /// `BOOL_OR(a)`; only over one unit's rows, in a subquery.
    Any(Condition),
    /// `BOOL_AND(a)`; only over one unit's rows, in a subquery.
    Every(Condition),
    /// `(ARRAY_AGG(a ORDER BY b [DESC]))[1]`; only over one unit's rows, in a subquery.
    First {
        /// The value a of the first row.
        of: Expression,
        /// The value b that rows are ordered by.
        by: Expression,
        /// Whether the greatest b comes first.
        descending: bool,
    },
    /// A value that is chosen by its place or by how often it is there; only over one unit's rows, in a subquery.
    Chosen(Box<Chosen>),
}

/// Statistics of the squares of one variable.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Spread {
    /// `VAR_SAMP` or `VARIANCE`, the sample variance.
    #[strum(to_string = "var_samp", serialize = "variance")]
    VarSamp = 0,
    /// `VAR_POP`, the population variance.
    VarPop = 1,
    /// `STDDEV_SAMP` or `STDDEV`, the sample standard deviation.
    #[strum(to_string = "stddev_samp", serialize = "stddev")]
    StddevSamp = 2,
    /// `STDDEV_POP`, the population standard deviation.
    StddevPop = 3,
}

/// Statistics of the products of two variables; y is written before x.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Pair {
    /// `CORR`, Pearson's correlation.
    Corr = 0,
    /// `COVAR_SAMP`, the sample covariance.
    CovarSamp = 1,
    /// `COVAR_POP`, the population covariance.
    CovarPop = 2,
    /// `REGR_SLOPE`, the slope of the regression line of y on x.
    RegrSlope = 3,
    /// `REGR_INTERCEPT`, the intercept of the regression line of y on x.
    RegrIntercept = 4,
}

/// One key of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A row-local expression.
    By(Expression),
    /// The n-th selected item, counted from 1, with the position of the number.
    Ordinal(u64, Position),
}

/// One sort key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// What is sorted by.
    pub by: OrderBy,
    /// Position in the SQL.
    pub at: Position,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// Whether missing values come before all others; by default as in PostgreSQL, where they are greatest.
    pub nulls_first: bool,
}

/// What the noisy table is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderBy {
    /// An output by its name.
    Name(String),
    /// The n-th output, counted from 1.
    Ordinal(u64),
    /// An output by its expression.
    Output(OutputExpression),
    /// A grouping key by its expression.
    Key(Expression),
}

/// A row-local condition with SQL's three truth values.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `a op b`, a comparison of two expressions.
    Compare(Expression, Comparison, Expression),
    /// `a BETWEEN low AND high`, bounds included.
    Between(Expression, Expression, Expression),
    /// `a IN (…)`, membership in a list of constants.
    In(Expression, Vec<Literal>),
    /// `a IS NULL`: the value is missing.
    IsNull(Expression),
    /// A boolean expression by itself.
    Is(Expression),
    /// `a IN (SELECT …)`: the value is among those of a query.
    InRows(Expression, Box<Rows>),
    /// `EXISTS (SELECT …)`: a query has a row.
    Exists(Box<Rows>),
    /// `NOT …`, the negation.
    Not(Box<Condition>),
    /// `… AND …`, the conjunction.
    All(Vec<Condition>),
    /// `… OR …`, the disjunction.
    Any(Vec<Condition>),
}

/// A constant and its position.
#[derive(Debug, Clone)]
pub struct Literal {
    /// The value, as written.
    pub value: LiteralValue,
    /// Position in the SQL.
    pub at: Position,
}

/// Value of a constant, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiteralValue {
    /// A number with its sign, as decimal text.
    Number(String),
    /// Text in single quotes.
    Text(String),
    /// A date, written `DATE '…'`.
    Date(String),
    /// A truth value, `TRUE` or `FALSE`.
    Boolean(bool),
}

impl Expression {
    /// Creates an expression that reads a column.
    #[must_use]
    pub fn column(name: Name) -> Self {
        Self { at: name.at, value: Scalar::Column(name) }
    }
}

impl AggregateFunction {
    /// SQL name of the function, in lower case.
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
            Self::Chosen(chosen) => chosen.word(),
            Self::Spread(spread, _) => spread.into(),
            Self::Pair(pair, ..) => pair.into(),
        }
    }
}
