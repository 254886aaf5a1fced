//! Operators of arithmetic and comparison, and the types of casts.

use borsh::{BorshDeserialize, BorshSerialize};

/// A type that values are cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastType {
    /// A whole number.
    Integer,
    /// A decimal, with the number of decimals that it is rounded to.
    Decimal(Option<u32>),
    /// A day.
    Date,
    /// A text.
    Text,
    /// A truth value.
    Truth,
}

impl CastType {
    /// Name of the type in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Decimal(_) => "NUMERIC",
            Self::Date => "DATE",
            Self::Text => "TEXT",
            Self::Truth => "BOOLEAN",
        }
    }
}

/// Operator of arithmetic: `+`, `-`, `*` or `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ArithmeticOperator {
    /// Addition, `+`.
    Plus = 0,
    /// Subtraction, `-`.
    Minus = 1,
    /// Multiplication, `*`.
    Times = 2,
    /// Division, `/`.
    Over = 3,
}

/// Operator that compares two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Comparison {
    /// `=`, equal to.
    Equal = 0,
    /// `<>`, not equal to.
    NotEqual = 1,
    /// `<`, less than.
    Less = 2,
    /// `<=`, less than or equal to.
    LessOrEqual = 3,
    /// `>`, greater than.
    Greater = 4,
    /// `>=`, greater than or equal to.
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
