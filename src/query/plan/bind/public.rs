//! Public tables: joined with rows of units, or looked up while a question is planned.

use crate::query::computation::relation::Relation;
use crate::query::error::{Position, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{
    Comparison, Condition, Distinct, Expression, FromItem, ListedRows, Literal, LiteralValue, Name, RowValue, Rows,
    Scalar, Select,
};
use crate::query::term::context::TermContext;
use crate::query::term::{Term, checker, interpret};
use crate::query::terms::domain::{Column, Domain, date_text};
use crate::query::terms::policy::{PublicTable, Terms};

use super::conditions::{among, conjuncts};
use super::joins::JoinCondition;
use super::resolve::Naming;
use super::scope::{Meaning, NamedRows, VisibleColumn};
use super::sources::renamed;
use super::{Binder, unsupported};
use crate::query::plan::public::chosen;

/// Rows of a public table.
pub(super) struct PublicScope {
    /// The name that it has in the question.
    pub(super) name: String,
    /// The table whose rows these are.
    source: PublicSource,
    /// The condition on the rows that count.
    filter: Option<Filter>,
    /// The columns that can be named, over the table's columns.
    columns: Vec<VisibleColumn>,
}

/// A public table.
enum PublicSource {
    /// One of the dataset's, by its index.
    Declared(usize),
    /// Rows that the question writes itself.
    Listed(ListedRows, Box<PublicTable>),
}

impl PublicScope {
    fn table<'a>(&'a self, dataset: &'a Terms) -> &'a PublicTable {
        match &self.source {
            PublicSource::Declared(table) => &dataset.public[*table],
            PublicSource::Listed(_, table) => table,
        }
    }
}

impl Binder<'_> {
    /// Rows that the question writes itself.
    fn listed_rows(&self, listed: &ListedRows, names: &[String], at: Position) -> Result<PublicScope, QueryError> {
        let table = listed.table().ok_or_else(|| unsupported(at, "a number of this list is too large"))?;
        let column = |(index, name): (usize, &String)| VisibleColumn {
            of: None,
            name: name.clone(),
            term: Term::Column(index),
            is_merged: false,
            place: index,
        };
        let columns = names.iter().enumerate().map(column).collect();
        let source = PublicSource::Listed(listed.clone(), Box::new(table));
        Ok(PublicScope { name: "VALUES".to_owned(), source, filter: None, columns })
    }

    /// A public table by its name.
    pub(super) fn public_table(&self, name: &Name, of: &str) -> Option<PublicScope> {
        let table = self.terms.public.iter().position(|table| table.name == name.text)?;
        let column = |(index, column): (usize, &Column)| VisibleColumn {
            of: Some(of.to_owned()),
            name: column.name.clone(),
            term: Term::Column(index),
            is_merged: false,
            place: index,
        };
        let columns = self.terms.public[table].columns.iter().enumerate().map(column).collect();
        Some(PublicScope { name: of.to_owned(), source: PublicSource::Declared(table), filter: None, columns })
    }

    fn is_public(&self, source: &FromItem) -> bool {
        let mut tables = Vec::new();
        source.tables(&mut tables);
        let is_own = |name: &str| {
            (self.terms.tables.is_empty() && name == self.dataset)
                || self.terms.joins.iter().any(|join| join.name == name)
                || self.terms.tables.iter().any(|table| table.name == name)
        };
        let is_public = |name: &str| self.terms.public.iter().any(|table| table.name == name);
        tables.iter().all(|(_, name)| is_public(&name.text) && !is_own(&name.text))
    }

    /// A query of a public table alone; `None` if it is of anything else.
    ///
    /// # Errors
    /// A refusal of what is not worked out from public rows.
    pub(super) fn public_rows(
        &self,
        rows: &Rows,
        alias: Option<&Name>,
        columns: &[Name],
    ) -> Result<Option<PublicScope>, QueryError> {
        let mut public = match rows {
            Rows::Listed { listed, names, at } => self.listed_rows(listed, names, *at)?,
            Rows::Select(select) if self.is_public(&select.from) => self.public_select(select)?,
            Rows::Select(_) | Rows::Set { .. } => return Ok(None),
        };
        let of = alias.map(|alias| alias.text.clone());
        public.name = of.clone().unwrap_or(public.name);
        for column in &mut public.columns {
            column.of.clone_from(&of);
        }
        for (name, column) in columns.iter().zip(&mut public.columns) {
            name.text.clone_into(&mut column.name);
        }
        Ok(Some(public))
    }

    fn public_select(&self, select: &Select) -> Result<PublicScope, QueryError> {
        let at = select.at;
        let mut conditions = select.condition.clone().map(conjuncts).unwrap_or_default();
        let super::scope::Bound::Public(public) = self.source(&select.from, &mut conditions)? else {
            return Err(unsupported(at, "a query of public tables names public tables alone"));
        };
        let mut public = *public;
        let is_plain = select.keys.is_empty()
            && select.having.is_none()
            && select.qualify.is_none()
            && !matches!(select.distinct, Distinct::On(_));
        if !is_plain {
            return Err(unsupported(at, "rows of a public table are chosen by WHERE alone"));
        }
        let scope = self.public_scope(&public);
        let mut filters: Vec<Filter> = public.filter.take().into_iter().collect();
        for condition in conditions {
            let mut condition = match condition {
                Condition::InRows(of, rows) => self.looked_up(&scope, &of, &rows)?,
                other => other,
            };
            condition.rewrite(&mut Naming { scope: &scope })?;
            condition.rewrite(&mut Present { scope: &scope })?;
            filters.extend(checker::narrowing(Some(&condition), &scope.context(&self.steps))?);
        }
        if !filters.is_empty() {
            public.filter = Some(Filter::All(filters).simplest(&TermContext::within(&scope.terms, &self.steps)));
        }
        let mut columns = Vec::new();
        for item in &select.items {
            match &item.value {
                RowValue::Wildcard(_) => columns.extend(public.columns.iter().cloned()),
                RowValue::Expression(expression) => {
                    let mut value = expression.clone();
                    value.rewrite(&mut Naming { scope: &scope })?;
                    let name = item.alias.as_ref().map_or_else(
                        || match &expression.value {
                            Scalar::Column(name) => name.text.clone(),
                            _ => "?column?".to_owned(),
                        },
                        |alias| alias.text.clone(),
                    );
                    let term = checker::typed(&value, &scope.context(&self.steps))?;
                    columns.push(VisibleColumn { of: None, name, term, is_merged: false, place: columns.len() });
                }
            }
        }
        public.columns = columns;
        Ok(public)
    }

    /// The rows of a public table as if they were rows of a unit, to type terms over them.
    fn public_scope(&self, public: &PublicScope) -> NamedRows {
        let table = public.table(self.terms);
        let terms = self.terms.with(table.columns.clone(), 1, table.rows);
        let relation = Relation::Table { table: u32::MAX, rows_per_unit: 1 };
        NamedRows {
            relation,
            filter: None,
            terms,
            columns: public.columns.clone(),
            units: Vec::new(),
            joins: Vec::new(),
            is_partial: false,
        }
    }

    fn looked_up(&self, scope: &NamedRows, of: &Expression, rows: &Rows) -> Result<Condition, QueryError> {
        self.listed(scope, of, rows)?
            .ok_or_else(|| unsupported(rows.at(), "rows of a public table do not depend on those of people"))
    }

    /// `a IN (SELECT … FROM public)` as a condition on a list; `None` if the query is not of public tables.
    ///
    /// # Errors
    /// Those of the query.
    pub(super) fn listed(
        &self,
        scope: &NamedRows,
        of: &Expression,
        rows: &Rows,
    ) -> Result<Option<Condition>, QueryError> {
        let Some(public) = self.public_rows(rows, None, &[])? else { return Ok(None) };
        let [column] = &public.columns[..] else {
            return Err(unsupported(rows.at(), "the query behind IN selects one column"));
        };
        let (values, domain) = self.values(&public, &column.term)?;
        let mut typed = of.clone();
        typed.rewrite(&mut Naming { scope })?;
        let term = checker::typed(&typed, &scope.context(&self.steps))?;
        let facts = scope.context(&self.steps).facts(&term).domain.into_owned();
        // A value that the column cannot have is in no row of it.
        let literals = values.into_iter().flatten().filter_map(|value| {
            let literal = literal(&domain, value)?;
            let is_possible = match (&facts, &literal) {
                (Domain::Category(labels), LiteralValue::Text(text) | LiteralValue::Number(text)) => {
                    labels.code(text).is_some()
                }
                (Domain::Category(_), LiteralValue::Date(_) | LiteralValue::Boolean(_)) => false,
                (Domain::Number(_) | Domain::Date { .. } | Domain::Boolean | Domain::Text { .. }, _) => true,
            };
            is_possible.then_some(Literal { value: literal, at: rows.at() })
        });
        Ok(Some(among(of, literals.collect())))
    }

    /// The only value of a query of public tables; `None` if the query is of anything else.
    ///
    /// # Errors
    /// A refusal if it has several rows or none.
    pub(super) fn constant(&self, rows: &Rows) -> Result<Option<Scalar>, QueryError> {
        let Some(public) = self.public_rows(rows, None, &[])? else { return Ok(None) };
        let [column] = &public.columns[..] else {
            return Err(unsupported(rows.at(), "a query that is a value selects one column"));
        };
        let (values, domain) = self.values(&public, &column.term)?;
        let [Some(value)] = &values[..] else {
            let message =
                format!("the query of the public table has {} different values; accepted is one", values.len());
            return Err(unsupported(rows.at(), message));
        };
        Ok(literal(&domain, *value).map(Scalar::Constant))
    }

    /// The different values of a term in the rows of a public table that count.
    fn values(&self, public: &PublicScope, term: &Term) -> Result<(Vec<Option<i64>>, Domain), QueryError> {
        let table = public.table(self.terms);
        let terms: Terms = self.terms.with(table.columns.clone(), 1, table.rows);
        let known = TermContext::of(&terms);
        let mut found = std::collections::BTreeSet::new();
        for row in chosen(table, public.filter.as_slice(), &known) {
            let of = |column: usize| table.values.get(column).and_then(|values| values.get(row).copied().flatten());
            found.insert(interpret::stored(term, &of, &known));
        }
        let domain = known.facts(term).domain.into_owned();
        Ok((found.into_iter().collect(), domain))
    }

    /// Joins rows of units with rows of a public table.
    ///
    /// # Errors
    /// A refusal if a row could meet too many of them.
    pub(super) fn with_public(
        &self,
        left: NamedRows,
        public: PublicScope,
        is_left: bool,
        on: JoinCondition,
        conditions: &mut Vec<Condition>,
        at: Position,
    ) -> Result<NamedRows, QueryError> {
        let right = self.public_scope(&public);
        let offset = left.terms.columns.len();
        let mut pair = self.side_by_side(&left, &right);
        let mut parts = on.conditions(&mut pair, &left, &right, at)?;
        if !is_left {
            // WHERE may say which rows an inner join pairs.
            let mut rest = Vec::with_capacity(conditions.len());
            for condition in std::mem::take(conditions) {
                let mut naming = Sides { left: &left, right: &right, is_right: false, is_other: false };
                condition.clone().rewrite(&mut naming)?;
                if naming.is_right && !naming.is_other { parts.push(condition) } else { rest.push(condition) }
            }
            *conditions = rest;
        }
        let (mut equal, mut rest) = (Vec::new(), Vec::new());
        for part in parts {
            match self.equality(&part, &left, &right)? {
                Some(pair) => equal.push(pair),
                None => rest.push(part),
            }
        }
        equal.sort();
        equal.dedup();
        let own = public.filter.map(|filter| filter.renumbered(&|index| index + offset));
        let typed = self.condition(rest, &pair)?;
        let on: Vec<Filter> = typed.into_iter().chain(own).collect();
        let on = (!on.is_empty()).then(|| Filter::All(on).simplest(&TermContext::within(&pair.terms, &self.steps)));
        let of = Box::new(self.relation(&left));
        pair.relation = match public.source {
            PublicSource::Declared(table) => {
                let table = u32::try_from(table).unwrap_or(u32::MAX);
                Relation::Public { of, table, equal, on, is_left }
            }
            PublicSource::Listed(listed, _) => Relation::Listed { of, listed, equal, on, is_left },
        };
        let terms = self.terms_of(&pair.relation, at)?;
        pair.terms = renamed(terms, &pair.terms);
        Ok(pair)
    }

    /// The term and the public column that a condition compares; `None` for any other condition.
    fn equality(
        &self,
        part: &Condition,
        left: &NamedRows,
        right: &NamedRows,
    ) -> Result<Option<(Term, u32)>, QueryError> {
        let Condition::Compare(one, Comparison::Equal, other) = part else { return Ok(None) };
        let column = |expression: &Expression| -> Result<Option<u32>, QueryError> {
            let Scalar::Column(name) = &expression.value else { return Ok(None) };
            let is_left = name.of.is_none() && !matches!(left.meaning(name), Ok(None));
            Ok(match right.meaning(name)? {
                Some(Meaning::Column(Term::Column(index))) if !is_left => u32::try_from(index).ok(),
                _ => None,
            })
        };
        let (side, public) = match (column(one)?, column(other)?) {
            (Some(public), None) => (other, public),
            (None, Some(public)) => (one, public),
            _ => return Ok(None),
        };
        let mut naming = Sides { left, right, is_right: false, is_other: false };
        let mut side = side.clone();
        side.clone().rewrite(&mut naming)?;
        if naming.is_right || naming.is_other {
            return Ok(None);
        }
        side.rewrite(&mut Naming { scope: left })?;
        if matches!(side.value, Scalar::Constant(_)) {
            return Ok(None);
        }
        let term = checker::typed(&side, &left.context(&self.steps))?;
        let (own, known) = (left.context(&self.steps), &right.terms.columns[public as usize].domain);
        let own = own.facts(&term).domain.into_owned();
        let is_comparable = match (&own, known) {
            (Domain::Number(_), Domain::Number(_))
            | (Domain::Date { .. }, Domain::Date { .. })
            | (Domain::Category(_), Domain::Category(_))
            | (Domain::Boolean, Domain::Boolean) => true,
            // A list of numbers is a list of their texts.
            (Domain::Category(_), Domain::Number(grid)) | (Domain::Number(grid), Domain::Category(_)) => grid.integer,
            _ => false,
        };
        if !is_comparable {
            let name = shown(&right.terms.columns[public as usize].name);
            let message = format!("a {} cannot equal \"{name}\", which is a {}", own.type_name(), known.type_name());
            return Err(unsupported(side.at, message));
        }
        Ok(Some((term, public)))
    }

    /// Two public tables side by side.
    ///
    /// # Errors
    /// Always: rows of people stand between them.
    pub(super) fn both_public(
        &self,
        one: PublicScope,
        other: PublicScope,
        _on: JoinCondition,
        _conditions: &mut Vec<Condition>,
        at: Position,
    ) -> Result<PublicScope, QueryError> {
        let message = format!("\"{}\" and \"{}\" are both public", shown(&one.name), shown(&other.name));
        Err(unsupported(at, message)
            .hint("write a table of people first, and join each of them with it: FROM … JOIN … JOIN …"))
    }
}

/// Which side the names of a condition are of.
struct Sides<'a> {
    left: &'a NamedRows,
    right: &'a NamedRows,
    /// Whether a name is a column of the public table.
    is_right: bool,
    /// Whether a name is of neither side, or a query stands inside.
    is_other: bool,
}

impl Rewriter for Sides<'_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        match &expression.value {
            Scalar::Column(name) => {
                let (is_left, is_right) =
                    (!matches!(self.left.meaning(name), Ok(None)), !matches!(self.right.meaning(name), Ok(None)));
                self.is_right |= is_right && !is_left;
                self.is_other |= !is_left && !is_right;
            }
            Scalar::Subquery(_) => self.is_other = true,
            _ => {}
        }
        Ok(false)
    }

    fn condition(&mut self, condition: &mut Condition) -> Result<bool, QueryError> {
        self.is_other |= matches!(condition, Condition::InRows(..) | Condition::Exists(_));
        Ok(false)
    }
}

/// Drops values that no public row has from lists of which some row has another value: the lists are written for public tables of every
/// size. A list without any known value is refused by typing, as it is more likely to be misspelt.
struct Present<'a> {
    scope: &'a NamedRows,
}

impl Rewriter for Present<'_> {
    fn expression(&mut self, _expression: &mut Expression) -> Result<bool, QueryError> {
        Ok(false)
    }

    fn condition(&mut self, condition: &mut Condition) -> Result<bool, QueryError> {
        let Condition::In(Expression { value: Scalar::Column(name), .. }, literals) = condition else {
            return Ok(false);
        };
        let Some(Meaning::Column(Term::Column(index))) = self.scope.meaning(name)? else { return Ok(false) };
        let Domain::Category(labels) = &self.scope.terms.columns[index].domain else { return Ok(false) };
        let is_known = |literal: &Literal| match &literal.value {
            LiteralValue::Text(text) => labels.code(text).is_some(),
            LiteralValue::Number(_) | LiteralValue::Date(_) | LiteralValue::Boolean(_) => true,
        };
        if literals.iter().any(is_known) {
            literals.retain(is_known);
        }
        Ok(false)
    }
}

/// A stored integer of a public column as a literal.
fn literal(domain: &Domain, value: i64) -> Option<LiteralValue> {
    Some(match domain {
        Domain::Category(labels) => LiteralValue::Text(labels.get(usize::try_from(value).ok()?)?.clone()),
        Domain::Boolean => LiteralValue::Boolean(value == 1),
        Domain::Number(grid) => LiteralValue::Number(grid.text(i128::from(value) + i128::from(grid.centre()))),
        Domain::Date { .. } => LiteralValue::Date(date_text(i32::try_from(value).ok()?)),
        Domain::Text { .. } => return None,
    })
}
