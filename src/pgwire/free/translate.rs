//! PostgreSQL's SQL as SQLite's, with a type for each column.
//!
//! A statement is read once, from the inside out. Every expression becomes SQL with a type; literals and parameters without a type take it
//! from where they stand, as in PostgreSQL. What is not known here is refused, and nothing of a statement is passed on as it was written.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Cte, Expr, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr, SetOperator, SetQuantifier, Statement,
    Values,
};

use super::error::{FreeError, TOO_MUCH};
use super::kind::{Base, Kind};
use super::literals::Typed;
use super::scope::{Field, Scope, folded};
use crate::pgwire::catalogue::names::Names;

/// The largest size of a translated statement, in bytes: sixteen times that of a statement as it is sent.
pub(super) const SQL_BYTES_MAX: usize = 1 << 20;

/// A query in SQLite's SQL, whose columns are called `c0`, `c1`, ….
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) sql: String,
    /// The columns; their `sql` is the name inside of the query.
    pub(super) fields: Vec<Field>,
}

/// A query of WITH that can be named.
struct Common {
    name: String,
    table: String,
    fields: Vec<Field>,
}

/// A statement in SQLite's SQL.
#[derive(Debug)]
pub(super) struct Translated {
    /// The statement in SQLite's SQL.
    pub(super) sql: String,
    /// Names and types of the columns.
    pub(super) columns: Vec<(String, Kind)>,
    /// The types of the parameters.
    pub(super) parameters: Vec<Kind>,
    /// The tables that it reads, by schema and name.
    pub(super) tables: BTreeSet<(String, String)>,
}

/// Translates one statement.
pub(super) struct Translator<'n> {
    pub(super) names: &'n Names,
    /// Types of parameters, as far as they are known.
    pub(super) parameters: Vec<Option<Kind>>,
    pub(super) tables: BTreeSet<(String, String)>,
    commons: Vec<Common>,
    /// Functions of the present select list that return several rows.
    pub(super) several: Option<Vec<String>>,
    next: usize,
}

impl<'n> Translator<'n> {
    /// A translator for a statement whose parameters were declared to have these types.
    pub(super) fn new(names: &'n Names, declared: &[Option<Kind>]) -> Self {
        Self {
            names,
            parameters: declared.to_vec(),
            tables: BTreeSet::new(),
            commons: Vec::new(),
            several: None,
            next: 0,
        }
    }

    /// The statement in SQLite's SQL.
    pub(super) fn statement(mut self, statement: &Statement) -> Result<Translated, FreeError> {
        let Statement::Query(query) = statement else { return Err(FreeError::unsupported("this statement")) };
        let made = self.query(query, None)?;
        let columns = made.fields.into_iter().map(|field| (field.name, field.kind)).collect();
        let parameters = self.parameters.into_iter().map(|kind| kind.unwrap_or(Kind::TEXT)).collect();
        Ok(Translated { sql: made.sql, columns, parameters, tables: self.tables })
    }

    /// A name that nothing else has.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    /// A query of WITH by its name.
    pub(super) fn common(&self, name: &str) -> Option<(String, Vec<Field>)> {
        let found = self.commons.iter().rev().find(|common| common.name == name)?;
        Some((found.table.clone(), found.fields.clone()))
    }

    /// A query inside of a scope.
    pub(super) fn query(&mut self, query: &Query, outer: Option<&Scope<'_>>) -> Result<Made, FreeError> {
        if query.fetch.as_ref().is_some_and(|fetch| fetch.with_ties || fetch.percent) || query.for_clause.is_some() {
            return Err(FreeError::unsupported("this FETCH or FOR"));
        }
        let before = self.commons.len();
        let mut with = String::new();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let is_recursive = query.with.as_ref().is_some_and(|with| with.recursive);
            let made = self.cte(cte, is_recursive, outer)?;
            with.push_str(if with.is_empty() { "WITH RECURSIVE " } else { ", " });
            with.push_str(&made);
        }
        let several = self.several.take();
        let body = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, query.order_by.as_ref(), outer)?,
            body => {
                let mut made = self.body(body, outer)?;
                let order = self.order_of_set(query.order_by.as_ref(), &made.fields)?;
                made.sql.push_str(&order);
                made
            }
        };
        self.several = several;
        let limit = self.limit(query)?;
        self.commons.truncate(before);
        within(with.len() + body.sql.len())?;
        Ok(Made { sql: format!("{with} {}{limit}", body.sql), fields: body.fields })
    }

    fn cte(&mut self, cte: &Cte, is_recursive: bool, outer: Option<&Scope<'_>>) -> Result<String, FreeError> {
        let (name, table) = (folded(&cte.alias.name), self.fresh("w"));
        let renamed = |fields: Vec<Field>| -> Vec<Field> {
            let given = cte.alias.columns.iter().map(|column| Some(folded(&column.name)));
            let given = given.chain(std::iter::repeat(None));
            let one =
                |(field, name): (Field, Option<String>)| Field { name: name.unwrap_or(field.name.clone()), ..field };
            fields.into_iter().zip(given).map(one).collect()
        };
        if let (true, SetExpr::SetOperation { left, .. }) = (is_recursive, cte.query.body.as_ref()) {
            let first = self.body(left, outer)?;
            self.commons.push(Common { name: name.clone(), table: table.clone(), fields: renamed(first.fields) });
            let made = self.query(&cte.query, outer)?;
            return Ok(format!("{table}({}) AS ({})", columns(made.fields.len()), made.sql));
        }
        let made = self.query(&cte.query, outer)?;
        let sql = format!("{table}({}) AS ({})", columns(made.fields.len()), made.sql);
        self.commons.push(Common { name, table, fields: renamed(made.fields) });
        Ok(sql)
    }

    fn body(&mut self, body: &SetExpr, outer: Option<&Scope<'_>>) -> Result<Made, FreeError> {
        match body {
            SetExpr::Select(select) => self.select(select, None, outer),
            SetExpr::Query(query) => self.query(query, outer),
            SetExpr::Values(values) => self.values(values, outer),
            SetExpr::SetOperation { left: left_body, op, set_quantifier, right: right_body } => {
                let word = match (op, set_quantifier) {
                    (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
                    (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
                    (SetOperator::Intersect, SetQuantifier::None | SetQuantifier::Distinct) => "INTERSECT",
                    (SetOperator::Except, SetQuantifier::None | SetQuantifier::Distinct) => "EXCEPT",
                    _ => return Err(FreeError::unsupported(format!("{op} {set_quantifier}"))),
                };
                let (left, right) = (self.body(left_body, outer)?, self.body(right_body, outer)?);
                if left.fields.len() != right.fields.len() {
                    return Err(FreeError::new(
                        "42601",
                        format!("each {op} query must have the same number of columns"),
                    ));
                }
                let kinds = left.fields.iter().zip(&right.fields);
                let fields = kinds.map(|(one, other)| Field { kind: wider(one.kind, other.kind), ..one.clone() });
                // A part that reads the rows that it adds to must not stand in parentheses.
                let part = |made: &Made, body: &SetExpr| match body {
                    SetExpr::Select(_) => made.sql.clone(),
                    _ => format!("SELECT * FROM ({})", made.sql),
                };
                let fields: Vec<Field> = fields.collect();
                let sql = format!("{} {word} {}", part(&left, left_body), part(&right, right_body));
                Ok(Made { sql, fields })
            }
            _ => Err(FreeError::unsupported("this form of a query")),
        }
    }

    fn values(&mut self, values: &Values, outer: Option<&Scope<'_>>) -> Result<Made, FreeError> {
        let scope = Scope::inside(outer);
        let mut rows: Vec<Vec<Typed>> = Vec::new();
        for row in &values.rows {
            rows.push(row.content.iter().map(|cell| self.expr(cell, &scope)).collect::<Result<_, _>>()?);
        }
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(FreeError::new("42601", "VALUES lists must all be the same length"));
        }
        let kind = |place: usize| {
            let kinds = rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.kind);
            kinds.fold(Kind::UNKNOWN, wider)
        };
        let kinds: Vec<Kind> = (0..width).map(kind).map(settled).collect();
        let mut arms = Vec::new();
        for row in rows {
            let mut cells = Vec::new();
            for ((place, cell), kind) in row.into_iter().enumerate().zip(&kinds) {
                cells.push(format!("{} AS c{place}", self.fit(cell, *kind)?.sql));
            }
            arms.push(format!("SELECT {}", cells.join(", ")));
        }
        let field = |(place, kind): (usize, &Kind)| Field {
            name: format!("column{}", place + 1),
            sql: format!("c{place}"),
            kind: *kind,
        };
        Ok(Made { sql: arms.join(" UNION ALL "), fields: kinds.iter().enumerate().map(field).collect() })
    }

    fn order_of_set(&mut self, order: Option<&OrderBy>, fields: &[Field]) -> Result<String, FreeError> {
        let mut parts = Vec::new();
        for item in ordered(order)? {
            let place = match &item.expr {
                Expr::Identifier(name) => fields.iter().position(|field| field.name == folded(name)),
                expr => super::literals::ordinal(expr)
                    .and_then(|place| place.checked_sub(1))
                    .filter(|place| *place < fields.len()),
            };
            let place = place.ok_or_else(|| FreeError::unsupported("ORDER BY an expression over a set of queries"))?;
            parts.push(direction(&format!("c{place}"), item));
        }
        Ok(clause(" ORDER BY ", &parts))
    }

    fn limit(&mut self, query: &Query) -> Result<String, FreeError> {
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(_) => return Err(FreeError::unsupported("this LIMIT")),
        };
        let limit = limit.or(query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()));
        if limit.is_none() && offset.is_none() {
            return Ok(String::new());
        }
        let scope = Scope::default();
        let mut number = |expr: Option<&Expr>, absent: &str| match expr {
            None => Ok(absent.to_owned()),
            Some(expr) => {
                let typed = self.expr(expr, &scope)?;
                Ok::<_, FreeError>(format!("coalesce({}, {absent})", self.fit(typed, Kind::INT8)?.sql))
            }
        };
        Ok(format!(" LIMIT {} OFFSET {}", number(limit, "-1")?, number(offset, "0")?))
    }
}

/// Refuses SQL of more bytes than a statement may become: some of it is written several times, in each level around it once more.
pub(super) fn within(bytes: usize) -> Result<(), FreeError> {
    if bytes <= SQL_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the statement takes more than {SQL_BYTES_MAX} bytes once it is translated");
    Err(FreeError::new(TOO_MUCH, message).hint("nest it less, and read a query in WITH instead of repeating it"))
}

/// The names of so many columns.
pub(super) fn columns(count: usize) -> String {
    (0..count).map(|place| format!("c{place}")).collect::<Vec<_>>().join(", ")
}

/// The items of ORDER BY.
pub(super) fn ordered(order: Option<&OrderBy>) -> Result<&[OrderByExpr], FreeError> {
    match order.map(|order| &order.kind) {
        None => Ok(&[]),
        Some(OrderByKind::Expressions(items)) => Ok(items),
        Some(OrderByKind::All(_)) => Err(FreeError::unsupported("ORDER BY ALL")),
    }
}

/// An expression with the direction of an item: NULLs are last, or first where it descends.
pub(super) fn direction(sql: &str, item: &OrderByExpr) -> String {
    use sqlparser::ast::OrderBySort;
    let descends = matches!(item.options.sort, Some(OrderBySort::Desc));
    let nulls_first = item.options.nulls_first.unwrap_or(descends);
    format!("{sql} {} NULLS {}", if descends { "DESC" } else { "ASC" }, if nulls_first { "FIRST" } else { "LAST" })
}

/// A clause, unless it has no parts.
pub(super) fn clause(word: &str, parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!("{word}{}", parts.join(", ")) }
}

/// The type that both have: the wider one of numbers, and the known one if one is not.
pub(super) fn wider(one: Kind, other: Kind) -> Kind {
    let rank = |kind: Kind| match kind.base {
        Base::Int2 => 1,
        Base::Int4 => 2,
        Base::Int8 => 3,
        Base::Numeric => 4,
        Base::Float4 => 5,
        Base::Float8 => 6,
        Base::Date => 11,
        Base::Timestamp => 12,
        Base::Timestamptz => 13,
        _ => 0,
    };
    if one.is_unknown() || (!one.is_array && !other.is_array && rank(other) > rank(one) && rank(one) > 0) {
        other
    } else {
        one
    }
}

/// A type in place of an unknown one.
pub(super) fn settled(kind: Kind) -> Kind {
    if kind.is_unknown() { Kind::TEXT } else { kind }
}
