//! Queries for the rows of a union of answers, and the queries of WITH that each of them names.

use std::collections::HashSet;

use sqlparser::ast::{
    self, Ident, OrderByKind, SelectItem, SetExpr, Spanned, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins,
};

use super::columns::implied_name;
use super::find::{found, may_be_over_union};
use super::with::names_of;
use super::{answer, bare, flattened, is_bare, is_by_row, is_plain, item_of, select_of};
use crate::query::error::{QueryError, shown};
use crate::query::parse::nodes::{name, start, unsupported};
use crate::query::parse::survival;

/// Whether a query may ask for the rows of an answer, as far as that shows before names of WITH are replaced.
///
/// # Errors
/// Those of a survival curve.
pub(in crate::query::parse) fn may_be_by_row(query: &ast::Query) -> Result<bool, QueryError> {
    let Some(select) = select_of(query) else { return Ok(false) };
    let may_be = match &select.from[..] {
        [TableWithJoins { relation: TableFactor::Derived { .. }, .. }] => true,
        [TableWithJoins { relation: TableFactor::Table { .. }, .. }] => query.with.is_some(),
        _ => false,
    };
    Ok(may_be && is_by_row(select) && survival::rewritten(select)?.is_none() && may_be_over_union(query))
}

/// Whether a query has a row for each row of a query in its FROM.
pub(in crate::query::parse) fn is_rows_of(query: &ast::Query) -> bool {
    let is_derived =
        |from: &[TableWithJoins]| matches!(from, [TableWithJoins { relation: TableFactor::Derived { .. }, .. }]);
    let is_alone = query.with.is_none() && is_plain(query);
    is_alone && select_of(query).is_some_and(|select| is_derived(&select.from) && is_by_row(select))
}

/// Whether a query is an answer, or one over an answer. What is wrong with it is said when it is read.
pub(in crate::query::parse) fn is_answer(query: &ast::Query) -> bool {
    answer(query).map_or(true, |answer| answer.is_some()) || flattened(query).map_or(true, |flat| flat.is_some())
}

/// Whether a window stands in what a query selects, in its QUALIFY or in its order.
pub(in crate::query::parse) fn has_window(query: &ast::Query, select: &ast::Select) -> bool {
    let sorted = query.order_by.iter().flat_map(|order_by| match &order_by.kind {
        OrderByKind::Expressions(list) => list.iter().map(|one| &one.expr).collect(),
        OrderByKind::All(_) => Vec::new(),
    });
    select.qualify.is_some()
        || !select.named_window.is_empty()
        || select.projection.iter().filter_map(item_of).chain(sorted).any(|of| found(of).has_window)
}

/// Number of expressions in what a query selects and in its WHERE.
pub(in crate::query::parse) fn parts_of(select: &ast::Select) -> usize {
    select.projection.iter().filter_map(item_of).chain(&select.selection).map(|of| found(of).parts).sum()
}

/// The alias by which the rows of each answer of a union are named: its columns have the names that its own alias gives them, or those of its
/// first query.
pub(in crate::query::parse) fn alias_of(first: &ast::Query, alias: Option<&TableAlias>) -> TableAlias {
    let renamed = alias.map(|alias| alias.columns.clone()).unwrap_or_default();
    let own = names(first)
        .into_iter()
        .skip(renamed.len())
        .map(|name| TableAliasColumnDef { name: Ident::with_quote('"', name), data_type: None });
    let columns = renamed.iter().cloned().chain(own).collect();
    match alias {
        Some(alias) => TableAlias { columns, ..alias.clone() },
        None => TableAlias { explicit: true, name: Ident::new("answer"), columns, at: None },
    }
}

/// The names of the columns of a query.
fn names(query: &ast::Query) -> Vec<String> {
    let Some(select) = select_of(query) else { return Vec::new() };
    if let (
        [SelectItem::Wildcard(_)],
        [TableWithJoins { relation: TableFactor::Derived { subquery, alias, .. }, .. }],
    ) = (&select.projection[..], &select.from[..])
    {
        let columns = alias.iter().flat_map(|alias| &alias.columns).map(|column| name(&column.name).text);
        let renamed: Vec<String> = columns.collect();
        let own = names(subquery).into_iter().skip(renamed.len());
        return renamed.iter().cloned().chain(own).collect();
    }
    let one = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(name(alias).text),
        SelectItem::UnnamedExpr(expr) => implied_name(expr),
        SelectItem::ExprWithAliases { .. } | SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => None,
    };
    select.projection.iter().map(|item| one(item).unwrap_or_else(|| "?column?".to_owned())).collect()
}

/// Which queries of WITH each of several queries names, by their places. Those that none names stand with the first one, to be read as ever.
pub(in crate::query::parse) fn named_in(with: &ast::With, queries: &[ast::Query]) -> Vec<Vec<usize>> {
    let uses: Vec<HashSet<String>> = with.cte_tables.iter().map(|cte| names_of(&cte.query)).collect();
    let texts: Vec<String> = with.cte_tables.iter().map(|cte| name(&cte.alias.name).text).collect();
    let mut all: Vec<Vec<usize>> = Vec::with_capacity(queries.len());
    for query in queries {
        let (mut wanted, mut places) = (names_of(query), Vec::new());
        // A query of WITH names earlier ones alone.
        for place in (0..texts.len()).rev() {
            if wanted.contains(&texts[place]) {
                wanted.extend(uses[place].iter().cloned());
                places.push(place);
            }
        }
        places.reverse();
        all.push(places);
    }
    let unused: Vec<usize> =
        (0..texts.len()).filter(|place| !all.iter().any(|places| places.contains(place))).collect();
    if let Some(first) = all.first_mut() {
        first.extend(unused);
        first.sort_unstable();
    }
    all
}

/// A query with the queries of WITH at these places before its own.
///
/// # Errors
/// [`crate::query::error::Code::UnsupportedSql`] if it names one of its own like one of them.
pub(in crate::query::parse) fn with_names(
    with: &ast::With,
    places: &[usize],
    query: ast::Query,
) -> Result<ast::Query, QueryError> {
    if places.is_empty() {
        return Ok(query);
    }
    let mut cte_tables: Vec<ast::Cte> = places.iter().map(|place| with.cte_tables[*place].clone()).collect();
    let own = query.with.as_ref().map(|own| own.cte_tables.clone()).unwrap_or_default();
    for cte in &own {
        let text = name(&cte.alias.name).text;
        if cte_tables.iter().any(|known| name(&known.alias.name).text == text) {
            let message = format!("WITH names \"{}\" in the whole query and in a part of it", shown(&text));
            return Err(unsupported(start(cte.query.span()), message).hint("write another name for one of them"));
        }
    }
    let recursive = with.recursive || query.with.as_ref().is_some_and(|own| own.recursive);
    cte_tables.extend(own);
    Ok(ast::Query { with: Some(ast::With { cte_tables, recursive, ..with.clone() }), ..query })
}

/// Whether a member of FROM is a union whose first query is an answer.
pub(super) fn is_union(member: &TableFactor) -> bool {
    let TableFactor::Derived { subquery, .. } = member else { return false };
    let mut body = subquery.body.as_ref();
    let mut is_united = false;
    loop {
        match body {
            SetExpr::SetOperation { left, .. } => (body, is_united) = (left.as_ref(), true),
            SetExpr::Query(inner) if is_bare(inner) => body = inner.body.as_ref(),
            SetExpr::Select(_) => return is_united && is_answer(&bare(body.clone())),
            _ => return false,
        }
    }
}
