//! Parser of totals: queries in parentheses beside aggregates, which are aggregates over the same table.
//!
//! Promises that a total is computed from what is measured anyway, or measured as an aggregate of the question: a sum over all groups, or,
//! without groups, the aggregate itself. Another WHERE is a FILTER, where the question has none.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Function, FunctionArguments, GroupByExpr, SelectItem, SetExpr, Spanned, Visit, Visitor,
};

use super::after::has_aggregate;
use super::copies::Copies;
use super::limits::Budget;
use super::nodes::{start, unsupported};
use super::outputs::{is_aggregate, output};
use super::outside::outside;
use super::select::clauses;
use crate::query::error::{Position, QueryError};
use crate::query::syntax::{GroupFunction, GroupWindowCall, Name, OutputExpression};

/// The SELECT of a query that has a single row: one item, and no groups.
fn single(query: &ast::Query) -> Option<(&ast::Select, &Expr)> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let is_plain = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.having.is_none()
        && select.distinct.is_none()
        && matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    match &select.projection[..] {
        [SelectItem::UnnamedExpr(one) | SelectItem::ExprWithAlias { expr: one, .. }]
            if is_plain && has_aggregate(one) =>
        {
            Some((select, one))
        }
        _ => None,
    }
}

/// Parses a query in parentheses as a total.
pub(super) fn total(query: &ast::Query, at: Position, budget: &mut Budget) -> Result<OutputExpression, QueryError> {
    let refused = || {
        unsupported(
            at,
            "a query in parentheses is accepted here as a total: aggregates of the table that the question reads, under its WHERE or beside none",
        )
    };
    if let Some(place) = budget.values.iter().position(|known| *known == query.to_string()) {
        return Ok(OutputExpression::Named(Name { of: None, text: format!("#{place}"), at }));
    }
    let (select, one) = single(query).ok_or_else(refused)?;
    let has_more = !select.named_window.is_empty() || clauses(select, at)?.qualify.is_some();
    let rows = budget.rows_of(select).filter(|_| !has_more).ok_or_else(refused)?;
    let mut of = one.clone();
    if let Some(condition) = &rows.filter {
        filter(&mut of, condition)?;
    }
    if !rows.is_grouped {
        return output(&of, 0, false, budget);
    }
    let Expr::Function(call) = one else { return Err(over_groups(at)) };
    let is_sum = matches!(call.name.to_string().to_lowercase().as_str(), "count" | "sum") && call.over.is_none();
    let is_distinct = matches!(&call.args, FunctionArguments::List(list) if list.duplicate_treatment.is_some());
    if !is_sum || is_distinct {
        return Err(over_groups(at));
    }
    let of = vec![output(&of, 0, false, budget)?];
    Ok(OutputExpression::Window(Box::new(GroupWindowCall {
        function: GroupFunction::Total,
        of,
        step: 1,
        within: Vec::new(),
        order: Vec::new(),
        frame: None,
        at,
    })))
}

/// Why an aggregate is no total beside groups.
const OVER_GROUPS: &str = "beside groups, a total is one COUNT or SUM: it is added up from the groups, and what else there is does not add up";

fn over_groups(at: Position) -> QueryError {
    unsupported(at, OVER_GROUPS)
}

/// Whether an error says that a query over the question's own table is no total.
pub(super) fn is_no_total(error: &QueryError) -> bool {
    error.message.starts_with(OVER_GROUPS)
}

/// Lets the aggregates of an expression see the rows alone that a condition leaves.
///
/// # Errors
/// Those of [`Copies::count`]: each aggregate has a copy of the condition.
pub(super) fn filter(of: &mut Expr, condition: &Expr) -> Result<(), QueryError> {
    let mut copies = Copies::default();
    let filtered = outside(of, |expr| {
        let Expr::Function(Function { name, filter, over: None, .. }) = expr else { return ControlFlow::Continue(()) };
        if !is_aggregate(&name.to_string().to_lowercase()) {
            return ControlFlow::Continue(());
        }
        if let Err(error) = copies.count(condition, 1) {
            return ControlFlow::Break(error);
        }
        let nested = |of: Expr| Box::new(Expr::Nested(Box::new(of)));
        let own = nested(condition.clone());
        *filter = Some(match filter.take() {
            None => own,
            Some(other) => Box::new(Expr::BinaryOp { left: nested(*other), op: ast::BinaryOperator::And, right: own }),
        });
        ControlFlow::Continue(())
    });
    match filtered {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The queries in parentheses of an expression, without those inside of them.
#[derive(Default)]
struct Queries {
    found: Vec<ast::Query>,
    level: usize,
}

impl Visitor for Queries {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        if self.level == 0 {
            self.found.push(query.clone());
        }
        self.level += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &ast::Query) -> ControlFlow<()> {
        self.level -= 1;
        ControlFlow::Continue(())
    }
}

/// Whether an expression has a query in parentheses.
pub(super) fn has_query(of: &Expr) -> bool {
    let mut queries = Queries::default();
    // It never breaks off.
    let _: ControlFlow<()> = of.visit(&mut queries);
    !queries.found.is_empty()
}

/// The queries in parentheses of an expression, without those inside of them, each with the SELECT of its single row; `None` if one of them
/// has more than a row.
pub(super) fn single_rows(of: &Expr) -> Option<Vec<(ast::Query, ast::Select)>> {
    let mut queries = Queries::default();
    // It never breaks off.
    let _: ControlFlow<()> = of.visit(&mut queries);
    let one = |query: ast::Query| single(&query).map(|(select, _)| select.clone()).map(|select| (query, select));
    queries.found.into_iter().map(one).collect()
}

/// Whether a SELECT without FROM has totals of different tables.
pub(super) fn read_several(select: &ast::Select) -> bool {
    if !select.from.is_empty() || select.selection.is_some() {
        return false;
    }
    let mut queries = Queries::default();
    // It never breaks off.
    let _: ControlFlow<()> = select.projection.iter().try_for_each(|item| item.visit(&mut queries));
    let from = |query: &ast::Query| {
        single(query).map(|(select, _)| select.from.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let read: Option<Vec<_>> = queries.found.iter().map(from).collect();
    read.is_some_and(|read| read.iter().any(|one| *one != read[0]))
}

/// A SELECT without FROM whose items are made of totals, with the FROM that these share; `None` for any other SELECT.
///
/// # Errors
/// [`crate::query::error::Code::UnsupportedSql`] if they read different tables.
pub(super) fn with_from(select: &ast::Select) -> Result<Option<ast::Select>, QueryError> {
    if !select.from.is_empty() || select.selection.is_some() {
        return Ok(None);
    }
    let mut queries = Queries::default();
    // It never breaks off.
    let _: ControlFlow<()> = select.projection.iter().try_for_each(|item| item.visit(&mut queries));
    let Some((first, _)) = queries.found.first().and_then(single) else { return Ok(None) };
    let text = |select: &ast::Select| select.from.iter().map(ToString::to_string).collect::<Vec<_>>();
    for query in &queries.found {
        match single(query) {
            Some((other, _)) if text(other) == text(first) => {}
            _ => {
                return Err(unsupported(
                    start(query.span()),
                    "queries in parentheses by themselves are aggregates of one table, and these read several",
                ));
            }
        }
    }
    let is_same = |query: &ast::Query| single(query).is_some_and(|(other, _)| other.selection == first.selection);
    let selection = if queries.found.iter().all(is_same) { first.selection.clone() } else { None };
    Ok(Some(ast::Select { from: first.from.clone(), selection, ..select.clone() }))
}
