//! Parser of questions that are put together: `UNION ALL` of answers, a query that asks for the rows of such a union, and totals of different
//! tables in one row.
//!
//! Promises that each of the questions is read as it would be by itself, with the queries of `WITH` that it names; that there are at most
//! [`ARMS_MAX`] of them; and that a query over a union is asked of each of its answers, which means the same where each row is looked at by
//! itself.

use std::ops::Range;

use sqlparser::ast::{
    self, Distinct, Expr, GroupByExpr, Ident, SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, TableAlias,
    TableFactor, TableWithJoins,
};

use super::limits::{Budget, NODES_MAX};
use super::nodes::{absent, name, start, unsupported};
use super::outputs::output;
use super::over_answer;
use super::select::{clauses, ending, plain_query, unlocked};
use super::totals;
use crate::query::error::{Position, QueryError};
use crate::query::syntax::{BesideItem, Item, ItemValue, Query, Together};

/// Largest number of questions that are put together.
pub(super) const ARMS_MAX: usize = 128;
/// Largest number of uses of queries of a WITH in FROM, whose copies are all made at once.
const USES_MAX: usize = 64;
/// Largest number of expressions in all copies of a query for the rows of a union, one for each of its answers.
const COPIED_MAX: usize = 16 * NODES_MAX;

/// The queries of a union, and the ranges of those among which `UNION` stands without ALL.
#[derive(Default)]
struct MemberQueries {
    arms: Vec<ast::Query>,
    distinct: Vec<Range<usize>>,
    /// Whether one of them is no answer, where they stand in FROM.
    has_rows: bool,
}

/// Parses a query that puts questions together; `None` if it is any other one.
///
/// # Errors
/// Those of the questions, and [`crate::query::error::Code::UnsupportedSql`] for what is not put together.
pub(super) fn together(query: &ast::Query, budget: &mut Budget) -> Result<Option<Query>, QueryError> {
    let at = start(query.span());
    if let Some(body) = set_operation(query) {
        let mut union = MemberQueries::default();
        add(body, &mut union)?;
        return united(query, union, at, budget).map(Some);
    }
    if let Some((query, union)) = over_union(query)? {
        return united(&query, union, at, budget).map(Some);
    }
    match beside(query)? {
        Some(row) => in_one_row(query, row, at, budget).map(Some),
        None => Ok(None),
    }
}

/// The body of a query that is a UNION or its like, in plain parentheses or none.
fn set_operation(query: &ast::Query) -> Option<&SetExpr> {
    match query.body.as_ref() {
        body @ SetExpr::SetOperation { .. } => Some(body),
        SetExpr::Query(inner) if over_answer::is_bare(inner) && inner.with.is_none() => set_operation(inner),
        _ => None,
    }
}

/// Adds the queries of a body, from left to right.
fn add(body: &SetExpr, union: &mut MemberQueries) -> Result<(), QueryError> {
    let at = start(body.span());
    // A chain of unions is as deep on its left as it has members.
    let (mut rights, mut first) = (Vec::new(), body);
    while let SetExpr::SetOperation { left, op, set_quantifier, right } = first {
        let is_all = match (op, set_quantifier) {
            (SetOperator::Union, SetQuantifier::All) => true,
            (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => false,
            (SetOperator::Union, _) => return Err(unsupported(at, "UNION … BY NAME is not SQL of PostgreSQL")),
            (SetOperator::Intersect | SetOperator::Except | SetOperator::Minus, _) => {
                return Err(unsupported(
                    at,
                    "INTERSECT and EXCEPT compare rows, and the noisy rows of two answers are not equal even where the true ones are",
                )
                .hint("ask one question at a time"));
            }
        };
        rights.push((is_all, right.as_ref()));
        first = left.as_ref();
    }
    let begin = union.arms.len();
    add_member(first, union)?;
    for (is_all, right) in rights.into_iter().rev() {
        add_member(right, union)?;
        if !is_all {
            union.distinct.push(begin..union.arms.len());
        }
    }
    Ok(())
}

/// Adds a member of a union: one query, or those of a union in parentheses without an order or a limit of its own.
fn add_member(body: &SetExpr, union: &mut MemberQueries) -> Result<(), QueryError> {
    let query = match body {
        SetExpr::SetOperation { .. } => return add(body, union),
        SetExpr::Query(inner) => {
            match set_operation(inner).filter(|_| over_answer::is_bare(inner) && inner.with.is_none()) {
                Some(inner) => return add(inner, union),
                None => inner.as_ref().clone(),
            }
        }
        SetExpr::Select(_) => over_answer::bare(body.clone()),
        _ => return Err(unsupported(start(body.span()), "a UNION of answers puts queries together")),
    };
    if union.arms.len() == ARMS_MAX {
        let message = format!("a UNION of more than {ARMS_MAX} queries");
        return Err(unsupported(start(query.span()), message).hint("ask several questions"));
    }
    union.arms.push(query);
    Ok(())
}

/// Parses the queries of a union, with what stands behind them all.
fn united(query: &ast::Query, union: MemberQueries, at: Position, budget: &mut Budget) -> Result<Query, QueryError> {
    let MemberQueries { arms, distinct, has_rows: _ } = union;
    let arms = read(query, arms, budget)?;
    let (order, limit, offset) = ending(query, at, budget)?;
    let first = arms.first().cloned().ok_or_else(|| unsupported(at, "nothing is put together"))?;
    let together = Some(Together::Union { arms, distinct });
    Ok(Query { over_groups: None, items: Vec::new(), order, limit, offset, together, is_member: false, ..first })
}

/// Parses the queries that are put together, each with the queries of WITH that it names. Those that none names are read with the first one.
fn read(query: &ast::Query, arms: Vec<ast::Query>, budget: &mut Budget) -> Result<Vec<Query>, QueryError> {
    let ast::Query { with, locks, for_clause, settings, format_clause, pipe_operators, .. } = query;
    let at = start(query.span());
    unlocked(locks, for_clause.as_ref(), at)?;
    absent(
        settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty(),
        at,
        "a clause after the query",
    )?;
    let named = with.as_ref().map(|with| over_answer::named_in(with, &arms)).unwrap_or_default();
    let mut read = Vec::with_capacity(arms.len());
    for (place, arm) in arms.into_iter().enumerate() {
        let arm = match (with, named.get(place)) {
            (Some(with), Some(names)) => over_answer::with_names(with, names, arm)?,
            (None, _) | (_, None) => arm,
        };
        read.push(budget.inside(1, |budget| plain_query(&arm, budget))?.as_member());
    }
    Ok(read)
}

/// The members of a union in FROM, each with the queries of WITH that it names.
fn with_names(with: Option<&ast::With>, arms: Vec<ast::Query>) -> Result<Vec<ast::Query>, QueryError> {
    let Some(with) = with else { return Ok(arms) };
    let named = over_answer::named_in(with, &arms);
    if named.iter().map(Vec::len).sum::<usize>() > USES_MAX {
        let message = format!("the queries of a UNION in FROM use those of its WITH more than {USES_MAX} times");
        return Err(unsupported(start(arms[0].span()), message));
    }
    arms.into_iter().zip(named).map(|(arm, names)| over_answer::with_names(with, &names, arm)).collect()
}

/// A query for the rows of a union of answers, as the union of the same query for the rows of each; `None` for any other query.
fn over_union(query: &ast::Query) -> Result<Option<(ast::Query, MemberQueries)>, QueryError> {
    if !over_answer::may_be_by_row(query)? {
        return Ok(None);
    }
    let Some(resolved) = over_answer::resolved(query) else { return Ok(None) };
    let mut union = MemberQueries::default();
    let Some(rest) = rows_of_union(&resolved, &mut union)? else { return Ok(None) };
    Ok(Some((rest, union)))
}

/// Adds the queries for the rows of each answer of a union. What is returned is the query around them, for its order and limit.
fn rows_of_union(query: &ast::Query, union: &mut MemberQueries) -> Result<Option<ast::Query>, QueryError> {
    let Some(select) = over_answer::select_of(query) else { return Ok(None) };
    let [TableWithJoins { relation, joins }] = &select.from[..] else { return Ok(None) };
    let TableFactor::Derived { lateral: false, subquery, alias, sample: None } = relation else { return Ok(None) };
    let mut inner = MemberQueries::default();
    let inner_query = match set_operation(subquery) {
        Some(body) => {
            add_nested(body, subquery.with.as_ref(), &mut inner)?;
            Some(subquery.as_ref().clone())
        }
        None if over_answer::is_rows_of(subquery) => rows_of_union(subquery, &mut inner)?,
        None => None,
    };
    let Some(inner_query) = inner_query.filter(over_answer::is_plain) else { return Ok(None) };
    if inner.arms.is_empty() || inner.has_rows {
        return Ok(None);
    }
    let at = start(query.span());
    if !inner.distinct.is_empty() {
        let message = "a query for the rows of a UNION is asked of each of its answers, so that it cannot know which rows are equal";
        return Err(unsupported(at, message).hint("write UNION ALL"));
    }
    if !joins.is_empty() || !over_answer::is_by_row(select) {
        return Ok(None);
    }
    check_alone(query, select, at)?;
    let is_whole = matches!(&select.projection[..], [SelectItem::Wildcard(_)]) && select.selection.is_none();
    let rest = behind(query, &inner_query, is_whole, at)?;
    if over_answer::parts_of(select).saturating_mul(inner.arms.len()) > COPIED_MAX {
        let message = format!("written out for each query of the UNION, this has more than {COPIED_MAX} parts");
        return Err(unsupported(at, message));
    }
    let alias = over_answer::alias_of(&inner.arms[0], alias.as_ref());
    for arm in inner.arms {
        if union.arms.len() == ARMS_MAX {
            return Err(
                unsupported(at, format!("a UNION of more than {ARMS_MAX} queries")).hint("ask several questions")
            );
        }
        union.arms.push(asked_of(select, arm, alias.clone()));
    }
    Ok(Some(rest))
}

/// Adds the members of a union in FROM; a member that asks for the rows of another union stands for those of each of its answers.
fn add_nested(body: &SetExpr, with: Option<&ast::With>, union: &mut MemberQueries) -> Result<(), QueryError> {
    let mut members = MemberQueries::default();
    add(body, &mut members)?;
    members.arms = with_names(with, members.arms)?;
    let is_single = members.distinct.is_empty();
    for member in members.arms {
        if is_single && over_answer::is_rows_of(&member) && rows_of_union(&member, union)?.is_some() {
            continue;
        }
        union.has_rows |= !over_answer::is_answer(&member);
        union.arms.push(member);
    }
    union.distinct.extend(members.distinct);
    Ok(())
}

/// Checks that a query looks at each row of a union by itself.
fn check_alone(query: &ast::Query, select: &ast::Select, at: Position) -> Result<(), QueryError> {
    if over_answer::has_window(query, select) {
        return Err(unsupported(at, "a window over the rows of a UNION of answers is not built"));
    }
    if matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
        return Err(unsupported(at, "SELECT DISTINCT over the rows of a UNION of answers is not built"));
    }
    Ok(())
}

/// The order and the limit of a query over a union.
fn behind(query: &ast::Query, inner: &ast::Query, is_whole: bool, at: Position) -> Result<ast::Query, QueryError> {
    let is_cut = |query: &ast::Query| query.limit_clause.is_some() || query.fetch.is_some();
    let is_plain = is_whole && query.order_by.is_none() && !is_cut(query);
    if is_cut(inner) && !is_plain {
        return Err(unsupported(
            at,
            "the query in FROM has a LIMIT, and what it leaves is filtered, sorted or computed with again, which is not built",
        ));
    }
    let from = if is_plain { inner } else { query };
    Ok(ast::Query {
        order_by: from.order_by.clone(),
        limit_clause: from.limit_clause.clone(),
        fetch: from.fetch.clone(),
        ..query.clone()
    })
}

/// A query for the rows of one answer of a union.
fn asked_of(select: &ast::Select, arm: ast::Query, alias: TableAlias) -> ast::Query {
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(arm), alias: Some(alias), sample: None };
    let from = vec![TableWithJoins { relation, joins: Vec::new() }];
    over_answer::bare(SetExpr::Select(Box::new(ast::Select { from, ..select.clone() })))
}

/// Totals of different tables in one row.
#[derive(Default)]
struct Beside {
    /// The questions, each of a single row, and their texts as queries in parentheses.
    arms: Vec<ast::Select>,
    texts: Vec<String>,
    items: Vec<MadeOf>,
}

/// What an item of the row is made of.
#[expect(clippy::large_enum_variant, reason = "a row has few of them")]
enum MadeOf {
    /// Everything that a question selects, by its place.
    Answer(usize),
    /// An expression in which queries in parentheses stand for the values of questions.
    Values(Expr, Option<Ident>),
}

impl Beside {
    /// The place of a question that has but this value; it is added if it is new.
    fn place(&mut self, query: &ast::Query, select: ast::Select) -> usize {
        let text = query.to_string();
        self.texts.iter().position(|known| *known == text).unwrap_or_else(|| self.add(text, select))
    }

    fn add(&mut self, text: String, select: ast::Select) -> usize {
        self.texts.push(text);
        self.arms.push(select);
        self.arms.len() - 1
    }
}

/// The questions whose single rows stand side by side in that of a SELECT without FROM, because they are totals of different tables; `None` if
/// they all are of one.
fn beside(query: &ast::Query) -> Result<Option<Beside>, QueryError> {
    let Some(select) = over_answer::select_of(query).filter(|select| totals::read_several(select)) else {
        return Ok(None);
    };
    let at = start(query.span());
    let rest = clauses(select, at)?;
    let is_grouped =
        !matches!(rest.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    let has_more = rest.having.is_some() || rest.qualify.is_some() || rest.top.is_some() || rest.distinct.is_some();
    absent(is_grouped || has_more || !rest.named_window.is_empty(), at, "a clause beside totals of several tables")?;
    let mut row = Beside::default();
    let mut constants = Vec::new();
    for item in &select.projection {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.clone())),
            _ => return Ok(None),
        };
        let Some(mut values) = totals::single_rows(expr) else { return Ok(None) };
        match (expr, values.pop()) {
            // Constants stand with the total behind them.
            (_, None) => constants.push(item.clone()),
            (Expr::Subquery(_), Some((_, mut own))) => {
                if let (Some(alias), [SelectItem::UnnamedExpr(one) | SelectItem::ExprWithAlias { expr: one, .. }]) =
                    (alias, &own.projection[..])
                {
                    own.projection = vec![SelectItem::ExprWithAlias { expr: one.clone(), alias }];
                }
                own.projection.splice(..0, std::mem::take(&mut constants));
                let place = row.add(String::new(), own);
                row.items.push(MadeOf::Answer(place));
            }
            (_, Some(last)) => {
                for (query, own) in values.into_iter().chain([last]) {
                    row.place(&query, own);
                }
                row.items.push(MadeOf::Values(expr.clone(), alias));
            }
        }
    }
    // Those at the end stand with the total before them.
    match row.items.last() {
        Some(MadeOf::Answer(place)) => row.arms[*place].projection.append(&mut constants),
        Some(MadeOf::Values(..)) | None if constants.is_empty() => {}
        Some(MadeOf::Values(..)) | None => {
            let message = "a constant behind what is computed from several tables is not built";
            return Err(unsupported(start(query.span()), message));
        }
    }
    Ok(Some(row))
}

fn in_one_row(query: &ast::Query, row: Beside, at: Position, budget: &mut Budget) -> Result<Query, QueryError> {
    let is_ended = query.order_by.is_some() || query.limit_clause.is_some() || query.fetch.is_some();
    absent(is_ended, at, "ORDER BY or LIMIT of a single row")?;
    let bare = |select| over_answer::bare(SetExpr::Select(Box::new(select)));
    let arms = read(query, row.arms.into_iter().map(bare).collect(), budget)?;
    budget.values = row.texts;
    let item = |of: MadeOf| match of {
        MadeOf::Answer(place) => Ok(BesideItem::Answer(place)),
        MadeOf::Values(expr, alias) => {
            let value = ItemValue::Output(output(&expr, 0, false, budget)?);
            let alias = alias.as_ref().map(name);
            Ok(BesideItem::Made(Item { value, alias, at: start(expr.span()) }))
        }
    };
    let items = row.items.into_iter().map(item).collect::<Result<_, QueryError>>()?;
    budget.values = Vec::new();
    let first = arms.first().cloned().ok_or_else(|| unsupported(at, "nothing is put together"))?;
    let together = Some(Together::Beside { arms, items });
    Ok(Query { over_groups: None, items: Vec::new(), together, is_member: false, ..first })
}
