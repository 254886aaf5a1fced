//! What encoding changed, for the steward's report.

use serde::{Deserialize, Serialize};

/// What the encoding of one column changed or could not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnCounts {
    /// Missing values, after the encoding.
    pub nulls: u64,
    /// Values outside the bounds.
    pub clamped: u64,
    /// Values outside the bounds that occur in bulk, and how often: marks of missing values, mostly.
    pub clamped_values: Vec<(String, u64)>,
    /// Values that no list names; they become null.
    pub unlisted: u64,
    /// The first place of such a value.
    pub first_unlisted: Option<String>,
    /// Texts that are no value of the type.
    pub unreadable: u64,
    /// The first place of such a text.
    pub first_unreadable: Option<String>,
    /// Moments that are told in UTC, whose day in UTC was taken because the policy names no `time_zone`.
    pub utc_days: u64,
    /// Units whose rows contradict each other in a column with one value a unit.
    pub conflicts: u64,
    /// Units that lack the value in some of their rows and got it from others.
    pub filled: u64,
}

impl ColumnCounts {
    /// What was resolved or left out, in sentences.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let counts = [
            (self.conflicts, "units contradict themselves, and have the least of their known values"),
            (self.filled, "units lack it in some of their rows, and have it from others"),
            (
                self.utc_days,
                "moments are told in UTC and became days of UTC; say time_zone where people lived elsewhere",
            ),
        ];
        let mut notes: Vec<_> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        notes.extend(self.clamped_values.iter().map(|(value, count)| {
            format!(
                "{value} occurs {count} times and was clamped; if it means a missing value, say missing = [\"{value}\"]"
            )
        }));
        notes.extend(self.first_unlisted.as_ref().map(|place| format!("the first unlisted value is in {place}")));
        notes
    }
}
