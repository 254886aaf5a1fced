//! The plain shape of FROM: a dataset joined by USING, or one query in parentheses over such a dataset.
//!
//! Promises to recognise exactly what has no alias, no schema and no WITH; anything else has no plain shape.

use sqlparser::ast::{self, JoinConstraint, JoinOperator, ObjectNamePart, TableFactor, TableWithJoins};

use super::limits::Budget;
use super::nodes::name;
use super::select::plain_query;
use super::sources::table_name;
use crate::query::syntax::{JoinClause, Name, Query};

/// The joins and the query for each unit of a plain FROM; none of both for any other.
pub(super) fn shape(from: &[TableWithJoins], budget: &Budget) -> (Vec<JoinClause>, Option<Box<Query>>) {
    let [TableWithJoins { relation, joins }] = from else { return (Vec::new(), None) };
    if !budget.scope.queries.is_empty() {
        return (Vec::new(), None);
    }
    if let TableFactor::Derived { lateral: false, subquery, alias, sample: None } = relation {
        let is_bare = joins.is_empty() && alias.as_ref().is_none_or(|alias| alias.columns.is_empty());
        return (Vec::new(), is_bare.then(|| per_unit(subquery)).flatten().map(Box::new));
    }
    (self::joins(from).unwrap_or_default(), None)
}

/// The query of a subquery over a plain dataset.
fn per_unit(subquery: &ast::Query) -> Option<Query> {
    let ast::SetExpr::Select(select) = subquery.body.as_ref() else { return None };
    if subquery.with.is_some() || joins(&select.from).is_none() {
        return None;
    }
    // The subquery was parsed and counted as rows already.
    plain_query(subquery, &mut Budget::default()).ok()
}

fn joins(from: &[TableWithJoins]) -> Option<Vec<JoinClause>> {
    let [TableWithJoins { relation, joins }] = from else { return None };
    table(relation)?;
    joins.iter().map(joined).collect()
}

fn joined(join: &ast::Join) -> Option<JoinClause> {
    let (constraint, is_left) = match &join.join_operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (constraint, false),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (constraint, true),
        _ => return None,
    };
    let JoinConstraint::Using(columns) = constraint else { return None };
    let [column] = &columns[..] else { return None };
    let [ObjectNamePart::Identifier(using)] = &column.0[..] else { return None };
    Some(JoinClause { name: table(&join.relation)?, using: name(using), is_left })
}

/// The name of a table that has no alias and no schema.
fn table(relation: &TableFactor) -> Option<Name> {
    let (object, alias) = table_name(relation).ok()?;
    match &object.0[..] {
        [ObjectNamePart::Identifier(ident)] if alias.is_none() => Some(name(ident)),
        _ => None,
    }
}
