//! Parser of `WITH`: its names stand for their queries, wherever they are used.
//!
//! Promises that every query of `WITH` is parsed, also one that is not used; that each use counts against the limits with its full size;
//! and that there is no recursion.

use sqlparser::ast::{self, Cte};

use super::limits::Budget;
use super::nodes::{absent, name, unsupported};
use super::rows::rows;
use super::scope::{DefinedQuery, NamedQuery};
use super::sources::column_names;
use crate::query::error::{QueryError, shown};
use crate::query::syntax::{FromItem, Name};

/// Parses a query, or anything else, in which the names of its `WITH` are known.
pub(super) fn with<T>(
    clause: Option<&ast::With>,
    budget: &mut Budget,
    parse: impl FnOnce(&mut Budget) -> Result<T, QueryError>,
) -> Result<T, QueryError> {
    let known = budget.scope.queries.len();
    if let Some(clause) = clause {
        define(clause, budget)?;
    }
    let parsed = parse(budget)?;
    budget.scope.queries.truncate(known);
    Ok(parsed)
}

fn define(clause: &ast::With, budget: &mut Budget) -> Result<(), QueryError> {
    let ast::With { with_token: _, recursive, cte_tables } = clause;
    let names: Vec<Name> = cte_tables.iter().map(|one| name(&one.alias.name)).collect();
    for (at, one) in names.iter().enumerate() {
        if names[..at].contains(one) {
            return Err(unsupported(one.at, format!("WITH names \"{}\" twice", shown(&one.text))));
        }
    }
    let first = budget.scope.queries.len();
    if *recursive {
        // With RECURSIVE every query may use every name; using one that has no query yet is recursion, or would need another order.
        let unknown = names.iter().map(|name| NamedQuery { name: name.clone(), query: None });
        budget.scope.queries.extend(unknown);
    }
    for (place, (cte, name)) in cte_tables.iter().zip(names).enumerate() {
        let defined = defined(cte, budget)?;
        match budget.scope.queries.get_mut(first + place) {
            Some(named) => named.query = Some(defined),
            None => budget.scope.queries.push(NamedQuery { name, query: Some(defined) }),
        }
    }
    Ok(())
}

fn defined(cte: &Cte, budget: &mut Budget) -> Result<DefinedQuery, QueryError> {
    let Cte { alias, query, from, materialized: _, closing_paren_token: _ } = cte;
    let at = name(&alias.name).at;
    absent(from.is_some(), at, "FROM behind a name of WITH")?;
    let columns = column_names(alias)?;
    let (rows, size) = budget.definition(|budget| rows(query, budget))?;
    Ok(DefinedQuery { rows, columns, size })
}

/// The query of a name from `WITH`; `None` if there is no such name.
pub(super) fn named_query(
    table: &Name,
    alias: Option<&(Name, Vec<Name>)>,
    budget: &mut Budget,
) -> Result<Option<FromItem>, QueryError> {
    let Some(found) = budget.scope.queries.iter().rev().find(|known| known.name == *table) else { return Ok(None) };
    let Some(query) = &found.query else {
        let message = format!("\"{}\" is used before its query in WITH ends", shown(&table.text));
        return Err(unsupported(
            table.at,
            format!("{message}: there is no recursion, as nothing bounds the rows it makes"),
        ));
    };
    let (alias, mut columns) = alias.cloned().unwrap_or_else(|| (table.clone(), Vec::new()));
    columns.extend(query.columns.iter().skip(columns.len()).cloned().collect::<Vec<_>>());
    let (rows, size) = (Box::new(query.rows.clone()), query.size);
    budget.uses(size)?;
    Ok(Some(FromItem::Derived { rows, alias: Some(alias), columns }))
}
