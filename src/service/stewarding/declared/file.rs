//! What files declare, once it is read: people and allocations, each with its place.
//!
//! Each of them can be reported with its file, line and column. The module knows no TOML.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::FilePosition;
use super::names::{Allotment, Named};
use crate::files::LineColumn;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::people::{Role, STATISTICS};
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::stewarding::grants::Holder;

/// A file that declares people and allocations, or a query file that defines a statistic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredFile {
    /// The file's name, which faults mention.
    pub name: String,
    /// The file's text: TOML with `[[person]]`, `[[project]]`, `[[grant]]` and `[[statistics]]` tables, or headers and SQL.
    pub text: String,
}

/// Where something is declared, as an offset; its line and column are counted only when they are reported.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Index of the file, in the order of the files' names.
    pub(super) file: usize,
    /// Number of bytes in the file before it.
    pub(super) offset: usize,
}

/// A declared person.
#[derive(Debug, Clone)]
pub(super) struct DeclaredPerson {
    pub(super) at: At,
    pub(super) name: String,
    pub(super) role: Role,
    /// Datasets that a viewer is given; `None` if the file does not say.
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
    /// The ledger's name for it.
    pub(super) fn named(&self) -> Named<'_> {
        let (kind, name) = match &self.to {
            Holder::Researcher { name, .. } => (AccountKind::Researcher, name.as_str()),
            Holder::Project { name } => (AccountKind::Project, name.as_str()),
            Holder::Dataset => (AccountKind::Dataset, self.dataset.as_str()),
            Holder::Statistics { .. } => (AccountKind::Statistics, STATISTICS),
        };
        Named::Account { kind, dataset: &self.dataset, name }
    }

    /// The declared total, renewal and project.
    pub(super) fn allotment(&self) -> Allotment<'_> {
        let (period_days, project) = match &self.to {
            Holder::Researcher { project, period_days, .. } => (*period_days, project.as_deref()),
            Holder::Statistics { period_days } => (*period_days, None),
            Holder::Project { .. } | Holder::Dataset => (None, None),
        };
        Allotment { epsilon: self.epsilon, period_days, project }
    }

    /// Whether the ledger's state has this allocation already.
    pub(super) fn stands(&self, book: &LedgerState) -> bool {
        self.named().held(book) == Some(self.allotment())
    }
}

/// What files declare, checked as far as that is possible without a ledger.
#[derive(Debug, Clone)]
pub struct Declared {
    pub(super) files: Arc<[DeclaredFile]>,
    pub(super) people: Vec<DeclaredPerson>,
    /// The declared allocations: projects, then statistics, then grants.
    pub(super) allocations: Vec<Allocation>,
    /// Everything that is declared, by its name in the ledger.
    pub(super) names: BTreeMap<String, At>,
}

impl Declared {
    /// The ledger's names for everything that is declared.
    pub(super) fn managed(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// The place of an offset, with its line and column.
    pub(super) fn place(&self, at: At) -> FilePosition {
        let (name, text) = self.files.get(at.file).map_or(("", ""), |file| (file.name.as_str(), file.text.as_str()));
        let LineColumn { line, column } = LineColumn::of(text, at.offset);
        FilePosition { file: name.to_owned(), line, column }
    }
}
