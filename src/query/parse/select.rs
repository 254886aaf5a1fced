//! SELECT, FROM, GROUP BY, ORDER BY, LIMIT.

use sqlparser::ast::{
    self, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, LimitClause,
    ObjectNamePart, OrderByKind, OrderBySort, SelectItem, SetExpr, Spanned, TableFactor, Value,
};

use super::{Budget, absent, conditions, name, start, unsupported};
use crate::query::error::{Code, Position, QueryError, nearest, shown};
use crate::query::syntax::{Aggregate, Item, ItemValue, Key, Name, Order, OrderBy, Query};

const AGGREGATES: [&str; 3] = ["count", "sum", "avg"];

pub(super) fn query(query: &ast::Query) -> Result<Query, QueryError> {
    let at = start(query.span());
    let ast::Query {
        with,
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
    absent(with.is_some(), at, "WITH")?;
    absent(fetch.is_some(), at, "FETCH")?;
    absent(!locks.is_empty() || for_clause.is_some(), at, "FOR")?;
    absent(
        settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty(),
        at,
        "a clause after the query",
    )?;
    let SetExpr::Select(select) = body.as_ref() else {
        return Err(unsupported(at, "only one plain SELECT is answered: no UNION, VALUES or TABLE"));
    };
    let mut budget = Budget::default();
    let mut answer = self::select(select, at, &mut budget)?;
    answer.order = order(order_by.as_ref(), at, &mut budget)?;
    answer.limit = limit(limit_clause.as_ref(), at)?;
    Ok(answer)
}

fn select(select: &ast::Select, at: Position, budget: &mut Budget) -> Result<Query, QueryError> {
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
    absent(distinct.is_some(), at, "SELECT DISTINCT")
        .map_err(|error| error.hint("group by the column and count: SELECT column, COUNT(*) … GROUP BY column"))?;
    absent(having.is_some(), at, "HAVING")
        .map_err(|error| error.hint("leave it out; the noisy table can be filtered after it is answered"))?;
    absent(into.is_some(), at, "INTO")?;
    absent(!named_window.is_empty() || qualify.is_some(), at, "a window")?;
    let foreign = !optimizer_hints.is_empty()
        || select_modifiers.is_some()
        || top.is_some()
        || exclude.is_some()
        || !lateral_views.is_empty()
        || prewhere.is_some()
        || !connect_by.is_empty()
        || !cluster_by.is_empty()
        || !distribute_by.is_empty()
        || !sort_by.is_empty()
        || value_table_mode.is_some();
    absent(foreign, at, "a clause that PostgreSQL does not have")?;
    Ok(Query {
        dataset: table(from, at)?,
        items: projection.iter().map(|one| item(one, budget)).collect::<Result<_, _>>()?,
        condition: selection.as_ref().map(|expr| conditions::condition(expr, 0, budget)).transpose()?,
        keys: keys(group_by, at, budget)?,
        order: Vec::new(),
        limit: None,
    })
}

fn table(from: &[ast::TableWithJoins], at: Position) -> Result<Name, QueryError> {
    let [ast::TableWithJoins { relation, joins }] = from else {
        return Err(unsupported(at, format!("{} tables in FROM; name exactly one dataset", from.len())));
    };
    absent(!joins.is_empty(), start(relation.span()), "JOIN")?;
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
        return Err(unsupported(
            start(relation.span()),
            "FROM names a dataset; subqueries and functions are not supported",
        ));
    };
    let plain = alias.is_none()
        && args.is_none()
        && with_hints.is_empty()
        && version.is_none()
        && !with_ordinality
        && partitions.is_empty()
        && json_path.is_none()
        && sample.is_none()
        && index_hints.is_empty();
    absent(!plain, start(relation.span()), "anything beside the dataset's name in FROM")?;
    match &object.0[..] {
        [ObjectNamePart::Identifier(ident)] => Ok(name(ident)),
        _ => Err(unsupported(start(relation.span()), "a dataset has a plain name, without a schema")),
    }
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
    let value = match expr {
        Expr::Identifier(ident) => ItemValue::Column(name(ident)),
        Expr::Function(function) => ItemValue::Aggregate(aggregate(function)?),
        Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Cast { .. } => ItemValue::Expression,
        other => {
            let message = format!("the expression \"{}\" is not supported in SELECT", shown(&other.to_string()));
            return Err(unsupported(start(other.span()), message)
                .hint("select grouping columns, COUNT, SUM and AVG; compute with the answer's columns afterwards"));
        }
    };
    Ok(Item { value, alias, at })
}

fn aggregate(function: &ast::Function) -> Result<Aggregate, QueryError> {
    let ast::Function { name: object, uses_odbc_syntax, parameters, args, within_group, filter, null_treatment, over } =
        function;
    let at = start(object.span());
    let word = object.to_string().to_lowercase();
    if !AGGREGATES.contains(&word.as_str()) {
        return Err(unknown_function(&word, at));
    }
    absent(over.is_some(), at, "OVER: a window function")?;
    absent(filter.is_some(), at, "FILTER").map_err(|error| error.hint("put the condition into WHERE"))?;
    let plain = !uses_odbc_syntax
        && matches!(parameters, FunctionArguments::None)
        && within_group.is_empty()
        && null_treatment.is_none();
    absent(!plain, at, "anything beside the argument of an aggregate")?;
    let FunctionArguments::List(list) = args else {
        return Err(unsupported(at, format!("{} wants one argument in parentheses", word.to_uppercase())));
    };
    absent(!list.clauses.is_empty(), at, "a clause inside an aggregate")?;
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let [FunctionArg::Unnamed(argument)] = &list.args[..] else {
        let message = format!("{} has {} arguments; accepted is one", word.to_uppercase(), list.args.len());
        return Err(unsupported(at, message));
    };
    match (word.as_str(), argument) {
        ("count", FunctionArgExpr::Wildcard) if !distinct => Ok(Aggregate::CountRows),
        ("count", FunctionArgExpr::Expr(Expr::Value(value)))
            if !distinct && matches!(value.value, Value::Number(..)) =>
        {
            Ok(Aggregate::CountRows)
        }
        (word, FunctionArgExpr::Expr(Expr::Identifier(ident))) => match (word, distinct) {
            ("count", false) => Ok(Aggregate::Count(name(ident))),
            ("count", true) => Ok(Aggregate::CountDistinct(name(ident))),
            ("sum", false) => Ok(Aggregate::Sum(name(ident))),
            ("avg", false) => Ok(Aggregate::Avg(name(ident))),
            _ => Err(unsupported(at, format!("{}(DISTINCT …) is not supported", word.to_uppercase()))
                .hint("only COUNT(DISTINCT <unit>) counts distinct values")),
        },
        (word, _) => Err(unsupported(at, format!("{} takes one column by its name", word.to_uppercase()))
            .hint("write COUNT(*), COUNT(column), SUM(column) or AVG(column)")),
    }
}

fn unknown_function(word: &str, at: Position) -> QueryError {
    let error = unsupported(at, format!("the function \"{}\" is not supported", shown(word)));
    match (word, nearest(word, AGGREGATES.into_iter())) {
        ("min" | "max", _) => error.hint("an extreme is one person's value; ask COUNT(*) above a bound instead"),
        (_, Some(near)) => error.hint(format!("did you mean {}?", near.to_uppercase())),
        (_, None) => error.hint("supported are COUNT, SUM and AVG"),
    }
}

fn keys(group_by: &GroupByExpr, at: Position, budget: &mut Budget) -> Result<Vec<Key>, QueryError> {
    let GroupByExpr::Expressions(exprs, modifiers) = group_by else {
        return Err(unsupported(at, "GROUP BY ALL is not supported").hint("name the columns"));
    };
    absent(!modifiers.is_empty(), at, "a modifier of GROUP BY")?;
    let key = |expr: &Expr| {
        budget.node()?;
        match expr {
            Expr::Identifier(ident) => Ok(Key::Column(name(ident))),
            Expr::Value(value) => match ordinal(&value.value) {
                Some(ordinal) => Ok(Key::Ordinal(ordinal, start(value.span))),
                None => Err(unsupported(start(value.span), "GROUP BY wants columns")),
            },
            other => {
                let message = format!("GROUP BY \"{}\" is not supported", shown(&other.to_string()));
                Err(unsupported(start(other.span()), message).hint("group by category and boolean columns"))
            }
        }
    };
    exprs.iter().map(key).collect()
}

fn ordinal(value: &Value) -> Option<u64> {
    match value {
        Value::Number(text, _) => text.parse().ok(),
        _ => None,
    }
}

fn order(order_by: Option<&ast::OrderBy>, at: Position, budget: &mut Budget) -> Result<Vec<Order>, QueryError> {
    let Some(ast::OrderBy { kind, interpolate }) = order_by else { return Ok(Vec::new()) };
    absent(interpolate.is_some(), at, "INTERPOLATE")?;
    let OrderByKind::Expressions(exprs) = kind else {
        return Err(unsupported(at, "ORDER BY ALL is not supported").hint("name the outputs"));
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
            Expr::Function(function) => OrderBy::Aggregate(aggregate(function)?),
            Expr::Value(value) if ordinal(&value.value).is_some() => {
                OrderBy::Ordinal(ordinal(&value.value).unwrap_or_default())
            }
            _ => return Err(unsupported(at, "ORDER BY wants the name or the number of an output")),
        };
        Ok(Order { by, at, descending, nulls_first: options.nulls_first.unwrap_or(descending) })
    };
    exprs.iter().map(one).collect()
}

fn limit(clause: Option<&LimitClause>, at: Position) -> Result<Option<u64>, QueryError> {
    match clause {
        None => Ok(None),
        Some(LimitClause::LimitOffset { limit, offset: None, limit_by }) if limit_by.is_empty() => match limit {
            None => Ok(None),
            Some(Expr::Value(value)) if ordinal(&value.value).is_some() => Ok(ordinal(&value.value)),
            Some(other) => Err(unsupported(start(other.span()), "LIMIT wants a whole number")),
        },
        Some(_) => Err(QueryError::at(Code::UnsupportedSql, at, "OFFSET and LIMIT BY are not supported")
            .hint("LIMIT alone is; the answer can be paged afterwards at no cost")),
    }
}
