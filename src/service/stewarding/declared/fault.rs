//! What is wrong with declared files, and why they cannot be applied.

use std::fmt;

use crate::kernel::budget::people::{NAME_CHARS_MAX, Role};
use crate::kernel::budget::state::FoldFault;
use crate::kernel::privacy::amounts::DecimalFault;
use crate::query::error::shown;
use crate::service::stewarding::fault::{GrantFault, PERIOD_DAYS_MAX, StewardFault};

/// Largest number of files in one plan or application.
pub const FILES_MAX: usize = 1_000;
/// Largest number of things that all files together declare.
pub const ITEMS_MAX: usize = 50_000;

/// A place in a file. Line and column are counted from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePosition {
    /// The name of the file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
}

impl fmt::Display for FilePosition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: line {}, column {}", shown(&self.file), self.line, self.column)
    }
}

/// Why declared files were not accepted, or cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclaredFault {
    /// A file is wrong at a place.
    #[error("{place}: {fault}")]
    Faulty {
        /// The place of the fault.
        place: FilePosition,
        /// What is wrong, and what is accepted.
        fault: Box<DeclarationFault>,
    },
    /// No files were given, or too many.
    #[error(
        "{files} files are given; accepted are 1 to {FILES_MAX}, since without files everything declared before would be withdrawn"
    )]
    Files {
        /// Number of files that were given.
        files: usize,
    },
    /// Two files have the same name.
    #[error("{}: the file is given twice", shown(.name))]
    Doubled {
        /// The name of both files.
        name: String,
    },
    /// The last steward who may come in is declared with another role.
    #[error(
        "{place}: \"{name}\" is the last steward with a token, and so cannot become a {role}; declare another steward"
    )]
    LastStewardChanged {
        /// The place of the declaration.
        place: FilePosition,
        /// The steward's name.
        name: String,
        /// The role that is declared.
        role: Role,
    },
    /// A viewer is given a dataset that was never opened.
    #[error("{place}: there is no dataset \"{}\" to let {viewer} see", shown(.dataset))]
    UnknownDataset {
        /// The place of the declaration.
        place: FilePosition,
        /// The name that was given.
        dataset: String,
        /// The name of the viewer.
        viewer: String,
    },
    /// An allocation cannot be set.
    #[error("{place}: cannot {change}: {fault}")]
    Allocation {
        /// The place of the declaration.
        place: FilePosition,
        /// The change in words.
        change: String,
        /// Why it cannot be made.
        fault: AllocationFault,
    },
    /// The ledger changed while the application was prepared.
    #[error("the token of \"{name}\" changed meanwhile; try again")]
    TokenChanged {
        /// The name of the person whose token changed.
        name: String,
    },
    /// A lifetime cap cannot be withdrawn.
    #[error("the lifetime cap of \"{dataset}\" only rises")]
    CapNotRaised {
        /// The dataset's name.
        dataset: String,
    },
    /// The last steward with a token is no longer declared.
    #[error(
        "\"{name}\" is no longer declared, and is the last steward with a token; declare \"{name}\" or another steward"
    )]
    LastSteward {
        /// The steward's name.
        name: String,
    },
    /// A change does not follow from the ledger's state.
    #[error(transparent)]
    Fold(#[from] FoldFault),
}

/// Why a declared allocation cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationFault {
    /// The dataset was never opened.
    #[error("there is no dataset \"{}\"", shown(.dataset))]
    UnknownDataset {
        /// The name that was given.
        dataset: String,
    },
    /// The researcher's account is below a project that the file does not name.
    #[error("what it spent was spent there; accepted is project = \"{project}\"")]
    BelowProject {
        /// The project that the account is below.
        project: String,
    },
    /// The dataset's accounts changed while the application was prepared.
    #[error("the accounts of \"{dataset}\" changed meanwhile; try again")]
    AccountsChanged {
        /// The dataset's name.
        dataset: String,
    },
    /// It breaks a rule of grants.
    #[error(transparent)]
    Grant(#[from] GrantFault),
}

/// What is wrong at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationFault {
    /// The file is no TOML, or holds other tables and keys than declared files do.
    #[error("{message}")]
    Toml {
        /// What is expected there, in one line.
        message: String,
    },
    /// No role has this name.
    #[error("role \"{}\" is not known; accepted are researcher, viewer and steward", shown(.role))]
    Role {
        /// The text that was given.
        role: String,
    },
    /// Datasets are given to viewers alone.
    #[error(
        "only viewers are given datasets, and this is a {role}: a researcher sees the datasets they hold an account of, and a \
         steward sees all"
    )]
    NotViewer {
        /// The declared role.
        role: Role,
    },
    /// A viewer is given a dataset twice.
    #[error("dataset \"{dataset}\" is listed twice")]
    DatasetTwice {
        /// The dataset's name.
        dataset: String,
    },
    /// The name is not one that a dataset can have.
    #[error(
        "dataset \"{}\" is not a valid name; accepted is a lower-case identifier of at most 63 letters, like \"visits\"",
        shown(.dataset)
    )]
    Dataset {
        /// The name that was given.
        dataset: String,
    },
    /// The name is not one that a person or a project can have.
    #[error(
        "{field} \"{}\" is not a valid name; accepted are 1 to {NAME_CHARS_MAX} letters, digits and . _ - @, \
         beginning with a letter or digit",
        shown(.name)
    )]
    Name {
        /// The key that holds the name.
        field: &'static str,
        /// The name that was given.
        name: String,
    },
    /// The total is no decimal amount of ε.
    #[error("epsilon: {0}")]
    Epsilon(DecimalFault),
    /// The length of a period is out of range.
    #[error("period_days is {days}; accepted is 1 to {PERIOD_DAYS_MAX}")]
    Period {
        /// The number of days that was given.
        days: i64,
    },
    /// The reason is empty or too long.
    #[error(transparent)]
    Reason(StewardFault),
    /// The same thing is declared at two places.
    #[error("{name} is declared twice, before at {before}; remove one")]
    Twice {
        /// The ledger's name for it.
        name: String,
        /// The place of the earlier declaration.
        before: FilePosition,
    },
    /// The files declare too much.
    #[error("{name} is one too many; accepted are {ITEMS_MAX} in all files")]
    TooMany {
        /// The ledger's name for the first thing that is too much.
        name: String,
    },
}
