//! Parser of queries that make rows: those in FROM, in WITH, and inside of expressions.
//!
//! Promises that what these queries select is parsed as expressions in which aggregates and windows may stand, and that they never cut rows:
//! which rows LIMIT would keep depends on everybody's.

use sqlparser::ast::{
    self, Expr, LimitClause, ObjectNamePart, OrderByKind, OrderBySort, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetQuantifier, Spanned, WildcardAdditionalOptions,
};

use super::conditions::{condition, of_where};
use super::expressions::expression;
use super::groupings::keys;
use super::limits::Budget;
use super::listed;
use super::nodes::{absent, name, start, unsupported};
use super::scope::Allowed;
use super::select::{Clauses, clauses, ordinal, unlocked};
use super::sources::from;
use super::windows::definitions;
use super::with::with;
use crate::query::error::{Position, QueryError};
use crate::query::syntax::{
    Distinct, Expression, LiteralValue, Name, RowItem, RowOrder, RowValue, Rows, Scalar, Select, SetOperator,
};

/// Parses a query that makes rows.
pub(super) fn rows(query: &ast::Query, budget: &mut Budget) -> Result<Rows, QueryError> {
    self::query(query, false, budget)
}

/// Parses the query of EXISTS, whose rows may be cut: one is as good as many.
pub(super) fn existing(query: &ast::Query, budget: &mut Budget) -> Result<Rows, QueryError> {
    self::query(query, true, budget)
}

fn query(query: &ast::Query, is_existence: bool, budget: &mut Budget) -> Result<Rows, QueryError> {
    let at = start(query.span());
    let ast::Query {
        with: names,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    unlocked(locks, for_clause.as_ref(), at)?;
    absent(
        settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty(),
        at,
        "a clause after the query",
    )?;
    let is_whole = match limit_clause {
        None => true,
        Some(LimitClause::LimitOffset { limit, offset: None, limit_by }) if limit_by.is_empty() => match limit {
            None => true,
            Some(Expr::Value(value)) => is_existence && ordinal(&value.value).is_some_and(|count| count > 0),
            Some(_) => false,
        },
        Some(LimitClause::LimitOffset { .. } | LimitClause::OffsetCommaLimit { .. }) => false,
    };
    if !is_whole || fetch.is_some() {
        return Err(cut(at));
    }
    budget.inside(1, |budget| {
        budget.query(|budget| with(names.as_ref(), budget, |budget| self::body(body, order_by.as_ref(), at, budget)))
    })
}

/// The error for rows of people of which some would be left out.
fn cut(at: Position) -> QueryError {
    let message = "the rows of people cannot be cut by LIMIT, OFFSET or TOP: whose would stay depends on everybody's";
    unsupported(at, message)
}

fn body(
    body: &SetExpr,
    order_by: Option<&ast::OrderBy>,
    at: Position,
    budget: &mut Budget,
) -> Result<Rows, QueryError> {
    match body {
        SetExpr::Select(select) => Ok(Rows::Select(Box::new(self::select(select, order_by, at, budget)?))),
        SetExpr::Query(inner) => {
            // The order of the rows of a whole query has no meaning; it is parsed to say what is wrong in it.
            order(order_by, at, budget)?;
            rows(inner, budget)
        }
        SetExpr::SetOperation { left, op, set_quantifier, right } => {
            budget.node()?;
            order(order_by, at, budget)?;
            let all = match set_quantifier {
                SetQuantifier::All => true,
                SetQuantifier::Distinct | SetQuantifier::None => false,
                SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName => {
                    return Err(unsupported(at, "BY NAME is not supported")
                        .hint("write the columns of both sides in the same order: SELECT a, b …"));
                }
            };
            let operator = match op {
                ast::SetOperator::Union => SetOperator::Union,
                ast::SetOperator::Intersect => SetOperator::Intersect,
                ast::SetOperator::Except | ast::SetOperator::Minus => SetOperator::Except,
            };
            budget.inside(1, |budget| {
                let at = start(right.span());
                let left = Box::new(self::body(left, None, start(left.span()), budget)?);
                let right = Box::new(self::body(right, None, at, budget)?);
                Ok(Rows::Set { operator, all, left, right, at })
            })
        }
        SetExpr::Values(values) => {
            self::order(order_by, at, budget)?;
            listed::values(values, at, budget)
        }
        SetExpr::Table(_) => Err(unsupported(at, "TABLE is not supported").hint("write SELECT * FROM table")),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Err(unsupported(at, "only SELECT makes rows here"))
        }
    }
}

fn select(
    select: &ast::Select,
    order_by: Option<&ast::OrderBy>,
    at: Position,
    budget: &mut Budget,
) -> Result<Select, QueryError> {
    budget.node()?;
    let Clauses { distinct, projection, from, selection, group_by, having, named_window, qualify, top } =
        clauses(select, at)?;
    if top.is_some() {
        return Err(cut(at));
    }
    let from = self::from(from, at, budget)?;
    let windows = definitions(named_window, budget)?;
    let outside = std::mem::replace(&mut budget.scope.windows, windows);
    let items = projection.iter().map(|one| item(one, budget)).collect::<Result<Vec<_>, _>>()?;
    let condition = selection.map(|expr| of_where(expr, budget)).transpose()?;
    let (keys, sets) = keys(group_by, at, budget)?;
    absent(sets.is_some(), at, "a query in FROM with several groupings")?;
    let having = budget
        .allowing(Allowed::Aggregates, |budget| having.map(|expr| self::condition(expr, 0, budget)).transpose())?;
    let qualify =
        budget.allowing(Allowed::Windows, |budget| qualify.map(|expr| self::condition(expr, 0, budget)).transpose())?;
    let order = order(order_by, at, budget)?;
    budget.scope.windows = outside;
    let distinct = match distinct {
        None | Some(ast::Distinct::All) => Distinct::No,
        Some(ast::Distinct::Distinct) => Distinct::All,
        Some(ast::Distinct::On(exprs)) => {
            let one = |expr: &Expr| selected(expression(expr, 0, budget)?, &items);
            Distinct::On(exprs.iter().map(one).collect::<Result<_, _>>()?)
        }
    };
    let order = match &distinct {
        Distinct::No | Distinct::All => Vec::new(),
        Distinct::On(_) => {
            let one = |order: RowOrder| Ok(RowOrder { by: selected(order.by, &items)?, ..order });
            order.into_iter().map(one).collect::<Result<_, QueryError>>()?
        }
    };
    Ok(Select { from, distinct, items, condition, keys, having, qualify, order, at })
}

/// What a sort key stands for: the n-th item if it is a number, the item of that name if it is one, or itself.
fn selected(key: Expression, items: &[RowItem]) -> Result<Expression, QueryError> {
    let found = match &key.value {
        Scalar::Constant(value) => match place(value).and_then(|place| items.get(place)).map(|item| &item.value) {
            Some(RowValue::Expression(of)) => Some(of),
            Some(RowValue::Wildcard(_)) | None => {
                return Err(unsupported(key.at, "there is no selected item of this number"));
            }
        },
        Scalar::Column(Name { of: None, text, .. }) => {
            let named = items.iter().find(|item| item.alias.as_ref().is_some_and(|alias| alias.text == *text));
            named.and_then(|item| match &item.value {
                RowValue::Expression(of) => Some(of),
                RowValue::Wildcard(_) => None,
            })
        }
        _ => None,
    };
    Ok(found.cloned().unwrap_or(key))
}

/// Index of the item with a number.
fn place(number: &LiteralValue) -> Option<usize> {
    match number {
        LiteralValue::Number(text) => text.parse::<usize>().ok()?.checked_sub(1),
        LiteralValue::Text(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => None,
    }
}

fn item(item: &SelectItem, budget: &mut Budget) -> Result<RowItem, QueryError> {
    budget.node()?;
    let at = start(item.span());
    let mut of = |expr: &Expr| budget.allowing(Allowed::Windows, |budget| expression(expr, 0, budget));
    match item {
        SelectItem::UnnamedExpr(expr) => Ok(RowItem { value: RowValue::Expression(of(expr)?), alias: None, at }),
        SelectItem::ExprWithAlias { expr, alias } => {
            Ok(RowItem { value: RowValue::Expression(of(expr)?), alias: Some(name(alias)), at })
        }
        SelectItem::ExprWithAliases { .. } => Err(unsupported(at, "an item has one alias")),
        SelectItem::Wildcard(options) => {
            plain(options, at)?;
            Ok(RowItem { value: RowValue::Wildcard(None), alias: None, at })
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(object), options) => {
            plain(options, at)?;
            match &object.0[..] {
                [ObjectNamePart::Identifier(table)]
                | [ObjectNamePart::Identifier(_), ObjectNamePart::Identifier(table)] => {
                    Ok(RowItem { value: RowValue::Wildcard(Some(name(table))), alias: None, at })
                }
                _ => Err(unsupported(at, "a table's name is wanted before .*")),
            }
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
            Err(unsupported(at, "a table's name is wanted before .*"))
        }
    }
}

/// Refuses anything beside `*`.
pub(super) fn plain(options: &WildcardAdditionalOptions, at: Position) -> Result<(), QueryError> {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let is_plain = opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none();
    absent(!is_plain, at, "anything beside *")
        .map_err(|error| error.hint("write the names of the columns that are wanted: SELECT a, b FROM …"))
}

fn order(order_by: Option<&ast::OrderBy>, at: Position, budget: &mut Budget) -> Result<Vec<RowOrder>, QueryError> {
    let Some(ast::OrderBy { kind, interpolate }) = order_by else { return Ok(Vec::new()) };
    absent(interpolate.is_some(), at, "INTERPOLATE")?;
    let OrderByKind::Expressions(exprs) = kind else {
        return Err(
            unsupported(at, "ORDER BY ALL is not supported").hint("write the names of the columns: ORDER BY a, b")
        );
    };
    budget.allowing(Allowed::Windows, |budget| exprs.iter().map(|one| sort_key(one, budget)).collect())
}

/// Parses one key of an ORDER BY over rows.
pub(super) fn sort_key(order: &ast::OrderByExpr, budget: &mut Budget) -> Result<RowOrder, QueryError> {
    budget.node()?;
    let ast::OrderByExpr { expr, options, with_fill } = order;
    let at = start(expr.span());
    absent(with_fill.is_some(), at, "WITH FILL")?;
    let descending = match &options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return Err(unsupported(at, "ORDER BY … USING is not supported")),
    };
    let by = expression(expr, 0, budget)?;
    Ok(RowOrder { by, descending, nulls_first: options.nulls_first.unwrap_or(descending) })
}
