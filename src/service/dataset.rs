//! A dataset as it is served: its public terms, and the edition that questions see.

use std::sync::Arc;

use crate::engine::seal::Report;
use crate::query::terms::policy::Terms;
use crate::query::terms::stated::StatedColumn;

/// A dataset as the server serves it.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The dataset's name, as used in the SQL of questions.
    pub name: String,
    /// The dataset whose account pays: this one, or, for a table of one row a unit, the dataset that the table belongs to. Both
    /// share one cap.
    pub lineage: String,
    /// A title for people to read, if the policy gives one.
    pub title: Option<String>,
    /// Answers leave at multiples of this many milliseconds after the question; `None` if they are not padded.
    pub pad_ms: Option<u32>,
    /// The steward's public statement of how many rows the dataset has about, for expected errors; `None` if they made none.
    pub about_rows: Option<u64>,
    /// The steward's public statements about the values of columns, for expected errors.
    pub stated: Arc<[StatedColumn]>,
    /// The public terms of the policy: columns, domains, cap and limits.
    pub terms: Terms,
    /// Id of the edition that queries see.
    pub edition: String,
    /// The text of the policy under which it is served, for stewards alone: it says where rows are read from. `None` if it is not known,
    /// and for a table of one row a unit, which stands in the policy of its lineage.
    pub policy: Option<Arc<str>>,
    /// The report of what sealing did, for stewards alone; `None` if it is not known.
    pub report: Option<Report>,
}
