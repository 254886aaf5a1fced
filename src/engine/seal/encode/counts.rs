//! Counts of what encoding changed, for the steward's report.

use serde::{Deserialize, Serialize};

/// What the encoding of one column changed or could not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnCounts {
    /// The number of missing values after encoding.
    pub nulls: u64,
    /// The number of values outside the bounds, which were clamped.
    pub clamped: u64,
    /// Values outside the bounds that occur in bulk, with their numbers of occurrences. Mostly they are marks of missing values.
    pub clamped_values: Vec<(String, u64)>,
    /// The number of values that are not in the list of the policy; they become null.
    pub unlisted: u64,
    /// The place of the first unlisted value, in words.
    pub first_unlisted: Option<String>,
    /// The number of texts that are not valid for the column's type.
    pub unreadable: u64,
    /// The place of the first unreadable text, in words.
    pub first_unreadable: Option<String>,
    /// The number of moments given in UTC that became UTC days because the policy names no `time_zone`.
    pub utc_days: u64,
    /// The number of units whose rows contradict each other in a column with a single value per unit.
    pub conflicts: u64,
    /// The number of units that lack the value in some of their rows and got it from others.
    pub filled: u64,
}

impl ColumnCounts {
    /// What was resolved or left out, as sentences for the steward.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let counts = [
            (self.conflicts, "units with contradicting rows, for which the smallest known value was taken"),
            (self.filled, "units lacking it in some rows, for which it was taken from their other rows"),
            (self.utc_days, "times given in UTC, which became days in UTC because no time_zone is set"),
        ];
        let mut notes: Vec<_> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{what}: {count}"))
            .collect();
        notes.extend(self.clamped_values.iter().map(|(value, count)| {
            format!(
                "clamped values equal to {value}: {count}; if it means a missing value, declare missing = [\"{value}\"]"
            )
        }));
        notes.extend(self.first_unlisted.as_ref().map(|place| format!("the first unlisted value is in {place}")));
        notes
    }
}
