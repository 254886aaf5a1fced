//! The columns of the inner query, and their names in the outer one.
//!
//! Promises that a name of the outer query becomes what the inner query selects by it, and that no name comes to mean another column.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, GroupByExpr, Ident, ObjectNamePart, SelectItem, SelectItemQualifiedWildcardKind, Spanned, TableAlias,
    Value, ValueWithSpan, VisitMut, VisitorMut,
};

use super::super::limits::{DEPTH_MAX, NODES_MAX, too_deep};
use super::super::nodes::{name, start, unsupported};
use super::super::outputs::{fractions, is_aggregate};
use super::super::outside::outside;
use super::super::rows::plain;
use super::super::select::ordinal;
use super::aggregated::Aggregating;
use super::find::{Found, found, names_in};
use super::item_of;
use crate::query::error::{Code, Position, QueryError, nearest, shown};

/// Units of time that some functions take as words.
const UNITS_OF_TIME: [&str; 10] =
    ["year", "years", "quarter", "month", "months", "week", "weeks", "day", "days", "hour"];

/// A column of the inner query.
struct AnswerColumn {
    /// The name of its query, if it has one.
    table: Option<String>,
    /// Its name; `None` if it has none that could be written.
    name: Option<String>,
    /// What is selected.
    of: Expr,
    found: Found,
}

/// The columns of the inner query.
pub(super) struct AnswerColumns {
    columns: Vec<AnswerColumn>,
    /// Number of expressions written in place of names so far.
    written: usize,
    /// How aggregates of the outer query are written, if it may have any.
    pub(super) aggregating: Option<Aggregating>,
}

impl AnswerColumns {
    /// The columns of a SELECT, with the names that its alias gives them; `None` if they are not listed one by one.
    pub(super) fn of(select: &ast::Select, alias: Option<&TableAlias>) -> Option<Self> {
        let mut columns = Vec::with_capacity(select.projection.len());
        let table = alias.map(|alias| name(&alias.name).text);
        let renamed = alias.map(|alias| &alias.columns[..]).unwrap_or_default();
        if renamed.len() > select.projection.len() || renamed.iter().any(|column| column.data_type.is_some()) {
            return None;
        }
        for (place, item) in select.projection.iter().enumerate() {
            let of = item_of(item).filter(|of| fractions(of).is_none())?;
            let own = match item {
                SelectItem::ExprWithAlias { alias, .. } => Some(name(alias).text),
                _ => implied_name(of),
            };
            let name = renamed.get(place).map(|column| name(&column.name).text).or(own);
            columns.push(AnswerColumn { table: table.clone(), name, of: of.clone(), found: found(of) });
        }
        Some(Self { columns, written: 0, aggregating: None })
    }

    /// Adds the columns of a query beside this one; a function says what each is in terms of this query's FROM.
    ///
    /// # Errors
    /// Those of the function.
    pub(super) fn join(
        &mut self,
        other: Self,
        write: &dyn Fn(Expr) -> Result<Expr, QueryError>,
    ) -> Result<(), QueryError> {
        for column in other.columns {
            let of = write(column.of)?;
            self.columns.push(AnswerColumn { found: found(&of), of, ..column });
        }
        Ok(())
    }

    /// What a name without a table's selects; `None` if there is no such column, or several.
    pub(super) fn named(&self, text: &str) -> Option<Expr> {
        let mut found = self.columns.iter().filter(|column| column.name.as_deref() == Some(text));
        found.next().filter(|_| found.next().is_none()).map(|column| column.of.clone())
    }

    /// What a name with a table's selects.
    pub(super) fn qualified(&self, of: &Expr) -> Option<Expr> {
        let Expr::CompoundIdentifier(parts) = of else { return None };
        let [table, column] = &parts[..] else { return None };
        let (table, text) = (name(table).text, name(column).text);
        let is_it =
            |column: &&AnswerColumn| column.table.as_ref() == Some(&table) && column.name.as_ref() == Some(&text);
        let mut found = self.columns.iter().filter(is_it);
        found.next().filter(|_| found.next().is_none()).map(|column| column.of.clone())
    }

    /// Whether there is a column of this name.
    pub(super) fn has(&self, text: &str) -> bool {
        self.columns.iter().any(|column| column.name.as_deref() == Some(text))
    }

    /// Whether a column is computed with a window.
    pub(super) fn has_windows(&self) -> bool {
        self.columns.iter().any(|column| column.found.has_window)
    }

    /// Whether every key is selected by itself.
    pub(super) fn shows(&self, keys: &[Expr]) -> bool {
        keys.iter().all(|key| self.columns.iter().any(|column| column.of == *key))
    }

    /// The keys of GROUP BY without ordinals and aliases.
    ///
    /// A name in GROUP BY is a column of FROM if there is one, and an alias otherwise. Which columns there are is not known here, but SQL
    /// says that an aliased expression reads nothing but keys: if the name is a column, the expression reads it, or other keys alone.
    pub(super) fn keys(&self, select: &ast::Select) -> Vec<Expr> {
        let GroupByExpr::Expressions(keys, _) = &select.group_by else { return Vec::new() };
        let of_key = |place: usize, key: &Expr| match key {
            Expr::Value(value) => {
                let column = ordinal(&value.value).and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                column.and_then(|place| self.columns.get(place)).map(|column| column.of.clone())
            }
            Expr::Identifier(ident) => {
                let text = name(ident).text;
                let aliased = self.columns.iter().find(|column| column.name.as_ref() == Some(&text))?;
                let others = keys.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| other);
                let known = names_in(others);
                let names = &aliased.found.names;
                let is_column = names.contains(&text) || names.iter().all(|name| known.contains(name));
                (!is_column && !aliased.found.has_aggregate).then(|| aliased.of.clone())
            }
            _ => None,
        };
        keys.iter().enumerate().map(|(place, key)| of_key(place, key).unwrap_or_else(|| key.clone())).collect()
    }

    /// HAVING of the inner query, in which a name that is no key may be an output's.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if the outputs are too much to write out.
    pub(super) fn having(&mut self, condition: Expr, keys: &[Expr]) -> Result<Expr, QueryError> {
        let known = names_in(keys.iter());
        let mut condition = condition;
        let replaced = outside(&mut condition, |expr| {
            let Expr::Identifier(ident) = &*expr else { return ControlFlow::Continue(()) };
            let text = name(ident).text;
            let place = self.columns.iter().position(|column| column.name.as_ref() == Some(&text));
            let Some(place) = place.filter(|place| !known.contains(&text) && self.columns[*place].found.has_aggregate)
            else {
                return ControlFlow::Continue(());
            };
            match self.written(place) {
                Ok(of) => *expr = of,
                Err(error) => return ControlFlow::Break(Box::new(error)),
            }
            ControlFlow::Continue(())
        });
        match replaced {
            ControlFlow::Continue(()) => Ok(condition),
            ControlFlow::Break(error) => Err(*error),
        }
    }

    /// A sort key of the inner query that is a name or a number.
    pub(super) fn inner_order(&mut self, key: Expr) -> Result<Expr, QueryError> {
        let at = start(key.span());
        let place = match &key {
            Expr::Value(value) => {
                let n = ordinal(&value.value).and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                n.filter(|n| *n < self.columns.len())
            }
            Expr::Identifier(ident) => {
                let text = name(ident).text;
                self.columns.iter().position(|column| column.name.as_ref() == Some(&text))
            }
            _ => None,
        };
        match (place, &key) {
            (Some(place), _) => self.written(place).map(sorted),
            (None, Expr::Value(_)) => Err(unsupported(at, "ORDER BY wants the name or the number of an output")),
            (None, _) => Ok(sorted(key)),
        }
    }

    /// The selected items of the outer query.
    pub(super) fn items(&mut self, outer: &ast::Select) -> Result<Vec<SelectItem>, QueryError> {
        let mut items = Vec::with_capacity(outer.projection.len());
        for item in &outer.projection {
            let at = start(item.span());
            match item {
                SelectItem::UnnamedExpr(of) => {
                    let expr = self.substituted(of.clone())?;
                    items.push(aliased(expr, implied_name(of), of));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let expr = self.substituted(expr.clone())?;
                    items.push(SelectItem::ExprWithAlias { expr, alias: alias.clone() });
                }
                SelectItem::Wildcard(options) => {
                    plain(options, at)?;
                    self.all(None, item, &mut items)?;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(object), options) => {
                    plain(options, at)?;
                    match &object.0[..] {
                        [ObjectNamePart::Identifier(table)] if self.is_table(&name(table).text) => {
                            self.all(Some(name(table).text), item, &mut items)?;
                        }
                        _ => return Err(unsupported(at, "the name of the query in FROM is wanted before .*")),
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
                    return Err(unsupported(at, "the name of the query in FROM is wanted before .*"));
                }
                SelectItem::ExprWithAliases { .. } => return Err(unsupported(at, "an item has one alias")),
            }
        }
        Ok(items)
    }

    fn is_table(&self, table: &str) -> bool {
        self.columns.iter().any(|column| column.table.as_deref() == Some(table))
    }

    /// All columns, or those of one query, in place of `*`.
    fn all(&mut self, table: Option<String>, star: &SelectItem, items: &mut Vec<SelectItem>) -> Result<(), QueryError> {
        let star = Expr::Identifier(Ident::with_span(star.span(), "*"));
        for place in 0..self.columns.len() {
            if table.is_some() && self.columns[place].table != table {
                continue;
            }
            let name = self.columns[place].name.clone();
            let of = self.written(place)?;
            items.push(aliased(of, name, &star));
        }
        Ok(())
    }

    /// An expression of the outer query in terms of the inner query's FROM.
    pub(super) fn substituted(&mut self, expr: Expr) -> Result<Expr, QueryError> {
        let mut expr = expr;
        let mut naming = Outer { columns: self, queries: 0, aggregates: 0 };
        match expr.visit(&mut naming) {
            ControlFlow::Continue(()) => Ok(expr),
            ControlFlow::Break(error) => Err(*error),
        }
    }

    /// What a column selects, to be written in place of its name.
    fn written(&mut self, place: usize) -> Result<Expr, QueryError> {
        let column = &self.columns[place];
        self.written += column.found.parts;
        if column.found.levels > DEPTH_MAX {
            return Err(too_deep());
        }
        if self.written > NODES_MAX {
            let message =
                format!("the query has more than {NODES_MAX} parts: a name counts with all that it stands for");
            return Err(QueryError::whole(Code::UnsupportedSql, message));
        }
        Ok(nested(column.of.clone()))
    }

    /// The column of a name; `None` for words that are no columns.
    fn place(&self, table: Option<&Ident>, column: &Ident) -> Result<Option<usize>, QueryError> {
        let at = start(column.span);
        let text = name(column).text;
        let of = table.map(|table| name(table).text);
        if let Some(table) = table
            && !self.is_table(&name(table).text)
        {
            let message = format!("\"{}\" is not the name of the query in FROM", shown(&table.value));
            return Err(QueryError::at(Code::UnknownColumn, at, message));
        }
        let is_it = |column: &AnswerColumn| column.name.as_ref() == Some(&text) && (of.is_none() || column.table == of);
        let mut places = self.columns.iter().enumerate().filter(|(_, column)| is_it(column)).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(Some(place)),
            // A key that two queries share is one column to USING.
            (Some(place), Some(other)) if of.is_none() && self.columns[place].of == self.columns[other].of => {
                Ok(Some(place))
            }
            (Some(_), Some(_)) => {
                let message = format!("\"{}\" names two columns of the query in FROM", shown(&text));
                Err(unsupported(at, message))
            }
            (None, _) if table.is_none() && UNITS_OF_TIME.contains(&text.as_str()) => Ok(None),
            (None, _) => Err(self.unknown(&text, at)),
        }
    }

    fn unknown(&self, text: &str, at: Position) -> QueryError {
        let names = || self.columns.iter().filter_map(|column| column.name.as_deref());
        let message = format!("\"{}\" is no column of the query in FROM", shown(text));
        match nearest(text, names()) {
            Some(near) => QueryError::at(Code::UnknownColumn, at, message).hint(format!("did you mean \"{near}\"?")),
            None => {
                let names: Vec<_> = names().map(shown).collect();
                let message = format!("{message}, whose columns are {},", names.join(", "));
                QueryError::at(Code::UnknownColumn, at, message)
            }
        }
    }
}

/// Replaces names of the outer query.
struct Outer<'a> {
    columns: &'a mut AnswerColumns,
    queries: usize,
    /// How many aggregates the place is inside of.
    aggregates: usize,
}

impl Outer<'_> {
    /// Whether an expression is an aggregate over groups.
    fn is_aggregate(&self, expr: &Expr) -> bool {
        let is_call = matches!(expr, Expr::Function(call) if call.over.is_none() && is_aggregate(&call.name.to_string().to_lowercase()));
        is_call && self.queries == 0 && self.columns.aggregating.is_some()
    }

    /// What a column selects, in place of its name at `at`.
    fn written(&mut self, place: usize, at: Position) -> Result<Expr, QueryError> {
        let of = self.columns.written(place)?;
        let is_key = |how: &Aggregating| self.aggregates > 0 || how.groups_by(&of);
        if self.columns.aggregating.as_ref().is_none_or(is_key) {
            return Ok(of);
        }
        let name = shown(self.columns.columns[place].name.as_deref().unwrap_or_default());
        let message = format!("\"{name}\" is neither aggregated nor grouped by");
        let error = QueryError::at(Code::NotAnAggregate, at, message);
        Err(match self.columns.aggregating.as_ref().is_some_and(Aggregating::has_keys) {
            true => error.hint(format!("write GROUP BY …, {name} for one row of each of its values, too")),
            false => error.hint(format!("write GROUP BY {name} for one row of each of its values")),
        })
    }
}

impl VisitorMut for Outer<'_> {
    type Break = Box<QueryError>;

    fn pre_visit_query(&mut self, _: &mut ast::Query) -> ControlFlow<Self::Break> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut ast::Query) -> ControlFlow<Self::Break> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        self.aggregates += usize::from(self.is_aggregate(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        self.aggregates -= usize::from(self.is_aggregate(expr));
        if self.queries > 0 {
            return ControlFlow::Continue(());
        }
        let place = match &*expr {
            Expr::Identifier(column) => self.columns.place(None, column),
            Expr::CompoundIdentifier(parts) => match &parts[..] {
                [table, column] => self.columns.place(Some(table), column),
                _ => Err(unsupported(
                    start(expr.span()),
                    "a column of a query in FROM has that query's name before it, or none",
                )),
            },
            _ => {
                return self.columns.aggregating.as_ref().map_or(ControlFlow::Continue(()), |how| how.replace(expr));
            }
        };
        let at = start(expr.span());
        match place.and_then(|place| place.map(|place| self.written(place, at)).transpose()) {
            Ok(Some(of)) => *expr = of,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(Box::new(error)),
        }
        ControlFlow::Continue(())
    }
}

/// An item with a name, if it has one.
fn aliased(expr: Expr, name: Option<String>, at: &Expr) -> SelectItem {
    match name {
        Some(name) => SelectItem::ExprWithAlias { expr, alias: Ident::with_quote_and_span('"', at.span(), name) },
        None => SelectItem::UnnamedExpr(expr),
    }
}

/// An expression that may stand inside of another one.
fn nested(expr: Expr) -> Expr {
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Nested(_)
        | Expr::Function(_)
        | Expr::Case { .. }
        | Expr::Extract { .. }
        | Expr::Floor { .. }
        | Expr::Ceil { .. }
        | Expr::Subquery(_) => expr,
        other => Expr::Nested(Box::new(other)),
    }
}

/// A sort key that is what it says, and no name or number of an output.
pub(super) fn sorted(expr: Expr) -> Expr {
    match expr {
        Expr::Identifier(_) | Expr::Value(ValueWithSpan { value: Value::Number(..), .. }) => {
            Expr::Nested(Box::new(expr))
        }
        other => other,
    }
}

/// The name that PostgreSQL gives an expression; `None` if it has none.
pub(super) fn implied_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(name(ident).text),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| name(ident).text),
        Expr::Nested(inner) => implied_name(inner),
        Expr::Cast { expr, .. } => implied_name(expr),
        Expr::Function(call) => call.name.0.last().and_then(ObjectNamePart::as_ident).map(|ident| name(ident).text),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Case { .. } => Some("case".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        _ => None,
    }
}
