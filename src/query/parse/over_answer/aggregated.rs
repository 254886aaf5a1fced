//! Aggregates over the groups of an answer, written as windows of which each combination of keys shows one row.
//!
//! Promises that `SELECT y, MAX(n) FROM (… GROUP BY y, region) t GROUP BY y` becomes `SELECT DISTINCT y, MAX(n) OVER (PARTITION BY y)` over
//! the same groups. Without keys there is always one row: conditions then choose within each aggregate, as FILTER does.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Distinct, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    SelectItem, SetExpr, Spanned, TableFactor, TableWithJoins, Value, WindowSpec, WindowType,
};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::columns::AnswerColumns;
use super::find::{found, is_grouping_sets, may_be_over_answer};
use super::union::is_union;
use super::{Answer, OverAnswer, both, is_by_row, is_plain, item_of, joined, order, restrict, select_of, with};
use crate::query::error::{Position, QueryError};
use crate::query::parse::nodes::{name, start, unsupported};
use crate::query::parse::outputs::is_aggregate;
use crate::query::parse::select::ordinal;

/// The aggregates that there are over groups.
const OVER_GROUPS: [&str; 5] = ["count", "sum", "avg", "min", "max"];

/// How aggregates of the outer query become windows.
pub(super) struct Aggregating {
    /// The keys of the outer query, in terms of the inner query's FROM.
    within: Vec<Expr>,
    /// The condition that groups must meet to be aggregated.
    only: Option<Expr>,
}

/// The query as one SELECT, if it aggregates the groups of an answer; `None` for any other query. Whether the rows in FROM are those of
/// groups or of units is not known here.
///
/// # Errors
/// [`crate::query::error::Code::UnsupportedSql`] for what cannot be asked of groups.
pub(in crate::query::parse) fn aggregated(query: &ast::Query) -> Result<Option<OverAnswer>, QueryError> {
    let Some(select) = select_of(query) else { return Ok(None) };
    let [TableWithJoins { relation, .. }] = &select.from[..] else { return Ok(None) };
    let may_be = match relation {
        TableFactor::Derived { .. } => true,
        TableFactor::Table { .. } => query.with.is_some(),
        _ => false,
    };
    if !may_be || is_by_row(select) || !may_be_over_answer(query) {
        return Ok(None);
    }
    // This is known before FROM is read, which queries that were written anew need not have done again.
    let mut parts = select.projection.iter().filter_map(item_of).chain(&select.having);
    if select.distinct.is_some() || parts.any(|part| found(part).has_window) {
        let message = "an aggregate over groups, with a window or DISTINCT beside it, is not built";
        return Err(unsupported(start(query.span()), message));
    }
    let Some(query) = with::resolved(query) else { return Ok(None) };
    let (Some(outer), true) = (select_of(&query), is_plain(&query)) else { return Ok(None) };
    let [TableWithJoins { relation, joins }] = &outer.from[..] else { return Ok(None) };
    let GroupByExpr::Expressions(keys, modifiers) = &outer.group_by else { return Ok(None) };
    if !joins.is_empty() || !modifiers.is_empty() || keys.iter().any(is_grouping_sets) {
        return Ok(None);
    }
    let Some((answer, columns, after, inner_with)) = joined::read(relation)? else {
        let message = "an aggregate over the rows of a UNION of answers is not built";
        return if is_union(relation) { Err(unsupported(start(query.span()), message)) } else { Ok(None) };
    };
    if query.with.is_some() && inner_with.is_some() {
        return Ok(None);
    }
    check(&answer, &columns, after.is_some(), start(query.span()))?;
    let with = query.with.clone().or(inner_with);
    let written = written(&query, outer, &answer, columns)?;
    Ok(Some(OverAnswer { query: ast::Query { with, ..written.query }, ..written }))
}

/// Checks that all groups of the inner query can be aggregated.
fn check(answer: &Answer, columns: &AnswerColumns, has_condition: bool, at: Position) -> Result<(), QueryError> {
    let Answer { select: inner, query } = answer;
    let refused = |what: &str| Err(unsupported(at, format!("an aggregate over {what} is not built")));
    let GroupByExpr::Expressions(keys, _) = &inner.group_by else { return refused("GROUP BY ALL") };
    if keys.iter().any(is_grouping_sets) {
        return refused("the rows of several groupings");
    }
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return refused("the rows that a LIMIT leaves");
    }
    if has_condition || columns.has_windows() {
        return refused("the windows of other groups");
    }
    if !inner.named_window.is_empty() || inner.qualify.is_some() || inner.distinct.is_some() {
        return refused("SELECT DISTINCT and windows with a name");
    }
    super::clauses(inner, at).map(|_| ())
}

fn written(
    query: &ast::Query,
    outer: &ast::Select,
    answer: &Answer,
    mut columns: AnswerColumns,
) -> Result<OverAnswer, QueryError> {
    let Answer { select: inner, .. } = answer;
    let inner_keys = columns.keys(inner);
    let having = inner.having.clone().map(|condition| columns.having(condition, &inner_keys)).transpose()?;
    let within = keys(outer, &mut columns, &inner_keys)?;
    let condition = outer.selection.clone().map(|condition| columns.substituted(condition)).transpose()?;
    let mut select = ast::Select {
        distinct: Some(Distinct::Distinct),
        from: inner.from.clone(),
        selection: inner.selection.clone(),
        group_by: GroupByExpr::Expressions(inner_keys, Vec::new()),
        having: None,
        ..outer.clone()
    };
    let only = if within.is_empty() {
        [having, condition].into_iter().flatten().reduce(both)
    } else {
        select.having = having;
        if let Some(condition) = condition {
            restrict(&mut select, condition);
        }
        None
    };
    columns.aggregating = Some(Aggregating { within, only });
    select.projection = columns.items(outer)?;
    let after = outer.having.clone().map(|condition| columns.substituted(condition)).transpose()?;
    let unordered = ast::Query { order_by: None, ..answer.query.clone() };
    let order_by = order(query, &unordered, &select.projection, &mut columns)?;
    let body = Box::new(SetExpr::Select(Box::new(select)));
    Ok(OverAnswer { query: ast::Query { body, order_by, ..query.clone() }, after })
}

/// The keys of the outer query, which are keys of the inner one.
fn keys(outer: &ast::Select, columns: &mut AnswerColumns, inner: &[Expr]) -> Result<Vec<Expr>, QueryError> {
    let GroupByExpr::Expressions(keys, _) = &outer.group_by else { return Ok(Vec::new()) };
    let mut within = Vec::with_capacity(keys.len());
    for key in keys {
        let at = start(key.span());
        let selected = match key {
            Expr::Value(value) => {
                let n = ordinal(&value.value).and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                n.and_then(|place| outer.projection.get(place)).and_then(item_of)
            }
            Expr::Identifier(ident) if !columns.has(&name(ident).text) => outer.projection.iter().find_map(|item| {
                let SelectItem::ExprWithAlias { expr, alias } = item else { return None };
                (name(alias).text == name(ident).text).then_some(expr)
            }),
            _ => None,
        };
        let of = columns.substituted(selected.unwrap_or(key).clone())?;
        let bare = |expr: &Expr| match expr {
            Expr::Nested(inner) => inner.as_ref().clone(),
            other => other.clone(),
        };
        if !inner.iter().any(|known| bare(known) == bare(&of)) {
            return Err(unsupported(at, "groups are grouped again by some of their keys, and this is none of them"));
        }
        within.push(of);
    }
    Ok(within)
}

impl Aggregating {
    /// Whether the outer query has keys.
    pub(super) fn has_keys(&self) -> bool {
        !self.within.is_empty()
    }

    /// Whether the outer query groups by an expression.
    pub(super) fn groups_by(&self, of: &Expr) -> bool {
        self.within.contains(of)
    }

    /// The window for a call of the outer query whose arguments are written in terms of the inner query; `None` for other functions.
    pub(super) fn window(&self, call: &Function) -> Result<Option<Expr>, QueryError> {
        let word = call.name.to_string().to_lowercase();
        let at = start(call.name.span());
        if call.over.is_some() || !is_aggregate(&word) {
            return Ok(None);
        }
        let list = match &call.args {
            FunctionArguments::List(list) if OVER_GROUPS.contains(&word.as_str()) && list.clauses.is_empty() => list,
            _ => {
                let message =
                    format!("{} over groups is not built: there are COUNT, SUM, AVG, MIN and MAX", word.to_uppercase());
                return Err(unsupported(at, message));
            }
        };
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) || !call.within_group.is_empty() {
            return Err(unsupported(at, "an aggregate of different values over groups is not built"));
        }
        let filter = call.filter.as_deref().cloned();
        let only = [self.only.clone(), filter].into_iter().flatten().reduce(both);
        let argument = match &list.args[..] {
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if word == "count" => None,
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(of))] => Some(of.clone()),
            _ => return Err(unsupported(at, format!("{} takes one argument", word.to_uppercase()))),
        };
        let one = || Expr::Value(Value::Number("1".to_owned(), false).into());
        let of = match (argument, word.as_str()) {
            (None, _) => only.map(|only| case(only, one())),
            (Some(of), "count") => {
                let present = Expr::IsNotNull(Box::new(of));
                Some(case(only.into_iter().fold(present, |present, only| both(only, present)), one()))
            }
            (Some(of), _) => Some(match only {
                Some(only) => case(only, of),
                None => of,
            }),
        };
        let argument = of.map_or(FunctionArgExpr::Wildcard, FunctionArgExpr::Expr);
        let args = ast::FunctionArgumentList { args: vec![FunctionArg::Unnamed(argument)], ..list.clone() };
        let window = WindowSpec {
            window_name: None,
            partition_by: self.within.clone(),
            order_by: Vec::new(),
            window_frame: None,
        };
        Ok(Some(Expr::Function(Function {
            args: FunctionArguments::List(args),
            filter: None,
            over: Some(WindowType::WindowSpec(window)),
            ..call.clone()
        })))
    }

    /// Replaces a call of the outer query by its window.
    pub(super) fn replace(&self, expr: &mut Expr) -> ControlFlow<Box<QueryError>> {
        let Expr::Function(call) = &*expr else { return ControlFlow::Continue(()) };
        match self.window(call) {
            Ok(Some(window)) => *expr = window,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(Box::new(error)),
        }
        ControlFlow::Continue(())
    }
}

/// `CASE WHEN condition THEN value END`.
fn case(condition: Expr, result: Expr) -> Expr {
    let token = || TokenWithSpan::wrap(Token::EOF).into();
    Expr::Case {
        case_token: token(),
        end_token: token(),
        operand: None,
        conditions: vec![ast::CaseWhen { condition, result }],
        else_result: None,
    }
}
