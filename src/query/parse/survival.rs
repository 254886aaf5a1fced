//! The short form of survival curves: `KAPLAN_MEIER(time, event[, width])` without a window.
//!
//! Promises a rewriting into what it means, before anything is parsed: the answer is grouped by the time, too, cut to multiples of the
//! width, and has a row for each time, with the column `time` before the curve. The curve runs along the time within each group of the
//! other keys: `KAPLAN_MEIER(COUNT(time) FILTER (WHERE event), COUNT(time)) OVER (PARTITION BY … ORDER BY time)`. Rows without a time are
//! part of no curve.

use sqlparser::ast::{self, Expr, GroupByExpr, SelectItem, Spanned, Value};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::after::plain;
use super::nodes::{start, unsupported};
use crate::query::error::QueryError;

const WORDS: [&str; 2] = ["kaplan_meier", "cumulative_incidence"];

/// The call of a selected item, if it is a curve in the short form.
fn call(item: &SelectItem) -> Option<&ast::Function> {
    match item {
        SelectItem::UnnamedExpr(Expr::Function(call))
        | SelectItem::ExprWithAlias { expr: Expr::Function(call), .. } => {
            (call.over.is_none() && is_curve(&call.name.to_string().to_lowercase())).then_some(call)
        }
        _ => None,
    }
}

/// Whether a function, in lower case, is a survival curve.
pub(super) fn is_curve(word: &str) -> bool {
    WORDS.contains(&word)
}

/// A key of GROUP BY as it stands in a window: an ordinal or an alias stands for the selected expression.
pub(super) fn key(key: &Expr, items: &[SelectItem]) -> String {
    let selected = match key {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse::<usize>().ok().and_then(|n| items.get(n.checked_sub(1)?)),
            _ => None,
        },
        Expr::Identifier(name) => items.iter().find(
            |item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value.eq_ignore_ascii_case(&name.value)),
        ),
        _ => None,
    };
    match selected {
        Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr.to_string(),
        _ => key.to_string(),
    }
}

/// The query with its curves written as windows; `None` if there is none in the short form.
///
/// # Errors
/// [`crate::query::error::Code::UnsupportedSql`] for other arguments, several times in one query, or grouping sets.
pub(super) fn rewritten(select: &ast::Select) -> Result<Option<ast::Select>, QueryError> {
    let Some(first) = select.projection.iter().find_map(call) else { return Ok(None) };
    let at = start(first.name.span());
    let wrong = |message: &str| {
        unsupported(at, message.to_owned()).hint(
            "write KAPLAN_MEIER(days, died) or KAPLAN_MEIER(days, died, 30) beside the keys of GROUP BY, with the same time and width in each",
        )
    };
    let parsed = |text: &str| {
        let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text);
        parser.and_then(|mut parser| parser.parse_expr()).map_err(|_| wrong("a time and an event are wanted here"))
    };
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
        return Err(wrong("GROUP BY ALL names no keys"));
    };
    let is_plain = modifiers.is_empty()
        && keys.iter().all(|key| !matches!(key, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_)));
    if !is_plain {
        return Err(wrong("a curve runs over the rows of one grouping"));
    }
    let within: Vec<String> = keys.iter().map(|one| key(one, &select.projection)).collect();
    let within = if within.is_empty() { String::new() } else { format!("PARTITION BY {} ", within.join(", ")) };
    let mut time: Option<String> = None;
    let mut projection = Vec::with_capacity(select.projection.len() + 1);
    for item in &select.projection {
        let Some(call) = call(item) else {
            projection.push(item.clone());
            continue;
        };
        let word = call.name.to_string();
        let arguments = plain(call).unwrap_or_default();
        let (of, event, width) = match &arguments[..] {
            [of, event] => (of, event, None),
            [of, event, width] => (of, event, Some(width.to_string())),
            _ => return Err(wrong("a curve takes a time, an event and perhaps a width")),
        };
        let is_whole = |text: &String| text.parse::<u32>().is_ok_and(|width| width > 0);
        if !width.as_ref().is_none_or(is_whole) {
            return Err(wrong("the width of a curve's steps is a whole number from 1"));
        }
        let own = match width.as_deref() {
            None | Some("1") => format!("({of})"),
            Some(width) => format!("(({of}) / {width} * {width})"),
        };
        if time.as_ref().is_some_and(|time| *time != own) {
            return Err(wrong("the curves of one question share their time"));
        }
        if time.is_none() {
            projection.push(SelectItem::ExprWithAlias { expr: parsed(&own)?, alias: ast::Ident::new("time") });
        }
        let curve =
            parsed(&format!("{word}(COUNT({of}) FILTER (WHERE {event}), COUNT({of})) OVER ({within}ORDER BY {own})"))?;
        time = Some(own);
        projection.push(match item {
            SelectItem::ExprWithAlias { alias, .. } => SelectItem::ExprWithAlias { expr: curve, alias: alias.clone() },
            _ => SelectItem::UnnamedExpr(curve),
        });
    }
    let time = time.ok_or_else(|| wrong("a curve has a time"))?;
    // Ordinals count the items as they were written, and are replaced.
    let mut by = keys.iter().map(|one| parsed(&key(one, &select.projection))).collect::<Result<Vec<_>, _>>()?;
    by.push(parsed(&time)?);
    let group_by = GroupByExpr::Expressions(by, Vec::new());
    Ok(Some(ast::Select { projection, group_by, ..select.clone() }))
}
