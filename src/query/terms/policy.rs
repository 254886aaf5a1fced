//! The policy of a dataset: the steward's TOML file, checked as a whole.
//!
//! Promises that a [`Policy`] is consistent: its domains are finite grids, and capacity × bound fits 62 bits, so that no sum over a
//! conforming table overflows. Every fault of a file is reported with its line and column.

mod columns;
mod file;
mod rules;
mod source;

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::domain::{Column, Domain};
use super::reading::{Conflicts, Rules};
use crate::files;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::query::terms::source::Spec;

/// A checked policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The dataset's name, in lower case.
    pub name: String,
    /// A title for people to read.
    pub title: Option<String>,
    /// Where the dataset's rows are read from. [`Policy::load`] makes its paths relative to the policy's file.
    pub source: Spec,
    /// A file that lists the units whose rows are left out, relative to the policy's file.
    pub exclude: Option<PathBuf>,
    /// The sources of the joined tables, in the order of [`Terms::joins`], relative to the policy's file.
    pub joined: Vec<Spec>,
    /// How the sources are read.
    pub reading: Reading,
    /// The quantum to which answers are padded, in milliseconds; `None` if they are not padded. It can change without sealing anew.
    pub pad_ms: Option<u32>,
    /// The public terms: everything that queries depend on.
    pub terms: Terms,
}

/// How the sources of a dataset are read. No query depends on any of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The name of the unit's column in the sources, if it differs from its name in the policy.
    pub unit_source: Option<String>,
    /// Texts that mean a missing value, in every column and in the unit's.
    pub missing: Vec<String>,
    /// The time zone to which moments given in UTC are converted.
    pub zone: Option<String>,
    /// What sealing does if a unit's rows contradict each other.
    pub conflicts: Conflicts,
    /// How the values of each column are read, in the order of [`Terms::columns`].
    pub rules: Vec<Rules>,
}

/// The public terms of a dataset. A sealed edition holds the terms it was sealed under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The privacy unit: who is protected.
    pub unit: Unit,
    /// k: the largest number of rows that a unit keeps.
    pub max_rows_per_unit: u32,
    /// The declared capacity of the table, in rows.
    pub max_rows: u64,
    /// How losses add up, with the δ of the cap.
    pub accountant: Accountant,
    /// The ε of the lifetime cap.
    pub cap: Epsilon,
    /// The largest ε that one query may cost.
    pub max_epsilon_per_query: Epsilon,
    /// Whether allocations may add up to more than the cap, so that those who ask first may leave nothing for the others.
    pub oversubscribe: bool,
    /// The columns that queries see, in the policy's order.
    pub columns: Columns,
    /// Groups with a noisy count below this number are shown without their estimates; `None` shows all groups. This protects nobody more
    /// than the noise does: it keeps figures that are mostly noise out of reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_cell: Option<u32>,
    /// The part of the cap's δ that is set aside for groups without a public list, or `None`. The δ of `accountant` is the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<SetAside>,
    /// Tables with one row per unit that this one can be joined with. Their columns follow the table's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<JoinedTable>,
}

/// A joined table with one row per unit. Sealing gives its values to every row of the unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedTable {
    /// The table's name in SQL.
    pub name: String,
    /// The index of the column that says whether the unit has a row in this table. No query can name it.
    pub presence: usize,
    /// The number of the table's columns, which follow the presence column directly.
    pub columns: usize,
}

impl JoinedTable {
    /// The indices of the table's columns, without the presence column.
    #[must_use]
    pub fn places(&self) -> Range<usize> {
        self.presence + 1..self.presence + 1 + self.columns
    }
}

/// The δ that is set aside for groups that are released above a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// The total set aside for the dataset's lifetime.
    pub delta: Delta,
    /// The part of it that one answer takes.
    pub per_query: Delta,
}

/// The privacy unit: who is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Every row by itself.
    Row,
    /// All rows that share a value in the column of this name.
    Column(String),
}

impl Unit {
    /// The word for it in a policy: the column's name, or `row`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Row => "row",
            Self::Column(name) => name,
        }
    }
}

/// One fault of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Fault {
    /// The line of the fault, counted from 1.
    pub line: usize,
    /// The column of the fault in its line, counted from 1 in characters.
    pub column: usize,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// The reason why a policy was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {kind}")]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The kind of error that the system reports.
        kind: std::io::ErrorKind,
    },
    /// The file is larger than any policy may be.
    #[error("{path}: {bytes} bytes; a policy has at most {bytes_max}")]
    TooLarge {
        /// The path of the file.
        path: String,
        /// The file's size, in bytes.
        bytes: u64,
        /// The largest size accepted, in bytes.
        bytes_max: u64,
    },
    /// The file is not a valid policy.
    #[error("{path}: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(&format!("\n{path}: ")))]
    Faulty {
        /// The path of the file.
        path: String,
        /// Every fault that was found, in the order of the file.
        faults: Vec<Fault>,
    },
}

/// The largest size of a policy file, in bytes.
pub const BYTES_MAX: u64 = 4 << 20;

impl Policy {
    /// Reads and checks a policy file. Paths of sources are taken relative to it.
    ///
    /// # Errors
    /// [`PolicyError`] with every fault that was found.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| PolicyError::Unreadable { path: shown.clone(), kind: error.kind() };
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        if !meta.is_file() {
            let kind = std::io::ErrorKind::InvalidInput;
            return Err(PolicyError::Unreadable { path: shown, kind });
        }
        if meta.len() > BYTES_MAX {
            return Err(PolicyError::TooLarge { path: shown, bytes: meta.len(), bytes_max: BYTES_MAX });
        }
        let text = files::text(path).map_err(unreadable)?;
        let mut policy = Self::parse(&text).map_err(|faults| PolicyError::Faulty { path: shown, faults })?;
        let beside = path.parent().unwrap_or(Path::new(""));
        policy.source = source::beside(policy.source, beside);
        policy.exclude = policy.exclude.map(|file| beside.join(file));
        policy.joined = policy.joined.into_iter().map(|spec| source::beside(spec, beside)).collect();
        Ok(policy)
    }

    /// Checks the text of a policy.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        file::parse(text)
    }
}

impl Terms {
    /// Finds a column by its name, and returns it with its index.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns.place(name).map(|place| (place, &self.columns[place]))
    }

    /// The grid of the column at `index`; `None` if the column is not numeric.
    #[must_use]
    pub fn grid(&self, index: usize) -> Option<super::domain::Grid> {
        match self.columns.get(index).map(|column| &column.domain) {
            Some(Domain::Number(grid)) => Some(*grid),
            Some(Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. }) | None => None,
        }
    }

    /// The terms of one of the joined tables by itself: one row per unit, under the same cap.
    #[must_use]
    pub fn of_table(&self, join: &JoinedTable) -> Self {
        let columns = self.columns[join.places()].iter().cloned().collect();
        Self { max_rows_per_unit: 1, columns, joins: Vec::new(), ..self.clone() }
    }

    /// The table's own columns, which come before those of joined tables.
    #[must_use]
    pub fn own(&self) -> &[Column] {
        &self.columns[..self.joins.first().map_or(self.columns.len(), |join| join.presence)]
    }

    /// The terms for a question that joins these tables, each given by its index in [`Terms::joins`] and whether it is a left join. Columns
    /// of other tables are hidden, and columns of left-joined tables are nullable.
    #[must_use]
    pub fn joined(&self, wanted: &[(usize, bool)]) -> Cow<'_, Self> {
        if self.joins.is_empty() {
            return Cow::Borrowed(self);
        }
        let places = |is: &dyn Fn(Option<bool>) -> bool| {
            let is_left =
                |place: usize| wanted.iter().find(|(wanted, _)| *wanted == place).map(|(_, is_left)| *is_left);
            let joins = self.joins.iter().enumerate().filter(|(place, _)| is(is_left(*place)));
            joins.map(|(_, join)| join.places()).collect::<Vec<_>>()
        };
        let (left, unjoined) = (places(&|is_left| is_left == Some(true)), places(&|is_left| is_left.is_none()));
        Cow::Owned(Self { columns: self.columns.nullable(&left).hiding(unjoined), ..self.clone() })
    }

    /// The δ of the lifetime guarantee: the δ of the noise plus the δ of all thresholds.
    #[must_use]
    pub fn delta(&self) -> Delta {
        let aside = self.threshold.map_or(Delta::ZERO, |aside| aside.delta);
        // Unwrap safety: both are parts of one declared δ.
        self.accountant.delta().checked_add(aside).expect("parts of one declared δ")
    }

    /// The name of the unit's column; `None` if every row is a unit.
    #[must_use]
    pub fn unit_column(&self) -> Option<&str> {
        match &self.unit {
            Unit::Row => None,
            Unit::Column(name) => Some(name),
        }
    }
}

/// The mark that a draft puts before bounds and values seen in the data, so that nobody accepts them unread.
pub const SEEN: &str = "seen:";
const SEEN_HINT: &str = "it was seen in the data, and publishing it may reveal something about single people; write what is known without looking";

/// Whether a text of a policy is still marked as seen by a draft, so that a person has to replace it.
fn is_seen(text: &str) -> bool {
    text.trim_start().starts_with(SEEN)
}

/// Whether `name` can name a dataset or a column: a lower-case identifier of at most 63 characters.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
