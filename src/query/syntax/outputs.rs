//! What is computed after the noise: functions of aggregates and keys, and windows over the groups.

use borsh::{BorshDeserialize, BorshSerialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Aggregate, Condition, Expression, Having, OutputExpression, WindowFrame};
use crate::query::error::Position;

/// A function of numbers, computed after the noise.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ScalarFunction {
    /// `FLOOR(a)`, the greatest whole number that is not greater.
    Floor = 0,
    /// `CEIL(a)`, the least whole number that is not less.
    #[strum(to_string = "ceil", serialize = "ceiling")]
    Ceil = 1,
    /// `TRUNC(a[, decimals])`, cut towards 0.
    Trunc = 2,
    /// `LN(a)`, the natural logarithm.
    Ln = 3,
    /// `EXP(a)`, e to the power of a.
    Exp = 4,
    /// `LOG([base, ]a)`, the logarithm; to base 10 if none is written.
    #[strum(to_string = "log", serialize = "log10")]
    Log = 5,
    /// `POWER(a, b)`, a to the power of b.
    #[strum(to_string = "power", serialize = "pow")]
    Power = 6,
    /// `SIGN(a)`: −1, 0 or 1.
    Sign = 7,
    /// `MOD(a, b)` or `a % b`, the remainder of a division, with the sign of a.
    Mod = 8,
    /// `GREATEST(a, …)`, the greatest of the present values.
    Greatest = 9,
    /// `LEAST(a, …)`, the least of the present values.
    Least = 10,
    /// `COALESCE(a, …)`, the first present value.
    Coalesce = 11,
}

impl ScalarFunction {
    /// SQL name of the function, in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Least and greatest number of arguments.
    #[must_use]
    pub fn arguments(self) -> (usize, usize) {
        match self {
            Self::Floor | Self::Ceil | Self::Ln | Self::Exp | Self::Sign => (1, 1),
            Self::Trunc | Self::Log => (1, 2),
            Self::Power | Self::Mod => (2, 2),
            Self::Greatest | Self::Least | Self::Coalesce => (1, usize::MAX),
        }
    }
}

/// A function over a window of groups.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum GroupFunction {
    /// `SUM(a) OVER (…)`.
    Sum = 0,
    /// `AVG(a) OVER (…)`.
    Avg = 1,
    /// `MIN(a) OVER (…)`.
    Min = 2,
    /// `MAX(a) OVER (…)`.
    Max = 3,
    /// `COUNT(*) OVER (…)`, the number of groups in the window; `COUNT(a) OVER (…)`, of those with an estimate.
    Count = 4,
    /// `LAG(a[, n[, default]]) OVER (…)`.
    Lag = 5,
    /// `LEAD(a[, n[, default]]) OVER (…)`.
    Lead = 6,
    /// `FIRST_VALUE(a) OVER (…)`.
    FirstValue = 7,
    /// `LAST_VALUE(a) OVER (…)`.
    LastValue = 8,
    /// `NTH_VALUE(a, n) OVER (…)`.
    NthValue = 9,
    /// `ROW_NUMBER() OVER (…)`.
    RowNumber = 10,
    /// `RANK() OVER (…)`.
    Rank = 11,
    /// `DENSE_RANK() OVER (…)`.
    DenseRank = 12,
    /// `(SELECT SUM(a) …)`, written as a query in parentheses: the sum over all groups, whatever HAVING says.
    Total = 13,
    /// `KAPLAN_MEIER(events, exits) OVER (… ORDER BY time)`: the share that has had no event up to the time.
    KaplanMeier = 14,
    /// `CUMULATIVE_INCIDENCE(events, exits) OVER (… ORDER BY time)`: 1 minus that share.
    CumulativeIncidence = 15,
    /// `NTILE(n) OVER (…)`.
    Ntile = 16,
    /// `PERCENT_RANK() OVER (…)`: the rank less 1, over the number of groups less 1.
    PercentRank = 17,
    /// `CUME_DIST() OVER (…)`: the share of groups up to the last peer.
    CumeDist = 18,
}

impl GroupFunction {
    /// SQL name of the function, in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Whether the value is told by the order of the groups alone.
    #[must_use]
    pub fn is_rank(self) -> bool {
        matches!(
            self,
            Self::RowNumber | Self::Rank | Self::DenseRank | Self::Ntile | Self::PercentRank | Self::CumeDist
        )
    }
}

/// A window function over the groups of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupWindowCall {
    /// What is computed.
    pub function: GroupFunction,
    /// The arguments that are estimates: the value, and the default of LAG and LEAD.
    pub of: Vec<OutputExpression>,
    /// The n of LAG, LEAD, NTH_VALUE and NTILE; 1 for all others.
    pub step: u32,
    /// The keys of PARTITION BY.
    pub within: Vec<Expression>,
    /// The keys of ORDER BY.
    pub order: Vec<GroupOrder>,
    /// The frame, if one is written.
    pub frame: Option<WindowFrame>,
    /// Position in the SQL.
    pub at: Position,
}

/// A sort key of a window over groups.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupOrder {
    /// What is sorted by: a key, or an estimate.
    pub by: OutputExpression,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// Whether missing values come before all others.
    pub nulls_first: bool,
}

impl OutputExpression {
    /// Whether an aggregate stands in it, so that something is measured for it.
    #[must_use]
    pub fn has_aggregate(&self) -> bool {
        self.any(&|one| matches!(one, Self::Aggregate(_) | Self::Running { .. }))
    }

    /// Whether it, or a part of it, is what a test says.
    #[must_use]
    pub fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self)
            || match self {
                Self::Aggregate(_)
                | Self::Running { .. }
                | Self::Number(_)
                | Self::Named(_)
                | Self::Label(_)
                | Self::Missing
                | Self::Key(_)
                | Self::Grouping(_) => false,
                Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.any(is),
                Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => left.any(is) || right.any(is),
                Self::Call(_, parts) => parts.iter().any(|part| part.any(is)),
                Self::Case(arms, otherwise) => {
                    arms.iter().any(|(when, then)| when.any(is) || then.any(is))
                        || otherwise.as_ref().is_some_and(|otherwise| otherwise.any(is))
                }
                Self::Truth(having) => having.any(is),
                Self::Window(call) => {
                    call.of.iter().any(|of| of.any(is)) || call.order.iter().any(|order| order.by.any(is))
                }
            }
    }

    /// Whether a window over groups stands in it, other than a total.
    #[must_use]
    pub fn has_window(&self) -> bool {
        self.any(&|one| match one {
            Self::Window(call) => call.function != GroupFunction::Total,
            other => matches!(other, Self::Running { .. }),
        })
    }
}

impl Having {
    /// Whether an aggregate stands in it, so that something is measured for it.
    #[must_use]
    pub fn has_aggregate(&self) -> bool {
        self.any(&|one| matches!(one, OutputExpression::Aggregate(_) | OutputExpression::Running { .. }))
    }

    /// Whether a part of it is what a test says.
    #[must_use]
    pub fn any(&self, is: &dyn Fn(&OutputExpression) -> bool) -> bool {
        match self {
            Self::Compare(left, _, right) => left.any(is) || right.any(is),
            Self::IsNull(of) | Self::Is(of) => of.any(is),
            Self::Not(inner) => inner.any(is),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.any(is)),
        }
    }

    /// Whether a total over all groups stands in it.
    #[must_use]
    pub fn has_total(&self) -> bool {
        self.any(&|one| matches!(one, OutputExpression::Window(call) if call.function == GroupFunction::Total))
    }
}

impl Aggregate {
    /// This aggregate over the rows for which a condition is true, too.
    #[must_use]
    pub fn narrowed(self, condition: Condition) -> Self {
        let filter = match self.filter {
            Some(filter) => Condition::All(vec![filter, condition]),
            None => condition,
        };
        Self { filter: Some(filter), ..self }
    }
}
