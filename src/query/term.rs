//! Terms: row-local values made of a row's own columns.
//!
//! Promises that every term looks at one row alone, and is exact: its value is an integer on a grid that follows from the public
//! terms, never a float. A term in canonical form says equal things in one way as far as order and nesting go. What a term can be
//! (its bounds, whether it may be missing) is derived in [`lower`] by interval arithmetic, from the policy and never from data.

pub mod calendar;
pub mod coding;
mod columns;
pub mod known;
mod literals;
pub mod lower;
mod node;
pub mod typed;

use std::borrow::Cow;

use borsh::{BorshDeserialize, BorshSerialize};

use self::calendar::{Part, Period};
use self::known::Known;
pub use self::node::Node;
use super::filter::Filter;
use crate::dataset::domain::{Domain, Grid};
use crate::dataset::policy::Terms;

/// A row-local value: a declared column, or something made of declared columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Term {
    /// The declared column of this index.
    Column(usize) = 0,
    /// Something made of columns.
    Made(Node) = 1,
}

/// What is known of a term: public, never learnt from data.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts<'a> {
    /// What its values can be, and so how they are stored.
    pub domain: Cow<'a, Domain>,
    /// Whether it may be missing.
    pub nullable: bool,
    /// Whether all rows of a unit have the same.
    pub per_unit: bool,
}

/// A decimal constant: `digits` · 10^−`decimals`. One that was written with a point has a decimal at least, for SQL divides by 10 and by
/// 10.0 differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Constant {
    /// The digits with their sign.
    pub digits: i64,
    /// How many of them stand behind the point.
    pub decimals: u32,
}

/// What a value is made of. Operands of sums and products are sorted.
///
/// Stored answers hold the codes of the variants, and identities depend on the order that codes and fields have: neither changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Made {
    /// A number.
    Constant(Constant) = 0,
    /// A day, from 1970-01-01.
    Day(i32) = 1,
    /// A sum of two or more; a date and numbers of days are a date, two dates of opposite sign are a number of days.
    Plus(Vec<Term>) = 2,
    /// The opposite.
    Negative(Term) = 3,
    /// A product of two or more.
    Times(Vec<Term>) = 4,
    /// A quotient by a constant other than 0. Of two integers it is cut towards 0, as in PostgreSQL.
    Over(Term, Constant) = 5,
    /// The absolute value.
    Absolute(Term) = 6,
    /// The least of those that are not missing.
    Least(Vec<Term>) = 7,
    /// The greatest of those that are not missing.
    Greatest(Vec<Term>) = 8,
    /// Rounded to so many decimals, halves away from 0.
    Rounded(Term, u32) = 9,
    /// The first of the two that is not missing; the second is a constant.
    Filled(Term, Term) = 10,
    /// The value of the first condition that is true, or the last, or missing.
    Case(Vec<(Filter, Term)>, Option<Term>) = 11,
    /// The label of the first condition that is true, or the last, or missing; numbers are indices of `labels`.
    Choice {
        /// What is chosen when.
        whens: Vec<(Filter, u32)>,
        /// What is chosen otherwise.
        otherwise: Option<u32>,
        /// The labels, each once.
        labels: Vec<String>,
    } = 12,
    /// Whether a condition is true; missing where it is neither.
    Truth(Filter) = 13,
    /// The first day of the period that a day is in.
    Truncated(Term, Period) = 14,
    /// A part of a day's date.
    Extracted(Term, Part) = 15,
    /// The number of the bucket of equal width, 0 below `low` and `count` + 1 from `high` on.
    Bucket {
        /// Of what.
        of: Term,
        /// Where the first bucket begins.
        low: Constant,
        /// Where the last one ends.
        high: Constant,
        /// How many there are.
        count: u32,
    } = 16,
}

impl Term {
    /// Something made of columns, in canonical form.
    #[must_use]
    pub fn of(made: Made) -> Self {
        Self::Made(Node::from(made))
    }

    /// A number.
    #[must_use]
    pub fn number(digits: i64, decimals: u32) -> Self {
        Self::of(Made::Constant(Constant::new(digits, decimals)))
    }

    /// A sum: nested sums are one, operands are sorted.
    #[must_use]
    pub fn plus(parts: Vec<Self>) -> Self {
        Self::chain(parts, |made| match made {
            Made::Plus(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, |parts| Self::of(Made::Plus(parts)))
    }

    /// A product: nested products are one, operands are sorted.
    #[must_use]
    pub fn times(parts: Vec<Self>) -> Self {
        Self::chain(parts, |made| match made {
            Made::Times(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, |parts| Self::of(Made::Times(parts)))
    }

    /// The opposite; that of a constant is a constant.
    #[must_use]
    pub fn negative(self) -> Self {
        match self {
            Self::Made(made) => match made.take() {
                Made::Constant(Constant { digits, decimals }) if digits != i64::MIN => Self::number(-digits, decimals),
                Made::Negative(inner) => inner,
                other => Self::of(Made::Negative(Self::of(other))),
            },
            column @ Self::Column(_) => Self::of(Made::Negative(column)),
        }
    }

    /// A value where `condition` is true, and missing elsewhere.
    #[must_use]
    pub fn only_where(self, condition: Filter) -> Self {
        Self::of(Made::Case(vec![(condition, self)], None))
    }

    /// Operands of one associative and commutative operation, flat and sorted; or the only one.
    fn chain(parts: Vec<Self>, open: impl Fn(Made) -> Result<Vec<Self>, Made>) -> Result<Vec<Self>, Self> {
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

    /// What is known of it from the public terms.
    ///
    /// Only for terms that were typed against the same public terms: [`typed`] has looked. Whoever asks about many terms has a [`Known`].
    #[must_use]
    pub fn facts<'a>(&self, terms: &'a Terms) -> Facts<'a> {
        Known::of(terms).facts(self)
    }

    /// The grid of a number.
    #[must_use]
    pub fn grid(&self, terms: &Terms) -> Option<Grid> {
        match *self.facts(terms).domain {
            Domain::Number(grid) => Some(grid),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => None,
        }
    }

    /// Operations: what a row costs to look at.
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

    /// What it takes to look at it as a whole: its operations, and the members of its lists.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Column(_) => 1,
            Self::Made(made) => made.weight(),
        }
    }
}

impl Made {
    /// The terms it is made of, without those of its conditions.
    fn parts(&self) -> Vec<&Term> {
        match self {
            Self::Constant(_) | Self::Day(_) | Self::Truth(_) | Self::Choice { .. } => Vec::new(),
            Self::Plus(parts) | Self::Times(parts) | Self::Least(parts) | Self::Greatest(parts) => {
                parts.iter().collect()
            }
            Self::Negative(of)
            | Self::Over(of, _)
            | Self::Absolute(of)
            | Self::Rounded(of, _)
            | Self::Truncated(of, _)
            | Self::Extracted(of, _)
            | Self::Bucket { of, .. } => vec![of],
            Self::Filled(of, with) => vec![of, with],
            Self::Case(whens, otherwise) => whens.iter().map(|(_, term)| term).chain(otherwise).collect(),
        }
    }

    fn weight(&self) -> u64 {
        let parts = self.parts().into_iter().map(Term::weight).sum::<u64>();
        1 + parts + self.filters().into_iter().map(Filter::weight).sum::<u64>()
    }

    /// The conditions it is made of.
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
            | Self::Bucket { .. } => Vec::new(),
        }
    }
}

impl Constant {
    /// The same value in its shortest form.
    #[must_use]
    pub fn new(mut digits: i64, mut decimals: u32) -> Self {
        while decimals > 1 && digits % 10 == 0 {
            (digits, decimals) = (digits / 10, decimals - 1);
        }
        Self { digits, decimals }
    }

    /// The same value without a point where it has no need of one.
    #[must_use]
    pub fn shortest(digits: i64, decimals: u32) -> Self {
        let short = Self::new(digits, decimals);
        if short.digits % 10 == 0 && short.decimals == 1 {
            Self { digits: short.digits / 10, decimals: 0 }
        } else {
            short
        }
    }

    /// The value as a float, for what stands after the noise.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.digits as f64 / 10_f64.powi(self.decimals.cast_signed())
    }

    /// Reads a decimal; nothing for more digits than an integer of 64 bits or more decimals than nine.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const DECIMALS_MAX: usize = 9;
        let (sign, body) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = if fraction.len() > 1 { fraction.trim_end_matches('0') } else { fraction };
        let fraction = if fraction.is_empty() && body.contains('.') { "0" } else { fraction };
        if (whole.is_empty() && fraction.is_empty())
            || !plain(whole)
            || !plain(fraction)
            || fraction.len() > DECIMALS_MAX
        {
            return None;
        }
        let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self::new(sign * digits, u32::try_from(fraction.len()).ok()?))
    }
}
