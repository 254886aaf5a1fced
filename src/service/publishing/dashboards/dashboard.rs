//! A dashboard as the server keeps it.

/// A dashboard: a title, and statistics in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// Its name: that of its file without the ending.
    pub name: String,
    /// A title for people to read.
    pub title: String,
    /// A longer description.
    pub description: Option<String>,
    /// The names of its statistics.
    pub statistics: Vec<String>,
}
