//! The side to which FLOOR, CEIL and TRUNC round.

use borsh::{BorshDeserialize, BorshSerialize};

/// The side to which a number is rounded. Stored answers hold the numbers of the variants: none of them changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Side {
    /// Down: SQL's FLOOR.
    Down = 0,
    /// Up: SQL's CEIL.
    Up = 1,
    /// Towards 0: SQL's TRUNC.
    Zero = 2,
}

impl Side {
    /// The quotient of two integers, rounded to this side; `below` is above 0.
    pub(in crate::query::term) fn quotient(self, above: i128, below: i128) -> i128 {
        match self {
            Self::Down => above.div_euclid(below),
            Self::Up => -(-above).div_euclid(below),
            Self::Zero => above / below,
        }
    }

    /// Name of the function in SQL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "FLOOR",
            Self::Up => "CEIL",
            Self::Zero => "TRUNC",
        }
    }
}
