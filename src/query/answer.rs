//! Answers: turns the noisy integers of a release into the table that people read.
//!
//! Promises post-processing only: this module sees a stored release and the layout of the question, never exact values. Estimates are never
//! clipped. Every estimate comes with its interval; where there is no estimate, the answer says why. Intervals end at the limits that
//! public bounds imply; an estimate that noise has carried beyond those limits is shown as it is, with a note.

mod cell;
mod fine;
mod labels;
mod layout;
mod arms;
mod row;
mod rows;
mod shown;
mod suppression;
mod sorting;
mod table;
mod tabulate;
mod remarks;
pub mod formula;
pub mod interval;
pub mod quantile;
pub mod grouping_sets;
pub mod expected;

pub use self::arms::SingleAnswer;
pub use self::cell::Cell;
pub use self::labels::{KeyLabels, Label};
pub use self::layout::{Layout, LayoutEnd, Limit, Output, OutputValue, SortKey, UnionArm};
pub use self::shown::ShownGroups;
pub use self::suppression::{CountSource, PartSuppression, Suppression};
pub use self::table::{ColumnInfo, ColumnKind, NOTE, NULL, Table};
pub use self::tabulate::{columns, laws, tabulate};
