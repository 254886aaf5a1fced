//! Stated values: what a steward says in public about the values of a column, such as a published median.
//!
//! Promises plain decimals that a person wrote into the policy. Nothing here was computed from rows, no query depends on it, and it can
//! change without sealing anew: it only makes the errors that quotes expect mean something before anything has been paid for.

/// The steward's public statement about the values of one column of numbers. Numbers are multiples of 1e-9 in the column's own unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatedValues {
    /// The values below which a quarter, a half and three quarters of all values lie.
    pub quartiles: Option<[i128; 3]>,
    /// The mean and the standard deviation.
    pub moments: Option<[i128; 2]>,
    /// The part of the rows in which the value is missing, from 0 up to, but not including, 1.
    pub missing: Option<i128>,
}

/// A statement with the column that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedColumn {
    /// The table that declares the column: the dataset's name, or one of its tables.
    pub table: String,
    /// The column's name.
    pub column: String,
    /// What is stated.
    pub values: StatedValues,
}
