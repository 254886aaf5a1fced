//! How the values of a source are read: what a steward says about a file, apart from the terms that queries depend on.
//!
//! Promises that nothing here reaches a query: an edition holds only public terms, and the words used in a file are gone once it is sealed.

use super::stated::StatedValues;

/// How the values of one column are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The column's name in the source, if it differs from its name in the policy.
    pub source: Option<String>,
    /// Texts that mean a missing value: the dataset's and the column's own. Numbers and days are compared by value.
    pub missing: Vec<String>,
    /// The format of days, in the directives of `strptime`; `None` for the formats that are always recognised.
    pub format: Option<String>,
    /// Texts that mean true. If both this list and `no` are empty, the usual words are recognised.
    pub yes: Vec<String>,
    /// Texts that mean false. If both this list and `yes` are empty, the usual words are recognised.
    pub no: Vec<String>,
    /// Pairs of a text in the source and the listed value that it stands for.
    pub labels: Vec<(String, String)>,
    /// Whether a text may contain line breaks.
    pub multiline: bool,
    /// What the steward states in public of the values, for expected errors alone; `None` if nothing.
    pub stated: Option<StatedValues>,
}

/// What sealing does if a unit's rows contradict each other in a column that has a single value per unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conflicts {
    /// Count the contradictions and keep one of the unit's values: a known
    /// value before a missing one, and the smallest of several known ones.
    #[default]
    Count,
    /// Refuse to seal the table.
    Refuse,
}
