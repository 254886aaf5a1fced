//! FROM: tables and queries as scopes.

use crate::query::computation::relation::Relation;
use crate::query::error::{Code, QueryError, nearest, shown};
use crate::query::syntax::{Condition, FromItem, Name};
use crate::query::term::Term;
use crate::query::terms::domain::Column;
use crate::query::terms::policy::Terms;

use super::scope::{Bound, JoinedScope, NamedRows, UnitName, VisibleColumn};
use super::{Binder, unsupported};

/// Terms with the names that the first columns have elsewhere, for messages.
pub(super) fn renamed(terms: Terms, like: &Terms) -> Terms {
    let name = |(index, column): (usize, &Column)| {
        let name = like.columns.get(index).map_or_else(String::new, |known| known.name.clone());
        Column { name, ..column.clone() }
    };
    let columns = terms.columns.iter().enumerate().map(name).collect();
    terms.with(columns, terms.max_rows_per_unit, terms.max_rows)
}

impl Binder<'_> {
    /// Binds what stands in FROM. Conditions of WHERE that say how tables are joined are taken from `conditions`.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] for unknown tables and joins without the unit.
    pub(super) fn source(&self, source: &FromItem, conditions: &mut Vec<Condition>) -> Result<Bound, QueryError> {
        self.steps.spend(1);
        self.steps.check()?;
        match source {
            FromItem::Table { schema, name, alias } => self.table(schema.as_ref(), name, alias.as_ref()),
            FromItem::Derived { rows, alias, columns } => {
                if let Some(public) = self.public_rows(rows, alias.as_ref(), columns)? {
                    return Ok(Bound::Public(Box::new(public)));
                }
                let derived = self.rows(rows, None)?;
                let mut scope = derived.scope;
                let of = alias.as_ref().map(|alias| alias.text.clone());
                Self::name_columns(&mut scope, of.as_deref(), columns);
                Ok(Bound::Units(Box::new(scope)))
            }
            FromItem::Joined { left, right, is_left, on, at } => {
                let left = self.source(left, conditions)?;
                let right = self.source(right, conditions)?;
                self.joined(left, right, *is_left, on, conditions, *at)
            }
        }
    }

    /// Gives the columns of a query the name of its alias, and new names to the first of them.
    fn name_columns(scope: &mut NamedRows, of: Option<&str>, columns: &[Name]) {
        for column in &mut scope.columns {
            column.of = of.map(str::to_owned);
        }
        for unit in &mut scope.units {
            unit.of = of.map(str::to_owned);
        }
        for (name, (is_unit, place)) in columns.iter().zip(scope.order()) {
            if is_unit {
                name.text.clone_into(&mut scope.units[place].name);
            } else {
                name.text.clone_into(&mut scope.columns[place].name);
            }
        }
    }

    fn table(&self, schema: Option<&Name>, name: &Name, alias: Option<&Name>) -> Result<Bound, QueryError> {
        if let Some(schema) = schema.filter(|schema| schema.text != self.dataset && schema.text != "public") {
            let message =
                format!("a question is about one dataset, and \"{}\" is not \"{}\"", shown(&schema.text), self.dataset);
            return Err(unsupported(schema.at, message));
        }
        let of = alias.map_or(&name.text, |alias| &alias.text);
        if self.terms.tables.is_empty() {
            if name.text == self.dataset {
                return Ok(Bound::Units(Box::new(self.table_scope(0, of, name)?)));
            }
            if let Some(place) = self.terms.joins.iter().position(|join| join.name == name.text) {
                return Ok(Bound::Joined(JoinedScope { place, of: of.clone() }));
            }
        } else if let Some(place) = self.terms.tables.iter().position(|table| table.name == name.text) {
            return Ok(Bound::Units(Box::new(self.table_scope(place, of, name)?)));
        }
        if let Some(public) = self.public_table(name, of) {
            return Ok(Bound::Public(Box::new(public)));
        }
        Err(self.unknown_table(name))
    }

    /// The error for a table that the dataset does not have.
    pub(super) fn unknown_table(&self, name: &Name) -> QueryError {
        let own = [self.dataset.to_owned()].into_iter().filter(|_| self.terms.tables.is_empty());
        let joins = self.terms.joins.iter().map(|join| join.name.clone());
        let tables = self.terms.tables.iter().map(|table| table.name.clone());
        let public = self.terms.public.iter().map(|table| table.name.clone());
        let names: Vec<String> = own.chain(joins).chain(tables).chain(public).collect();
        let message = format!("\"{}\" has no table \"{}\"", shown(self.dataset), shown(&name.text));
        let error = QueryError::at(Code::UnsupportedSql, name.at, message);
        match nearest(&name.text, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean \"{near}\"?")),
            None => error.hint(format!("its tables are {}", names.join(", "))),
        }
    }

    /// The scope of one of the dataset's tables.
    fn table_scope(&self, place: usize, of: &str, name: &Name) -> Result<NamedRows, QueryError> {
        let table = self.terms.table(place).ok_or_else(|| self.unknown_table(name))?;
        let rows_per_unit = self.rows_per_unit.unwrap_or(u32::MAX).min(table.max_rows_per_unit);
        let table_index = u32::try_from(place).unwrap_or(u32::MAX);
        let relation = Relation::Table { table: table_index, rows_per_unit };
        let terms = table.with(table.columns.clone(), rows_per_unit, table.max_rows);
        // Columns of tables that it is joined with come after its own, and are named once they are joined.
        let own = match self.terms.tables.is_empty() {
            true => self.terms.own().len(),
            false => table.columns.len(),
        };
        let column = |(index, column): (usize, &Column)| VisibleColumn {
            of: Some(of.to_owned()),
            name: column.name.clone(),
            term: Term::Column(index),
            is_merged: false,
            place: index + 1,
        };
        let columns = terms.columns.iter().take(own).enumerate().map(column).collect();
        let units = self.unit_names(of);
        Ok(NamedRows { relation, filter: None, terms, columns, units, joins: Vec::new(), is_partial: false })
    }

    fn unit_names(&self, of: &str) -> Vec<UnitName> {
        let unit = |name: &str| UnitName { of: Some(of.to_owned()), name: name.to_owned(), presence: None, place: 0 };
        self.terms.unit_column().map(unit).into_iter().collect()
    }

    /// The columns of a table that a dataset with a single table is joined with.
    pub(super) fn joined_columns(&self, table: &JoinedScope) -> Vec<VisibleColumn> {
        let places = self.terms.joins[table.place].places();
        let column = |index: usize| VisibleColumn {
            of: Some(table.of.clone()),
            name: self.terms.columns[index].name.clone(),
            term: Term::Column(index),
            is_merged: false,
            place: index + 1,
        };
        places.map(column).collect()
    }

    /// Such a table by itself: of each unit with rows in the dataset's table, the row that it has there.
    pub(super) fn joined_alone(&self, table: &JoinedScope) -> NamedRows {
        let relation = Relation::Table { table: 0, rows_per_unit: 1 };
        let terms = self.terms.table(0).map_or_else(|| self.terms.clone(), |table| table.into_owned());
        let terms = terms.with(terms.columns.clone(), 1, terms.max_rows);
        let mut scope = NamedRows {
            relation,
            filter: None,
            terms,
            columns: self.joined_columns(table),
            units: self.unit_names(&table.of),
            joins: Vec::new(),
            is_partial: true,
        };
        scope.add(crate::query::canonical::presence(self.terms, table.place), &self.steps);
        scope
    }
}
