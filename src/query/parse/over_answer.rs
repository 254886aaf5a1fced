//! Questions over an answer: a SELECT whose FROM is a query that is itself an answer, with a row for each group.
//!
//! Promises one SELECT that asks the same and nothing more is measured for, or no change: the outer query's names are replaced by what they
//! stand for in the inner query, its WHERE becomes a condition on the noisy groups, and its ORDER BY and LIMIT have the last word. Whatever
//! cannot be written so without asking something else is refused. Which queries are answers shows in their text: they aggregate or group,
//! and the query around them does neither.

mod aggregated;
mod columns;
mod find;
mod joined;
mod union;
mod with;

use sqlparser::ast::{
    self, BinaryOperator, Distinct, Expr, GroupByExpr, LimitClause, OrderByKind, SelectItem, SetExpr, Spanned,
    TableFactor, TableWithJoins, UnaryOperator, Value, ValueWithSpan,
};

pub(super) use self::aggregated::aggregated;
use self::columns::{AnswerColumns, implied_name, sorted};
use self::find::{found, is_grouping_sets, may_be_over_answer};
pub(super) use self::union::{
    alias_of, has_window, is_answer, is_rows_of, may_be_by_row, named_in, parts_of, with_names,
};
pub(super) use self::with::resolved;
use super::having::having;
use super::limits::Budget;
use super::nodes::{name, start, unsupported};
use super::select::clauses;
use super::survival;
use crate::query::error::QueryError;

/// A query over an answer as one SELECT.
pub(super) struct OverAnswer {
    pub(super) query: ast::Query,
    /// The condition on its rows that is applied after its windows.
    pub(super) after: Option<Expr>,
}

/// The query as one SELECT, if it is a query over an answer; `None` for any other query.
///
/// # Errors
/// [`crate::query::error::Code::UnsupportedSql`] for what one SELECT cannot ask, and [`crate::query::error::Code::UnknownColumn`] for names
/// that the inner query does not select.
pub(super) fn flattened(query: &ast::Query) -> Result<Option<OverAnswer>, QueryError> {
    let Some(select) = select_of(query) else { return Ok(None) };
    let Some(TableWithJoins { relation, .. }) = select.from.first() else { return Ok(None) };
    let may_be = match relation {
        TableFactor::Derived { .. } => true,
        TableFactor::Table { .. } => query.with.is_some(),
        _ => false,
    };
    // A survival curve has a row for each time, and is one of the rows in FROM.
    if !may_be || !is_by_row(select) || survival::rewritten(select)?.is_some() || !may_be_over_answer(query) {
        return Ok(None);
    }
    match with::resolved(query) {
        Some(resolved) => inlined(&resolved),
        None => Ok(None),
    }
}

/// The SELECT of a query, which may stand in plain parentheses.
pub(super) fn select_of(query: &ast::Query) -> Option<&ast::Select> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(inner) if is_bare(inner) && inner.with.is_none() => select_of(inner),
        _ => None,
    }
}

/// A query that has nothing but its body.
pub(super) fn bare(body: SetExpr) -> ast::Query {
    ast::Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// Whether a query has nothing behind its body.
pub(super) fn is_bare(query: &ast::Query) -> bool {
    is_plain(query) && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none()
}

/// Whether a query has no clause that is refused anyway.
pub(super) fn is_plain(query: &ast::Query) -> bool {
    query.locks.is_empty()
        && query.for_clause.is_none()
        && query.settings.is_none()
        && query.format_clause.is_none()
        && query.pipe_operators.is_empty()
}

/// A query that is an answer, with what stands behind its SELECT.
struct Answer {
    select: ast::Select,
    query: ast::Query,
}

/// Reads a query as an answer; `None` if it neither aggregates nor groups.
fn answer(query: &ast::Query) -> Result<Option<Answer>, QueryError> {
    let (Some(select), true) = (select_of(query), is_plain(query)) else { return Ok(None) };
    let mut select = match survival::rewritten(select)? {
        Some(rewritten) => rewritten,
        None => select.clone(),
    };
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return Ok(None) };
    if !modifiers.is_empty() {
        return Ok(None);
    }
    let parts = select.projection.iter().filter_map(item_of).chain(&select.having);
    let has_aggregate = parts.map(found).any(|found| found.has_aggregate);
    match (&select.distinct, keys.is_empty() && !has_aggregate) {
        // A list of keys is grouped by them.
        (Some(Distinct::Distinct), true) => {
            let Some(keys) = select.projection.iter().map(item_of).collect::<Option<Vec<_>>>() else { return Ok(None) };
            select.group_by = GroupByExpr::Expressions(keys.into_iter().cloned().collect(), Vec::new());
            select.distinct = None;
        }
        (_, true) => return Ok(None),
        (None | Some(Distinct::All | Distinct::Distinct), false) => {}
        (Some(Distinct::On(_)), false) => return Ok(None),
    }
    Ok(Some(Answer { select, query: query.clone() }))
}

/// The expression of a selected item; `None` for `*`.
fn item_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        SelectItem::ExprWithAliases { .. } | SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => None,
    }
}

/// Whether a SELECT neither aggregates nor groups by itself, so that it has a row for each row of its FROM.
pub(super) fn is_by_row(select: &ast::Select) -> bool {
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    let mut parts = select.projection.iter().filter_map(item_of);
    !is_grouped
        && select.having.is_none()
        && !matches!(select.distinct, Some(Distinct::On(_)))
        && !parts.any(|part| found(part).has_aggregate)
}

fn inlined(query: &ast::Query) -> Result<Option<OverAnswer>, QueryError> {
    let (Some(outer), true) = (select_of(query), is_plain(query)) else { return Ok(None) };
    if !is_by_row(outer) {
        return Ok(None);
    }
    let Some((answer, columns, after, inner_with)) = joined::joined(outer)? else { return Ok(None) };
    let with = match (&query.with, inner_with) {
        (Some(_), Some(_)) => return Ok(None),
        (one, other) => one.clone().or(other),
    };
    let flat = merged(query, outer, &answer, columns, after)?;
    Ok(Some(OverAnswer { query: ast::Query { with, ..flat.query }, ..flat }))
}

/// Both queries as one.
fn merged(
    query: &ast::Query,
    outer: &ast::Select,
    answer: &Answer,
    mut columns: AnswerColumns,
    after: Option<Expr>,
) -> Result<OverAnswer, QueryError> {
    let at = start(query.span());
    let Answer { select: inner, query: inner_query } = answer;
    // What PostgreSQL does not have is refused here for the inner query, and later for the outer one.
    clauses(inner, at)?;
    if !inner.named_window.is_empty() {
        return Err(unsupported(at, "a window with a name is not supported in a query over which another one asks"));
    }
    let keys = columns.keys(inner);
    let projection = columns.items(outer)?;
    let condition = outer.selection.clone().map(|condition| columns.substituted(condition)).transpose()?;
    let qualify = outer.qualify.clone().map(|condition| columns.substituted(condition)).transpose()?;
    let has_windows = columns.has_windows();
    let inner_qualify = inner.qualify.clone().map(|condition| columns.having(condition, &keys)).transpose()?;
    let after = inner_qualify.into_iter().chain(after).reduce(both);
    // Windows of the outer query run over the rows that its condition leaves, those of the inner one over all of them.
    let is_windowed =
        qualify.is_some() || outer.projection.iter().filter_map(item_of).any(|item| found(item).has_window);
    if is_windowed && (after.is_some() || (condition.is_some() && has_windows)) {
        return Err(unsupported(
            at,
            "a window would run over the rows that a condition leaves after other windows, which is not built",
        ));
    }
    if inner.distinct.as_ref().is_some_and(|distinct| *distinct == Distinct::Distinct) && !columns.shows(&keys) {
        return Err(unsupported(at, "SELECT DISTINCT over groups whose keys are not all selected is not supported"));
    }
    let order_by = order(query, inner_query, &projection, &mut columns)?;
    let is_refined = condition.is_some() || is_windowed || outer.distinct.is_some() || query.order_by.is_some();
    let (limit_clause, fetch) = limit(query, inner_query, is_refined)?;
    let mut select = ast::Select {
        from: inner.from.clone(),
        selection: inner.selection.clone(),
        having: inner.having.clone().map(|condition| columns.having(condition, &keys)).transpose()?,
        group_by: GroupByExpr::Expressions(keys, Vec::new()),
        qualify: None,
        projection,
        ..outer.clone()
    };
    let after = match (condition, after) {
        (None, after) => after,
        (Some(condition), None) if !has_windows => {
            restrict(&mut select, condition);
            None
        }
        (Some(condition), None) => Some(condition),
        (Some(condition), Some(before)) => Some(both(before, condition)),
    };
    let after = after.into_iter().chain(qualify).reduce(both);
    let body = Box::new(SetExpr::Select(Box::new(select)));
    let query = ast::Query { body, order_by, limit_clause, fetch, ..query.clone() };
    Ok(OverAnswer { query, after })
}

/// Adds the condition of the outer query: on the noisy groups, and on rows where only rows can be asked for it, as every row of a group has
/// its keys.
fn restrict(select: &mut ast::Select, condition: Expr) {
    let is_of_rows = |select: &ast::Select, condition: &Expr| {
        let GroupByExpr::Expressions(keys, _) = &select.group_by else { return false };
        let mut parts = select.projection.iter().filter_map(item_of);
        let found_in = found(condition);
        !found_in.has_aggregate
            && !found_in.has_window
            && !found_in.has_query
            && !keys.is_empty()
            && !keys.iter().any(is_grouping_sets)
            && !parts.any(|part| found(part).has_window || found(part).has_query)
            && !(is_of_keys(condition, keys) && having(condition, 0, true, &mut Budget::default()).is_ok())
    };
    for part in conjuncts(condition) {
        let place = match is_of_rows(select, &part) {
            true => &mut select.selection,
            false => &mut select.having,
        };
        *place = Some(match place.take() {
            None => part,
            Some(before) => both(before, part),
        });
    }
}

/// Whether a condition compares keys with constants, which can be asked of groups; what else is made of keys can be asked of rows alone.
fn is_of_keys(condition: &Expr, keys: &[Expr]) -> bool {
    let of = |one: &Expr| is_of_keys(one, keys);
    match condition {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::IsNull(one) | Expr::IsNotNull(one) => of(one),
        Expr::Nested(one) => keys.contains(one) || of(one),
        Expr::UnaryOp { op: UnaryOperator::Not | UnaryOperator::Minus | UnaryOperator::Plus, expr } => of(expr),
        Expr::InList { expr, list, .. } => of(expr) && list.iter().all(of),
        Expr::Between { expr, low, high, .. } => of(expr) && of(low) && of(high),
        Expr::BinaryOp { left, op, right } => {
            let is_known = matches!(
                op,
                BinaryOperator::And
                    | BinaryOperator::Or
                    | BinaryOperator::Eq
                    | BinaryOperator::NotEq
                    | BinaryOperator::Lt
                    | BinaryOperator::LtEq
                    | BinaryOperator::Gt
                    | BinaryOperator::GtEq
            );
            is_known && of(left) && of(right)
        }
        other => keys.contains(other),
    }
}

/// The parts of a conjunction.
fn conjuncts(condition: Expr) -> Vec<Expr> {
    let (mut parts, mut open) = (Vec::new(), vec![condition]);
    while let Some(one) = open.pop() {
        match one {
            Expr::Nested(inner) if matches!(*inner, Expr::BinaryOp { op: BinaryOperator::And, .. }) => {
                open.push(*inner)
            }
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([*right, *left]),
            other => parts.push(other),
        }
    }
    parts
}

fn both(left: Expr, right: Expr) -> Expr {
    let nested = |side: Expr| match side {
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => Box::new(Expr::Nested(Box::new(side))),
        other => Box::new(other),
    };
    Expr::BinaryOp { left: nested(left), op: BinaryOperator::And, right: nested(right) }
}

/// ORDER BY of the outer query, or else of the inner one, in names of the inner query's FROM.
fn order(
    query: &ast::Query,
    inner: &ast::Query,
    projection: &[SelectItem],
    columns: &mut AnswerColumns,
) -> Result<Option<ast::OrderBy>, QueryError> {
    let shown: Vec<String> = projection.iter().filter_map(shown_name).collect();
    let (mut order_by, is_outer) = match (&query.order_by, &inner.order_by) {
        (Some(outer), _) => (outer.clone(), true),
        (None, Some(inner)) => (inner.clone(), false),
        (None, None) => return Ok(None),
    };
    let OrderByKind::Expressions(list) = &mut order_by.kind else { return Ok(Some(order_by)) };
    for one in list {
        let expr = one.expr.clone();
        one.expr = match expr {
            Expr::Value(_) | Expr::Identifier(_) if !is_outer => columns.inner_order(expr)?,
            Expr::Value(_) => expr,
            Expr::Identifier(ident) if is_outer && shown.contains(&name(&ident).text) => Expr::Identifier(ident),
            expr if is_outer => sorted(columns.substituted(expr)?),
            expr => expr,
        };
    }
    Ok(Some(order_by))
}

/// Name of an item of the answer.
fn shown_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(name(alias).text),
        SelectItem::UnnamedExpr(expr) => implied_name(expr),
        SelectItem::ExprWithAliases { .. } | SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => None,
    }
}

/// LIMIT and FETCH of both queries.
fn limit(
    outer: &ast::Query,
    inner: &ast::Query,
    is_refined: bool,
) -> Result<(Option<LimitClause>, Option<ast::Fetch>), QueryError> {
    let is_cut = |query: &ast::Query| query.limit_clause.is_some() || query.fetch.is_some();
    if !is_cut(inner) {
        return Ok((outer.limit_clause.clone(), outer.fetch.clone()));
    }
    if !is_refined && !is_cut(outer) {
        return Ok((inner.limit_clause.clone(), inner.fetch.clone()));
    }
    match (is_refined, first_rows(outer), first_rows(inner)) {
        (false, Some(outer_rows), Some(inner_rows)) if outer_rows <= inner_rows => {
            Ok((outer.limit_clause.clone(), None))
        }
        (false, Some(_), Some(_)) => Ok((inner.limit_clause.clone(), None)),
        _ => Err(unsupported(
            start(outer.span()),
            "the query in FROM has a LIMIT, and what it leaves is filtered, sorted or computed with again, which is not built",
        )),
    }
}

/// The number in `LIMIT n` alone.
fn first_rows(query: &ast::Query) -> Option<u64> {
    let (Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by }), None) =
        (&query.limit_clause, &query.fetch)
    else {
        return None;
    };
    match limit {
        Expr::Value(ValueWithSpan { value: Value::Number(text, _), .. }) if limit_by.is_empty() => text.parse().ok(),
        _ => None,
    }
}
