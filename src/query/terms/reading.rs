//! How a source's values are read: what a steward says of a file, beside what is public of it.
//!
//! Promises that nothing here reaches a query: an edition holds public terms alone, and a file's own words end where it is sealed.

/// How the values of one column are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The column's name in the source, where it is not found by the policy's own.
    pub source: Option<String>,
    /// Texts that mean a missing value: the dataset's and the column's own. Numbers and days are compared by value.
    pub missing: Vec<String>,
    /// How days are written, in letters of `strptime`; `None` for the forms that are read everywhere.
    pub format: Option<String>,
    /// Texts that mean true; where both lists are empty, the usual ones do.
    pub yes: Vec<String>,
    /// Texts that mean false.
    pub no: Vec<String>,
    /// What stands in the source, and the listed value that it means.
    pub labels: Vec<(String, String)>,
    /// A text may hold line ends.
    pub multiline: bool,
}

/// What happens where a unit's rows contradict each other in a column that has one value a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conflicts {
    /// They are counted, and the unit gets one of its values: a known one before a missing one, and of several the least.
    #[default]
    Count,
    /// Nothing is sealed.
    Refuse,
}
