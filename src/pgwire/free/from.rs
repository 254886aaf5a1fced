//! FROM: tables, queries, functions that return rows, and joins.

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias,
    TableFactor, TableWithJoins,
};

use super::error::{FreeError, NO_TABLE, UNSUPPORTED};
use super::kind::{Base, Kind};
use super::literals::Typed;
use super::scope::{Field, Item, Scope, folded};
use super::titles::{last, parts};
use super::translate::Translator;
use crate::pgwire::catalogue::relation::{OWN, Relation, Source};
use crate::pgwire::published::quote;

/// Functions whose rows do not exist here, with their columns.
const EMPTY: [(&str, &[(&str, Base)]); 5] = [
    (
        "aclexplode",
        &[("grantor", Base::Oid), ("grantee", Base::Oid), ("privilege_type", Base::Text), ("is_grantable", Base::Bool)],
    ),
    ("pg_options_to_table", &[("option_name", Base::Text), ("option_value", Base::Text)]),
    ("pg_get_keywords", &[("word", Base::Text), ("catcode", Base::Char), ("catdesc", Base::Text)]),
    ("pg_available_extensions", &[("name", Base::Name), ("default_version", Base::Text), ("comment", Base::Text)]),
    (
        "pg_timezone_names",
        &[("name", Base::Text), ("abbrev", Base::Text), ("utc_offset", Base::Interval), ("is_dst", Base::Bool)],
    ),
];

impl Translator<'_> {
    /// FROM with its word; empty without any tables.
    pub(super) fn from(&mut self, from: &[TableWithJoins], scope: &mut Scope<'_>) -> Result<String, FreeError> {
        let mut sql = String::new();
        for tables in from {
            sql.push_str(if sql.is_empty() { " FROM " } else { " JOIN " });
            sql.push_str(&self.factor(&tables.relation, scope)?);
            for join in &tables.joins {
                sql.push_str(&self.join(join, scope)?);
            }
        }
        Ok(sql)
    }

    fn join(&mut self, join: &Join, scope: &mut Scope<'_>) -> Result<String, FreeError> {
        let (word, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) | JoinOperator::CrossJoin(constraint) => {
                ("JOIN", constraint)
            }
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("LEFT JOIN", constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => ("RIGHT JOIN", constraint),
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", constraint),
            _ => return Err(FreeError::unsupported("this kind of join")),
        };
        let before = scope.items.len();
        let table = self.factor(&join.relation, scope)?;
        let condition = match constraint {
            JoinConstraint::None => String::new(),
            JoinConstraint::On(condition) => format!(" ON {}", self.truth(condition, scope)?),
            JoinConstraint::Using(names) => {
                let names: Vec<String> = names.iter().map(last).collect();
                using(&names, word, before, scope)?
            }
            JoinConstraint::Natural => {
                let left: Vec<&Field> = scope.items[..before].iter().flat_map(|item| &item.fields).collect();
                let right = scope.items[before..].iter().flat_map(|item| &item.fields);
                let names = right.filter(|field| left.iter().any(|one| one.name == field.name));
                let names: Vec<String> = names.map(|field| field.name.clone()).collect();
                using(&names, word, before, scope)?
            }
        };
        Ok(format!(" {word} {table}{condition}"))
    }

    fn factor(&mut self, factor: &TableFactor, scope: &mut Scope<'_>) -> Result<String, FreeError> {
        match factor {
            TableFactor::Table { name, alias, args: None, sample: None, .. } => self.table(name, alias.as_ref(), scope),
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } => {
                self.rows(name, &args.args, alias.as_ref(), *with_ordinality, scope)
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.rows(name, args, alias.as_ref(), *with_ordinality, scope)
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let arguments: Vec<FunctionArg> =
                    array_exprs.iter().map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr.clone()))).collect();
                self.rows(&vec![Ident::new("unnest")].into(), &arguments, alias.as_ref(), *with_ordinality, scope)
            }
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                self.derived(*lateral, subquery, alias.as_ref(), scope)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let mut sql = self.factor(&table_with_joins.relation, scope)?;
                for join in &table_with_joins.joins {
                    sql.push_str(&self.join(join, scope)?);
                }
                Ok(format!("({sql})"))
            }
            other => Err(FreeError::unsupported(format!("{other}")).at(other.span().start)),
        }
    }

    fn table(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
    ) -> Result<String, FreeError> {
        let parts = parts(name);
        let item = self.fresh("i");
        if let [only] = parts.as_slice()
            && let Some((table, fields)) = self.common(only)
        {
            let fields =
                fields.into_iter().map(|field| Field { sql: format!("{item}.{}", field.sql), ..field }).collect();
            add(scope, alias, only, None, fields);
            return Ok(format!("{table} AS {item}"));
        }
        let missing = || {
            let shown = parts.join(".");
            FreeError::new(NO_TABLE, format!("relation \"{shown}\" does not exist")).at(name.span().start)
        };
        let relation: &Relation = relation_of(self.names, &parts).ok_or_else(missing)?;
        if matches!(relation.source, Source::Private) {
            let message =
                format!("the dataset's table \"{}\" cannot be read together with free tables", parts.join("."));
            let hint = "ask about the dataset by itself; what is published of it is in schema published";
            return Err(FreeError::new(UNSUPPORTED, message).at(name.span().start).hint(hint));
        }
        self.tables.insert((relation.schema.clone(), relation.name.clone()));
        let field = |column: &crate::pgwire::catalogue::relation::Attribute| Field {
            name: column.name.clone(),
            sql: format!("{item}.{}", identifier(&column.name)),
            kind: column.kind,
        };
        let fields = relation.columns.iter().map(field).collect();
        add(scope, alias, &relation.name, Some(&relation.schema), fields);
        if let Some(added) = scope.items.last_mut() {
            let (name, sql) = ("tableoid".to_owned(), relation.oid.to_string());
            added.hidden.push(Field { name, sql, kind: Kind::OID });
        }
        Ok(format!("{} AS {item}", identifier(&format!("{}.{}", relation.schema, relation.name))))
    }

    fn derived(
        &mut self,
        is_lateral: bool,
        query: &sqlparser::ast::Query,
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
    ) -> Result<String, FreeError> {
        let item = self.fresh("i");
        if !is_lateral {
            let made = self.query(query, scope.outer)?;
            let fields = made.fields.into_iter().map(|field| Field { sql: format!("{item}.{}", field.sql), ..field });
            add(scope, alias, "", None, fields.collect());
            return Ok(format!("({}) AS {item}", made.sql));
        }
        let beside = Scope { items: scope.items.clone(), shared: scope.shared.clone(), outer: scope.outer };
        let made = self.query(query, Some(&beside))?;
        let columns = super::translate::columns(made.fields.len());
        let field = |(place, field): (usize, Field)| Field {
            sql: format!("json_extract({item}.value, '$[{place}]')"),
            ..field
        };
        add(scope, alias, "", None, made.fields.into_iter().enumerate().map(field).collect());
        Ok(format!("json_each((SELECT json_group_array(json_array({columns})) FROM ({}))) AS {item}", made.sql))
    }

    /// A function in FROM.
    fn rows(
        &mut self,
        name: &ObjectName,
        arguments: &[FunctionArg],
        alias: Option<&TableAlias>,
        with_ordinality: bool,
        scope: &mut Scope<'_>,
    ) -> Result<String, FreeError> {
        let function = last(name);
        let item = self.fresh("i");
        let value = format!("{item}.value");
        if let Some((_, columns)) = EMPTY.iter().find(|(known, _)| *known == function) {
            let nulls: Vec<String> = (0..columns.len()).map(|place| format!("NULL AS c{place}")).collect();
            let field = |(place, (name, base)): (usize, &(&str, Base))| Field {
                name: (*name).to_owned(),
                sql: format!("{item}.c{place}"),
                kind: Kind::of(*base),
            };
            add(scope, alias, &function, None, columns.iter().enumerate().map(field).collect());
            return Ok(format!("(SELECT {} WHERE 0) AS {item}", nulls.join(", ")));
        }
        let beside = Scope { items: scope.items.clone(), shared: scope.shared.clone(), outer: scope.outer };
        let given: Vec<Expr> = arguments.iter().map(argument).collect::<Result<_, _>>()?;
        if function == "quote"
            && parts(name).first().is_some_and(|schema| schema == OWN || schema == "quote")
            && given.len() == 2
        {
            let typed = self.all(&given, &beside)?;
            let texts = typed
                .into_iter()
                .map(|one| Ok(self.fit(one, Kind::TEXT)?.sql))
                .collect::<Result<Vec<_>, FreeError>>()?;
            let field = |(place, column): (usize, crate::pgwire::catalogue::relation::Attribute)| Field {
                name: column.name,
                sql: format!("json_extract({value}, '$[{place}]')"),
                kind: column.kind,
            };
            add(scope, alias, "quote", None, quote::columns().into_iter().enumerate().map(field).collect());
            return Ok(format!("json_each(f_quote_rows({})) AS {item}", texts.join(", ")));
        }
        let mut fields = Vec::new();
        let named = alias.map_or_else(|| function.clone(), |alias| folded(&alias.name));
        let sql = match self.several_rows(&function, &given, &beside)? {
            Some(Typed { sql, kind, .. }) if kind.base == Base::Record => {
                for (part, base) in [("x", Base::Int2), ("n", Base::Int4)] {
                    let sql = format!("json_extract({value}, '$.{part}')");
                    fields.push(Field { name: part.to_owned(), sql, kind: Kind::of(base) });
                }
                format!("json_each({sql}) AS {item}")
            }
            Some(Typed { sql, kind, .. }) => {
                fields.push(Field { name: named, sql: value, kind });
                format!("json_each({sql}) AS {item}")
            }
            None => {
                let one = self.call(&function, &given, &beside, name.span().start)?;
                fields.push(Field { name: named, sql: format!("{item}.value"), kind: one.kind });
                format!("json_each(json_array({})) AS {item}", one.sql)
            }
        };
        if with_ordinality {
            fields.push(Field { name: "ordinality".to_owned(), sql: format!("({item}.key + 1)"), kind: Kind::INT8 });
        }
        add(scope, alias, &function, None, fields);
        Ok(sql)
    }
}

/// The table of a name, with or without its schema and its database.
pub(super) fn relation_of<'n>(
    names: &'n crate::pgwire::catalogue::names::Names,
    parts: &[String],
) -> Option<&'n Relation> {
    match parts {
        [name] => names.on_path(name),
        [schema, name] => names.seen.relation(schema, name),
        [database, schema, name] if *database == names.seen.database => names.seen.relation(schema, name),
        _ => None,
    }
}

/// An argument that is an expression.
pub(super) fn argument(argument: &FunctionArg) -> Result<Expr, FreeError> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr.clone()),
        other => Err(FreeError::unsupported(format!("the argument {other}"))),
    }
}

/// A name in SQLite's quotation marks.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Adds an item under its alias, whose columns may be renamed.
fn add(scope: &mut Scope<'_>, alias: Option<&TableAlias>, name: &str, schema: Option<&str>, mut fields: Vec<Field>) {
    for (field, column) in fields.iter_mut().zip(alias.map_or(&[][..], |alias| &alias.columns)) {
        field.name = folded(&column.name);
    }
    let schema = schema.filter(|_| alias.is_none()).map(str::to_owned);
    let alias = alias.map_or_else(|| name.to_owned(), |alias| folded(&alias.name));
    scope.items.push(Item { alias, schema, fields, hidden: Vec::new() });
}

/// The condition of USING. The columns become shared.
fn using(names: &[String], word: &str, before: usize, scope: &mut Scope<'_>) -> Result<String, FreeError> {
    let mut conditions = Vec::new();
    for name in names {
        let missing = || FreeError::new(super::error::NO_COLUMN, format!("column \"{name}\" of USING does not exist"));
        let shared = scope.shared.iter().find(|field| field.name == *name).cloned();
        let left = scope.items[..before].iter().flat_map(|item| &item.fields).find(|field| field.name == *name);
        let left = shared.or(left.cloned()).ok_or_else(missing)?;
        let right = scope.items[before..].iter().flat_map(|item| &item.fields).find(|field| field.name == *name);
        let right = right.cloned().ok_or_else(missing)?;
        conditions.push(format!("{} = {}", left.sql, right.sql));
        scope.shared.retain(|field| field.name != *name);
        let sql = if word == "JOIN" || word == "LEFT JOIN" {
            left.sql.clone()
        } else {
            format!("coalesce({}, {})", left.sql, right.sql)
        };
        scope.shared.push(Field { sql, ..left });
    }
    Ok(if conditions.is_empty() { String::new() } else { format!(" ON {}", conditions.join(" AND ")) })
}
