//! Places of columns in the text of a policy, as forms name them.

use std::fmt;
use std::str::FromStr;

/// The table that a column is declared in, by its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// The dataset's only table: `[[column]]`.
    Dataset,
    /// One of several tables: `[[table.column]]`.
    Table(usize),
    /// A table of one row a unit: `[[join.column]]`.
    Join(usize),
}

/// The place of a column in the text of a policy, written like `column.2` or `table.0.column.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnPlace {
    /// The table that it is declared in.
    pub within: Within,
    /// Its number among the table's columns, counted from 0.
    pub column: usize,
}

/// The text is not a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the place of a column, like column.2")]
pub struct NoPlace;

impl fmt::Display for ColumnPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within {
            Within::Dataset => write!(out, "column.{}", self.column),
            Within::Table(index) => write!(out, "table.{index}.column.{}", self.column),
            Within::Join(index) => write!(out, "join.{index}.column.{}", self.column),
        }
    }
}

impl FromStr for ColumnPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let number = |text: &str| text.parse::<usize>().map_err(|_| NoPlace);
        let parts: Vec<&str> = text.split('.').collect();
        let (within, column) = match parts[..] {
            ["column", column] => (Within::Dataset, column),
            ["table", index, "column", column] => (Within::Table(number(index)?), column),
            ["join", index, "column", column] => (Within::Join(number(index)?), column),
            _ => return Err(NoPlace),
        };
        Ok(Self { within, column: number(column)? })
    }
}
