//! Limits on the size of a query, and the count against them.

use sqlparser::ast::{Expr, GroupByExpr, Select};

use super::scope::{Allowed, ParseContext};
use super::size::Size;
use crate::query::error::{Code, QueryError};

/// Largest length of a query, in bytes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// Largest number of nodes in a query: names, aggregates, comparisons and connectives. Items of `IN` lists have their own limit, and the
/// query of a name from `WITH` counts as often as the name is used.
pub const NODES_MAX: usize = 1_000;
/// Largest number of nodes in all queries of `WITH` together, each with the queries that it uses.
const DEFINED_NODES_MAX: usize = 16 * NODES_MAX;
/// Largest depth of nested expressions and conditions, and of queries and joins inside of each other.
pub const DEPTH_MAX: usize = 32;
/// Largest number of items in one `IN` list.
pub const IN_ITEMS_MAX: usize = 1_000;
/// Largest number of items in all `IN` lists together, each counted as often as it is read: a list of percentiles reads its condition once
/// for each of them. At two bytes an item, this is as many as a text can hold.
pub const ITEMS_MAX: usize = TEXT_BYTES_MAX / 2;

/// Counts the parts of a query against the limits, and knows what may stand at the place that is parsed.
#[derive(Debug, Default)]
pub(super) struct Budget {
    nodes: usize,
    items: usize,
    /// How many queries and joins the place is inside of.
    level: usize,
    /// The largest `level` so far.
    deepest: usize,
    /// Nodes of the queries of `WITH`.
    defined: usize,
    pub(super) scope: ParseContext,
    /// The queries in parentheses whose values are named by their places, as text.
    pub(super) values: Vec<String>,
    /// FROM and WHERE of the query that is read, as text, and whether it has groups.
    table: Option<(String, String, bool)>,
}

/// FROM and WHERE of a query, as text.
fn table(select: &Select) -> (String, String) {
    let from: Vec<_> = select.from.iter().map(ToString::to_string).collect();
    let condition = select.selection.as_ref().map(ToString::to_string);
    (from.join(", ").to_lowercase(), condition.unwrap_or_default())
}

/// The rows that a query in parentheses reads of the table of the query around it.
pub(super) struct RowsOfTotal {
    /// The condition that chooses them from the rows of the query around it, if there is one.
    pub(super) filter: Option<Expr>,
    /// Whether the query around it has groups.
    pub(super) is_grouped: bool,
}

impl Budget {
    /// Parses a query inside of the place, whose parts are not in the WHERE of the place.
    pub(super) fn query<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        let outside = std::mem::replace(&mut self.scope.is_where, false);
        let parsed = self.allowing(Allowed::Row, parse)?;
        self.scope.is_where = outside;
        Ok(parsed)
    }

    /// Parses a place where something else may stand.
    pub(super) fn allowing<T>(
        &mut self,
        allowed: Allowed,
        parse: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let outside = std::mem::replace(&mut self.scope.allowed, allowed);
        let parsed = parse(self)?;
        self.scope.allowed = outside;
        Ok(parsed)
    }

    /// Remembers which rows the query reads that is parsed from here on.
    pub(super) fn reads(&mut self, select: &Select) {
        let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        let (from, condition) = table(select);
        self.table = Some((from, condition, is_grouped));
    }

    /// Which rows another query reads of the same table; `None` if it reads others than the query that is parsed.
    pub(super) fn rows_of(&self, select: &Select) -> Option<RowsOfTotal> {
        let (from, condition, is_grouped) = self.table.as_ref()?;
        let (other_from, other_condition) = table(select);
        let is_same = other_condition == *condition;
        if other_from != *from || !(is_same || condition.is_empty()) {
            return None;
        }
        let filter = select.selection.clone().filter(|_| !is_same);
        Some(RowsOfTotal { filter, is_grouped: *is_grouped })
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
        self.nodes(1)
    }

    fn nodes(&mut self, count: usize) -> Result<(), QueryError> {
        self.nodes += count;
        if self.nodes > NODES_MAX {
            let message = format!("the query has more than {NODES_MAX} parts");
            return Err(QueryError::whole(Code::UnsupportedSql, message).hint("write … IN (…) for a long list"));
        }
        Ok(())
    }

    /// Parses what stands inside of that many more queries or joins.
    pub(super) fn inside<T>(
        &mut self,
        levels: usize,
        parse: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let outside = self.level;
        self.reach(levels)?;
        self.level += levels;
        let parsed = parse(self)?;
        self.level = outside;
        Ok(parsed)
    }

    fn reach(&mut self, levels: usize) -> Result<(), QueryError> {
        let reached = self.level.saturating_add(levels);
        self.deepest = self.deepest.max(reached);
        if reached > DEPTH_MAX { Err(too_deep()) } else { Ok(()) }
    }

    /// Parses what counts only where it is used, and measures it.
    pub(super) fn definition<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<(T, Size), QueryError> {
        let (nodes, items, deepest) = (self.nodes, self.items, self.deepest);
        self.deepest = self.level;
        let parsed = parse(self)?;
        let size = Size { nodes: self.nodes - nodes, items: self.items - items, levels: self.deepest - self.level };
        (self.nodes, self.items, self.deepest) = (nodes, items, deepest);
        self.defined += size.nodes;
        if self.defined > DEFINED_NODES_MAX {
            let message = format!("the queries in WITH have more than {DEFINED_NODES_MAX} parts together");
            return Err(QueryError::whole(Code::UnsupportedSql, message).hint("leave out those that are not used"));
        }
        Ok((parsed, size))
    }

    /// Counts one use of a definition.
    pub(super) fn uses(&mut self, size: Size) -> Result<(), QueryError> {
        self.reach(size.levels)?;
        self.items(size.items)?;
        self.nodes(size.nodes)
    }
}

pub(super) fn too_deep() -> QueryError {
    QueryError::whole(Code::UnsupportedSql, format!("the query is nested more than {DEPTH_MAX} levels deep"))
}
