//! Answers side by side: one of a single row beside another one, or two over the same groups of the same rows.
//!
//! Promises that both are measured as aggregates of one question. A WHERE of the second one alone becomes the FILTER of its aggregates: all
//! groups are in an answer, so that none is without its pair.

use sqlparser::ast::{
    self, BinaryOperator, Expr, GroupByExpr, JoinConstraint, JoinOperator, ObjectNamePart, SelectItem, SetExpr,
    Spanned, TableFactor, TableWithJoins, Value, ValueWithSpan,
};

use super::columns::AnswerColumns;
use super::find::{found, is_grouping_sets, names_in};
use super::{Answer, OverAnswer, answer, conjuncts, flattened};
use crate::query::error::QueryError;
use crate::query::parse::select::check;
use crate::query::parse::totals;

/// What stands beside the first query of FROM, with the condition that pairs their rows.
type Beside<'a> = (&'a TableFactor, Pairing<'a>);

/// Which rows are paired.
enum Pairing<'a> {
    All,
    On(&'a Expr),
    Using(Vec<String>),
}

/// The first member of FROM, and the others; `None` if a join is of another kind.
fn members(from: &[TableWithJoins]) -> Option<(&TableFactor, Vec<Beside<'_>>)> {
    let (first, rest) = from.split_first()?;
    let mut beside = Vec::new();
    for join in &first.joins {
        beside.push(pair(join)?);
    }
    for one in rest {
        beside.push((&one.relation, Pairing::All));
        for join in &one.joins {
            beside.push(pair(join)?);
        }
    }
    Some((&first.relation, beside))
}

fn pair(join: &ast::Join) -> Option<Beside<'_>> {
    let ast::Join { relation, global: false, join_operator } = join else { return None };
    let constraint = match join_operator {
        JoinOperator::CrossJoin(JoinConstraint::None) => return Some((relation, Pairing::All)),
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => constraint,
        _ => return None,
    };
    let pairing = match constraint {
        JoinConstraint::On(Expr::Value(ValueWithSpan { value: Value::Boolean(true), .. })) => Pairing::All,
        JoinConstraint::On(condition) => Pairing::On(condition),
        JoinConstraint::Using(names) => {
            let name = |name: &ast::ObjectName| match &name.0[..] {
                [ObjectNamePart::Identifier(ident)] => Some(super::name(ident).text),
                _ => None,
            };
            Pairing::Using(names.iter().map(name).collect::<Option<_>>()?)
        }
        JoinConstraint::Natural | JoinConstraint::None => return None,
    };
    Some((relation, pairing))
}

/// The answer of a member of FROM with its columns, and the condition after its windows.
pub(super) type ReadAnswer = (Answer, AnswerColumns, Option<Expr>, Option<ast::With>);

/// Reads a member of FROM, all of whose parts must be those of a question, whether they are used or not; `None` if it is no answer.
///
/// # Errors
/// Those of the query.
pub(super) fn read(member: &TableFactor) -> Result<Option<ReadAnswer>, QueryError> {
    let TableFactor::Derived { lateral: false, subquery, alias, sample: None } = member else { return Ok(None) };
    let (inner, after) = match flattened(subquery)? {
        Some(OverAnswer { query, after }) => (Box::new(query), after),
        None => (subquery.clone(), None),
    };
    let Some(answer) = answer(&inner)? else { return Ok(None) };
    check(&inner)?;
    let Some(columns) = AnswerColumns::of(&answer.select, alias.as_ref()) else { return Ok(None) };
    Ok(Some((answer, columns, after, inner.with.clone())))
}

/// The answers in FROM as one, with the columns of all; `None` if they are not of one question.
///
/// # Errors
/// Those of the queries in FROM.
pub(super) fn joined(outer: &ast::Select) -> Result<Option<ReadAnswer>, QueryError> {
    let Some((first, beside)) = members(&outer.from) else { return Ok(None) };
    let Some((mut answer, mut columns, after, with)) = read(first)? else { return Ok(None) };
    for (member, pairing) in beside {
        let Some((other, others, None, None)) = read(member)? else { return Ok(None) };
        let is_plain = |answer: &Answer| {
            let query = &answer.query;
            answer.select.having.is_none()
                && answer.select.distinct.is_none()
                && query.limit_clause.is_none()
                && query.fetch.is_none()
        };
        if !is_plain(&answer) || !is_plain(&other) || others.has_windows() || after.is_some() {
            return Ok(None);
        }
        super::clauses(&other.select, super::start(other.query.span()))?;
        if !other.select.named_window.is_empty() || other.select.qualify.is_some() {
            return Ok(None);
        }
        let (keys, other_keys) = (columns.keys(&answer.select), others.keys(&other.select));
        if keys.iter().chain(&other_keys).any(is_grouping_sets) {
            return Ok(None);
        }
        if other_keys.is_empty() && !keys.is_empty() {
            if !matches!(pairing, Pairing::All) {
                return Ok(None);
            }
            columns.join(others, &|of| Ok(in_parentheses(of, &other.select)))?;
            continue;
        }
        let is_paired = is_paired(&pairing, &columns, &others, &keys, &other_keys);
        let Some(condition) = own_condition(&answer.select, &other.select, &keys).filter(|_| is_paired) else {
            return Ok(None);
        };
        columns.join(others, &|mut of| {
            if let Some(condition) = &condition {
                totals::filter(&mut of, condition)?;
            }
            Ok(of)
        })?;
        // Which items the question selects no longer says what its numbered keys are.
        answer.select.group_by = GroupByExpr::Expressions(keys, Vec::new());
    }
    Ok(Some((answer, columns, after, with)))
}

/// A query of a single row, for one of its columns.
fn in_parentheses(of: Expr, select: &ast::Select) -> Expr {
    let query = super::bare(SetExpr::Select(Box::new(ast::Select {
        projection: vec![SelectItem::UnnamedExpr(of)],
        ..select.clone()
    })));
    Expr::Subquery(Box::new(query))
}

/// The condition that the second query has alone; the outer `None` if both do not read the same rows but for it.
fn own_condition(one: &ast::Select, other: &ast::Select, keys: &[Expr]) -> Option<Option<Expr>> {
    let from = |select: &ast::Select| select.from.iter().map(ToString::to_string).collect::<Vec<_>>();
    if from(one) != from(other) {
        return None;
    }
    if one.selection == other.selection {
        return Some(None);
    }
    let condition = other.selection.as_ref().filter(|_| one.selection.is_none())?;
    // A condition on keys removes groups.
    let known = names_in(keys.iter());
    let is_apart = !found(condition).names.iter().any(|name| known.contains(name)) && !found(condition).has_query;
    is_apart.then(|| Some(condition.clone()))
}

/// Whether two answers are paired by all of their keys, which are the same.
fn is_paired(
    pairing: &Pairing<'_>,
    columns: &AnswerColumns,
    others: &AnswerColumns,
    keys: &[Expr],
    other_keys: &[Expr],
) -> bool {
    let pairs: Option<Vec<(Expr, Expr)>> = match pairing {
        Pairing::All => Some(Vec::new()),
        Pairing::Using(names) => names.iter().map(|name| Some((columns.named(name)?, others.named(name)?))).collect(),
        Pairing::On(condition) => conjuncts((*condition).clone())
            .into_iter()
            .map(|one| match one {
                Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                    let either = |left: &Expr, right: &Expr| Some((columns.qualified(left)?, others.qualified(right)?));
                    either(&left, &right).or_else(|| either(&right, &left))
                }
                _ => None,
            })
            .collect(),
    };
    let Some(pairs) = pairs else { return false };
    let is_same = pairs.iter().all(|(one, other)| one == other && keys.contains(one));
    let is_all = keys.iter().all(|key| pairs.iter().any(|(one, _)| one == key));
    is_same && is_all && keys.len() == other_keys.len() && other_keys.iter().all(|key| keys.contains(key))
}
