//! Conditions of WHERE, with the queries in them: `IN (SELECT …)`, `EXISTS (SELECT …)` and queries of one value.

use crate::query::computation::PerUnitColumn;
use crate::query::computation::relation::Relation;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{Comparison, Condition, Expression, FromItem, LiteralValue, Name, Rows, Scalar};
use crate::query::term::{Term, checker};

use super::resolve::{Naming, never};
use super::rows::Derived;
use super::scope::{Meaning, NamedRows, VisibleColumn};
use super::{Binder, is_plain, unsupported};

/// The parts of a condition that are all true where it is true.
pub(super) fn conjuncts(condition: Condition) -> Vec<Condition> {
    match condition {
        Condition::All(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        one => vec![one],
    }
}

impl Binder<'_> {
    /// Restricts rows by one part of a condition.
    ///
    /// # Errors
    /// Those of typing the condition.
    pub(super) fn restrict(&self, scope: &mut NamedRows, condition: Condition) -> Result<(), QueryError> {
        let mut condition = match condition {
            Condition::Exists(rows) => return self.exists(scope, &rows, false),
            Condition::InRows(of, rows) => match self.within(scope, &of, &rows, false)? {
                None => return Ok(()),
                Some(listed) => listed,
            },
            Condition::Not(inner) => match *inner {
                Condition::Exists(rows) => return self.exists(scope, &rows, true),
                Condition::InRows(of, rows) => match self.within(scope, &of, &rows, true)? {
                    None => return Ok(()),
                    Some(listed) => Condition::Not(Box::new(listed)),
                },
                Condition::Not(twice) => return self.restrict(scope, *twice),
                other => Condition::Not(Box::new(other)),
            },
            other => other,
        };
        condition.rewrite(&mut Marking { binder: self, scope })?;
        condition.rewrite(&mut Naming { scope })?;
        let filter = checker::narrowing(Some(&condition), &scope.context(&self.steps))?;
        filter.into_iter().for_each(|filter| scope.add(filter, &self.steps));
        Ok(())
    }

    /// Keeps the rows of which the unit has a row in a query, or those of which it has none.
    fn exists(&self, scope: &mut NamedRows, rows: &Rows, is_anti: bool) -> Result<(), QueryError> {
        let derived = self.rows(rows, Some(scope))?;
        if !derived.is_of_outer_unit {
            return Err(not_of_unit(scope, rows));
        }
        self.semi(scope, derived, is_anti, rows.at())
    }

    /// Keeps the rows whose value is among those of a query, or those whose value is not; a list is returned if the query is of a public
    /// table.
    fn within(
        &self,
        scope: &mut NamedRows,
        of: &Expression,
        rows: &Rows,
        is_anti: bool,
    ) -> Result<Option<Condition>, QueryError> {
        if let Some(listed) = self.listed(scope, of, rows)? {
            return Ok(Some(listed));
        }
        let mut derived = self.rows(rows, Some(scope))?;
        let meaning = match &of.value {
            Scalar::Column(name) => scope.meaning(name)?,
            _ => None,
        };
        match (meaning, &derived.scope.units[..], &derived.scope.columns[..]) {
            // The unit of the row is the unit of a row of the query.
            (Some(Meaning::Unit(_)), [_, ..], []) => {}
            (Some(Meaning::Unit(_)), ..) => {
                let unit = scope.terms.unit_column().unwrap_or("row");
                return Err(unsupported(rows.at(), "the query behind IN selects one column, the unit of its rows")
                    .hint(format!("write IN (SELECT {unit} FROM …)")));
            }
            (_, _, [column]) if derived.is_of_outer_unit => {
                // The value is among those of the same person.
                let inner = column.clone();
                let name = Name { of: None, text: self.fresh("in"), at: of.at };
                derived.scope.columns[0] = VisibleColumn { of: None, name: name.text.clone(), ..inner };
                let right = Expression { value: Scalar::Column(name), at: of.at };
                derived.correlated.push(Condition::Compare(of.clone(), Comparison::Equal, right));
            }
            _ => {
                let message = "the values of this query would be those of other people's rows";
                return Err(unsupported(of.at, message));
            }
        }
        self.semi(scope, derived, is_anti, rows.at())?;
        Ok(None)
    }

    fn semi(&self, scope: &mut NamedRows, derived: Derived, is_anti: bool, at: Position) -> Result<(), QueryError> {
        let on = match derived.correlated.is_empty() {
            true => None,
            false => {
                // Names in WHERE are those of FROM, and not what the query selects.
                let made = derived.scope.columns.iter().filter(|column| column.name.starts_with('\u{1}')).cloned();
                let columns = derived.inner.into_iter().chain(made).collect();
                let pair = self.pair(scope, &NamedRows { columns, ..derived.scope.clone() }, at)?;
                let mut all = Condition::All(derived.correlated);
                all.rewrite(&mut Naming { scope: &pair })?;
                checker::narrowing(Some(&all), &pair.context(&self.steps))?
            }
        };
        let other = Box::new(self.relation(&derived.scope));
        // Units with a row in the dataset's own table are all known.
        scope.is_partial &= is_anti || derived.scope.is_partial;
        scope.relation = Relation::Semi { of: Box::new(self.relation(scope)), other, on, is_anti };
        scope.filter = None;
        self.terms_of(&scope.relation, at)?;
        Ok(())
    }

    /// A scope in which the names of both sides are visible; those of the second hide those of the first.
    pub(super) fn pair(&self, outer: &NamedRows, inner: &NamedRows, at: Position) -> Result<NamedRows, QueryError> {
        let (left, right) = (outer.relation.clone(), inner.relation.clone());
        let relation = Relation::Join { left: Box::new(left), right: Box::new(right), on: None, is_left: false };
        let offset = outer.terms.columns.len();
        let named = outer.terms.columns.iter().chain(&inner.terms.columns).cloned().collect();
        let terms = self.steps.check().map(|()| {
            outer.terms.with(
                named,
                outer.terms.max_rows_per_unit.saturating_mul(inner.terms.max_rows_per_unit),
                outer.terms.max_rows,
            )
        })?;
        let hidden =
            |column: &&VisibleColumn| !inner.columns.iter().any(|own| own.of == column.of && own.name == column.name);
        let mut columns: Vec<VisibleColumn> = outer.columns.iter().filter(hidden).cloned().collect();
        for column in &mut columns {
            column.is_merged |= inner.columns.iter().any(|own| !own.is_merged && own.name == column.name);
        }
        let moved = |column: &VisibleColumn| VisibleColumn {
            term: column.term.renumbered(&|index| index + offset),
            ..column.clone()
        };
        columns.extend(inner.columns.iter().map(moved));
        let _ = at;
        Ok(NamedRows {
            relation,
            filter: None,
            terms,
            columns,
            units: Vec::new(),
            joins: Vec::new(),
            is_partial: false,
        })
    }

    /// Adds to each row a column that is missing if the unit has no row in a query, and the columns of its only row otherwise. Returns the
    /// index of the first of them.
    fn marked(&self, scope: &mut NamedRows, marks: Relation, at: Position) -> Result<usize, QueryError> {
        let first = scope.terms.columns.len();
        let (left, right) = (Box::new(scope.relation.clone()), Box::new(marks));
        scope.relation = Relation::Join { left, right, on: None, is_left: true };
        let terms = self.terms_of(&scope.relation, at)?;
        scope.terms = super::sources::renamed(terms, &scope.terms);
        Ok(first)
    }
}

/// Replaces queries inside of expressions by columns that are joined to each row.
pub(super) struct Marking<'b, 'a> {
    pub(super) binder: &'b Binder<'a>,
    pub(super) scope: &'b mut NamedRows,
}

impl Marking<'_, '_> {
    /// A condition that is true if the unit has a row in a query.
    fn mark(&mut self, derived: Derived, at: Position) -> Result<Condition, QueryError> {
        if !derived.correlated.is_empty() {
            return Err(unsupported(
                at,
                "a query that compares with columns around it is a condition of WHERE by itself, or with AND",
            ));
        }
        let units = Relation::Group {
            of: Box::new(self.binder.relation(&derived.scope)),
            keys: Vec::new(),
            columns: Vec::new(),
        };
        let marks = Relation::Map { of: Box::new(units), columns: vec![Term::number(1, 0)] };
        let place = self.binder.marked(self.scope, marks, at)?;
        let name = self.name(Term::Column(place));
        let missing = Condition::IsNull(Expression { value: Scalar::Column(Name { of: None, text: name, at }), at });
        Ok(Condition::Not(Box::new(missing)))
    }

    fn name(&mut self, term: Term) -> String {
        let name = self.binder.fresh("m");
        let (of, is_merged, place) = (None, false, usize::MAX);
        self.scope.columns.push(VisibleColumn { of, name: name.clone(), term, is_merged, place });
        name
    }

    /// The value of a query with one value for each unit.
    fn value(&mut self, rows: &Rows, at: Position) -> Result<Scalar, QueryError> {
        if let Some(constant) = self.binder.constant(rows)? {
            return Ok(constant);
        }
        let derived = self.binder.rows(rows, Some(self.scope))?;
        let [column] = &derived.scope.columns[..] else {
            return Err(unsupported(at, "a query that is a value selects one column"));
        };
        let is_single = derived.is_of_outer_unit && derived.is_single && derived.correlated.is_empty();
        if !is_single {
            return Err(unsupported(at, "a query that is a value has one value for each person"));
        }
        let Term::Column(index) = column.term else {
            return Err(unsupported(
                at,
                "a query that is a value selects one aggregate, and nothing is computed with it inside",
            ));
        };
        let is_count = match &derived.scope.relation {
            Relation::Group { keys, columns, .. } => matches!(
                index.checked_sub(keys.len()).and_then(|place| columns.get(place)),
                Some(PerUnitColumn::Rows | PerUnitColumn::Present(_) | PerUnitColumn::Distinct(_))
            ),
            _ => false,
        };
        let place = self.binder.marked(self.scope, self.binder.relation(&derived.scope), at)?;
        let name = self.name(Term::Column(place + index));
        let column = Expression { value: Scalar::Column(Name { of: None, text: name, at }), at };
        if !is_count {
            return Ok(column.value);
        }
        // A person without rows has a count of 0.
        let zero = Expression { value: Scalar::Constant(LiteralValue::Number("0".to_owned())), at };
        Ok(Scalar::Coalesce(Box::new(column), Box::new(zero)))
    }
}

impl Rewriter for Marking<'_, '_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        let at = expression.at;
        if let Scalar::Subquery(rows) = &expression.value {
            let rows = rows.clone();
            expression.value = self.value(&rows, at)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn condition(&mut self, condition: &mut Condition) -> Result<bool, QueryError> {
        if is_plain(condition) {
            return Ok(false);
        }
        let replaced = match condition {
            Condition::Exists(rows) => {
                let derived = self.binder.rows(rows, Some(self.scope))?;
                if !derived.is_of_outer_unit {
                    return Err(not_of_unit(self.scope, rows));
                }
                self.mark(derived, rows.at())?
            }
            Condition::InRows(of, rows) => match self.binder.listed(self.scope, of, rows)? {
                Some(listed) => listed,
                None => {
                    let is_unit = match &of.value {
                        Scalar::Column(name) => matches!(self.scope.meaning(name)?, Some(Meaning::Unit(_))),
                        _ => false,
                    };
                    let derived = self.binder.rows(rows, Some(self.scope))?;
                    if !is_unit || derived.scope.units.is_empty() || !derived.scope.columns.is_empty() {
                        let unit = self.scope.terms.unit_column().unwrap_or("row");
                        return Err(unsupported(of.at, format!("only {} is looked up in a query", shown(unit)))
                            .hint(format!("write {unit} IN (SELECT {unit} FROM …)")));
                    }
                    self.mark(derived, rows.at())?
                }
            },
            _ => return Ok(false),
        };
        *condition = replaced;
        Ok(true)
    }
}

/// The error for an EXISTS that looks at the rows of other people.
fn not_of_unit(outer: &NamedRows, rows: &Rows) -> QueryError {
    let error =
        unsupported(rows.at(), "EXISTS looks at the rows of the same person, and this query is about others, too");
    let (Some(unit), Rows::Select(select)) = (outer.terms.unit_column(), rows) else { return error };
    let inner = match &select.from {
        FromItem::Table { name, alias, .. } => alias.as_ref().unwrap_or(name),
        FromItem::Derived { alias: Some(alias), .. } => alias,
        FromItem::Derived { .. } | FromItem::Joined { .. } => return error,
    };
    let Some(of) = outer.units.first().and_then(|unit| unit.of.as_ref()).filter(|of| **of != inner.text) else {
        return error;
    };
    error.hint(format!("write EXISTS (SELECT … WHERE {}.{unit} = {}.{unit} AND …)", shown(&inner.text), shown(of)))
}

/// A condition on a value that is one of these; false if there are none.
pub(super) fn among(of: &Expression, literals: Vec<crate::query::syntax::Literal>) -> Condition {
    if literals.is_empty() { never(of.at) } else { Condition::In(of.clone(), literals) }
}
