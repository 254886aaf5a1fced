//! Parser of FROM: tables, queries in parentheses, and their joins.
//!
//! Promises one [`FromItem`] for every FROM that it accepts, in which a right join is a left join with its sides swapped and a name of WITH is its
//! query.

use sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Spanned, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins,
};

use super::conditions::condition;
use super::limits::Budget;
use super::listed;
use super::nodes::{absent, name, start, unsupported};
use super::rows::rows;
use super::with::named_query;
use crate::query::error::{Position, QueryError};
use crate::query::syntax::{Distinct, FromItem, JoinOn, Name, RowItem, RowValue, Rows, Select};

/// Parses FROM.
pub(super) fn from(list: &[TableWithJoins], at: Position, budget: &mut Budget) -> Result<FromItem, QueryError> {
    let Some((first, rest)) = list.split_first() else {
        return Err(unsupported(at, "there is no FROM").hint("write … FROM <dataset>"));
    };
    budget.inside(rest.len(), |budget| {
        let mut from = joined(first, budget)?;
        for one in rest {
            budget.node()?;
            let right = joined(one, budget)?;
            let at = start(one.span());
            from = pair(from, right, false, JoinOn::All, at);
        }
        Ok(from)
    })
}

fn pair(left: FromItem, right: FromItem, is_left: bool, on: JoinOn, at: Position) -> FromItem {
    FromItem::Joined { left: Box::new(left), right: Box::new(right), is_left, on, at }
}

/// Parses a table with the tables that are joined to it.
fn joined(list: &TableWithJoins, budget: &mut Budget) -> Result<FromItem, QueryError> {
    let TableWithJoins { relation, joins } = list;
    budget.inside(joins.len(), |budget| {
        let first = source(relation, budget)?;
        joins.iter().try_fold(first, |left, join| self::join(left, join, budget))
    })
}

/// How a join treats rows without a pair.
enum Kept {
    Neither,
    Left,
    Right,
}

fn join(left: FromItem, join: &ast::Join, budget: &mut Budget) -> Result<FromItem, QueryError> {
    budget.node()?;
    let ast::Join { relation, global, join_operator } = join;
    let at = start(relation.span());
    absent(*global, at, "GLOBAL JOIN")?;
    let (kept, constraint) = match join_operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (Kept::Neither, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (Kept::Left, constraint),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (Kept::Right, constraint),
        JoinOperator::CrossJoin(JoinConstraint::None) => {
            let right = source(relation, budget)?;
            return Ok(pair(left, right, false, JoinOn::All, at));
        }
        JoinOperator::FullOuter(_) => {
            return Err(unsupported(
                at,
                "FULL JOIN is not supported: a row without a partner on the left has no place",
            ));
        }
        JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::RightSemi(_) => {
            return Err(unsupported(at, "SEMI JOIN is not SQL of PostgreSQL").hint("write WHERE EXISTS (SELECT …)"));
        }
        JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) | JoinOperator::RightAnti(_) => {
            return Err(unsupported(at, "ANTI JOIN is not SQL of PostgreSQL").hint("write WHERE NOT EXISTS (SELECT …)"));
        }
        JoinOperator::CrossApply | JoinOperator::OuterApply => {
            return Err(lateral(at));
        }
        JoinOperator::CrossJoin(_)
        | JoinOperator::AsOf { .. }
        | JoinOperator::StraightJoin(_)
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => return Err(unsupported(at, "this kind of JOIN is not supported")),
    };
    let right = source(relation, budget)?;
    let on = match constraint {
        JoinConstraint::On(expr) => JoinOn::Condition(Box::new(condition(expr, 0, budget)?)),
        JoinConstraint::Using(columns) => {
            JoinOn::Using(columns.iter().map(|column| using(column, at)).collect::<Result<_, _>>()?)
        }
        JoinConstraint::Natural => JoinOn::Natural,
        JoinConstraint::None => {
            return Err(unsupported(at, "JOIN wants to know which rows belong together")
                .hint("write … JOIN table USING (column), or ON a.column = b.column"));
        }
    };
    Ok(match kept {
        Kept::Neither => pair(left, right, false, on, at),
        Kept::Left => pair(left, right, true, on, at),
        Kept::Right => pair(right, left, true, on, at),
    })
}

fn using(column: &ObjectName, at: Position) -> Result<Name, QueryError> {
    match &column.0[..] {
        [ObjectNamePart::Identifier(ident)] => Ok(name(ident)),
        _ => Err(unsupported(at, "USING names columns by themselves, without a table")),
    }
}

fn unsampled(is_sampled: bool, at: Position) -> Result<(), QueryError> {
    let message =
        "TABLESAMPLE is not supported: an answer about a sample costs as much as one about all rows, and says less";
    if is_sampled { Err(unsupported(at, message)) } else { Ok(()) }
}

fn lateral(at: Position) -> QueryError {
    unsupported(at, "LATERAL is not supported: its query would be another one for each row before it")
        .hint("write it as a query of all people, and join it by the unit: JOIN (SELECT …) AS t USING (<unit>)")
}

/// Parses one member of FROM.
fn source(relation: &TableFactor, budget: &mut Budget) -> Result<FromItem, QueryError> {
    budget.node()?;
    let at = start(relation.span());
    match relation {
        TableFactor::Table { .. } => match function(relation, budget)? {
            Some(listed) => Ok(listed),
            None => table(relation, budget),
        },
        TableFactor::UNNEST {
            alias,
            array_exprs,
            with_offset: false,
            with_offset_alias: None,
            with_ordinality: false,
        } => {
            let args: Vec<FunctionArg> =
                array_exprs.iter().map(|one| FunctionArg::Unnamed(FunctionArgExpr::Expr(one.clone()))).collect();
            listed::function("unnest", &args, alias.as_ref(), at, budget)?.ok_or_else(|| no_function(at))
        }
        TableFactor::Derived { lateral: true, .. } => Err(lateral(at)),
        TableFactor::Function { lateral: true, .. } => {
            Err(unsupported(at, "LATERAL is not supported, nor are functions in FROM"))
        }
        TableFactor::Derived { lateral: false, subquery, alias, sample } => {
            unsampled(sample.is_some(), at)?;
            let rows = Box::new(rows(subquery, budget)?);
            let (alias, columns) = alias.as_ref().map(named).transpose()?.unzip();
            Ok(FromItem::Derived { rows, alias, columns: columns.unwrap_or_default() })
        }
        TableFactor::NestedJoin { table_with_joins, alias } => {
            absent(alias.is_some(), at, "a name for a join")
                .map_err(|error| error.hint("write a name behind each of its tables: (… AS a JOIN … AS b …)"))?;
            budget.inside(1, |budget| joined(table_with_joins, budget))
        }
        TableFactor::TableFunction { .. }
        | TableFactor::Function { .. }
        | TableFactor::UNNEST { .. }
        | TableFactor::JsonTable { .. }
        | TableFactor::OpenJsonTable { .. }
        | TableFactor::XmlTable { .. } => Err(no_function(at)),
        TableFactor::Pivot { .. }
        | TableFactor::Unpivot { .. }
        | TableFactor::UnpivotExpr { .. }
        | TableFactor::MatchRecognize { .. }
        | TableFactor::SemanticView { .. } => {
            Err(unsupported(at, "FROM names tables, and queries in parentheses; this is not SQL of PostgreSQL"))
        }
    }
}

fn no_function(at: Position) -> QueryError {
    unsupported(
        at,
        "of functions in FROM there are GENERATE_SERIES of constants and UNNEST of an array of constants alone",
    )
}

/// Parses a function in FROM; `None` for a table.
fn function(relation: &TableFactor, budget: &mut Budget) -> Result<Option<FromItem>, QueryError> {
    let TableFactor::Table { name: object, alias, args: Some(args), with_ordinality: false, .. } = relation else {
        return Ok(None);
    };
    let at = start(relation.span());
    let found = match args.settings {
        None => listed::function(&object.to_string(), &args.args, alias.as_ref(), at, budget)?,
        Some(_) => None,
    };
    found.map(Some).ok_or_else(|| no_function(at))
}

/// Parses a table by its name.
fn table(relation: &TableFactor, budget: &mut Budget) -> Result<FromItem, QueryError> {
    let at = start(relation.span());
    let (object, alias) = table_name(relation)?;
    let alias = alias.map(named).transpose()?;
    let (schema, name) = match &object.0[..] {
        [ObjectNamePart::Identifier(table)] => (None, name(table)),
        [ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(table)] => (Some(name(schema)), name(table)),
        _ => {
            return Err(
                unsupported(at, "a table's name has one dataset's name before it, or none").hint("write dataset.table")
            );
        }
    };
    if schema.is_none()
        && let Some(source) = named_query(&name, alias.as_ref(), budget)?
    {
        return Ok(source);
    }
    let Some((alias, columns)) = alias else { return Ok(FromItem::Table { schema, name, alias: None }) };
    if columns.is_empty() {
        return Ok(FromItem::Table { schema, name, alias: Some(alias) });
    }
    // A table with new names for its columns is a query that selects all of them.
    let select = Select {
        from: FromItem::Table { schema, name, alias: None },
        distinct: Distinct::No,
        items: vec![RowItem { value: RowValue::Wildcard(None), alias: None, at }],
        condition: None,
        keys: Vec::new(),
        having: None,
        qualify: None,
        order: Vec::new(),
        at,
    };
    let rows = budget.inside(1, |_| Ok(Box::new(Rows::Select(Box::new(select)))))?;
    Ok(FromItem::Derived { rows, alias: Some(alias), columns })
}

/// The name and the alias of a table that has nothing else attached.
fn table_name(relation: &TableFactor) -> Result<(&ObjectName, Option<&TableAlias>), QueryError> {
    let at = start(relation.span());
    let TableFactor::Table {
        name: object,
        alias,
        args,
        with_hints,
        version,
        with_ordinality,
        partitions,
        json_path,
        sample,
        index_hints,
    } = relation
    else {
        return Err(unsupported(at, "a table's name is wanted here"));
    };
    absent(args.is_some(), at, "a function in FROM")?;
    unsampled(sample.is_some(), at)?;
    let plain = with_hints.is_empty()
        && version.is_none()
        && !with_ordinality
        && partitions.is_empty()
        && json_path.is_none()
        && index_hints.is_empty();
    absent(!plain, at, "anything beside a table's name and its alias in FROM")?;
    Ok((object, alias.as_ref()))
}

fn named(alias: &TableAlias) -> Result<(Name, Vec<Name>), QueryError> {
    Ok((name(&alias.name), column_names(alias)?))
}

/// The list of columns behind an alias.
pub(super) fn column_names(alias: &TableAlias) -> Result<Vec<Name>, QueryError> {
    let TableAlias { explicit: _, name: of, columns, at } = alias;
    absent(at.is_some(), start(of.span), "AT behind a table's name")?;
    let column = |column: &TableAliasColumnDef| {
        let TableAliasColumnDef { name: ident, data_type } = column;
        absent(data_type.is_some(), start(ident.span), "a type behind a column's name")?;
        Ok(name(ident))
    };
    columns.iter().map(column).collect()
}
