//! The policy: the steward's TOML, checked whole.
//!
//! Promises that a [`Policy`] is consistent: domains are finite grids, and capacity × bound fits 62 bits, so that no sum over any
//! conforming table overflows. Every fault of a file is named with its line and column.

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
use crate::engine::seal::source::Spec;
use crate::files;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};

/// A checked policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Lower-case name.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Where its rows are read from; paths are relative to the policy's file.
    pub source: Spec,
    /// Units whose rows are left out, a file relative to the policy's.
    pub exclude: Option<PathBuf>,
    /// Sources of the tables that it is joined with, in the order of the terms, relative to the policy's file.
    pub joined: Vec<Spec>,
    /// How sources are read.
    pub reading: Reading,
    /// The quantum that answers are padded to, in milliseconds; nothing where they are not. It can change without sealing anew.
    pub pad_ms: Option<u32>,
    /// What is public: everything queries depend on.
    pub terms: Terms,
}

/// How the sources of a dataset are read: nothing that a query sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The name of the unit's column in the sources, where it is not found by the policy's own.
    pub unit_source: Option<String>,
    /// Texts that mean a missing value, in all columns and in the unit's.
    pub missing: Vec<String>,
    /// The zone of moments that are told in UTC.
    pub zone: Option<String>,
    /// What happens where a unit's rows contradict each other.
    pub conflicts: Conflicts,
    /// The rules of each column, in the order of the terms.
    pub rules: Vec<Rules>,
}

/// The public terms of a dataset. A sealed edition holds the terms it was sealed under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who is protected.
    pub unit: Unit,
    /// k: rows that a unit keeps at the most.
    pub max_rows_per_unit: u32,
    /// Declared capacity in rows.
    pub max_rows: u64,
    /// How losses add up, with the δ of the cap.
    pub accountant: Accountant,
    /// ε of the lifetime cap.
    pub cap: Epsilon,
    /// ε that one query may cost.
    pub max_epsilon_per_query: Epsilon,
    /// Whether allocations may sum to more than the cap, so that whoever asks first may leave nothing to the others.
    pub oversubscribe: bool,
    /// The columns that queries see, in the policy's order.
    pub columns: Columns,
    /// Groups of which a noisy count in the answer is below this are shown without their estimates; nothing where all are shown. It protects nobody more than
    /// the noise does: it keeps what is mostly noise out of reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_cell: Option<u32>,
    /// What of the cap's δ is set aside for groups without a public list; nothing where none is. The δ of `accountant` is the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<SetAside>,
    /// Tables of one row a unit that it can be joined with. Their columns stand behind its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<JoinedTable>,
}

/// A table of one row a unit, whose values each of the unit's rows has since it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedTable {
    /// Its name in SQL.
    pub name: String,
    /// The column that says whether the unit has a row in it; no name names it.
    pub presence: usize,
    /// How many columns it has, right behind that one.
    pub columns: usize,
}

impl JoinedTable {
    /// The places of its columns, without the one of presence.
    #[must_use]
    pub fn places(&self) -> Range<usize> {
        self.presence + 1..self.presence + 1 + self.columns
    }
}

/// δ that is set aside for groups that are released above a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// All of it, for life.
    pub delta: Delta,
    /// What one answer takes of it.
    pub per_query: Delta,
}

/// Who is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Every row by itself.
    Row,
    /// All rows with one value of this column.
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
    /// Counts from 1.
    pub line: usize,
    /// Counts from 1, in characters.
    pub column: usize,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// Why a policy was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {kind}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The file is larger than any policy.
    #[error("{path}: {bytes} bytes; a policy has at most {bytes_max}")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        bytes: u64,
        /// The bound.
        bytes_max: u64,
    },
    /// The file is not a policy.
    #[error("{path}: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(&format!("\n{path}: ")))]
    Faulty {
        /// The file.
        path: String,
        /// Every fault that was found.
        faults: Vec<Fault>,
    },
}

/// A policy file has at most this many bytes.
pub const BYTES_MAX: u64 = 4 << 20;

impl Policy {
    /// Reads and checks a policy file; the source is taken relative to it.
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
    /// A column by name, with its index.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<(usize, &Column)> {
        self.columns.place(name).map(|place| (place, &self.columns[place]))
    }

    /// The grid of a numeric column.
    #[must_use]
    pub fn grid(&self, index: usize) -> Option<super::domain::Grid> {
        match self.columns.get(index).map(|column| &column.domain) {
            Some(Domain::Number(grid)) => Some(*grid),
            Some(Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. }) | None => None,
        }
    }

    /// The terms of one of its tables by itself: one row a unit, and the same cap.
    #[must_use]
    pub fn of_table(&self, join: &JoinedTable) -> Self {
        let columns = self.columns[join.places()].iter().cloned().collect();
        Self { max_rows_per_unit: 1, columns, joins: Vec::new(), ..self.clone() }
    }

    /// Columns of its own, which stand before those of other tables.
    #[must_use]
    pub fn own(&self) -> &[Column] {
        &self.columns[..self.joins.first().map_or(self.columns.len(), |join| join.presence)]
    }

    /// The terms of a question that joins the tables of these places, left or not: what it does not join has no name, and what it joins from
    /// the left may be missing.
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

    /// δ of the lifetime guarantee: that of the noise and that of all thresholds.
    #[must_use]
    pub fn delta(&self) -> Delta {
        let aside = self.threshold.map_or(Delta::ZERO, |aside| aside.delta);
        // Unwrap safety: both are parts of one declared δ.
        self.accountant.delta().checked_add(aside).expect("parts of one declared δ")
    }

    /// The name of the unit's column, where units are not rows.
    #[must_use]
    pub fn unit_column(&self) -> Option<&str> {
        match &self.unit {
            Unit::Row => None,
            Unit::Column(name) => Some(name),
        }
    }
}

/// What a draft puts before what it saw in the data, so that nobody takes it unread.
pub const SEEN: &str = "seen:";
const SEEN_HINT: &str =
    "it was seen in the data, and publishing it may tell of single people; write what is known without looking";

/// Whether a text of a policy is a draft's, which a person has to replace.
fn is_seen(text: &str) -> bool {
    text.trim_start().starts_with(SEEN)
}

/// Whether `name` can name a dataset or a column: a lower-case identifier of at most 63 letters.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
