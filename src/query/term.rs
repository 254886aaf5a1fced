//! Terms: row-local values computed from a row's own columns.
//!
//! Promises that every term reads one row alone and is exact: its value is an integer on a grid that follows from the public terms, never a
//! float. In canonical form, terms that differ only in the order or nesting of their operands are equal. The range of a term (its bounds,
//! and whether it may be missing) is derived in [`lower`] by interval arithmetic, from the policy and never from data.

pub mod calendar;
pub mod coding;
mod columns;
mod constant;
pub mod context;
pub(in crate::query) mod literals;
mod letters;
pub mod lower;
mod node;
mod numeric;
pub mod real;
mod side;
pub(in crate::query) mod values;
pub mod checker;
pub mod interpret;
pub mod formats;
pub mod patterns;
pub mod readings;
pub mod spans;
pub mod words;

use std::borrow::Cow;

use borsh::{BorshDeserialize, BorshSerialize};

use self::calendar::{DatePart, Period};
pub use self::constant::Constant;
use self::context::TermContext;
pub use self::node::Node;
use self::patterns::PatternKind;
use self::real::RealFunction;
use self::side::Side;
use self::spans::Span;
use self::words::WordFunction;
use super::filter::Filter;
use crate::query::terms::domain::{Domain, Grid};
use crate::query::terms::policy::Terms;

/// A row-local value: a declared column, or an expression over declared columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Term {
    /// The declared column with this index.
    Column(usize) = 0,
    /// An expression over columns.
    Made(Node) = 1,
}

/// Public facts about a term, which are never learnt from data.
#[derive(Debug, Clone, PartialEq)]
pub struct TermFacts<'a> {
    /// Domain of its values, which also determines how they are stored.
    pub domain: Cow<'a, Domain>,
    /// Whether the value may be missing.
    pub nullable: bool,
    /// Whether the value is the same in all rows of a unit.
    pub per_unit: bool,
}

/// An operation with its operands. Operands of sums and products are sorted.
///
/// Stored answers hold the numbers of the variants, and identities depend on the order of numbers and fields: neither changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Operation {
    /// A constant number.
    Constant(Constant) = 0,
    /// A constant day, in days from 1970-01-01.
    Day(i32) = 1,
    /// A sum of two or more terms. A date plus numbers of days is a date; the difference of two dates is a number of days.
    Plus(Vec<Term>) = 2,
    /// The negative −a of a term.
    Negative(Term) = 3,
    /// A product of two or more terms.
    Times(Vec<Term>) = 4,
    /// A quotient by a constant other than 0. The quotient of two integers is truncated towards 0, as in PostgreSQL.
    Over(Term, Constant) = 5,
    /// The absolute value of a term.
    Absolute(Term) = 6,
    /// The least of the values that are not missing.
    Least(Vec<Term>) = 7,
    /// The greatest of the values that are not missing.
    Greatest(Vec<Term>) = 8,
    /// A value rounded to this many decimals, halves away from 0.
    Rounded(Term, u32) = 9,
    /// SQL's COALESCE: the first value, or the constant if that is missing.
    Filled(Term, Term) = 10,
    /// SQL's CASE: the value of the first true condition, otherwise the last value, or missing if there is none.
    Case(Vec<(Filter, Term)>, Option<Term>) = 11,
    /// A CASE over texts: the label of the first true condition, otherwise the label of ELSE, or missing if there is none.
    Choice {
        /// Each condition with the index of its label.
        whens: Vec<(Filter, u32)>,
        /// Index of the label of ELSE, if there is one.
        otherwise: Option<u32>,
        /// The labels, without duplicates.
        labels: Vec<String>,
    } = 12,
    /// The truth of a condition; missing if it is unknown.
    Truth(Filter) = 13,
    /// SQL's DATE_TRUNC: the first day of the period that contains a day.
    Truncated(Term, Period) = 14,
    /// SQL's EXTRACT: a part of a date, such as its year.
    Extracted(Term, DatePart) = 15,
    /// SQL's WIDTH_BUCKET: the number of a bucket of equal width, which is 0 below `low` and `count` + 1 from `high` upwards.
    Bucket {
        /// The value that is put into a bucket.
        of: Term,
        /// Lower end of the first bucket.
        low: Constant,
        /// Upper end of the last bucket.
        high: Constant,
        /// Number of buckets between `low` and `high`.
        count: u32,
    } = 16,
    /// SQL's CAST to INTEGER: a number rounded to a whole one, halves away from 0, or 1 and 0 for a condition.
    Integer(Term) = 17,
    /// SQL's CAST to NUMERIC: the same number, which is divided as decimals are, or 1 and 0 for a condition.
    Decimal(Term) = 18,
    /// SQL's FLOOR, CEIL and TRUNC: a value rounded to one side, to this many decimals.
    Cut(Term, Side, u32) = 19,
    /// SQL's MOD: the remainder of a division by a constant other than 0, with the sign of the dividend.
    Remainder(Term, Constant) = 20,
    /// SQL's SIGN: −1, 0 or 1.
    Sign(Term) = 21,
    /// A function of a real number, rounded to four decimals, halves away from 0; missing where it is not defined.
    Real(RealFunction, Term) = 22,
    /// SQL's COALESCE of values that are no constants: the first that is not missing.
    Coalesced(Vec<Term>) = 23,
    /// A constant text: a category of one label.
    Text(String) = 30,
    /// A function of texts and whole numbers, each with a public list of values.
    Worded(WordFunction, Vec<Term>) = 31,
    /// The difference of the numbers of two categories in their common list, or of two truth values: 0 if they are equal.
    Apart(Term, Term) = 32,
    /// SQL's TO_CHAR: a day as a text in this format.
    Formatted(Term, String) = 33,
    /// A day so many months later, at the latest the last day of its month.
    Later(Term, i32) = 34,
    /// The distance from the first day to the second one.
    Elapsed(Span, [Term; 2]) = 35,
    /// Whether a category matches a pattern; only where a list of the values that match would be long.
    Matched(Term, PatternKind, String) = 36,
    /// SQL's TO_DATE: the day that each text of a category names in this format.
    Read(Term, String) = 37,
    /// SQL's MAKE_DATE, of whole numbers that always name a day.
    Made {
        /// The year of the common era.
        year: Term,
        /// The month of the year.
        month: Term,
        /// The day of the month.
        day: Term,
    } = 38,
}

impl Term {
    /// Creates a term from an operation in canonical form.
    #[must_use]
    pub fn of(made: Operation) -> Self {
        Self::Made(Node::from(made))
    }

    /// Creates a constant: `digits` · 10^−`decimals`.
    #[must_use]
    pub fn number(digits: i64, decimals: u32) -> Self {
        Self::of(Operation::Constant(Constant::new(digits, decimals)))
    }

    /// Creates a sum in canonical form: nested sums are flattened, operands are sorted.
    #[must_use]
    pub fn plus(parts: Vec<Self>) -> Self {
        Self::chain(parts, |made| match made {
            Operation::Plus(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, |parts| Self::of(Operation::Plus(parts)))
    }

    /// Creates a product in canonical form: nested products are flattened, operands are sorted.
    #[must_use]
    pub fn times(parts: Vec<Self>) -> Self {
        Self::chain(parts, |made| match made {
            Operation::Times(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, |parts| Self::of(Operation::Times(parts)))
    }

    /// The negative of this term; the negative of a constant is a constant.
    #[must_use]
    pub fn negative(self) -> Self {
        match self {
            Self::Made(made) => match made.take() {
                Operation::Constant(Constant { digits, decimals }) if digits != i64::MIN => {
                    Self::number(-digits, decimals)
                }
                Operation::Negative(inner) => inner,
                other => Self::of(Operation::Negative(Self::of(other))),
            },
            column @ Self::Column(_) => Self::of(Operation::Negative(column)),
        }
    }

    /// This value in rows where `condition` is true, and missing in all others.
    #[must_use]
    pub fn only_where(self, condition: Filter) -> Self {
        Self::of(Operation::Case(vec![(condition, self)], None))
    }

    /// Whether the term is present only in rows for which a condition is true.
    #[must_use]
    pub fn is_part(&self) -> bool {
        matches!(self, Self::Made(made) if matches!(&**made, Operation::Case(_, None)))
    }

    /// Flattens and sorts the operands of an associative and commutative operation; a single operand is returned as the error.
    fn chain(parts: Vec<Self>, open: impl Fn(Operation) -> Result<Vec<Self>, Operation>) -> Result<Vec<Self>, Self> {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Made(made) => match open(made.take()) {
                    Ok(inner) => flat.extend(inner),
                    Err(made) => flat.push(Self::of(made)),
                },
                column @ Self::Column(_) => flat.push(column),
            }
        }
        flat.sort();
        if flat.len() == 1 { Err(flat.remove(0)) } else { Ok(flat) }
    }

    /// Facts about this term from the public terms.
    ///
    /// Only for terms that were typed against the same public terms, which `checker` ensures. Callers that ask about many terms use a
    /// [`TermContext`].
    #[must_use]
    pub fn facts<'a>(&self, terms: &'a Terms) -> TermFacts<'a> {
        TermContext::of(terms).facts(self)
    }

    /// Grid of a number; `None` for terms of other kinds.
    #[must_use]
    pub fn grid(&self, terms: &Terms) -> Option<Grid> {
        match *self.facts(terms).domain {
            Domain::Number(grid) => Some(grid),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => None,
        }
    }

    /// Number of operations: the cost of evaluating the term for one row.
    #[must_use]
    pub fn nodes(&self) -> u64 {
        match self {
            Self::Column(_) => 1,
            Self::Made(made) => {
                1 + made.parts().into_iter().map(Self::nodes).sum::<u64>()
                    + made.filters().into_iter().map(Filter::nodes).sum::<u64>()
            }
        }
    }

    /// Cost of processing the term as a whole: its operations and the members of its lists.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Column(_) => 1,
            Self::Made(made) => made.weight(),
        }
    }
}

impl Operation {
    /// The operand terms, without those inside conditions.
    fn parts(&self) -> Vec<&Term> {
        match self {
            Self::Constant(_) | Self::Day(_) | Self::Text(_) | Self::Truth(_) | Self::Choice { .. } => Vec::new(),
            Self::Plus(parts)
            | Self::Times(parts)
            | Self::Least(parts)
            | Self::Greatest(parts)
            | Self::Coalesced(parts)
            | Self::Worded(_, parts) => parts.iter().collect(),
            Self::Negative(of)
            | Self::Over(of, _)
            | Self::Absolute(of)
            | Self::Rounded(of, _)
            | Self::Truncated(of, _)
            | Self::Extracted(of, _)
            | Self::Integer(of)
            | Self::Decimal(of)
            | Self::Cut(of, ..)
            | Self::Remainder(of, _)
            | Self::Sign(of)
            | Self::Real(_, of)
            | Self::Formatted(of, _)
            | Self::Later(of, _)
            | Self::Matched(of, ..)
            | Self::Read(of, _)
            | Self::Bucket { of, .. } => vec![of],
            Self::Filled(of, with) | Self::Apart(of, with) => vec![of, with],
            Self::Elapsed(_, both) => both.iter().collect(),
            Self::Made { year, month, day } => vec![year, month, day],
            Self::Case(whens, otherwise) => whens.iter().map(|(_, term)| term).chain(otherwise).collect(),
        }
    }

    fn weight(&self) -> u64 {
        let parts = self.parts().into_iter().map(Term::weight).sum::<u64>();
        1 + parts + self.filters().into_iter().map(Filter::weight).sum::<u64>()
    }

    /// The conditions among the operands.
    fn filters(&self) -> Vec<&Filter> {
        match self {
            Self::Case(whens, _) => whens.iter().map(|(filter, _)| filter).collect(),
            Self::Choice { whens, .. } => whens.iter().map(|(filter, _)| filter).collect(),
            Self::Truth(filter) => vec![filter],
            Self::Constant(_)
            | Self::Day(_)
            | Self::Plus(_)
            | Self::Negative(_)
            | Self::Times(_)
            | Self::Over(..)
            | Self::Absolute(_)
            | Self::Least(_)
            | Self::Greatest(_)
            | Self::Rounded(..)
            | Self::Filled(..)
            | Self::Truncated(..)
            | Self::Extracted(..)
            | Self::Integer(_)
            | Self::Decimal(_)
            | Self::Cut(..)
            | Self::Remainder(..)
            | Self::Sign(_)
            | Self::Real(..)
            | Self::Coalesced(_)
            | Self::Text(_)
            | Self::Worded(..)
            | Self::Apart(..)
            | Self::Formatted(..)
            | Self::Later(..)
            | Self::Elapsed(..)
            | Self::Matched(..)
            | Self::Read(..)
            | Self::Made { .. }
            | Self::Bucket { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "term/words_tests.rs"]
mod words_tests;
