//! Equality of syntax, which ignores positions.

use super::{Aggregate, Expression, Literal, Name};

impl PartialEq for Name {
    /// Compares the texts and ignores positions.
    fn eq(&self, other: &Self) -> bool {
        (&self.of, &self.text) == (&other.of, &other.text)
    }
}

impl PartialEq for Expression {
    /// Compares the values and ignores positions.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Aggregate {
    /// Compares functions and filters and ignores positions.
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.filter == other.filter
    }
}

impl PartialEq for Literal {
    /// Compares the values and ignores positions.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
