//! Refusals of aggregates that choose one person's value.

use crate::query::error::{Code, Position, QueryError};
use crate::query::syntax::{Choice, Chosen};

/// The error for an aggregate over people that would choose the value of one of them.
pub(super) fn over_people(chosen: &Chosen, at: Position) -> QueryError {
    let error = |message: &str| QueryError::at(Code::UnsupportedSql, at, message);
    match chosen.choice {
        Choice::Nth(_) => error("ARRAY_AGG over people would be told by one person's row"),
        Choice::Percentile(_) => error("PERCENTILE_DISC is not supported: over people it is somebody's value")
            .hint("write PERCENTILE_CONT, which lies between the values of many"),
        Choice::Mode => error("MODE is not supported: over people it would choose among exact counts")
            .hint("write COUNT(*) AS n … GROUP BY … ORDER BY n DESC, which chooses among noisy ones"),
    }
}
