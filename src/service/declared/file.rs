//! What files declare, once it is read: people and allocations, each with its place.
//!
//! Promises that every one of them can be told by its file, line and column. It knows no TOML.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::names::{Allotment, Named};
use super::reader::FILES_MAX;
use crate::budget::book::Book;
use crate::budget::entry::Kind;
use crate::budget::people::{Role, STATISTICS};
use crate::files::LineColumn;
use crate::privacy::units::Epsilon;
use crate::query::error::shown;
use crate::service::grants::Holder;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredFile {
    /// Its name, which faults are told with.
    pub name: String,
    /// Its TOML.
    pub text: String,
}

/// A place in a file, line and column counted from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: line {}, column {}", shown(&self.file), self.line, self.column)
    }
}

/// Why files were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclaredFault {
    /// A file is wrong at a place.
    #[error("{place}: {message}")]
    Faulty {
        /// Where.
        place: Place,
        /// What is wrong, and what is accepted.
        message: String,
    },
    /// No files, or too many.
    #[error(
        "{files} files are given; accepted are 1 to {FILES_MAX}, for without one all that was declared would be withdrawn"
    )]
    Files {
        /// How many.
        files: usize,
    },
    /// Two files of one name.
    #[error("{}: the file is given twice", shown(.name))]
    Doubled {
        /// Which.
        name: String,
    },
}

/// Where something is declared; its line is counted only when it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Which file, in the order of their names.
    pub(super) file: usize,
    /// Bytes before it.
    pub(super) offset: usize,
}

/// A declared person.
#[derive(Debug, Clone)]
pub(super) struct DeclaredPerson {
    pub(super) at: At,
    pub(super) name: String,
    pub(super) role: Role,
    /// Datasets that a viewer is given; `None` where the file does not say.
    pub(super) datasets: Option<Vec<String>>,
}

/// A declared allocation.
#[derive(Debug, Clone)]
pub(super) struct Allocation {
    pub(super) at: At,
    pub(super) to: Holder,
    pub(super) dataset: String,
    pub(super) epsilon: Epsilon,
    pub(super) reason: Option<String>,
}

impl Allocation {
    /// What the ledger calls it.
    pub(super) fn named(&self) -> Named<'_> {
        let (kind, name) = match &self.to {
            Holder::Researcher { name, .. } => (Kind::Researcher, name.as_str()),
            Holder::Project { name } => (Kind::Project, name.as_str()),
            Holder::Dataset => (Kind::Dataset, self.dataset.as_str()),
            Holder::Statistics { .. } => (Kind::Statistics, STATISTICS),
        };
        Named::Account { kind, dataset: &self.dataset, name }
    }

    /// How it is to be.
    pub(super) fn allotment(&self) -> Allotment<'_> {
        let (period_days, project) = match &self.to {
            Holder::Researcher { project, period_days, .. } => (*period_days, project.as_deref()),
            Holder::Statistics { period_days } => (*period_days, None),
            Holder::Project { .. } | Holder::Dataset => (None, None),
        };
        Allotment { epsilon: self.epsilon, period_days, project }
    }

    /// Whether the book has it so already.
    pub(super) fn stands(&self, book: &Book) -> bool {
        self.named().held(book) == Some(self.allotment())
    }
}

/// What files declare, checked as far as that needs no ledger.
#[derive(Debug, Clone)]
pub struct Declared {
    pub(super) files: Arc<[DeclaredFile]>,
    pub(super) people: Vec<DeclaredPerson>,
    /// Projects, then statistics, then grants.
    pub(super) allocations: Vec<Allocation>,
    /// Everything that is declared, by the ledger's name for it.
    pub(super) names: BTreeMap<String, At>,
}

impl Declared {
    /// The ledger's names for everything that is declared.
    pub(super) fn managed(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// The place of something, as it is told.
    pub(super) fn place(&self, at: At) -> Place {
        let (name, text) = self.files.get(at.file).map_or(("", ""), |file| (file.name.as_str(), file.text.as_str()));
        let LineColumn { line, column } = LineColumn::of(text, at.offset);
        Place { file: name.to_owned(), line, column }
    }
}
