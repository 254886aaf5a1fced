//! Programs: what a computation works out for each row, compiled once and evaluated in one window of rows after another.
//!
//! Promises plain data without a row in it. Conditions and values that occur several times are compiled once and referred to by number,
//! so a window works each of them out once.

use crate::query::term::lower::IntegerFunction;

/// The number of a condition in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConditionId(pub(super) usize);

/// The number of a value in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ValueId(pub(super) usize);

/// The number of a coded key in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeyId(pub(super) usize);

/// Everything that is worked out for each row.
#[derive(Debug, Default)]
pub(super) struct RowProgram {
    pub(super) conditions: Vec<RowCondition>,
    pub(super) values: Vec<ValueNode>,
    /// For each value, whether anything asks for more than where it is present.
    pub(super) is_read: Vec<bool>,
    pub(super) keys: Vec<Coding>,
}

/// An integer of one row. If an operand is missing, so is the result, unless the variant says otherwise. Arithmetic wraps around: the
/// bounds of terms rule out overflow, and the integer of a row without a value is arbitrary.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ValueNode {
    /// The stored integer of a declared column.
    Stored(usize),
    Constant(i64),
    /// The sum of the operands, each times its factor, and of a constant.
    Plus(Vec<(ValueNode, i64)>, i64),
    Times(Vec<ValueNode>),
    /// The least or the greatest of the operands that are not missing.
    Extreme(Vec<ValueNode>, Extreme),
    /// The operand, or the constant if it is missing.
    Filled(Box<ValueNode>, i64),
    /// The operand of the first condition that is true, otherwise the last operand, or missing if there is none.
    Case(Vec<(ConditionId, ValueNode)>, Option<Box<ValueNode>>),
    /// 1 if a condition is true, 0 if it is false, and missing if it is unknown.
    Truth(ConditionId),
    Apply(IntegerFunction, Box<ValueNode>),
    /// A function of one declared column, tabulated: its results, and a byte for each that is 1 if there is a result.
    Lookup(usize, Lookup<i64>, Lookup<u8>),
}

impl ValueNode {
    /// The node times a factor, plus a constant, in as few operations as it takes. Arithmetic modulo 2⁶⁴ is distributive, so the result
    /// is the same for every row.
    pub(super) fn scaled(self, factor: i64, constant: i64) -> Self {
        let of = |value: i64| value.wrapping_mul(factor).wrapping_add(constant);
        match self {
            plain if factor == 1 && constant == 0 => plain,
            Self::Constant(value) => Self::Constant(of(value)),
            Self::Plus(parts, own) => {
                let parts = parts.into_iter().map(|(part, own)| (part, own.wrapping_mul(factor))).collect();
                Self::plus(parts, of(own))
            }
            Self::Filled(inner, value) => Self::Filled(Box::new(inner.scaled(factor, constant)), of(value)),
            Self::Case(arms, otherwise) => {
                let arms = arms.into_iter().map(|(condition, then)| (condition, then.scaled(factor, constant)));
                Self::Case(arms.collect(), otherwise.map(|last| Box::new(last.scaled(factor, constant))))
            }
            Self::Lookup(column, mut results, presence) => {
                results.entries.iter_mut().for_each(|value| *value = of(*value));
                Self::Lookup(column, results, presence)
            }
            other => Self::Plus(vec![(other, factor)], constant),
        }
    }

    /// The sum of operands, each times its factor, and of a constant.
    pub(super) fn plus(mut parts: Vec<(Self, i64)>, constant: i64) -> Self {
        match parts.pop() {
            None => Self::Constant(constant),
            Some((only, factor)) if parts.is_empty() => only.scaled(factor, constant),
            Some(last) => {
                parts.push(last);
                Self::Plus(parts, constant)
            }
        }
    }

    /// The product of operands. Operands that are present under the same condition alone are multiplied under that condition.
    pub(super) fn times(parts: Vec<Self>) -> Self {
        let condition = |part: &Self| match part {
            Self::Case(arms, None) if arms.len() == 1 => Some(arms[0].0),
            _ => None,
        };
        match parts.first().and_then(condition) {
            Some(shared) if parts.iter().all(|part| condition(part) == Some(shared)) => {
                let arms = parts.into_iter().filter_map(|part| match part {
                    Self::Case(mut arms, None) => arms.pop().map(|(_, then)| then),
                    _ => None,
                });
                Self::Case(vec![(shared, Self::Times(arms.collect()))], None)
            }
            Some(_) | None => Self::Times(parts),
        }
    }
}

/// Which of several integers is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extreme {
    Least,
    Greatest,
}

/// A condition on one row, with SQL's three truth values.
#[derive(Debug)]
pub(super) enum RowCondition {
    /// A value lies within both bounds.
    Range(ValueNode, i64, i64),
    /// A value is one of a list, whose integers lie close together: a table of bytes that are 1 for those in the list.
    Marked(ValueNode, Lookup<u8>),
    /// A value is one of an ascending list.
    Listed(ValueNode, Vec<i64>),
    Missing(ValueNode),
    Not(ConditionId),
    All(Vec<ConditionId>),
    Any(Vec<ConditionId>),
    /// A condition on one declared column, tabulated: bytes in which bit 0 is set if it is true, and bit 1 if it is false.
    Lookup(usize, Lookup<u8>),
}

/// How the value of a row becomes the code of a group.
#[derive(Debug)]
pub(super) struct Coding {
    /// Number of groups of values, whose codes begin at 0.
    pub(super) codes: u32,
    /// Whether missing values are in a group, whose code is `codes`; otherwise they are in none.
    pub(super) nullable: bool,
    /// How the groups are numbered, if a row's code is not its value.
    pub(super) numbered: Option<Numbered>,
    pub(super) code: CodeSource,
}

/// The codes of a key whose values have gaps.
#[derive(Debug)]
pub(super) enum Numbered {
    /// A code for each integer from `low` on, as the values lie close together; [`NO_CELL`] for those in no group.
    Table { low: i64, codes: Vec<u32> },
    /// The ascending values, whose places are their codes.
    Listed(Vec<i64>),
}

impl Numbered {
    /// Maximum distance of values that are looked up in a table.
    const SPAN_MAX: u64 = 1 << 16;

    /// Numbers ascending values.
    pub(super) fn of(values: &[i64]) -> Self {
        let span = values.first().zip(values.last()).and_then(|(first, last)| last.checked_sub(*first));
        let span = span.and_then(|span| u64::try_from(span).ok()).filter(|span| *span < Self::SPAN_MAX);
        let (Some(low), Some(span)) = (values.first(), span) else { return Self::Listed(values.to_vec()) };
        let mut codes = vec![NO_CELL; span as usize + 1];
        (0_u32..).zip(values).for_each(|(code, value)| codes[(value - low) as usize] = code);
        Self::Table { low: *low, codes }
    }

    fn code(&self, value: i64) -> u32 {
        let code = match self {
            Self::Table { low, codes } => {
                let place = value.checked_sub(*low).and_then(|place| usize::try_from(place).ok());
                place.and_then(|place| codes.get(place).copied())
            }
            Self::Listed(values) => values.binary_search(&value).ok().and_then(|place| u32::try_from(place).ok()),
        };
        code.unwrap_or(NO_CELL)
    }
}

impl Coding {
    /// Number of groups, including that of missing values.
    pub(super) fn size(&self) -> u64 {
        u64::from(self.codes) + u64::from(self.nullable)
    }

    /// The code of a value; [`NO_CELL`] if it is in no group.
    pub(super) fn of_value(&self, value: i64) -> u32 {
        match &self.numbered {
            Some(numbered) => numbered.code(value),
            None => u32::try_from(value).ok().filter(|code| *code < self.codes).unwrap_or(NO_CELL),
        }
    }

    /// The code of a missing value; [`NO_CELL`] if it is in no group.
    pub(super) fn of_missing(&self) -> u32 {
        if self.nullable { self.codes } else { NO_CELL }
    }
}

/// Where the code comes from.
#[derive(Debug)]
pub(super) enum CodeSource {
    /// It is computed.
    Computed(ValueNode),
    /// It is a function of one declared column, tabulated; [`NO_CELL`] stands for rows in no group.
    Lookup(usize, Lookup<u32>),
}

/// The code or the cell of a row that is in no group.
pub(super) const NO_CELL: u32 = u32::MAX;

/// A function of a declared column's stored integer, tabulated over the column's domain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lookup<T> {
    /// The integer that the first entry belongs to.
    pub(super) low: i64,
    /// One entry for each integer from `low` on, and a last one for missing values and for integers outside of the domain.
    pub(super) entries: Vec<T>,
}
