//! Binding: turns FROM, WHERE and the queries inside of a question into one unit-local relation, and names into terms over it.
//!
//! Promises that what means the same becomes the same: aliases, qualified names, WITH, queries in FROM that only choose and name columns, and
//! the ways to write a join leave no trace. What remains is a relation, a condition on its rows, and the terms that names stand for.
//! Whatever has no unit-local reading is refused with the form that has one.

mod chosen;
mod conditions;
mod groups;
mod joins;
mod legacy;
mod means;
mod public;
mod resolve;
mod rows;
mod scope;
mod sources;
mod windows;

use std::rc::Rc;

use crate::query::computation::PerUnitTable;
use crate::query::computation::relation::Relation;
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::{Condition, Name, Query};
use crate::query::term::context::{Names, Steps};
use crate::query::terms::policy::{JoinedTable, Terms};

use self::conditions::conjuncts;
use self::resolve::Naming;
use self::scope::{Bound, NamedRows};
use super::relation::RelationFault;

/// A question whose names are resolved.
pub(super) struct BoundQuestion {
    /// The question, in which every name of a column is one of `names`.
    pub(super) query: Query,
    /// The condition of WHERE.
    pub(super) filter: Option<Filter>,
    /// The terms that everything after FROM refers to.
    pub(super) terms: Terms,
    /// What the names stand for.
    pub(super) names: Rc<Names>,
    /// What the rows are.
    pub(super) rows: BoundRows,
}

/// What the rows of a question are.
pub(super) enum BoundRows {
    /// The rows of the dataset's only table, with the tables that it is joined with: each one's index, and whether the join is a left join.
    Table { joins: Vec<(usize, bool)> },
    /// One row for each unit, made of the rows of the dataset's only table.
    PerUnit { units: PerUnitTable, joins: Vec<(usize, bool)> },
    /// Any other unit-local relation.
    Relation(Relation),
}

/// Binds the queries of one question.
pub(super) struct Binder<'a> {
    /// The dataset's name.
    dataset: &'a str,
    /// The dataset's terms.
    terms: &'a Terms,
    /// Number of rows of each unit that are used of each table; `None` for all of them.
    rows_per_unit: Option<u32>,
    steps: Rc<Steps>,
    /// How many names were made for parts of the question.
    made: std::cell::Cell<usize>,
}

/// Why the rows of groups are no rows of a question.
const OF_MANY_UNITS: &str =
    "the rows of a query inside of a question are those of one unit, and these groups are of many";
/// Why the row of an aggregate without groups is no row of a question.
const OF_MANY_PEOPLE: &str = "the value of this query comes from the rows of many people";

/// Whether a question is refused as its rows are those of groups.
pub(super) fn is_of_groups(error: &QueryError) -> bool {
    error.message.starts_with(OF_MANY_UNITS) || error.message.starts_with(OF_MANY_PEOPLE)
}

/// Largest number of operators of a relation.
const OPERATORS_MAX: u64 = 64;

/// Binds a question against the terms of its dataset.
///
/// # Errors
/// [`Code::UnsupportedSql`] and [`Code::UnknownColumn`] for what has no unit-local reading, with the form that has one.
pub(super) fn bind(
    query: &Query,
    (dataset, terms): (&str, &Terms),
    rows_per_unit: Option<u32>,
    steps: &Rc<Steps>,
) -> Result<BoundQuestion, QueryError> {
    let made = std::cell::Cell::new(0);
    let binder = Binder { dataset, terms, rows_per_unit, steps: Rc::clone(steps), made };
    let mut query = query.clone();
    let mut conditions = query.condition.take().map(conjuncts).unwrap_or_default();
    let at = query.dataset.at;
    let mut scope = match binder.source(&query.from, &mut conditions)? {
        Bound::Units(scope) => *scope,
        Bound::Joined(table) => binder.joined_alone(&table),
        Bound::Public(public) => {
            let message = format!("\"{}\" is public, and its rows belong to nobody", shown(&public.name));
            return Err(QueryError::at(Code::UnsupportedSql, at, message)
                .hint("it is published as it is, and can be read without a question"));
        }
    };
    // Names are looked up before anything is typed, and constants after that.
    let mut known = resolve::Resolver { scope: &scope, dataset: terms, steps };
    for condition in &conditions {
        condition.clone().rewrite(&mut known)?;
    }
    query.clone().rewrite(&mut resolve::Arguments(known))?;
    for condition in conditions {
        binder.restrict(&mut scope, condition)?;
    }
    if scope.is_partial {
        return Err(binder.partial(at));
    }
    query.rewrite(&mut conditions::Marking { binder: &binder, scope: &mut scope })?;
    query.rewrite(&mut Naming { scope: &scope })?;
    let bound = binder.finished(scope, query)?;
    binder.steps.check()?;
    Ok(bound)
}

impl Binder<'_> {
    /// A name that no question can write.
    fn fresh(&self, word: &str) -> String {
        self.made.set(self.made.get() + 1);
        format!("\u{1}{word}{}", self.made.get())
    }

    /// The error for rows of a table that was joined when the dataset was sealed, without a row of the dataset's own table.
    fn partial(&self, at: Position) -> QueryError {
        let message = format!(
            "a table that was joined with \"{}\" when it was sealed is known for people with a row there alone, and the question may be \
             about others",
            shown(self.dataset)
        );
        unsupported(at, message).hint("where the policy declares both as [[table]], all people are known")
    }

    /// The rows of a scope that count, as a relation.
    fn relation(&self, scope: &NamedRows) -> Relation {
        match &scope.filter {
            None => scope.relation.clone(),
            Some(filter) => joins::pushed_alone(self.terms, scope.relation.clone(), filter.clone()),
        }
    }

    /// Takes the condition on a scope's rows into its relation, whose bound may be smaller then.
    fn counted(&self, scope: &mut NamedRows, at: Position) -> Result<(), QueryError> {
        if scope.filter.is_none() {
            return Ok(());
        }
        let relation = self.relation(scope);
        let terms = self.terms_of(&relation, at)?;
        scope.terms = sources::renamed(terms, &scope.terms);
        (scope.relation, scope.filter) = (relation, None);
        Ok(())
    }

    /// Takes the condition on the rows into the relation if units can have fewer rows then, as after `ROW_NUMBER() … <= 5`. Any other
    /// condition stays apart, where answers are derived from others by it.
    fn narrowed(&self, scope: NamedRows, at: Position) -> Result<NamedRows, QueryError> {
        let mut counted = scope.clone();
        self.counted(&mut counted, at)?;
        Ok(if counted.terms.max_rows_per_unit < scope.terms.max_rows_per_unit { counted } else { scope })
    }

    /// The terms of a relation.
    fn terms_of(&self, relation: &Relation, at: Position) -> Result<Terms, QueryError> {
        if relation.operators() > OPERATORS_MAX {
            let message = format!("the query joins and nests more than {OPERATORS_MAX} tables and steps");
            return Err(QueryError::at(Code::UnsupportedSql, at, message).hint("ask for parts of it one at a time"));
        }
        relation.terms(self.terms, &self.steps).map_err(|fault| refused(&fault, at))
    }

    /// What remains of a scope: today's shapes of a single table where they suffice, and a relation otherwise.
    fn finished(&self, scope: NamedRows, query: Query) -> Result<BoundQuestion, QueryError> {
        let at = query.dataset.at;
        if let Some(simple) = legacy::simple(self, &scope, &query)? {
            return Ok(simple);
        }
        let scope = self.narrowed(scope, at)?;
        let relation = match &scope.filter {
            Some(filter) => joins::pushed(self.terms, scope.relation.clone(), filter),
            None => scope.relation.clone(),
        };
        let terms = scope.terms.clone();
        if relation.operators() > OPERATORS_MAX {
            self.terms_of(&relation, at)?;
        }
        let names = Rc::new(scope.names());
        Ok(BoundQuestion { query, filter: scope.filter, terms, names, rows: BoundRows::Relation(relation) })
    }
}

/// Adds a hint to the error for an unknown column, if joining a table would provide it.
pub(super) fn unjoined(error: QueryError, name: &Name, terms: &Terms) -> QueryError {
    let has = |join: &&JoinedTable| terms.columns[join.places()].iter().any(|column| column.name == name.text);
    let tables = terms.tables.iter().find(|table| table.columns.iter().any(|column| column.name == name.text));
    let joined = terms.joins.iter().find(has).map(|join| &join.name);
    match (joined.or(tables.map(|table| &table.name)), terms.unit_column()) {
        (Some(table), Some(unit)) => error.hint(format!("write FROM … JOIN {table} USING ({unit}), which has it")),
        _ => error,
    }
}

/// The error for a relation that has no bounds.
fn refused(fault: &RelationFault, at: Position) -> QueryError {
    let error = QueryError::at(Code::UnsupportedSql, at, fault.to_string());
    match fault {
        RelationFault::TooManyRows { .. } => error
            .hint("ask with a smaller rows_per_unit; fewer rows meet where ROW_NUMBER() OVER (PARTITION BY …) is bounded first, or more columns are compared"),
        RelationFault::Unlike => error,
        RelationFault::Term(_) | RelationFault::NoTable => error,
    }
}

/// The error for a form that has no unit-local reading.
fn unsupported(at: Position, message: impl std::fmt::Display) -> QueryError {
    QueryError::at(Code::UnsupportedSql, at, message)
}

/// Whether a condition stands by itself, without queries inside.
fn is_plain(condition: &Condition) -> bool {
    match condition {
        Condition::InRows(..) | Condition::Exists(_) => false,
        Condition::Not(inner) => is_plain(inner),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(is_plain),
        Condition::Compare(..)
        | Condition::Between(..)
        | Condition::In(..)
        | Condition::IsNull(_)
        | Condition::Is(_) => true,
    }
}
