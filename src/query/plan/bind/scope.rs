//! Scopes: the rows that a part of a question sees, and the names that it can use.

use std::collections::HashMap;
use std::rc::Rc;

use crate::query::computation::relation::Relation;
use crate::query::error::{Code, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::Name;
use crate::query::term::Term;
use crate::query::term::context::{Names, Steps, TermContext};
use crate::query::terms::policy::Terms;

use super::public::PublicScope;

/// What a source in FROM is.
pub(super) enum Bound {
    /// Rows of units.
    Units(Box<NamedRows>),
    /// A table with one row per unit that was resolved when a dataset with a single table was sealed.
    Joined(JoinedScope),
    /// Rows of a public table.
    Public(Box<PublicScope>),
}

/// A table that a dataset with a single table is joined with.
pub(super) struct JoinedScope {
    /// Its index among the dataset's joined tables.
    pub(super) place: usize,
    /// The name that its columns are qualified with.
    pub(super) of: String,
}

/// Rows of units, with the names of their columns.
#[derive(Clone)]
pub(super) struct NamedRows {
    /// The rows, without `filter`.
    pub(super) relation: Relation,
    /// The condition on the rows that count.
    pub(super) filter: Option<Filter>,
    /// The terms of `relation`; its columns have names for messages.
    pub(super) terms: Terms,
    /// The columns that can be named, in order.
    pub(super) columns: Vec<VisibleColumn>,
    /// The names of the unit's id.
    pub(super) units: Vec<UnitName>,
    /// The tables that a dataset with a single table is joined with, which were resolved when it was sealed: each one's index, and whether
    /// the join is a left join.
    pub(super) joins: Vec<(usize, bool)>,
    /// Whether units may be missing that have a row: a table that was joined when the dataset was sealed is known for units of the dataset's
    /// own table alone. A question about such rows has to ask for a row in the dataset's table, too.
    pub(super) is_partial: bool,
}

/// A column that can be named.
#[derive(Debug, Clone)]
pub(super) struct VisibleColumn {
    /// The table's name that may be written before it.
    pub(super) of: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// What it is.
    pub(super) term: Term,
    /// Whether it is named only with the table's name: the same column of another table stands for it.
    pub(super) is_merged: bool,
    /// Its place among the selected items.
    pub(super) place: usize,
}

/// A name of the unit's id.
#[derive(Debug, Clone)]
pub(super) struct UnitName {
    /// The table's name that may be written before it.
    pub(super) of: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// A term that is missing in rows that lack this side of a left join; `None` if none lacks it.
    pub(super) presence: Option<Term>,
    /// Its place among the selected items.
    pub(super) place: usize,
}

/// What a name means.
pub(super) enum Meaning {
    /// The unit's id.
    Unit(UnitName),
    /// A column.
    Column(Term),
}

impl NamedRows {
    /// What every name stands for.
    pub(super) fn names(&self) -> Names {
        let mut names = Names::default();
        for column in &self.columns {
            if let Some(of) = &column.of {
                names.add(Some(of), &column.name, column.term.clone());
            }
        }
        for (name, term) in self.unqualified() {
            names.add(None, &name, term);
        }
        names
    }

    /// The names that mean one column without a table's name.
    fn unqualified(&self) -> Vec<(String, Term)> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut found: Vec<(String, Option<Term>)> = Vec::new();
        for column in self.columns.iter().filter(|column| !column.is_merged) {
            match places.get(column.name.as_str()) {
                None => {
                    places.insert(&column.name, found.len());
                    found.push((column.name.clone(), Some(column.term.clone())));
                }
                Some(place) => {
                    let known = &mut found[*place].1;
                    *known = known.take().filter(|term| *term == column.term);
                }
            }
        }
        found.into_iter().filter_map(|(name, term)| Some((name, term?))).collect()
    }

    /// What a name means; `None` if it means nothing here.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if it means several things.
    pub(super) fn meaning(&self, name: &Name) -> Result<Option<Meaning>, QueryError> {
        let fits = |of: &Option<String>, text: &str, is_merged: bool| {
            text == name.text && if name.of.is_some() { *of == name.of } else { !is_merged }
        };
        let mut columns = self.columns.iter().filter(|column| fits(&column.of, &column.name, column.is_merged));
        let units = self.units.iter().filter(|unit| fits(&unit.of, &unit.name, false));
        // Without a table's name, the side that is never missing is meant.
        let unit = units.min_by_key(|unit| unit.presence.is_some());
        match (columns.next(), unit) {
            (None, None) => Ok(None),
            (None, Some(unit)) => Ok(Some(Meaning::Unit(unit.clone()))),
            (Some(column), unit) => {
                if unit.is_some() || columns.any(|other| other.term != column.term) {
                    let tables: Vec<String> = self
                        .columns
                        .iter()
                        .filter(|column| fits(&column.of, &column.name, column.is_merged))
                        .filter_map(|column| column.of.as_ref().map(|of| format!("{of}.{}", column.name)))
                        .collect();
                    let message = format!("\"{}\" is a column of several tables", shown(&name.text));
                    let error = QueryError::at(Code::UnsupportedSql, name.at, message);
                    return Err(match tables.is_empty() {
                        true => error.hint("write AS and another name behind one of them"),
                        false => error.hint(format!("write {}", tables.join(" or "))),
                    });
                }
                Ok(Some(Meaning::Column(column.term.clone())))
            }
        }
    }

    /// The selected items in order: for each, whether it is the unit's id, and its index among `units` or `columns`.
    pub(super) fn order(&self) -> Vec<(bool, usize)> {
        let units = self.units.iter().enumerate().map(|(index, unit)| (unit.place, true, index));
        let columns = self.columns.iter().enumerate().map(|(index, column)| (column.place, false, index));
        let mut all: Vec<(usize, bool, usize)> = units.chain(columns).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, is_unit, index)| (is_unit, index)).collect()
    }

    /// Whether a name that a question writes without a table's name means this column.
    pub(super) fn is_single(&self, name: &str, term: &Term) -> bool {
        self.unqualified().iter().any(|(known, meant)| known == name && meant == term)
    }

    /// Types terms over the rows, by the names that are visible.
    pub(super) fn context(&self, steps: &Rc<Steps>) -> TermContext<'_> {
        TermContext::with_names(&self.terms, &Rc::new(self.names()), steps)
    }

    /// Adds a condition on the rows.
    pub(super) fn add(&mut self, filter: Filter, steps: &Rc<Steps>) {
        let both = self.filter.take().into_iter().chain([filter]).collect();
        self.filter = Some(Filter::All(both).simplest(&TermContext::within(&self.terms, steps)));
    }
}
