//! Distinct pairs of a unit and a value: `COUNT(DISTINCT (patient_id, EXTRACT(YEAR FROM visited)))`, the person-years.
//!
//! Promises a rewriting into what it means, before anything is parsed: the number of different values of each unit, summed over the units.
//! Of pairs of other values nothing is promised: the query that this becomes is refused where the first value is not the unit.

use sqlparser::ast::{
    self, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, SelectItem, SetExpr,
    Statement,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::after::has_aggregate;
use super::survival::key;

/// The unit and the value of `COUNT(DISTINCT (unit, value))`, in either order; `None` for any other expression.
fn pair(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::Function(call) = expr else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    let is_plain = call.name.to_string().eq_ignore_ascii_case("count")
        && call.filter.is_none()
        && call.over.is_none()
        && list.clauses.is_empty()
        && list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let (one, other) = match &list.args[..] {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Tuple(parts)))] => match &parts[..] {
            [one, other] => (one, other),
            _ => return None,
        },
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(one)), FunctionArg::Unnamed(FunctionArgExpr::Expr(other))] => {
            (one, other)
        }
        _ => return None,
    };
    let is_name = |expr: &Expr| matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    match (is_plain, is_name(one), is_name(other)) {
        (true, true, _) => Some((one, other)),
        (true, false, true) => Some((other, one)),
        _ => None,
    }
}

/// The query with its count of pairs written as a sum; `None` if it has none, or anything beside it but keys.
pub(super) fn rewritten(select: &ast::Select) -> Option<ast::Select> {
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return None };
    let is_one_grouping = modifiers.is_empty()
        && !keys.iter().any(|key| matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)));
    if !is_one_grouping || select.having.is_some() || select.distinct.is_some() || select.top.is_some() {
        return None;
    }
    let keys: Vec<String> = keys.iter().map(|one| key(one, &select.projection)).collect();
    let (mut items, mut counted) = (Vec::new(), None);
    for item in &select.projection {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.to_string())),
            _ => return None,
        };
        if let Some(found) = pair(expr) {
            if counted.replace(found).is_some() {
                return None;
            }
            items.push(format!("SUM(pairs.n) AS {}", alias.unwrap_or_else(|| "count".to_owned())));
            continue;
        }
        let place = keys.iter().position(|key| *key == expr.to_string())?;
        let name = match (alias, expr) {
            (Some(alias), _) => alias,
            (None, Expr::Identifier(name)) => name.to_string(),
            (None, Expr::CompoundIdentifier(names)) => names.last()?.to_string(),
            (None, _) => return None,
        };
        if has_aggregate(expr) {
            return None;
        }
        items.push(format!("pairs.k{place} AS {name}"));
    }
    let (unit, value) = counted?;
    let from = select.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let condition = select.selection.as_ref().map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    let inner: Vec<String> = keys.iter().enumerate().map(|(place, key)| format!(", {key} AS k{place}")).collect();
    let by: Vec<String> = keys.iter().map(|key| format!(", {key}")).collect();
    let outer: Vec<String> = (0..keys.len()).map(|place| format!("pairs.k{place}")).collect();
    let grouped = if outer.is_empty() { String::new() } else { format!(" GROUP BY {}", outer.join(", ")) };
    let text = format!(
        "SELECT {} FROM (SELECT {unit}{}, COUNT(DISTINCT {value}) AS n FROM {from}{condition} GROUP BY {unit}{}) AS pairs{grouped}",
        items.join(", "),
        inner.concat(),
        by.concat(),
    );
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, &text).ok()?;
    match <[Statement; 1]>::try_from(statements).ok()? {
        [Statement::Query(query)] => match *query.body {
            SetExpr::Select(select) => Some(*select),
            _ => None,
        },
        _ => None,
    }
}
