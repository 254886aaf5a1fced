//! Whole columns of one published statistic, which are served as they are: no database, and no copy but one.

use sqlparser::ast::{Expr, GroupByExpr, LimitClause, Query, Select, SelectItem, SetExpr, Statement, TableFactor};

use super::cells::size_of_row;
use super::from::relation_of;
use super::literals::ordinal;
use super::scope::folded;
use super::titles::parts;
use super::translate::Translated;
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::catalogue::relation::Source;
use crate::pgwire::table::{Column, Table};

/// The result of `SELECT columns FROM published.statistic`, perhaps with a LIMIT, and its size; `None` if the statement is another one, and
/// `Some(None)` if the result would take more than `bytes_max`.
pub(super) fn table(
    names: &Names,
    statement: &Statement,
    translated: &Translated,
    bytes_max: usize,
) -> Option<Option<(Table, usize)>> {
    let Statement::Query(query) = statement else { return None };
    let (select, limit) = plain(query)?;
    let [from] = select.from.as_slice() else { return None };
    let TableFactor::Table { name, alias, args: None, .. } = &from.relation else { return None };
    let is_renamed = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
    let relation = relation_of(names, &parts(name)).filter(|_| from.joins.is_empty() && !is_renamed)?;
    let Source::Published(table) = &relation.source else { return None };
    let mut places: Vec<usize> = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::Wildcard(_) => places.extend(0..table.columns.len()),
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                let name = match expr {
                    Expr::Identifier(name) => folded(name),
                    Expr::CompoundIdentifier(names) => folded(names.last()?),
                    _ => return None,
                };
                places.push(table.columns.iter().position(|column| column.name == name)?);
            }
            _ => return None,
        }
    }
    let columns = translated.columns.iter().map(|(name, kind)| Column { name: name.clone(), of: kind.sent() });
    let mut bytes = 0_usize;
    for row in table.rows.iter().take(limit) {
        bytes = bytes.saturating_add(size_of_row(places.iter().filter_map(|place| row.get(*place))));
        if bytes > bytes_max {
            return Some(None);
        }
    }
    let rows = table.rows.iter().take(limit);
    let rows = rows.map(|row| places.iter().filter_map(|place| row.get(*place).cloned()).collect());
    Some(Some((Table { columns: columns.collect(), rows: rows.collect() }, bytes)))
}

/// The SELECT of a query that has nothing else, and the number of rows that it may have.
fn plain(query: &Query) -> Option<(&Select, usize)> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let limit = match &query.limit_clause {
        None => usize::MAX,
        Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, .. }) => ordinal(limit)?,
        Some(_) => return None,
    };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let is_plain = query.with.is_none()
        && query.order_by.is_none()
        && query.fetch.is_none()
        && select.distinct.is_none()
        && select.selection.is_none()
        && select.having.is_none()
        && !is_grouped;
    is_plain.then_some((select.as_ref(), limit))
}
