//! Limits on the size of a query, and the count against them.

use sqlparser::ast::Select;

use crate::query::error::{Code, QueryError};

/// Largest length of a query, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// Largest number of nodes in a query: names, aggregates, comparisons and connectives. Items of `IN` lists have their own limit.
pub const NODES_MAX: usize = 256;
/// Largest depth of nested expressions and conditions.
pub const DEPTH_MAX: usize = 32;
/// Largest number of items in one `IN` list.
pub const IN_ITEMS_MAX: usize = 1_000;
/// Largest number of items in all `IN` lists together, each counted as often as it is read: a list of percentiles reads its condition once
/// for each of them. At two bytes an item, this is as many as a text can hold.
pub const ITEMS_MAX: usize = TEXT_BYTES_MAX / 2;

/// Counts the parts of a query against the limits.
#[derive(Debug, Default)]
pub(super) struct Budget {
    nodes: usize,
    items: usize,
    /// FROM and WHERE of the query that is read, as text.
    table: Option<(String, String)>,
}

/// FROM and WHERE of a query, as text.
fn table(select: &Select) -> (String, String) {
    let from: Vec<_> = select.from.iter().map(ToString::to_string).collect();
    let condition = select.selection.as_ref().map(ToString::to_string);
    (from.join(", ").to_lowercase(), condition.unwrap_or_default())
}

impl Budget {
    /// Remembers which rows the query reads that is parsed from here on.
    pub(super) fn reads(&mut self, select: &Select) {
        self.table = Some(table(select));
    }

    /// Whether another query reads the same rows.
    pub(super) fn is_same_table(&self, select: &Select) -> bool {
        self.table.as_ref() == Some(&table(select))
    }

    pub(super) fn items(&mut self, count: usize) -> Result<(), QueryError> {
        self.items += count;
        if self.items > ITEMS_MAX {
            let message = format!("the query reads more than {ITEMS_MAX} items of IN (…)");
            return Err(QueryError::whole(Code::UnsupportedSql, message).hint("ask for fewer percentiles at a time"));
        }
        Ok(())
    }

    pub(super) fn node(&mut self) -> Result<(), QueryError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the query has more than {NODES_MAX} parts");
            return Err(QueryError::whole(Code::UnsupportedSql, message).hint("use IN (…) for long lists"));
        }
        Ok(())
    }
}

pub(super) fn too_deep() -> QueryError {
    QueryError::whole(Code::UnsupportedSql, format!("the query is nested more than {DEPTH_MAX} levels deep"))
}
