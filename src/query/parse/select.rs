//! Parser of the clauses of a query: SELECT, FROM, GROUP BY, ORDER BY and LIMIT.

use sqlparser::ast::{
    self, Distinct, Expr, GroupByExpr, LimitClause, NamedWindowDefinition, NamedWindowExpr, OrderByKind, OrderBySort,
    SelectItem, SetExpr, Spanned, TableWithJoins, Top, TopQuantity, Value,
};

use super::after::{has_aggregate, label};
use super::expressions::expression;
use super::groupings::keys;
use super::having::having;
use super::limits::Budget;
use super::nodes::{absent, name, start, unsupported};
use super::outputs::{fractions, grouping, of_fraction, output};
use super::over_answer::OverAnswer;
use super::with::with;
use super::{conditions, over_answer, sources, survival, ties, together, totals};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::syntax::{
    Expression, Having, Item, ItemValue, LiteralValue, Name, OrderBy, OrderItem, OutputExpression, Query, QuestionText,
    Scalar,
};

pub(super) fn query(query: &ast::Query) -> Result<Query, QueryError> {
    let mut read = plain_query(query, &mut Budget::default())?;
    read.named(&QuestionText(query.to_string()));
    Ok(read)
}

/// Checks that a query could be a question, without looking into its FROM for answers: that would be done again at each level of nesting.
pub(super) fn check(query: &ast::Query) -> Result<(), QueryError> {
    rows_of_units(query, &mut Budget::default()).map(|_| ())
}

/// Parses a question, whether it is one by itself, one over an answer, or several that are put together.
pub(super) fn plain_query(query: &ast::Query, budget: &mut Budget) -> Result<Query, QueryError> {
    if let Some(together) = together::together(query, budget)? {
        return Ok(together);
    }
    if let Some(OverAnswer { query, after }) = over_answer::flattened(query)? {
        let answer = plain_query(&query, budget)?;
        return restricted(answer, after, budget);
    }
    // Whether rows in FROM are those of units or of groups is known when names are: both are read.
    let over_groups = match over_answer::aggregated(query) {
        Ok(None) => return rows_of_units(query, budget),
        Ok(Some(OverAnswer { query, after })) => {
            let budget = &mut Budget::default();
            plain_query(&query, budget).and_then(|answer| restricted(answer, after, budget))
        }
        Err(error) => Err(error),
    };
    match (rows_of_units(query, budget), over_groups) {
        (Ok(answer), over_groups) => Ok(Query { over_groups: Some(Box::new(over_groups)), ..answer }),
        (Err(_), Ok(answer)) => Ok(answer),
        (Err(error), Err(_)) => Err(error),
    }
}

/// A question with one more condition on its answer's rows, which is applied after windows.
fn restricted(answer: Query, condition: Option<Expr>, budget: &mut Budget) -> Result<Query, QueryError> {
    let condition = condition.map(|condition| having(&condition, 0, false, budget)).transpose()?;
    let after = [answer.after, condition].into_iter().flatten().reduce(|one, other| Having::All(vec![one, other]));
    Ok(Query { after, ..answer })
}

/// Parses a query whose rows in FROM are those of tables and units.
fn rows_of_units(query: &ast::Query, budget: &mut Budget) -> Result<Query, QueryError> {
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
    let mut answer = with(names.as_ref(), budget, |budget| {
        let mut answer = match body.as_ref() {
            SetExpr::Select(select) => match (survival::rewritten(select)?, totals::with_from(select)?) {
                (Some(rewritten), _) | (None, Some(rewritten)) => self::select(&rewritten, at, budget)?,
                (None, None) => match super::pairs::rewritten(select) {
                    Some(rewritten) => self::select(&rewritten, at, budget)?,
                    None => self::select(select, at, budget)?,
                },
            },
            // Parentheses around the whole query, with nothing but an order or a limit behind them.
            SetExpr::Query(inner)
                if inner.order_by.is_none() && inner.limit_clause.is_none() && inner.fetch.is_none() =>
            {
                // What stands behind the parentheses is not part of its other reading.
                Query { over_groups: None, ..plain_query(inner, budget)? }
            }
            SetExpr::Query(inner) if order_by.is_none() && limit_clause.is_none() && fetch.is_none() => {
                return plain_query(inner, budget);
            }
            SetExpr::SetOperation { .. } => return Err(unsupported(at, "a UNION within this query is not built")),
            _ => return Err(unsupported(at, "only SELECT is answered").hint("write SELECT COUNT(*) FROM <dataset>")),
        };
        answer.order = order(order_by.as_ref(), at, budget)?;
        Ok(answer)
    })?;
    if limit_clause.is_some() || fetch.is_some() {
        absent(
            answer.limit.is_some() && matches!(body.as_ref(), SetExpr::Select(select) if select.top.is_some()),
            at,
            "TOP beside LIMIT",
        )?;
        (answer.limit, answer.offset) = limit(limit_clause.as_ref(), fetch.as_ref(), at)?;
        if fetch.as_ref().is_some_and(|fetch| fetch.with_ties) {
            let place = ties::within(&answer, at)?;
            (answer.limit, answer.over_groups) = (None, None);
            answer.after =
                [answer.after, Some(place)].into_iter().flatten().reduce(|one, other| Having::All(vec![one, other]));
        }
    }
    Ok(answer)
}

/// The order and the limit behind questions that are put together: what rows are sorted by, how many are shown and how many passed over.
pub(super) fn ending(
    query: &ast::Query,
    at: Position,
    budget: &mut Budget,
) -> Result<(Vec<OrderItem>, Option<u64>, u64), QueryError> {
    let ast::Query { order_by, limit_clause, fetch, .. } = query;
    let order = order(order_by.as_ref(), at, budget)?;
    let has_ties = fetch.as_ref().is_some_and(|fetch| fetch.with_ties);
    absent(has_ties, at, "FETCH … WITH TIES behind a UNION")?;
    let (limit, offset) = limit(limit_clause.as_ref(), fetch.as_ref(), at)?;
    Ok((order, limit, offset))
}

/// Refuses FOR UPDATE and its like.
pub(super) fn unlocked(
    locks: &[ast::LockClause],
    for_clause: Option<&ast::ForClause>,
    at: Position,
) -> Result<(), QueryError> {
    if let [first, rest @ ..] = locks {
        let error = unsupported(at, "a question locks no rows");
        return Err(if rest.is_empty() { error.hint(format!("leave {first} out")) } else { error });
    }
    absent(for_clause.is_some(), at, "FOR, which is not SQL of PostgreSQL here,")
}

/// The constants of a query without FROM; `None` if the query selects anything else.
pub(super) fn constants(query: &ast::Query) -> Result<Option<Vec<(String, LiteralValue)>>, QueryError> {
    let SetExpr::Select(select) = query.body.as_ref() else { return Ok(None) };
    if !select.from.is_empty() || select.selection.is_some() {
        return Ok(None);
    }
    if totals::read_several(select) || totals::with_from(select)?.is_some() {
        return Ok(None);
    }
    let at = start(query.span());
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    let is_more = is_grouped
        || select.having.is_some()
        || select.distinct.is_some()
        || !query.locks.is_empty()
        || query.fetch.is_some();
    absent(is_more, at, "a clause without a table")?;
    let read = self::query_items(query, &select.projection)?;
    let constant = |item: Item| match (item.value, item.alias) {
        (ItemValue::Key(Expression { value: Scalar::Constant(value), .. }), alias) => {
            Some((alias.map_or_else(|| "?column?".to_owned(), |alias| alias.text), value))
        }
        _ => None,
    };
    Ok(read.into_iter().map(constant).collect::<Option<Vec<_>>>().filter(|constants| !constants.is_empty()))
}

/// The items of a query that has no other clause.
fn query_items(query: &ast::Query, projection: &[SelectItem]) -> Result<Vec<Item>, QueryError> {
    let at = start(query.span());
    absent(
        query.with.is_some() || query.order_by.is_some() || query.limit_clause.is_some(),
        at,
        "a clause without a table",
    )?;
    let mut budget = Budget::default();
    items(projection, &mut budget)
}

fn select(select: &ast::Select, at: Position, budget: &mut Budget) -> Result<Query, QueryError> {
    let Clauses {
        distinct,
        projection,
        from,
        selection,
        group_by,
        having: conditions_after,
        named_window,
        qualify,
        top,
    } = clauses(select, at)?;
    let is_plain = matches!(distinct, None | Some(Distinct::All | Distinct::Distinct));
    if !is_plain {
        return Err(unsupported(
            at,
            "DISTINCT ON chooses among the rows of a query inside, and a question shows all groups",
        ));
    }
    if !named_window.is_empty() {
        return Err(match named_window {
            [NamedWindowDefinition(_, NamedWindowExpr::WindowSpec(spec))] => {
                unsupported(at, "a window has no name here").hint(format!("write OVER ({})", shown(&spec.to_string())))
            }
            _ => unsupported(at, "windows have no names here"),
        });
    }
    let source = sources::from(from, at, budget)?;
    let Some((schema, table)) = source.first_table() else {
        return Err(unsupported(
            at,
            "FROM names no table of people: rows that a question writes itself belong to nobody",
        ));
    };
    let dataset = schema.unwrap_or(table).clone();
    budget.reads(select);
    let (keys, sets) = keys(group_by, at, budget)?;
    let items = items(projection, budget)?;
    let having = conditions_after.map(|expr| having(expr, 0, true, budget)).transpose()?;
    let has_window = |item: &Item| matches!(&item.value, ItemValue::Output(output) if output.has_window());
    // Where no window runs over the groups that HAVING leaves, a condition on totals may come after them.
    let is_late = having.as_ref().is_some_and(Having::has_total) && !items.iter().any(has_window);
    let (having, after) = if is_late { (None, having) } else { (having, None) };
    let qualify = qualify.map(|expr| self::having(expr, 0, true, budget)).transpose()?;
    let after = [after, qualify].into_iter().flatten().reduce(|one, other| Having::All(vec![one, other]));
    Ok(Query {
        from: source,
        dataset,
        distinct: matches!(distinct, Some(Distinct::Distinct)),
        items,
        condition: selection.map(|expr| conditions::of_where(expr, budget)).transpose()?,
        keys,
        sets,
        having,
        after,
        over_groups: None,
        order: Vec::new(),
        limit: top.map(|top| top_of(top, at)).transpose()?,
        offset: 0,
        is_member: false,
        together: None,
        text: QuestionText::default(),
    })
}

/// The clauses of a SELECT that PostgreSQL has.
pub(super) struct Clauses<'a> {
    pub(super) distinct: Option<&'a Distinct>,
    pub(super) projection: &'a [SelectItem],
    pub(super) from: &'a [TableWithJoins],
    pub(super) selection: Option<&'a Expr>,
    pub(super) group_by: &'a GroupByExpr,
    pub(super) having: Option<&'a Expr>,
    pub(super) named_window: &'a [NamedWindowDefinition],
    pub(super) qualify: Option<&'a Expr>,
    pub(super) top: Option<&'a Top>,
}

/// Takes a SELECT apart, and refuses the clauses that PostgreSQL does not have.
pub(super) fn clauses(select: &ast::Select, at: Position) -> Result<Clauses<'_>, QueryError> {
    let ast::Select {
        select_token: _,
        optimizer_hints,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor: _,
    } = select;
    absent(into.is_some(), at, "INTO")?;
    let foreign = !optimizer_hints.is_empty()
        || select_modifiers.is_some()
        || exclude.is_some()
        || !lateral_views.is_empty()
        || prewhere.is_some()
        || !connect_by.is_empty()
        || !cluster_by.is_empty()
        || !distribute_by.is_empty()
        || !sort_by.is_empty()
        || value_table_mode.is_some();
    absent(foreign, at, "a clause that PostgreSQL does not have")?;
    Ok(Clauses {
        distinct: distinct.as_ref(),
        projection,
        from,
        selection: selection.as_ref(),
        group_by,
        having: having.as_ref(),
        named_window,
        qualify: qualify.as_ref(),
        top: top.as_ref(),
    })
}

/// Parses the selected items; a list of percentiles becomes one item for each of them.
fn items(projection: &[SelectItem], budget: &mut Budget) -> Result<Vec<Item>, QueryError> {
    let mut items = Vec::with_capacity(projection.len());
    for one in projection {
        let (expr, alias) = match one {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(name(alias))),
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. } => {
                items.push(item(one, budget)?);
                continue;
            }
        };
        let Some((list, of)) = fractions(expr) else {
            items.push(item(one, budget)?);
            continue;
        };
        let at = start(one.span());
        for fraction in list {
            let (suffix, output) = of_fraction(&of, fraction, budget)?;
            let stem = alias.as_ref().map_or("percentile_cont", |alias| alias.text.as_str());
            let alias = Some(Name { of: None, text: format!("{stem}{suffix}"), at });
            items.push(Item { value: ItemValue::Output(output), alias, at });
        }
    }
    Ok(items)
}

fn item(item: &SelectItem, budget: &mut Budget) -> Result<Item, QueryError> {
    budget.node()?;
    let at = start(item.span());
    let (expr, alias) = match item {
        SelectItem::UnnamedExpr(expr) => (expr, None),
        SelectItem::ExprWithAlias { expr, alias } => (expr, Some(name(alias))),
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
            return Ok(Item { value: ItemValue::Wildcard, alias: None, at });
        }
        SelectItem::ExprWithAliases { .. } => return Err(unsupported(at, "an item has one alias")),
    };
    let is_null = matches!(label(expr), Ok(Some(OutputExpression::Missing)));
    let value = if is_null {
        ItemValue::Output(OutputExpression::Missing)
    } else if let Some(of) = grouping(expr)? {
        ItemValue::Grouping(expression(of, 0, budget)?)
    } else if has_aggregate(expr) {
        ItemValue::Output(output(expr, 0, false, budget)?)
    } else {
        self::of_keys(expr, budget)?
    };
    Ok(Item { value, alias, at })
}

/// An item without aggregates of its own: a total, a key, or what is computed from keys after the noise.
fn of_keys(expr: &Expr, budget: &mut Budget) -> Result<ItemValue, QueryError> {
    if totals::has_query(expr) {
        match output(expr, 0, false, budget) {
            Ok(total) if total.has_aggregate() => return Ok(ItemValue::Output(total)),
            Err(error) if totals::is_no_total(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    match expression(expr, 0, budget) {
        Ok(key) => Ok(ItemValue::Key(key)),
        Err(error) => output(expr, 0, false, budget).map(ItemValue::Output).map_err(|_| error),
    }
}

pub(super) fn ordinal(value: &Value) -> Option<u64> {
    match value {
        Value::Number(text, _) => text.parse().ok(),
        _ => None,
    }
}

fn order(order_by: Option<&ast::OrderBy>, at: Position, budget: &mut Budget) -> Result<Vec<OrderItem>, QueryError> {
    let Some(ast::OrderBy { kind, interpolate }) = order_by else { return Ok(Vec::new()) };
    absent(interpolate.is_some(), at, "INTERPOLATE")?;
    let OrderByKind::Expressions(exprs) = kind else {
        return Err(
            unsupported(at, "ORDER BY ALL is not supported").hint("write the names of the outputs: ORDER BY a, b")
        );
    };
    let one = |order: &ast::OrderByExpr| {
        budget.node()?;
        let ast::OrderByExpr { expr, options, with_fill } = order;
        let at = start(expr.span());
        absent(with_fill.is_some(), at, "WITH FILL")?;
        let descending = match &options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(OrderBySort::Using(_)) => return Err(unsupported(at, "ORDER BY … USING is not supported")),
        };
        let by = match expr {
            Expr::Identifier(ident) => OrderBy::Name(name(ident).text),
            Expr::Value(value) if ordinal(&value.value).is_some() => {
                OrderBy::Ordinal(ordinal(&value.value).unwrap_or_default())
            }
            Expr::Value(_) => return Err(unsupported(at, "ORDER BY wants the name or the number of an output")),
            expr if has_aggregate(expr) => OrderBy::Output(output(expr, 0, false, budget)?),
            expr => OrderBy::Key(expression(expr, 0, budget)?),
        };
        Ok(OrderItem { by, at, descending, nulls_first: options.nulls_first.unwrap_or(descending) })
    };
    exprs.iter().map(one).collect()
}

/// The largest number of rows shown of `SELECT TOP n`.
fn top_of(top: &Top, at: Position) -> Result<u64, QueryError> {
    let Top { with_ties: false, percent: false, quantity } = top else {
        return Err(unsupported(at, "TOP … PERCENT and WITH TIES are not supported").hint("write TOP 10, or LIMIT 10"));
    };
    let found = match quantity {
        Some(TopQuantity::Constant(count)) => Some(*count),
        Some(TopQuantity::Expr(Expr::Value(value))) => ordinal(&value.value),
        Some(TopQuantity::Expr(Expr::Nested(inner))) => match inner.as_ref() {
            Expr::Value(value) => ordinal(&value.value),
            _ => None,
        },
        Some(TopQuantity::Expr(_)) | None => None,
    };
    found.ok_or_else(|| unsupported(at, "TOP wants a whole number"))
}

/// The largest number of rows shown, and the number of those passed over: `LIMIT n OFFSET m`, or `OFFSET m ROWS FETCH FIRST n ROWS ONLY`.
fn limit(
    clause: Option<&LimitClause>,
    fetch: Option<&ast::Fetch>,
    at: Position,
) -> Result<(Option<u64>, u64), QueryError> {
    let whole = |expr: &Expr, word: &str| match expr {
        Expr::Value(value) if ordinal(&value.value).is_some() => Ok(ordinal(&value.value).unwrap_or_default()),
        other => Err(unsupported(start(other.span()), format!("{word} wants a whole number"))),
    };
    let (limit, offset) = match clause {
        None => (None, 0),
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            let is_all = |expr: &Expr| {
                matches!(expr, Expr::Value(value) if value.value == Value::Null)
                    || matches!(expr, Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("all"))
            };
            let limit = limit.as_ref().filter(|expr| !is_all(expr)).map(|expr| whole(expr, "LIMIT")).transpose()?;
            let offset = offset.as_ref().map(|offset| whole(&offset.value, "OFFSET")).transpose()?;
            (limit, offset.unwrap_or_default())
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
            (Some(whole(limit, "LIMIT")?), whole(offset, "LIMIT")?)
        }
        Some(LimitClause::LimitOffset { .. }) => {
            return Err(QueryError::at(Code::UnsupportedSql, at, "LIMIT BY is not supported")
                .hint("write RANK() OVER (PARTITION BY … ORDER BY …), and filter the answer afterwards"));
        }
    };
    match fetch {
        None => Ok((limit, offset)),
        Some(ast::Fetch { with_ties: _, percent: false, quantity }) if limit.is_none() => {
            let quantity = quantity.as_ref().map(|expr| whole(expr, "FETCH")).transpose()?;
            Ok((Some(quantity.unwrap_or(1)), offset))
        }
        Some(ast::Fetch { percent: true, .. }) => Err(unsupported(at, "FETCH … PERCENT is not SQL of PostgreSQL")),
        Some(_) => Err(unsupported(at, "FETCH beside LIMIT is not supported").hint("write one of them")),
    }
}
